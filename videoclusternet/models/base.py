"""What a backbone makes of crops as it came, before any film has tuned it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from torch.nn import functional as F

from videoclusternet.config import FinetuneConfig
from videoclusternet.models.face_model import FaceModel
from videoclusternet.models.registry import BackboneSpec
from videoclusternet.records import Array
from videoclusternet.weights.choice import WeightsFile

BATCH = 64  # crops at a time


@torch.no_grad()
def base_embeddings(
    spec: BackboneSpec, weights: WeightsFile, groups: Iterable[Array], device: str
) -> Iterator[Array]:
    """Yield the embeddings (n, d) of each group of crops (n, size, size, 3), RGB, uint8.

    Each is the mean of a crop's and its mirror image's, of length 1, float32. Raises WeightsError
    where the file is no such backbone.
    """
    model = FaceModel.create(spec, weights, FinetuneConfig(), seed=0).to(device).eval()
    for images in groups:
        parts = []
        for start in range(0, len(images), BATCH):
            crops = torch.as_tensor(np.array(images[start : start + BATCH])).to(device)
            both = [model.tail(model.trunk(way)) for way in (crops, crops.flip(2))]
            parts.append(F.normalize(torch.stack(both).mean(0), dim=1).cpu().numpy())
        yield np.concatenate(parts)
