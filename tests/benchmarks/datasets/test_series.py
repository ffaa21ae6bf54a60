"""BBT and BVS, in small made-up files laid out as the published ones."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.io import savemat

import videoclusternet as vcn
from benchmarks.datasets import load_dataset
from benchmarks.datasets.series import BBT, BVS, HEADER, load_series, read_labels, read_spans

LABELS = f"{HEADER}\n7 sheldon\n11 leonard\n14 unknown_e01_1\n15 sheldon\n"


def write_video(folder, video="bbt_s01e01", labels=LABELS, tracks=(7, 11, 14, 15), width=3):
    (folder / "ids").mkdir(parents=True, exist_ok=True)
    (folder / "features" / video).mkdir(parents=True)
    (folder / "ids" / f"{video}.ids").write_bytes(labels.encode())
    for track in tracks:
        np.save(
            folder / "features" / video / f"{track}.npy", np.full((2, width), track, np.float32)
        )
    return folder


def write_spans(folder, spans, video="bbt_s01e01"):
    (folder / "tracks").mkdir(exist_ok=True)
    rows = [{"trackerId": tracker, "frames": frames} for tracker, frames in spans]
    path = folder / "tracks" / f"{video}_facetracks.mat"
    savemat(
        path,
        {
            "FaceTracks": np.array(
                [tuple(r.values()) for r in rows], [("trackerId", "O"), ("frames", "O")]
            )
        },
    )
    return path


def load_one(folder):
    (film,) = load_series(folder, BBT[:1])
    return film


def test_an_episode_is_read(tmp_path):
    film = load_one(write_video(tmp_path))
    assert film.name == "bbt_s01e01"
    assert film.ids.tolist() == ["7", "11", "14", "15"]  # as numbers, not as texts
    assert film.names.tolist() == ["sheldon", "leonard", "unknown_e01_1", "sheldon"]
    assert film.background == {"unknown_e01_1"}
    assert film.tracks.counts.tolist() == [2, 2, 2, 2]
    assert film.tracks.embeddings[:, 0].tolist() == [7, 7, 11, 11, 14, 14, 15, 15]
    assert not film.tracks.together.any()


@pytest.mark.parametrize(("name", "videos"), [("BBT", BBT), ("BVS", BVS)])
def test_all_six_episodes_must_be_there(tmp_path, name, videos):
    for video in videos[:5]:
        write_video(tmp_path, video)
    with pytest.raises(vcn.InputError, match=rf"{videos[5]}\.ids: .*BallClustering_ICCV2019"):
        load_dataset(name, tmp_path)
    write_video(tmp_path, videos[5])
    assert [film.name for film in load_dataset(name, tmp_path)] == list(videos)


def test_a_track_may_lack_features_or_a_label(tmp_path):
    write_video(tmp_path, tracks=(7, 14, 99))
    np.save(tmp_path / "features" / "bbt_s01e01" / "15.npy", np.empty((0, 3)))
    film = load_one(tmp_path)
    assert film.ids.tolist() == ["7", "11", "14", "15", "99"]
    assert film.kept.tolist() == [0, 2, 4]
    assert film.names.tolist() == ["sheldon", "unknown_e01_1", ""]
    assert film.every_name.tolist() == ["sheldon", "leonard", "unknown_e01_1", "sheldon", ""]
    assert film.without_crops == 2


@pytest.mark.parametrize("labels", [f"{HEADER}\n", HEADER, f"\ufeff{HEADER}\r\n\r\n"])
def test_an_episode_may_have_no_tracks(tmp_path, labels):
    film = load_one(write_video(tmp_path, labels=labels, tracks=()))
    assert len(film.tracks) == len(film.ids) == 0


@pytest.mark.parametrize("end", ["\r\n", "\n\n", " \n", "\r"])
def test_lines_may_end_in_any_way(tmp_path, end):
    plain = read_labels(write_video(tmp_path / "a") / "ids" / "bbt_s01e01.ids")
    other = write_video(tmp_path / "b", labels=LABELS.replace("\n", end))
    assert read_labels(other / "ids" / "bbt_s01e01.ids") == plain
    assert list(plain.items())[2] == (14, "unknown_e01_1")


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ("", "Line 1 .* is '', not 'CVHCI_TRACKLABELS_V1'"),
        ("CVHCI_TRACKLABELS_V2\n7 sheldon\n", "Line 1 .*V2"),
        ("7 sheldon\n", "Line 1 .*7 sheldon"),
        (f"{HEADER}\n7 sheldon\n8\n", "Line 3 .* is '8', not"),
        (f"{HEADER}\n7 sheldon cooper\n", "Line 2 .*cooper"),
        (f"{HEADER}\n\nx sheldon\n", "Line 3 .*x sheldon"),
        (f"{HEADER}\n-7 sheldon\n", "Line 2 .*-7"),
        (f"{HEADER}\n7 sheldon\n8 penny\n07 sheldon\n", "Line 4 .*track 7 for the second time"),
    ],
)
def test_a_damaged_label_file_names_its_line(tmp_path, labels, message):
    with pytest.raises(vcn.InputError, match=message) as caught:
        load_one(write_video(tmp_path, labels=labels))
    assert "bbt_s01e01.ids" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_damaged_features_name_their_file(tmp_path):
    folder = write_video(tmp_path) / "features" / "bbt_s01e01"
    np.save(folder / "15.npy", np.ones((2, 4)))
    with pytest.raises(vcn.InputError, match=r"15\.npy holds features of 4 numbers"):
        load_one(tmp_path)
    (folder / "15.npy").write_bytes((folder / "14.npy").read_bytes()[:-1])
    with pytest.raises(vcn.InputError, match=r"15\.npy is no array"):
        load_one(tmp_path)
    np.save(folder / "15.npy", np.ones(3))
    with pytest.raises(vcn.InputError, match=r"15\.npy holds .*\(3,\)"):
        load_one(tmp_path)
    (folder / "15.npy").rename(folder / "fifteen.npy")
    with pytest.raises(vcn.InputError, match=r"fifteen\.npy is not called"):
        load_one(tmp_path)
    (folder / "fifteen.npy").rename(folder / "014.npy")
    with pytest.raises(vcn.InputError, match=r"014\.npy are of the same track|14\.npy are of"):
        load_one(tmp_path)


def test_what_is_missing_is_asked_for(tmp_path):
    with pytest.raises(vcn.InputError, match="makarandtapaswi"):
        load_one(tmp_path)
    write_video(tmp_path, tracks=(1, 2))
    with pytest.raises(vcn.InputError, match="none of the labelled tracks"):
        load_one(tmp_path)
    (tmp_path / "features" / "bbt_s01e01").rename(tmp_path / "features" / "elsewhere")
    with pytest.raises(vcn.InputError, match=r"no folder .*makarandtapaswi"):
        load_one(tmp_path)


def test_face_tracks_tell_who_is_seen_together(tmp_path):
    write_video(tmp_path)
    write_spans(tmp_path, [(7, [3.0, 4, 5]), (14, [5.0, 9]), (11, [6.0])])
    tracks = load_one(tmp_path).tracks
    assert tracks.first.tolist() == [3, 6, 5, 10]  # nobody tells of 15: behind all
    assert tracks.last.tolist() == [5, 6, 9, 10]
    pairs = {tuple(pair) for pair in np.argwhere(tracks.together).tolist()}
    assert pairs == {(0, 2), (2, 0), (1, 2), (2, 1)}


def test_damaged_face_tracks_are_said(tmp_path):
    write_video(tmp_path)
    path = write_spans(tmp_path, [(7, [3.0]), (7, [4.0])])
    with pytest.raises(vcn.InputError, match=r"FaceTracks\(2\) of .*track 7 for the second time"):
        read_spans(path)
    write_spans(tmp_path, [(7, [])])
    with pytest.raises(vcn.InputError, match="no frame numbers"):
        load_one(tmp_path)
    write_spans(tmp_path, [(7.5, [3.0])])
    with pytest.raises(vcn.InputError, match="trackerId is not one whole number"):
        load_one(tmp_path)
    write_spans(tmp_path, [(1000, [3.0])])
    with pytest.raises(vcn.InputError, match=r"facetracks.* has none of the labelled"):
        load_one(tmp_path)
    savemat(path, {"Tracks": 3})
    with pytest.raises(vcn.InputError, match="no structs 'FaceTracks' with a field 'trackerId'"):
        load_one(tmp_path)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    labels=st.dictionaries(st.integers(0, 10**9 - 1), st.sampled_from(["raj", "unknown_e01_2"])),
    shuffle=st.randoms(use_true_random=False),
)
def test_the_order_of_the_lines_does_not_matter(tmp_path_factory, labels, shuffle):
    folder = tmp_path_factory.mktemp("bbt")
    rows = list(labels.items())
    shuffle.shuffle(rows)
    text = "\n".join([HEADER, *(f"{track} {name}" for track, name in rows)])
    film = load_one(write_video(folder, labels=text, tracks=labels))
    assert film.ids.tolist() == [str(track) for track in sorted(labels)]
    assert film.names.tolist() == [labels[track] for track in sorted(labels)]
