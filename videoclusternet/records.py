"""What the rooms hand to each other: frozen records of numpy columns, checked when made.

A record is one table or a few. All columns of a table have one row per item; the first table's
items are what `len()` counts and what `select()` slices. Boxes are `x1, y1, x2, y2` and landmarks
`x, y` (left eye, right eye, nose, left mouth corner, right mouth corner, as the viewer sees them),
all in pixels of the upright picture, whose origin is the outer corner of its top left pixel.
No record saves itself: `workspace` does that.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from videoclusternet.record import Array as Array
from videoclusternet.record import Mask as Mask
from videoclusternet.record import Progress as Progress
from videoclusternet.record import Record as Record
from videoclusternet.record import column as column
from videoclusternet.record import silent as silent
from videoclusternet.record import told as told


@dataclass(frozen=True, eq=False)
class Shots(Record):
    """The film cut into shots, and its clock.

    Frames are numbered from 0 in the order in which they are shown.
    """

    first: Array = column(np.int64)  # first frame of each shot
    stop: Array = column(np.int64)  # the frame after its last
    times: Array = column(np.float64, table="frames")  # seconds; one more than there are frames:
    # the last is the end of the film

    def check(self) -> None:
        if len(self.first) and (self.first[0] != 0 or self.stop[-1] != self.frames):
            raise ValueError("shots must cover the film")
        if np.any(self.first[1:] != self.stop[:-1]) or np.any(self.stop <= self.first):
            raise ValueError("shots must follow each other without gaps")

    @property
    def frames(self) -> int:
        """How many frames the film has."""
        return max(0, len(self.times) - 1)

    def of(self, frame: Array) -> Array:
        """Return the shot that each frame lies in."""
        return np.searchsorted(self.stop, frame, side="right")


@dataclass(frozen=True, eq=False)
class Faces(Record):
    """Every face that the detector found, with all that was measured while the pixels were at hand.

    The second table lists the frames that were looked at, faces or none, and how the camera moved,
    the third the camera set-ups that return (`scenes.setups`).
    """

    frame: Array = column(np.int64)  # ascending
    box: Array = column(np.float32, 4)
    landmarks: Array = column(np.float32, 5, 2)
    score: Array = column(np.float32)  # the detector's, 0 to 1
    sharpness: Array = column(np.float32)  # 0 (flat) upwards; see faces.detect.sharpness
    frontal: Array = column(np.float32)  # 1 straight into the camera, 0 a full profile
    exposure: Array = column(np.float32)  # 0 in black or in a flash, to 1
    usable: Array = column(np.bool_)  # False: may hold a track together, but gives no crop
    looked: Array = column(np.int64, table="looks")  # ascending frame numbers
    motion: Array = column(np.float32, 2, 3, table="looks")  # affine map from the look before
    # (identity at the first look of a shot)
    setup_left: Array = column(np.int64, table="setups")  # a frame, and one of a later shot that
    setup_right: Array = column(np.int64, table="setups")  # shows the same view
    setup_map: Array = column(np.float32, 2, 3, table="setups")  # affine map from left to right

    def check(self) -> None:
        if np.any(np.diff(self.frame) < 0) or np.any(np.diff(self.looked) <= 0):
            raise ValueError("faces and looks must be in the order of their frames")
        if np.any(self.setup_left >= self.setup_right):
            raise ValueError("a set-up must return in a later frame")


@dataclass(frozen=True, eq=False)
class Tracks(Record):
    """Faces followed through one shot each: one row for each look at each track.

    Tracks are numbered from 0 in the order of their first frame; rows are sorted by track, then
    frame.
    """

    track: Array = column(np.int64)
    frame: Array = column(np.int64)
    box: Array = column(np.float32, 4)
    landmarks: Array = column(np.float32, 5, 2)
    score: Array = column(np.float32)  # 0 where filled
    sharpness: Array = column(np.float32)
    frontal: Array = column(np.float32)
    exposure: Array = column(np.float32)
    usable: Array = column(np.bool_)
    filled: Array = column(np.bool_)  # True: interpolated between two detections

    def check(self) -> None:
        step = np.diff(self.track)
        if len(self) and (self.track[0] != 0 or np.any((step != 0) & (step != 1))):
            raise ValueError("tracks must be numbered from 0 without gaps, rows sorted by track")
        if np.any((step == 0) & (np.diff(self.frame) <= 0)):
            raise ValueError("the frames of a track must ascend")

    @property
    def count(self) -> int:
        """How many tracks there are."""
        return int(self.track[-1]) + 1 if len(self) else 0

    @property
    def starts(self) -> Array:
        """The first row of each track, and one past the last row of all: shape (count + 1,)."""
        return np.searchsorted(self.track, np.arange(self.count + 1))

    @property
    def spans(self) -> Array:
        """First and last frame of each track, shape (count, 2)."""
        starts = self.starts
        return np.stack([self.frame[starts[:-1]], self.frame[starts[1:] - 1]], axis=1)


THREAD = 0
"""A link: two tracks in one place of a camera set-up that returned are one person."""

FRAGMENT = 1
"""A link: two tracks of one shot, one after the other in one place, are likely one person."""

TOGETHER = 2
"""A link: two tracks seen in one picture, apart, are two people."""


@dataclass(frozen=True, eq=False)
class Links(Record):
    """What the film itself says of pairs of tracks: a row for each pair and reason."""

    left: Array = column(np.int64)  # the lower track of the two
    right: Array = column(np.int64)
    kind: Array = column(np.int64)  # THREAD, FRAGMENT or TOGETHER

    def check(self) -> None:
        if np.any(self.left >= self.right):
            raise ValueError("a link must go from a track to a higher one")
        if not np.all(np.isin(self.kind, [THREAD, FRAGMENT, TOGETHER])):
            raise ValueError("a link must be of a kind that is known")


@dataclass(frozen=True, eq=False)
class Crops(Record):
    """Upright, aligned pictures of faces: what the network sees of each track.

    Rows are sorted by track, then frame. The images may be a read-only memory map.
    """

    images: Array = column(np.uint8, None, None, 3)  # RGB, height and width as the backbone asks
    track: Array = column(np.int64)
    frame: Array = column(np.int64)
    sharpness: Array = column(np.float32)
    frontal: Array = column(np.float32)
    counts: Array = column(np.int64, table="tracks")  # crops of every track, 0 where it has none

    def check(self) -> None:
        if not np.array_equal(np.repeat(np.arange(len(self.counts)), self.counts), self.track):
            raise ValueError("the crops of each track must stand together and be counted")

    def select(self, rows: Array) -> Self:
        """Return the crops with only these rows, counted anew."""
        track = self.track[rows]
        counts = np.bincount(track, minlength=len(self.counts))
        return type(self)(
            self.images[rows], track, self.frame[rows], self.sharpness[rows], self.frontal[rows],
            counts,
        )  # fmt: skip


@dataclass(frozen=True, eq=False)
class Signatures(Record):
    """What the tuned network makes of each track: all that who is who is decided from.

    The sums are those of `clustering.distance.Sides`, held in half their precision: there is room
    for all tracks of a long film, and nothing of the network is needed to compare them.
    """

    quality: Array = column(np.float32)  # SER-FIQ of each track, NaN where it has no crop
    count: Array = column(np.int64)  # views of all crops, 0 where it has none
    p: Array = column(np.float32, None)  # sum of the teacher's side over these
    q: Array = column(np.float32, None)  # sum of the student's side
    own: Array = column(np.float64)  # sum of the products of both
    mean_p: Array = column(np.float32, None)  # the teacher's side of the track's mean output
    mean_q: Array = column(np.float32, None)
    usual: Array = column(np.float32, table="film")  # the distance between strangers that the
    # network has in other films; no row where nobody measured it


UNKNOWN = -1
"""The label of tracks that are nobody."""

SAID = -1
"""The round of merges that a person made."""

SHOWN = -2
"""The round of merges that the film itself shows: a camera set-up that returned."""

SAME_TIME = 1
"""A doubt: two tracks of one person share a frame."""

TWO_GROUPS = 2
"""A doubt: the tracks of one person fall into two groups that would not match."""


@dataclass(frozen=True, eq=False)
class Clusters(Record):
    """Who is who: a label for each track, and the history of merges that answers why.

    A cluster is called by its lowest track while it grows; in the end labels are numbered from 0
    in the order of those. An Unknown track is claimed to be nobody: its losses and its confidence
    are NaN, its other and its part -1.
    """

    label: Array = column(np.int64)  # of each track; -1 is Unknown
    quality: Array = column(np.float32)  # SER-FIQ of each track, NaN where it has no crop
    limit: Array = column(np.float32, table="people")  # the final threshold of each cluster
    round: Array = column(np.int64, table="merges")  # SAID where a person made it, or SHOWN
    left: Array = column(np.int64, table="merges")  # lowest track of the one cluster
    right: Array = column(np.int64, table="merges")  # and of the other
    loss: Array = column(np.float32, table="merges")  # between the two
    left_limit: Array = column(np.float32, table="merges")
    right_limit: Array = column(np.float32, table="merges")
    own_loss: Array = column(np.float32)  # of each track to the rest of its cluster; alone: limit
    other_loss: Array = column(np.float32)  # to the nearest other cluster, NaN if there is none
    other: Array = column(np.int64)  # the label of that cluster, -1 if there is none
    confidence: Array = column(np.float32)  # that the track is right, 0 to 1; NaN without another
    part: Array = column(
        np.int64
    )  # lowest track of its cluster, or of its half if that is in doubt
    person_confidence: Array = column(np.float32, table="people")  # share of the crops, 0 to 1
    doubt_left: Array = column(np.int64, table="doubts")  # lowest track of one part of a cluster
    doubt_right: Array = column(np.int64, table="doubts")  # and of the other
    doubt_reason: Array = column(np.int64, table="doubts")  # SAME_TIME or TWO_GROUPS
    doubt_loss: Array = column(np.float32, table="doubts")  # between the two
    doubt_limit: Array = column(np.float32, table="doubts")  # the larger one of the two's own
    threshold: Array = column(np.float32, table="film")  # one for the whole film; no row where each
    # cluster has its own

    @property
    def film_threshold(self) -> float | None:
        """The threshold of the whole film; None where each cluster has its own."""
        return float(self.threshold[0]) if len(self.threshold) else None

    def check(self) -> None:
        known = np.unique(self.label[self.label >= 0])
        if not np.array_equal(known, np.arange(len(self.limit))):
            raise ValueError("labels must be numbered from 0 without gaps, one limit each")
