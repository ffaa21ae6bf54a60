"""Strangers' files: nothing in them is run, and whatever is wrong is one sentence."""

from __future__ import annotations

import pickle
import re
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.io import savemat

import videoclusternet as vcn
from benchmarks.datasets.files import (
    features,
    frame_number,
    in_order,
    read_array,
    read_arrays,
    read_matlab,
    read_table,
    read_text,
    require_file,
    require_folder,
    seen,
    span_of,
)

READERS = {"a.npy": read_array, "a.npz": read_arrays, "a.mat": read_matlab}


class Trap:
    """Leaves a file behind when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def sound(folder, name):
    path = folder / name
    if name == "a.npy":
        np.save(path, np.arange(12.0).reshape(3, 4))
    elif name == "a.npz":
        np.savez(path, a=np.arange(12.0).reshape(3, 4), b=np.array("ann"))
    else:
        savemat(path, {"a": np.arange(12.0).reshape(3, 4)})
    return path


def test_sound_files_are_read(tmp_path):
    expected = np.arange(12.0).reshape(3, 4)
    np.testing.assert_array_equal(read_array(sound(tmp_path, "a.npy")), expected)
    arrays = read_arrays(sound(tmp_path, "a.npz"))
    assert arrays.keys() == {"a", "b"}
    np.testing.assert_array_equal(arrays["a"], expected)
    np.testing.assert_array_equal(read_matlab(sound(tmp_path, "a.mat"))["a"], expected)


@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("way", ["pickle", "objects", "objects in npz"])
def test_a_pickle_is_refused_and_not_run(tmp_path, name, way):
    path, trace = tmp_path / name, tmp_path / "trace"
    with path.open("wb") as file:
        if way == "pickle":
            pickle.dump(Trap(trace), file)
        elif way == "objects":
            np.save(file, np.array([Trap(trace)], object), allow_pickle=True)
        else:
            np.savez(file, a=np.array([Trap(trace)], object))
    with pytest.raises(vcn.InputError, match=re.escape(str(path))):
        READERS[name](path)
    assert not trace.exists()


@pytest.mark.parametrize("name", READERS)
def test_what_is_missing_or_no_file_is_said(tmp_path, name):
    with pytest.raises(vcn.InputError, match="No such file"):
        READERS[name](tmp_path / name)
    (tmp_path / name).mkdir()
    with pytest.raises(vcn.InputError, match="Is a directory"):
        READERS[name](tmp_path / name)
    (tmp_path / "empty").touch()
    with pytest.raises(vcn.InputError, match="empty is no"):
        READERS[name](tmp_path / "empty")


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damage_is_a_sentence_or_goes_unseen(tmp_path, name, data):
    path = sound(tmp_path, name)
    content = bytearray(path.read_bytes())
    if data.draw(st.booleans()):
        del content[data.draw(st.integers(0, len(content) - 1)) :]
    for _ in range(data.draw(st.integers(0, 4))):
        if content:
            content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path.write_bytes(content)
    with suppress(vcn.InputError):
        READERS[name](path)


def test_a_new_matlab_file_says_what_to_do(tmp_path):
    path = tmp_path / "a.mat"
    path.write_bytes(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\0\2IM\x89HDF")
    with pytest.raises(vcn.InputError, match="-v7"):
        read_matlab(path)


def test_features_are_rows_of_finite_numbers():
    given_ = np.array([[1, 2], [3, 4]], np.uint8)
    assert features(given_, "f").dtype == np.float32
    assert features(np.empty((0, 5)), "f").shape == (0, 5)
    for wrong in (
        np.ones(3), np.ones((2, 0)), np.ones((1, 2, 3)), np.array([["a"]]), np.array([[1j]]),
        np.array([[True]]),
    ):  # fmt: skip
        with pytest.raises(vcn.InputError, match="not a row of numbers for each crop"):
            features(wrong, "f")
    for wrong in (np.nan, np.inf, 1e300):
        with pytest.raises(vcn.InputError, match="not finite"):
            features(np.array([[1.0, wrong]]), "f")


def test_frames_are_whole_numbers():
    assert span_of(np.array([[5.0, 3.0, 9.0]]), "f") == (3, 9)
    assert span_of(np.array([0], np.uint8), "f") == (0, 0)
    for wrong in ([], [-1], [0.5], [np.nan], [np.inf], [10**9], ["3"]):
        with pytest.raises(vcn.InputError, match="f has frames"):
            span_of(np.array(wrong), "f")
    assert frame_number("000", "f") == 0
    for text in ("", "-1", "1.5", "1234567890", "٣"):
        with pytest.raises(vcn.InputError, match=r"f has '.*' for a frame number"):
            frame_number(text, "f")


def test_tables_are_read_by_their_header(tmp_path):
    path = tmp_path / "names.csv"
    path.write_bytes('\ufeffname , track,more\r\n"Ann, B.",7,x\r\n\r\nBob,8,\r\n'.encode())
    rows = list(read_table(path, ("track", "name")))
    assert [row for _, row in rows] == [
        {"name": "Ann, B.", "track": "7", "more": "x"},
        {"name": "Bob", "track": "8", "more": ""},
    ]
    assert rows[1][0] == f"Line 4 of {path}"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "Line 1 .*lacks the column 'track'"),
        (b"track,who\n", "Line 1 .*lacks the column 'name'"),
        (b"track,name\n1,a\n2\n", "Line 3 .*1 fields, not 2"),
        (b'track,name\n1,"a\n', "Line 2 .*not CSV"),
        (b"track,name\n\xff\n", "not UTF-8"),
    ],
)
def test_a_wrong_table_names_its_line(tmp_path, text, message):
    path = tmp_path / "names.csv"
    path.write_bytes(text)
    with pytest.raises(vcn.InputError, match=message):
        list(read_table(path, ("track", "name")))


def test_what_must_be_there_is_asked_for(tmp_path):
    (tmp_path / "file").touch()
    assert require_file(tmp_path / "file", "ask Ann") == tmp_path / "file"
    assert require_folder(tmp_path, "ask Ann") == tmp_path
    with pytest.raises(vcn.InputError, match=r"no file .*: ask Ann\.$"):
        require_file(tmp_path, "ask Ann")
    with pytest.raises(vcn.InputError, match=r"no folder .*file: ask Ann\.$"):
        require_folder(tmp_path / "file", "ask Ann")
    with pytest.raises(vcn.InputError, match="No such file"):
        read_text(tmp_path / "none")


def test_names_are_in_the_order_of_their_numbers(tmp_path):
    for name in ("10.jpg", "9.jpg", "._9.jpg", "b", "a10", "a9", "09.jpg"):
        (tmp_path / name).touch()
    names = [path.name for path in seen(tmp_path, "*")]
    assert names == ["09.jpg", "9.jpg", "10.jpg", "a9", "a10", "b"]


@given(st.lists(st.text("ab019", max_size=30), unique=True))
def test_any_names_have_an_order(names):
    backwards = names[::-1]
    assert sorted(names, key=in_order) == sorted(backwards, key=in_order)
