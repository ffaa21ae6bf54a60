from __future__ import annotations

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.faces.networks import Sketch, saved, scrfd
from videoclusternet.errors import WeightsError
from videoclusternet.faces.session import open_network, sort_outputs


def doubled(size=("h", "w"), to=None):
    """Draw a network that halves the picture, doubles it again and adds both, as real ones do."""
    sketch = Sketch()
    fine = sketch.add("MaxPool", "picture", kernel_shape=[2, 2], strides=[2, 2])
    coarse = sketch.add("MaxPool", fine, kernel_shape=[2, 2], strides=[2, 2])
    if to is None:  # reckoned from the other map, as exports for any size have it
        leading, trailing = sketch.constant([0, 1]), sketch.constant([2, 3])
        start = sketch.add("Gather", sketch.add("Shape", coarse), leading)
        to = sketch.add(
            "Concat", start, sketch.add("Gather", sketch.add("Shape", fine), trailing), axis=0
        )
    else:
        to = sketch.constant(to)
    larger = sketch.add(
        "Resize", coarse, "", "", to,
        mode="nearest", coordinate_transformation_mode="asymmetric", nearest_mode="floor",
    )  # fmt: skip
    return sketch.model({sketch.add("Add", fine, larger): [1, 3, "rows", "columns"]}, size)


PICTURE = np.random.default_rng(0).random((1, 3, 24, 40), np.float32)


def test_a_network_of_a_fixed_size_runs_at_any(tmp_path):
    free = open_network(saved(doubled(), tmp_path))
    (truth,) = free.answer(["output_0"], PICTURE)
    assert truth.shape == (1, 3, 12, 20)
    for model in (doubled((640, 320), np.array([1, 3, 320, 160])), doubled((64, 32))):
        fixed = open_network(saved(model, tmp_path))
        np.testing.assert_array_equal(fixed.answer(["output_0"], PICTURE)[0], truth)


@pytest.mark.parametrize("where", ["value_info", "output"])
def test_noted_sizes_of_maps_are_forgotten(tmp_path, where):
    """What is reckoned from the size of a map would stay what it was for the noted size."""
    sketch = Sketch()
    halved = sketch.add("MaxPool", "picture", kernel_shape=[2, 2], strides=[2, 2])
    shaped = sketch.add("Reshape", sketch.add("Relu", halved), sketch.add("Shape", halved))
    model = sketch.model({shaped: [1, 3, 320, 160]}, (640, 320))
    noted = helper.make_tensor_value_info(halved, TensorProto.FLOAT, [1, 3, 320, 160])
    getattr(model.graph, where).append(noted)
    (answer,) = open_network(saved(model, tmp_path)).answer(["output_0"], PICTURE)
    assert answer.shape == (1, 3, 12, 20)


def test_declared_sizes_and_batches_are_taken_out(tmp_path):
    model = scrfd((640, 640))
    model.graph.input[0].type.tensor_type.shape.dim[0].dim_value = 10
    network = open_network(saved(model, tmp_path))
    assert [network.trial[name].shape[1] for name in list(network.trial)[:3]] == [256, 64, 16]
    (scores,) = network.answer(["output_0"], np.zeros((1, 3, 32, 96), np.float32))
    assert scores.shape == (1, 2 * 4 * 12, 1)


def test_parameters_that_are_inputs_too_become_constants(tmp_path):
    model = scrfd()
    truth = open_network(saved(model, tmp_path))
    for tensor in model.graph.initializer:
        model.graph.input.append(
            helper.make_tensor_value_info(tensor.name, tensor.data_type, tensor.dims)
        )
    network = open_network(saved(model, tmp_path))
    assert [value.name for value in network.session.get_inputs()] == ["picture"]
    assert network.session.get_overridable_initializers() == []
    for name, answer in truth.trial.items():
        np.testing.assert_array_equal(network.trial[name], answer)


def test_the_trial_holds_every_output_by_its_name(tmp_path):
    network = open_network(saved(scrfd(names=[f"out {i}" for i in range(9)]), tmp_path))
    assert list(network.trial) == [f"out {i}" for i in range(9)]
    planes = np.full((1, 3, 64, 128), 0.5, np.float32)
    for name, answer in network.trial.items():
        np.testing.assert_array_equal(network.answer([name], planes)[0], answer)


def of_one_size():
    sketch = Sketch()
    flat = sketch.add("Reshape", "picture", sketch.constant([1, 3 * 32 * 32]))
    return sketch.model({flat: [1, 3 * 32 * 32]}, (32, 32))


def test_a_network_of_one_size_only_is_refused_and_told_of_once(tmp_path, capfd):
    path = saved(of_one_size(), tmp_path)
    with pytest.raises(WeightsError) as refused:
        open_network(path)
    said = str(refused.value)
    assert said.startswith(
        f"{path} does not run on a picture of 128 x 64 pixels, and a detector has to run on any "
        "size: "
    )
    assert "\n" not in said
    assert capfd.readouterr() == ("", "")


def channels_last(model):
    sides = model.graph.input[0].type.tensor_type.shape.dim
    sides[1].dim_value, sides[3].dim_value = 640, 3


def of_bytes(model):
    model.graph.input[0].type.tensor_type.elem_type = TensorProto.UINT8


def with_a_second_input(model):
    model.graph.input.append(helper.make_tensor_value_info("more", TensorProto.FLOAT, [1]))


def without_a_shape(model):
    model.graph.input[0].type.tensor_type.ClearField("shape")


@pytest.mark.parametrize("change", [channels_last, of_bytes, with_a_second_input, without_a_shape])
def test_what_takes_no_pictures_is_refused(tmp_path, change):
    model = scrfd((640, 640))
    change(model)
    with pytest.raises(WeightsError, match=r"is not a detector: its one input should be pictures"):
        open_network(saved(model, tmp_path))


def with_nan(model):
    values = numpy_helper.to_array(model.graph.initializer[0]).copy()
    values.ravel()[5] = np.nan
    name = model.graph.initializer[0].name
    model.graph.initializer[0].CopyFrom(numpy_helper.from_array(values, name))


def cut_short(model):
    model.graph.initializer[0].raw_data = model.graph.initializer[0].raw_data[:-8]


def elsewhere(model):
    tensor = model.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../secret")


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (with_nan, r"is damaged .'parameter_0' holds NaN"),
        (cut_short, r"is damaged .'parameter_0' is not whole"),
        (elsewhere, r"keeps parameters in other files, which are not read"),
    ],
)
def test_files_that_are_not_sound_are_refused(tmp_path, change, why):
    model = scrfd()
    change(model)
    with pytest.raises(WeightsError, match=why):
        open_network(saved(model, tmp_path))


def test_a_network_that_answers_with_nan_is_refused(tmp_path):
    sketch = Sketch()
    endless = sketch.constant(np.float32(np.inf))
    nan = sketch.add("Sub", endless, sketch.constant(np.float32(np.inf)))
    model = sketch.model({sketch.add("Mul", "picture", nan): [1, 3, "h", "w"]})
    with pytest.raises(WeightsError, match="answers with NaN"):
        open_network(saved(model, tmp_path))


@pytest.mark.parametrize("content", [b"", b"not a network", b"\x08\x08"])
def test_what_is_no_onnx_file_is_refused(tmp_path, content):
    path = tmp_path / "network.onnx"
    path.write_bytes(content)
    with pytest.raises(WeightsError, match="is not an ONNX file"):
        open_network(path)


def test_outputs_are_sorted_by_their_shapes_and_all_must_be_used():
    trial = {"a": np.zeros((1, 4, 1)), "b": np.zeros((9, 2)), "c": np.zeros((4, 1))}
    assert sort_outputs(trial, [(9, 2), (4, 1), (4, 1)]) == ["b", "a", "c"]
    assert sort_outputs(trial, [(9, 2), (4, 1)]) is None
    assert sort_outputs(trial, [(9, 2), (4, 1), (4, 1), (4, 1)]) is None
    assert sort_outputs(trial, [(4, 2), (4, 1), (4, 1)]) is None
    assert sort_outputs({"a": np.zeros((2, 4, 1))}, [(4, 1)]) is None
    assert sort_outputs({"a": np.zeros(())}, [(4, 1)]) is None
