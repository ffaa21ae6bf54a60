"""Two runs of one film: who is somebody else."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from tests.review.test_rerun import FILM, film_of
from videoclusternet.review.compared import compare_runs

STARTS = np.arange(6.0)


def compared(before, after):
    return compare_runs((before.tracks, before.people), (after.tracks, after.people), STARTS)


def test_the_same_run_is_the_same() -> None:
    told = compared(FILM, FILM)
    assert (told.tracks, told.found, told.changes) == (6, 6, ())
    assert told.same == {person.name: person.name for person in FILM.people}


def test_numbers_alone_are_no_change() -> None:
    assert compared(FILM, film_of([2, 2, 0, 0, 1, -1])).changes == ()


def test_who_went_to_somebody_else_is_told() -> None:
    told = compared(FILM, film_of([0, 0, 1, 0, -1, 2]))
    assert [change.track for change in told.changes] == [3, 4, 5]
    assert told.changes[1].after == told.changes[2].before == "Unknown"
    assert told.changes[0].before != told.changes[0].after


def test_tracks_that_are_not_there_are_counted() -> None:
    far = np.where((FILM.tracks.track == 4)[:, None], FILM.tracks.box + 5000, FILM.tracks.box)
    told = compared(FILM, replace(FILM, tracks=replace(FILM.tracks, box=far)))
    assert (told.tracks, told.found) == (6, 5)
    assert told.changes == ()


def test_a_film_in_which_nobody_was() -> None:
    nobody = film_of([-1] * 6)
    assert [change.after for change in compared(FILM, nobody).changes] == ["Unknown"] * 5
    assert compared(nobody, nobody).changes == ()
