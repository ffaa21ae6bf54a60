"""The true time of every frame, from time stamps that may be missing or contradict each other."""

from __future__ import annotations

import math

JUMP = 0.25  # seconds back from which stamps mean a new segment, and are not jitter


class Clock:
    """Turns the time stamps of a container into strictly ascending seconds from 0.

    Presentation stamps count, unless they contradicted the order of display more often than the
    decoding stamps did (an AVI stores no others; the rule is FFmpeg's `guess_correct_pts`). A frame
    without a stamp follows the one before by that one's duration. Stamps that fall back by more
    than `JUMP` start a new segment, which follows on likewise. Stamps that fall back less are
    jitter: the frame is put half a duration on, so that later ones can be right again.
    """

    def __init__(self, duration: float) -> None:
        """Start before the first frame; `duration` in seconds serves where frames tell none."""
        self._duration = duration
        self._now = -math.inf
        self._shift: float | None = None
        self._last = [-math.inf, -math.inf]
        self._faults = [0, 0]

    def tell(
        self, presentation: float | None, decoding: float | None, duration: float | None
    ) -> float:
        """Return the time of the next frame in the order of display; all in seconds."""
        for kind, stamp in enumerate((presentation, decoding)):
            if stamp is not None:
                self._faults[kind] += stamp <= self._last[kind]
                self._last[kind] = stamp
        shown, decoded = self._faults
        stamp = decoding if decoded < shown and self._last[1] > -math.inf else presentation
        seconds = self._place(stamp)
        self._now = max(seconds, math.nextafter(self._now, math.inf))
        self._duration = duration or self._duration
        return self._now

    def _place(self, stamp: float | None) -> float:
        following = max(0.0, self._now + self._duration)
        if stamp is None:
            return following
        if self._shift is None or stamp + self._shift < self._now - JUMP:
            self._shift = following - stamp
        seconds = stamp + self._shift
        return seconds if seconds > self._now else self._now + self._duration / 2
