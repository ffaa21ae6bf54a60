"""ONNX files are parsed as data; none makes its reader open another file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from videoclusternet.errors import WeightsError
from videoclusternet.weights import choice
from videoclusternet.weights.onnx_file import read_onnx


def tensor(name: str = "w") -> TensorProto:
    return numpy_helper.from_array(np.arange(3, dtype=np.float32), name)


def outside(name: str = "w") -> TensorProto:
    """A tensor whose values lie in another file."""
    made = TensorProto(name=name, data_type=TensorProto.FLOAT, dims=[3])
    made.data_location = TensorProto.EXTERNAL
    made.external_data.add(key="location", value="../../etc/passwd")
    return made


def model(*nodes: onnx.NodeProto, initializer: list[TensorProto] | None = None) -> onnx.ModelProto:
    graph = helper.make_graph(
        list(nodes) or [helper.make_node("Add", ["x", "w"], ["y"])],
        "net",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [3])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [3])],
        [tensor()] if initializer is None else initializer,
    )
    return helper.make_model(graph)


def in_a_constant() -> onnx.ModelProto:
    return model(helper.make_node("Constant", [], ["y"], value=outside("")))


def in_a_branch() -> onnx.ModelProto:
    inner = helper.make_graph(
        [helper.make_node("Constant", [], ["z"], value=outside(""))], "inner", [],
        [helper.make_tensor_value_info("z", TensorProto.FLOAT, [3])],
    )  # fmt: skip
    return model(helper.make_node("If", ["x"], ["y"], then_branch=inner, else_branch=inner))


def in_a_sparse_one() -> onnx.ModelProto:
    made = model()
    made.graph.sparse_initializer.add(values=outside("s"), dims=[3])
    return made


def in_a_function() -> onnx.ModelProto:
    made = model()
    node = helper.make_node("Constant", [], ["z"], value=outside(""))
    made.functions.add(name="f", domain="d").node.append(node)
    return made


def named_only() -> onnx.ModelProto:
    """A tensor that names a file, though it says that its values are inside."""
    made = model()
    made.graph.initializer[0].external_data.add(key="location", value="/etc/passwd")
    return made


REACHING = {
    "an initializer": lambda: model(initializer=[outside()]),
    "a constant": in_a_constant,
    "a branch": in_a_branch,
    "a sparse tensor": in_a_sparse_one,
    "a function": in_a_function,
    "a name alone": named_only,
}


def test_a_file_is_read_whole(tmp_path: Path) -> None:
    (tmp_path / "net.onnx").write_bytes(model().SerializeToString())
    assert read_onnx(tmp_path / "net.onnx") == model()


@pytest.mark.parametrize("make", REACHING.values(), ids=list(REACHING))
def test_a_file_that_reaches_out_is_refused(
    tmp_path: Path, make: Callable[[], onnx.ModelProto]
) -> None:
    path = tmp_path / "net.onnx"
    path.write_bytes(make().SerializeToString())
    with pytest.raises(WeightsError, match="in other files, which are not read") as caught:
        read_onnx(path)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("link", [os.symlink, os.link])
def test_links_beside_it_make_no_difference(
    tmp_path: Path, link: Callable[[Path, Path], None]
) -> None:
    (tmp_path / "secret").write_bytes(np.arange(3, dtype=np.float32).tobytes())
    link(tmp_path / "secret", tmp_path / "weights.bin")
    made = outside()
    made.external_data[0].value = "weights.bin"
    (tmp_path / "net.onnx").write_bytes(model(initializer=[made]).SerializeToString())
    with pytest.raises(WeightsError, match="in other files"):
        read_onnx(tmp_path / "net.onnx")


@pytest.mark.parametrize(
    "content", [b"", b"\x08\x07", b"text", model().SerializeToString()[:-3], b"\x08\x07\x3a\x00"]
)
def test_what_is_no_network_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "net.onnx").write_bytes(content)
    with pytest.raises(WeightsError, match="is not an ONNX file"):
        read_onnx(tmp_path / "net.onnx")


def test_what_is_not_there_or_too_large_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(WeightsError, match="not there"):
        read_onnx(tmp_path / "net.onnx")
    (tmp_path / "net.onnx").write_bytes(model().SerializeToString())
    monkeypatch.setattr(choice, "LARGEST", 3)
    with pytest.raises(WeightsError, match="more than"):
        read_onnx(tmp_path / "net.onnx")
