"""The method's rules as plain loops over pairs: slow, and plain enough to be believed."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, field

import numpy as np


def softmax(values):
    exponentials = [math.exp(value) for value in values]
    return [e / sum(exponentials) for e in exponentials]


@dataclass
class SlowLoss:
    """The loss of a pair of head outputs (heads, k), heads averaged. The first is the teacher's."""

    centre: np.ndarray
    teacher_temperature: float
    student_temperature: float
    seen: dict = field(default_factory=dict)

    def __call__(self, teacher, student):
        total = 0.0
        for p, q in zip(self._p(teacher), self._q(student), strict=True):
            total -= sum(a * math.log(b) for a, b in zip(p, q, strict=True))
        return total / len(self.centre)

    def _p(self, output):
        return self._kept("p", output, self.centre, self.teacher_temperature)

    def _q(self, output):
        return self._kept("q", output, np.zeros_like(self.centre), self.student_temperature)

    def _kept(self, side, output, centre, temperature):
        key = side, output.tobytes()
        if key not in self.seen:
            self.seen[key] = [
                softmax([(x - c) / temperature for x, c in zip(row, middle, strict=True)])
                for row, middle in zip(output, centre, strict=True)
            ]
        return self.seen[key]


def masked_loss_slowly(loss, teacher, student, mask):
    """Return the loss of masked patches, from the outputs (n, patches, heads, k) of all patches.

    The mean over each picture's masked patches, then over all pictures, those without any as 0.
    """
    total = 0.0
    for told, guessed, hidden in zip(teacher, student, mask, strict=True):
        losses = [loss(t, s) for t, s, away in zip(told, guessed, hidden, strict=True) if away]
        total += sum(losses) / len(losses) if losses else 0.0
    return total / len(mask) if len(mask) else 0.0


def own_limit_slowly(loss, crops):
    """Return the mean loss over ordered pairs of different crops, minus infinity without any."""
    losses = [
        loss(one, other)
        for (i, one), (j, other) in itertools.product(enumerate(crops), repeat=2)
        if i != j
    ]
    return sum(losses) / len(losses) if losses else -math.inf


def loss_between_slowly(loss, left, right):
    """Return the mean loss over all pairs of what two clusters bring, of both directions."""
    there = [loss(one, other) for one in left for other in right]
    back = [loss(other, one) for one in left for other in right]
    return (sum(there) / len(there) + sum(back) / len(back)) / 2


def cosine_slowly(left, right):
    """Return one minus the cosine of two vectors."""
    dot = sum(a * b for a, b in zip(left, right, strict=True))
    return 1 - dot / (math.hypot(*left) * math.hypot(*right))


def square_slowly(left, right):
    """Return the squared Euclidean distance of two vectors."""
    return sum((a - b) ** 2 for a, b in zip(left, right, strict=True))


def merge_slowly(loss, tracks, *, decides=max, late=False, nearest=False):
    """Return the clusters of tracks (lists of outputs), as sets, by the published rule.

    `decides` picks the limit of two, and a `late` mean is taken of the losses of a track's crops
    instead of over their outputs. With `nearest`, clusters that found each other merge as well.
    """
    clusters = [{number} for number in range(len(tracks))]
    while True:
        limits = [
            own_limit_slowly(loss, [crop for track in sorted(cluster) for crop in tracks[track]])
            for cluster in clusters
        ]
        brought = [
            tracks[min(cluster)]
            if len(cluster) == 1
            else [np.mean(tracks[track], axis=0) for track in sorted(cluster)]
            for cluster in clusters
        ]

        def between(i, j, clusters=clusters, brought=brought):
            if not late:
                return loss_between_slowly(loss, brought[i], brought[j])
            pairs = itertools.product(clusters[i], clusters[j])
            losses = [loss_between_slowly(loss, tracks[a], tracks[b]) for a, b in pairs]
            return sum(losses) / len(losses)

        links = [
            (i, j)
            for i, j in itertools.combinations(range(len(clusters)), 2)
            if between(i, j) < decides(limits[i], limits[j])
        ]
        if nearest and not links:
            links = found_slowly(clusters, limits, between)
        if not links:
            return sorted(clusters, key=min)
        clusters = [set().union(*(clusters[i] for i in part)) for part in chain(clusters, links)]


def found_slowly(clusters, limits, between):
    """Return the pairs of clusters that are each other's nearest by far, one of several tracks."""

    def points_at(i, j):
        losses = {k: between(min(i, k), max(i, k)) for k in range(len(clusters)) if k != i}
        nearest, second = sorted(losses.values())[:2]
        return losses[j] == nearest and losses[j] - limits[i] < 0.5 * (second - nearest)

    return [
        (i, j)
        for i, j in itertools.combinations(range(len(clusters)), 2)
        if len(clusters) > 5
        and len(clusters[i]) + len(clusters[j]) > 2
        and points_at(i, j)
        and points_at(j, i)
    ]


def chain(nodes, links):
    """Return the connected parts of a graph, as sets of numbers."""
    parts = [{number} for number in range(len(nodes))]
    for i, j in links:
        left = next(part for part in parts if i in part)
        right = next(part for part in parts if j in part)
        if left is not right:
            parts.remove(right)
            left |= right
    return parts


def quality_slowly(matrix, bias, values, masks, keep):
    """Return SER-FIQ's score of one crop whose tail is a matrix (d, width) and a bias (d,)."""
    passes = []
    for mask in masks:
        dropped = [v / keep if kept else 0.0 for v, kept in zip(values, mask, strict=True)]
        embedding = [
            sum(w * v for w, v in zip(row, dropped, strict=True)) + b
            for row, b in zip(matrix, bias, strict=True)
        ]
        length = math.sqrt(sum(x * x for x in embedding))
        passes.append([x / length for x in embedding])
    distances = [math.dist(a, b) for a, b in itertools.combinations(passes, 2)]
    return 2 / (1 + math.exp(sum(distances) / len(distances)))


def shrunk_slowly(points, freedom):
    """Return OAS's covariance of centred points, entry by entry (Chen et al. 2010, eq. 23)."""
    n, p = freedom, len(points[0])
    s = [[sum(x[i] * x[j] for x in points) / n for j in range(p)] for i in range(p)]
    trace = sum(s[i][i] for i in range(p))
    trace_of_square = sum(s[i][j] * s[j][i] for i in range(p) for j in range(p))
    rho = ((1 - 2 / p) * trace_of_square + trace**2) / (
        (n + 1 - 2 / p) * (trace_of_square - trace**2 / p)
    )
    rho = min(rho, 1.0)
    return [
        [(1 - rho) * s[i][j] + (rho * trace / p if i == j else 0.0) for j in range(p)]
        for i in range(p)
    ]
