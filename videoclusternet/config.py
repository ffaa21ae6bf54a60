"""Every setting, its default and its meaning, once.

"paper" marks what was published, "ours" what was not and is our choice (`docs/choices.md` says how
it was made). A preset is a TOML file that holds differences only; so is a file of your own.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Iterable
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from videoclusternet.errors import UsageError, demand

PRESETS = ("fast", "standard", "paper")


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class ShotsConfig(_Section):
    """Cutting the film into shots (PySceneDetect; paper). Ratio and change are of "adaptive"."""

    detector: str = "adaptive"  # a row of video.cuts; ours
    ratio: float = Field(3.0, gt=1)  # a cut: change against the mean of its neighbours; ours
    change: float = Field(12.0, gt=0)  # and at least this much change, in grey levels; ours
    shortest: float = Field(0.4, gt=0)  # seconds; no shot is shorter; ours


class DetectConfig(_Section):
    """Finding faces."""

    every: int = Field(3, ge=1)  # look at each n-th frame of a shot; paper: 1
    long_side: int = Field(640, ge=64)  # pixels; larger pictures are scaled down to it; ours
    score: float = Field(0.2, ge=0, le=1)  # weaker finds are dropped at once; ours


class FilterConfig(_Section):
    """Which faces may become crops (the three filters of the paper; values ours)."""

    side: float = Field(24.0, ge=0)  # pixels; the square root of the least area
    most: int = Field(12, ge=1)  # faces kept per frame, the largest ones
    score: float = Field(0.5, ge=0, le=1)  # the detector's certainty
    sharpness: float = Field(20.0, ge=0)  # percent; less is blurred: see faces.detect.sharpness


class TracksConfig(_Section):
    """Following faces inside a shot (BoT-SORT's two passes; paper; values ours)."""

    high: float = Field(0.5, ge=0, le=1)  # detections that may start a track and match first
    overlap: float = Field(0.2, ge=0, le=1)  # the least IoU of a match
    gap: float = Field(0.8, ge=0)  # seconds that a track may go unseen and still be taken up
    shortest: int = Field(2, ge=1)  # a track seen fewer times is noise


class CropsConfig(_Section):
    """What the network sees of a track."""

    every: int = Field(3, ge=1)  # frames between two crops; paper: 12, of much longer tracks
    most: int = Field(16, ge=1)  # crops of one track, spread evenly; ours: bounds cost and memory


class FinetuneConfig(_Section):
    """Adapting the network to this film."""

    heads: int = Field(8, ge=1)  # perceptrons side by side, their losses averaged; paper: 1
    outputs: int = Field(256, ge=2)  # width of the head's last layer; ours
    hidden: int = Field(512, ge=2)  # width of the head's hidden layer; ours
    teacher_temperature: float = Field(0.1, gt=0)  # ours
    student_temperature: float = Field(0.2, gt=0)  # ours
    batch: int = Field(48, ge=2)  # pairs in a step; ours
    head_passes: float = Field(100.0, ge=0)  # passes over the crops with the backbone frozen; ours
    passes: float = Field(6.0, ge=0)  # passes over the crops in each joint round; ours
    rounds: int = Field(3, ge=0)  # joint rounds, coarse matching before each; ours
    backbone_rate: float = Field(3e-5, ge=0)  # three times this collapses within 50 steps; ours
    head_rate: float = Field(1e-3, gt=0)  # ours
    momentum: float = Field(0.95, ge=0, lt=1)  # of the teacher, rises to 1; ours
    views: int = Field(8, ge=1)  # augmented views of a crop where statistics are taken; ours
    when: Literal["never", "helps", "always"] = "never"  # ours: it did not pay
    # on the films it was tried on, and takes hours of a long one; helps: while what the film shows
    # and training does not see stands out better (finetune.held_out); rules by the loss always do
    matching: Literal["linkage", "principal", "tsne", "none"] = "linkage"  # how tracks are matched:
    # ours; principal, tsne: Gaussians in that space (paper; tsne: slides); none is for ablations
    patches: bool = True  # masked patches too, where the backbone has patch tokens (paper)


class ClusterConfig(_Section):
    """Who is who."""

    rule: Literal[  # a row of clustering.distance; paper: loss; most are for ablations
        "cosine-average", "loss-average",
        "loss", "loss-nearest", "loss-both", "loss-late",
        "cosine", "cosine-nearest", "cosine-both",
        "euclidean", "euclidean-nearest", "euclidean-both",
    ] = "cosine-average"  # fmt: skip
    quality_passes: int = Field(20, ge=2)  # SER-FIQ passes with dropout; ours
    quality_deviations: float = Field(3.5, gt=0)  # MADs below the median that make Unknown, by the
    # rules that take limits from crops; ours


class Config(_Section):
    """All settings of a run."""

    seed: int = Field(0, ge=0, lt=2**31)  # every random number comes from it
    backbone: str = "dlib_resnet"  # a row of models.registry, or NAME=FILE
    detector: str = "centerface"  # a row of faces.detectors, or NAME=FILE
    pictures: bool = True  # of faces, in the report
    shots: ShotsConfig = ShotsConfig()
    detect: DetectConfig = DetectConfig()
    filter: FilterConfig = FilterConfig()
    tracks: TracksConfig = TracksConfig()
    crops: CropsConfig = CropsConfig()
    finetune: FinetuneConfig = FinetuneConfig()
    cluster: ClusterConfig = ClusterConfig()


Device = Literal["auto", "cpu", "cuda"]


def load_config(preset: str = "standard", changes: Iterable[str] = ()) -> Config:
    """Resolve a preset and `section.key=value` changes, the later ones winning.

    `preset` is one of `PRESETS` or the path of a TOML file. Raises UsageError for a preset,
    key or value that does not exist, naming the nearest key that does.
    """
    values = _read_preset(preset)
    for change in changes:
        key, equals, text = change.partition("=")
        if not equals:
            raise UsageError(f"--set takes KEY=VALUE, not '{change}'.")
        _put(values, key.strip().split("."), _parse(text.strip()))
    try:
        return Config.model_validate(values)
    except ValidationError as error:
        raise _explained(error) from None


def _read_preset(preset: str) -> dict[str, Any]:
    if preset in PRESETS:
        text = resources.files("videoclusternet").joinpath(f"presets/{preset}.toml").read_text()
    else:
        try:
            text = Path(preset).read_text(encoding="utf-8")
        except (OSError, ValueError):
            raise UsageError(
                f"There is no preset '{preset}': use {', '.join(PRESETS)} or a TOML file."
            ) from None
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(
            f"The preset {preset} is not TOML ({error}): mend it, or use {', '.join(PRESETS)}."
        ) from None


def _parse(text: str) -> Any:
    """Read a value as TOML would; bare words are strings."""
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _put(values: dict[str, Any], path: list[str], value: Any) -> None:
    for name in path[:-1]:
        values = values.setdefault(name, {})
        if not isinstance(values, dict):
            raise UsageError(f"'{name}' is a setting, not a section: 'vcn settings' prints all.")
    values[path[-1]] = value


def _explained(error: ValidationError) -> UsageError:
    first = error.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        inside = first["input"] if isinstance(first["input"], dict) else {}
        key = ".".join([key, *map(str, list(inside)[:1])])  # a section that is none, and its first
        near = difflib.get_close_matches(key, setting_names(), n=1, cutoff=0.0)
        return UsageError(f"There is no setting '{key}': did you mean '{near[0]}'?")
    if first["type"] == "model_type":
        within = [name for name in setting_names() if name.startswith(f"{key}.")]
        return UsageError(f"'{key}' is a section, not a setting: use one of {', '.join(within)}.")
    return UsageError(f"The setting '{key}' {demand(first)}, and not {first['input']!r}.")


def by_name(config: Config) -> dict[str, Any]:
    """Return the value of every setting under its dotted name."""
    values: dict[str, Any] = {}
    for name, value in config:
        if isinstance(value, _Section):
            values |= {f"{name}.{key}": part for key, part in value}
        else:
            values[name] = value
    return values


def setting_names() -> list[str]:
    """Return the dotted name of every setting."""
    return list(by_name(Config()))
