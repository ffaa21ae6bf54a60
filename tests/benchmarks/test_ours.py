"""Ours on what a data set has: its pictures, or its features alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch

from benchmarks import ours
from benchmarks.__main__ import main
from benchmarks.compare import dataset_entries
from benchmarks.datasets.film import LabelledFilm
from benchmarks.ours import FeatureModel, as_pictures, run_labelled
from tests.benchmarks.datasets.test_pictures import draw
from tests.benchmarks.methods.drawn import draw_film
from videoclusternet.config import load_config

QUICK = [
    "finetune.hidden=16", "finetune.outputs=16", "finetune.batch=8", "finetune.head_passes=20",
    "finetune.heads=2",
]  # fmt: skip


def labelled(tracks, who):
    ids = np.arange(len(tracks)).astype(np.str_)
    names = np.array([f"person {n}" for n in who], np.str_)
    return LabelledFilm("drawn", tracks, np.arange(len(tracks)), ids, names)


@pytest.mark.parametrize("dimension", [1, 3, 7, 12])
@pytest.mark.parametrize("people", [0, 1, 3])
def test_features_survive_as_pictures(dimension, people):
    film, _ = draw_film(people, 1, crops=1)
    film = replace(film, embeddings=film.embeddings[:, :dimension])
    crops = as_pictures(film)
    model = FeatureModel(dimension, load_config("standard", QUICK).finetune, 0)
    with torch.no_grad():
        seen = model.tail(model.trunk(torch.tensor(crops.images)))
    np.testing.assert_array_equal(seen.numpy(), film.embeddings)
    np.testing.assert_array_equal(crops.track, film.track)


@pytest.mark.parametrize("seed", [0, 1])
def test_people_are_told_apart_by_their_features(seed):
    tracks, who = draw_film(4, 3, crops=6, spread=0.15, seed=seed)
    film = labelled(tracks, who)
    config = load_config("standard", ["crops.most=5"])
    labels = run_labelled(film, config, seed)
    assert film.scored(labels).bcubed_precision == 1
    assert film.scored(labels).bcubed_f1 > 0.9
    np.testing.assert_array_equal(labels, run_labelled(film, config, seed))


@pytest.mark.parametrize(("people", "tracks"), [(0, 0), (1, 1), (1, 2)])
def test_hardly_anybody(people, tracks):
    drawn, who = draw_film(people, tracks, crops=2)
    labels = run_labelled(labelled(drawn, who), load_config("standard", QUICK), 0)
    assert labels.shape == (people * tracks,)


def test_a_track_without_a_crop_is_nobody():
    tracks, who = draw_film(2, 2)
    film = labelled(tracks, who)
    film = replace(
        film, kept=np.array([0, 1, 3, 4]), ids=np.arange(5).astype(np.str_),
        every_name=np.array([*film.every_name[:2], "lost", *film.every_name[2:]]),
    )  # fmt: skip
    labels = run_labelled(film, load_config("standard", QUICK), 0)
    assert labels[2] == -1
    assert (labels[[0, 1, 3, 4]] >= 0).all()


def series(folder, tracks, who):
    """Write a film of features as the six episodes of a series."""
    for n in range(1, 7):
        name = f"bbt_s01e{n:02}"
        (folder / "features" / name).mkdir(parents=True)
        lines = ["CVHCI_TRACKLABELS_V1"]
        for track, person in enumerate(who.tolist()):
            values = tracks.embeddings[tracks.track == track]
            np.save(folder / "features" / name / f"{track}.npy", values)
            lines.append(f"{track} {'unknown_e' + str(n) if person == 2 else f'person{person}'}")
        (folder / "ids").mkdir(exist_ok=True)
        (folder / "ids" / f"{name}.ids").write_text("\n".join(lines) + "\n")


def test_a_series_goes_through_the_comparison(tmp_path, capsys, monkeypatch):
    tracks, who = draw_film(3, 2, crops=3, meet=False)
    series(tmp_path / "BBT", tracks, who)
    call = [
        "run", "--dataset", f"BBT={tmp_path / 'BBT'}", "--methods", "HAC average, told people",
        "HAC average", "--seeds", "0", "--out", str(tmp_path / "out.json"),
        "--work", str(tmp_path / "work"), *(f"--set={change}" for change in QUICK),
    ]  # fmt: skip
    assert main(call) == 0
    table = capsys.readouterr().out
    assert "bbt_s01e06" in table
    assert "| HAC average, told people | how many people | 1.000" in table
    monkeypatch.setattr(ours, "tune_model", lambda *_, **__: pytest.fail("tuned twice"))
    assert main(call) == 0
    assert capsys.readouterr().out == table


def test_one_film_alone_has_nobody_to_learn_from(tmp_path, capsys):
    tracks, who = draw_film(3, 2, crops=3, meet=False)
    series(tmp_path / "BBT", tracks, who)
    call = [
        "run", "--dataset", f"BBT={tmp_path / 'BBT'}", "--combined", "--seeds", "0",
        "--methods", "BCL", "HAC average", "HDBSCAN", "--out", str(tmp_path / "out.json"),
        "--work", str(tmp_path / "work"), *(f"--set={change}" for change in QUICK),
    ]  # fmt: skip
    assert main(call) == 0
    table = capsys.readouterr().out
    assert "HDBSCAN" in table
    assert "BCL" not in table
    assert "HAC average" not in table


def test_background_people_are_left_out_and_episodes_are_one_on_request(tmp_path):
    tracks, who = draw_film(3, 2, crops=3, meet=False)
    series(tmp_path / "BBT", tracks, who)
    given = ("BBT", tmp_path / "BBT", tmp_path, "standard", QUICK)
    assert [entry.film.people for entry in dataset_entries(*given)] == [3] * 6
    assert [entry.film.people for entry in dataset_entries(*given, named=True)] == [2] * 6
    (one,) = dataset_entries(*given, combined=True)
    assert (one.film.name, one.film.people, len(one.film.tracks)) == ("BBT", 2 + 6, 36)
    (one,) = dataset_entries(*given, combined=True, named=True)
    assert one.film.people == 2


def test_pictures_are_seen_by_the_network_of_the_settings(tmp_path):
    for track, grey in {"1": 30, "2": 40, "3": 200}.items():
        for n in range(2):
            draw(tmp_path / "film" / "tracks" / track / f"{n}.png", grey + n, (150, 150))
    (tmp_path / "film" / "names.csv").write_text("track,name\n1,Ann\n2,Ann\n3,Bob\n4,Cid\n")
    given = (tmp_path, "standard", [*QUICK, "finetune.rounds=1", "finetune.passes=1"])
    (entry,) = dataset_entries("pictures", tmp_path / "film", *given)
    assert entry.film.tracks.embeddings.shape == (6, 128)
    labels = entry.ours(0)
    assert labels.shape == (4,)
    assert labels[3] == -1
    assert (labels[:3] >= 0).all()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "Name films with their truth"),
        (["a.mp4:b.csv", "--dataset", "BBT=x"], "Name films with their truth"),
        (["--dataset", "BBT"], "write NAME=FOLDER"),
        (["--dataset", "BTB=x"], "no data set 'BTB'"),
    ],
)
def test_what_cannot_be_meant_is_said(arguments, words, tmp_path, capsys):
    assert main(["run", *arguments, "--work", str(tmp_path)]) == 2
    assert words in capsys.readouterr().err
