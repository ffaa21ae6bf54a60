"""What was found among the known tracks, written as columns for all tracks of the film."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, replace
from typing import TYPE_CHECKING

import numpy as np

from videoclusternet.clustering.confidence import Margins, person_confidence, track_confidence
from videoclusternet.clustering.doubts import Doubt
from videoclusternet.records import Array, Clusters

if TYPE_CHECKING:
    from videoclusternet.clustering.merge import Merge

MERGES = ("round", "left", "right", "loss", "left_limit", "right_limit")
DOUBTS = ("doubt_left", "doubt_right", "doubt_reason", "doubt_loss", "doubt_limit")


def nobody(quality: Array) -> Clusters:
    """Return the record of tracks that are all Unknown, of this quality (tracks,)."""
    nan, none = np.full(len(quality), np.nan, np.float32), np.full(len(quality), -1)
    return replace(
        Clusters.empty(), label=none, quality=quality.astype(np.float32), own_loss=nan,
        other_loss=nan, other=none, confidence=nan, part=none,
    )  # fmt: skip


def written(
    known: Array,
    quality: Array,
    label: Array,
    limit: Array,
    history: Sequence[Merge],
    margins: Margins,
    crops: Array,
    doubts: Sequence[Doubt],
    part: Array,
) -> Clusters:
    """Return the record of all tracks; what is given of tracks is of the known ones.

    `quality` alone is of all, `known` are their numbers. `crops` are how many each known track has.
    """
    everyone = nobody(quality)
    confidence = track_confidence(margins.margin)
    found = {
        "label": label,
        "own_loss": margins.own,
        "other_loss": margins.other,
        "other": margins.nearest,
        "confidence": confidence,
        "part": known[part],
    }
    columns = {name: _spread(getattr(everyone, name), known, x) for name, x in found.items()}
    merges = _columns(MERGES, [astuple(merge.among(known)) for merge in history])
    in_doubt = _columns(DOUBTS, [astuple(doubt.among(known)) for doubt in doubts])
    people = {
        "limit": limit.astype(np.float32),
        "person_confidence": person_confidence(label, confidence, crops).astype(np.float32),
    }
    return replace(everyone, **columns, **people, **merges, **in_doubt)


def _spread(everyone: Array, known: Array, values: Array) -> Array:
    """Return a column of all tracks with these values at the known ones."""
    column = everyone.copy()
    column[known] = values
    return column


def _columns(names: Sequence[str], rows: Sequence[tuple[float, ...]]) -> dict[str, Array]:
    """Return rows as columns of the types that the record has for them."""
    types = Clusters.empty()
    table = np.array(rows, np.float64).reshape(-1, len(names)).T
    return {
        name: values.astype(getattr(types, name).dtype)
        for name, values in zip(names, table, strict=True)
    }
