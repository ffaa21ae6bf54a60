"""Head outputs of drawn tracks, and the two ways to look at them: as sums and pair by pair."""

from __future__ import annotations

import numpy as np
import torch

from tests.oracles import SlowLoss
from tests.pocket import POCKET, build
from videoclusternet.clustering.cluster import cluster_tracks
from videoclusternet.clustering.distance import RULES
from videoclusternet.clustering.signature import sign_tracks, track_sides
from videoclusternet.config import FinetuneConfig
from videoclusternet.models.face_model import FaceModel
from videoclusternet.records import Tracks

CONFIG = FinetuneConfig(
    heads=2, outputs=3, hidden=2, teacher_temperature=0.1, student_temperature=0.2
)


def scorer(seed):
    """Return a model and a slow loss that have one drawn centre."""
    model = FaceModel(POCKET, build(), CONFIG)
    centre = np.random.default_rng(seed).uniform(-0.2, 0.2, (2, 3)).astype(np.float32)
    model.centre.copy_(torch.tensor(centre))
    return model, SlowLoss(centre.astype(float), 0.1, 0.2)


def draw_outputs(seed, people, counts, *, spread=0.1, apart=0.0, views=1):
    """Return outputs (crops, views, heads, k) of tracks of these people.

    `spread` is how far crops lie from their track on the average, `apart` how far tracks do from
    their person.
    """
    rng = np.random.default_rng(seed)
    middle = rng.uniform(-1, 1, (max(people, default=0) + 1, 2, 3))[np.array(people, int)]
    middle += rng.normal(0, apart, middle.shape)
    width = np.repeat(spread * rng.exponential(1, len(counts)), counts)
    noise = width[:, None, None, None] * rng.normal(0, 1, (sum(counts), views, 2, 3))
    return np.repeat(middle, counts, axis=0)[:, None] + noise


def pieces(outputs, counts):
    """Return the outputs (heads, k) of each track, one for each view of each crop."""
    stops = np.cumsum(counts)
    return [
        list(outputs[stop - count : stop].reshape(-1, *outputs.shape[2:]))
        for stop, count in zip(stops, counts, strict=True)
    ]


def sides_of(model, outputs, counts, rule="loss"):
    return track_sides(model, torch.tensor(outputs), np.array(counts, np.int64), RULES[rule])


def cluster_crops(crops, tracks, model, config, **rest):
    """Return who is who among the tracks of these crops, as the network sees them."""
    return cluster_tracks(sign_tracks(crops, model, config, **rest), tracks, config)


def as_sets(label):
    """Return the parts of a partition, as sets of tracks, in the order of their labels."""
    return [set(np.flatnonzero(label == number).tolist()) for number in range(label.max() + 1)]


def draw_tracks(seed):
    """Return the people, the counts and the spreads of a few drawn tracks."""
    rng = np.random.default_rng(seed)
    tracks = rng.integers(1, 11)
    people = rng.integers(0, rng.integers(1, 4), tracks).tolist()
    counts = rng.integers(1, rng.integers(2, 6), tracks).tolist()
    return people, counts, {"spread": rng.uniform(0.05, 0.8), "apart": rng.uniform(0.1, 0.6)}


def tracks_seen(spans):
    """Return the record of tracks that are seen from one frame to another, both included."""
    rows = [(track, frame) for track, (first, last) in enumerate(spans)
            for frame in sorted({first, last})]  # fmt: skip
    track, frame = np.array(rows, np.int64).reshape(-1, 2).T
    columns = {
        name: np.zeros((len(rows), *values.shape[1:]), values.dtype)
        for name, values in Tracks.empty().columns().items()
    }
    usable = np.ones(len(rows), bool)
    return Tracks(**columns | {"track": track, "frame": frame, "usable": usable})


def one_by_one(count):
    """Return the record of so many tracks, each seen after the one before it."""
    return tracks_seen([(10 * n, 10 * n + 9) for n in range(count)])
