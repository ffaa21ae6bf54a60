"""Who of one film is who of another: people linked by the base network, with no threshold.

What a film's own training made of its people says nothing of another film's, so they are compared
by the network as it came (ours; the paper ends at one film). `library.strangers` tells how far any
two are from each other; what is one person by that, and by what people said, is decided here.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from videoclusternet.library.strangers import SURE, Groups, Pair
from videoclusternet.records import Array
from videoclusternet.said import numbered


@dataclass(frozen=True, eq=False)
class Cast:
    """The people of all films, each a row: one person of one film.

    `film` (n,) numbers the films; `count` (n,) are crops, `total` (n, d) the sums of their
    embeddings of length 1; `name` (n,) what somebody called them, "" where nobody did.
    """

    film: Array
    count: Array
    total: Array
    name: Array

    def __len__(self) -> int:
        return len(self.film)


@dataclass(frozen=True, eq=False)
class Bonds:
    """What people said: pairs of rows (n, 2) that are one person, and that are two."""

    same: Array
    apart: Array

    @classmethod
    def none(cls) -> Bonds:
        return cls(np.empty((0, 2), np.int64), np.empty((0, 2), np.int64))


def link_cast(cast: Cast, bonds: Bonds) -> tuple[Array, list[Pair], list[Pair]]:
    """Return the person of each row, the links that made them, and the doubts, most likely first.

    People are numbered from 0 in the order of their lowest rows; a pair stands for two groups, as
    the lowest row of each. What was said holds: two names are two people, and one name is one.
    Groups grow in rounds, the surest pairs first, with all that is known of a group after each;
    nobody is linked to two people of one film, because one is at most one of them.
    """
    label = _joined(np.concatenate([bonds.same, _namesakes(cast.name)]), len(cast))
    links: list[Pair] = []
    while len(cast):
        lowest = np.unique(label, return_index=True)[1]
        pairs = Groups.of(cast.film, cast.count, cast.total, label).pairs()
        fences = _Fences(cast, label, label[bonds.apart])
        group, made = fences.merged([pair for pair in pairs if pair.place < SURE])
        if not made:
            open_ = [pair for pair in pairs if pair.right not in fences.apart[pair.left]]
            return label, links, [pair.called(lowest) for pair in _surest(open_)]
        links += [pair.called(lowest) for pair in made]
        label = numbered(group[label])
    return label, links, []


def keep_numbers(label: Array, before: Array, weight: Array) -> Array:
    """Return the number of each row's person: that which most of its crops had, or a new one.

    `before` (n,) are the numbers of last time, 0 for who is new. Two people never have one number:
    who has more of it keeps it.
    """
    votes: Counter[tuple[int, int]] = Counter()
    for one, number, crops in zip(label.tolist(), before.tolist(), weight.tolist(), strict=True):
        if number:
            votes[one, number] += crops
    numbers: dict[int, int] = {}
    taken: set[int] = set()
    for (one, number), _ in sorted(votes.items(), key=lambda item: (-item[1], item[0])):
        if one not in numbers and number not in taken:
            numbers[one] = number
            taken.add(number)
    next_ = int(before.max(initial=0)) + 1
    for one in sorted(set(label.tolist()) - set(numbers)):
        numbers[one] = next_
        next_ += 1
    return np.array([numbers[one] for one in label.tolist()], np.int64)


def _surest(pairs: list[Pair]) -> list[Pair]:
    """Return, of pairs in the order of their places, those that are the surest of either side.

    The others are asked when these are settled, if they are still open then.
    """
    asked: set[int] = set()
    first = []
    for pair in pairs:
        if not {pair.left, pair.right} <= asked:
            first.append(pair)
            asked |= {pair.left, pair.right}
    return first


def _namesakes(name: Array) -> Array:
    """Return pairs that chain all rows of one name."""
    order = np.argsort(name, kind="stable")
    pairs = np.stack([order[:-1], order[1:]], 1)
    one, next_ = name[pairs].T
    chained: Array = pairs[(one == next_) & (one != "")]
    return chained


class _Fences:
    """What keeps groups apart: a film, two names, and what was said."""

    def __init__(self, cast: Cast, label: Array, apart: Array) -> None:
        groups = int(label.max()) + 1
        self.films: list[set[int]] = [set() for _ in range(groups)]
        self.names = [""] * groups
        self.apart: list[set[int]] = [set() for _ in range(groups)]
        rows = zip(label.tolist(), cast.film.tolist(), cast.name.tolist(), strict=True)
        for group, film, name in rows:
            self.films[group].add(film)
            self.names[group] = self.names[group] or name
        for left, right in apart.tolist():
            self.apart[left].add(right)
            self.apart[right].add(left)

    def merged(self, pairs: list[Pair]) -> tuple[Array, list[Pair]]:
        """Merge pairs in their order where nothing forbids it: who becomes whom, and by which."""
        group = np.arange(len(self.names))
        films, names = [set(one) for one in self.films], list(self.names)
        apart = [set(one) for one in self.apart]
        made = []
        for pair in pairs:
            a, b = sorted(group[[pair.left, pair.right]].tolist())
            two_names = names[a] and names[b] and names[a] != names[b]
            if a == b or films[a] & films[b] or b in apart[a] or two_names:
                continue
            group[group == b] = a
            films[a] |= films[b]
            names[a] = names[a] or names[b]
            apart[a] |= apart[b]
            for other in apart[b]:
                apart[other].add(a)
            made.append(pair)
        return group, made


def _joined(pairs: Array, count: int) -> Array:
    graph = coo_array((np.ones(len(pairs)), (pairs[:, 0], pairs[:, 1])), (count, count))
    return numbered(connected_components(graph, directed=False)[1])
