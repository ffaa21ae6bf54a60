"""SCTL: labels cost what they should, links are the cheapest, and each helps the other."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from benchmarks.methods import METHODS
from benchmarks.methods.sctl import APART, GAP, LINK, TOGETHER, cost, labels_of, links
from tests.benchmarks.methods.drawn import alike, draw_film


def test_a_label_costs_its_distance_rivals_at_one_time_and_linked_tracks_elsewhere():
    rng = np.random.default_rng(0)
    label, squared = rng.integers(0, 3, 8), rng.random((8, 3))
    together, linked = rng.random((2, 8, 8)) < 0.4
    for one in range(8):
        slow = [
            squared[one, name]
            + sum(APART for j in range(8) if together[one, j] and label[j] == name)
            + sum(TOGETHER for j in range(8) if linked[one, j] and label[j] != name)
            for name in range(3)
        ]
        np.testing.assert_allclose(cost(one, squared[one], label, together, linked), slow)


@pytest.mark.parametrize("seed", range(5))
def test_links_are_the_cheapest_matching_of_ends_and_beginnings(seed):
    film, _ = draw_film(5, 1, spread=0.2, seed=seed)
    rng = np.random.default_rng(seed)
    first = rng.integers(0, 60, 5)
    embeddings = np.repeat(film.embeddings[:1], 20, axis=0) + 0.15 * rng.normal(size=(20, 12))
    film = replace(film, first=first, last=first + 10, embeddings=embeddings.astype(np.float32))
    label = rng.integers(0, 2, 5)

    def price(i, j):
        gap = film.first[j] - film.last[i]
        value = 2 - 2 * film.means[i] @ film.means[j] + LINK / 2 * (label[i] != label[j])
        return value if 0 < gap <= GAP and value < LINK else LINK

    best = min(sum(price(i, j) for i, j in enumerate(order)) for order in permutations(range(5)))
    linked = links(film, label)
    assert np.array_equal(linked, linked.T)
    pairs = [(i, j) for i, j in np.argwhere(linked) if film.last[i] < film.first[j]]
    assert len({i for i, _ in pairs}) == len({j for _, j in pairs}) == len(pairs)
    total = sum(price(i, j) for i, j in pairs) + LINK * (5 - len(pairs))
    assert total == pytest.approx(best)


def test_drawn_people_are_found_and_nobody_is_in_two_places():
    film, who = draw_film(4, 4)
    assert alike(METHODS["SCTL, told people"].group(film, [4])[0], who)
    near, _ = draw_film(2, 6, spread=0.9)
    labels = labels_of(near, 2, 0)
    assert not (near.together & (labels[:, None] == labels)).any()


def test_as_many_people_as_tracks_are_one_each():
    film, _ = draw_film(3, 1)
    assert labels_of(film, 3, 0).tolist() == [0, 1, 2]
    assert len(set(labels_of(film, 5, 0).tolist())) == 3
