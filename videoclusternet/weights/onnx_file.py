"""Reading ONNX files that anybody may have made: parsed as data, and refused where they reach out.

An ONNX file may say that its parameters lie in other files. None is ever followed: by such a name a
file can make its reader open whatever the user may read.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from videoclusternet.errors import WeightsError
from videoclusternet.weights.choice import check_file

if TYPE_CHECKING:
    from google.protobuf.message import Message
    from onnx import ModelProto


def read_onnx(path: Path) -> ModelProto:
    """Parse an ONNX file. Raises WeightsError where it is none, too large, or not whole."""
    import onnx
    from google.protobuf.message import DecodeError

    check_file(path)
    try:
        model = onnx.ModelProto.FromString(path.read_bytes())
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror}.") from None
    except DecodeError:
        raise WeightsError(f"{path} is not an ONNX file, or a damaged one.") from None
    if not model.graph.node:
        raise WeightsError(f"{path} is not an ONNX file, or one without a network in it.")
    if any(_reaches_out(tensor) for tensor in _tensors(model)):
        raise WeightsError(
            f"{path} keeps parameters in other files, which are not read: save it as one file."
        )
    return model


def _tensors(message: Message) -> Iterator[Message]:
    """Yield every tensor of a model, wherever it hides: in a branch, a function, a sparse one."""
    if message.DESCRIPTOR.name == "TensorProto":
        yield message
        return
    for field, value in message.ListFields():
        if field.message_type is not None:
            parts = value if not hasattr(value, "ListFields") else [value]
            for part in parts:
                yield from _tensors(part)


def _reaches_out(tensor: Message) -> bool:
    import onnx

    assert isinstance(tensor, onnx.TensorProto)
    return tensor.data_location == onnx.TensorProto.EXTERNAL or bool(tensor.external_data)
