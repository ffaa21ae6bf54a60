"""How far a training is, kept in files, so that who is interrupted goes on from there.

A training that goes on ends in the same numbers as one that was never interrupted: all that its
next step depends on is kept, generators included. What belongs to another training is no use, so
each file names the one that it is of.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from videoclusternet.durable import aside, settle, writing

log = logging.getLogger(__name__)

State = dict[str, Any]


@dataclass(frozen=True)
class Kept:
    """Two states of one training: where its rounds began, and where the latest one ended."""

    start: Path
    latest: Path
    key: str  # of the training: what it is given

    def save(self, path: Path, state: State) -> None:
        """Keep a state in `start` or `latest`. Raises ResourceError where there is no room."""
        part = aside(path)
        with writing(part):
            torch.save({"key": self.key, "state": state}, part)
        settle([part])

    def load(self) -> tuple[State, State] | None:
        """Return the state where the rounds began, and the latest; None where there is none."""
        start = self._read(self.start)
        return None if start is None else (start, self._read(self.latest) or start)

    def _read(self, path: Path) -> State | None:
        if not path.exists():
            return None
        try:
            kept = torch.load(path, map_location="cpu", weights_only=True)
            return kept["state"] if kept["key"] == self.key else None
        except Exception:  # torch has no end of errors for a damaged file
            log.warning("%s is damaged: the training begins anew.", path)
            return None


def generator_state(rng: np.random.Generator) -> State:
    """Return what a generator's next numbers depend on, as plain numbers."""
    state = rng.bit_generator.state
    inner = {name: hex(value) for name, value in state["state"].items()}  # 128 bits each
    return {"inner": inner, "has": state["has_uint32"], "half": state["uinteger"]}


def set_generator(rng: np.random.Generator, state: State) -> None:
    """Put a generator back to a state."""
    inner = {name: int(value, 16) for name, value in state["inner"].items()}
    rng.bit_generator.state = {
        "bit_generator": "PCG64", "state": inner, "has_uint32": state["has"],
        "uinteger": state["half"],
    }  # fmt: skip
