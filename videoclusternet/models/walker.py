"""A network given as a plan, a list of nodes that can be kept as JSON, run as a PyTorch module."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, NamedTuple

import torch
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from torch import Tensor, nn

from videoclusternet.errors import WeightsError, reason_of
from videoclusternet.models.backbone import Backbone
from videoclusternet.models.operators import OPERATORS
from videoclusternet.weights.choice import LARGEST

PICTURE = "picture"
LONGEST = 1 << 27  # numbers in one value; the networks that we know have a tenth

WIDEST = 4096  # pixels of a picture's side

Value = Annotated[str, Field(pattern=r"^x[0-9]+$")]
Parameter = Annotated[str, Field(pattern=r"^p[0-9]+_[A-Za-z0-9_]*$")]
Buffer = Annotated[str, Field(pattern=r"^b[0-9]+_[A-Za-z0-9_]*$")]
Shape = list[Annotated[int, Field(ge=1)]]


class PlanError(ValueError):
    """What is wrong with a graph or plan: the part of a sentence that follows its name."""


class Node(BaseModel):
    """A row of `OPERATORS` and what it is run with.

    Inputs are names of values, parameters and buffers; or numbers and lists of them; or None.
    """

    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)

    op: str
    inputs: list[Any]
    outputs: list[Value]
    attributes: dict[str, int | float | str | list[int] | list[float]]


class Plan(BaseModel):
    """All of a network but its numbers."""

    model_config = ConfigDict(strict=True, extra="forbid")

    picture: Annotated[Shape, Field(min_length=4, max_length=4)]  # a batch of 1
    declared: bool  # whether the graph itself says so, or the reader assumed it
    nodes: list[Node]
    output: Value
    parameters: dict[Parameter, Shape]
    buffers: dict[Buffer, Shape]


class _Step(NamedTuple):
    node: Node
    spent: list[str]  # values that no later step needs


class GraphBackbone(Backbone):
    """Pictures (n, 3, size, size), normalised as the graph wants them, to embeddings (n, d).

    Each picture goes through the graph as a batch of one, as the graph was made, under
    `torch.vmap`: so a graph that was exported for one picture takes many, whatever it does to the
    shape of its values, and none depends on its neighbours.

    Where the tail begins is ours: at the last matrix or kernel with parameters (Gemm, MatMul, Conv)
    that every path from the picture to the embedding passes, since a graph does not tell layers
    from their parts. Where there is none but the first of the network, the trunk is all of it and
    the tail does nothing.

    `plan` is a `Plan` as plain values. Parameters and buffers are not filled. Raises WeightsError
    where the plan cannot be followed; it is tried without numbers, so that nothing large is made.
    """

    def __init__(self, plan: Mapping[str, Any]) -> None:
        super().__init__()
        try:
            read = Plan.model_validate(plan)
            shapes = self._prepare(read)
        except ValidationError:
            raise WeightsError("The network's plan is not one that this version wrote.") from None
        except PlanError as error:
            raise WeightsError(f"The network's plan {error}.") from None
        self.plan: dict[str, Any] = read.model_dump()
        self._picture = read.picture
        self._output = read.output
        start = _tail_start(read)
        self._seam = read.output if start is None else _moving(read.nodes[start])[0]
        steps = _steps(read)
        self._front, self._back = steps[:start], [] if start is None else steps[start:]
        self._seam_shape = shapes[self._seam]  # of one picture
        self.width = math.prod(self._seam_shape)  # of the trunk's values
        self.dimension = math.prod(shapes[read.output])  # of the embeddings

    def _prepare(self, plan: Plan) -> dict[str, Sequence[int]]:
        """Make parameters and buffers, and return the shape of every value."""
        held, side = plan.parameters | plan.buffers, plan.picture[2]
        if plan.picture not in ([1, 3, side, side], [1, side, side, 3]) or side > WIDEST:
            raise PlanError(f"takes no square pictures of 3 colours and up to {WIDEST} pixels")
        if sum(math.prod(shape) for shape in held.values()) > LARGEST // 2:  # 2 bytes or more each
            raise PlanError("has too many parameters")
        for name, shape in plan.parameters.items():
            self.register_parameter(name, nn.Parameter(torch.empty(shape)))
        for name, shape in plan.buffers.items():
            self.register_buffer(name, torch.empty(shape))
        values = {name: torch.empty(shape, device="meta") for name, shape in held.items()}
        values[PICTURE] = torch.empty(plan.picture, device="meta")
        for node in plan.nodes:
            outline(node, values)
        if plan.output not in values:
            raise PlanError("has no output")
        return {name: value.shape for name, value in values.items()}

    @property
    def size(self) -> int | None:
        """The side of the pictures in pixels that the graph declares, None where it leaves it open.

        Left open, the network still takes one side alone, for which it was read.
        """
        return self.side if self.plan["declared"] else None

    @property
    def side(self) -> int:
        """The side of the pictures that the network takes, in pixels."""
        return self._picture[2]

    def trunk(self, x: Tensor) -> Tensor:
        """Return the values (n, width). Raises WeightsError for pictures of another size."""
        if x.shape[1:] != (3, self.side, self.side):
            raise WeightsError(
                f"The network takes pictures of {self.side} x {self.side} pixels and 3 colours, "
                f"not what has the shape {tuple(x.shape[1:])}."
            )
        last = self._picture[1] != 3  # the graph wants the colours last
        x = x.permute(0, 2, 3, 1) if last else x
        return self._each(self._front, PICTURE, self._picture, self._seam, x, self.width)

    def tail(self, values: Tensor) -> Tensor:
        flat = values.reshape(-1, self.width)
        found = self._each(
            self._back, self._seam, self._seam_shape, self._output, flat, self.dimension
        )
        return found.view(*values.shape[:-1], self.dimension)

    def _each(
        self, steps: list[_Step], start: str, shape: Sequence[int], end: str, x: Tensor, length: int
    ) -> Tensor:
        """Return the value `end` (n, length) that the steps make of each `start` of `x`."""
        if not steps or not len(x):
            return x.reshape(len(x), length) if not steps else x.new_zeros(len(x), length)
        held: dict[str, Tensor] = dict(self.named_parameters()) | dict(self.named_buffers())

        def follow(one: Tensor) -> Tensor:
            values = {**held, start: one.reshape(shape)}
            for step in steps:
                _run(step.node, values)
                for name in step.spent:
                    del values[name]
            return values[end].reshape(length)

        return torch.vmap(follow)(x)


def outline(node: Node, values: dict[str, Tensor]) -> None:
    """Run a node on tensors without numbers, "meta", and add what it makes to `values`.

    Raises PlanError where it is unknown, cannot be run, or makes something too large.
    """
    if node.op not in OPERATORS:
        raise PlanError(f"has an operator that is not known, {node.op}")
    place = f"cannot be followed at its {node.op}"
    if any(name in values for name in node.outputs):
        raise PlanError(f"{place}: it makes what is there already")
    with torch.device("meta"):
        attempt(node, values)
    for name in node.outputs:
        if name not in values:
            raise PlanError(f"{place}: more outputs are wanted than it has")
        if values[name].numel() > LONGEST:
            raise PlanError(f"{place}: it makes {values[name].numel():,} numbers")
        if _moving(node) and not values[name].is_floating_point():
            raise PlanError(f"{place}: it makes whole numbers, through which nothing is learned")


@torch.no_grad()
def attempt(node: Node, values: dict[str, Tensor]) -> None:
    """Run a node and add what it makes to `values`. Raises PlanError where that fails."""
    try:
        _run(node, values)
    except Exception as error:  # whatever strange numbers break in torch
        raise PlanError(f"cannot be followed at its {node.op}: {reason_of(error)}") from None


def _run(node: Node, values: dict[str, Tensor]) -> None:
    inputs = [values[name] if isinstance(name, str) else name for name in node.inputs]
    made = OPERATORS[node.op].run(node.attributes, *inputs)
    values.update(zip(node.outputs, made if isinstance(made, tuple) else (made,), strict=False))


def _moving(node: Node) -> list[str]:
    """Return the inputs of a node that depend on the picture."""
    return [x for x in node.inputs if isinstance(x, str) and (x == PICTURE or x[0] == "x")]


def _last_uses(plan: Plan) -> dict[str, int]:
    uses = {name: number for number, node in enumerate(plan.nodes) for name in _moving(node)}
    return uses | {plan.output: len(plan.nodes)}


def _steps(plan: Plan) -> list[_Step]:
    uses = _last_uses(plan)
    spent: list[list[str]] = [[] for _ in range(len(plan.nodes) + 1)]
    for name, number in uses.items():
        spent[number].append(name)
    return [_Step(node, spent[number]) for number, node in enumerate(plan.nodes)]


def _tail_start(plan: Plan) -> int | None:
    """Return the number of the node that begins the tail, if any.

    No value from before such a node may be needed behind it, and one value goes into it.
    """
    uses, start, earlier = _last_uses(plan), None, False
    latest = uses.get(PICTURE, 0)  # where what has been made so far is last needed
    for number, node in enumerate(plan.nodes):
        learned = any(isinstance(name, str) and name in plan.parameters for name in node.inputs)
        if OPERATORS[node.op].layer and learned:
            if earlier and latest == number and len(_moving(node)) == 1:
                start = number
            earlier = True
        latest = max([latest, *(uses.get(name, 0) for name in node.outputs)])
    return start
