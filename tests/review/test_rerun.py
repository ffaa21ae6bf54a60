"""What was said outlives the run that it was said of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from tests.results.small_film import Film, small_film
from videoclusternet.records import UNKNOWN
from videoclusternet.review import acts
from videoclusternet.review.log import Log
from videoclusternet.review.rerun import begin, follow, found_again, said_of, verdict_of, weight_of
from videoclusternet.review.state import State

SEEN = [(0, 0, 30), (0, 60, 90), (1, 0, 30), (1, 60, 90), (2, 120, 150), (-1, 120, 150)]


def film_of(labels: list[int], shift: int = 0) -> Film:
    """Write a film down in which each track's face lies in a place of its own."""
    seen = [(label, a + shift, b + shift) for label, (_, a, b) in zip(labels, SEEN, strict=True)]
    film = small_film(seen, stops=[200])
    corner = film.tracks.track * 100.0
    box = np.stack([corner, corner, corner + 50, corner + 50], axis=1).astype(np.float32)
    return replace(film, tracks=replace(film.tracks, box=box))


def begun(folder: Path, film: Film) -> Log:
    log = Log(folder)
    begin(log, film.clusters, film.tracks, film.people)
    return log


def say(log: Log, film: Film, *words) -> None:
    _, facts = log.current()
    act = words[0](State(facts, weight_of(film.crops)), *words[1:])
    log.write(act.kind, act.sentence, act.changes)


def again(log: Log, film: Film) -> tuple[str, ...]:
    return follow(log, film.clusters, film.tracks, film.crops)


FILM = film_of([0, 0, 1, 1, 2, -1])


def test_a_review_begins_with_what_the_run_found(tmp_path: Path) -> None:
    log = begun(tmp_path, FILM)
    verdict = verdict_of(log, 6)
    numbers = {t: p.number for p in FILM.people for t in p.tracks} | {5: UNKNOWN}
    assert verdict.person.tolist() == [numbers[track] for track in range(6)]
    begin(log, FILM.clusters, FILM.tracks, FILM.people)
    assert log.current()[0] == 1
    assert verdict_of(log, 7) is None
    said = said_of(log, FILM.tracks)
    assert not said.nobody.any()
    assert (said.group < 0).all()
    assert said_of(Log(tmp_path / "none"), FILM.tracks) is None


def test_the_same_clusters_change_nothing(tmp_path: Path) -> None:
    log = begun(tmp_path, FILM)
    say(log, FILM, acts.name, 1, "Ada")
    assert again(log, FILM) == ()
    assert log.current()[0] == 2


def test_names_go_where_most_of_their_tracks_are(tmp_path: Path) -> None:
    log = begun(tmp_path, FILM)
    say(log, FILM, acts.name, 1, "Ada")
    other = film_of([2, 2, 0, 1, 0, -1])
    assert again(log, other) == ()
    verdict = verdict_of(log, 6)
    ada = verdict.number[list(verdict.name).index("Ada")]
    assert np.flatnonzero(verdict.person == ada).tolist() == [0, 1]
    log.undo()  # the run
    assert verdict_of(log, 6).person.tolist()[3] == verdict_of(log, 6).person.tolist()[2]


def test_who_was_placed_stays_whatever_the_run_says(tmp_path: Path) -> None:
    log = begun(tmp_path, FILM)
    say(log, FILM, acts.move, [4], 1)
    say(log, FILM, acts.move, [3], UNKNOWN)
    assert again(log, film_of([0, 0, 1, 1, 1, 0])) == ()
    person = verdict_of(log, 6).person
    assert person[4] == 1
    assert person[3] == UNKNOWN
    said = said_of(log, FILM.tracks)
    assert said.nobody.tolist() == [False] * 3 + [True] + [False] * 2


def test_tracks_are_found_again_by_where_they_were(tmp_path: Path) -> None:
    log = begun(tmp_path, FILM)
    say(log, FILM, acts.name, 1, "Ada")
    say(log, FILM, acts.move, [4], 1)
    order = [5, 4, 3, 2, 1, 0]
    rows = np.concatenate([np.flatnonzero(FILM.tracks.track == track) for track in order])
    tracks = FILM.tracks
    moved = replace(
        tracks, track=np.repeat(np.arange(6), 11), frame=tracks.frame[rows], box=tracks.box[rows]
    )
    assert found_again(tracks, moved).tolist() == order
    clusters = small_film([(label, a, b) for label, a, b in SEEN], stops=[200]).clusters
    clusters = replace(clusters, label=np.array([-1, 0, 1, 1, 2, 2]))
    lost = follow(log, clusters, moved, FILM.crops)
    assert lost == ()
    assert verdict_of(log, 6).person.tolist()[4:] == [1, 1]
    assert verdict_of(log, 6).person[1] == 1


def test_what_could_not_be_kept_is_told(tmp_path: Path) -> None:
    log = begun(tmp_path, FILM)
    say(log, FILM, acts.name, 3, "Ada")
    say(log, FILM, acts.move, [4], 1)
    far = film_of([0, 0, 1, 1, 2, -1], shift=37)
    box = far.tracks.box + 5000
    told = follow(log, far.clusters, replace(far.tracks, box=box), far.crops)
    assert any("not found again" in sentence for sentence in told)
    assert log.entries()[-1].notes == told
    assert log.entries()[-1].kind == "fixed"


def test_a_name_whose_tracks_are_gone_is_told(tmp_path: Path) -> None:
    log = begun(tmp_path, FILM)
    say(log, FILM, acts.name, 3, "Ada")
    far = film_of([0, 0, 1, 1, 2, -1])
    box = np.where((far.tracks.track == 4)[:, None], far.tracks.box + 5000, far.tracks.box)
    told = follow(log, far.clusters, replace(far.tracks, box=box), far.crops)
    assert any(sentence.startswith("Ada is nobody any more") for sentence in told)
