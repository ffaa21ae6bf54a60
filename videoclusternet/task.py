"""What a run is to do, checked before any work: settings, networks that are there, the device."""

from __future__ import annotations

from typing import NamedTuple, Self, get_args

from videoclusternet.config import Config, Device
from videoclusternet.errors import UsageError
from videoclusternet.faces.detectors import DetectorSpec, choose_detector, load_detector
from videoclusternet.models.registry import BackboneSpec, choose_backbone
from videoclusternet.video.cuts import cut_finder_spec
from videoclusternet.weights.choice import WeightsFile


class Networks(NamedTuple):
    """The networks of a run, their files found and checked before any work."""

    cuts: WeightsFile | None  # most finders of cuts are no network
    detector: tuple[DetectorSpec, WeightsFile]
    backbone: tuple[BackboneSpec, WeightsFile]

    @classmethod
    def of(cls, config: Config) -> Self:
        """Find the files. Raises at once, not after an hour of decoding, where one is no use."""
        cuts = cut_finder_spec(config.shots.detector).asset
        networks = cls(
            None if cuts is None else WeightsFile.of_asset(cuts),
            choose_detector(config.detector),
            choose_backbone(config.backbone),
        )
        (detector, its_file), (backbone, weights) = networks.detector, networks.backbone
        if detector.asset is None:  # the user's own, of which only trying tells whether it fits
            load_detector(detector, its_file)
        if backbone.asset is None:
            from videoclusternet.models.loading import load_backbone  # torch takes seconds

            load_backbone(backbone, weights.path)
        return networks


class Task(NamedTuple):
    """What is asked of a run: settings, networks that fit them, and where to compute."""

    config: Config
    networks: Networks
    preset: str
    device: Device

    @classmethod
    def of(cls, config: Config, preset: str, device: Device) -> Self:
        """Check the device and find the networks. Raises UsageError or WeightsError at once."""
        _check_device(device)
        return cls(config, Networks.of(config), preset, device)


def _check_device(device: Device) -> None:
    """Raise at once where the device is missing."""
    if device not in get_args(Device):
        raise UsageError(
            f"There is no device '{device}': use one of {', '.join(get_args(Device))}."
        )
    if device == "cuda":
        from videoclusternet.models.device import resolve_device  # torch takes seconds to import

        resolve_device(device)
