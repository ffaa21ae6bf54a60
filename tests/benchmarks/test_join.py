"""Films of truth/ are made of the files that were labelled, and of no others."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from benchmarks import join
from benchmarks.__main__ import main
from benchmarks.join import RATE, TRUTH, read_films
from videoclusternet.results.truth import read_truth
from videoclusternet.video.stream import open_video
from videoclusternet.video.writer import write_video


def frames_of(path):
    return np.array([frame.rgb() for frame in open_video(path).frames()], np.float64)


@pytest.fixture
def sources(tmp_path, monkeypatch):
    """A bright wide clip and a dark tall one, and a list that names them."""
    films = {"both": {"size": [64, 48], "parts": []}, "one": {"parts": []}}
    for n, (wide, tall, grey) in enumerate(((96, 48, 200), (32, 64, 90))):
        path = tmp_path / "owner" / "repository" / f"{n}.mp4"
        path.parent.mkdir(parents=True, exist_ok=True)
        write_video(path, np.full((3 + n, tall, wide, 3), grey, np.uint8), 30, (wide, tall))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        part = {"repository": "owner/repository", "path": f"{n}.mp4", "sha256": digest}
        films["both"]["parts"].append(part)
    films["one"]["parts"].append(films["both"]["parts"][1])
    monkeypatch.setattr(join, "read_films", lambda: films)
    return tmp_path


def test_parts_follow_each_other_fitted_into_black(sources, capsys):
    out = sources / "both.mp4"
    assert main(["join", "both", "--sources", str(sources), "--out", str(out)]) == 0
    assert capsys.readouterr().out.startswith(f"{out}:")
    film, frames = open_video(out), frames_of(out)
    assert film.info.fps == RATE
    assert frames.shape == (7, 48, 64, 3)
    wide, tall = frames[:3].mean((0, 3)), frames[3:].mean((0, 3))
    assert wide[:6].max() < 20
    assert wide[-6:].max() < 20
    assert abs(wide[12:36].mean() - 200) < 8
    assert tall[:, :18].max() < 20
    assert tall[:, -18:].max() < 20
    assert abs(tall[:, 22:42].mean() - 90) < 8


def test_a_film_of_one_file_is_that_file(sources):
    out = sources / "one.mp4"
    assert main(["join", "one", "--sources", str(sources), "--out", str(out)]) == 0
    assert out.read_bytes() == (sources / "owner" / "repository" / "1.mp4").read_bytes()


def test_what_is_missing_or_another_file_is_said_and_nothing_is_written(sources, capsys):
    def asked(name):
        out = sources / "out.mp4"
        code = main(["join", name, "--sources", str(sources), "--out", str(out)])
        assert not out.exists()
        return code, capsys.readouterr().err

    code, words = asked("none")
    assert (code, "there are both, one" in words) == (2, True)
    path = sources / "owner" / "repository" / "1.mp4"
    path.write_bytes(path.read_bytes() + b"more")
    code, words = asked("both")
    assert (code, "not the file that was labelled" in words) == (3, True)
    path.unlink()
    code, words = asked("both")
    assert (code, "it is 1.mp4 of github.com/owner/repository" in words) == (3, True)


def test_every_film_of_the_list_has_a_truth_and_every_truth_a_film():
    films = read_films()
    assert sorted(films) == sorted(p.name.split(".")[0] for p in TRUTH.glob("*.truth.csv"))
    for name, film in films.items():
        assert len(read_truth(TRUTH / f"{name}.truth.csv")) > 0
        assert len(film["parts"]) == 1 or len(film["size"]) == 2
        assert all(len(part["sha256"]) == 64 for part in film["parts"])
