"""Which tracks are somebody at all: those that the network can recognise."""

from __future__ import annotations

import numpy as np

from videoclusternet.records import Array, Mask

MAD_TO_DEVIATION = 1.4826  # of a normal distribution
LEAST_TRACKS = 8  # fewer have no spread worth speaking of, and none is left out; ours


def recognisable(quality: Array, deviations: float) -> Mask:
    """Return which tracks are good enough to be somebody, (tracks,).

    One-sided: a track is left out when it lies more than so many robust standard deviations (by the
    median absolute deviation) below the median (paper), or when it has no crop. With a handful of
    tracks, or tracks that are all alike, nobody is left out.
    """
    present = np.isfinite(quality)
    if np.count_nonzero(present) < LEAST_TRACKS:
        return present
    median = np.median(quality[present])
    spread = MAD_TO_DEVIATION * np.median(np.abs(quality[present] - median))
    with np.errstate(invalid="ignore"):
        return present & ((quality >= median - deviations * spread) | (spread == 0))
