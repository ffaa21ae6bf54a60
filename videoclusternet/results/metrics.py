"""How well a clustering agrees with the truth, counted in tracks.

Unknown tracks (label -1) are judged as what they are for the user: each a person of its own. So
they cost B-cubed recall, F1 and NMI. Like any singleton they are pure, hence `unknown` stands
beside `wcp`: a method could win purity by giving up. They are not counted as predicted people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from videoclusternet.records import Array, Tracks
from videoclusternet.results.truth import Truth, name_tracks


@dataclass(frozen=True)
class Scores:
    """The measures of one clustering, each 0 where nothing was scored."""

    wcp: float  # weighted cluster purity: the part of the tracks in their cluster's majority
    bcubed_precision: float
    bcubed_recall: float
    bcubed_f1: float
    nmi: float  # normalised by the arithmetic mean of the two entropies
    predicted: int  # clusters among the scored tracks, Unknown left out
    true: int  # names among the scored tracks, Unknown or not
    ratio: float  # predicted / true
    tracks_scored: int  # tracks that have a true name
    unknown: int  # of these, how many are Unknown
    truth_tracks_missed: int = 0  # true tracks that no track overlaps


def score(labels: Array, names: Sequence[str | None]) -> Scores:
    """Compare predicted labels with true names, one of each per track.

    Tracks named None are not scored. B-cubed after Bagga and Baldwin (1998), with F1 of the mean
    precision and recall; NMI of two partitions into one part each is 1. Raises ValueError where
    the two differ in length.
    """
    if len(labels) != len(names):
        raise ValueError(f"there are {len(labels)} labels for {len(names)} names")
    scored = np.array([name is not None for name in names], bool)
    predicted = np.array(labels, np.int64)[scored]
    if not len(predicted):
        return Scores(0.0, 0.0, 0.0, 0.0, 0.0, 0, 0, 0.0, 0, 0)
    unknown = predicted < 0
    people = len(np.unique(predicted[~unknown]))
    predicted[unknown] = -1 - np.arange(np.count_nonzero(unknown))
    table = _contingency(predicted, np.array([name for name in names if name is not None]))
    n = table.sum()
    precision = float((table**2 / table.sum(axis=1, keepdims=True)).sum() / n)
    recall = float((table**2 / table.sum(axis=0, keepdims=True)).sum() / n)
    return Scores(
        wcp=float(table.max(axis=1).sum() / n),
        bcubed_precision=precision,
        bcubed_recall=recall,
        bcubed_f1=2 * precision * recall / (precision + recall),
        nmi=_normalised_mutual_information(table),
        predicted=people,
        true=table.shape[1],
        ratio=people / table.shape[1],
        tracks_scored=len(predicted),
        unknown=int(np.count_nonzero(unknown)),
    )


def evaluate(tracks: Tracks, labels: Array, truth: Truth) -> Scores:
    """Name the tracks by the truth and score the labels that they were given."""
    found = name_tracks(tracks, truth)
    return replace(score(labels, found.names), truth_tracks_missed=found.missed)


def _contingency(labels: Array, names: Array) -> Array:
    """Count the tracks of each label (rows) and name (columns)."""
    rows, row = np.unique(labels, return_inverse=True)
    columns, column = np.unique(names, return_inverse=True)
    table = np.zeros((len(rows), len(columns)))
    np.add.at(table, (row, column), 1)
    return table


def _normalised_mutual_information(table: Array) -> float:
    joint = table / table.sum()
    rows, columns = joint.sum(axis=1), joint.sum(axis=0)
    normaliser = (_entropy(rows) + _entropy(columns)) / 2
    if normaliser == 0:
        return 1.0
    return (_entropy(rows) + _entropy(columns) - _entropy(joint)) / normaliser


def _entropy(shares: Array) -> float:
    positive = shares[shares > 0]
    return -float(np.sum(positive * np.log(positive)))
