"""Tracks become a film: those without crops are counted, and nobody is seen together by chance."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import videoclusternet as vcn
from benchmarks.datasets.film import FoundTrack, LabelledFilm, as_one, assemble

spans = st.none() | st.tuples(st.integers(0, 40), st.integers(0, 20)).map(lambda s: (s[0], sum(s)))
found_tracks = st.lists(
    st.tuples(
        st.sampled_from(["", "ann", "bob", "unknown_1"]), st.none() | st.integers(0, 3), spans
    )
)


def found(rows):
    return [
        FoundTrack(
            f"t{i}", name, None if crops is None else np.full((crops, 2), i, np.float32), span, "f"
        )
        for i, (name, crops, span) in enumerate(rows)
    ]  # fmt: skip


@given(found_tracks)
def test_a_film_is_what_plain_loops_make_of_its_tracks(rows):
    film = assemble("film", found(rows), "unknown")
    kept = [i for i, (_, crops, _) in enumerate(rows) if crops]
    assert film.kept.tolist() == kept
    assert film.names.tolist() == [rows[i][0] for i in kept]
    assert film.every_name.tolist() == [row[0] for row in rows]
    assert film.ids.tolist() == [f"t{i}" for i in range(len(rows))]
    assert film.without_crops == len(rows) - len(kept)
    assert film.background == {row[0] for row in rows} & {"unknown_1"}
    assert film.tracks.counts.tolist() == [rows[i][1] for i in kept]
    expected = [i for i in kept for _ in range(rows[i][1])]
    assert film.tracks.embeddings[:, :1].ravel().tolist() == expected
    assert film.tracks.embeddings.dtype == np.float32
    for a, i in enumerate(kept):
        if rows[i][2] is not None:
            assert (film.tracks.first[a], film.tracks.last[a]) == rows[i][2]
        for b, j in enumerate(kept):
            one, other = rows[i][2], rows[j][2]
            known = i != j and one is not None and other is not None
            together = known and bool(
                {*range(one[0], one[1] + 1)} & {*range(other[0], other[1] + 1)}
            )
            assert film.tracks.together[a, b] == together


def test_a_film_of_nothing_is_a_film():
    film = assemble("film", [])
    assert len(film.tracks) == len(film.kept) == len(film.names) == film.without_crops == 0
    assert film.tracks.means.shape == (0, 0)
    assert film.tracks.together.shape == (0, 0)
    assert film.background == frozenset()


def test_features_of_other_lengths_are_refused():
    tracks = [
        FoundTrack("7", "ann", np.ones((2, 3), np.float32), None, "7.npy"),
        FoundTrack("8", "ann", np.ones((0, 4), np.float32), None, "8.npy"),  # no crop, no matter
        FoundTrack("9", "ann", np.ones((1, 4), np.float32), None, "9.npy"),
    ]
    assert len(assemble("film", tracks[:2]).tracks) == 1
    with pytest.raises(vcn.InputError, match=r"9\.npy holds features of 4 .* 7\.npy of 3"):
        assemble("film", tracks)


def test_a_film_does_not_contradict_itself():
    tracks = assemble("film", found([("ann", 1, None)])).tracks
    ids = np.array(["a"])
    for kept, names in (([0, 0], ids), ([1], ids), ([0], ids[:0])):
        with pytest.raises(ValueError, match="must"):
            LabelledFilm("film", tracks, np.array(kept), ids, names)


def test_films_become_one_and_nobody_of_two_films_meets():
    rows = [("Ann", 2, (0, 5)), ("x 1", None, None), ("Bob", 1, (3, 9))]
    one, two = (assemble(name, found(rows), "x") for name in ("a", "b"))
    both = as_one("both", [one, two])
    assert both.ids.tolist() == ["a: t0", "a: t1", "a: t2", "b: t0", "b: t1", "b: t2"]
    assert both.names.tolist() == ["Ann", "Bob"] * 2
    assert both.people == 3
    assert both.of_named().people == 2
    assert both.without_crops == 2
    together = np.zeros((4, 4), bool)
    together[[0, 1, 2, 3], [1, 0, 3, 2]] = True
    assert np.array_equal(both.tracks.together, together)
    assert both.all_of(np.array([[7, 8, 9, 6]])).tolist() == [[7, -1, 8, 9, -1, 6]]


def test_films_of_different_networks_are_not_one():
    one = assemble("a", found([("Ann", 2, (0, 5))]))
    two = replace(one, tracks=replace(one.tracks, embeddings=one.tracks.embeddings[:, :1]))
    with pytest.raises(vcn.InputError, match="both have features of 1 and 2 numbers"):
        as_one("both", [one, two])
    with pytest.raises(ValueError, match="not taken as one"):
        as_one("both", [])
