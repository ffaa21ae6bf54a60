"""What each part of the default gives on real films, network by network, without any tuning.

It begins with the usual pipeline: average linkage of the mean embeddings of each track, one crop in
twelve frames, at the cosine distance that is best on the *other* films. One part of the default
after the other is added, up to the program as it is, which is told no threshold. A film is decoded
and tracked once; nothing here depends on a seed.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

import numpy as np
import torch
from torch import Tensor

import videoclusternet as vcn
from benchmarks.bases import name_of
from benchmarks.methods import COSINE
from benchmarks.results_file import Goal, Row
from benchmarks.runs import Case
from videoclusternet.clustering.calibration import calibrate
from videoclusternet.clustering.cluster import cluster_tracks
from videoclusternet.clustering.distance import RULES, Sides
from videoclusternet.clustering.group import constraints_of, links_among, pairs_of
from videoclusternet.clustering.linkage import link_clusters
from videoclusternet.clustering.signature import frontal_weight, sign_tracks, track_sides
from videoclusternet.config import load_config
from videoclusternet.models.face_model import FaceModel
from videoclusternet.models.registry import choose_backbone
from videoclusternet.models.views import mirrored, trunk_views
from videoclusternet.records import THREAD, TOGETHER, Array, Links
from videoclusternet.results.metrics import Scores, score
from videoclusternet.results.truth import name_tracks, read_truth
from videoclusternet.run_view import RunView
from videoclusternet.said import Said, numbered

SPARSE = 12  # frames between two crops where they are as sparse as published
RULE = RULES["cosine-average"]


@dataclass(frozen=True)
class Lever:
    """A state of the pipeline between the usual one and ours."""

    name: str
    every: int | None = None  # frames between two crops; None: all that the program cuts
    frontal: bool = False  # crops seen in a mirror, too, and weighted by how they look ahead
    together: bool = False  # faces of one picture stay two people
    threads: bool = False  # camera set-ups that return join
    rooted: bool = False  # tracks count by the root of their crops


LEVERS = (
    Lever("usual pipeline", SPARSE),
    Lever("+ dense crops"),
    Lever("+ mirror and frontal weights", frontal=True),
    Lever("+ two in one picture", frontal=True, together=True),
    Lever("+ returning set-ups", frontal=True, together=True, threads=True),
    Lever("+ root of crops", frontal=True, together=True, threads=True, rooted=True),
)
"""Each at a threshold of the other films."""

CALIBRATED = "+ the film's own threshold"
OURS = "+ small faces join: the default"
NAMES = (*(lever.name for lever in LEVERS), CALIBRATED, OURS)

GOALS = {  # B³ F1 above the usual pipeline, precision, mean |ratio − 1|; of every other network
    "dlib_resnet": (0.06, 0.90, 0.15),
    "": (0.03, 0.93, 0.12),
}
WORST = -0.03  # on no film more than so much below the usual pipeline


@dataclass(frozen=True, eq=False)
class LabelledRun:
    """A film's tracks as a network sees them, and their true names."""

    run: RunView
    names: tuple[str | None, ...]
    embeddings: Tensor  # of the crops and their mirror images, (crops, 2, d)
    model: FaceModel

    @classmethod
    def of(cls, case: Case, setting: str, work: Path) -> LabelledRun:
        """Track a film, and embed its crops, or read what was found before."""
        folder, tracked = work / name_of(setting) / case.name, work / "tracks" / case.name
        if not folder.exists():
            vcn.process_film(case.film, tracked, until="tracks")
            shutil.copytree(tracked, folder)
        changes = [f"backbone={setting}"]
        run = vcn.process_film(case.film, folder, "standard", changes, until="links")
        model = FaceModel.create(
            *choose_backbone(setting), load_config(changes=changes).finetune, seed=0
        ).eval()
        kept = folder.with_suffix(".pt")
        if not kept.exists():
            with torch.no_grad():
                values = trunk_views(model, run.crops.images, mirrored)
                torch.save(torch.cat([model.tail(batch) for batch in values]), kept)
        names = name_tracks(run.tracks, read_truth(case.truth)).names
        return cls(run, names, torch.load(kept, weights_only=True), model)

    def scored(self, label: Array) -> Scores:
        """Score labels (tracks,)."""
        return score(label, self.names)

    def ours(self) -> Scores:
        """Score the program's own grouping."""
        config = load_config().cluster
        signatures = sign_tracks(self.run.crops, self.model, config)
        return self.scored(
            cluster_tracks(signatures, self.run.tracks, config, self.run.links).label
        )

    def calibrated(self) -> Scores:
        """Score the last lever at the film's own threshold."""
        tracks, sides, links = self._seen(LEVERS[-1])
        usual = self.model.strangers
        threshold = calibrate(sides, pairs_of(links, TOGETHER), usual).threshold
        return self.scored(self._cut(LEVERS[-1], tracks, sides, links, [threshold])[0])

    def at(self, lever: Lever, thresholds: Sequence[float]) -> list[Scores]:
        """Score a lever at each of these thresholds."""
        tracks, sides, links = self._seen(lever)
        return [self.scored(x) for x in self._cut(lever, tracks, sides, links, thresholds)]

    def _seen(self, lever: Lever) -> tuple[Array, Sides, Links]:
        """Return the tracks that have good crops, their sides, and what the film shows of them."""
        crops, tracks = self.run.crops, self.run.tracks
        solid = np.bincount(tracks.track, tracks.usable, tracks.count) > 0
        rows = np.flatnonzero(solid[crops.track])
        if lever.every is not None:
            slot = (crops.frame - tracks.spans[crops.track, 0]) // lever.every
            key = np.stack([crops.track, slot])[:, rows]
            rows = rows[np.unique(key, axis=1, return_index=True)[1]]
        some = crops.select(np.sort(rows))
        embeddings = self.embeddings[np.sort(rows)][:, : 1 + lever.frontal]
        weight = frontal_weight(some.frontal) if lever.frontal else None
        known = np.flatnonzero(some.counts)
        sides = track_sides(self.model, embeddings, some.counts[known], RULE, weight)
        links = links_among(self.run.links, known)
        kinds = [kind for kind, used in _KINDS.items() if getattr(lever, used)]
        return known, sides, links.select(np.isin(links.kind, kinds))

    def _cut(
        self, lever: Lever, tracks: Array, sides: Sides, links: Links, thresholds: Sequence[float]
    ) -> list[Array]:
        """Return the label of each track at thresholds: a tree is made once, and cut at each."""
        said = Said.nothing(len(tracks))
        given = constraints_of(sides, said, links, calibrate(sides, pairs_of(links, TOGETHER)))
        weight = np.sqrt(sides.count) if lever.rooted else np.ones(len(tracks))
        _, merges = link_clusters(sides, weight, np.inf, given.label, given.apart, given.shown)
        merges = sorted(merges, key=lambda merge: merge.loss)
        order, labels = np.argsort(thresholds), []
        label, done = given.label.copy(), 0
        for threshold in np.asarray(thresholds)[order]:
            while done < len(merges) and merges[done].loss < threshold:
                label[label == label[merges[done].right]] = label[merges[done].left]
                done += 1
            everyone = np.full(len(self.names), -1)
            everyone[tracks] = numbered(label)
            labels.append(everyone)
        return [labels[place] for place in np.argsort(order)]


_KINDS = {THREAD: "threads", TOGETHER: "together"}

Table = Mapping[str, Mapping[str, Scores]]
"""By lever and film."""


def measure_levers(cases: Sequence[Case], setting: str, work: Path) -> Table:
    """Return what each lever gives on each film, with a backbone, NAME or NAME=FILE."""
    runs = {case.name: LabelledRun.of(case, setting, work) for case in cases}
    table = {lever.name: _of_others({f: r.at(lever, COSINE) for f, r in runs.items()})
             for lever in LEVERS}  # fmt: skip
    table[CALIBRATED] = {film: run.calibrated() for film, run in runs.items()}
    table[OURS] = {film: run.ours() for film, run in runs.items()}
    return table


def _of_others(scores: Mapping[str, Sequence[Scores]]) -> dict[str, Scores]:
    """Return the scores of each film at the threshold with the best mean F1 of all others."""
    curves = {film: np.array([one.bcubed_f1 for one in found]) for film, found in scores.items()}
    whole = np.sum(list(curves.values()), axis=0)
    return {film: found[int(np.argmax(whole - curves[film]))] for film, found in scores.items()}


def rows_of(name: str, table: Table) -> Iterator[Row]:
    """Yield each film's figures, then the means, judged by the goals of the network."""
    first, last = table[NAMES[0]], table[NAMES[-1]]
    for lever, films in table.items():
        for film, found in films.items():
            for measure in ("bcubed_f1", "bcubed_precision", "ratio", "wcp", "nmi"):
                value = getattr(found, measure)
                yield Row.of(f"{name}.{film}.{lever}.{measure}", value, "share")
    gain, precision, off = GOALS.get(name, GOALS[""])
    usual = _means(first)["bcubed_f1"]
    goals = {
        "bcubed_f1": Goal(round(usual + gain, 4)),
        "bcubed_precision": Goal(precision),
        "off": Goal(most=off),
    }
    for lever, films in table.items():
        for measure, value in _means(films).items():
            goal = goals.get(measure) if lever == NAMES[-1] else None
            yield Row.of(f"{name}.mean.{lever}.{measure}", value, "mean of the films", goal)
    worst = min(last[film].bcubed_f1 - first[film].bcubed_f1 for film in last)
    yield Row.of(f"{name}.worst", worst, "B³ F1 of a film beside the usual pipeline", Goal(WORST))


def table_of(tables: Mapping[str, Table]) -> Iterator[str]:
    """Yield the lines of Markdown tables: the levers, then the films."""
    yield "| | " + " | ".join(tables) + " |"
    yield "| --- |" + " --- |" * len(tables)
    for lever in NAMES:
        means = [_means(table[lever]) for table in tables.values()]
        values = [[mean[one] for one in ("bcubed_f1", "bcubed_precision", "off")] for mean in means]
        cells = [f"{f1:.3f} ({precision:.3f}, {off:.3f})" for f1, precision, off in values]
        yield f"| {lever} | " + " | ".join(cells) + " |"
    yield ""
    yield "| film | " + " | ".join(tables) + " |"
    yield "| --- |" + " --- |" * len(tables)
    for film in next(iter(tables.values()))[OURS]:
        cells = []
        for table in tables.values():
            usual, ours = table[NAMES[0]][film], table[OURS][film]
            people = f"{ours.predicted}/{ours.true}"
            cells.append(f"{usual.bcubed_f1:.3f} → {ours.bcubed_f1:.3f}, {people}")
        yield f"| {film} | " + " | ".join(cells) + " |"


def _means(films: Mapping[str, Scores]) -> dict[str, float]:
    found = films.values()
    means = {
        measure: fmean(getattr(one, measure) for one in found)
        for measure in ("bcubed_f1", "bcubed_precision", "wcp", "nmi")
    }
    return means | {"off": fmean(abs(one.ratio - 1) for one in found)}
