"""Graphs become networks that say what the runtime says, can learn, and can be kept as a plan."""

from __future__ import annotations

import copy
import json
from functools import partial

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper
from torch import nn

from tests.graphs import POCKETS, changed, draw_graph, draw_pocket, ints, run_graph
from videoclusternet.errors import WeightsError
from videoclusternet.models.graph import GraphBackbone, read_graph

WIDTHS = {"mobile": (8, 12), "iresnet": (216, 10), "transformer": (8, 6)}  # of trunk and tail


@pytest.fixture(params=POCKETS)
def pocket(request, tmp_path):
    """The name of a pocket network, and the path of its graph."""
    return request.param, draw_pocket(tmp_path / "pocket.onnx", request.param)


def pictures(net, count=3, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.rand(count, 3, net.side, net.side, generator=generator) * 2 - 1


def same(found, path, images):
    np.testing.assert_allclose(
        found.detach().numpy(), run_graph(path, images.numpy()), atol=1e-5, rtol=1e-5
    )


def test_a_network_exported_for_one_picture_takes_many(pocket):
    name, path = pocket
    net = read_graph(path).eval()
    assert net.size == net.side == POCKETS[name][2]
    images = pictures(net)
    found = net(images)
    same(found, path, images)
    same(net(images.contiguous(memory_format=torch.channels_last)), path, images)
    torch.testing.assert_close(net(images[1:2]), found[1:2])
    torch.testing.assert_close(net(images.flip(0)), found.flip(0))
    assert torch.equal(net(images), found)
    assert net(images[:0]).shape == (0, net.dimension)


def test_trunk_and_tail_meet_in_front_of_the_last_matrix(pocket):
    name, path = pocket
    net = read_graph(path).eval()
    assert (net.width, net.dimension) == WIDTHS[name]
    values, found = net.trunk(pictures(net)), net(pictures(net))
    assert values.shape == (3, net.width)
    torch.testing.assert_close(net.tail(values), found)
    torch.testing.assert_close(net.tail(values[0]), found[0])
    torch.testing.assert_close(net.tail(values.view(3, 1, 1, -1)), found.view(3, 1, 1, -1))
    assert net.tail(values[:0]).shape == (0, net.dimension)
    assert net.tail(values[:0, None]).shape == (0, 1, net.dimension)


def test_the_plan_and_the_state_are_the_network(pocket):
    _, path = pocket
    net = read_graph(path).eval()
    again = GraphBackbone(json.loads(json.dumps(net.plan))).eval()
    again.load_state_dict(net.state_dict(), strict=True)
    assert again.plan == net.plan
    assert torch.equal(again(pictures(net)), net(pictures(net)))
    assert torch.equal(copy.deepcopy(net)(pictures(net)), net(pictures(net)))
    assert again.size == net.size
    assert all("." not in name for name in net.state_dict())


def test_reading_twice_gives_the_same(pocket):
    _, path = pocket
    first, second = read_graph(path), read_graph(path)
    assert first.plan == second.plan
    for (name, value), (other, twin) in zip(
        first.state_dict().items(), second.state_dict().items(), strict=True
    ):
        assert name == other
        assert torch.equal(value, twin)


def test_a_plan_is_built_without_memory(pocket):
    _, path = pocket
    net = read_graph(path)
    with torch.device("meta"):
        built = GraphBackbone(net.plan)
    assert all(value.is_meta for value in built.state_dict().values())
    assert {n: v.shape for n, v in built.state_dict().items()} == {
        n: v.shape for n, v in net.state_dict().items()
    }


def test_a_step_of_training_moves_every_parameter_and_nothing_else(pocket):
    name, path = pocket
    net = read_graph(path)
    before = {name: value.clone() for name, value in net.state_dict().items()}
    optimiser = torch.optim.SGD(net.parameters(), 1e-3)
    target = torch.randn(4, net.dimension, generator=torch.Generator().manual_seed(2))
    loss = []
    for _ in range(20):
        optimiser.zero_grad()
        loss.append(nn.functional.mse_loss(net(pictures(net, 4)), target))
        loss[-1].backward()
        optimiser.step()
    assert loss[-1] < loss[0]
    learned = {name for name, _ in net.named_parameters()}
    for key, value in net.state_dict().items():
        assert torch.equal(value, before[key]) != (key in learned), key
    names = {key.split("_", 1)[1].replace("t", "token", key.endswith("_t")) for key in learned}
    still = {key for key in POCKETS[name][1] if key.startswith(("mean", "variance", "scale"))}
    whole = {key for key, x in POCKETS[name][1].items() if getattr(x, "dtype", 0) == np.int64}
    assert names == set(POCKETS[name][1]) - still - whole


def test_gradients_are_those_of_finite_differences(tmp_path):
    net = read_graph(draw_pocket(tmp_path / "g.onnx", "transformer")).double()
    images = pictures(net, 2).double()
    for name, value in net.named_parameters():
        direction = torch.randn(value.shape, dtype=value.dtype,
                                generator=torch.Generator().manual_seed(3))  # fmt: skip
        (slope,) = torch.autograd.grad(net(images).sum(), value)
        with torch.no_grad():
            value.add_(direction, alpha=1e-5)
            above = net(images).sum()
            value.sub_(direction, alpha=2e-5)
            below = net(images).sum()
            value.add_(direction, alpha=1e-5)
        torch.testing.assert_close(
            (slope * direction).sum(), (above - below) / 2e-5, atol=1e-6, rtol=1e-4, msg=name
        )


@pytest.mark.parametrize(
    ("body", "constants", "width", "tail"),
    [
        ("y = Conv (x, w)", {}, 256, []),
        ("y = Relu (x)", {}, 192, []),
        ("a = Conv (x, w) b = Relu (a) y = Conv (b, v)", {}, 256, ["Conv"]),
        ("a = Conv (x, w) b = Conv (a, v) y = Add (a, b)", {}, 256, []),
        ("a = Conv (x, w) b = Conv (a, v) c = Add (a, b) d = Conv (c, v) y = LpNormalization (d)",
         {}, 256, ["Conv", "LpNormalization"]),
        ("a = Conv (x, w) f = Reshape (a, s) y = MatMul (f, m)",
         {"s": ints(32, 8), "m": (8, 5)}, 256, ["MatMul"]),
        ("a = Conv (x, w) f = Flatten (a) g = MatMul (f, m) t = Transpose (g) y = MatMul (g, t)",
         {"m": (256, 5)}, 256, ["MatMul", "Transpose", "MatMul"]),
    ],
)  # fmt: skip
def test_where_the_tail_begins(tmp_path, body, constants, width, tail):
    constants = {"w": (4, 3, 1, 1), "v": (4, 4, 1, 1)} | constants
    path = draw_graph(tmp_path / "g.onnx", body, constants)
    net = read_graph(path)
    values = net.trunk(pictures(net))
    assert values.shape == (3, width)
    assert [step.node.op for step in net._back] == tail
    same(net.tail(values), path, pictures(net))


@pytest.mark.parametrize(
    ("shape", "side", "size"),
    [
        ("1,3,8,8", 5, 8), ("N,3,8,8", 5, 8), ("N,3,H,8", 5, 8), ("N,3,8,W", 5, 8),
        ("N,3,H,W", 5, None), ("N,C,H,W", 6, None),
    ],
)  # fmt: skip
def test_the_size_is_the_one_declared_or_else_assumed(tmp_path, shape, side, size):
    body = "a = Conv (x, w) n = Shape (a) m = Gather (n, i) k = Concat <axis = 0> (m, r) "
    body += "y = Reshape (a, k)"
    constants = {"w": (4, 3, 1, 1), "i": ints(0), "r": ints(-1)}
    path = draw_graph(tmp_path / "g.onnx", body, constants, shape=shape)
    net = read_graph(path, side)
    assert (net.size, net.side) == (size, size or side)
    assert GraphBackbone(net.plan).size == size
    same(net(pictures(net)), path, pictures(net))
    with pytest.raises(WeightsError, match=f"{net.side} x {net.side} pixels"):
        net.trunk(torch.zeros(1, 3, 9, 9))


@pytest.mark.parametrize("shape", ["1,8,8,3", "N,H,W,3", "N,8,W,3"])
def test_colours_may_come_last(tmp_path, shape):
    body = "t = Transpose <perm = [0, 3, 1, 2]> (x) y = Conv <strides = [2, 2]> (t, w)"
    net = read_graph(draw_graph(tmp_path / "a.onnx", body, {"w": (4, 3, 2, 2)}, shape=shape), 8)
    body = "y = Conv <strides = [2, 2]> (x, w)"
    plain = read_graph(draw_graph(tmp_path / "b.onnx", body, {"w": (4, 3, 2, 2)}))
    assert net.side == 8
    assert torch.equal(net(pictures(net)), plain(pictures(net)))


def test_names_of_any_kind_become_names_of_a_state(tmp_path):
    def rename(model):
        (node,), (weight,) = model.graph.node, model.graph.initializer
        weight.name = node.input[1] = "/module.0/conv weight::0/é"

    path = draw_graph(tmp_path / "g.onnx", "y = Conv (x, w)", {"w": (4, 3, 1, 1)})
    assert [*read_graph(changed(path, rename)).state_dict()] == ["p0__module_0_conv_weight__0__"]


def test_parameters_listed_as_inputs_are_no_pictures(tmp_path):
    def list_them(model):
        model.graph.input.append(
            helper.make_tensor_value_info("w", TensorProto.FLOAT, [4, 3, 1, 1])
        )

    path = draw_graph(tmp_path / "g.onnx", "y = Conv (x, w)", {"w": (4, 3, 1, 1)})
    assert len([*read_graph(changed(path, list_them)).parameters()]) == 1


def test_half_precision_is_read_as_single(tmp_path):
    def halve(model):
        (weight,) = model.graph.initializer
        values = onnx.numpy_helper.to_array(weight).astype(np.float16)
        weight.CopyFrom(onnx.numpy_helper.from_array(values, "w"))
        model.graph.input[0].type.tensor_type.elem_type = TensorProto.FLOAT16

    path = draw_graph(tmp_path / "g.onnx", "y = Conv (x, w)", {"w": (4, 3, 1, 1)})
    whole = read_graph(path)
    net = read_graph(changed(path, halve))
    torch.testing.assert_close(net(pictures(net)), whole(pictures(net)), atol=1e-2, rtol=1e-2)
    assert net(pictures(net)).dtype == torch.float32


def spoil(value, model):
    weights = onnx.numpy_helper.to_array(model.graph.initializer[0]).copy()
    weights.flat[1] = value
    model.graph.initializer[0].CopyFrom(onnx.numpy_helper.from_array(weights, "w"))


def resize(axis, size, model):
    model.graph.input[0].type.tensor_type.shape.dim[axis].dim_value = size


def resize_both(size, model):
    resize(2, size, model)
    resize(3, size, model)


def strange_setting(model):
    model.graph.node[0].op_type = "LeakyRelu"
    model.graph.node[0].input.pop()
    model.graph.node[0].attribute.append(helper.make_attribute("alpha", np.nan))


def empty_out(model):
    empty = np.zeros((0, 3, 1, 1), np.float32)
    model.graph.initializer[0].CopyFrom(onnx.numpy_helper.from_array(empty, "w"))


def add_input(model):
    model.graph.input.append(helper.make_tensor_value_info("z", TensorProto.FLOAT, [1, 3, 8, 8]))
    model.graph.node.append(helper.make_node("Add", ["y", "z"], ["w2"]))


def add_output(model):
    model.graph.node.append(helper.make_node("Relu", ["y"], ["z"]))
    model.graph.output.append(helper.make_tensor_value_info("z", TensorProto.FLOAT, None))


def rename_output(model):
    model.graph.output[0].name = "w"


def name_unknown(model):
    model.graph.node.insert(0, helper.make_node("LRN", ["x"], ["u"], size=3))
    model.graph.node.insert(0, helper.make_node("Attend", ["x"], ["v"], domain="com.example"))
    model.graph.node.insert(0, helper.make_node("NonZero", ["x"], ["t"]))


def add_branch(model):
    inner = helper.make_graph([], "inner", [], [])
    branch = helper.make_node("If", ["y"], ["z"], then_branch=inner, else_branch=inner)
    model.graph.node.append(branch)


def reach_out(model):
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="/etc/passwd")


def cut_short(model):
    model.graph.initializer[0].raw_data = model.graph.initializer[0].raw_data[:-4]


def bias_of_bias(model):
    model.graph.node[0].input.append("w")


def take_unmade(model):
    model.graph.node[0].input[1] = "nowhere"


def make_twice(model):
    model.graph.node.append(model.graph.node[0])


def make_sparse(model):
    model.graph.sparse_initializer.add()


def make_text(model):
    model.graph.initializer.append(helper.make_tensor("s", TensorProto.STRING, [1], [b"a"]))


def feed_bytes(model):
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.UINT8


def age(version, model):
    model.opset_import[0].version = version


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (partial(spoil, np.nan), "values of w that are no numbers"),
        (partial(spoil, -np.inf), "values of w that are no numbers"),
        (partial(resize, 0, 2), "or 2 at once"),
        (partial(resize, 1, 1), "pictures of 1 colours"),
        (partial(resize, 3, 7), "7 x 8 pixels"),
        (partial(resize_both, 1 << 40), "1099511627776 x 1099511627776 pixels"),
        (strange_setting, "of a form that is not known"),
        (empty_out, "of a form that is not known"),
        (add_input, "its inputs: x, z"),
        (add_output, "its outputs: y, z"),
        (rename_output, "its outputs: none"),
        (name_unknown, "not known: LRN, NonZero, com.example.Attend"),
        (add_branch, "a graph within its node If"),
        (reach_out, "in other files"),
        (cut_short, "a damaged tensor, 'w'"),
        (bias_of_bias, "cannot be run"),
        (take_unmade, "nothing makes 'nowhere', which Conv takes"),
        (make_twice, "Conv makes what is there already"),
        (make_sparse, "sparse"),
        (make_text, "of a kind that is not known, 's'"),
        (feed_bytes, "in whole numbers"),
        (partial(age, 6), "version 6, and 7 to 28"),
        (partial(age, 29), "version 29, and 7 to 28"),
    ],
)
def test_what_is_no_plain_network_is_refused_in_a_sentence(tmp_path, change, reason):
    path = draw_graph(tmp_path / "g.onnx", "y = Conv (x, w)", {"w": (4, 3, 1, 1)})
    read_graph(path)
    with pytest.raises(WeightsError, match=reason) as caught:
        read_graph(changed(path, change))
    assert str(caught.value).startswith(str(path))
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


def edit(*place, value):
    """Return a change of one place in a plan."""

    def change(plan):
        for key in place[:-1]:
            plan = plan[key]
        plan[place[-1]] = value

    return change


@pytest.mark.parametrize(
    "change",
    [
        edit("nodes", 0, "op", value="__import__"),
        edit("nodes", 0, "op", value=["Conv"]),
        edit("nodes", 0, "inputs", value=["picture", "forward"]),
        edit("nodes", 0, "inputs", value=["picture", {"a": 1}]),
        edit("nodes", 0, "inputs", value=[]),
        edit("nodes", 0, "attributes", value={"strides": [0, 0]}),
        edit("nodes", 0, "attributes", value={"group": "two"}),
        edit("nodes", 0, "attributes", value={"pads": [1 << 30] * 4}),
        edit("nodes", 0, "attributes", value={"pads": {"a": 1}}),
        edit("nodes", 0, "outputs", value=["picture"]),
        edit("nodes", 0, "outputs", value=["x0", "x9"]),
        edit("nodes", 1, "outputs", value=["x0"]),
        edit("nodes", value="Conv"),
        edit("output", value="x99"),
        edit("output", value="training"),
        edit("picture", value=[1, 3, 1 << 40, 1 << 40]),
        edit("picture", value=[1, 3]),
        edit("parameters", "forward", value=[1]),
        edit("parameters", "p9_a.b", value=[1]),
        edit("parameters", "p9_", value=[1 << 20, 1 << 20]),
        edit("buffers", "b9_", value=[-1]),
        edit("more", value=1),
        lambda plan: plan.pop("declared"),
        lambda plan: plan["parameters"].clear(),
    ],
)
def test_a_plan_that_was_tampered_with_is_refused(tmp_path, change):
    plan = json.loads(json.dumps(read_graph(draw_pocket(tmp_path / "g.onnx", "iresnet")).plan))
    GraphBackbone(plan)
    change(plan)
    with pytest.raises(WeightsError, match="plan"):
        GraphBackbone(plan)


@pytest.mark.parametrize("plan", [None, [], {}, "Conv"])
def test_what_is_no_plan_is_refused(plan):
    with pytest.raises(WeightsError, match="plan"):
        GraphBackbone(plan)
