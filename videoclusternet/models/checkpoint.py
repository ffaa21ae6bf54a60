"""Reading files of parameters that anybody may have made, without running what is in them.

A PyTorch file is a program for pickle's machine. Only torch's machine for weights runs it, which
knows tensors and plain values and nothing else; there is no other way in here, because a file could
always choose the other way. What trainers leave beside the weights comes out as nothing.
"""

from __future__ import annotations

import re
import resource
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import psutil
import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from videoclusternet.errors import WeightsError, reason_of
from videoclusternet.weights.choice import check_file

Kind = Literal["zip", "legacy", "safetensors", "onnx", "pickle", "other"]

LEGACY = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19."  # the number that torch files began with
NAMED = re.compile(
    r"(?i)unsupported (?:global: )?GLOBAL (\S+)"
)  # in what torch says of such a file
LEFT_BY_TRAINERS = {
    "argparse", "collections", "datetime", "easydict", "lightning", "lightning_fabric", "numpy",
    "omegaconf", "pathlib", "pytorch_lightning", "torchmetrics", "yacs",
}  # fmt: skip
"""Packages whose objects lie beside weights: none is made, `Nothing` stands in for all."""

ROOM = 1 << 30  # bytes that reading may take beside twice the file


class Nothing:
    """What stands for an object that is not wanted: it takes anything and does nothing."""

    def __new__(cls, *_: Any, **__: Any) -> Nothing:
        return super().__new__(cls)

    def __init__(self, *_: Any, **__: Any) -> None:
        pass

    def __setstate__(self, _: Any) -> None:
        pass


def kind_of(path: Path) -> Kind:
    """Return what a file is by its first bytes, whatever its name. Raises WeightsError."""
    check_file(path)
    try:
        with path.open("rb") as file:
            start = file.read(16)
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror}.") from None
    if start.startswith(b"PK\x03\x04"):
        return "zip"
    if start.startswith(LEGACY):
        return "legacy"
    if start[8:9] == b"{":
        return "safetensors"
    if start[:1] == b"\x80":
        return "pickle"
    return "onnx" if start[:1] == b"\x08" else "other"


def read_checkpoint(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a PyTorch or safetensors file by their names.

    The names of tensors in dictionaries inside dictionaries are joined by points. Raises
    WeightsError where the file is of another kind, damaged, or asks for more than tensors.
    """
    kind = kind_of(path)
    try:
        with _memory_for(path):
            match kind:
                case "safetensors":
                    return load_file(path)
                case "zip":
                    return dict(_tensors(_load_zip(path)))
                case "legacy":
                    return dict(_tensors(_load(path)))
    except WeightsError:
        raise
    except SafetensorError as error:
        raise WeightsError(
            f"{path} is a damaged safetensors file ({error}): get it again."
        ) from None
    except MemoryError:
        raise WeightsError(
            f"{path} asks for more memory than its size explains: get it from somebody you trust."
        ) from None
    except Exception as error:  # torch has no class for what a damaged file does to it
        raise WeightsError(
            f"{path} cannot be read as a network ({reason_of(error)}): get it again."
        ) from None
    if kind == "pickle":
        raise WeightsError(
            f"{path} is a bare pickle, which could run anything: where you trust it, save its "
            "values with torch.save or as safetensors."
        )
    raise WeightsError(
        f"{path} is neither a PyTorch, a safetensors nor an ONNX file: name one that is."
    )


def _load_zip(path: Path) -> Any:
    with zipfile.ZipFile(path) as archive:
        entries = archive.infolist()
        if any(entry.filename.endswith("/constants.pkl") for entry in entries):
            raise WeightsError(
                f"{path} is a TorchScript program: save the network's state_dict() instead."
            )
        packed = any(entry.compress_type != zipfile.ZIP_STORED for entry in entries)
        if packed or sum(entry.file_size for entry in entries) > path.stat().st_size:
            raise WeightsError(
                f"{path} is packed, and may have no end: save it anew with torch.save."
            )
    return _load(path)


def _load(path: Path) -> Any:
    """Load what weights may name, and nothing in place of what trainers leave beside them."""
    left: list[Any] = []  # of pairs, what stands in and what for
    while True:
        try:
            with torch.serialization.safe_globals(left):
                return torch.load(path, map_location="cpu", weights_only=True)
        except Exception as error:
            name = NAMED.search(str(error))
            if name is None or (Nothing, name[1]) in left:
                raise
            if name[1].split(".")[0] not in LEFT_BY_TRAINERS:
                raise WeightsError(
                    f"{path} names {name[1]}, which parameters need not: where you trust it, save "
                    "the network's state_dict() alone."
                ) from None
            left.append((Nothing, name[1]))


def _tensors(value: Any, name: str = "") -> Iterator[tuple[str, Tensor]]:
    if isinstance(value, Tensor):
        yield name, value.detach()
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from _tensors(part, f"{name}.{key}" if name else str(key))


@contextmanager
def _memory_for(path: Path) -> Iterator[None]:
    """Let this process have no more memory than reading such a file can need, for a while."""
    soft, hard = resource.getrlimit(resource.RLIMIT_AS)
    most = psutil.Process().memory_info().vms + 2 * path.stat().st_size + ROOM
    if soft != resource.RLIM_INFINITY:
        most = min(most, soft)
    resource.setrlimit(resource.RLIMIT_AS, (most, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))
