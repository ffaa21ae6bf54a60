"""Who is in the film, when and for how long: labels of tracks turned into people with times."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from videoclusternet.errors import InputError
from videoclusternet.records import UNKNOWN, Array, Clusters, Crops, Mask, Shots, Tracks, told
from videoclusternet.results.doubts import Doubt, doubt_from_json, doubt_to_json, doubts_by_label
from videoclusternet.results.reviewed import reviewed
from videoclusternet.said import Verdict

SCHEMA = 3
FACES = 8  # representative crops of a person
UNKNOWN_FACES = 24  # Unknown is many people, so it shows more


@dataclass(frozen=True, slots=True)
class Appearance:
    """One stretch inside one shot, in seconds on the film's clock; `end` is exclusive."""

    start: float
    end: float


@dataclass(frozen=True)
class Person:
    """One person of the film, or Unknown (`label` -1), which holds every track nobody claims."""

    label: int
    number: int  # what the person is called by where they have no name; it stays theirs
    name: str
    tracks: tuple[int, ...]
    seconds: float  # screen time; what two tracks share counts once
    appearances: tuple[Appearance, ...]  # in the order of the film
    faces: tuple[int, ...]  # rows of Crops, the best first
    limit: float | None  # the final threshold of the cluster; None for Unknown, and without pairs
    confidence: float | None = None  # likely share of right crops, 0 to 1; None: nothing to tell by
    sure: tuple[float | None, ...] = ()  # the same of each of the tracks
    doubts: tuple[Doubt, ...] = ()  # worth a look, two groups first
    ignored: bool = False  # somebody said that this person does not matter

    @property
    def given(self) -> str:
        """The name that somebody gave, "" where nobody did."""
        return "" if self.name == f"Person {self.number}" else self.name


@dataclass(frozen=True)
class People:
    """The people of a film as a sequence, most screen time first, and what was left over."""

    people: tuple[Person, ...]
    unknown: Person
    duration: float  # of the film, seconds
    shots: int

    def __iter__(self) -> Iterator[Person]:
        return iter(self.people)

    def __len__(self) -> int:
        return len(self.people)

    def __getitem__(self, place: int) -> Person:
        return self.people[place]


def list_people(
    clusters: Clusters,
    tracks: Tracks,
    crops: Crops,
    shots: Shots,
    verdict: Verdict | None = None,
) -> People:
    """List the people with their screen time, appearances and most telling faces.

    They are those of the verdict, where there is one, and have the names and numbers that they were
    given; otherwise they are "Person 1", "Person 2", ... by falling screen time. A track lasts
    until the look after its last one, or the end of its shot where that comes first: between two
    looks nothing is known, and this way tracks that follow each other leave no gap. Tracks of one
    person that overlap or touch inside a shot are one appearance; a cut always ends an appearance.
    Raises ValueError where the records speak of different numbers of tracks.
    """
    if not len(clusters) == tracks.count == len(crops.counts):
        raise ValueError(
            f"{len(clusters)} labels, {tracks.count} tracks and the crops of "
            f"{len(crops.counts)} tracks cannot be of one film"
        )
    if verdict is not None:
        clusters, rows = reviewed(clusters, verdict)
    lasting = stretches(tracks, shots)
    worth = crops.frontal * np.log1p(crops.sharpness)
    doubts = doubts_by_label(clusters)

    def person(label: int) -> Person:
        mine = clusters.label == label
        appearances = _join(lasting[mine], shots.times)
        return Person(
            label=label,
            number=label,
            name="Unknown",
            tracks=tuple(np.flatnonzero(mine).tolist()),
            seconds=sum(one.end - one.start for one in appearances),
            appearances=appearances,
            faces=_best_faces(mine, crops, worth, UNKNOWN_FACES if label == UNKNOWN else FACES),
            limit=None if label == UNKNOWN else told(clusters.limit[label]),
            confidence=None if label == UNKNOWN else told(clusters.person_confidence[label]),
            sure=tuple(told(value) for value in clusters.confidence[mine]),
            doubts=doubts.get(label, ()),
        )

    found = [person(label) for label in range(len(clusters.limit))]
    found.sort(key=lambda one: (-one.seconds, one.label))
    named = [replace(one, number=n, name=f"Person {n}") for n, one in enumerate(found, start=1)]
    if verdict is not None:
        named = [_as_told(one, verdict, int(rows[one.label])) for one in named]
    return People(
        people=tuple(named),
        unknown=person(UNKNOWN),
        duration=float(shots.times[-1] - shots.times[0]) if shots.frames else 0.0,
        shots=len(shots),
    )


def _as_told(person: Person, verdict: Verdict, row: int) -> Person:
    """Return a person with the number and name that a row of the verdict gives."""
    number = int(verdict.number[row])
    name = str(verdict.name[row]) or f"Person {number}"
    return replace(person, number=number, name=name, ignored=bool(verdict.ignored[row]))


def stretches(tracks: Tracks, shots: Shots) -> Array:
    """Return shot, first frame and the frame after the end of each track, shape (count, 3)."""
    first, last = tracks.spans.T
    same_track = np.diff(tracks.track) == 0
    steps = np.diff(tracks.frame)[same_track]
    look = int(np.median(steps)) if len(steps) else 1
    shot = shots.of(first)
    return np.stack([shot, first, np.minimum(last + look, shots.stop[shot])], axis=1)


def _join(lasting: Array, times: Array) -> tuple[Appearance, ...]:
    joined: list[list[int]] = []
    for shot, first, stop in sorted(lasting.tolist()):
        if joined and joined[-1][0] == shot and first <= joined[-1][2]:
            joined[-1][2] = max(joined[-1][2], stop)
        else:
            joined.append([shot, first, stop])
    return tuple(Appearance(float(times[first]), float(times[stop])) for _, first, stop in joined)


def _best_faces(mine: Mask, crops: Crops, worth: Array, most: int) -> tuple[int, ...]:
    """Return the crop of most worth from each of `most` equal parts of a person's tracks.

    Each track is given the same room, however many crops it has, so one long take cannot fill the
    row: with one track the faces spread over its time, with many they come from different tracks.
    """
    rows = np.flatnonzero(mine[crops.track])
    _, first, track, count = np.unique(
        crops.track[rows], return_index=True, return_inverse=True, return_counts=True
    )
    place = track + (np.arange(len(rows)) - first[track] + 0.5) / count[track]
    part = (place * most / max(1, len(first))).astype(np.int64)
    best_first = np.argsort(-worth[rows], kind="stable")
    _, best_of_part = np.unique(part[best_first], return_index=True)
    return tuple(rows[best_first[np.sort(best_of_part)]].tolist())


def timecode(seconds: float, decimals: int = 3) -> str:
    """Write a time as hh:mm:ss.mmm, rounded to so many decimals (0: hh:mm:ss)."""
    whole, part = divmod(round(seconds * 10**decimals), 10**decimals)
    minutes, second = divmod(whole, 60)
    hour, minute = divmod(minutes, 60)
    clock = f"{hour:02}:{minute:02}:{second:02}"
    return f"{clock}.{part:0{decimals}}" if decimals else clock


def spell(seconds: float) -> str:
    """Write how long something lasts, as one would say it: 0.04 s, 8.4 s, 12 min 40 s, 1 h 02 min.

    Nothing that lasts is written as 0.0 s.
    """
    if round(seconds, 1) < 60:
        return f"{seconds:.2f} s" if 0 < seconds < 0.1 else f"{seconds:.1f} s"
    minutes, second = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {second:02} s"
    hours, minute = divmod(round(seconds / 60), 60)
    return f"{hours} h {minute:02} min"


def to_json(people: People) -> dict[str, Any]:
    """Return what `people.json` holds; times are in seconds, rounded to milliseconds.

    - schema: 3
    - film: duration (seconds), shots (how many)
    - people: a list, most screen time first, of label, number (which stays the person's while the
      film is reviewed), name, seconds (screen time), limit (the threshold of the cluster),
      confidence (the share of its crops that is likely right, 0 to 1; null where there is
      nobody else to compare with), appearances (a list of start, end), tracks (their numbers),
      sure (the confidence of each of these), faces (rows of the crops, the best first), ignored
      (somebody said that they do not matter) and doubts (what is worth a look: reason "same
      time" or "two groups", the tracks of the two parts, left and right, the loss between them,
      and the larger limit of both)
    - unknown: the same fields; its label is -1, its limit and confidences are null
    """
    return {
        "schema": SCHEMA,
        "film": {"duration": round(people.duration, 3), "shots": people.shots},
        "people": [_person_to_json(one) for one in people],
        "unknown": _person_to_json(people.unknown),
    }


def _person_to_json(person: Person) -> dict[str, Any]:
    return {
        "label": person.label,
        "number": person.number,
        "name": person.name,
        "seconds": round(person.seconds, 3),
        "limit": None if person.limit is None else round(person.limit, 6),
        "confidence": None if person.confidence is None else round(person.confidence, 4),
        "appearances": [
            {"start": round(one.start, 3), "end": round(one.end, 3)} for one in person.appearances
        ],
        "tracks": list(person.tracks),
        "sure": [None if value is None else round(value, 4) for value in person.sure],
        "faces": list(person.faces),
        "ignored": person.ignored,
        "doubts": [doubt_to_json(doubt) for doubt in person.doubts],
    }


def from_json(values: dict[str, Any]) -> People:
    """Read what `to_json` returned. Raises InputError where it is something else."""
    try:
        if values["schema"] != SCHEMA:
            raise InputError(
                f"people.json has schema {values['schema']}, and this version reads {SCHEMA}: "
                "run the film again, or use the version that wrote it."
            )
        return People(
            people=tuple(_person_from_json(one) for one in values["people"]),
            unknown=_person_from_json(values["unknown"]),
            duration=float(values["film"]["duration"]),
            shots=int(values["film"]["shots"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise InputError(f"people.json is damaged ({error!r}): run the film again.") from None


def _person_from_json(values: dict[str, Any]) -> Person:
    return Person(
        label=int(values["label"]),
        number=int(values["number"]),
        name=str(values["name"]),
        tracks=tuple(int(track) for track in values["tracks"]),
        seconds=float(values["seconds"]),
        appearances=tuple(
            Appearance(float(one["start"]), float(one["end"])) for one in values["appearances"]
        ),
        faces=tuple(int(row) for row in values["faces"]),
        limit=_number_or_none(values["limit"]),
        confidence=_number_or_none(values["confidence"]),
        sure=tuple(_number_or_none(value) for value in values["sure"]),
        doubts=tuple(doubt_from_json(one) for one in values["doubts"]),
        ignored=bool(values["ignored"]),
    )


def _number_or_none(value: Any) -> float | None:
    return None if value is None else float(value)


def appearances_csv(people: People) -> str:
    """Return what `people.csv` holds: a row for each appearance, by person, then time.

    Lines end in CR LF (RFC 4180): write them as they are. Unknown is not a person and has no rows.
    A name that a spreadsheet would run as a formula gets a single quote in front (OWASP, CSV
    injection).
    """
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["person", "start_seconds", "end_seconds", "start", "end"])
    for person in people:
        name = _not_a_formula(person.name)
        for one in person.appearances:
            seconds = [f"{one.start:.3f}", f"{one.end:.3f}"]
            rows.writerow([name, *seconds, timecode(one.start), timecode(one.end)])
    return text.getvalue()


def _not_a_formula(name: str) -> str:
    return f"'{name}" if name.lstrip().startswith(("=", "+", "-", "@")) else name
