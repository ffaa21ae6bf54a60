"""What each part of the method gives: every way of tuning with every way of grouping.

A film is decoded and tracked once; each way of tuning redoes its run folder from the network on.
What a trial made of the tracks is kept beside the folder, so a benchmark that was stopped goes on
where it was. The usual pipeline, average linkage of cosine distances, needs a threshold: it gets
the one that is best on the *other* films, as a user would have to choose it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from statistics import fmean

import numpy as np
import torch

import videoclusternet as vcn
from benchmarks.films import GOALS
from benchmarks.methods.linkage import cut
from benchmarks.results_file import Row
from benchmarks.runs import Case
from videoclusternet.clustering.cluster import cluster_tracks
from videoclusternet.clustering.distance import RULES
from videoclusternet.clustering.known import recognisable
from videoclusternet.clustering.merge import merge_tracks
from videoclusternet.clustering.quality import seen_and_scored, track_quality
from videoclusternet.clustering.signature import film_sides, sign_embedded
from videoclusternet.config import ClusterConfig, load_config
from videoclusternet.models.face_model import FaceModel
from videoclusternet.models.registry import choose_backbone
from videoclusternet.models.views import embedded_views, mirrored
from videoclusternet.records import Array, Crops
from videoclusternet.results.metrics import Scores, score
from videoclusternet.results.truth import name_tracks, read_truth
from videoclusternet.run_view import RunView

TUNINGS = {
    "not tuned": None,
    "head": ("finetune.when=always", "finetune.rounds=0"),
    "head, no matching": (
        "finetune.when=always", "finetune.rounds=0", "finetune.matching=none",
    ),
    "joint": ("finetune.when=always",),
    "joint, Gaussians": ("finetune.when=always", "finetune.matching=principal"),
}  # fmt: skip
"""Settings by name; None is the backbone as it came, which has no head."""

AVERAGE = "average linkage"
EVERYBODY = ", no quality"  # what is behind the name of a rule that nobody was left out from
MEASURES = ("wcp", "bcubed_f1", "nmi", "ratio")
THRESHOLDS = np.arange(0.005, 0.6, 0.005).tolist()  # cosine distances to choose from


@dataclass(frozen=True, eq=False)
class Trial:
    """What one film, way of tuning and seed came to: all that the table needs of it."""

    film: str
    tuning: str
    seed: int
    names: Array  # str (tracks,), "" where a track has no true name
    means: Array  # float (tracks, d), unit length: the mean embedding of each track, 0 without crop
    labels: dict[str, Array]  # by rule, int (tracks,)
    matching: Array  # float (rounds, 2): precision and recall of the matches before each round


def try_tuning(case: Case, tuning: str, seed: int, work: Path, preset: str) -> Trial:
    """Tune to a film and group its tracks by every rule, or read what was found before."""
    kept = work / f"{case.name}-{tuning.replace(', ', '-').replace(' ', '-')}-{seed}.npz"
    if not kept.exists():
        trial = _made(case, tuning, seed, work, preset)
        labels = {f"label {name}": label for name, label in trial.labels.items()}
        columns = {"names": trial.names, "means": trial.means, "matching": trial.matching}
        with kept.open("wb") as file:
            np.savez(file, allow_pickle=False, **columns, **labels)
    with np.load(kept, allow_pickle=False) as columns:
        labels = {n.removeprefix("label "): columns[n] for n in columns if n.startswith("label ")}
        return Trial(
            case.name, tuning, seed, columns["names"], columns["means"], labels, columns["matching"]
        )


def _made(case: Case, tuning: str, seed: int, work: Path, preset: str) -> Trial:
    changes = TUNINGS[tuning]
    config = load_config(preset, [*(changes or ()), f"seed={seed}"])
    folder = work / case.name
    until = "links" if changes is None else "model"
    run = vcn.process_film(case.film, folder, preset, changes or (), seed=seed, until=until)
    crops = run.crops
    found = name_tracks(run.tracks, read_truth(case.truth)).names
    names = np.array([name or "" for name in found], np.str_)
    if changes is None:
        model = FaceModel.create(*choose_backbone(config.backbone), config.finetune, seed).eval()
    else:
        model = run.model
    seen, scores = seen_and_scored(model, crops.images, mirrored, config.cluster, seed)
    quality = track_quality(scores, crops.counts)
    good = recognisable(quality, config.cluster.quality_deviations)
    labels: dict[str, Array] = {}
    if changes is None:
        labels["cosine-average"] = _linked("cosine-average", model, seen, run, quality)
    else:
        drawn = embedded_views(model, crops.images, config.finetune.views, seed)
        for name, rule in RULES.items():
            if rule.average:
                labels[name] = _linked(name, model, seen, run, quality)
            else:
                labels[name] = _grouped(name, model, drawn, crops, good)
        labels["loss" + EVERYBODY] = _grouped("loss", model, drawn, crops, crops.counts > 0)
    return Trial(
        case.name, tuning, seed, names, _means(seen[:, 0].cpu().numpy(), crops), labels,
        _matching(model, names),
    )  # fmt: skip


def _grouped(
    name: str, model: FaceModel, embeddings: torch.Tensor, crops: Crops, known: Array
) -> Array:
    """Return the label of each track by a rule of the table, -1 for those that are not known."""
    rule = RULES[name]
    rows = torch.as_tensor(known[crops.track])
    labels = np.full(len(crops.counts), -1)
    sides = film_sides(model, embeddings[rows], crops.counts[known], rule)
    labels[known] = merge_tracks(sides, rule)[0]
    return labels


def _linked(
    name: str, model: FaceModel, embeddings: torch.Tensor, run: RunView, quality: Array
) -> Array:
    """Return the label of each track by average linkage, as the program does it."""
    crops, rule = run.crops, RULES[name]
    signatures = sign_embedded(model, embeddings, crops, rule, quality)
    config = ClusterConfig(rule=name)
    label: Array = cluster_tracks(signatures, run.tracks, config, run.links).label
    return label


def _means(embeddings: Array, crops: Crops) -> Array:
    """Return the mean of the unit embeddings (crops, d) of each track, of unit length."""
    unit = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
    means = np.zeros((len(crops.counts), unit.shape[1]))
    np.add.at(means, crops.track, unit)
    return means / np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)


def _matching(model: FaceModel, names: Array) -> Array:
    """Return precision and recall of the directed matches before each round, (rounds, 2).

    Only pairs of tracks with a true name count; NaN where there is none to be right or wrong about.
    """
    named = names != ""
    same = (names[:, None] == names) & named[:, None] & named
    np.fill_diagonal(same, False)
    found = []
    for row in model.log:
        if row["stage"] == "matching":
            matches = np.zeros(same.shape, bool)
            matches[tuple(np.array(row["pairs"], int).reshape(-1, 2).T)] = True
            matches &= named[:, None] & named
            right = np.count_nonzero(matches & same)
            total, wanted = np.count_nonzero(matches), np.count_nonzero(same)
            found.append((right / total if total else np.nan, right / wanted if wanted else np.nan))
    return np.array(found).reshape(-1, 2)


def average_linkage(trial: Trial, thresholds: Sequence[float]) -> Array:
    """Return the labels of the usual pipeline at each threshold of cosine distance, (n, tracks)."""
    labels = np.full((len(thresholds), len(trial.names)), -1)
    known = trial.means.any(axis=1)
    labels[:, known] = cut(trial.means[known], "average", thresholds)
    return labels


def best_threshold(trials: Sequence[Trial]) -> float:
    """Return the threshold of average linkage with the greatest mean B-cubed F1 over trials."""
    curves = [_curve(trial) for trial in trials]
    return THRESHOLDS[int(np.argmax(np.mean(curves, axis=0)))]


@cache
def _curve(trial: Trial) -> Array:
    """Return B-cubed F1 at each of the thresholds; kept, because many ask for each trial."""
    labels = average_linkage(trial, THRESHOLDS)
    return np.array([scored(trial, label).bcubed_f1 for label in labels])


def scored(trial: Trial, labels: Array) -> Scores:
    """Score labels against a trial's names."""
    return score(labels, [name or None for name in trial.names.tolist()])


def measure(trials: Sequence[Trial]) -> dict[tuple[str, str, str], list[Scores]]:
    """Return the scores of each (film, tuning, rule), one a seed."""
    table: dict[tuple[str, str, str], list[Scores]] = {}
    for trial in trials:
        others = [
            other
            for other in trials
            if (other.tuning, other.seed) == (trial.tuning, trial.seed) and other.film != trial.film
        ]
        labels = dict(trial.labels)
        if others:
            labels = {AVERAGE: average_linkage(trial, [best_threshold(others)])[0]} | labels
        for rule, label in labels.items():
            table.setdefault((trial.film, trial.tuning, rule), []).append(scored(trial, label))
    return table


def rows_of(trials: Sequence[Trial], preset: str) -> list[Row]:
    """Return every figure as a row; goals are asked of the preset's own tuning and rule."""
    config = load_config(preset)
    tuning, rule = "joint" if config.finetune.rounds else "head", config.cluster.rule
    rows = []
    for (film, way, name), scores in measure(trials).items():
        for measure_ in MEASURES:
            goal = GOALS.get(film, {}).get(measure_) if (way, name) == (tuning, rule) else None
            values = [float(getattr(score_, measure_)) for score_ in scores]
            key = f"{film}.{way}.{name}.{measure_}"
            unit = "predicted / true" if measure_ == "ratio" else "share"
            rows += [Row.of(f"{key}.seed_{i}", value, unit, goal) for i, value in enumerate(values)]
            rows.append(Row.of(f"{key}.mean", fmean(values), unit))
            rows.append(Row.of(f"{key}.spread", max(values) - min(values), unit))
    return rows + list(_matching_rows(trials))


def _matching_rows(trials: Sequence[Trial]) -> Iterator[Row]:
    for trial in trials:
        for round_, pair in enumerate(trial.matching):
            for name, value in zip(("precision", "recall"), pair, strict=True):
                if np.isfinite(value):
                    key = f"{trial.film}.{trial.tuning}.matching.seed_{trial.seed}.round_{round_}"
                    yield Row.of(f"{key}.{name}", float(value), "share of directed pairs")


def table_of(trials: Sequence[Trial]) -> Iterator[str]:
    """Yield the lines of a Markdown table: mean and spread over the seeds, film by film."""
    table = measure(trials)
    films = list(dict.fromkeys(film for film, _, _ in table))
    yield "| tuning | rule | " + " | ".join(films) + " | mean B³ |"
    yield "| --- | --- | " + " | ".join("---" for _ in films) + " | --- |"
    for way, name in dict.fromkeys((way, name) for _, way, name in table):
        found = [table.get((film, way, name), []) for film in films]
        cells = [_cell(scores) for scores in found]
        mean = fmean(s.bcubed_f1 for scores in found for s in scores)
        yield f"| {way} | {name} | " + " | ".join(cells) + f" | {mean:.3f} |"


def _cell(scores: Sequence[Scores]) -> str:
    """Return B-cubed F1 (and its spread), WCP and the ratio."""
    if not scores:
        return ""
    f1 = [s.bcubed_f1 for s in scores]
    wcp, ratio = fmean(s.wcp for s in scores), fmean(s.ratio for s in scores)
    return f"{fmean(f1):.3f} ±{(max(f1) - min(f1)) / 2:.3f}, {wcp:.2f}, {ratio:.2f}"
