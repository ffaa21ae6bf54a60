"""Every network that a setting can name, with its terms, and whether its parameters are at hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from videoclusternet.errors import WeightsError
from videoclusternet.faces.detectors import DETECTORS, DetectorSpec
from videoclusternet.models.registry import BACKBONES, BackboneSpec
from videoclusternet.weights.assets import ASSETS, OPTIONAL
from videoclusternet.weights.choice import WeightsFile, fetched_file


@dataclass(frozen=True)
class Entry:
    """One network: what it is, on which terms, and where its parameters are."""

    kind: Literal["backbone", "detector"]
    name: str
    parameters: int | None  # how many numbers are learned, None: the file tells
    dimension: int | None  # length of an embedding, likewise; a detector makes none
    feed: str  # what it is shown
    code_licence: str
    weights_licence: str
    source: str  # who made it, and where its parameters are found
    brought_by: str  # what brings its parameters: a command, or "you"
    path: str | None  # of the file at hand, if its name alone is a setting
    sha256: str | None  # of that file, or of the one that the command brings


def catalogue() -> list[Entry]:
    """Return the backbones, then the detectors, as their tables have them."""
    return [*map(_backbone, BACKBONES.values()), *map(_detector, DETECTORS.values())]


def _backbone(spec: BackboneSpec) -> Entry:
    feed = f"{spec.feed.size} x {spec.feed.size} {spec.feed.colours.upper()}"
    return _entry("backbone", spec, spec.parameters or None, spec.dimension or None, feed)


def _detector(spec: DetectorSpec) -> Entry:
    return _entry("detector", spec, spec.parameters or None, None, "any size")


def _entry(
    kind: Literal["backbone", "detector"],
    spec: BackboneSpec | DetectorSpec,
    parameters: int | None,
    dimension: int | None,
    feed: str,
) -> Entry:
    file = _at_hand(spec)
    asset = None if spec.asset is None else (ASSETS | OPTIONAL)[spec.asset]
    return Entry(
        kind, spec.name, parameters, dimension, feed,
        spec.code_licence, spec.weights_licence, spec.source,
        brought_by=asset.fetched_by if asset else "you",
        path=str(file.path) if file else None,
        sha256=file.sha256 if file else asset.sha256 if asset else None,
    )  # fmt: skip


def _at_hand(spec: BackboneSpec | DetectorSpec) -> WeightsFile | None:
    try:
        if spec.asset is not None:
            return WeightsFile.of_asset(spec.asset)
        return WeightsFile.brought(fetched_file(spec.name))
    except WeightsError:
        return None
