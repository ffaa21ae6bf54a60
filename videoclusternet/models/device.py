"""What the network computes on: the device, the threads, and whether its memory is enough."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from videoclusternet.config import Device
from videoclusternet.errors import ResourceError, UsageError


def resolve_device(device: Device) -> str:
    """Return "cuda" or "cpu"; "auto" takes the first where there is one.

    Raises UsageError where "cuda" is asked for and there is none.
    """
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        raise UsageError("There is no usable CUDA device here: use --device cpu.")
    return device


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Have torch compute with so many threads for a while."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextmanager
def enough_memory() -> Iterator[None]:
    """Raise ResourceError where torch finds no memory on the device."""
    try:
        yield
    except RuntimeError as error:
        if isinstance(error, torch.OutOfMemoryError):
            raise ResourceError(
                "The memory of the CUDA device is too small for this: use --device cpu."
            ) from error
        if "can't allocate memory" in str(error):  # of the processor: torch has no class for it
            raise ResourceError("There is not enough memory for this film and settings.") from error
        raise
