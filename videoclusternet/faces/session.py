"""Networks that come as ONNX files, made ready to take one picture of any size.

What runs is what was read as data (`weights.onnx_file`): the runtime gets bytes, never a path. What
a network is gets told by what it answers, not by what it declares: exports of one network differ in
the names, the order and the declared sizes of their outputs.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from videoclusternet.errors import WeightsError, reason_of
from videoclusternet.processors import usable_threads
from videoclusternet.records import Array
from videoclusternet.weights.onnx_file import read_onnx

if TYPE_CHECKING:
    import onnxruntime
    from onnx import ModelProto, ValueInfoProto

TRIAL = (64, 128)
"""Height and width of the grey picture by whose answer a network is recognised: small, but of whole
cells for each stride up to 64."""
TOLD = 16  # outputs that an error lists
ROUNDING = 1e-3  # by which a probability may miss its range


@dataclass(frozen=True)
class Network:
    """A network that takes float32 (n, 3, height, width), and what it answered to the trial."""

    session: onnxruntime.InferenceSession
    picture: str  # the name of its input
    trial: Mapping[str, Array]  # each output by its name, in the order of the file

    def answer(self, outputs: Sequence[str], planes: Array) -> list[Array]:
        """Return the outputs of these names. `planes`: float32 (1, 3, height, width)."""
        answers: list[Array] = self.session.run(list(outputs), {self.picture: planes})
        return answers


def open_network(path: Path) -> Network:
    """Make the network in an ONNX file ready. Raises WeightsError, as `network_of` does."""
    return network_of(read_onnx(path), path)


def network_of(model: ModelProto, path: Path) -> Network:
    """Make a network that was read from `path` ready; the model is changed in place.

    Raises WeightsError where it takes no pictures, runs only at one size, or holds NaN.
    """
    _check_numbers(model, path)
    parameters = {tensor.name for tensor in model.graph.initializer}
    inputs = [value for value in model.graph.input if value.name not in parameters]
    if len(inputs) != 1 or not _takes_pictures(inputs[0]):
        raise WeightsError(
            f"{path} is not a detector: its one input should be pictures, float32 (n, 3, height, "
            "width)."
        )
    try:
        _scale_by_factors(model, inputs[0])
        _free(model, inputs[0])
        session = _session(model)
        answers = session.run(None, {inputs[0].name: np.full((1, 3, *TRIAL), 0.5, np.float32)})
        trial = {
            output.name: np.asarray(answer)
            for output, answer in zip(session.get_outputs(), answers, strict=True)
        }
    except ImportError:  # of the runtime, which says nothing about the file
        raise
    except Exception as error:  # onnxruntime has a class for each of its codes, and no common one
        raise WeightsError(
            f"{path} does not run on a picture of {TRIAL[1]} x {TRIAL[0]} pixels, and a detector "
            f"has to run on any size: {reason_of(error)}."
        ) from None
    if any(np.isnan(answer).any() for answer in trial.values() if answer.dtype.kind == "f"):
        raise WeightsError(f"{path} is damaged (it answers with NaN, no number): get it again.")
    return Network(session, inputs[0].name, trial)


def sort_outputs(trial: Mapping[str, Array], shapes: Sequence[tuple[int, int]]) -> list[str] | None:
    """Return the names of a network's outputs in the order of these shapes (rows, numbers).

    An output may have a further axis of 1 in front. None, unless each output has its one shape;
    outputs of one shape keep their order.
    """
    left = {name: _sheet(answer) for name, answer in trial.items()}
    names = []
    for shape in shapes:
        name = next((name for name, sheet in left.items() if sheet == shape), None)
        if name is None:
            return None
        names.append(name)
        del left[name]
    return None if left else names


def another_network(
    path: Path, name: str, network: Network, *kinds: Sequence[tuple[int, ...]]
) -> WeightsError:
    """Return the error that says by which outputs a network differs from the one called `name`.

    `kinds`: the shapes of all outputs, for each kind of that network.
    """
    wanted = ", or ".join(_told(shapes) for shapes in kinds)
    given = _told([answer.shape for answer in network.trial.values()])
    return WeightsError(
        f"{path} is not {name}: for a picture of {TRIAL[1]} x {TRIAL[0]} pixels that has "
        f"{wanted}, and this file {given}."
    )


def check_scores(path: Path, scores: Sequence[Array], step: str) -> None:
    """Raise WeightsError where scores are no probabilities; `step` is what would make them so."""
    if any(answer.min() < -ROUNDING or answer.max() > 1 + ROUNDING for answer in scores):
        raise WeightsError(
            f"{path} gives scores outside 0 to 1: export it with its last step, the {step}."
        )


def _sheet(answer: Array) -> tuple[int, ...]:
    return answer.shape[1:] if answer.ndim == 3 and len(answer) == 1 else answer.shape


def _told(shapes: Sequence[Sequence[int]]) -> str:
    listed = ", ".join("x".join(str(side) for side in shape) for shape in shapes[:TOLD])
    more = ", …" if len(shapes) > TOLD else ""
    return f"{len(shapes)} outputs ({listed}{more})"


def _takes_pictures(value: ValueInfoProto) -> bool:
    import onnx

    tensor = value.type.tensor_type
    sides = tensor.shape.dim
    return (
        tensor.elem_type == onnx.TensorProto.FLOAT
        and len(sides) == 4
        and (sides[1].dim_value == 3 or not sides[1].HasField("dim_value"))
    )


def _session(model: ModelProto) -> onnxruntime.InferenceSession:
    # Unless told not to, its makers' builds report to them from the moment of their import.
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4  # what goes wrong is raised too, and then told once
    options.intra_op_num_threads = usable_threads()
    return onnxruntime.InferenceSession(
        model.SerializeToString(), options, providers=["CPUExecutionProvider"]
    )


def _free(model: ModelProto, picture: ValueInfoProto) -> None:
    """Take the declared sizes out of a model, whose one input is `picture`.

    Parameters leave the list of inputs, where old files have them: only what nobody can replace is
    a constant, which onnxruntime folds into others (CenterFace: a fifth faster).
    """
    graph = model.graph
    for axis in (0, 2, 3):
        picture.type.tensor_type.shape.dim[axis].Clear()
    for value in [value for value in graph.input if value != picture]:
        graph.input.remove(value)
    for output in graph.output:
        output.type.tensor_type.ClearField("shape")
    del graph.value_info[:]


def _scale_by_factors(model: ModelProto, picture: ValueInfoProto) -> None:
    """Let a network that doubles its maps to a fixed size double them at any size.

    Files exported for one size say "to 80 x 80" where the network says "twice", in ways that no
    reading of the file makes sure of; so they run once, at their size, and show their maps.
    """
    import onnx

    nodes = [node for node in model.graph.node if node.op_type == "Resize" and len(node.input) > 3]
    size = [side.dim_value for side in picture.type.tensor_type.shape.dim]
    if not nodes or not all(size[2:]):
        return
    shown = onnx.ModelProto()
    shown.CopyFrom(model)
    maps = sorted({name for node in nodes for name in (node.input[0], node.output[0])})
    del shown.graph.output[:]
    shown.graph.output.extend(onnx.ValueInfoProto(name=name) for name in maps)
    blank = np.zeros((size[0] or 1, 3, *size[2:]), np.float32)
    sizes = dict(zip(maps, _session(shown).run(maps, {picture.name: blank}), strict=True))
    for node in nodes:
        before, after = (np.array(sizes[name].shape) for name in (node.input[0], node.output[0]))
        factors = f"{node.output[0]}, by factors"
        tensor = onnx.numpy_helper.from_array((after / before).astype(np.float32), factors)
        model.graph.initializer.append(tensor)
        node.input[:] = [*node.input[:2], factors]


def _check_numbers(model: ModelProto, path: Path) -> None:
    """Raise WeightsError where a parameter is NaN: a network can hide one for most pictures."""
    from onnx import numpy_helper

    for tensor in model.graph.initializer:
        try:
            values = numpy_helper.to_array(tensor)
        except (ValueError, TypeError, KeyError):
            raise WeightsError(
                f"{path} is damaged ({tensor.name!r} is not whole): get it again."
            ) from None
        if values.dtype.kind == "f" and np.isnan(values).any():
            raise WeightsError(f"{path} is damaged ({tensor.name!r} holds NaN): get it again.")
