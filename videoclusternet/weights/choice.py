"""What a setting names: a row of a table, and the file of its parameters.

The file of a row is an asset, which `vcn setup` brings, or one that the user brings: NAME=FILE.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self, TypeVar

from videoclusternet.errors import UsageError, WeightsError
from videoclusternet.weights.assets import ASSETS, OPTIONAL, cache_folder, file_hash, locate

LARGEST = 2 << 30
"""Bytes of the largest file of parameters that is read; the networks that we know have a tenth."""


class Row(Protocol):
    """What the tables of networks have in common."""

    @property
    def name(self) -> str: ...
    @property
    def asset(self) -> str | None:
        """The row of the assets that holds the parameters, None where the user brings them."""


R = TypeVar("R")
Brought = TypeVar("Brought", bound=Row)


@dataclass(frozen=True)
class WeightsFile:
    """A file of parameters; what depends on it depends on its hash alone, wherever it lies."""

    path: Path
    sha256: str

    @classmethod
    def of_asset(cls, name: str) -> Self:
        """Return the checked file of a row of ASSETS or OPTIONAL; raises WeightsError."""
        asset = (ASSETS | OPTIONAL)[name]
        return cls(locate(asset), asset.sha256)

    @classmethod
    def brought(cls, path: Path) -> Self:
        """Return a file that somebody names. Raises WeightsError where it cannot be one."""
        check_file(path)
        try:
            return cls(path, file_hash(path))
        except OSError as error:
            raise WeightsError(f"{path} cannot be read: {error.strerror}.") from None


def named(table: Mapping[str, R], what: str, name: str) -> R:
    """Return the row of a table of `what`. Raises UsageError where there is none of this name."""
    if name not in table:
        raise UsageError(f"There is no {what} '{name}': use one of {', '.join(table)}.")
    return table[name]


def choose(table: Mapping[str, Brought], what: str, setting: str) -> tuple[Brought, WeightsFile]:
    """Return the row that a setting NAME or NAME=FILE means, and the file of its parameters.

    Raises UsageError where there is no such row or its file must be named, WeightsError where the
    file cannot be used.
    """
    name, equals, path = setting.partition("=")
    row = named(table, what, name)
    if equals:
        return row, WeightsFile.brought(Path(path).expanduser())
    if row.asset is not None:
        return row, WeightsFile.of_asset(row.asset)
    if fetched_file(name).exists():
        return row, WeightsFile.brought(fetched_file(name))
    raise UsageError(
        f"The parameters of the {what} '{name}' are yours to bring: name their file, as in "
        f"{name}=FILE."
    )


def fetched_file(name: str) -> Path:
    """Return where `vcn models fetch` puts the file of a row that has no asset."""
    return cache_folder() / "fetched" / name


def check_file(path: Path) -> None:
    """Raise WeightsError where a file is missing, is no regular file, or is too large."""
    try:
        if not path.is_file():
            raise WeightsError(f"{path} is not there, or is not a file.")
        if path.stat().st_size > LARGEST:
            raise WeightsError(
                f"{path} has more than {LARGEST >> 30} GiB and is not a face network: name another."
            )
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror}.") from None
