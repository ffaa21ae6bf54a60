"""How far two people of two films are from each other, in what the library itself tells.

Of each person of each film there are the number of crops and the sum of their embeddings of length
1, from which all mean distances between and within groups of crops follow. A pair has a *place*: 0
is the mean distance inside of a person, 1 the distance to the nearest known stranger. Strangers are
known because one is at most one person of a film: whoever else is in one's own films, and of any
other film all but the most alike. Up to `SURE` a pair is one person; up to 1, nearer than any
stranger, it is a doubt for a human to settle. All of this is ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple, Self

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from videoclusternet.records import Array

SURE = 1 / 3  # where the excess over the inside is half of what is left to the stranger; as BY_FAR
FEWEST = 6  # strangers, or people of several films, without which one is no measure
SAMPLE = 64  # films in which strangers are usual enough to tell who of one film is twice in it
BLOCK = 1 << 22  # distances that are held at a time, some 60 MB with what is made of them


@dataclass(frozen=True)
class Pair:
    """Two that may be one person, and why; the place is infinite where nothing tells it."""

    left: int
    right: int
    distance: float
    place: float

    def called(self, numbers: Array) -> Pair:
        """Return the same pair by other numbers."""
        return replace(self, left=int(numbers[self.left]), right=int(numbers[self.right]))


class _Scan(NamedTuple):
    """A block of groups beside all people of all films, in the order of the films."""

    rows: slice
    distance: Array  # (rows, groups); infinite to itself
    to_people: Array  # (rows, people)
    strange: Array  # (rows, people): who is certainly another person


@dataclass(frozen=True, eq=False)
class Groups:
    """People so far, each a group of people of films: of one film, or linked."""

    mean: Array  # (groups, d) of the embeddings of length 1
    inside: Array  # (groups,) mean distance of two crops
    group: Array  # of each person of a film, in the order of the films
    film: Array  # of each of these, ascending

    @classmethod
    def of(cls, film: Array, count: Array, total: Array, label: Array) -> Self:
        """Return groups by their labels (n,); `library.link.Cast` says what the columns are."""
        shape = (int(label.max()) + 1, len(label))
        sums = coo_array((np.ones(len(label)), (label, np.arange(len(label)))), shape).tocsr()
        crops, whole = sums @ count.astype(float), sums @ total.astype(float)
        squares = (whole**2).sum(1)
        pairs = crops * (crops - 1)
        inside = _mean_distance(pairs, squares - crops)
        inside[pairs == 0] = np.median(inside[pairs > 0]) if (pairs > 0).any() else 0.0
        # A person of one film was seen in one light and at one age: as soon as enough are known
        # from several, nobody is taken for narrower than the middle one of these is across films.
        across = crops**2 - sums @ count.astype(float) ** 2
        if np.count_nonzero(across) >= FEWEST:
            far = _mean_distance(across, squares - sums @ (total.astype(float) ** 2).sum(1))
            inside = np.maximum(inside, np.median(far[across > 0]))
        order = np.argsort(film, kind="stable")
        mean = (whole / np.maximum(crops, 1)[:, None]).astype(np.float32)
        films = np.unique(film, return_inverse=True)[1]
        return cls(mean, inside.astype(np.float32), label[order], films[order])

    def pairs(self) -> list[Pair]:
        """Return all pairs that are nearer to each other than to any stranger, surest first."""
        alike = self._look_alikes()
        stranger = np.full(len(self.mean), np.inf, np.float32)
        known = np.zeros(len(self.mean), np.int64)
        near = [np.empty((3, 0))]
        for rows, distance, to_people, strange in self._scan(np.arange(len(self.film)), alike):
            stranger[rows] = np.min(to_people, axis=1, initial=np.inf, where=strange)
            known[rows] = strange.sum(1)
            row, column = np.nonzero(distance < stranger[rows, None])
            near.append(np.stack([row + rows.start, column, distance[row, column]]))
        left, right, distance = np.concatenate(near, 1)
        left, right = left.astype(np.int64), right.astype(np.int64)
        kept = (left < right) & (distance < stranger[right])
        left, right, distance = left[kept], right[kept], distance[kept]
        doubles = self._doubles(alike)
        place = np.maximum(
            self._place(left, right, distance, stranger, known, doubles),
            self._place(right, left, distance, stranger, known, doubles),
        )
        order = np.lexsort([right, left, distance, place])
        columns = (column[order].tolist() for column in (left, right, distance, place))
        return [Pair(*row) for row in zip(*columns, strict=True)]

    def _scan(self, people: Array, alike: Array) -> Iterator[_Scan]:
        """Yield the groups in blocks, beside these people.

        `alike` (people,) numbers them; whoever has the number of the most alike in a film is no
        known stranger, and in its own films a group is itself the most alike.
        """
        group, film = self.group[people], self.film[people]
        starts = np.unique(film, return_index=True)[1]
        sizes = np.diff(np.append(starts, len(film)))
        number = alike.astype(np.int32)
        block = max(1, BLOCK // max(1, len(people)))
        for start in range(0, len(self.mean), block):
            distance = 1 - self.mean[start : start + block] @ self.mean.T
            own = np.arange(len(distance))
            distance[own, start + own] = -np.inf
            to_people = distance[:, group]
            nearest = np.repeat(np.minimum.reduceat(to_people, starts, axis=1), sizes, axis=1)
            numbers = np.where(to_people == nearest, number, -1)
            theirs = np.repeat(np.maximum.reduceat(numbers, starts, axis=1), sizes, axis=1)
            distance[own, start + own] = np.inf
            yield _Scan(slice(start, start + len(own)), distance, to_people, number != theirs)

    def _look_alikes(self) -> Array:
        """Number the people of films, alike those of one film who may be one person.

        A film's own clustering may have made two of one. Then neither is a known stranger to whom
        the other is like, or one such film would hide who is the same in all others. May be one:
        whose place is sure by the stranger who is nearest in the middle one of some films.
        """
        films = np.unique(self.film)
        some = films[np.linspace(0, len(films) - 1, min(SAMPLE, len(films))).astype(int)]
        people = np.flatnonzero(np.isin(self.film, some))
        starts = np.unique(self.film[people], return_index=True)[1]
        usual = np.empty(len(self.mean), np.float32)
        for rows, _, to_people, strange in self._scan(people, np.arange(len(people))):
            nearest = np.minimum.reduceat(np.where(strange, to_people, np.inf), starts, axis=1)
            found = np.isfinite(nearest).any(1)
            usual[rows] = np.inf
            usual[rows][found] = np.nanmedian(
                np.where(np.isfinite(nearest[found]), nearest[found], np.nan), axis=1
            )
        ends = [np.empty((2, 0), np.int64)]
        bounds = np.append(np.unique(self.film, return_index=True)[1], len(self.film))
        for start, stop in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
            group = self.group[start:stop]
            distance = 1 - self.mean[group] @ self.mean[group].T
            place = _places(distance, self.inside[group][:, None], usual[group][:, None])
            ends.append(np.stack(np.nonzero(np.maximum(place, place.T) < SURE)) + start)
        left, right = np.concatenate(ends, 1)
        graph = coo_array((np.ones(len(left)), (left, right)), (len(self.film),) * 2)
        number: Array = connected_components(graph, directed=False)[1]
        return number

    def _doubles(self, alike: Array) -> dict[int, set[int]]:
        """Return of each group those that it may be one with, in a film of both."""
        doubles: dict[int, set[int]] = {}
        order = np.argsort(alike, kind="stable")
        bounds = np.flatnonzero(np.diff(alike[order])) + 1
        for together in np.split(self.group[order], bounds):
            members = set(together.tolist())
            for one in members if len(members) > 1 else ():
                doubles.setdefault(one, set()).update(members - {one})
        return doubles

    def _place(
        self, one: Array, other: Array, distance: Array, stranger: Array, known: Array,
        doubles: dict[int, set[int]],
    ) -> Array:  # fmt: skip
        """Return the places of pairs as seen from one side.

        The double of the other is as far as a stranger: whose of the two the pair is, is in doubt.
        """
        outside = stranger[one]
        for n in np.flatnonzero(np.isin(other, list(doubles))).tolist():
            theirs = list(doubles[int(other[n])] - {int(one[n])})
            if theirs:
                nearest = (1 - self.mean[theirs] @ self.mean[one[n]]).min()
                outside[n] = min(outside[n], nearest)
        place = _places(distance, self.inside[one], outside)
        few = (known[one] < FEWEST) & (distance >= self.inside[one])
        result: Array = np.where(few, np.maximum(place, SURE), place)
        return result


def _mean_distance(pairs: Array, alike: Array) -> Array:
    """Return the mean distance of so many pairs with such a sum of cosines; 0 of none."""
    distance: Array = np.where(pairs > 0, 1 - alike / np.maximum(pairs, 1), 0.0)
    return distance


def _places(distance: Array, inside: Array, outside: Array) -> Array:
    """Return where distances lie between inside (0) and outside (1); infinite if there is no way.

    Below the inside is sure, whatever else is known.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        place = np.where(np.isinf(outside), SURE, (distance - inside) / (outside - inside))
    places: Array = np.where(distance < np.minimum(inside, outside), 0.0, place)
    return np.where((inside >= outside) & (distance >= outside), np.inf, places)
