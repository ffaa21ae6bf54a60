"""What a run would find here: versions, decoder, threads, device, room, networks, extras.

Each is asked of the code that a run asks, so that what is told is what would happen.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from importlib import metadata
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from videoclusternet import __version__
from videoclusternet.config import Config
from videoclusternet.errors import VideoClusterNetError, WeightsError, reason_of
from videoclusternet.manifest import RUNS
from videoclusternet.models.registry import BACKBONES
from videoclusternet.processors import thread_limits, usable_threads
from videoclusternet.weights.assets import ASSETS, OPTIONAL, Asset, cache_folder, locate

if TYPE_CHECKING:
    from videoclusternet.video.stream import VideoInfo

Answer = TypeVar("Answer")

LIBRARIES = ("torch", "numpy", "av", "onnxruntime", "opencv-python-headless")
EXTRAS = {"parquet": "pyarrow", "ray": "ray"}
"""What `pip install 'videoclusternet[EXTRA]'` adds, and the library that it is for."""

HOUR = 3600.0  # seconds of the film by which room is told
MINUTE = 60.0  # and of the one for which there has to be room


@dataclass(frozen=True)
class Decoder:
    """FFmpeg, as it comes with av."""

    versions: Mapping[str, str]  # of FFmpeg and of its libraries
    reads: Mapping[str, str | None]  # the decoder of each kind of film, None: it has none


@dataclass(frozen=True)
class Place:
    """Where networks are tuned unless a command says otherwise, by which numbers, and why."""

    device: str
    gpu: str | None
    why: str
    precision: str
    precision_why: str


@dataclass(frozen=True)
class Room:
    """Bytes that are free, and those that a film of an hour in full HD takes at most."""

    disk: int
    disk_hour: float
    memory: int
    memory_hour: float

    def lines(self) -> Iterator[tuple[str, str]]:
        """Yield what is told of the disk, and of the memory."""
        from videoclusternet.resources import spelt

        hour = "a film of an hour takes up to"
        yield "disk", f"{spelt(self.disk)} free here; {hour} {spelt(self.disk_hour)}"
        yield "memory", f"{spelt(self.memory)} free; {hour} {spelt(self.memory_hour)}"


@dataclass(frozen=True)
class Network:
    """A file of parameters that a command brings."""

    name: str
    state: Literal["whole", "damaged", "missing"]
    needed: bool  # by every run; the others only by a setting that names them
    path: str | None
    brought_by: str

    @property
    def told(self) -> str:
        """What a reader is told of it."""
        if self.state == "whole":
            return f"whole: {self.path}"
        what = f"damaged ({self.path})" if self.state == "damaged" else self.state
        only = "" if self.needed else ", which only a setting asks for"
        return f"{what}{only}: run '{self.brought_by}'"


@dataclass(frozen=True)
class Health:
    """All of it; what belongs to a library that does not load is None."""

    versions: Mapping[str, str | None]
    threads: int
    thread_limits: Mapping[str, int]
    decoder: Decoder | None
    place: Place | None
    room: Room | None
    networks: tuple[Network, ...]
    extras: Mapping[str, str | None]  # the version of each one's library
    cache: str
    troubles: tuple[VideoClusterNetError, ...] = ()  # with which no run can start

    def to_json(self) -> dict[str, Any]:
        """Return all of it as plain values."""
        said = [{"code": one.exit_code, "sentence": str(one)} for one in self.troubles]
        plain = asdict(replace(self, troubles=()))
        return plain | {"troubles": said, "ready": not said}

    def lines(self) -> Iterator[tuple[str, str]]:
        """Yield the same for a reader: what it is about, and what is told of it."""
        for library, version in self.versions.items():
            yield library, version or "not installed"
        if self.decoder:
            reads = (kind if name else f"no {kind}" for kind, name in self.decoder.reads.items())
            version = self.decoder.versions["ffmpeg"]
            yield "decoder", f"FFmpeg {version}: {', '.join(reads)}; on the processor, never a GPU"
        limits = ", ".join(f"{name} {limit}" for name, limit in self.thread_limits.items())
        yield "threads", f"{self.threads} ({limits})"
        if self.place:
            yield "device", f"{self.place.gpu or self.place.device}: {self.place.why}"
            yield "precision", f"{self.place.precision}: {self.place.precision_why}"
        if self.room:
            yield from self.room.lines()
        for network in self.networks:
            yield network.name, network.told
        for extra, version in self.extras.items():
            absent = f"not installed: pip install 'videoclusternet[{extra}]'"
            yield f"extra {extra}", f"{EXTRAS[extra]} {version}" if version else absent
        yield "cache", self.cache


def examine() -> Health:
    """Look at everything; nothing is written or fetched."""
    troubles: dict[str, VideoClusterNetError] = {}  # each sentence once

    def asked(ask: Callable[[], Answer]) -> Answer | None:
        try:
            return ask()
        except VideoClusterNetError as error:
            troubles.setdefault(str(error), error)
        except (ImportError, OSError) as error:
            sentence = (
                f"A library does not load ({reason_of(error)}): install videoclusternet anew, in "
                "an environment of its own."
            )
            troubles.setdefault(sentence, VideoClusterNetError(sentence))
        return None

    versions = {"videoclusternet": __version__, "python": platform.python_version()}
    health = Health(
        versions={**versions, **{library: _version(library) for library in LIBRARIES}},
        threads=usable_threads(),
        thread_limits=thread_limits(),
        decoder=asked(_decoder),
        place=asked(_place),
        room=asked(_room),
        networks=tuple(_network(asset) for asset in (ASSETS | OPTIONAL).values()),
        extras={extra: _version(library) for extra, library in EXTRAS.items()},
        cache=str(cache_folder()),
    )
    asked(_load_networks)
    asked(_check_room)
    return replace(health, troubles=tuple(troubles.values()))


def _version(library: str) -> str | None:
    try:
        return metadata.version(library)
    except metadata.PackageNotFoundError:
        return None


def _decoder() -> Decoder:
    from videoclusternet.video.decoder import decoders_here, ffmpeg_versions

    return Decoder(ffmpeg_versions(), decoders_here())


def _place() -> Place:
    from videoclusternet.models.device import gpu_here, precision_on, resolve_device

    device = resolve_device("auto")
    return Place(device, *gpu_here(), *precision_on(device))


def _room() -> Room:
    from videoclusternet import resources

    asked = _film(HOUR), BACKBONES[Config().backbone], Config()
    return Room(
        resources.free_disk(RUNS), resources.disk_needed(*asked), resources.free_memory(),
        resources.memory_needed(*asked),
    )  # fmt: skip


def _check_room() -> None:
    """Raise ResourceError where there is no room even for a film of a minute."""
    from videoclusternet.resources import check_resources

    spec = BACKBONES[Config().backbone]
    check_resources(RUNS, _film(MINUTE), spec, Config(), what="a film of a minute")


def _film(seconds: float) -> VideoInfo:
    """Return a film in full HD as it would tell of itself."""
    from videoclusternet.video.stream import VideoInfo

    return VideoInfo(1920, 1080, 25.0, seconds, None, "h264")


def _network(asset: Asset) -> Network:
    network = Network(asset.name, "missing", asset.name in ASSETS, None, asset.fetched_by)
    try:
        return replace(network, state="whole", path=str(locate(asset)))
    except WeightsError:
        if os.path.isfile(asset.file):  # a folder that is closed to us raises nothing here
            return replace(network, state="damaged", path=str(asset.file))
    return network


def _load_networks() -> None:
    """Find the networks as a run does, and have the detector look at a picture."""
    from videoclusternet.faces.detectors import load_detector
    from videoclusternet.task import Networks

    load_detector(*Networks.of(Config()).detector)
