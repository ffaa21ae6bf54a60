"""Processors and processes: how many there are for this one, and what another one of ours needs."""

from __future__ import annotations

import os
import select
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

# Quota and period in microseconds, of control groups v2 and v1 as a container sees its own.
QUOTAS = (
    ("/sys/fs/cgroup/cpu.max",),
    ("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "/sys/fs/cgroup/cpu/cpu.cfs_period_us"),
)


def usable_threads() -> int:
    """Return how many processors this process may keep busy: the least of its limits."""
    return max(1, min(thread_limits().values()))


def thread_limits() -> dict[str, int]:
    """Return what bounds the threads of this process, by name: affinity always, others if set."""
    limits = {"affinity": len(os.sched_getaffinity(0))}
    quotas = list(_quotas())
    if quotas:
        limits["quota"] = min(quotas)
    asked = os.environ.get("OMP_NUM_THREADS", "")
    if asked.isdecimal():
        limits["OMP_NUM_THREADS"] = int(asked)
    return limits


def _quotas() -> Iterator[int]:
    for files in QUOTAS:
        if all(Path(file).is_file() for file in files):
            quota, period = " ".join(Path(file).read_text() for file in files).split()
            if quota not in ("max", "-1"):
                yield int(quota) // int(period)


def environment(**changes: str) -> dict[str, str]:
    """Return the environment in which a Python process of ours finds the same packages as this."""
    return os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))} | changes


def leave_with_parent() -> None:
    """End this process when nobody holds the other end of its standard input any more.

    Even while the main thread is inside of a library that hangs.
    """
    threading.Thread(target=_wait_for_hang_up, daemon=True).start()


def _wait_for_hang_up() -> None:
    gone = select.poll()
    gone.register(0, 0)  # hang-ups are told unasked
    gone.poll()
    os._exit(0)
