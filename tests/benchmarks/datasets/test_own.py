"""A run and a truth file make the film that the comparison makes of them."""

from __future__ import annotations

import json
from types import SimpleNamespace

import numpy as np
import pytest

import videoclusternet as vcn
from benchmarks.compare import film_entry
from benchmarks.datasets import Network, own
from benchmarks.datasets.own import load_own
from tests.benchmarks.test_compare import QUICK, case  # noqa: F401
from videoclusternet.records import Crops, Tracks
from videoclusternet.results.truth import COLUMNS


@pytest.fixture(scope="module")
def compared(case, tmp_path_factory):  # noqa: F811
    work = tmp_path_factory.mktemp("work")
    return film_entry(case, work, "standard", QUICK).film, work / "film-0", case.truth


def test_a_run_is_loaded_as_it_is_compared(compared):
    expected, folder, truth = compared
    film = load_own(folder, truth)
    assert film.name == "film"
    np.testing.assert_array_equal(film.tracks.embeddings, expected.tracks.embeddings)
    for column in ("counts", "first", "last"):
        np.testing.assert_array_equal(
            getattr(film.tracks, column), getattr(expected.tracks, column)
        )
    np.testing.assert_array_equal(film.kept, expected.kept)
    np.testing.assert_array_equal(film.every_name, expected.every_name)


def test_another_network_may_see_it(compared):
    _, folder, truth = compared
    film = load_own(folder, truth, Network(lambda images: images[:, 0, 0].astype(np.float32), 150))
    assert film.tracks.embeddings.shape[1] == 3
    with pytest.raises(vcn.InputError, match=r"of 150 pixels, and the network takes 112"):
        load_own(folder, truth, Network(lambda _: pytest.fail("it saw them"), 112))


def test_what_is_missing_or_damaged_is_said(compared, tmp_path):
    _, folder, truth = compared
    with pytest.raises(vcn.InputError, match="holds no run"):
        load_own(tmp_path, truth)
    with pytest.raises(vcn.InputError, match="truth file"):
        load_own(folder, tmp_path / "none.csv")
    note = json.loads((folder / "run.json").read_text())
    try:
        changed = {**note, "settings": {"backbones": "dlib_resnet"}}
        (folder / "run.json").write_text(json.dumps(changed))
        with pytest.raises(vcn.InputError, match="settings of another version"):
            load_own(folder, truth)
    finally:
        (folder / "run.json").write_text(json.dumps(note))


def made_run(spans, counts):
    """Return what a run view has of tracks in these frames with so many crops each."""
    rows = [(t, frame) for t, span in enumerate(spans) for frame in range(span[0], span[1] + 1)]
    n = len(rows)
    track, frame = np.array(rows, np.int64).reshape(-1, 2).T
    box = np.stack([100 * track, 0 * track, 100 * track + 50, 0 * track + 50], 1)
    tracks = Tracks(
        track, frame, box.astype(np.float32), np.zeros((n, 5, 2), np.float32),
        *np.ones((4, n), np.float32), np.ones(n, bool), np.zeros(n, bool),
    )  # fmt: skip
    owner = np.repeat(np.arange(len(counts)), counts)
    images = np.repeat(owner, 12).reshape(-1, 2, 2, 3).astype(np.uint8)
    nothing = np.zeros(len(owner), np.float32)
    crops = Crops(images, owner, np.arange(len(owner)), nothing, nothing, np.array(counts, int))
    manifest = SimpleNamespace(film=SimpleNamespace(name="drawn.film.mp4"), settings={})
    return SimpleNamespace(tracks=tracks, crops=crops, manifest=manifest)


@pytest.mark.parametrize("counts", [(2, 0, 1, 1), (0, 0, 0, 3), (1, 1, 1, 0), (0, 0, 0, 0)])
def test_tracks_without_crops_are_counted_only(tmp_path, monkeypatch, counts):
    spans = [(0, 3), (2, 4), (4, 6), (5, 6)]
    monkeypatch.setattr(own.vcn, "load_run", lambda _: made_run(spans, counts))
    truth = tmp_path / "truth.csv"
    names = ["Ann", "Bob", "?", None]
    lines = [
        f"{span[0]},{100 * t},0,{100 * t + 50},50,{name}"
        for t, (span, name) in enumerate(zip(spans, names, strict=True))
        if name
    ]
    truth.write_text("\n".join([",".join(COLUMNS), *lines]))
    film = load_own(tmp_path, truth, Network(lambda images: images[:, 0, 0].astype(np.float32), 2))
    kept = [i for i in range(4) if counts[i]]
    assert film.name == "drawn.film"
    assert film.kept.tolist() == kept
    assert film.every_name.tolist() == ["Ann", "Bob", "", ""]
    assert film.names.tolist() == [film.every_name[i] for i in kept]
    assert film.tracks.embeddings[:, :1].ravel().tolist() == [
        i for i in kept for _ in range(counts[i])
    ]
    assert [*zip(film.tracks.first, film.tracks.last, strict=True)] == [spans[i] for i in kept]
    assert film.without_crops == 4 - len(kept)


def test_a_run_without_tracks_is_a_film_of_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(own.vcn, "load_run", lambda _: made_run([], []))
    truth = tmp_path / "truth.csv"
    truth.write_text(f"{','.join(COLUMNS)}\n0,0,0,9,9,Ann\n")
    film = load_own(tmp_path, truth, Network(lambda images: images[:, 0, 0].astype(np.float32), 2))
    assert len(film.tracks) == len(film.ids) == 0
