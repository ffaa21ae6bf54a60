"""A library of real small films: run once, linked, asked, corrected, erased."""

from __future__ import annotations

import json
import shutil
import sqlite3
from pathlib import Path

import pytest

from tests.command import Vcn
from tests.library.conftest import InTurn, draw, run
from tests.test_pipeline import POCKET
from videoclusternet.demo.pictures import DEMO_ASSETS
from videoclusternet.errors import BusyError, InputError, UsageError
from videoclusternet.library.engines import LocalEngine
from videoclusternet.library.enrol import enrol
from videoclusternet.library.erase import erase_film, erase_library, erase_somebody
from videoclusternet.library.shelf import Library
from videoclusternet.run_view import load_run
from videoclusternet.weights.assets import locate


def who(library: Library) -> dict[str, set[tuple[str, int]]]:
    """Who is in which films, by the numbers that they have there."""
    names = {film.id: film.name for film in library.films()}
    return {
        one.name: {(names[member.film], member.number) for member in one.members}
        for one in library.people()
    }


def test_one_bad_film_stops_nobody_and_is_tried_again_alone(library):
    states = {film.name: (film.state, film.code) for film in library.films()}
    assert states == {
        "one.mp4": ("done", 0), "two.mp4": ("done", 0), "three.mp4": ("done", 0),
        "bad.mp4": ("failed", 3),
    }  # fmt: skip
    (bad,) = [film for film in library.films() if film.state == "failed"]
    assert "is not a film" in bad.sentence
    assert list(run(library)) == ["bad.mp4"]


def test_people_are_the_same_in_every_film(library):
    people = library.people()
    assert [one.films for one in people] == [3, 2]
    assert library.doubts() == []
    for known in people:
        assert len({member.film for member in known.members}) == len(known.members)
    seconds = {film.name: load_run(film.folder).people for film in library.films()[:3]}
    for known in people:
        for member in known.members:
            name = library.films()[member.film - 1].name
            (same,) = [one for one in seconds[name] if one.number == member.number]
            assert member.seconds == same.seconds


def test_a_film_that_is_added_is_all_that_is_run(library, tmp_path):
    late = draw(tmp_path / "late.mp4", ["demo_biden"], 31)
    assert library.add([late, late]) == [(late, True), (late, False)]
    before = who(library)
    assert set(run(library)) == {"late.mp4", "bad.mp4"}
    after = who(library)
    for name, places in before.items():
        assert places <= after[name]
    assert sum(map(len, after.values())) > sum(map(len, before.values()))


def test_a_film_under_another_name_is_the_same_film(library, films, tmp_path):
    moved = tmp_path / "elsewhere.mp4"
    shutil.copy(films[0], moved)
    assert library.add([moved]) == [(moved, False)]
    assert library.films()[0].path == moved


def test_who_is_with_whom_is_asked_of_all_films(library):
    library.name("1", "Ada")
    library.name("2", "Bo")
    ada = library.find("ada")
    assert {moment.film.name for moment in ada} == {film for film, _ in who(library)["Ada"]}
    assert library.find("Ada & Bo") == []  # never in one shot
    assert library.find("Ada - Bo") == ada
    with pytest.raises(UsageError, match="Nobody in this library is called 'Cy'"):
        library.find("Ada & Cy")
    with pytest.raises(UsageError, match="lacks a name"):
        library.find("Ada & ")


def test_a_wrong_link_is_undone_and_stays_undone(library):
    known = library.people()[0]
    left, right = known.members[0], known.members[1]
    library.apart(left.id, right.id)

    def parted() -> bool:
        return not any(
            {left.id, right.id} <= {member.id for member in one.members} for one in library.people()
        )

    assert parted()
    assert not any({left.id, right.id} == {d.left.id, d.right.id} for d in library.doubts())
    run(library, again=True)
    assert parted()
    assert Library(library.folder).undo().startswith("Took back")
    assert not parted()


def test_a_link_that_was_said_stays(library):
    one, other = library.people()[:2]
    assert one.films >= other.films
    library.same(one.members[0].id, other.members[0].id)
    assert library.people()[0].members[0].id in {m.id for m in (*one.members, *other.members)}
    assert len(library.people()[0].members) == len(one.members) + len(other.members)
    run(library, again=True)
    assert len(library.people()[0].members) == len(one.members) + len(other.members)
    library.apart(one.members[0].id, other.members[0].id)
    kept = {m.id for m in library.people()[0].members}
    assert not {one.members[0].id, other.members[0].id} <= kept


def test_names_of_a_film_come_into_the_library_and_follow(library, vcn: Vcn):
    film = library.films()[0]
    first = load_run(film.folder).people[0]
    assert vcn("name", film.folder, str(first.number), "Ada Quist").code == 0
    assert set(run(library)) == {"one.mp4", "bad.mp4"}
    (ada,) = [one for one in library.people() if one.name == "Ada Quist"]
    assert ("one.mp4", first.number) in who(library)["Ada Quist"]
    assert ada.films > 1  # it is hers in the others, too


def test_two_names_are_never_one_person(library):
    one = library.people()[0]
    a, b = one.members[:2]
    library.apart(a.id, b.id)
    mine = [known for known in library.people() if a.id in {m.id for m in known.members}]
    library.name(str(mine[0].number), "Ada")
    theirs = [known for known in library.people() if b.id in {m.id for m in known.members}]
    library.name(str(theirs[0].number), "Bo")
    library.link()
    assert {"Ada", "Bo"} <= {known.name for known in library.people()}


def test_another_process_is_waited_for(library):
    running = library.run(InTurn(), device="cpu")
    next(running)
    with pytest.raises(BusyError):
        list(Library(library.folder).run(InTurn()))
    running.close()
    assert list(run(library)) == ["bad.mp4"]


def test_what_was_ended_before_it_linked_is_linked_when_asked(library):
    with sqlite3.connect(library.store.path) as database:
        database.execute("UPDATE members SET person = 0")
    database.close()
    assert all(one.number for one in library.people())


def test_a_film_that_is_run_again_keeps_who_is_who(library):
    library.name("1", "Ada")
    before = who(library)
    assert {one.code for one in run(library, again=True).values()} == {0, 3}
    assert who(library) == before


def test_somebody_is_erased_from_every_film_and_the_library(library):
    library.name("1", "Zoë Quist")
    gone, *others = library.people()
    folders = [library.films()[m.film - 1].folder for m in gone.members]
    totals = dict(zip([m.id for m in library.store.members()], library.store.totals(), strict=True))
    traces = [totals[m.id].tobytes() for m in gone.members]
    proofs = dict(erase_somebody(library, "Zoë Quist"))
    assert list(proofs) == [*folders, library.folder]
    assert not any(proof.found for proof in proofs.values())
    left = b"".join(p.read_bytes() for p in library.folder.rglob("*") if p.is_file())
    assert "Zoë".encode() not in left
    assert not any(trace in left for trace in traces)
    assert [one.members for one in library.people()] == [one.members for one in others]
    assert list(run(library)) == ["bad.mp4"]  # she is not found anew


def test_a_film_is_erased(library):
    library.name("2", "Bo")
    before = [one for one in library.store.members() if one.film != 1]
    folder = library.films()[0].folder
    proofs = dict(erase_film(library, "one.mp4"))
    assert list(proofs) == [folder, library.folder]
    assert not folder.exists()
    assert [film.name for film in library.films()] == ["two.mp4", "three.mp4", "bad.mp4"]
    assert [m.id for m in library.store.members()] == [m.id for m in before]
    with pytest.raises(UsageError, match=r"No film of this library is called 'one\.mp4'"):
        list(erase_film(library, "one.mp4"))


def test_all_is_erased(library, films):
    assert not any(proof.found for _, proof in erase_library(library))
    assert not library.folder.exists()
    assert all(film.exists() for film in films)


def test_what_is_no_library_is_told(tmp_path, films):
    with pytest.raises(InputError, match="holds no library"):
        Library(tmp_path).people()
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="holds other things"):
        Library.init(tmp_path)
    empty = Library.init(tmp_path / "empty", settings=POCKET)
    assert empty.people() == empty.films() == empty.doubts() == []
    with pytest.raises(InputError):
        empty.add([films[0], tmp_path / "missing.mp4"])
    assert empty.films() == []  # all or none
    assert list(empty.run(InTurn())) == []
    (tmp_path / "empty" / "library.sqlite").write_bytes(b"no database at all" * 100)
    with pytest.raises(InputError, match="damaged"):
        empty.people()


def test_only_its_owner_can_read_it(library):
    for path in (library.folder, *library.folder.rglob("*")):
        assert path.stat().st_mode & 0o077 == 0, path


def test_processes_of_their_own_do_the_same(library, films, tmp_path, monkeypatch):
    """By the local engine, with a film that is none and one whose process is killed."""
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    other = Library.init(tmp_path / "other", settings=POCKET)
    other.add([films[0], films[3]])
    told = []
    ran = other.run(LocalEngine(2), device="cpu", told=lambda *now: told.append(now))
    outcomes = {film.name: outcome for film, outcome in ran}
    assert {name: one.code for name, one in outcomes.items()} == {"one.mp4": 0, "bad.mp4": 3}
    assert {stage for film, stage, *_ in told if film == 1} >= {"shots", "model", "report"}
    here, there = library.films()[0].folder, other.films()[0].folder
    for name in ("clusters.npz", "people.json"):
        assert (here / name).read_bytes() == (there / name).read_bytes()


def test_a_job_whose_process_dies_is_an_outcome(films, tmp_path, monkeypatch):
    other = Library.init(tmp_path / "other", settings=POCKET)
    other.add([films[0]])
    engine = LocalEngine(1)

    def kill(*_: object) -> None:
        for process in engine._running:
            process.kill()

    ((_, outcome),) = other.run(engine, device="cpu", told=kill)
    assert outcome.code == 6
    assert "ended with -9" in outcome.sentence
    assert other.films()[0].state == "failed"


def test_the_commands(library, vcn: Vcn, films, tmp_path):
    folder = library.folder
    code, out, _ = vcn("library", "people", folder)
    assert code == 0
    assert "Person 1" in out
    assert vcn("library", "name", folder, "1", "Ada").code == 0
    rows = json.loads(vcn("library", "people", folder, "--json").out)
    assert rows[0]["name"] == "Ada"
    found = json.loads(vcn("library", "find", folder, "Ada", "--json").out)
    assert {row["film"] for row in found} == {row["film"] for row in rows[0]["films"]}
    assert "Took back" in vcn("library", "undo", folder).out
    states = json.loads(vcn("library", "status", folder, "--json").out)
    assert [row["state"] for row in states] == ["done"] * 3 + ["failed"]
    assert vcn("library", "find", folder, "Cy").code == 2
    assert vcn("library", "run", folder, "--address", "x").code == 2
    code, _, err = vcn("library", "run", folder, "--engine", "ray")
    assert (code, err) == (2, "Ray is not installed: run 'pip install \"videoclusternet[ray]\"'.\n")
    code, out, err = vcn("library", "run", folder, "--fail-fast")
    assert code == 1
    assert "bad.mp4" in err
    code, out, _ = vcn("library", "run", folder, "--device", "cpu")
    assert code == 0
    assert "failed" in out
    code, out, _ = vcn("library", "init", tmp_path / "new")
    assert code == 0
    assert "there already" in vcn("library", "add", folder, films[0]).out
    assert vcn("library", "purge", folder, "--film", "two.mp4", "--yes").code == 0
    assert vcn("library", "purge", folder, "--yes").code == 0
    assert not folder.exists()


@pytest.fixture
def photos(tmp_path) -> Path:
    folder = tmp_path / "photos"
    (folder / "Barack Obama").mkdir(parents=True)
    for n, name in enumerate(("demo_obama_speaking", "demo_obama_standing")):
        shutil.copy(locate(DEMO_ASSETS[name]), folder / "Barack Obama" / f"{n}.jpg")
    shutil.copy(locate(DEMO_ASSETS["demo_biden"]), folder / "Joe Biden.jpg")
    (folder / "notes.txt").write_text("no photograph")
    return folder


def test_photographs_name_people_in_every_film(library, photos):
    """Those of Biden are of the film itself, those of Obama others: asked about, and rightly."""
    biden, obama = (library.people()[place].members for place in (1, 0))
    assert enrol(library, photos, "cpu") == ["Barack Obama", "Joe Biden"]
    for _ in library.doubts():
        doubt = library.doubts()[0]
        films = {member.film: member for member in (doubt.left, doubt.right)}
        known = films.pop(max(films))  # the photographs came last
        (other,) = films.values()
        right = {"Barack Obama": obama, "Joe Biden": biden}[known.name]
        assert other.id in {member.id for member in right}
        library.same(doubt.left.id, doubt.right.id)
    named = {known.name: known for known in library.people()}
    for name, members in (("Barack Obama", obama), ("Joe Biden", biden)):
        assert {m.id for m in members} < {m.id for m in named[name].members}
        assert named[name].films == len(members)
    assert [moment.film.name for moment in library.find("joe biden")] == ["one.mp4"] * 2 + [
        "two.mp4"
    ] * 2
    before = [one.id for one in library.store.members()]
    enrol(library, photos, "cpu")
    assert [one.id for one in library.store.members()] == before
    assert set(run(library)) == {"bad.mp4"}  # what is no film is not run


def test_who_was_enrolled_is_erased(library, photos):
    enrol(library, photos, "cpu")
    faces = library.faces(library.films()[-1])
    trace = faces[0].tobytes()  # of Obama, who comes first
    assert not any(proof.found for _, proof in erase_somebody(library, "Barack Obama"))
    assert trace not in b"".join(p.read_bytes() for p in library.folder.rglob("*") if p.is_file())
    assert library.faces(library.films()[-1])[2].any()
    dict(erase_film(library, str(photos)))
    assert not library.films()[-1].of_photos
    assert not list(library.folder.glob("films/photographs-*"))


def test_photographs_that_cannot_be_used_are_told(library, photos, tmp_path):
    (photos / "Nobody.jpg").write_bytes(b"no picture")
    with pytest.raises(InputError, match="no picture of a known kind"):
        enrol(library, photos, "cpu")
    assert not any(film.of_photos for film in library.films())
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="holds no photograph"):
        enrol(library, tmp_path / "empty")
    with pytest.raises(InputError, match="is no folder"):
        enrol(library, tmp_path / "missing")
