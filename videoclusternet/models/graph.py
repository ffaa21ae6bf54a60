"""Reading the ONNX graph of any plain network as a PyTorch module that can be trained further.

What depends on the picture is kept, as a plan of nodes. All else, such as sizes and matrices that
are turned before they are used, is worked out once, here, by the same operators.
"""

from __future__ import annotations

import itertools
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from pydantic import ValidationError
from torch import Tensor

from videoclusternet.errors import WeightsError, reason_of
from videoclusternet.models.operators import OPERATORS
from videoclusternet.models.walker import (
    PICTURE,
    WIDEST,
    GraphBackbone,
    Node,
    Plan,
    PlanError,
    attempt,
    outline,
)
from videoclusternet.weights.onnx_file import read_onnx

if TYPE_CHECKING:
    from onnx import AttributeProto, GraphProto, ModelProto, NodeProto, TensorProto

__all__ = ["GraphBackbone", "read_graph"]

OLDEST, NEWEST = 7, 28  # versions of ONNX's operators that are understood
SIDE = 112  # pixels: what nearly all face networks take
FLOATS = (1, 10, 11, 16)  # ONNX's numbers for the kinds of floats; here all become one kind
WHOLE = (2, 3, 4, 5, 6, 7, 12, 13)  # and for whole numbers


def read_graph(path: Path, side: int = SIDE) -> GraphBackbone:
    """Return the network of an ONNX file with its parameters.

    `side` is that of the pictures in pixels, for a graph that leaves it open. Raises WeightsError
    where the file is none, its graph is no plain network from pictures to embeddings by operators
    that are known, or it holds values that are no numbers.
    """
    model = read_onnx(path)
    try:
        plan, state = _Reader(model, side).result()
        return _filled(plan, state)
    except PlanError as error:
        raise WeightsError(f"{path} {error}.") from None
    except ValidationError:
        raise WeightsError(f"{path} has nodes or parameters of a form that is not known.") from None


def _filled(plan: Plan, state: dict[str, Tensor]) -> GraphBackbone:
    """Return the network, once it took a black picture: what is odd may show with numbers alone."""
    net = GraphBackbone(plan.model_dump())
    net.load_state_dict(state)
    try:
        with torch.no_grad():
            net(torch.zeros(1, 3, net.side, net.side))
    except Exception as error:  # as in `attempt`
        raise PlanError(f"cannot be run: {reason_of(error)}") from None
    return net


class _Reader:
    """What is known of a graph while its nodes are gone through in order."""

    def __init__(self, model: ModelProto, side: int) -> None:
        graph = model.graph
        self.version = _version(model)
        _refuse_unknown(graph)
        self.constants = {tensor.name: _numbers(tensor) for tensor in graph.initializer}
        self.outputs = [output.name for output in graph.output]
        self.needed = {x for node in graph.node for x in node.input if x} | set(self.outputs)
        name, self.picture, self.declared = self._picture(graph, side)
        self.moving = {name: PICTURE}  # what depends on the picture, and its name in the plan
        self.behind: set[str] = set()  # of these, what lies behind a layer
        self.nodes: list[Node] = []
        self.numbers = itertools.count()
        self.shapes = {PICTURE: torch.empty(self.picture, device="meta")}  # by names in the plan
        self.state: dict[str, Tensor] = {}
        self.names: dict[tuple[str, int], str] = {}  # by kind and identity, so that shared stays so
        for node in graph.node:
            self._take(node)

    def _picture(self, graph: GraphProto, side: int) -> tuple[str, list[int], bool]:
        """Return name and shape of the picture, and whether the graph says how large it is."""
        inputs = [x for x in graph.input if x.name not in self.constants and x.name in self.needed]
        if len(inputs) != 1:
            names = ", ".join(x.name for x in inputs) or "none"
            raise PlanError(f"takes other things than one batch of pictures (its inputs: {names})")
        kind = inputs[0].type.tensor_type
        if kind.elem_type not in FLOATS:
            raise PlanError("takes pictures in whole numbers, through which nothing is learned")
        batch, *sizes = [max(d.dim_value, 0) for d in kind.shape.dim] or [0, 3, 0, 0]  # 0: open
        if batch > 1 or len(sizes) != 3:
            raise PlanError(f"takes no pictures, or {batch} at once: save it for one or any number")
        last = sizes[0] != 3 and sizes[2] == 3
        colours, (height, width) = (sizes[2], sizes[:2]) if last else (sizes[0] or 3, sizes[1:])
        length = height or width or side
        if colours != 3 or (height and width and height != width) or length > WIDEST:
            form = f"{colours} colours, {width or 'any'} x {height or 'any'} pixels"
            raise PlanError(f"takes pictures of {form}: they must be square and have 3 colours")
        shape = [1, length, length, 3] if last else [1, 3, length, length]
        return inputs[0].name, shape, bool(height or width)

    def _take(self, node: NodeProto) -> None:
        """Work out what a node makes of constants, or keep it where it depends on the picture."""
        for name in node.input:
            if name and name not in self.constants and name not in self.moving:
                raise PlanError(f"is not whole: nothing makes '{name}', which {node.op_type} takes")
        attributes, outputs = _attributes(node, self.version), list(node.output)
        while outputs and outputs[-1] not in self.needed:
            outputs.pop()
        if any(name in self.constants or name in self.moving for name in outputs):
            raise PlanError(f"is no graph: a node {node.op_type} makes what is there already")
        if node.op_type == "Constant":
            self.constants |= dict.fromkeys(outputs, _constant(attributes))
        elif node.op_type == "Shape" or not any(name in self.moving for name in node.input):
            self._fold(node, attributes, outputs)
        elif outputs:
            self._keep(node, attributes, outputs)

    def _fold(self, node: NodeProto, attributes: dict[str, Any], outputs: list[str]) -> None:
        """Add to the constants what a node makes of them, after a look at how large it is."""
        named, values = list[Any](), dict[str, Tensor]()
        for place, name in enumerate(node.input):
            value = self._known(name)
            if value is None or place in OPERATORS[node.op_type].plain:
                named.append(_listed(value))
            else:
                named.append(f"c{place}")
                values[f"c{place}"] = value
        made = [f"made{place}" for place in range(len(outputs))]
        trial = Node.model_construct(
            op=node.op_type, inputs=named, outputs=made, attributes=attributes
        )
        outline(trial, {name: value.to("meta") for name, value in values.items()})
        attempt(trial, values)
        found = zip(outputs, made, strict=True)
        self.constants |= {name: values[new] for name, new in found if name}

    def _known(self, name: str) -> Tensor | None:
        """Return a constant, or a value without its numbers."""
        if name in self.moving:
            return self.shapes[self.moving[name]]
        return self.constants[name] if name else None

    def _keep(self, node: NodeProto, attributes: dict[str, Any], outputs: list[str]) -> None:
        row, inputs = OPERATORS[node.op_type], list[Any]()
        layered = any(name in self.behind for name in node.input)
        for place, name in enumerate(node.input):
            if name in self.moving:
                inputs.append(self.moving[name])
            elif not name or place in row.plain:
                inputs.append(_listed(self._known(name)))
            else:
                mixed = row.mixes and layered and self.constants[name].numel() > 1
                inputs.append(self._held("p" if place in row.learned or mixed else "b", name))
        if row.layer or layered:
            self.behind |= set(outputs)
        made = [f"x{next(self.numbers)}" for _ in outputs]
        self.moving |= {name: new for name, new in zip(outputs, made, strict=True) if name}
        self.nodes.append(Node(op=node.op_type, inputs=inputs, outputs=made, attributes=attributes))
        outline(self.nodes[-1], self.shapes)

    def _held(self, kind: str, name: str) -> str:
        """Return the name of a parameter ("p") or buffer ("b"), a new one where it has none yet.

        What both learns and stands still, as when an exporter merged what was equal, gets two.
        """
        value = self.constants[name]
        if not value.is_floating_point() or not value.isfinite().all():
            raise PlanError(f"holds values of {name} that are no numbers to calculate with")
        key = (kind, id(value))
        if key not in self.names:
            plain = re.sub(r"\W", "_", name, flags=re.ASCII)[:60]
            self.names[key] = f"{kind}{len(self.names)}_{plain}"
            self.state[self.names[key]] = value
            self.shapes[self.names[key]] = value.to("meta")
        return self.names[key]

    def result(self) -> tuple[Plan, dict[str, Tensor]]:
        """Return the plan and the state of what the one output needs."""
        outputs = [name for name in self.outputs if self.moving.get(name, PICTURE) != PICTURE]
        if len(outputs) != 1:
            names = ", ".join(outputs) or "none"
            raise PlanError(f"has other outputs than one embedding (its outputs: {names})")
        output = self.moving[outputs[0]]
        wanted, nodes = {output}, []
        for node in reversed(self.nodes):
            if not wanted.isdisjoint(node.outputs):
                nodes.append(node)
                wanted |= {name for name in node.inputs if isinstance(name, str)}
        state = {name: value for name, value in self.state.items() if name in wanted}
        shapes = {name: list(value.shape) for name, value in state.items()}
        plan = Plan(
            picture=self.picture,
            declared=self.declared,
            nodes=nodes[::-1],
            output=output,
            parameters={name: shape for name, shape in shapes.items() if name[0] == "p"},
            buffers={name: shape for name, shape in shapes.items() if name[0] == "b"},
        )
        return plan, state


def _version(model: ModelProto) -> int:
    version = next((x.version for x in model.opset_import if x.domain in ("", "ai.onnx")), 0)
    if not OLDEST <= version <= NEWEST:
        raise PlanError(
            f"has operators of version {version}, and {OLDEST} to {NEWEST} are understood"
        )
    return version


def _refuse_unknown(graph: GraphProto) -> None:
    """Raise PlanError for graphs within the graph, sparse tensors, and all operators not known."""
    for node in graph.node:
        if not all(
            isinstance(x, str) for x in (node.op_type, node.domain, *node.input, *node.output)
        ):
            raise PlanError("is damaged: it has names that are no text")
        if any(x.HasField("g") or x.graphs for x in node.attribute):
            raise PlanError(f"has a graph within its node {node.op_type}, which is not followed")
    if graph.sparse_initializer:
        raise PlanError("has sparse parameters, which are not read")
    unknown = {
        node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}.{node.op_type}"
        for node in graph.node
    } - {*OPERATORS, "Constant"}
    if unknown:
        raise PlanError(f"has operators that are not known: {', '.join(sorted(unknown))}")


def _attributes(node: NodeProto, version: int) -> dict[str, Any]:
    """Return the attributes of a node, and what else depends on more than its inputs."""
    attributes = {x.name: _attribute(x) for x in node.attribute}
    if node.op_type == "Softmax" and version < 13:
        attributes |= {"flat": 1}
    if node.op_type == "Split":
        attributes = {"num_outputs": len(node.output)} | attributes
    return attributes


def _attribute(x: AttributeProto) -> Any:
    from onnx import AttributeProto as Kinds

    if x.type == Kinds.TENSOR:
        return _numbers(x.t)
    if x.type == Kinds.STRING:
        return x.s.decode("utf-8", "replace")
    plain = {Kinds.FLOAT: x.f, Kinds.INT: x.i, Kinds.FLOATS: [*x.floats], Kinds.INTS: [*x.ints]}
    if x.type not in plain:
        raise PlanError(f"has an attribute of a kind that is not known, {x.name}")
    return plain[x.type]


def _constant(attributes: dict[str, Any]) -> Tensor:
    for name in ("value", "value_float", "value_floats", "value_int", "value_ints"):
        if name in attributes:
            return torch.as_tensor(attributes[name])
    raise PlanError("has a constant of a kind that is not known")


def _numbers(tensor: TensorProto) -> Tensor:
    """Return a tensor of the file as single floats, as 64-bit whole numbers, or as truth values."""
    from onnx import numpy_helper

    kind = np.float32 if tensor.data_type in FLOATS else np.int64
    if tensor.data_type not in (*FLOATS, *WHOLE, 9):
        raise PlanError(f"holds a tensor of a kind that is not known, '{tensor.name}'")
    try:
        with np.errstate(over="ignore"):  # infinite is refused where it is used
            array = numpy_helper.to_array(tensor).astype(bool if tensor.data_type == 9 else kind)
    except (ValueError, TypeError, OverflowError):
        raise PlanError(f"holds a damaged tensor, '{tensor.name}'") from None
    return torch.from_numpy(array)


def _listed(value: Tensor | None) -> Any:
    """Return a setting as numbers and lists of them."""
    if value is None:
        return None
    if value.is_floating_point() and not value.isfinite().all():
        raise PlanError("holds settings that are no numbers")
    return value.tolist()
