"""What all records are made of: tables of numpy columns, checked when made."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from dataclasses import Field, field, fields
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Mask = NDArray[np.bool_]

Progress = Callable[[int, int], None]
"""How a long stage tells how far it is: called with (steps done, steps in all)."""


def silent(done: int, total: int) -> None:
    """Report to nobody."""


def told(value: float) -> float | None:
    """Return a number of a column, None where there is none: NaN, or an infinite limit."""
    return float(value) if math.isfinite(value) else None


def column(dtype: Any, *shape: int | None, table: str = "") -> Any:
    """Declare a column: its type, the shape of one row (None: any length), and its table."""
    return field(metadata={"dtype": np.dtype(dtype), "shape": shape, "table": table})


class Record:
    """The part all records share: checks, length, slices and an empty one."""

    def __post_init__(self) -> None:
        rows: dict[str, int] = {}
        for f in fields(self):  # type: ignore[arg-type]
            value = np.asanyarray(getattr(self, f.name))
            if value.dtype != f.metadata["dtype"]:
                value = value.astype(f.metadata["dtype"], casting="same_kind")
            _check_shape(type(self).__name__, f, value)
            expected = rows.setdefault(f.metadata["table"], len(value))
            if len(value) != expected:
                raise ValueError(
                    f"{type(self).__name__}.{f.name} has {len(value)} rows, not {expected}"
                )
            object.__setattr__(self, f.name, value)
        self.check()

    def check(self) -> None:
        """Raise ValueError where the columns contradict each other."""

    def __len__(self) -> int:
        return len(getattr(self, fields(self)[0].name))  # type: ignore[arg-type]

    @classmethod
    def empty(cls) -> Self:
        """Return the record of nothing."""
        return cls(
            **{
                f.name: np.empty((0, *(n or 0 for n in f.metadata["shape"])), f.metadata["dtype"])
                for f in fields(cls)  # type: ignore[arg-type]
            }
        )

    def columns(self) -> dict[str, Array]:
        """Return every column by name."""
        return {f.name: getattr(self, f.name) for f in fields(self)}  # type: ignore[arg-type]

    def digest(self) -> str:
        """Return the SHA-256 of all that the record says."""
        sha = hashlib.sha256()
        for name, values in self.columns().items():
            sha.update(f"{name} {values.dtype.str} {values.shape} ".encode() + values.tobytes())
        return sha.hexdigest()

    def select(self, rows: Array) -> Self:
        """Return the record with only these rows (a mask or indices) of its first table."""
        first = fields(self)[0].metadata["table"]  # type: ignore[arg-type]
        return type(self)(
            **{
                f.name: getattr(self, f.name)[rows]
                if f.metadata["table"] == first
                else getattr(self, f.name)
                for f in fields(self)  # type: ignore[arg-type]
            }
        )


def _check_shape(owner: str, f: Field[Any], value: Array) -> None:
    shape = f.metadata["shape"]
    fits = value.ndim == 1 + len(shape) and all(
        want is None or want == have for want, have in zip(shape, value.shape[1:], strict=True)
    )
    if not fits:
        raise ValueError(f"{owner}.{f.name} has shape {value.shape}, not (rows, *{shape})")
