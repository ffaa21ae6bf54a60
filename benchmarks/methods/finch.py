"""FINCH: whoever is nearest to one another belongs together, and so on with the means of groups.

By its author's package, finch-clust. It gives ever coarser partitions and no rule to choose one.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from benchmarks.methods import ToldOf, TrackSet
from videoclusternet.records import Array


def group(tracks: TrackSet, told: ToldOf, seed: int) -> list[Array]:
    """Return partitions by number (a float), or into so many people (an int): see `Group`.

    People are merged from a partition that has more; where the first has fewer, it is returned.
    """
    if len(tracks) < 2:
        return [np.zeros(len(tracks), np.int64) for _ in told]
    labels, counts = _finch(tracks.means)
    found = []
    for wanted in told:
        if isinstance(wanted, int):
            fits = wanted < counts[0]
            found.append(_finch(tracks.means, wanted) if fits else labels[:, 0])
        else:
            found.append(labels[:, min(int(wanted or 0), len(counts) - 1)])
    return [one.astype(np.int64) for one in found]


def _finch(means: Array, people: int | None = None) -> Any:
    """Return the labels (n, partitions) and their counts, or the labels (n,) of so many people."""
    with warnings.catch_warnings():  # it warns of a package that it needs for many thousands only
        warnings.simplefilter("ignore")
        from finch import FINCH

        labels, counts, wanted = FINCH(means, req_clust=people, verbose=False)
    return (labels, counts) if people is None else wanted
