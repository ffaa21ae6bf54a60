"""What was said of a film, carried over to a run that was made anew.

Its tracks are found again by where their faces were; each person keeps number and name where most
of their tracks are; what could not be kept is listed.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from videoclusternet.records import UNKNOWN, Array, Clusters, Crops, Tracks
from videoclusternet.results.people import People
from videoclusternet.review.log import FIXED, Log
from videoclusternet.review.state import State
from videoclusternet.said import Said, Verdict
from videoclusternet.tracks.boxes import iou

SAME_FACE = 0.5  # IoU from which two boxes of one frame are one face
PLACES, CLUSTERS = "places", "clusters"  # what is kept beside the log


def begin(log: Log, clusters: Clusters, tracks: Tracks, people: People) -> None:
    """Make the log of a run, if it has none: its people in the order in which they are shown."""
    if log.exists and log.current()[0]:
        return
    number = np.full(len(clusters), UNKNOWN)
    for place, person in enumerate(people, start=1):
        number[list(person.tracks)] = place
    facts = {f"track/{track}": person for track, person in enumerate(number.tolist())}
    keep = _beside(clusters, tracks)
    log.write(FIXED, "The film was run", facts | {"next": len(people) + 1}, seen=0, keep=keep)


def restart(old: Log, new: Log, number: Array, clusters: Clusters, tracks: Tracks) -> None:
    """Begin a new log with what is true by the old one of the tracks that have a new number.

    Nothing of its history is taken over, nor anything about those that have none (-1).
    """
    _, facts = old.current()
    state = State(facts, np.ones(len(number)))
    told = _told(state, np.flatnonzero(number >= 0))
    for a, b in state.later:
        if number[a] >= 0 and number[b] >= 0:
            told[f"later/{number[a]}/{number[b]}"] = True
    keep = _beside(clusters, tracks)
    new.write(FIXED, "A person was erased, and the history with them", told, seen=0, keep=keep)


def _beside(clusters: Clusters, tracks: Tracks) -> dict[str, bytes]:
    """Return what is kept beside the log: where the tracks are, and of which clusters it speaks."""
    return {PLACES: _packed(tracks), CLUSTERS: clusters.digest().encode()}


def weight_of(crops: Crops) -> Array:
    """Return how much there is to see of each track: its crops, and a little of one without."""
    return np.maximum(crops.counts, 0.001)


def said_of(log: Log, tracks: Tracks) -> Said | None:
    """Return what was said, of tracks that may have been followed anew since; None for nothing."""
    revision, facts = log.current()
    if not revision:
        return None
    before = _unpacked(log.note(PLACES) or b"")
    return _carried(facts, before, tracks)[0].said()


def verdict_of(log: Log, tracks: int) -> Verdict | None:
    """Return who is who after all that was said, or None where nothing was said of these tracks.

    So it is while a run that followed its tracks anew has not come to their people.
    """
    _, facts = log.current()
    known = sum(key.startswith("track/") for key in facts)
    return State(facts, np.ones(tracks)).verdict() if known == tracks > 0 else None


def follow(log: Log, clusters: Clusters, tracks: Tracks, crops: Crops) -> tuple[str, ...]:
    """Let the log follow a run that was made anew, and return what could not be kept, in sentences.

    A cluster is the person that most of its tracks' crops were before; a person is at most one
    cluster, and named people choose first. Whoever is nobody's is somebody new.
    """
    revision, facts = log.current()
    if not revision:
        return ()
    keep = _beside(clusters, tracks)
    places = _unpacked(log.note(PLACES) or b"")
    moved = not _same_places(places, tracks)
    if not moved and log.note(CLUSTERS) == keep[CLUSTERS]:
        return ()
    before = State(facts, np.ones(places.count))
    now, came = _carried(facts, places, tracks, weight_of(crops))
    person, next_ = _vote(clusters.label, now)
    person = np.where(now.sure, now.person, person)  # the last word, if clusters were made without
    changes: dict[str, Any] = dict.fromkeys(facts)
    changes |= {f"track/{track}": int(p) for track, p in enumerate(person)}
    kept = {int(p) for p in np.unique(person)}
    changes |= {f"sure/{track}": True for track in np.flatnonzero(now.sure).tolist()}
    changes |= {f"name/{p}": text for p, text in now.name.items() if p in kept}
    changes |= {f"ignored/{p}": True for p in now.ignored if p in kept}
    changes |= {f"apart/{a}/{b}": True for a, b in now.apart}
    changes["next"] = next_
    lost = _lost(before, now, came, person, kept)
    sentence = "The film was followed anew" if moved else "The film was run again"
    log.write(FIXED if moved else "run", sentence, changes, seen=revision, notes=lost, keep=keep)
    return tuple(lost)


def _vote(label: Array, now: State) -> tuple[Array, int]:
    """Return the person of each track by its cluster, and the number of the next new person."""
    votes: dict[tuple[int, int], float] = {}
    for cluster, person, weight in zip(
        label.tolist(), now.person.tolist(), now.weight.tolist(), strict=True
    ):
        if cluster != UNKNOWN and person != UNKNOWN:
            votes[cluster, person] = votes.get((cluster, person), 0.0) + weight
    order = sorted(votes, key=lambda pair: (pair[1] not in now.name, -votes[pair], pair))
    chosen: dict[int, int] = {}
    for cluster, person in order:
        if cluster not in chosen and person not in chosen.values():
            chosen[cluster] = person
    next_ = now.next
    for cluster in range(label.max(initial=-1) + 1):
        if cluster not in chosen:
            chosen[cluster], next_ = next_, next_ + 1
    people = np.array([chosen.get(cluster, UNKNOWN) for cluster in label.tolist()], np.int64)
    return people, next_


def _lost(before: State, now: State, came: Array, person: Array, kept: set[int]) -> list[str]:
    """Say which names and which words of the past have nothing left to be true of."""
    lost = [
        f"{text} is nobody any more: their tracks are gone, or mostly somebody else's."
        for number, text in sorted(before.name.items())
        if number not in kept
    ]
    gone = int(before.sure.sum()) - len(np.unique(came[now.sure]))
    if gone > 0:
        lost.append(f"{gone} tracks that you had placed were not found again.")
    for number, text in sorted(now.name.items()):
        mine = now.person == number
        away = mine & (person != number)
        if number in kept and now.weight[away].sum() > now.weight[mine].sum() / 2:
            lost.append(f"More than half of what was {text} is somebody else now.")
    return lost


def _carried(
    facts: Mapping[str, Any], before: Places, tracks: Tracks, weight: Array | None = None
) -> tuple[State, Array]:
    """Return what was true of earlier tracks as far as it is of these, and which each one was."""
    came = np.arange(tracks.count)
    if not _same_places(before, tracks):
        came = found_again(before, tracks)
    told = _told(State(facts, np.ones(before.count)), came)
    return State(told, np.ones(tracks.count) if weight is None else weight), came


def _told(old: State, came: Array) -> dict[str, Any]:
    """Return what was true, of tracks that each came from an earlier one, or from none (-1)."""
    new: dict[str, Any] = {"next": old.next}
    successors: dict[int, list[int]] = {}
    for track, source in enumerate(came.tolist()):
        person = int(old.person[source]) if source >= 0 else UNKNOWN
        new[f"track/{track}"] = person
        if source >= 0:
            successors.setdefault(source, []).append(track)
            if old.sure[source]:
                new[f"sure/{track}"] = True
    new |= {f"name/{p}": text for p, text in old.name.items()}
    new |= {f"ignored/{p}": True for p in old.ignored}
    for a, b in old.apart:
        for one in successors.get(a, ()):
            for other in successors.get(b, ()):
                new[f"apart/{min(one, other)}/{max(one, other)}"] = True
    there = set(np.unique([value for key, value in new.items() if key.startswith("track/")]))
    for key in [*new]:
        if key.startswith(("name/", "ignored/")) and int(key.split("/")[1]) not in there:
            del new[key]
    return new


@dataclass(frozen=True)
class Places:
    """Where the faces of tracks were: one row for each look, by track, then frame."""

    track: Array
    frame: Array
    box: Array

    @classmethod
    def of(cls, tracks: Tracks) -> Self:
        """Return where the faces of these tracks are."""
        return cls(tracks.track, tracks.frame, tracks.box)

    @property
    def count(self) -> int:
        """How many tracks there are."""
        return int(self.track[-1]) + 1 if len(self.track) else 0


def found_again(before: Places, tracks: Tracks) -> Array:
    """Return which earlier track each track is, -1 for none.

    It is the one whose face lies where the track's does in most of its looks, and in at least half
    of those that both have. Where the earlier one was not looked at, its boxes are joined by
    straight lines.
    """
    came = np.full(tracks.count, -1)
    starts = np.searchsorted(before.track, np.arange(before.count + 1))
    first, last = before.frame[starts[:-1]], before.frame[starts[1:] - 1]
    for track, (begin, end) in enumerate(zip(tracks.starts[:-1], tracks.starts[1:], strict=True)):
        frame, box = tracks.frame[begin:end], tracks.box[begin:end]
        best = 0
        for other in np.flatnonzero((first <= frame[-1]) & (last >= frame[0])).tolist():
            both = (frame >= first[other]) & (frame <= last[other])
            rows = slice(starts[other], starts[other + 1])
            was = np.stack(
                [np.interp(frame[both], before.frame[rows], side) for side in before.box[rows].T],
                axis=1,
            )
            on = int((iou(box[both], was) >= SAME_FACE).sum())
            if on > best and 2 * on >= both.sum():
                came[track], best = other, on
    return came


def _same_places(before: Places, tracks: Tracks) -> bool:
    return all(
        np.array_equal(getattr(before, name), getattr(tracks, name))
        for name in ("track", "frame", "box")
    )


def _packed(tracks: Tracks) -> bytes:
    file = io.BytesIO()
    np.savez_compressed(file, track=tracks.track, frame=tracks.frame, box=tracks.box)
    return file.getvalue()


def _unpacked(data: bytes) -> Places:
    with np.load(io.BytesIO(data), allow_pickle=False) as columns:
        return Places(columns["track"], columns["frame"], columns["box"])
