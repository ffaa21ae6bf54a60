"""The backbones that can be named, each as a row of one table; no row is loaded by being listed."""

from __future__ import annotations

from dataclasses import dataclass

from videoclusternet.errors import UsageError

FacePoints = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class BackboneSpec:
    """What a backbone is and how it is fed: an RGB picture becomes (x - mean) / scale."""

    name: str
    module: str  # the module of this package whose load() makes it
    size: int  # height and width of a crop in pixels
    template: FacePoints  # where eyes, nose and mouth corners lie in a crop, in pixels
    mean: tuple[float, float, float]
    scale: float
    dimension: int  # length of an embedding
    asset: str  # the row of weights.ASSETS that holds its parameters
    code_licence: str
    weights_licence: str


BACKBONES = {
    "dlib_resnet": BackboneSpec(
        name="dlib_resnet",
        module="videoclusternet.models.dlib_resnet",
        size=150,
        template=(
            (47.94, 46.54),
            (102.35, 46.39),
            (74.63, 78.37),
            (51.44, 104.53),
            (97.96, 104.10),
        ),
        mean=(122.782, 117.001, 104.298),
        scale=256.0,
        dimension=128,
        asset="dlib_resnet",
        code_licence="Apache-2.0",
        weights_licence="CC0-1.0",
    ),
}


def backbone_spec(name: str) -> BackboneSpec:
    """Return the row of this name. Raises UsageError where there is none."""
    if name not in BACKBONES:
        raise UsageError(f"There is no backbone '{name}': use one of {', '.join(BACKBONES)}.")
    return BACKBONES[name]
