"""From a row of the table and a file of parameters to a network, or to a sentence why not."""

from __future__ import annotations

import importlib
from collections import Counter
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from videoclusternet.errors import WeightsError
from videoclusternet.models.backbone import Backbone
from videoclusternet.models.checkpoint import kind_of, read_checkpoint
from videoclusternet.models.dlib_resnet import is_of_dlib
from videoclusternet.models.graph import GraphBackbone, read_graph
from videoclusternet.models.registry import BACKBONES, BackboneSpec, Declaration
from videoclusternet.weights.choice import WeightsFile

COUNTER = ".num_batches_tracked"  # of batch normalisation: old files lack it, and training needs it
SHOWN = 3  # names in a sentence
ALIKE = 0.5  # of the names and shapes: from here on a file looks like a network


def build_backbone(spec: BackboneSpec, plan: dict[str, Any] | None = None) -> Backbone:
    """Return the network of a row, or of an ONNX graph's plan, without its parameters."""
    if plan is not None:
        return GraphBackbone(plan)
    backbone: Backbone = importlib.import_module(spec.module).build(spec.variant)
    return backbone


def load_backbone(spec: BackboneSpec, path: Path) -> tuple[BackboneSpec, Backbone]:
    """Return the network of a row with the parameters of a file, and the row that it keeps.

    A file that is an ONNX graph brings its network along; the row says how it is fed, and takes the
    length of its embeddings. Raises WeightsError where the file cannot be read, does not fit, or
    makes no embedding of numbers.
    """
    with torch.random.fork_rng(devices=[]):  # what building draws is overwritten
        net = _read_backbone(spec, path).eval()
    for name, value in net.state_dict().items():
        if not value.isfinite().all():
            raise WeightsError(f"{path} is damaged ({name} holds what is no number): get it again.")
    return replace(spec, dimension=_dimension(net, spec, path)), net


def _read_backbone(spec: BackboneSpec, path: Path) -> Backbone:
    module, kind = importlib.import_module(spec.module), kind_of(path)
    if kind == "onnx":
        return read_graph(path, spec.feed.size)
    if kind == "other" and hasattr(module, "load"):  # files of a kind of its own
        own: Backbone = module.load(path)
        return own
    if not hasattr(module, "build"):
        raise WeightsError(
            f"{path} is no ONNX file: 'vcn models check' tells which network it is of."
        )
    fit = fit_state(spec, read_checkpoint(path))
    if fit.problems:
        why = "; ".join(fit.problems)
        raise WeightsError(
            f"{path} does not fit '{spec.name}' ({why}): it looks like {_likeness(fit.state)}."
        )
    net = build_backbone(spec)
    net.load_state_dict(net.state_dict() | fit.fitting)
    return net


def row_for(path: Path) -> tuple[BackboneSpec, WeightsFile]:
    """Return the row that a file fits, fed as a TOML file declares if it is one.

    Raises WeightsError where it fits none, saying what it looks like.
    """
    declaration = Declaration.read(path) if path.suffix == ".toml" else None
    file = WeightsFile.brought(path if declaration is None else path.parent / declaration.weights)
    match kind_of(file.path):
        case "onnx":
            spec = BACKBONES["onnx"]
        case "other" if is_of_dlib(file.path):
            spec = BACKBONES["dlib_resnet"]
        case _:
            state = read_checkpoint(file.path)
            rows = likely_rows(state)
            if not rows:
                raise WeightsError(
                    f"{path} holds no network that is known here (its first names are "
                    f"{_some(list(state)) or 'none'}): 'vcn models' lists those that are."
                )
            spec = rows[0][0]
    if declaration is not None:
        spec = replace(spec, feed=declaration.over(spec.feed))
    return spec, file


@dataclass(frozen=True)
class Fit:
    """How a file's tensors fit a network."""

    state: dict[str, Tensor]  # as they are in the file
    fitting: dict[str, Tensor]  # under the network's names
    problems: list[str]  # each a part of a sentence; none where all is well
    alike: float  # share of the network's names that the file has, in the right shape


def fit_state(spec: BackboneSpec, state: dict[str, Tensor]) -> Fit:
    """Find the network's parameters in a file, whatever stands in front of all their names.

    Other things under the same beginning are a problem, so that no file is half understood; what
    lies beside it, such as a trainer's own or the layers of a loss, is left alone.
    """
    module, shapes = importlib.import_module(spec.module), _shapes(spec.module, spec.variant)
    translated = module.translate(state) if hasattr(module, "translate") else state
    there = _under_prefix(translated, shapes)
    spare, own = getattr(module, "SPARE", ()), getattr(module, "OWN", ())
    missing = [
        name
        for name in shapes
        if name not in there and not name.endswith(COUNTER) and name not in own
    ]
    unknown = [name for name in there if name not in shapes and not name.startswith(spare)]
    fitting = {
        name: value
        for name, value in there.items()
        if name in shapes
        and tuple(value.shape) == shapes[name]
        and (value.is_floating_point() or name.endswith(COUNTER))
    }
    odd = [
        f"{name} of {_said(there[name])} instead of {'x'.join(map(str, shapes[name]))}"
        for name in shapes
        if name in there and name not in fitting
    ]
    lists = {"it lacks": missing, "it has": odd, "nobody knows": unknown}
    problems = [f"{verb} {_some(names)}" for verb, names in lists.items() if names]
    classes, told = getattr(module, "CLASSES", None), there.get("fc.weight")
    if classes is not None and told is not None and len(told) != classes:
        problems.append(f"it tells {len(told):,} classes apart, not {classes:,}")
    return Fit(state, fitting, problems, len(fitting) / len(shapes))


def likely_rows(state: dict[str, Tensor]) -> list[tuple[BackboneSpec, Fit]]:
    """Return the rows that a file's tensors fit, or else the one that they look most like."""
    fits = [
        (spec, fit_state(spec, state))
        for spec in BACKBONES.values()
        if hasattr(importlib.import_module(spec.module), "build")
    ]
    perfect = [(spec, fit) for spec, fit in fits if not fit.problems]
    best = max(fits, key=lambda pair: pair[1].alike)
    return perfect or ([best] if best[1].alike >= ALIKE else [])


@cache
def _shapes(module: str, variant: str) -> dict[str, tuple[int, ...]]:
    with torch.device("meta"):
        state = importlib.import_module(module).build(variant).state_dict()
    return {name: tuple(value.shape) for name, value in state.items()}


def _under_prefix(
    state: dict[str, Tensor], shapes: dict[str, tuple[int, ...]]
) -> dict[str, Tensor]:
    """Return what lies under the beginning that most of the names stand behind.

    A name with the right shape counts for more: the text tower of a CLIP has nearly all the names
    of its visual one.
    """
    found: Counter[str] = Counter()
    for key in state:
        start = 0
        while start >= 0:
            if (shape := shapes.get(key[start:])) is not None:
                found[key[:start]] += 2 if tuple(state[key].shape) == shape else 1
            start = key.find(".", start) + 1 or -1
    prefix = found.most_common(1)[0][0] if found else ""
    return {key[len(prefix) :]: value for key, value in state.items() if key.startswith(prefix)}


def _likeness(state: dict[str, Tensor]) -> str:
    rows = likely_rows(state)
    if not rows:
        return "no network that is known here"
    return f"'{rows[0][0].name}'"


def _some(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN:,} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def _said(value: Tensor) -> str:
    kind = "" if value.is_floating_point() else f"{value.dtype} ".removeprefix("torch.")
    return kind + "x".join(map(str, value.shape))


def _dimension(net: Backbone, spec: BackboneSpec, path: Path) -> int:
    """Feed a grey picture and return how long its embedding is."""
    side = spec.feed.size
    try:
        with torch.no_grad():
            embeddings = net(torch.zeros(1, 3, side, side))
    except (RuntimeError, WeightsError) as error:
        raise WeightsError(
            f"The network of {path} takes no pictures of {side} x {side} pixels, which "
            f"'{spec.name}' feeds: {str(error).rstrip('.')}."
        ) from None
    if embeddings.ndim != 2 or len(embeddings) != 1 or not embeddings.isfinite().all():
        raise WeightsError(f"The network of {path} makes no embedding: name a face network.")
    return int(embeddings.shape[1])
