"""What a person can say of a film, each as the changes that it makes and a sentence that tells it.

Nothing here writes: `Log.write` does.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from videoclusternet.errors import UsageError
from videoclusternet.records import UNKNOWN
from videoclusternet.review.state import State

LONGEST = 120  # characters of a name


@dataclass(frozen=True)
class Act:
    """What somebody said."""

    kind: str
    sentence: str
    changes: dict[str, Any]


def name(state: State, person: int, text: str) -> Act:
    """Call a person by a name, or by a number again where the text is empty.

    The track that stands for the person is theirs from now on, and people of other names are
    others. Raises UsageError where the name is taken or cannot be one.
    """
    tracks, before = _somebody(state, person), state.called(person)
    text = _as_name(text)
    if not text:
        return Act("name", f"{before} has no name any more", {f"name/{person}": None})
    taken = [n for n, other in state.name.items() if other.casefold() == text.casefold()]
    if taken not in ([], [person]):
        raise UsageError(
            f"There is already somebody called {text}: merge the two, or name another."
        )
    changes = {f"name/{person}": text, f"sure/{state.anchor(tracks)}": True}
    return Act("name", f"{before} is {text}", changes)


def _as_name(text: str) -> str:
    text = " ".join(unicodedata.normalize("NFC", text).split())
    if any(unicodedata.category(c) in ("Cc", "Cs", "Co", "Cn") for c in text):
        raise UsageError("A name cannot hold control characters.")
    if len(text) > LONGEST:
        raise UsageError(f"A name has at most {LONGEST} characters.")
    if text.casefold().removeprefix("person ").isdigit() or text.casefold() == "unknown":
        raise UsageError(f"Nobody can be called '{text}': the program calls people so itself.")
    return text


def ignore(state: State, person: int) -> Act:
    """Fold a person away, or take them up again."""
    _somebody(state, person)
    before = person in state.ignored
    sentence = (
        f"{state.called(person)} counts again" if before else f"{state.called(person)} is ignored"
    )
    return Act("ignore", sentence, {f"ignored/{person}": None if before else True})


def merge(state: State, into: int, others: Iterable[int]) -> Act:
    """Say that people are one: all of their tracks are the first's."""
    others = [other for other in dict.fromkeys(others) if other != into]
    if not others or UNKNOWN in (into, *others):
        raise UsageError("It takes two people to merge: name one more.")
    tracks = [track for person in (into, *others) for track in state.tracks(person)]
    changes = _together(state, tracks, into)
    names = [state.name[person] for person in (into, *others) if person in state.name]
    if names:
        changes[f"name/{into}"] = names[0]
    for other in others:
        changes |= _gone(other)
    changes[f"ignored/{into}"] = None
    called = ", ".join(state.called(other) for other in others)
    return Act("merge", f"{called} and {state.called(into)} are one person", changes)


def move(state: State, tracks: Sequence[int], to: int | None) -> Act:
    """Say whose tracks these are: a person's, Unknown's, or (None) somebody new's.

    Whoever they were taken from is somebody else. Raises UsageError for tracks that there are not.
    """
    tracks = _checked(state, tracks)
    person = state.next if to is None else to
    if to is not None and to != UNKNOWN:
        state.tracks(to)
    if all(state.person[track] == person for track in tracks):
        raise UsageError("These tracks are there already: name somebody else.")
    changes: dict[str, Any] = {f"track/{track}": person for track in tracks}
    changes |= {f"sure/{track}": True for track in tracks}
    if to is None:
        changes["next"] = person + 1
    moved = set(tracks)
    for source in {int(state.person[track]) for track in tracks} - {UNKNOWN, person}:
        rest = [track for track in state.tracks(source) if track not in moved]
        if not rest:
            changes |= _gone(source)
            continue
        anchor = state.anchor(rest)
        changes[f"sure/{anchor}"] = True
        changes |= {_pair("apart", track, anchor): True for track in tracks}
    if person != UNKNOWN:
        there = state.tracks(person) if to is not None else []
        if there:
            changes[f"sure/{state.anchor(there)}"] = True
        changes |= _no_longer_apart(state, {*there, *moved})
    who = "somebody new" if to is None else state.called(person)
    return Act("move", f"{_listed(tracks)} {'is' if len(tracks) == 1 else 'are'} {who}", changes)


def same(state: State, left: Sequence[int], right: Sequence[int]) -> Act:
    """Answer that two groups of tracks are one person, with all that are one with either."""
    left, right = _checked(state, left), _checked(state, right)
    one, other = int(state.person[left[0]]), int(state.person[right[0]])
    if one == other and one != UNKNOWN:
        changes = _together(state, [*left, *right], one)
        return Act("same", f"{_listed(left)} and {_listed(right)} are one person", changes)
    if UNKNOWN in (one, other):
        if one == other:
            return move(state, [*left, *right], None)
        return move(state, left if one == UNKNOWN else right, max(one, other))
    into, gone = (other, one) if other in state.name and one not in state.name else (one, other)
    act = merge(state, into, [gone])
    return Act("same", act.sentence, act.changes)


def different(state: State, left: Sequence[int], right: Sequence[int]) -> Act:
    """Answer that two groups of tracks are two people; where they are one, they fall apart."""
    left, right = _checked(state, left), _checked(state, right)
    if set(left) & set(right):
        raise UsageError("A track cannot be two people.")
    one, other = int(state.person[left[0]]), int(state.person[right[0]])
    sentence = f"{_listed(left)} and {_listed(right)} are two people"
    if one == other and one != UNKNOWN:
        return Act("different", sentence, move(state, right, None).changes)
    a, b = state.anchor(left), state.anchor(right)
    changes = {f"sure/{track}": True for track in (a, b) if state.person[track] != UNKNOWN}
    return Act("different", sentence, changes | {_pair("apart", a, b): True})


def later(state: State, left: Sequence[int], right: Sequence[int]) -> Act:
    """Put off a question."""
    key = _pair("later", min(_checked(state, left)), min(_checked(state, right)))
    return Act("later", f"{_listed(left)} and {_listed(right)}: asked again later", {key: True})


def _somebody(state: State, person: int) -> list[int]:
    """Return the tracks of a person. Raises UsageError for Unknown, who is many."""
    if person == UNKNOWN:
        raise UsageError("Unknown is nobody: say first which of its tracks are one person.")
    return state.tracks(person)


def _together(state: State, tracks: Iterable[int], person: int) -> dict[str, Any]:
    tracks = list(tracks)
    changes: dict[str, Any] = {f"track/{track}": person for track in tracks}
    changes |= {f"sure/{track}": True for track in tracks}
    return changes | _no_longer_apart(state, set(tracks))


def _no_longer_apart(state: State, tracks: set[int]) -> dict[str, Any]:
    """Take back what was said earlier of tracks that are one person now."""
    return {_pair("apart", a, b): None for a, b in state.apart if a in tracks and b in tracks}


def _gone(person: int) -> dict[str, Any]:
    return {f"name/{person}": None, f"ignored/{person}": None}


def _pair(kind: str, one: int, other: int) -> str:
    return f"{kind}/{min(one, other)}/{max(one, other)}"


def _checked(state: State, tracks: Sequence[int]) -> list[int]:
    for track in tracks:
        if not 0 <= track < len(state.person):
            raise UsageError(
                f"There is no track {track}: the run has {len(state.person)}, numbered from 0."
            )
    if not tracks:
        raise UsageError("No track was named: tick one.")
    return sorted(set(tracks))


def _listed(tracks: Sequence[int]) -> str:
    if len(tracks) == 1:
        return f"track {tracks[0]}"
    if len(tracks) > 4:
        return f"{len(tracks)} tracks"
    return f"tracks {', '.join(map(str, tracks[:-1]))} and {tracks[-1]}"
