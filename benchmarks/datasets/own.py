"""A run of the program and a truth file, as one film of a data set."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydantic import ValidationError

import videoclusternet as vcn
from benchmarks.datasets.film import FoundTrack, LabelledFilm, assemble
from benchmarks.datasets.pictures import Network
from videoclusternet.config import Config
from videoclusternet.models.face_model import FaceModel
from videoclusternet.models.registry import choose_backbone
from videoclusternet.models.views import embedded_views
from videoclusternet.records import Array
from videoclusternet.results.truth import name_tracks, read_truth


def load_own(folder: Path, truth: Path, network: Network | None = None) -> LabelledFilm:
    """Load the tracks of a run folder, named by a truth file as `vcn eval` names them.

    They are embedded by the run's own backbone as it came, or by `network`. Raises InputError where
    either is missing or damaged, WeightsError where the backbone is.
    """
    run = vcn.load_run(folder)
    tracks, crops = run.tracks, run.crops
    names = name_tracks(tracks, read_truth(truth)).names
    if network is None:
        network = untuned(_settings(run.manifest.settings, folder))
    if crops.images.shape[1] != network.size:
        raise vcn.InputError(
            f"The crops in {folder} are of {crops.images.shape[1]} pixels, and the network takes "
            f"{network.size}: run the film again with its backbone."
        )
    values = network.embed(crops.images)
    parts = np.split(values, np.cumsum(crops.counts)[:-1])
    found = [
        FoundTrack(str(i), name or "", parts[i], (int(first), int(last)), str(folder))
        for i, (name, (first, last)) in enumerate(zip(names, tracks.spans, strict=True))
    ]
    return assemble(Path(run.manifest.film.name).stem, found)


def untuned(config: Config) -> Network:
    """Return the backbone of these settings as it came: one view of each crop, float32 (n, d)."""
    model = FaceModel.create(*choose_backbone(config.backbone), config.finetune, 0).eval()

    def embed(images: Array) -> Array:
        embeddings: Array = embedded_views(model, images, 1, seed=0)[:, 0].numpy()
        return embeddings

    return Network(embed, model.spec.feed.size)


def _settings(values: object, folder: Path) -> Config:
    """Return the settings of the latest run in a folder."""
    try:
        return Config.model_validate(values)
    except ValidationError:
        raise vcn.InputError(
            f"The run in {folder} was made with settings of another version of this program: run "
            "the film again."
        ) from None
