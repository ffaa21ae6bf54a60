"""Erasing in a library: all of it, one film, or somebody in every film, each with a proof."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

import numpy as np

from videoclusternet.durable import LOCK, locked, writing
from videoclusternet.errors import InputError
from videoclusternet.library.job import version_of
from videoclusternet.library.shelf import Library
from videoclusternet.library.store import FILMS, Film, Member
from videoclusternet.library.tables import FILE
from videoclusternet.purge.erase import JOURNALS, erase_run, remove
from videoclusternet.purge.person import erase_person
from videoclusternet.purge.proof import Proof, search
from videoclusternet.review.log import FILE as SAID
from videoclusternet.run_view import load_run


def erase_library(library: Library) -> Iterator[tuple[Path, Proof]]:
    """Erase every run and all that is known of their people; the films stay.

    Raises BusyError while anything works in it, InputError where there is no library.
    """
    films, traces = library.films(), [total.tobytes() for total in library.store.totals()]
    with locked(library.folder):
        for film in films:
            yield from _erase_film(film)
        files = [FILE, SAID, *(f"{name}{end}" for name in (FILE, SAID) for end in JOURNALS)]
        paths = [library.folder / name for name in files]
        removed = [remove(path) for path in paths if path.is_file()]
        searched, found = search(library.folder, traces)
    (library.folder / LOCK).unlink()
    with writing(library.folder), suppress(OSError):  # what else lies there is not ours
        (library.folder / FILMS).rmdir()
        library.folder.rmdir()
    yield library.folder, Proof(tuple(removed), {}, len(traces), searched, tuple(found))


def erase_film(library: Library, text: str) -> Iterator[tuple[Path, Proof]]:
    """Erase a film's run, and its people from the library. Raises as `erase_library` does, and
    UsageError where no one film is called so.
    """
    film = library.store.find_film(text)
    with locked(library.folder):
        members = [one.id for one in library.store.members() if one.film == film.id]
        traces = _traces(library, members)
        yield from _erase_film(film)
        library.store.forget(film=film.id)
        yield library.folder, _forgotten(library, members, traces)


def erase_somebody(library: Library, who: str) -> Iterator[tuple[Path, Proof]]:
    """Erase somebody from every film's run and from the library; all others stay.

    Raises as `erase_film` does, and UsageError where nobody is called so.
    """
    known = library.person(who)
    films = {film.id: film for film in library.films()}
    with locked(library.folder):
        ids = [one.id for one in known.members]
        traces = _traces(library, ids)
        if known.named:
            traces.append(known.name.encode())
        for member in known.members:
            film = films[member.film]
            if film.of_photos:
                yield film.folder, _without_photos(library, film, member)
            else:
                yield film.folder, erase_person(film.folder, str(member.number))
                library.store.noted_as(film.id, version_of(load_run(film.folder)))
            library.store.forget(members=[member.id])
        yield library.folder, _forgotten(library, ids, traces)


def _erase_film(film: Film) -> Iterator[tuple[Path, Proof]]:
    if film.of_photos:
        yield film.folder, _erase_photos(film)
        return
    with suppress(InputError):  # it was never run
        yield film.folder, erase_run(film.folder)


def _erase_photos(film: Film) -> Proof:
    removed = tuple(remove(path) for path in film.folder.iterdir())
    film.folder.rmdir()
    return Proof(removed)


def _without_photos(library: Library, film: Film, member: Member) -> Proof:
    """Blacken the pictures of one who was enrolled; those of the others stay where they are."""
    faces = np.array(library.faces(film))
    traces = [faces[row].tobytes() for row in member.faces]
    faces[list(member.faces)] = 0
    library.write_faces(film, faces)
    searched, found = search(film.folder, traces)
    counts = {"photographs": len(traces)}
    return Proof((), counts, len(traces), searched, tuple(found))


def _traces(library: Library, members: Iterable[int]) -> list[bytes]:
    wanted = set(members)
    rows = zip(library.store.members(), library.store.totals(), strict=True)
    return [total.tobytes() for one, total in rows if one.id in wanted]


def _forgotten(library: Library, members: list[int], traces: list[bytes]) -> Proof:
    """Take members that are gone out of what was said, too, and look for them."""
    library.corrections.forget(members)
    library.link()
    library.store.forget()
    searched, found = search(library.folder, traces)
    counts = {"people of films in the library": len(members)}
    return Proof((), counts, len(traces), searched, tuple(found))
