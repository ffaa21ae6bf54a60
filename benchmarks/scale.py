"""A library of a thousand films on paper: what linking and asking cost, and how right it is.

The people are drawn from numbers (`tests.library.drawn`); everything else is the program's.
"""

from __future__ import annotations

import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from benchmarks.results_file import Goal, Row
from tests.library.drawn import draw_library
from videoclusternet.library.job import Outcome, Part
from videoclusternet.library.shelf import Library
from videoclusternet.library.tables import FILE
from videoclusternet.results.people import Appearance

SIZES = (10, 100, 1000)
PEOPLE = 5  # different ones for each film of the library
SEEN = 20  # people of a film, in the mean
TIMES = 12  # appearances of each


def measure_scale(work: Path) -> Iterator[Row]:
    """Yield the rows of each size, measured in a process of its own."""
    for films in SIZES:
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.scale", str(films), str(work / f"library-{films}")],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        for line in done.stdout.splitlines():
            name, value, unit, *least = line.split("\t")
            goal = Goal(float(least[0]), 1) if least else None
            yield Row.of(f"scale.{films}.{name}", float(value), unit, goal)


def measure_one(films: int, folder: Path) -> Iterator[str]:
    """Fill a library with drawn people, link them, ask for them, and yield what it took."""
    cast, person = draw_library(
        films, films, SEEN, PEOPLE * films, across=0.3, split=0.1, mixed=0.05
    )
    library = Library.init(folder)
    paths = []
    for film in range(films):
        path = folder / "films" / f"{film}.mp4"
        path.write_text(f"the film {film}")
        paths.append(path)
    library.add(paths)
    rng = np.random.default_rng(0)

    def part(row: int, number: int) -> Part:
        starts = np.sort(rng.uniform(0, 7000, TIMES))
        times = tuple(Appearance(float(one), float(one) + 10) for one in starts)
        total = cast.total[row]
        return Part(number, "", 10.0 * TIMES, times, (0,), int(cast.count[row]), total)

    def fill() -> None:
        for n, film in enumerate(library.films()):
            rows = np.flatnonzero(cast.film == n).tolist()
            parts = tuple(part(row, number) for number, row in enumerate(rows, 1))
            library.store.note(film.id, Outcome(0, version="1", parts=parts))

    yield f"people_of_films\t{len(cast)}\trows"
    yield f"writing\t{_took(fill) / films:.4f}\tseconds of processor a film"
    yield f"linking\t{_took(library.link):.3f}\tseconds of processor, all anew"
    yield f"people\t{_took(library.people):.3f}\tseconds of processor"
    first, second = library.people()[:2]
    library.name(str(first.number), "Ada")
    question = f"Ada - {second.number}"
    yield f"find\t{_took(lambda: library.find(question)):.3f}\tseconds of processor"
    yield f"memory\t{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6:.2f}\tGB at most"
    yield f"file\t{(folder / FILE).stat().st_size / films / 1e3:.1f}\tKB a film"
    label = np.array([member.person for member in library.store.members()])
    right, found = _pairs(label, person)
    split = np.unique(np.stack([cast.film, person]), axis=1, return_counts=True)[1]
    yield f"split\t{(split > 1).mean():.3f}\tof people of films, in two by their own film"
    yield f"links_right\t{right:.4f}\tof linked pairs\t0.99"
    yield f"links_found\t{found:.4f}\tof pairs of one person"
    rows = {member.id: n for n, member in enumerate(library.store.members())}
    asked = [person[rows[d.left.id]] == person[rows[d.right.id]] for d in library.doubts()]
    yield f"doubts\t{len(asked) / films:.2f}\ta film"
    yield f"doubts_right\t{np.mean(asked) if asked else 0:.3f}\tof the doubts are one person"


def _took(work: Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


def _pairs(label: np.ndarray, person: np.ndarray) -> tuple[float, float]:
    """Return the share of linked pairs that is right, and of right ones that is linked."""

    def pairs(*columns: np.ndarray) -> int:
        counts = np.unique(np.stack(columns), axis=1, return_counts=True)[1]
        return int((counts * (counts - 1) // 2).sum())

    both = pairs(label, person)
    return both / max(1, pairs(label)), both / max(1, pairs(person))


def main(films: int, folder: Path) -> None:
    """Print the rows of one size."""
    for line in measure_one(films, folder):
        print(line)


if __name__ == "__main__":
    main(int(sys.argv[1]), Path(sys.argv[2]))
