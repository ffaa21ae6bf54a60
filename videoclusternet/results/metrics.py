"""How well a clustering agrees with the truth, counted in tracks or in their frames.

Unknown tracks (label -1) are judged as what they are for the user: each a person of its own. So
they cost recall, F1, NMI and the Rand index. Like any singleton they are pure, hence `unknown`
stands beside `wcp`: a method could win purity by giving up. They are not counted as predicted
people. All measures come from one table of counts.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np

from videoclusternet.records import Array, Tracks
from videoclusternet.results.truth import Truth, name_tracks

Level = Literal["track", "frame"]
"""What counts as one: a track, or each frame from a track's first to its last."""


@dataclass(frozen=True)
class Scores:
    """The measures of one clustering, each 0 where nothing was scored."""

    wcp: float  # weighted cluster purity: the part of the tracks in their cluster's majority
    bcubed_precision: float  # Bagga and Baldwin 1998
    bcubed_recall: float
    bcubed_f1: float  # of the mean precision and recall
    nmi: float  # normalised by the arithmetic mean of the two entropies
    nmi_geometric: float  # by their geometric mean (Strehl and Ghosh 2002)
    ari: float  # adjusted Rand index (Hubert and Arabie 1985)
    pairwise_precision: float  # pairs of one person among pairs of one cluster, 1 without any
    pairwise_recall: float  # pairs of one cluster among pairs of one person, 1 without any
    pairwise_f1: float
    predicted: int  # clusters among the scored tracks, Unknown left out
    true: int  # names among the scored tracks, Unknown or not
    ratio: float  # predicted / true
    tracks_scored: int  # tracks that have a true name
    unknown: int  # of these, how many are Unknown
    truth_tracks_missed: int = 0  # true tracks that no track overlaps


def score(labels: Array, names: Sequence[str | None], weights: Array | None = None) -> Scores:
    """Compare predicted labels with true names, one of each per track.

    Tracks named None are not scored. A track counts as often as `weights` says, int (tracks,), at
    least once, and once without them; an Unknown track of several is one cluster of so many.
    `tracks_scored` and `unknown` count tracks in any case. Two partitions into one part each agree
    fully. Raises ValueError where the lengths differ.
    """
    if len(labels) != len(names):
        raise ValueError(f"there are {len(labels)} labels for {len(names)} names")
    counts = np.ones(len(labels)) if weights is None else weights
    if len(counts) != len(labels):
        raise ValueError(f"there are {len(labels)} labels for {len(counts)} weights")
    scored = np.array([name is not None for name in names], bool)
    predicted = labels[scored]
    if not len(predicted):
        return Scores(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0, 0, 0.0, 0, 0)
    unknown = predicted < 0
    people = len(np.unique(predicted[~unknown]))
    predicted[unknown] = -1 - np.arange(np.count_nonzero(unknown))
    true = np.array([name for name in names if name is not None])
    table = _contingency(predicted, true, counts[scored])
    n = table.sum()
    precision = float((table**2 / table.sum(axis=1, keepdims=True)).sum() / n)
    recall = float((table**2 / table.sum(axis=0)).sum() / n)
    arithmetic, geometric = _normalised_mutual_information(table)
    pairs = _Pairs.of(table)
    return Scores(
        wcp=float(table.max(axis=1).sum() / n),
        bcubed_precision=precision,
        bcubed_recall=recall,
        bcubed_f1=2 * precision * recall / (precision + recall),
        nmi=arithmetic,
        nmi_geometric=geometric,
        ari=pairs.adjusted_rand_index(),
        pairwise_precision=pairs.both / pairs.joined if pairs.joined else 1.0,
        pairwise_recall=pairs.both / pairs.related if pairs.related else 1.0,
        pairwise_f1=pairs.f1(),
        predicted=people,
        true=table.shape[1],
        ratio=people / table.shape[1],
        tracks_scored=len(predicted),
        unknown=int(np.count_nonzero(unknown)),
    )


def pooled(films: Sequence[tuple[Array, Sequence[str | None]]]) -> Scores:
    """Return the scores of several films as of one: sums of counts, not a mean of means.

    Each film is its labels and names, as `score` takes them. Neither a label nor a name is the same
    in two films: whoever clusters films together scores them by `score`.
    """
    labels: list[Array] = [np.empty(0, np.int64)]
    names: list[str | None] = []
    for number, (label, named) in enumerate(films):
        first = 1 + max(part.max(initial=-1) for part in labels)
        labels.append(np.where(label < 0, -1, label + first))
        names += [None if name is None else f"{number} {name}" for name in named]
    return score(np.concatenate(labels), names)


def evaluate(tracks: Tracks, labels: Array, truth: Truth, level: Level = "track") -> Scores:
    """Name the tracks by the truth and score the labels that they were given."""
    found = name_tracks(tracks, truth)
    weights = None
    if level == "frame":
        first, last = tracks.spans.T
        weights = last - first + 1
    return replace(score(labels, found.names, weights), truth_tracks_missed=found.missed)


def _contingency(labels: Array, names: Array, weights: Array) -> Array:
    """Count what has each label (rows) and name (columns), float64."""
    rows, row = np.unique(labels, return_inverse=True)
    columns, column = np.unique(names, return_inverse=True)
    table = np.zeros((len(rows), len(columns)))
    np.add.at(table, (row, column), weights)
    return table


def _normalised_mutual_information(table: Array) -> tuple[float, float]:
    """Return it by the arithmetic and by the geometric mean of the entropies."""
    joint = table / table.sum()
    rows, columns = _entropy(joint.sum(axis=1)), _entropy(joint.sum(axis=0))
    if rows == columns == 0:
        return 1.0, 1.0
    mutual = rows + columns - _entropy(joint)
    geometric = (rows * columns) ** 0.5
    return mutual / ((rows + columns) / 2), mutual / geometric if geometric else 0.0


def _entropy(shares: Array) -> float:
    if shares.size == 1:
        return 0.0  # exactly, whatever rounding left of a share of one
    positive = shares[shares > 0]
    return -float(np.sum(positive * np.log(positive)))


class _Pairs(NamedTuple):
    """How many ordered pairs there are, and how many are together in this and in that."""

    all: float
    joined: float  # in one cluster
    related: float  # of one person
    both: float

    @classmethod
    def of(cls, table: Array) -> _Pairs:
        """Count the pairs of a table."""
        sums = table.sum(), table.sum(axis=1), table.sum(axis=0), table
        return cls(*(float((n * (n - 1)).sum()) for n in sums))

    def f1(self) -> float:
        """Return the harmonic mean of precision and recall; 1 where there are no pairs at all."""
        together = self.joined + self.related
        return 2 * self.both / together if together else 1.0

    def adjusted_rand_index(self) -> float:
        """Return what is agreed on beyond chance, 1 in full or where chance leaves nothing."""
        chance = self.joined * self.related / self.all if self.all else 0.0
        most = (self.joined + self.related) / 2
        return (self.both - chance) / (most - chance) if most != chance else 1.0
