"""The backbones that can be named, each as a row of one table; no row is loaded by being listed.

What a row without an asset needs is brought by the user: `--backbone NAME=FILE`. A TOML file may
stand in the place of the parameters' own; it names them and says what differs from the row:

    weights = "net.onnx"            # beside the TOML file
    size = 160                      # pixels; the template grows with it, unless one is given
    mean = [127.5, 127.5, 127.5]    # of red, green and blue
    scale = [128.0, 128.0, 128.0]
    colours = "bgr"
    template = [[54.7, 73.9], [105.0, 73.6], [80.0, 102.5], [59.4, 132.0], [101.0, 131.7]]
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat, ValidationError

from videoclusternet.errors import WeightsError, demand, reason_of
from videoclusternet.weights.choice import WeightsFile, choose

FacePoints = tuple[tuple[float, float], ...]
Colour = tuple[float, float, float]


@dataclass(frozen=True)
class Feed:
    """How a picture becomes what a network is fed: (x - mean) / scale, colour by colour."""

    size: int  # height and width of a crop in pixels
    template: FacePoints  # where eyes, nose and mouth corners lie in a crop, in pixels
    mean: Colour  # of red, green and blue, 0 to 255, whatever the order in which they are fed
    scale: Colour
    colours: Literal["rgb", "bgr"] = "rgb"  # the order in which they are fed


@dataclass(frozen=True)
class BackboneSpec:
    """What a backbone is, how it is fed, where it comes from and on which terms."""

    name: str
    module: str  # the module of this package that makes it
    variant: str  # which of the networks that the module can make
    feed: Feed
    dimension: int  # length of an embedding, 0: the file tells
    parameters: int  # how many numbers are learned, likewise
    code_licence: str
    weights_licence: str
    source: str  # who made it, and where its parameters are found
    asset: str | None = None  # the row of the assets that holds them, None: the user brings them
    strangers: float | None = None  # 1 - cosine that lies between two people of a film on average,
    # as `clustering.calibration` measures it; None where nobody has


DLIB = Feed(
    size=150,
    template=((47.94, 46.54), (102.35, 46.39), (74.63, 78.37), (51.44, 104.53), (97.96, 104.10)),
    mean=(122.782, 117.001, 104.298),
    scale=(256.0, 256.0, 256.0),
)
ARCFACE = Feed(
    size=112,
    template=(
        (38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655),
        (70.7299, 92.2041),
    ),
    mean=(127.5, 127.5, 127.5),
    scale=(127.5, 127.5, 127.5),
)  # fmt: skip
# Published without landmarks: a detector's box, 1.3 times as large, and of that the inner 7/8. The
# points are where faces that look into the camera have them in such a picture; ours.
VGGFACE2 = Feed(
    size=224,
    template=((66.1, 77.0), (157.9, 77.0), (112.0, 131.2), (73.7, 176.3), (150.3, 176.3)),
    mean=(131.0912, 103.8827, 91.4953),
    scale=(1.0, 1.0, 1.0),
    colours="bgr",
)
# The points are those of facer, by the same authors, at a scale of 1; how the pictures of the
# training were cut was not published.
FARL = Feed(
    size=224,
    template=(
        (85.367, 98.434), (137.633, 98.434), (111.5, 124.566), (95.82, 156.971),
        (127.18, 156.971),
    ),
    mean=(122.7709, 116.7460, 104.0937),
    scale=(68.5005, 66.6322, 70.3232),
)  # fmt: skip

OURS = "Apache-2.0"


def _dlib() -> BackboneSpec:
    return BackboneSpec(
        "dlib_resnet", "videoclusternet.models.dlib_resnet", "v1", DLIB, 128, 5_614_592,
        OURS, "CC0-1.0", "Davis King, dlib-models", asset="dlib_resnet", strangers=0.072,
    )  # fmt: skip


def _arcface(depth: int, parameters: int) -> BackboneSpec:
    return BackboneSpec(
        f"arcface_r{depth}", "videoclusternet.models.iresnet", f"r{depth}", ARCFACE, 512,
        parameters, OURS, "non-commercial research",
        "deepinsight/insightface, recognition/arcface_torch: backbone.pth",
    )  # fmt: skip


def _adaface(depth: int, parameters: int) -> BackboneSpec:
    return BackboneSpec(
        f"adaface_r{depth}", "videoclusternet.models.adaface", f"ir_{depth}",
        replace(ARCFACE, colours="bgr"), 512, parameters, OURS,
        "not stated",
        f"mk-minchul/AdaFace: adaface_ir{depth}_*.ckpt",
    )  # fmt: skip


def _vggface2(name: str, variant: str, parameters: int) -> BackboneSpec:
    return BackboneSpec(
        f"vggface2_{name}", "videoclusternet.models.vggface2", variant, VGGFACE2, 2048, parameters,
        OURS, "not stated",
        f"ox-vgg/vgg_face2: {variant}_ft_dag.pth; cydonia999/VGGFace2-pytorch",
    )  # fmt: skip


def _edgeface(name: str, variant: str, parameters: int) -> BackboneSpec:
    return BackboneSpec(
        f"edgeface_{variant}", "videoclusternet.models.edgeface", variant, ARCFACE, 512, parameters,
        OURS, "CC-BY-NC-SA-4.0", f"otroshi/edgeface, checkpoints: {name}.pt", strangers=0.88,
    )  # fmt: skip


BACKBONES = {
    row.name: row
    for row in (
        _dlib(),
        _arcface(18, 24_025_600),
        _arcface(34, 34_139_328),
        _arcface(50, 43_590_848),
        _arcface(100, 65_156_160),
        _adaface(18, 24_020_352),
        _adaface(34, 34_134_080),
        _adaface(50, 43_585_600),
        _adaface(101, 65_150_912),
        _vggface2("r50", "resnet50", 23_508_032),
        _vggface2("se50", "senet50", 26_039_024),
        BackboneSpec(
            "farl_b16", "videoclusternet.models.clip_vit", "b16", FARL, 512, 86_193_408, OURS,
            "MIT", "FacePerceiver/FaRL: FaRL-Base-Patch16-LAIONFace20M-ep16.pth and -ep64.pth",
        ),
        _edgeface("edgeface_xxs", "xxs", 1_244_744),
        _edgeface("edgeface_xs_gamma_06", "xs", 1_770_492),
        _edgeface("edgeface_xs_q, dequantised", "xs_full", 2_242_620),
        _edgeface("edgeface_s_gamma_05", "s", 3_652_520),
        _edgeface("edgeface_base", "base", 18_225_812),
        BackboneSpec(
            "onnx", "videoclusternet.models.graph", "", ARCFACE, 0, 0, OURS,
            "its own", "any plain network as ONNX; a TOML file says how it is fed, if otherwise",
        ),
    )
}  # fmt: skip


def choose_backbone(setting: str) -> tuple[BackboneSpec, WeightsFile]:
    """Return what a setting NAME or NAME=FILE means: a row, or a row fed as the file declares.

    Raises UsageError where there is no such row or its file must be named, WeightsError where the
    file cannot be used.
    """
    spec, file = choose(BACKBONES, "backbone", setting)
    if file.path.suffix != ".toml":
        return spec, file
    declared = Declaration.read(file.path)
    weights = WeightsFile.brought(file.path.parent / declared.weights)
    return replace(spec, feed=declared.over(spec.feed)), weights


class Declaration(BaseModel):
    """A TOML file that names parameters and says how their network is fed."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)

    weights: str
    size: int | None = Field(None, ge=16, le=1024)
    template: tuple[tuple[float, float], ...] | None = Field(None, min_length=5, max_length=5)
    mean: Colour | None = None
    scale: tuple[PositiveFloat, PositiveFloat, PositiveFloat] | None = None
    colours: Literal["rgb", "bgr"] | None = None

    @classmethod
    def read(cls, path: Path) -> Declaration:
        """Read such a file. Raises WeightsError where it is none."""
        try:
            return cls.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in first["loc"])
            raise WeightsError(f"{path} cannot be meant: '{key}' {demand(first)}.") from None
        except (OSError, ValueError) as error:
            why = reason_of(error)
            raise WeightsError(f"{path} is no TOML file that can be read: {why}.") from None

    def over(self, feed: Feed) -> Feed:
        """Return a row's feed with what is declared in the place of its own."""
        size = self.size or feed.size
        grown = tuple((x * size / feed.size, y * size / feed.size) for x, y in feed.template)
        return Feed(
            size=size,
            template=self.template or grown,
            mean=self.mean or feed.mean,
            scale=self.scale or feed.scale,
            colours=self.colours or feed.colours,
        )
