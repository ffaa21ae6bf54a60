"""How well the confidence holds on films whose truth is known, and the two numbers it comes from.

A track is right when it bears the name that most tracks of its cluster bear, and is not alone in
its cluster while its person is also in another. Unknown tracks, and those without a true name, are
not judged. Every film counts the same, however many tracks or runs it has; what is said of a film
is predicted by numbers that were fitted to the other films.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit
from scipy.stats import mannwhitneyu

import videoclusternet as vcn
from benchmarks.results_file import Row
from videoclusternet.clustering.confidence import Margins, person_confidence
from videoclusternet.records import SAME_TIME, TWO_GROUPS, Array, Clusters
from videoclusternet.results.truth import name_tracks, read_truth

BINS = 5
RIDGE = 1e-3  # keeps the numbers finite where all tracks are right


@dataclass(frozen=True, eq=False)
class Judged:
    """The tracks of a finished run that can be judged, and its people."""

    film: str
    margin: Array
    right: Array  # of bool
    label: Array
    crops: Array
    doubts: Sequence[tuple[int, bool]] = ()  # reason, and whether it was of two people


def judge_run(folder: Path, truth: Path) -> Judged:
    """Judge the tracks of a finished run. Raises InputError where there is none."""
    run = vcn.load_run(folder)
    names = name_tracks(run.tracks, read_truth(truth)).names
    return judge(run.manifest.film.name, run.clusters, names, run.crops.counts)


def judge(film: str, clusters: Clusters, names: Sequence[str | None], crops: Array) -> Judged:
    """Judge tracks of these true names (None: not told) and so many crops each."""
    margin = Margins(clusters.own_loss, clusters.other_loss, clusters.other).margin
    told = np.array([name is not None for name in names], bool)
    rows = np.flatnonzero(told & (clusters.label >= 0) & np.isfinite(margin))
    right = np.array([_is_right(track, clusters.label, names) for track in rows.tolist()], bool)
    label = np.unique(clusters.label[rows], return_inverse=True)[1]
    return Judged(film, margin[rows], right, label, crops[rows], tuple(_doubts(clusters, names)))


def _is_right(track: int, label: Array, names: Sequence[str | None]) -> bool:
    mates = np.flatnonzero(label == label[track])
    if names[track] != majority(mates.tolist(), names):
        return False
    elsewhere = (label >= 0) & (label != label[track])
    alone = len(mates) == 1
    return not (
        alone and any(names[other] == names[track] for other in np.flatnonzero(elsewhere).tolist())
    )


def majority(tracks: Sequence[int], names: Sequence[str | None]) -> str | None:
    """Return the name that most of these tracks bear, the first in the alphabet of equals."""
    told = [name for track in tracks if (name := names[track]) is not None]
    return min(set(told), key=lambda name: (-told.count(name), name), default=None)


def _doubts(clusters: Clusters, names: Sequence[str | None]) -> Iterator[tuple[int, bool]]:
    for left, right, reason in zip(
        clusters.doubt_left.tolist(), clusters.doubt_right.tolist(),
        clusters.doubt_reason.tolist(), strict=True,
    ):  # fmt: skip
        parts = (
            np.flatnonzero(clusters.part == one) if reason == TWO_GROUPS else np.array([one])
            for one in (left, right)
        )
        who = [majority(part.tolist(), names) for part in parts]
        if None not in who:
            yield reason, who[0] != who[1]


def measure_confidence(runs: Sequence[Judged]) -> list[Row]:
    """Return the two numbers, and how well such numbers hold on films that they have not seen.

    Raises UsageError where the runs are of fewer than two films, or none or all of their tracks
    are right.
    """
    films = {run.film for run in runs}
    right = np.concatenate([run.right for run in runs]) if runs else np.empty(0, bool)
    if len(films) < 2 or right.all() or not right.any():
        raise vcn.UsageError("Name runs of two films or more, with right and with wrong tracks.")
    slope, offset = fit(runs)
    told = []
    for run in runs:
        numbers = fit([other for other in runs if other.film != run.film])
        told.append(replace(run, margin=expit(numbers[0] * run.margin + numbers[1])))
    share, weight = np.concatenate([run.margin for run in told]), _weights(runs)
    rows = [
        Row.of("slope", slope, "1 / margin"),
        Row.of("offset", offset, "log odds"),
        Row.of("films", len(films), "films"),
        Row.of("tracks", len(right), "tracks"),
        Row.of("wrong", int((~right).sum()), "tracks"),
        Row.of("auc", auc(share, right), "share"),
        Row.of("calibration_error", calibration_error(share, right, weight), "share"),
    ]
    for number, (predicted, observed, count) in enumerate(bins(share, right, weight), start=1):
        rows += [
            Row.of(f"bin_{number}.predicted", predicted, "share"),
            Row.of(f"bin_{number}.observed", observed, "share"),
            Row.of(f"bin_{number}.count", count, "tracks"),
        ]
    return [*rows, *_of_people(told), *_of_films(told), *_of_doubts(runs)]


def fit(runs: Sequence[Judged]) -> tuple[float, float]:
    """Return slope and offset of the logistic under which the runs are likeliest."""
    margin = np.concatenate([run.margin for run in runs])
    sign = np.where(np.concatenate([run.right for run in runs]), 1.0, -1.0)
    weight = _weights(runs) / _weights(runs).sum()

    def cost(numbers: Array) -> float:
        odds = sign * (numbers[0] * margin + numbers[1])
        return float(weight @ np.logaddexp(0.0, -odds) + RIDGE / len(margin) * numbers @ numbers)

    slope, offset = minimize(cost, np.array([1.0, 0.0])).x
    return float(slope), float(offset)


def _weights(runs: Sequence[Judged]) -> Array:
    """Return the weight of each track, so that every film has the same."""
    tracks: dict[str, int] = {}
    for run in runs:
        tracks[run.film] = tracks.get(run.film, 0) + len(run.margin)
    return np.concatenate([np.full(len(run.margin), 1 / max(1, tracks[run.film])) for run in runs])


def auc(share: Array, right: Array) -> float:
    """Return how often a wrong track is told less sure than a right one (NaN without either)."""
    if right.all() or not right.any():
        return float("nan")
    above = mannwhitneyu(share[right], share[~right]).statistic
    return float(above / (right.sum() * (~right).sum()))


def bins(share: Array, right: Array, weight: Array) -> list[tuple[float, float, int]]:
    """Return predicted and observed share, and count, of bins of equal size, least sure first."""
    parts = np.array_split(np.argsort(share, kind="stable"), BINS)
    return [
        (
            float(np.average(share[part], weights=weight[part])),
            float(np.average(right[part], weights=weight[part])),
            len(part),
        )
        for part in parts
        if len(part)
    ]


def calibration_error(share: Array, right: Array, weight: Array) -> float:
    """Return the mean distance of predicted and observed share over the bins, by their weight."""
    parts = np.array_split(np.argsort(share, kind="stable"), BINS)
    return sum(abs(float(weight[part] @ (share[part] - right[part]))) for part in parts) / float(
        weight.sum()
    )


def _of_people(told: Sequence[Judged]) -> Iterator[Row]:
    """Yield how well people hold: by the mean of their crops, and by their weakest track."""
    mean, weakest, observed = [], [], []
    for run in told:
        mean += person_confidence(run.label, run.margin, run.crops).tolist()
        observed += person_confidence(run.label, run.right.astype(float), run.crops).tolist()
        weakest += [run.margin[run.label == one].min() for one in range(run.label.max() + 1)]
    one, share = np.ones(len(mean)), np.array(observed)
    yield Row.of("people", len(mean), "people")
    yield Row.of("people.calibration_error", calibration_error(np.array(mean), share, one), "share")
    yield Row.of("people.auc", auc(np.array(mean), share == 1), "share")
    yield Row.of("people.auc_of_weakest", auc(np.array(weakest), share == 1), "share")


def _of_films(told: Sequence[Judged]) -> Iterator[Row]:
    for film in sorted({run.film for run in told}):
        mine = [run for run in told if run.film == film]
        share, right = (
            np.concatenate(x) for x in zip(*((r.margin, r.right) for r in mine), strict=True)
        )
        yield Row.of(f"{film}.predicted", float(share.mean()), "share")
        yield Row.of(f"{film}.observed", float(right.mean()), "share")
        if not right.all() and right.any():
            yield Row.of(f"{film}.auc", auc(share, right), "share")


def _of_doubts(runs: Sequence[Judged]) -> Iterator[Row]:
    """Yield how many doubts there were, and how many were about two people indeed."""
    for reason, name in ((SAME_TIME, "same_time"), (TWO_GROUPS, "two_groups")):
        found = [two for run in runs for told, two in run.doubts if told == reason]
        yield Row.of(f"doubts.{name}", len(found), "doubts")
        yield Row.of(f"doubts.{name}.of_two_people", sum(found), "doubts")
