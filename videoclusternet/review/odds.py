"""How likely two groups of tracks are one person, by where the loss between them lies."""

from __future__ import annotations

import numpy as np
from scipy.special import expit

from videoclusternet.clustering.confidence import Margins, track_confidence

JOINED, APART = (18.9, 0.10), (4.2, -0.06)
"""Slope and middle of the logistic from where a loss lies to how likely it is of one person: where
the program joined the two, and where it did not.

The second is fitted to 1,968 pairs in 48 runs of sixteen films whose people are known, by average
linkage (2026-12-01); the first to runs of rules with limits, for a film's threshold has nothing
beyond it that it would join (docs/review.md).
"""
ALONE = 0.5  # the margin of who has nobody beside them to be compared with


def as_joined(loss: float, limit: float, stranger: float, nearest: float) -> float:
    """Return how likely two groups are one person that the film joins.

    `limit` is the larger one of theirs, `stranger` the loss that usually lies between people, and
    `nearest` that of the smaller group to the nearest other person; NaN where there are no others.
    Nobody is likelier than at the limit, where the program would have joined anybody.
    """
    margin = Margins(np.array([loss]), np.array([nearest]), np.full(1, -1)).margin
    confidence = float(track_confidence(np.where(np.isnan(margin), ALONE, margin))[0])
    beyond = max(0.0, _place(loss, limit, stranger))
    return confidence * _logistic(beyond, *JOINED) / _logistic(0.0, *JOINED)


def as_apart(loss: float, limit: float, stranger: float) -> float:
    """Return how likely two groups are one person that the film leaves apart, as `as_joined`."""
    return _logistic(_place(loss, limit, stranger), *APART)


def _place(loss: float, limit: float, stranger: float) -> float:
    room = stranger - limit
    return (loss - limit) / room if np.isfinite(room) and room > 0 else 0.0


def _logistic(place: float, slope: float, middle: float) -> float:
    return float(expit(-slope * (place - middle)))
