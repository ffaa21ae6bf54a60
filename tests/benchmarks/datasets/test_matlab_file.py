"""MATLAB's files: what scipy writes is read as scipy reads it, and damage is an exception."""

from __future__ import annotations

import io
import struct
import zlib
from contextlib import suppress

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.io import loadmat, savemat

from benchmarks.datasets.matlab_file import Structs, parse

KINDS = ["f8", "f4", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8"]
arrays = st.sampled_from(KINDS).flatmap(
    lambda kind: hnp.arrays(kind, hnp.array_shapes(min_dims=2, max_dims=3, min_side=0, max_side=4))
)
structs = st.lists(st.tuples(arrays, arrays), max_size=4)
DAMAGE = (ValueError, struct.error, zlib.error, NotImplementedError, MemoryError)


def saved(values, compressed=False):
    file = io.BytesIO()
    savemat(file, values, do_compression=compressed)
    return file.getvalue()


def packed(rows):
    """Return rows as an array of structs with the fields `a` and `longer`."""
    array = np.empty((1, len(rows)), [("a", "O"), ("longer", "O")])
    for i, row in enumerate(rows):
        array[0, i] = row
    return array


@settings(deadline=None)
@given(arrays, structs, st.booleans())
def test_what_scipy_writes_is_read_as_scipy_reads_it(values, rows, compressed):
    data = saved({"values": values, "rows": packed(rows), "text": "ann"}, compressed)
    found, expected = parse(data), loadmat(io.BytesIO(data))
    assert found.keys() == {"values", "rows", "text"}
    np.testing.assert_array_equal(found["values"], expected["values"])
    assert found["values"].dtype == values.dtype
    assert found["text"] is None
    assert isinstance(found["rows"], Structs)
    assert found["rows"].fields == ("a", "longer")
    assert len(found["rows"].rows) == expected["rows"].size == len(rows)
    for mine, theirs in zip(found["rows"].rows, expected["rows"].ravel(), strict=True):
        for field in ("a", "longer"):
            np.testing.assert_array_equal(mine[field], theirs[field])


def test_nested_structs_and_strangers_are_read_over():
    values = {
        "outer": {"inner": {"a": 3.0}, "cell": np.array([1, "b"], object), "complex": 1 + 2j},
    }
    (row,) = parse(saved(values))["outer"].rows
    assert row["inner"].rows[0]["a"].item() == 3
    assert row["cell"] is row["complex"] is None


def test_numbers_may_be_stored_narrower_and_the_other_way_round():
    def element(kind, data):
        return struct.pack(">II", kind, len(data)) + data + bytes(-len(data) % 8)

    name = struct.pack(">HH4s", 1, 1, b"a\0\0\0")  # small: its size stands before its type
    matrix = (
        element(6, struct.pack(">II", 6, 0)) + element(5, struct.pack(">ii", 2, 2)) + name
        + element(2, bytes([1, 2, 3, 255]))
    )  # fmt: skip
    data = b"MATLAB 5.0".ljust(124) + b"\1\0MI" + element(14, matrix)
    found = parse(data)["a"]
    assert found.dtype == np.float64
    assert found.tolist() == [[1, 3], [2, 255]]  # column by column


SOUND = [
    saved({"rows": packed([(np.ones((2, 3)), np.array([[7]]))] * 2), "x": np.eye(3)}, compressed)
    for compressed in (False, True)
]


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(SOUND),
    st.lists(st.tuples(st.integers(0, 10**4), st.integers(0, 255)), max_size=4),
    st.none() | st.integers(0, 10**4),
)
def test_damage_is_an_exception_or_goes_unseen(data, changes, end):
    content = bytearray(data)
    for at, value in changes:
        content[at % len(content)] = value
    with suppress(*DAMAGE):
        parse(bytes(content[:end]))


def test_a_file_that_ends_too_early_is_seen():
    whole = [128]  # between two variables nothing is missing
    while whole[-1] < len(SOUND[0]):
        whole.append(whole[-1] + 8 + struct.unpack_from("<I", SOUND[0], whole[-1] + 4)[0])
    assert [len(parse(SOUND[0][:at])) for at in whole] == [0, 1, 2]
    for at in {*range(128, len(SOUND[0]))} - {*whole}:
        with pytest.raises((ValueError, struct.error)):
            parse(SOUND[0][:at])


def test_structs_without_room_are_not_made():
    rows = packed([(np.ones((1, 1)), np.ones((1, 1)))])
    data = bytearray(saved({"rows": rows}))
    at = data.index(struct.pack("<ii", 1, 1))
    struct.pack_into("<ii", data, at, 2**31 - 1, 2**31 - 1)
    with pytest.raises(ValueError, match="no room for"):
        parse(bytes(data))
