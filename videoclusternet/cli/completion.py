"""What a shell completes the values of options with: rows of tables, each read without torch.

Each function returns pairs of a value and what is said of it; only those that begin as what was
typed are offered. Nothing is opened or checked: a completion has to come at once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from videoclusternet.faces.detectors import DetectorSpec
    from videoclusternet.models.registry import BackboneSpec

Offers = list[tuple[str, str]]


def presets() -> Offers:
    """Return the presets; a TOML file is completed by the shell."""
    from videoclusternet.config import PRESETS

    return [(name, "") for name in PRESETS]


def settings() -> Offers:
    """Return KEY= for every setting, with its default."""
    from videoclusternet.config import Config, by_name

    return [(f"{name}=", f"{value}") for name, value in by_name(Config()).items()]


def stages() -> Offers:
    """Return the stages of a run, in order, with the files of each."""
    from videoclusternet.stages import STAGES

    return [(name, ", ".join(stage.files)) for name, stage in STAGES.items()]


def formats() -> Offers:
    """Return the formats of exports."""
    from videoclusternet.results.exports.formats import ALL

    return [(name, row.about) for name, row in ALL.items()]


def backbones() -> Offers:
    """Return the face networks: NAME, or NAME= where a file has to follow."""
    from videoclusternet.models.registry import BACKBONES

    return [_network(row) for row in BACKBONES.values()]


def detectors() -> Offers:
    """Return what finds faces, likewise."""
    from videoclusternet.faces.detectors import DETECTORS

    return [_network(row) for row in DETECTORS.values()]


def fetchable() -> Offers:
    """Return the networks that `vcn models fetch` can bring a file of."""
    from videoclusternet.faces.detectors import DETECTORS
    from videoclusternet.models.registry import BACKBONES

    rows: list[BackboneSpec | DetectorSpec] = [*BACKBONES.values(), *DETECTORS.values()]
    return [(row.name, row.source) for row in rows if row.asset is None]


def _network(row: BackboneSpec | DetectorSpec) -> tuple[str, str]:
    from videoclusternet.weights.choice import fetched_file

    at_hand = row.asset is not None or fetched_file(row.name).exists()
    return row.name if at_hand else f"{row.name}=", row.source
