"""What each page of a library shows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from videoclusternet.errors import UsageError
from videoclusternet.library.corrections import Known
from videoclusternet.library.shelf import Library
from videoclusternet.results.drawing import templates
from videoclusternet.review.log import FIXED
from videoclusternet.web.forms import past_of

NAV = (
    ("/", "People"), ("/doubtful", "Doubtful"), ("/films", "Films"), ("/find", "Find moments"),
    ("/history", "History"),
)  # fmt: skip
FACES = 6  # of a person on a card, each of another film where there are so many


class LibraryPages:
    """The pages of a library; each is asked for by its name and returns HTML."""

    def __init__(self, library: Library) -> None:
        self.library = library
        self._templates = templates("videoclusternet.web")

    def people(self, banner: str = "") -> str:
        """Everybody: who is in several films, and who is in one."""
        people = self.library.people()
        several = [known for known in people if known.films > 1]
        single = [known for known in people if known.films == 1]
        return self._page(
            "library_people.html.j2", "/", banner, people, several=several, single=single
        )

    def person(self, number: int, banner: str = "") -> str:
        """One person, film by film."""
        people = self.library.people()
        for known in people:
            if known.number == number:
                return self._page(
                    "library_person.html.j2", f"/person/{number}", banner, people, somebody=known
                )
        raise UsageError("There is no such person any more: they were linked with another.")

    def doubtful(self, place: int, banner: str = "") -> str:
        """Two who may be one person, the most likely first; `place` counts from 1."""
        doubts = self.library.doubts()
        place = place if 1 <= place <= len(doubts) else 1
        doubt = doubts[place - 1] if doubts else None
        people = self.library.people()
        of = {member.id: known for known in people for member in known.members}
        sides = [(one, of[one.id]) for one in (doubt.left, doubt.right)] if doubt else []
        return self._page(
            "library_doubtful.html.j2", f"/doubtful/{place}", banner, people, doubt=doubt,
            sides=sides, place=place, left_over=len(doubts),
        )  # fmt: skip

    def films(self, banner: str = "") -> str:
        """What came of each film."""
        counts = Counter(member.film for member in self.library.store.members())
        return self._page("library_films.html.j2", "/films", banner, counts=counts)

    def find(self, ask: str = "", banner: str = "") -> str:
        """The moments of all films with some people and without others."""
        found = None
        if ask.strip():
            try:
                found = self.library.find(ask)
            except UsageError as error:
                banner = str(error)
        return self._page("library_find.html.j2", "/find", banner, ask=ask, found=found)

    def history(self, banner: str = "") -> str:
        """All that was said, the latest first."""
        return self._page("history.html.j2", "/history", banner, fixed=FIXED)

    def at(self, path: str, banner: str) -> str:
        """The page of this path with something to tell on top; everybody where it is gone."""
        _, *words = path.split("/")
        try:
            match words:
                case ["person", number]:
                    return self.person(int(number), banner)
                case ["doubtful", place]:
                    return self.doubtful(int(place), banner)
                case ["films"]:
                    return self.films(banner)
                case ["find"]:
                    return self.find(banner=banner)
                case ["history"]:
                    return self.history(banner)
        except UsageError:
            pass  # the person is not there any more
        return self.people(banner)

    def problem(self, text: str) -> str:
        """A page that is none."""
        return self._templates.get_template("problem.html.j2").render(text=text)

    def _page(
        self,
        template: str,
        path: str,
        banner: str,
        people: Sequence[Known] | None = None,
        **values: Any,
    ) -> str:
        people = self.library.people() if people is None else people
        past = past_of(self.library.corrections.log)
        films = self.library.films()
        names = {known.name for known in people if known.named}
        return self._templates.get_template(template).render(
            path=path,
            nav=NAV,
            banner=banner,
            film=self.library.folder.resolve().name,
            films=films,
            film_of={film.id: film for film in films},
            revision=past["entries"][-1].revision if past["entries"] else 0,
            names=sorted(names, key=str.casefold),
            some_faces=_some_faces,
            **past,
            **values,
        )


def _some_faces(known: Known) -> list[tuple[int, int]]:
    """Return faces of a person, each as a member and the place among its faces."""
    rounds = max(len(one.faces) for one in known.members)
    row = [(one.id, n) for n in range(rounds) for one in known.members if n < len(one.faces)]
    return row[:FACES]
