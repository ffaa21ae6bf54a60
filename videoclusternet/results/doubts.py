"""What is worth a look about a person, for people and for programs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from videoclusternet.records import SAME_TIME, TWO_GROUPS, Clusters, told

REASONS = {SAME_TIME: "same time", TWO_GROUPS: "two groups"}


@dataclass(frozen=True)
class Doubt:
    """Two parts of one person that may be two people, and why it looks so."""

    reason: str  # of REASONS
    left: tuple[int, ...]  # tracks
    right: tuple[int, ...]
    loss: float  # between the two
    limit: float | None  # the larger one of the two's own; None where neither has any


def doubts_by_label(clusters: Clusters) -> dict[int, tuple[Doubt, ...]]:
    """Return the doubts about each person that has any, two groups first."""
    found: dict[int, tuple[Doubt, ...]] = {}
    for left, right, reason, loss, limit in zip(
        clusters.doubt_left.tolist(), clusters.doubt_right.tolist(),
        clusters.doubt_reason.tolist(), clusters.doubt_loss.tolist(),
        clusters.doubt_limit.tolist(), strict=True,
    ):  # fmt: skip
        first, second = (
            tuple(np.flatnonzero(clusters.part == one).tolist()) if reason == TWO_GROUPS else (one,)
            for one in (left, right)
        )
        doubt = Doubt(REASONS[reason], first, second, loss, told(limit))
        label = int(clusters.label[left])
        found[label] = (*found.get(label, ()), doubt)
    return found


def doubt_to_json(doubt: Doubt) -> dict[str, Any]:
    """Return a doubt as `people.json` holds it; losses are rounded to six decimals."""
    return {
        "reason": doubt.reason,
        "left": list(doubt.left),
        "right": list(doubt.right),
        "loss": round(doubt.loss, 6),
        "limit": None if doubt.limit is None else round(doubt.limit, 6),
    }


def doubt_from_json(values: Mapping[str, Any]) -> Doubt:
    """Read what `doubt_to_json` returned. Raises KeyError, TypeError or ValueError for else."""
    return Doubt(
        reason=str(values["reason"]),
        left=tuple(int(track) for track in values["left"]),
        right=tuple(int(track) for track in values["right"]),
        loss=float(values["loss"]),
        limit=None if values["limit"] is None else float(values["limit"]),
    )
