"""Nothing is left of a run, or of a person, and everybody else is as before."""

from __future__ import annotations

import base64
import io
import json
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from tests.command import Vcn
from videoclusternet.errors import InputError
from videoclusternet.manifest import Manifest
from videoclusternet.pipeline import process_film
from videoclusternet.purge.proof import search
from videoclusternet.results.drawing import small_face
from videoclusternet.run_view import RunView, load_run
from videoclusternet.web.session import Session

NAME = "Zoë Quist"


def everything(folder: Path) -> bytes:
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()))


def test_a_person_is_erased_and_the_others_stay(vcn: Vcn, folder: Path, demo_run: RunView) -> None:
    for who, name in (("3", NAME), ("5", "Bob"), ("1", "Ada")):
        assert vcn("name", folder, who, name).code == 0
    before = load_run(folder)
    zoe = next(person for person in before.people if person.name == NAME)
    others = [p for p in before.people if p.name != NAME]
    pixels = [before.crops.images[row].copy() for row in zoe.faces]
    sides = [before.signatures.p[track].tobytes() for track in zoe.tracks]
    told, detected = everything(folder), len(before.faces)
    assert NAME.encode() in told
    assert all(image[75].tobytes() in told for image in pixels)

    code, out, err = vcn("purge", folder, "--person", NAME, "--yes")
    assert (code, err) == (0, "")
    assert "model.safetensors" in out
    assert re.search(r"Searched for \d\d+ traces in \d+ files: 0 found", out)

    left = everything(folder)
    assert NAME.encode() not in left
    assert json.dumps(NAME)[1:-1].encode() not in left
    assert not any(side in left for side in sides)
    for image in pixels:
        assert image[75].tobytes() not in left
        assert base64.b64encode(small_face(image)) not in left
    assert not (folder / "model.safetensors").exists()
    after = load_run(folder)
    assert [(p.name, p.number, p.seconds) for p in after.people] == [
        (p.name, p.number, p.seconds) for p in others
    ]
    assert len(after.faces) < detected
    assert len(after.links) == 0  # until the next run
    assert Session(folder).now().questions is not None  # and a review goes on without
    assert len(after.crops) == len(before.crops) - before.crops.counts[list(zoe.tracks)].sum()
    ada, was = after.people[0], next(p for p in others if p.name == "Ada")
    assert np.array_equal(after.crops.images[ada.faces[0]], before.crops.images[was.faces[0]])
    assert vcn("undo", folder).code == 2  # there is no history to go back to
    assert vcn("purge", folder, "--person", NAME, "--yes").code == 2
    again = process_film(Path(before.manifest.film.path), folder, "fast", device="cpu")
    assert {p.name for p in again.people} >= {"Ada", "Bob"}
    assert again.tracks.count == after.tracks.count  # the film is not searched for her again


def test_a_run_is_erased_whole(vcn: Vcn, folder: Path) -> None:
    vcn("name", folder, "1", "Ada")
    (folder / "report.html.part").write_text("left aside")
    code, out, _ = vcn("purge", folder, "--yes", "--json")
    proof = json.loads(out)[str(folder)]
    assert code == 0
    assert {"crops.npy", "model.safetensors", "signatures.npz", "review.sqlite", "run.json"} <= {
        one["name"] for one in proof["files"]
    }
    assert not folder.exists()
    assert vcn("purge", folder, "--yes").code == 3


def test_what_is_not_ours_is_left_and_copies_are_found(vcn: Vcn, folder: Path) -> None:
    (folder / "copy.html").write_bytes((folder / "report.html").read_bytes())
    (folder / "notes.txt").write_text("mine")
    code, out, err = vcn("purge", folder, "--yes")
    assert code == 6  # a copy of the report shows everybody
    assert "copy.html still holds" in err
    assert sorted(path.name for path in folder.iterdir()) == ["copy.html", "notes.txt"]
    assert "1 found" in out


def test_only_who_means_it_erases(
    vcn: Vcn, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert vcn("purge", folder).code == 1  # nobody said yes
    assert vcn("purge", folder, "--person", "Nobody", "--yes").code == 2
    assert vcn("purge", folder, "--person", "1", "--older-than", "3", "--yes").code == 2
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "film.mp4").write_text("a film")
    assert vcn("purge", tmp_path / "mine", "--yes").code == 3
    assert (tmp_path / "mine" / "film.mp4").exists()
    assert len(load_run(folder).people) > 0


def test_runs_are_kept_as_long_as_wanted(vcn: Vcn, folder: Path, tmp_path: Path) -> None:
    assert vcn("purge", tmp_path, "--older-than", "30", "--yes").code == 0
    assert folder.exists()
    manifest = Manifest.load(folder)
    for note in manifest.stages.values():
        note.finished = datetime.now(UTC) - timedelta(days=31)
    manifest.save(folder)
    assert vcn("purge", tmp_path, "--older-than", "30", "--yes").code == 0
    assert not folder.exists()


def test_everybody_can_be_erased(folder: Path, vcn: Vcn) -> None:
    for _ in range(len(load_run(folder).people)):
        who = str(load_run(folder).people[0].number)
        assert vcn("purge", folder, "--person", who, "--yes").code == 0
    view = load_run(folder)
    assert len(view.people) == 0
    assert "No faces were found" in view.report.read_text()
    with pytest.raises(InputError, match="not come as far as 'model'"):
        _ = view.model


def test_a_trace_is_found_wherever_it_lies(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "a").write_bytes(b"x" * 10_000 + b"SECRET" + b"y")
    (tmp_path / "empty").touch()
    assert search(tmp_path, [b"SECRET", b"ab"]) == (2, [str(tmp_path / "deep" / "a")])
    assert search(tmp_path, [b"x"]) == (2, [])  # too short to mean anything
