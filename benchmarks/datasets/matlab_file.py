"""MATLAB's files of the versions 5 to 7: numbers and structs, read so that damage cannot kill.

Ours, because scipy's reader ends the process with a signal where a byte of some files is changed.
The format is MathWorks' "MAT-File Format" (level 5): a header of 128 bytes, then elements, each a
type, a size and as many bytes; a matrix is an element made of elements.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from videoclusternet.records import Array

HEADER = 128
MATRIX, COMPRESSED = 14, 15
STORED = {
    1: "i1",
    2: "u1",
    3: "i2",
    4: "u2",
    5: "i4",
    6: "u4",
    7: "f4",
    9: "f8",
    12: "i8",
    13: "u8",
}
STRUCT, COMPLEX = 2, 0x800
CLASSES = {
    6: "f8", 7: "f4", 8: "i1", 9: "u1", 10: "i2", 11: "u2", 12: "i4", 13: "u4", 14: "i8", 15: "u8",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Structs:
    """An array of structs, in the order in which MATLAB counts them."""

    fields: tuple[str, ...]
    rows: list[dict[str, Value]]


Value = Array | Structs | None
"""A real array in MATLAB's shape, structs, or None for texts, cells and all else."""


def parse(data: bytes) -> dict[str, Value]:
    """Return the variables of a file by name.

    Raises NotImplementedError for the version 7.3, and ValueError, zlib.error or struct.error for
    what is no such file or is damaged.
    """
    if data.startswith(b"MATLAB 7.3"):
        raise NotImplementedError
    order = {b"IM": "<", b"MI": ">"}.get(data[126:HEADER])
    if order is None:
        raise ValueError("it has no header of MATLAB")
    variables: dict[str, Value] = {}
    for kind, element in _elements(memoryview(data)[HEADER:], order):
        if kind == COMPRESSED:
            kind, element = next(
                _elements(memoryview(zlib.decompress(element)), order), (0, element)
            )
        if kind != MATRIX:
            raise ValueError(f"it has an element of the type {kind} where a variable must be")
        name, value = _matrix(element, order)
        variables[name] = value
    return variables


def _elements(data: memoryview, order: str) -> Iterator[tuple[int, memoryview]]:
    """Yield the type and the bytes of each element."""
    at = 0
    while at < len(data):
        kind, size = struct.unpack_from(f"{order}II", data, at)
        start = at + 8
        if kind >> 16:  # a small element: type and size share four bytes
            kind, size, start = kind & 0xFFFF, kind >> 16, at + 4
            if size > 4:
                raise ValueError("an element is larger than its place")
        if start + size > len(data):
            raise ValueError("it ends too early")
        yield kind, data[start : start + size]
        at = at + 8 if start == at + 4 else start + size
        if kind != COMPRESSED:
            at += -at % 8


def _matrix(data: memoryview, order: str) -> tuple[str, Value]:
    """Return the name and the value of a matrix."""
    if not data:  # MATLAB's [] inside a struct
        return "", np.empty((0, 0))
    parts = _elements(data, order)
    flags = _numbers(_next(parts), order)
    shape = [int(side) for side in _numbers(_next(parts), order)]
    name = bytes(_next(parts)[1]).decode("latin-1")
    if not len(flags) or len(shape) < 2 or min(shape) < 0:
        raise ValueError("a matrix has no class or no shape")
    kind = int(flags[0]) & 0xFF
    if kind == STRUCT:
        return name, _structs(parts, math.prod(shape), len(data), order)
    if kind not in CLASSES or int(flags[0]) & COMPLEX:
        return name, None
    values = _numbers(_next(parts), order)
    if len(values) != math.prod(shape):
        raise ValueError(f"'{name}' has {len(values)} numbers for the shape {tuple(shape)}")
    return name, values.astype(CLASSES[kind], copy=False).reshape(shape, order="F")


def _structs(parts: Iterator[tuple[int, memoryview]], count: int, size: int, order: str) -> Structs:
    """Return the structs of a matrix of `size` bytes, field by field and struct by struct."""
    width = int(_numbers(_next(parts), order).sum())
    names = bytes(_next(parts)[1])
    if width < 1 or len(names) % width:
        raise ValueError("the fields of a struct have no names")
    fields = tuple(
        names[at : at + width].partition(b"\0")[0].decode("latin-1")
        for at in range(0, len(names), width)
    )
    if count * max(1, len(fields)) * 8 > size:  # before so many are made of nothing
        raise ValueError(f"there is no room for {count} structs")
    rows = [{field: _field(_next(parts), order) for field in fields} for _ in range(count)]
    return Structs(fields, rows)


def _field(element: tuple[int, memoryview], order: str) -> Value:
    if element[0] != MATRIX:
        raise ValueError("a field of a struct is no matrix")
    return _matrix(element[1], order)[1]


def _numbers(element: tuple[int, memoryview], order: str) -> Array:
    """Return the numbers of an element as they are stored, which may be narrower than meant."""
    kind, data = element
    if kind not in STORED:
        raise ValueError(f"it has an element of the type {kind} where numbers must be")
    return np.frombuffer(data, order + STORED[kind])


def _next(parts: Iterator[tuple[int, memoryview]]) -> tuple[int, memoryview]:
    part = next(parts, None)
    if part is None:
        raise ValueError("a matrix lacks a part")
    return part
