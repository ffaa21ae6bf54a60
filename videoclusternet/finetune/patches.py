"""Masked patches: the second loss, for backbones with patch tokens.

Some patches of the student's view are hidden from it, and its second head predicts there what the
teacher's second head makes of them (paper: "an iBOT-style loss"; iBOT is Zhou et al. 2022, arXiv
2111.07832). The teacher sees the same view whole, for only inside one view do patches correspond:
that is a pass more than the loss of pairs needs. The loss of pairs takes the student's outputs from
the view with hidden patches, as in iBOT, so the student needs none more.

The second head learns in the joint rounds only (ours): hidden patches need the backbone itself,
which the cached embeddings of the head's own stage are there to spare, and as it was drawn it
already tells patches apart.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from videoclusternet.finetune.teacher import CENTRE_MOMENTUM, Teacher
from videoclusternet.models.backbone import PatchBackbone
from videoclusternet.models.device import in_pieces
from videoclusternet.models.face_model import FaceModel
from videoclusternet.models.loss import masked_cross_entropy, probabilities
from videoclusternet.records import Array

MASKED = 0.5  # of the pictures have hidden patches (iBOT)
RATIO = (0.1, 0.5)  # share of the patches that is hidden in those (iBOT)
ASPECT = (0.3, 1 / 0.3)  # height over width of a block of them (iBOT, after BEiT)
SAMPLE = 64  # crops that give the statistics of tokens, so many values a place; ours


class MaskedPatches:
    """The loss of masked patches, step by step. Raises TypeError where there is no second head."""

    def __init__(self, teacher: Teacher, rng: np.random.Generator) -> None:
        self.student, self.teacher, self.rng = teacher.student, teacher.model, rng
        backbone = self.student.backbone
        head, teacher_head = self.student.patch_head, self.teacher.patch_head
        if not isinstance(backbone, PatchBackbone) or head is None or teacher_head is None:
            raise TypeError("masked patches need a backbone with patch tokens, and a head on them")
        self.grid, self.head, self.teacher_head = backbone.grid, head, teacher_head

    def __call__(self, images: Tensor, pieces: int = 1) -> tuple[Tensor, Tensor]:
        """Return the student's outputs (n, heads, k) for half-hidden crops, and the patches' loss.

        The networks look at the crops in so many pieces (`in_pieces`). Both heads look at the
        hidden places alone, which is what the loss and its centre need.
        """
        config = self.student.config
        mask = torch.tensor(draw_masks(len(images), self.grid, self.rng), device=images.device)
        with torch.no_grad():
            _, tokens = in_pieces(self.teacher.tokens, pieces, images)
            outputs = self.teacher_head.chosen(tokens, mask)
            p = probabilities(outputs, self.teacher_head.centre, config.teacher_temperature)
            if len(outputs):
                self.head.centre.lerp_(outputs.mean(0), 1 - CENTRE_MOMENTUM)
        values, tokens = in_pieces(self.student.tokens, pieces, images, mask)
        log_q = self.student.student_side(self.head.chosen(tokens, mask))
        outputs = self.student.head(self.student.tail(values))
        return outputs, masked_cross_entropy(p, log_q, mask)


def draw_masks(count: int, grid: tuple[int, int], rng: np.random.Generator) -> Array:
    """Return which patches of so many pictures are hidden, (count, patches), bool.

    None in about half of the pictures; in the others an evenly drawn share, in blocks.
    """
    masks = np.zeros((count, *grid), bool)
    for mask in masks:
        if rng.random() < MASKED:
            _hide(mask, max(1, round(rng.uniform(*RATIO) * mask.size)), rng)
    return masks.reshape(count, grid[0] * grid[1])


def _hide(mask: Array, count: int, rng: np.random.Generator) -> None:
    """Make exactly so many places of a mask (rows, columns) True, in blocks.

    A block has at most the area that is still missing, so the last ones are small (ours).
    """
    rows, columns = mask.shape
    while missing := count - np.count_nonzero(mask):
        area = rng.uniform(1, missing)
        aspect = math.exp(rng.uniform(math.log(ASPECT[0]), math.log(ASPECT[1])))
        height = min(rows, max(1, round(math.sqrt(area * aspect))))
        width = min(columns, max(1, round(math.sqrt(area / aspect))))
        top, left = rng.integers(rows - height + 1), rng.integers(columns - width + 1)
        block = mask[top : top + height, left : left + width]
        if np.count_nonzero(~block) <= missing:
            block[:] = True


@torch.no_grad()
def standardise_patches(model: FaceModel, images: Array) -> None:
    """Let the second head take mean and deviation from the film's tokens, as crops give them.

    `images` (crops, size, size, 3) are uint8 RGB, at least one; up to `SAMPLE` of them are looked
    at, spread evenly. Changes nothing where the model has no second head.
    """
    if model.patch_head:
        chosen = np.linspace(0, len(images) - 1, min(len(images), SAMPLE)).round().astype(int)
        _, tokens = model.tokens(torch.tensor(images[chosen], device=model.device))
        model.patch_head.standardise(tokens)
