"""How many processors there are for this process: a container often has fewer than its machine."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

# Quota and period in microseconds, of control groups v2 and v1 as a container sees its own.
QUOTAS = (
    ("/sys/fs/cgroup/cpu.max",),
    ("/sys/fs/cgroup/cpu/cpu.cfs_quota_us", "/sys/fs/cgroup/cpu/cpu.cfs_period_us"),
)


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
