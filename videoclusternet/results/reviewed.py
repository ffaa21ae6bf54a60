"""The clusters as they are after a person went over them."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np

from videoclusternet.records import UNKNOWN, Array, Clusters
from videoclusternet.said import Verdict


def reviewed(clusters: Clusters, verdict: Verdict) -> tuple[Clusters, Array]:
    """Return the clusters that a verdict makes of these, and the row of the verdict of each label.

    Who has exactly the tracks of a cluster keeps what was found out about it. Of all others the
    limit, losses and confidence are NaN and nothing is in doubt: they were of other groups. Merges
    stay that lie inside one person. Raises ValueError where they are not of the same tracks.
    """
    if len(clusters) != len(verdict):
        raise ValueError(f"{len(clusters)} labels and {len(verdict)} verdicts")
    known = verdict.person >= 0
    people, lowest = np.unique(verdict.person[known], return_index=True)
    order = np.argsort(lowest)  # labels are numbered by lowest track, people as they came
    label = np.full(len(clusters), UNKNOWN)
    label[known] = np.argsort(order)[np.searchsorted(people, verdict.person[known])]
    before = _as_before(clusters.label, label, len(people))
    kept = np.append(before >= 0, False)[label]  # of Unknown, the last, nothing is
    after = np.full(len(clusters.limit) + 1, -1)
    after[before[before >= 0]] = np.flatnonzero(before >= 0)
    nan = np.float32(np.nan)
    own = {
        name: np.where(kept, getattr(clusters, name), nan)
        for name in ("own_loss", "other_loss", "confidence")
    }
    of_people = {
        name: np.where(before >= 0, np.append(getattr(clusters, name), nan)[before], nan)
        for name in ("limit", "person_confidence")
    }
    first = np.full(len(people) + 1, -1)
    first[:-1] = np.flatnonzero(known)[lowest[order]]
    doubts = kept[clusters.doubt_left] & kept[clusters.doubt_right]
    merges = (label[clusters.left] == label[clusters.right]) & (label[clusters.left] >= 0)
    tables = {
        f.name: getattr(clusters, f.name)[rows]
        for table, rows in (("merges", merges), ("doubts", doubts))
        for f in fields(clusters)
        if f.metadata["table"] == table
    }
    found = replace(
        clusters, label=label, other=np.where(kept, after[clusters.other], -1),
        part=np.where(kept, clusters.part, first[label]), **own, **of_people, **tables,
    )  # fmt: skip
    return found, np.searchsorted(verdict.number, people[order])


def _as_before(old: Array, new: Array, people: int) -> Array:
    """Return the cluster that has exactly the tracks of each person, (people,), -1 for none."""
    before = np.full(people, -1)
    sizes = np.bincount(old[old >= 0], minlength=1)
    for person in range(people):
        labels = np.unique(old[new == person])
        if len(labels) == 1 and labels[0] >= 0 and sizes[labels[0]] == np.sum(new == person):
            before[person] = labels[0]
    return before
