"""The teacher: a copy of the student that follows it slowly and is never trained itself."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence

import torch
from torch import Tensor

from videoclusternet.models.face_model import FaceModel

CENTRE_MOMENTUM = 0.9  # of the running mean of teacher outputs (DINO's value)


class Teacher:
    """An exponential moving average of the student, and the centre of its own outputs (paper)."""

    def __init__(self, student: FaceModel) -> None:
        self.student = student.eval()  # both: statistics of batch normalisation stay as they came
        self.model = copy.deepcopy(student).requires_grad_(False)
        self._buffers = list(zip(self.model.buffers(), student.buffers(), strict=True))

    @torch.no_grad()
    def follow(self, trained: Sequence[tuple[Tensor, Tensor]], momentum: float) -> None:
        """Move parameters by (1 - momentum) towards the student's; copy all of its buffers.

        `trained` are the teacher's and the student's of what is trained: all else is the same.
        Buffers (the film's mean and deviation, statistics of frozen batch normalisation) are no
        parameters and are not averaged: both copies must hold the same.
        """
        for mine, other in trained:
            mine.lerp_(other, 1 - momentum)
        for copied, buffer in self._buffers:
            copied.copy_(buffer)

    @torch.no_grad()
    def recentre(self, outputs: Tensor) -> None:
        """Move the centre towards the mean of a batch of teacher outputs (n, k)."""
        self.student.centre.lerp_(outputs.mean(0), 1 - CENTRE_MOMENTUM)


def momentum_at(step: int, steps: int, start: float) -> float:
    """Return the teacher's momentum: from `start` to 1 along half a cosine (DINO's schedule)."""
    return 1 - (1 - start) * (math.cos(math.pi * step / steps) + 1) / 2
