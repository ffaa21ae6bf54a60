"""Records: columns that agree with each other, or no record at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from videoclusternet.durable import let_go
from videoclusternet.records import Clusters, Crops, Faces, Links, Record, Shots, Tracks

RECORDS = [Shots, Faces, Tracks, Links, Crops, Clusters]


def shots_of(lengths: list[int]) -> Shots:
    ends = np.cumsum([0, *lengths])
    return Shots(ends[:-1], ends[1:], np.arange(ends[-1] + 1) / 25 if lengths else np.empty(0))


def tracks_of(lengths: list[int], step: int = 3) -> Tracks:
    track = np.repeat(np.arange(len(lengths)), lengths)
    frame = np.concatenate([[0], *(np.arange(n) * step + 5 * i for i, n in enumerate(lengths))])
    return Tracks(**_filled(Tracks, len(track)) | {"track": track, "frame": frame[1:].astype(int)})


def crops_of(counts: list[int]) -> Crops:
    track = np.repeat(np.arange(len(counts)), counts)
    images = np.arange(len(track), dtype=np.uint8)[:, None, None, None] * np.ones((2, 2, 3), "u1")
    return Crops(images, track, np.arange(len(track)), np.ones(len(track)), np.ones(len(track)),
                 np.array(counts, dtype=int))  # fmt: skip


def _filled(kind: type[Record], rows: int) -> dict[str, Any]:
    return {
        name: np.zeros((rows, *values.shape[1:]), values.dtype)
        for name, values in kind.empty().columns().items()
    }


@pytest.mark.parametrize("kind", RECORDS)
def test_there_is_a_record_of_nothing(kind: type[Record]) -> None:
    nothing = kind.empty()
    assert len(nothing) == 0
    again = kind(**nothing.columns())
    assert [v.dtype for v in again.columns().values()] == [
        v.dtype for v in nothing.columns().values()
    ]
    assert len(nothing.select(np.empty(0, dtype=bool))) == 0


@pytest.mark.parametrize("kind", RECORDS)
def test_records_cannot_be_changed(kind: type[Record]) -> None:
    nothing = kind.empty()
    name = next(iter(nothing.columns()))
    with pytest.raises(AttributeError):
        setattr(nothing, name, np.empty(0))


def test_columns_take_their_type_but_lose_nothing() -> None:
    crops = crops_of([2, 1])
    assert crops.sharpness.dtype == np.float32
    with pytest.raises(TypeError):
        Shots(np.array([0.5]), np.array([1]), np.array([0.0, 1.0]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"box": np.zeros((3, 4))}, "3 rows, not 2"),
        ({"box": np.zeros((2, 5))}, "shape"),
        ({"box": np.zeros(2)}, "shape"),
        ({"frame": np.array([1, 0])}, "order"),
        ({"looked": np.array([0, 0])}, "order"),
        ({"setup_left": np.array([0, 6])}, "return"),
        ({"setup_map": np.zeros((1, 2, 3))}, "1 rows, not 2"),
    ],
)
def test_faces_that_contradict_themselves_are_refused(change: Any, message: str) -> None:
    columns = _filled(Faces, 2) | {"looked": np.array([0, 3]), "setup_right": np.array([3, 6])}
    Faces(**columns)
    with pytest.raises(ValueError, match=message):
        Faces(**columns | change)


@given(st.lists(st.integers(1, 9), max_size=6))
def test_every_frame_lies_in_the_shot_that_spans_it(lengths: list[int]) -> None:
    shots = shots_of(lengths)
    assert shots.frames == sum(lengths)
    expected = [shot for shot, length in enumerate(lengths) for _ in range(length)]
    assert shots.of(np.arange(shots.frames)).tolist() == expected


@pytest.mark.parametrize(
    ("first", "stop"),
    [([1], [4]), ([0], [3]), ([0, 2], [1, 4]), ([0, 2], [2, 2]), ([0, 2], [3, 4])],
)
def test_shots_with_holes_are_refused(first: list[int], stop: list[int]) -> None:
    with pytest.raises(ValueError, match="shots must"):
        Shots(np.array(first), np.array(stop), np.arange(5.0))


@given(st.lists(st.integers(1, 5), max_size=6))
def test_tracks_know_their_rows_and_spans(lengths: list[int]) -> None:
    tracks = tracks_of(lengths)
    assert tracks.count == len(lengths)
    assert tracks.starts.tolist() == np.cumsum([0, *lengths]).tolist()
    for track, (first, last) in enumerate(tracks.spans.tolist()):
        frames = [f for t, f in zip(tracks.track, tracks.frame, strict=True) if t == track]
        assert (first, last) == (min(frames), max(frames))


@pytest.mark.parametrize(
    ("track", "frame"),
    [
        ([1, 1], [0, 1]),
        ([0, 2], [0, 1]),
        ([0, 0], [1, 1]),
        ([0, 0], [1, 0]),
        ([0, 1, 0], [0, 1, 2]),
    ],
)
def test_tracks_out_of_order_are_refused(track: list[int], frame: list[int]) -> None:
    columns = _filled(Tracks, len(track))
    with pytest.raises(ValueError, match="track"):
        Tracks(**columns | {"track": np.array(track), "frame": np.array(frame)})


@given(st.lists(st.integers(0, 4), max_size=6), st.data())
def test_selected_crops_are_counted_anew(counts: list[int], data: st.DataObject) -> None:
    crops = crops_of(counts)
    rows = np.array(data.draw(st.lists(st.booleans(), min_size=len(crops), max_size=len(crops))))
    some = crops.select(rows.astype(bool))
    assert len(some.counts) == len(counts)
    for track in range(len(counts)):
        kept = [i for i in range(len(crops)) if crops.track[i] == track and rows[i]]
        assert some.counts[track] == len(kept)
        assert some.images[some.track == track, 0, 0, 0].tolist() == kept


def test_crops_that_do_not_stand_together_are_refused() -> None:
    columns = crops_of([1, 2]).columns()
    with pytest.raises(ValueError, match="stand together"):
        Crops(**columns | {"track": np.array([1, 0, 1])})
    with pytest.raises(ValueError, match="stand together"):
        Crops(**columns | {"counts": np.array([2, 1])})


@given(st.data(), st.integers(0, 8))
def test_selecting_slices_the_first_table_only(data: st.DataObject, rows: int) -> None:
    columns = _filled(Faces, rows) | {
        "frame": np.arange(rows), "looked": np.arange(3), "motion": np.zeros((3, 2, 3)),
        "setup_right": np.arange(1, rows + 1),
    }  # fmt: skip
    faces = Faces(**columns)
    mask = np.array(data.draw(st.lists(st.booleans(), min_size=rows, max_size=rows)), dtype=bool)
    some = faces.select(mask)
    assert some.frame.tolist() == [n for n in range(rows) if mask[n]]
    assert some.looked.tolist() == [0, 1, 2]
    assert some.setup_right.tolist() == list(range(1, rows + 1))


def test_a_memory_map_stays_one(tmp_path: Any) -> None:
    np.save(tmp_path / "images.npy", crops_of([3]).images)
    mapped = np.load(tmp_path / "images.npy", mmap_mode="r")
    columns = crops_of([3]).columns() | {"images": mapped}
    assert isinstance(Crops(**columns).images, np.memmap)


@pytest.mark.parametrize(
    ("label", "limits"), [([0, 2], 3), ([0, 1], 1), ([0, 0], 2), ([-1, 1], 1), ([-1], 1)]
)
def test_labels_with_gaps_are_refused(label: list[int], limits: int) -> None:
    columns = Clusters.empty().columns()
    of_tracks = ("quality", "own_loss", "other_loss", "other", "confidence", "part")
    columns |= {name: np.zeros(len(label), columns[name].dtype) for name in of_tracks}
    columns |= {name: np.zeros(limits) for name in ("limit", "person_confidence")}
    with pytest.raises(ValueError, match="labels"):
        Clusters(**columns | {"label": np.array(label)})


@pytest.mark.parametrize("shape", [(3000, 64, 64, 3), (0, 8, 8, 3)])
def test_what_is_let_go_is_no_more_held_and_not_lost(tmp_path, shape):
    def held():
        return int(Path("/proc/self/statm").read_text().split()[2]) * os.sysconf("SC_PAGE_SIZE")

    rng = np.random.default_rng(0)
    wanted = rng.integers(0, 256, shape, np.uint8)
    path = tmp_path / "crops.npy"
    written = np.lib.format.open_memmap(path, "w+", np.uint8, shape)
    before = held()
    written[:] = wanted
    let_go(written)
    assert held() - before < max(1, wanted.nbytes) / 4
    read = np.load(path, mmap_mode="r")
    for _ in range(2):
        np.testing.assert_array_equal(read, wanted)
        let_go(read)
    assert held() - before < max(1, wanted.nbytes) / 4
    let_go(wanted)  # is in memory, and stays there
