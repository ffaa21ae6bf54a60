"""VPCD's faces, in small made-up files."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

import videoclusternet as vcn
from benchmarks.datasets import load_dataset

EPISODE = {
    "face": {
        2: [[5, 0, 0, 9, 9], [6, 0, 0, 9, 9]], 10: [[6, 20, 0, 30, 9]], 11: [[8, 0, 0, 9, 9]],
        12: [[9, 0, 0, 9, 9]],
    },
    "face_feats": {2: [[1.0, 2], [3, 4]], 10: [[5.0, 6]], 12: [[7.0, 8]]},
    "GT": {2: "Monica", 10: "Ross", 11: "Ross"},
}  # fmt: skip


def write_episode(folder, episode=EPISODE, name="episode_01", extra=()):
    """Bring an episode into arrays as the loader's module says."""
    (folder / "friends").mkdir(exist_ok=True, parents=True)
    arrays = {
        f"{part}/{track}": np.asarray(value)
        for part in ("face", "face_feats", "GT")
        for track, value in episode[part].items()
    }
    path = folder / "friends" / f"{name}.npz"
    np.savez(path, **{**arrays, **dict(extra)})
    return path


def test_an_episode_is_read(tmp_path):
    write_episode(tmp_path)
    (film,) = load_dataset("VPCD", tmp_path)
    assert film.name == "friends episode_01"
    assert film.ids.tolist() == ["2", "10", "11", "12"]
    assert film.every_name.tolist() == ["Monica", "Ross", "Ross", ""]
    assert film.kept.tolist() == [0, 1, 3]  # 11 has no features
    assert film.tracks.embeddings.tolist() == [[1, 2], [3, 4], [5, 6], [7, 8]]
    assert film.tracks.counts.tolist() == [2, 1, 1]
    assert film.tracks.first.tolist() == [5, 6, 9]
    assert film.tracks.last.tolist() == [6, 6, 9]
    assert film.tracks.together[0].tolist() == [False, True, False]


def test_the_recipe_of_the_module_makes_what_is_read(tmp_path, monkeypatch):
    from benchmarks.datasets import vpcd

    parts = {part: {t: np.asarray(v) for t, v in of.items()} for part, of in EPISODE.items()}
    (tmp_path / "friends.pkl").write_bytes(pickle.dumps({"episode_01": {**parts, "body": {}}}))
    (tmp_path / "friends").mkdir()
    monkeypatch.chdir(tmp_path)
    lines = vpcd.__doc__.splitlines()
    first = next(i for i, line in enumerate(lines) if "pickle.load" in line)
    recipe = "\n".join(line[4:] for line in lines[first : first + 7])
    opened = []

    def noted(path, mode):
        opened.append(open(path, mode))  # noqa: SIM115
        return opened[-1]

    exec(recipe, {"pickle": pickle, "np": np, "open": noted})
    opened[0].close()
    (film,) = load_dataset("VPCD", tmp_path)
    assert film.names.tolist() == ["Monica", "Ross", ""]


def test_films_come_in_the_order_of_their_numbers(tmp_path):
    for name in ("e10", "e9", "e1"):
        write_episode(tmp_path, name=name)
    names = [film.name for film in load_dataset("VPCD", tmp_path)]
    assert names == ["friends e1", "friends e9", "friends e10"]


def test_boundaries(tmp_path):
    write_episode(tmp_path, {"face": {}, "face_feats": {}, "GT": {}}, "e1")
    several = {"face": {"a/b": np.empty((0, 5))}, "face_feats": {"a/b": np.empty((0, 2))}, "GT": {}}
    write_episode(tmp_path, several, "e2")
    loose = {"face": {}, "face_feats": {3: [[1.0, 2]], 4: [[3.0, 4]]}, "GT": {3: 12, 4: b"Ann"}}
    write_episode(tmp_path, loose, "e3")
    nothing, empty, film = load_dataset("VPCD", tmp_path)
    assert len(nothing.ids) == 0
    assert (len(empty.ids), len(empty.tracks)) == (1, 0)
    assert film.names.tolist() == ["12", "Ann"]
    assert not film.tracks.together.any()  # nobody told of their frames


@pytest.mark.parametrize(
    ("extra", "message"),
    [
        ({"face/2": np.ones((2, 4))}, r"Track 2 of .*boxes of the shape \(2, 4\)"),
        ({"face/2": np.ones((3, 5))}, "Track 2 of .*2 features for 3 boxes"),
        ({"face/2": np.full((2, 5), 0.5)}, "Track 2 of .*no frame numbers"),
        ({"face_feats/10": np.ones((1, 3))}, "features of 3 numbers for track 10"),
        ({"face_feats/10": np.full((1, 2), np.nan)}, "Track 10 of .*not finite"),
        ({"GT/2": np.array(["a", "b"])}, "Track 2 of .* for its name"),
        ({"GT/2": np.array(1.5)}, "Track 2 of .*float64"),
        ({"GT/2": np.array([{"a": 1}], object)}, "is no file of arrays"),
        ({"body/2": np.ones((2, 5))}, "'body/2', which is no part"),
        ({"face": np.ones((2, 5))}, "'face', which is no part"),
    ],
)
def test_damage_is_said(tmp_path, extra, message):
    path = write_episode(tmp_path, extra=extra)
    with pytest.raises(vcn.InputError, match=message) as caught:
        load_dataset("VPCD", tmp_path)
    assert str(path) in str(caught.value)


def test_what_is_missing_is_asked_for_and_a_pickle_is_left_alone(tmp_path):
    with pytest.raises(vcn.InputError, match=r"no folder .*Andrew-Brown1"):
        load_dataset("VPCD", tmp_path / "none")
    (tmp_path / "friends.pkl").write_bytes(pickle.dumps({}))
    with pytest.raises(vcn.InputError, match=r"no folder of a program set.*pickles become"):
        load_dataset("VPCD", tmp_path)
    write_episode(tmp_path)
    (tmp_path / "sherlock").mkdir()
    with pytest.raises(vcn.InputError, match="sherlock has no EPISODE"):
        load_dataset("VPCD", tmp_path)
