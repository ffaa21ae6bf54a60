"""What each page of a review shows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any

import numpy as np

from videoclusternet.errors import UsageError
from videoclusternet.records import UNKNOWN
from videoclusternet.results.drawing import Timeline, extras, templates
from videoclusternet.results.people import Person
from videoclusternet.results.why import path_between
from videoclusternet.review.doubtful import Candidate, Question
from videoclusternet.review.log import FIXED
from videoclusternet.web.forms import past_of
from videoclusternet.web.session import Now, Session

NAV = (
    ("/", "People"),
    ("/doubtful", "Doubtful"),
    ("/find", "Find a face"),
    ("/history", "History"),
)
FACES = 6  # of a person on a card
STRIP = 10  # faces of a track
MANY = 9  # faces of a group of tracks that is asked about
SETTLED = 0.8  # of what all answers together are expected to put right


@dataclass(frozen=True)
class Strip:
    """A track as the pages show it."""

    track: int
    start: float  # seconds
    end: float
    faces: tuple[int, ...]  # rows of Crops, in the order of the film
    sure: float | None  # the confidence, 0 to 1; None: nothing to tell by
    told: bool  # a person put it there

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return self.end - self.start


class Pages:
    """The pages of a session; each is asked for by its name and returns HTML."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self._templates = templates("videoclusternet.web")

    def people(self, banner: str = "") -> str:
        """Everybody: whom to name first, the named, and the rest folded away."""
        now = self.session.now()
        brief = extras(now.people)
        groups: dict[str, list[Person]] = {"open": [], "named": [], "extras": [], "ignored": []}
        for person in now.people:
            if person.ignored:
                groups["ignored"].append(person)
            elif person.number in now.state.name:
                groups["named"].append(person)
            else:
                groups["extras" if person.number in brief else "open"].append(person)
        return self._page(
            "people.html.j2", "/", now, banner, groups=groups, unknown=now.people.unknown,
            shown=FACES,
        )  # fmt: skip

    def person(self, number: int, banner: str = "") -> str:
        """One person, track by track."""
        now = self.session.now()
        person = _person(now, number)
        tracks = sorted(person.tracks, key=lambda track: (now.times[track, 0], track))
        return self._page(
            "person.html.j2", f"/person/{number}", now, banner, person=person,
            strips=self._strips(now, tracks),
        )  # fmt: skip

    def split(self, number: int) -> str:
        """How a person would fall in two."""
        now = self.session.now()
        person = _person(now, number)
        question = None if number == UNKNOWN else now.evidence.split(number)
        return self._page(
            "split.html.j2", f"/person/{number}", now, person=person, question=question,
            sides=self._sides(now, question),
        )  # fmt: skip

    def who(self, track: int, banner: str = "") -> str:
        """Who else a track might be."""
        now = self.session.now()
        if not 0 <= track < len(now.times):
            raise UsageError(
                f"There is no track {track}: the run has {len(now.times)}, numbered from 0."
            )
        mine = int(now.state.person[track])
        return self._page(
            "who.html.j2", f"/track/{track}/who", now, banner, strip=self._strips(now, [track])[0],
            person=now.by_number[mine], shown=FACES,
            candidates=self._named(now, now.evidence.candidates(track)),
        )  # fmt: skip

    def doubtful(self, banner: str = "") -> str:
        """The question that is worth most."""
        now = self.session.now()
        questions = [question for question in now.questions if question.gain > 0]
        put_off = len(now.state.later)
        first = questions[0] if questions else None
        return self._page(
            "doubtful.html.j2", "/doubtful", now, banner, question=first, left_over=len(questions),
            enough=enough(questions), gain=sum(one.gain for one in questions), put_off=put_off,
            sides=self._sides(now, first), share=SETTLED,
            facts=self._between(now, first) if first else {},
        )  # fmt: skip

    def history(self, banner: str = "") -> str:
        """All that was said, the latest first."""
        now = self.session.now()
        return self._page("history.html.j2", "/history", now, banner, fixed=FIXED)

    def find(self, candidates: Sequence[Candidate] | None = None, problem: str = "") -> str:
        """Who is on a photograph."""
        now = self.session.now()
        found = None if candidates is None else self._named(now, candidates[:FACES])
        return self._page(
            "find.html.j2", "/find", now, problem, candidates=found, shown=FACES
        )  # fmt: skip

    def at(self, path: str, banner: str) -> str:
        """The page of this path with something to tell on top; everybody where it is gone."""
        _, *words = path.split("/")
        try:
            match words:
                case ["person", number]:
                    return self.person(int(number), banner)
                case ["track", track, "who"]:
                    return self.who(int(track), banner)
                case ["doubtful"]:
                    return self.doubtful(banner)
                case ["history"]:
                    return self.history(banner)
                case ["find"]:
                    return self.find(problem=banner)
        except UsageError:
            pass  # the person is not there any more
        return self.people(banner)

    def problem(self, text: str) -> str:
        """A page that is none."""
        return self._templates.get_template("problem.html.j2").render(text=text)

    def _page(self, template: str, path: str, now: Now, banner: str = "", **values: Any) -> str:
        view = now.view
        names = dict.fromkeys([*self.session.cast, *(now.state.name.values())])
        start = float(view.shots.times[0]) if view.shots.frames else 0.0
        return self._templates.get_template(template).render(
            path=path,
            nav=NAV,
            banner=banner,
            film=view.manifest.film.name,
            watchable=self.session.film is not None,
            revision=now.revision,
            names=sorted(names, key=str.casefold),
            named=now.state.name,
            proposed=self.session.proposed(now),
            timeline=Timeline(now.people.duration, start),
            moment=lambda row: float(view.shots.times[view.crops.frame[row]]),
            **past_of(self.session.log),
            **values,
        )

    def _strips(self, now: Now, tracks: Iterable[int], most: int = STRIP) -> list[Strip]:
        return [
            Strip(
                track=track,
                start=float(now.times[track, 0]),
                end=float(now.times[track, 1]),
                faces=tuple(self.session.rows(track, most)),
                sure=now.sure.get(track),
                told=bool(now.state.sure[track]),
            )
            for track in tracks
        ]

    def _sides(self, now: Now, question: Question | None) -> list[dict[str, Any]]:
        """Return what is shown of the two groups of a question."""
        if question is None:
            return []
        sides = []
        for tracks, limit in (
            (question.left, question.left_limit),
            (question.right, question.right_limit),
        ):
            shown = sorted(tracks, key=lambda track: now.times[track, 0])
            picked = shown[:: -(-len(shown) // MANY)]
            faces = [row for track in picked for row in self.session.rows(track, MANY)]
            sides.append(
                {
                    "tracks": tracks,
                    "person": now.by_number[int(now.state.person[tracks[0]])],
                    "limit": limit if np.isfinite(limit) else None,
                    "faces": faces[:: -(-len(faces) // MANY)] if faces else [],
                    "strip": self._strips(now, shown[:1])[0],
                    "seconds": float(now.seconds[list(tracks)].sum()),
                }
            )
        return sides

    def _between(self, now: Now, question: Question) -> dict[str, Any]:
        """Return where two groups met in the clustering, and whether they share frames."""
        tracks = now.view.tracks
        left, right = (np.isin(tracks.track, side) for side in (question.left, question.right))
        both = np.intersect1d(tracks.frame[left], tracks.frame[right])
        path = path_between(now.view.clusters, question.left[0], question.right[0])
        return {
            "met": path[-1] if path else None,
            "shared": len(both),
            "first": float(now.view.shots.times[both[0]]) if len(both) else None,
        }

    def _named(self, now: Now, found: Iterable[Candidate]) -> list[tuple[Candidate, Person]]:
        return [(one, now.by_number[one.person]) for one in found]


def _person(now: Now, number: int) -> Person:
    people: Mapping[int, Person] = now.by_number
    if number not in people:
        raise UsageError("There is no such person any more: they were merged, or moved.")
    return people[number]


def enough(questions: Sequence[Question]) -> int:
    """Return how many answers, from the first on, settle `SETTLED` of what all of them would."""
    total = sum(question.gain for question in questions)
    reached = accumulate(question.gain for question in questions)
    return next((n for n, gain in enumerate(reached, 1) if gain >= SETTLED * total), 0)
