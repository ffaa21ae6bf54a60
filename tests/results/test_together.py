"""Moments with and without people, against a plain loop over frames."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.results.exports.sheets import sheet_of
from tests.results.small_film import small_film
from videoclusternet.errors import UsageError
from videoclusternet.results.people import People
from videoclusternet.results.together import count_pairs, count_screens, find_moments

STOPS = [40, 90, 150]
SPANS = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 2), st.integers(0, 30), st.integers(1, 25)),
    min_size=3, max_size=9,
)  # fmt: skip


def film_of(spans: list[tuple[int, int, int, int]]) -> People:
    """Write down three people, each track in one shot."""
    begin = [0, *STOPS]
    seen = [(person, n) for n, (person, *_) in enumerate(spans)]
    spans = [(person, *spans[n][1:]) for person, n in seen] + [(p, p, 0, 5) for p in range(3)]
    looks = [
        (person, begin[shot] + first, min(begin[shot] + first + length, STOPS[shot] - 1))
        for person, shot, first, length in spans
    ]
    return small_film(looks, stops=STOPS).people


def on_screen(people: People, name: str) -> np.ndarray:
    person = next(one for one in people if one.name == name)
    frames = np.zeros(STOPS[-1] * 2, bool)  # halves of frames, so that ends are told apart
    for one in person.appearances:
        frames[round(50 * one.start) : round(50 * one.end)] = True
    return frames


@settings(max_examples=60, deadline=None)
@given(SPANS, st.permutations(["Person 1", "Person 2", "Person 3"]), st.sampled_from("&-"),
       st.sampled_from("&-"))  # fmt: skip
def test_moments_are_those_of_a_plain_loop(spans, names, one: str, other: str) -> None:
    people = film_of(spans)
    a, b, c = (on_screen(people, name) for name in names)
    wanted = a & (b if one == "&" else ~b)
    wanted &= c if other == "&" else ~c
    found = np.zeros_like(wanted)
    for moment in find_moments(people, f"{names[0]} {one} {names[1]} {other} {names[2]}"):
        assert moment.start < moment.end
        place = slice(round(50 * moment.start), round(50 * moment.end))
        assert not found[place].any()
        found[place] = True
    assert found.tolist() == wanted.tolist()
    pair = [p for p in count_pairs(people) if {p.left, p.right} == set(names[:2])]
    assert sum(p.seconds for p in pair) == pytest.approx((a & b).sum() / 50)


def test_what_is_counted_is_what_was_drawn() -> None:
    people = sheet_of().people
    by_name = {one.person.name: one for one in count_screens(people)}
    three = by_name["Person 3"]
    assert (three.first, three.last) == (4.8, 27.72)
    assert three.longest == pytest.approx(3.72)
    assert three.share == pytest.approx((63 + 93) / 720)
    (pair,) = count_pairs(people)
    assert {pair.left, pair.right} == {"=Bo", "Person 3"}
    assert (round(pair.seconds, 6), pair.moments) == (1.32, 1)


@pytest.mark.parametrize("text", ["", " & 1", "1 &", "1 & & 2", "1 - 9", "Nobody"])
def test_what_cannot_be_asked(text: str) -> None:
    with pytest.raises(UsageError):
        find_moments(sheet_of().people, text)


def test_a_hyphen_in_a_name_is_no_sign() -> None:
    with pytest.raises(UsageError, match="'Jean-Luc'"):
        find_moments(sheet_of().people, "1 & Jean-Luc")
