"""Real face tracks of television, whose embeddings are drawn: no pixels of them are at hand.

Who is where, with whom and when in which set-up is that of real episodes (`scenes`). An embedding
is the sum of a cone that all faces share, who it is, how that person looks in this camera set-up
and in this track, and what the mean over its crops leaves of their noise. What is drawn lies as far
apart as each network holds the faces of thirteen real films, in the middle: strangers, and one
person in two shots. How far the nearest strangers and the farthest shots lie is near to what was
measured, too. Nobody looks otherwise in another episode, and no episode has a light or lens of its
own: that is kinder than any season.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from benchmarks.methods.linkage import cosine_distances
from benchmarks.scenes import RATE, Episode
from videoclusternet.models.registry import BACKBONES
from videoclusternet.records import THREAD, TOGETHER, Array, Faces, Links, Mask
from videoclusternet.scenes.links import link_tracks

ALIKE = 12  # frames whose crops share their noise
LEAVES = 60 * RATE  # frames after which somebody of the background does not come back
SETUP = 0.5  # share of how a person looks that all tracks of one set-up have in common
NOISE = 0.2  # of the distance between strangers: what two crops of a track differ by, measured
SAMPLE = 400  # tracks of an episode by which the shares are fitted
ROUNDS = 40  # of fitting


@dataclass(frozen=True)
class Network:
    """How a network sees the faces of real films, as 1 - cos of the means of tracks.

    `falloff` and `tail` were chosen so that the nearest twentieth of strangers, the farthest
    twentieth of pairs of one person, and how far apart whole people lie come out as on those films.
    """

    name: str
    backbone: str  # its row among the program's
    width: int
    strangers: float  # the median film's median
    same: float  # one person in two shots
    falloff: float  # the n-th direction has a variance of n ** -falloff
    tail: float  # deviation of the logarithm of how far off a track is: profiles and bad light

    @property
    def usual(self) -> float | None:
        """What the program takes strangers for before it sees the film."""
        return BACKBONES[self.backbone].strangers


NETWORKS = (
    Network("dlib", "dlib_resnet", 128, 0.113, 0.040, 1.2, 0.6),
    Network("edgeface", "edgeface_xxs", 512, 0.95, 0.41, 0.85, 1.2),
)


@dataclass(frozen=True, eq=False)
class Film:
    """What is known of the tracks of an episode, or of several, but for their faces.

    Columns are (tracks,).
    """

    name: str
    person: Array  # str; people of the background are called by their episode
    named: Mask  # False: of the background
    episode: Array
    shot: Array
    setup: Array
    frames: Array  # how long it is
    links: Links  # the must-links and the cannot-links

    @classmethod
    def of(cls, episode: Episode) -> Self:
        """Return what an episode tells."""
        tracks, count = episode.tracks, episode.tracks.count
        seen = link_tracks(tracks, episode.shots, Faces.empty())
        left, right = episode.placed.T
        threads = Links(left, right, np.full(len(left), THREAD))
        linked = coo_array((np.ones(len(episode.threads)), episode.threads.T), (count, count))
        setup = connected_components(linked, directed=False)[1].astype(np.int64)
        named = np.array([name is not None for name in episode.names], bool)
        other = background(tracks.spans, setup, ~named).tolist()
        people = [
            name or f"{episode.film}: {n}" for name, n in zip(episode.names, other, strict=True)
        ]
        return cls(
            episode.film, np.array(people), named, np.zeros(count, np.int64),
            episode.shots.of(tracks.spans[:, 0]), setup, np.diff(tracks.spans)[:, 0] + 1,
            _concatenated([threads, seen.select(seen.kind == TOGETHER)], [0, 0]),
        )  # fmt: skip

    def __len__(self) -> int:
        return len(self.person)

    @property
    def episodes(self) -> list[Array]:
        """The tracks of each episode."""
        return [np.flatnonzero(self.episode == n) for n in np.unique(self.episode)]


def background(spans: Array, setup: Array, unnamed: Mask) -> Array:
    """Return who of the background each unnamed track is, from 0, and -1 for all others.

    The files tell no more than that a track is nobody of the cast. Those of one set-up are one
    person, and so few people as can be have all of them: of those who are gone, and were there a
    minute ago, the last one comes back.
    """
    person = np.full(len(setup), -1)
    groups = [np.flatnonzero((setup == group) & unnamed) for group in np.unique(setup[unnamed])]
    until: list[int] = []
    for group in sorted(groups, key=lambda tracks: int(spans[tracks, 0].min())):
        first, last = int(spans[group, 0].min()), int(spans[group, 1].max())
        free = [n for n, gone in enumerate(until) if gone < first <= gone + LEAVES]
        one = max(free, key=until.__getitem__, default=len(until))
        until[one : one + 1] = [last]  # a new one is put at the end
        person[group] = one
    return person


def join(name: str, parts: Sequence[Film]) -> Film:
    """Return episodes as one film: the people of the cast are all that two of them share."""

    def column(field: str, *, anew: bool = False) -> Array:
        values: list[Array] = [getattr(part, field) for part in parts]
        first = np.cumsum([0, *(x.max(initial=-1) + 1 for x in values[:-1])]) if anew else None
        return np.concatenate(values) if first is None else _shifted(values, first.tolist())

    return Film(
        name, column("person"), column("named"), column("episode", anew=True),
        column("shot", anew=True), column("setup", anew=True), column("frames"),
        _concatenated(
            [part.links for part in parts], np.cumsum([0, *map(len, parts[:-1])]).tolist()
        ),
    )  # fmt: skip


def _concatenated(parts: Sequence[Links], first: Sequence[int]) -> Links:
    """Return the links of parts, whose first tracks are given."""
    left, right = (
        _shifted([getattr(part, side) for part in parts], first) for side in ("left", "right")
    )
    return Links(left, right, np.concatenate([part.kind for part in parts]))


def _shifted(values: Sequence[Array], by: Sequence[int]) -> Array:
    return np.concatenate([x + n for x, n in zip(values, by, strict=True)])


def draw(film: Film, network: Network, seed: int) -> Array:
    """Return the mean embedding of each track, unit vectors (tracks, width), float64.

    How wide the cone is, and how much of it changes from shot to shot, is fitted to the medians.
    """
    rng = np.random.default_rng(seed)
    size = np.arange(1, network.width) ** (-network.falloff / 2)
    size /= np.linalg.norm(size)

    def drawn(of: Array) -> Array:
        """Return a vector for each track, alike for tracks of one value, of length 1 or so."""
        _, place = np.unique(of, return_inverse=True)
        return (rng.normal(size=(place.max(initial=-1) + 1, len(size))) * size)[place]

    alone = np.arange(len(film))
    who = drawn(film.person)
    look = np.sqrt(SETUP) * drawn(film.setup) + np.sqrt(1 - SETUP) * drawn(alone)
    look *= np.exp(network.tail * rng.normal(size=len(film)) / 2)[:, None]
    noise = drawn(alone) * np.sqrt(NOISE / np.ceil(film.frames / ALIKE))[:, None]

    def embed(wide: float, changed: float, rows: Array) -> Array:
        face = np.sqrt(1 - changed) * who[rows] + np.sqrt(changed) * look[rows] + noise[rows]
        cone = np.full((len(rows), 1), np.sqrt(max(0.0, 1 - wide)))
        values = np.hstack([cone, np.sqrt(wide) * face])
        return values / np.linalg.norm(values, axis=1, keepdims=True)

    few = np.concatenate([
        some[np.unique(np.linspace(0, len(some) - 1, SAMPLE).astype(np.int64))]
        for some in film.episodes
    ])  # fmt: skip
    wide, changed = network.strangers, network.same / network.strangers
    for _ in range(ROUNDS):
        strangers, same = np.median(spread(film, few, embed(wide, changed, few))[:, :2], axis=0)
        wide *= network.strangers / strangers
        changed = min(1.0, changed * network.same * strangers / (same * network.strangers))
    return embed(wide, changed, alone)


def spread(film: Film, rows: Array, unit: Array) -> Array:
    """Return how far apart these tracks (n,) are in each episode, (episodes, 4).

    `unit` (n, width) are their embeddings. The columns are the medians of strangers and of one
    person in two shots, the nearest twentieth of the former and the farthest of the latter. An
    episode without the one or the other is left out.
    """
    found = []
    for episode in np.unique(film.episode[rows]):
        here = np.flatnonzero(film.episode[rows] == episode)
        one, other = np.triu_indices(len(here), 1)
        far = cosine_distances(unit[here])[one, other]
        one, other = rows[here[one]], rows[here[other]]
        alike = film.person[one] == film.person[other]
        strange, same = far[~alike], far[alike & (film.shot[one] != film.shot[other])]
        if len(strange) and len(same):
            nearest, farthest = np.percentile(strange, 5), np.percentile(same, 95)
            found.append([np.median(strange), np.median(same), nearest, farthest])
    return np.array(found).reshape(-1, 4)
