"""The results file: what was measured, with what and on which machine."""

from __future__ import annotations

import json
import math
import os
import platform
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import videoclusternet as vcn
from videoclusternet.config import by_name

LIBRARIES = ("numpy", "onnxruntime", "torch")


@dataclass(frozen=True)
class Goal:
    """The values that are good enough, both ends included."""

    least: float = -math.inf
    most: float = math.inf

    def __str__(self) -> str:
        if self.least == self.most:
            return f"{self.least:g}"
        if self.most == math.inf:
            return f"at least {self.least:g}"
        if self.least == -math.inf:
            return f"at most {self.most:g}"
        return f"{self.least:g} to {self.most:g}"


@dataclass(frozen=True)
class Row:
    """One measured number."""

    name: str
    value: float
    unit: str
    goal: str | None = None
    holds: bool | None = None

    @classmethod
    def of(cls, name: str, value: float, unit: str, goal: Goal | None = None) -> Row:
        """Judge a value as it is, and round it for the reader."""
        holds = None if goal is None else goal.least <= value <= goal.most
        return cls(name, round(value, 4), unit, None if goal is None else str(goal), holds)

    @property
    def verdict(self) -> str:
        """Say whether the goal holds; nothing where there is none."""
        return "" if self.holds is None else "holds" if self.holds else "fails"


def header(preset: str, changes: Sequence[str], seeds: Sequence[int]) -> dict[str, Any]:
    """Return what stands above the rows. Raises UsageError for settings that do not exist."""
    # The seeds stand by themselves: a preset's own seed is overridden, and no difference.
    resolved = by_name(vcn.load_config(preset, [*changes, "seed=0"]))
    defaults = by_name(vcn.Config())
    return {
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": {
            "videoclusternet": vcn.__version__,
            "python": platform.python_version(),
            **{library: metadata.version(library) for library in LIBRARIES},
        },
        "preset": Path(preset).name,
        "settings": {name: value for name, value in resolved.items() if value != defaults[name]},
        "seeds": list(seeds),
        "machine": machine(),
    }


def machine() -> dict[str, Any]:
    """Describe the machine, and how busy it is now."""
    facts = _cpu_facts()
    return {
        "processor": facts.get("model name", platform.machine()),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "amx": "amx_tile" in facts.get("flags", "").split(),
        "load_average": [round(load, 2) for load in os.getloadavg()],
    }


def _cpu_facts() -> dict[str, str]:
    """Return what Linux says of the first core."""
    first, _, _ = Path("/proc/cpuinfo").read_text(encoding="utf-8").partition("\n\n")
    pairs = (line.partition(":") for line in first.splitlines())
    return {name.strip(): value.strip() for name, _, value in pairs}


def write_results(path: Path, head: dict[str, Any], rows: Sequence[Row]) -> None:
    """Write the file as a whole or not at all: a long benchmark may be stopped at any time."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    text = json.dumps(head | {"rows": [asdict(row) for row in rows]}, indent=1)
    part.write_text(text + "\n", encoding="utf-8")
    part.replace(path)
