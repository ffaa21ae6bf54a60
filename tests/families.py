"""A network small enough for tests of each family of backbones, under a row of its own."""

from __future__ import annotations

import importlib
from dataclasses import replace

import pytest
import torch

from tests.models.residual import drawn
from videoclusternet.models import adaface, clip_vit, edgeface, iresnet, vggface2
from videoclusternet.models.registry import BACKBONES, BackboneSpec

POCKETS = {
    "arcface_r18": (lambda: iresnet.IResNet((1, 1, 1, 1), (8, 8, 16, 16), 32, 12), 32, 12),
    "adaface_r18": (lambda: adaface.AdaFace((1, 1, 1, 1), (8, 8, 16, 16), 32, 12), 32, 12),
    "vggface2_r50": (lambda: vggface2.VggFace2(0, (1, 1, 1, 1), 4), 32, 128),
    "vggface2_se50": (lambda: vggface2.VggFace2(4, (1, 1, 1, 1), 4), 32, 128),
    "farl_b16": (
        lambda: clip_vit.ClipVit(clip_vit.Shape(24, 6, 16, layers=2, heads=2, outputs=12)),
        24,
        12,
    ),
    "edgeface_xs": (
        lambda: edgeface.EdgeFace(edgeface.Shape((1, 2, 1, 1), (4, 6, 10, 8), 2, 0.6, 12)),
        64,
        12,
    ),
}
"""By the row whose family it is: how it is built, the side of its picture, and its embedding.

Channels of the residual ones are multiples of 8, as in every real one: with 4 to 10, training
ended in a damaged heap on a processor with AVX2 and no AVX-512 (oneDNN of torch 2.13; not with
ONEDNN_MAX_CPU_ISA=AVX).
"""

EACH = pytest.mark.parametrize("name", list(POCKETS))


def pocket_of(name: str, monkeypatch: pytest.MonkeyPatch) -> BackboneSpec:
    """Put a small network of a row's family into the table, as if it were one of its variants."""
    build, size, dimension = POCKETS[name]
    row = BACKBONES[name]
    module = importlib.import_module(row.module)
    real = module.build
    variant = f"pocket {name}"
    monkeypatch.setattr(module, "build", lambda asked: build() if asked == variant else real(asked))
    template = tuple(
        (x * size / row.feed.size, y * size / row.feed.size) for x, y in row.feed.template
    )
    spec = replace(
        row,
        name=f"pocket_{name}",
        variant=variant,
        feed=replace(row.feed, size=size, template=template),
        dimension=dimension,
    )
    monkeypatch.setitem(BACKBONES, spec.name, spec)
    return spec


def drawn_pocket(name: str, seed: int = 0) -> torch.nn.Module:
    """Return such a network with drawn parameters and statistics."""
    return drawn(POCKETS[name][0](), seed)
