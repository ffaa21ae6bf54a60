"""What a command of ours did, as tests look at it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple


class Outcome(NamedTuple):
    code: int
    out: str
    err: str


Vcn = Callable[..., Outcome]
