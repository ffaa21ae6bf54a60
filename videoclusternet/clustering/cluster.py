"""Who is who: the known tracks are merged, judged and doubted, and all become one record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, replace

import numpy as np

from videoclusternet.clustering.confidence import (
    Margins,
    person_confidence,
    track_confidence,
    track_margins,
)
from videoclusternet.clustering.distance import RULES, Sides
from videoclusternet.clustering.doubts import Doubt, find_doubts
from videoclusternet.clustering.known import recognisable
from videoclusternet.clustering.merge import Merge, merge_tracks
from videoclusternet.config import ClusterConfig
from videoclusternet.records import Array, Clusters, Signatures, Tracks
from videoclusternet.said import Said

MERGES = ("round", "left", "right", "loss", "left_limit", "right_limit")
DOUBTS = ("doubt_left", "doubt_right", "doubt_reason", "doubt_loss", "doubt_limit")


def cluster_tracks(
    signatures: Signatures, tracks: Tracks, config: ClusterConfig, said: Said | None = None
) -> Clusters:
    """Return who is who among tracks, by what the network makes of them.

    Tracks without a crop, and those that the network cannot recognise, are Unknown (-1). What a
    person said holds: whom it makes one person starts as one cluster, whoever is told apart never
    becomes one, nobody stays nobody, and a track that is somebody's is known whatever its quality.
    When the tracks were seen decides nothing: it is only told where two tracks of one cluster are
    seen at one time. Raises ValueError where signatures and tracks are not of one film.
    """
    if tracks.count != len(signatures):
        raise ValueError(f"{tracks.count} tracks have {len(signatures)} signatures")
    said = Said.nothing(tracks.count) if said is None else said
    quality = signatures.quality
    good = recognisable(quality, config.quality_deviations) | (said.group >= 0)
    known = np.flatnonzero(good & ~said.nobody & (signatures.count > 0))
    if not len(known):
        return _nobody(quality)
    sides = Sides.of(signatures, known)
    label, limit, history = merge_tracks(sides, RULES[config.rule], said.among(known))
    margins = track_margins(sides, label, limit)
    doubts, part = find_doubts(sides, label, tracks.spans[known])
    return _written(known, quality, label, limit, history, margins, sides.count, doubts, part)


def _nobody(quality: Array) -> Clusters:
    """Return the record of tracks that are all Unknown, of this quality (tracks,)."""
    nan, none = np.full(len(quality), np.nan, np.float32), np.full(len(quality), -1)
    return replace(
        Clusters.empty(), label=none, quality=quality.astype(np.float32), own_loss=nan,
        other_loss=nan, other=none, confidence=nan, part=none,
    )  # fmt: skip


def _written(
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
    everyone = _nobody(quality)
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
