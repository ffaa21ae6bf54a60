"""What a person says by the command line: the same acts, and the same last word."""

from __future__ import annotations

import csv
import json
import shutil
from pathlib import Path

import av
import pytest

from tests.command import Vcn
from videoclusternet.results.exports.formats import FOLDERS, FORMATS
from videoclusternet.run_view import RunView, load_run
from videoclusternet.video.stream import open_video
from videoclusternet.workspace import Run


def names(folder: Path) -> list[str]:
    with open(folder / "people.csv", newline="") as file:
        return list(dict.fromkeys(row["person"] for row in csv.DictReader(file)))


def test_a_script_names_merges_splits_ignores_and_takes_back(vcn: Vcn, folder: Path) -> None:
    before = {person.name: person.tracks for person in load_run(folder).people}
    assert vcn("name", folder, "Person 1", "Ada").out == "Person 1 is Ada.\n"
    assert names(folder)[0] == "Ada"
    assert vcn("merge", folder, "Ada", "2", "person 3").code == 0
    people = json.loads((folder / "people.json").read_text())["people"]
    ada = next(person for person in people if person["name"] == "Ada")
    assert ada["tracks"] == sorted(before["Person 1"] + before["Person 2"] + before["Person 3"])
    assert vcn("ignore", folder, "4").out == "Person 4 is ignored.\n"
    assert vcn("split", folder, "Person 5").code == 0
    first = before["Person 6"][0]
    assert vcn("split", folder, "Person 6", "--track", first).code == 0
    after = {person.name: person.tracks for person in load_run(folder).people}
    assert after[f"Person {len(before) + 2}"] == (first,)
    assert "Ada" in (folder / "report.html").read_text()
    told = vcn("review", folder, "--log").out.splitlines()
    assert [line.split("  ")[-1] for line in told[:3]] == [
        "The film was run", "Person 1 is Ada", "Person 2, Person 3 and Ada are one person",
    ]  # fmt: skip
    for _ in range(5):
        assert vcn("undo", folder).code == 0
    assert {person.name: person.tracks for person in load_run(folder).people} == before
    assert names(folder) == list(before)
    assert vcn("undo", folder).code == 2
    assert vcn("redo", folder).out == "Did again: Person 1 is Ada.\n"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ["name", "Person 99", "Ada"],
            "Nobody in this run is called 'Person 99': 'vcn show' prints who is there.",
        ),
        (["name", "1", "Unknown"], "Nobody can be called 'Unknown'"),
        (["merge", "1", "1"], "It takes two people to merge: name one more."),
        (
            ["split", "1", "--track", "99999"],
            "Track 99999 is not one of Person 1: 'vcn review' shows whose it is.",
        ),
        (
            ["split", "Unknown"],
            "Nobody in this run is called 'Unknown': 'vcn show' prints who is there.",
        ),
        (["redo"], "There is nothing to do again."),
    ],
)
def test_what_cannot_be_meant_is_a_sentence(
    vcn: Vcn,
    folder: Path,
    words: list[str],
    told: str,
) -> None:
    code, out, err = vcn(words[0], folder, *words[1:])
    assert (code, out) == (2, "")
    assert err.startswith(told)


def test_the_last_word_is_what_is_shown_scored_and_explained(
    vcn: Vcn,
    folder: Path,
    demo_run: RunView,
) -> None:
    truth = Path(demo_run.manifest.film.path).with_suffix(".truth.csv")
    before = json.loads(vcn("eval", folder, "--truth", truth, "--json").out)
    tracks = {person.name: person.tracks for person in load_run(folder).people}
    vcn("merge", folder, "1", "2")
    after = json.loads(vcn("eval", folder, "--truth", truth, "--json").out)
    assert after["predicted"] == before["predicted"] - 1
    assert after["bcubed_precision"] < before["bcubed_precision"]
    pair = tracks["Person 1"][0], tracks["Person 2"][0]
    assert "somebody said so" in vcn("show", folder, "--why", *map(str, pair)).out
    assert "Person 2" not in vcn("show", folder).out


def test_a_run_at_work_shows_in_the_end_what_was_said(vcn: Vcn, folder: Path) -> None:
    with Run.reopen(folder):
        code, out, err = vcn("name", folder, "1", "Ada")
    assert (code, out) == (0, "Person 1 is Ada.\n")
    assert "A run works in this folder" in err
    assert "Ada" in vcn("show", folder).out


@pytest.mark.parametrize("command", ["review", "undo", "ignore"])
def test_a_folder_without_a_run_is_a_sentence(
    vcn: Vcn,
    tmp_path: Path,
    command: str,
) -> None:
    words = ["1"] if command == "ignore" else ["--no-open"] if command == "review" else []
    code, out, err = vcn(command, tmp_path, *words)
    assert (code, out) == (3, "")
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_film_that_moved_or_is_another(vcn: Vcn, folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.mp4"
    other.write_bytes(b"no film")
    code, _, err = vcn("review", folder, "--no-open", "--film", other)
    assert code == 3
    assert "is not the film of this run" in err


@pytest.mark.parametrize("name", FORMATS)
def test_a_real_run_is_exported_to_every_format(
    vcn: Vcn, demo_run: RunView, tmp_path: Path, name: str
) -> None:
    out = tmp_path / "out"
    assert vcn("export", demo_run.folder, name, "-o", out) == (0, "", "")
    told = out.read_bytes().decode("utf-8", "backslashreplace")  # Parquet is no text
    assert vcn("export", demo_run.folder, name).out == told
    assert out.stat().st_mode & 0o777 == 0o600


def test_what_cannot_be_exported_is_a_sentence(vcn: Vcn, demo_run: RunView, tmp_path: Path) -> None:
    assert vcn("export", "--list").out.count("\n") == len(FORMATS | FOLDERS)
    for words in ([], [demo_run.folder], [demo_run.folder, "xls"]):
        code, _, err = vcn("export", *words)
        assert (code, err.count("\n")) == (2, 1)
    who = vcn("export", demo_run.folder, "srt", "--person", "Nobody", "-o", tmp_path / "x")
    assert who.code == 2
    assert not (tmp_path / "x").exists()
    assert vcn("export", demo_run.folder, "faces").code == 2  # and where to?


@pytest.mark.parametrize("name", FOLDERS)
def test_a_real_run_is_exported_as_pictures(
    vcn: Vcn, demo_run: RunView, tmp_path: Path, name: str
) -> None:
    out = tmp_path / "out"
    assert vcn("export", demo_run.folder, name, "-o", out, "--person", "2").code == 0
    (found,) = out.iterdir()
    person = demo_run.people[1]
    crops = sum(int(demo_run.crops.counts[track]) for track in person.tracks)
    count = crops if name == "faces" else len({int(demo_run.crops.frame[r]) for r in person.faces})
    assert len([*found.glob("*.jpg")]) == count
    assert out.stat().st_mode & 0o777 == 0o700
    assert vcn("export", demo_run.folder, name, "-o", out).code == 3  # it is there already


def test_a_real_run_becomes_films(
    vcn: Vcn, folder: Path, demo_run: RunView, tmp_path: Path
) -> None:
    film = Path(demo_run.manifest.film.path)
    drawn, strung = tmp_path / "drawn.mp4", tmp_path / "strung.mkv"
    assert vcn("stringout", folder, "--person", "1", "-o", strung).code == 0
    assert vcn("overlay", folder, "-o", drawn).code == 0
    before, after = (open_video(path).info for path in (film, drawn))
    assert (after.width, after.height, after.frames) == (before.width, before.height, before.frames)
    with av.open(str(strung)) as container:
        shown = sum(1 for _ in container.decode(video=0))
    assert shown == round(demo_run.people[0].seconds * 25)
    assert vcn("overlay", folder, "-o", tmp_path / "x.gif").code == 2
    assert vcn("stringout", folder, "-o", tmp_path / "x.mp4", "--min-seconds", "1e9").code == 2
    elsewhere = ["--film", Path(shutil.copy(film, tmp_path / "moved.mp4"))]
    assert vcn("stringout", folder, "-o", tmp_path / "y.mp4", "--person", "3", *elsewhere).code == 0


def test_a_run_is_asked(vcn: Vcn, folder: Path, demo_run: RunView) -> None:
    counted = json.loads(vcn("stats", folder, "--json").out)
    people = load_run(folder).people
    assert [row["name"] for row in counted["people"]] == [person.name for person in people]
    pair = counted["together"][0]
    moments = json.loads(vcn("find", folder, f"{pair['left']} & {pair['right']}", "--json").out)
    assert len(moments) == pair["moments"]
    assert vcn("find", folder, "1 & Nobody").code == 2
    assert vcn("stats", folder).out.count("\n") == len(people) + len(counted["together"])
    assert "0 of" in vcn("compare", demo_run.folder, folder).out
    vcn("merge", folder, "1", "2")
    told = json.loads(vcn("compare", demo_run.folder, folder, "--json").out)
    assert len(told["changes"]) == min(len(people[0].tracks), len(people[1].tracks))
