"""Ours among the methods that are compared: on a film, a data set's pictures, or its features.

A film is run as its users run it. Where a data set has pictures of faces, ours begins with those.
Where it has features alone there is no network to adapt and nothing to augment: the head is all
that is trained, on the features as they are.
"""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

import videoclusternet as vcn
from benchmarks.datasets.film import LabelledFilm
from benchmarks.methods import TrackSet
from benchmarks.runs import Case
from videoclusternet.clustering.cluster import cluster_tracks
from videoclusternet.clustering.signature import sign_tracks
from videoclusternet.config import Config, FinetuneConfig
from videoclusternet.faces.crops import evenly
from videoclusternet.finetune.train import tune_model
from videoclusternet.models.backbone import Backbone
from videoclusternet.models.face_model import FaceModel
from videoclusternet.models.registry import BackboneSpec, Feed, choose_backbone
from videoclusternet.records import Array, Crops, Tracks

NO_FEED = Feed(size=1, template=(), mean=(0.0, 0.0, 0.0), scale=(1.0, 1.0, 1.0))
EVERYBODY = 1e9  # deviations from which a track is left out; nothing tells how well features know


def run_film(
    case: Case, seed: int, work: Path, preset: str, changes: Sequence[str], tracked: Path
) -> Array:
    """Run the program on a film with a seed, in a folder that begins as `tracked`, and return the
    label of each of its tracks.
    """
    folder = work / f"{case.name}-{seed}"
    if not folder.exists():
        shutil.copytree(tracked, folder)
    run = vcn.process_film(case.film, folder, preset, changes, seed=seed)
    label: Array = run.clusters.label
    return label


def run_labelled(film: LabelledFilm, config: Config, seed: int) -> Array:
    """Tune to a film of a data set, and return the label of each of its tracks, int64 (all,)."""
    crops, cluster = film.crops, config.cluster
    if crops is None:
        crops = as_pictures(film.tracks)
        finetune = config.finetune.model_copy(update={"rounds": 0, "views": 1})
        cluster = cluster.model_copy(update={"quality_deviations": EVERYBODY})
        model: FaceModel = FeatureModel(film.tracks.embeddings.shape[1], finetune, seed)
    else:
        model = FaceModel.create(*choose_backbone(config.backbone), config.finetune, seed)
    starts = np.cumsum(crops.counts) - crops.counts
    rows = [
        start + evenly(count, config.crops.most)
        for start, count in zip(starts.tolist(), crops.counts.tolist(), strict=True)
    ]
    crops = crops.select(np.concatenate([np.empty(0, np.int64), *rows]))
    tuned = tune_model(model, crops, seed=seed).eval()
    signatures = sign_tracks(crops, tuned, cluster, seed=seed)
    return film.all_of(cluster_tracks(signatures, _seen(film.tracks), cluster).label)


class GivenFeatures(Backbone):
    """No network: what goes in comes out."""

    def trunk(self, x: Tensor) -> Tensor:
        return x

    def tail(self, values: Tensor) -> Tensor:
        return values


class FeatureModel(FaceModel):
    """A head on features, which lie byte by byte where others have the pictures of faces."""

    def __init__(self, dimension: int, config: FinetuneConfig, seed: int) -> None:
        spec = BackboneSpec("features", "", "", NO_FEED, dimension, 0, "", "", "a data set")
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            super().__init__(spec, GivenFeatures(), config)

    def trunk(self, images: Tensor) -> Tensor:
        """Return the features (n, d) in what `as_pictures` made of them."""
        raw = images.flatten(1)[:, : 4 * self.spec.dimension].reshape(-1)
        return raw.view(torch.float32).reshape(len(images), self.spec.dimension)


def as_pictures(tracks: TrackSet) -> Crops:
    """Return the features of a film with their bytes for pictures."""
    count, dimension = tracks.embeddings.shape
    width = -(-4 * dimension // 3)  # pixels of three bytes
    images = np.zeros((count, 3 * width), np.uint8)
    images[:, : 4 * dimension] = np.ascontiguousarray(tracks.embeddings, np.float32).view(np.uint8)
    nothing = np.full(count, np.nan, np.float32)
    return Crops(
        images.reshape(count, width, 1, 3), tracks.track, np.arange(count), nothing, nothing,
        tracks.counts,
    )  # fmt: skip


def _seen(tracks: TrackSet) -> Tracks:
    """Return tracks of which no more is known than their first and last frame."""
    long = np.where(tracks.last > tracks.first, 2, 1)
    track = np.repeat(np.arange(len(tracks)), long)
    frame = np.repeat(tracks.first, long)
    frame[np.cumsum(long) - 1] = tracks.last
    number = len(track)
    nothing = np.full(number, np.nan, np.float32)
    return Tracks(
        track, frame, np.full((number, 4), np.nan, np.float32),
        np.full((number, 5, 2), np.nan, np.float32), nothing, nothing, nothing, nothing,
        np.ones(number, bool), np.zeros(number, bool),
    )  # fmt: skip
