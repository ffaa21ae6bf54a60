"""The guard against collapse: see it, and be able to go back.

With positives only, nothing but the centre and the teacher's slowness keeps all faces from getting
one and the same answer. When that happens, what the outputs tell about their input falls to nothing
(`models.loss.information`), or the loss stops being a number. Ours: nothing is published.
"""

from __future__ import annotations

import copy
import math

import torch
from torch import nn

LEAST = 0.1  # of the best information so far; sound training stays far above, collapse falls below


class CollapseError(Exception):
    """Training lost what the network knew; the text says how it showed."""


class Watch:
    """Remembers the most that the outputs have told, and objects when it is lost."""

    def __init__(self) -> None:
        self.best = 0.0

    def look(self, loss: float, information: float, people: int) -> None:
        """Raise CollapseError where a step shows collapse.

        Where all tracks were matched to one person, one answer for all is right, and only the
        numbers themselves are checked.
        """
        if not (math.isfinite(loss) and math.isfinite(information)):
            raise CollapseError("the loss was no longer a number")
        self.best = max(self.best, information)
        if people > 1 and information < LEAST * self.best:
            raise CollapseError("all faces began to get the same answer")


class Snapshot:
    """The state of networks and optimiser at one moment, to go back to."""

    def __init__(self, optimiser: torch.optim.Optimizer, *networks: nn.Module) -> None:
        self.optimiser, self.networks = optimiser, networks
        self.rates, self.states = copy.deepcopy(
            (optimiser.state_dict(), [network.state_dict() for network in networks])
        )

    def restore(self) -> None:
        """Put everything back as it was."""
        self.optimiser.load_state_dict(copy.deepcopy(self.rates))
        for network, state in zip(self.networks, self.states, strict=True):
            network.load_state_dict(state)
