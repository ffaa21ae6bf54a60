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
from videoclusternet.clustering.group import group_tracks, links_among
from videoclusternet.clustering.known import recognisable
from videoclusternet.clustering.merge import Merge
from videoclusternet.config import ClusterConfig
from videoclusternet.records import Array, Clusters, Links, Signatures, Tracks
from videoclusternet.said import Said, numbered

MERGES = ("round", "left", "right", "loss", "left_limit", "right_limit")
DOUBTS = ("doubt_left", "doubt_right", "doubt_reason", "doubt_loss", "doubt_limit")


def cluster_tracks(
    signatures: Signatures,
    tracks: Tracks,
    config: ClusterConfig,
    links: Links | None = None,
    said: Said | None = None,
) -> Clusters:
    """Return who is who among tracks, by what the network makes of them and what the film shows.

    What a person said holds: whom it makes one person starts as one cluster, whoever is told apart
    never becomes one, nobody stays nobody, and a track that is somebody's is known whatever its
    quality. Camera set-ups that return and faces seen in one picture are obeyed next
    (`clustering.constraints`).

    Tracks without a crop are Unknown (-1). With average linkage a track none of whose faces passed
    the filters joins whom it is like, and no person is made of such tracks alone. With all other
    rules those tracks are Unknown, and so are those that the network cannot recognise (paper).

    Args:
        signatures: what the network makes of each track.
        tracks: where and when each was seen.
        config: the rule, and which quality is too low.
        links: what the film shows of who is who, which rules of average linkage obey.
        said: what a person said.

    Raises:
        ValueError: signatures and tracks are not of one film.
    """
    if tracks.count != len(signatures):
        raise ValueError(f"{tracks.count} tracks have {len(signatures)} signatures")
    said = Said.nothing(tracks.count) if said is None else said
    quality = signatures.quality
    rule = RULES[config.rule]
    if links is None or not rule.average:  # the published rule has no evidence but likeness
        links = Links.empty()
    seen = np.bincount(tracks.track, tracks.usable, tracks.count) > 0
    solid = seen | (said.group >= 0)
    # By average linkage a low quality tells nothing (docs/choices.md), but no number is no face.
    good = np.isfinite(quality) & np.isfinite(signatures.mean_p).all(axis=1)
    if not rule.average:
        good = (recognisable(quality, config.quality_deviations) & seen) | (said.group >= 0)
    known = np.flatnonzero(good & ~said.nobody & (signatures.count > 0))
    sides = Sides.of(signatures, known)
    usual = float(signatures.usual[0]) if len(signatures.usual) else None
    found = group_tracks(
        sides, rule, said.among(known), links_among(links, known), solid[known], usual
    )
    founded = np.bincount(found.label, solid[known], len(found.limit)) > 0
    stay = founded[found.label]
    if not stay.any():
        return _nobody(quality)
    history = [merge.among(known) for merge in found.history if stay[merge.left]]
    known, sides, label = known[stay], sides.select(stay), numbered(found.label[stay])
    limit = found.limit[founded]
    margins = track_margins(sides, label, limit)
    doubts, part = find_doubts(sides, label, tracks.spans[known], found.threshold)
    clusters = _written(known, quality, label, limit, history, margins, sides.count, doubts, part)
    threshold = [] if found.threshold is None else [found.threshold]
    return replace(clusters, threshold=np.array(threshold, np.float32))


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

    `quality` and the history alone are of all, `known` are their numbers. `crops` are how many each
    known track has.
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
    merges = _columns(MERGES, [astuple(merge) for merge in history])
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
