"""What the network computes on: the device, and how many threads."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch

from videoclusternet.config import Device
from videoclusternet.errors import ResourceError, UsageError

# Quota and period in microseconds, of control groups v2 and v1 as a container sees its own.
QUOTAS = (
    ("/sys/fs/cgroup/cpu.max",),
    ("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "/sys/fs/cgroup/cpu/cpu.cfs_period_us"),
)


def resolve_device(device: Device) -> str:
    """Return "cuda" or "cpu"; "auto" takes the first where there is one.

    Raises UsageError where "cuda" is asked for and there is none.
    """
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        raise UsageError("There is no usable CUDA device here: use --device cpu.")
    return device


def usable_threads() -> int:
    """Return how many processors this process may keep busy: affinity, quota, OMP_NUM_THREADS."""
    limits = [len(os.sched_getaffinity(0)), *_quotas()]
    asked = os.environ.get("OMP_NUM_THREADS", "")
    if asked.isdecimal():
        limits.append(int(asked))
    return max(1, min(limits))


def _quotas() -> Iterator[int]:
    for files in QUOTAS:
        if all(Path(file).is_file() for file in files):
            quota, period = " ".join(Path(file).read_text() for file in files).split()
            if quota not in ("max", "-1"):
                yield int(quota) // int(period)


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
