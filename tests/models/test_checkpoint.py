"""Files that strangers made: parameters come out of them, or a sentence, and nothing ever runs."""

from __future__ import annotations

import argparse
import collections
import os
import pickle
import resource
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import save_file

from videoclusternet.errors import WeightsError
from videoclusternet.models.checkpoint import kind_of, read_checkpoint
from videoclusternet.weights import choice

VALUES = {
    "conv.weight": torch.arange(24.0).view(2, 3, 2, 2),
    "norm.bias": torch.tensor([0.5, -0.0]),
    "norm.num_batches_tracked": torch.tensor(7),
    "half": torch.ones(3, dtype=torch.float16),
}
BOTH = pytest.mark.parametrize("packed", [True, False], ids=["zip", "legacy"])


def same(read, values):
    assert read.keys() == values.keys()
    for name, value in values.items():
        assert read[name].dtype == value.dtype
        assert torch.equal(read[name], value)
        assert not read[name].requires_grad


def save(values, path, packed=True):
    torch.save(values, path, _use_new_zipfile_serialization=packed)
    return path


@BOTH
@pytest.mark.parametrize("name", ["net.pt", "net.pth", "net.ckpt", "net", "net.onnx"])
def test_a_state_dict_is_read_whatever_it_is_called(tmp_path, packed, name):
    path = save(VALUES, tmp_path / name, packed)
    assert kind_of(path) == ("zip" if packed else "legacy")
    same(read_checkpoint(path), VALUES)


@BOTH
def test_what_lies_in_dictionaries_has_their_names_in_front(tmp_path, packed):
    parameter = torch.nn.Parameter(VALUES["norm.bias"])
    nested = {
        "epoch": 3,
        "state_dict": collections.OrderedDict(VALUES),
        "optimizer": {"state": {0: {"exp_avg": torch.ones(2)}}, "param_groups": [{"lr": 0.1}]},
        "bias": parameter,
    }
    expected = {f"state_dict.{name}": value for name, value in VALUES.items()}
    expected |= {"optimizer.state.0.exp_avg": torch.ones(2), "bias": VALUES["norm.bias"]}
    same(read_checkpoint(save(nested, tmp_path / "net.ckpt", packed)), expected)


@BOTH
def test_what_trainers_leave_beside_is_left_where_it_is(tmp_path, packed):
    beside = {
        "state_dict": VALUES,
        "options": argparse.Namespace(lr=0.1),
        "best": np.float64(0.3),
        "losses": np.arange(3.0),
        "folder": Path("runs"),
    }
    read = read_checkpoint(save(beside, tmp_path / "net.ckpt", packed))
    same(read, {f"state_dict.{name}": value for name, value in VALUES.items()})


def test_a_safetensors_file_is_read(tmp_path):
    save_file(VALUES, tmp_path / "net.bin")
    assert kind_of(tmp_path / "net.bin") == "safetensors"
    same(read_checkpoint(tmp_path / "net.bin"), VALUES)


class Runs:
    """Runs a command when a pickle of it is read as pickles are."""

    def __init__(self, mark, call=os.system):
        self.mark, self.call = mark, call

    def __reduce__(self):
        return self.call, (f"touch {self.mark}",)


class Swells:
    """Is 20 GB when a pickle of it is read, by a call that torch allows."""

    def __reduce__(self):
        return bytearray, (20 << 30,)


class Network(torch.nn.Linear):
    """A network that was saved whole, code and all."""


@BOTH
@pytest.mark.parametrize(
    "call", [os.system, eval, exec, __import__], ids=lambda call: call.__name__
)
def test_a_file_that_would_run_something_is_refused(tmp_path, packed, call):
    mark = tmp_path / "was here"
    hostile = save(VALUES | {"more": Runs(mark, call)}, tmp_path / "net.pt", packed)
    with pytest.raises(WeightsError, match=rf"names \S*{call.__name__}, which parameters need not"):
        read_checkpoint(hostile)
    assert not mark.exists()


@BOTH
def test_a_network_that_was_saved_whole_is_refused_with_what_to_do(tmp_path, packed):
    path = save(Network(2, 2), tmp_path / "net.pt", packed)
    with pytest.raises(WeightsError, match=r"names \S*Network.*save the network's state_dict"):
        read_checkpoint(path)


@BOTH
def test_a_file_that_swells_is_refused_and_the_limit_goes_away(tmp_path, packed):
    before = resource.getrlimit(resource.RLIMIT_AS)
    with pytest.raises(WeightsError, match="more memory than its size explains"):
        read_checkpoint(save({"more": Swells()}, tmp_path / "net.pt", packed))
    assert resource.getrlimit(resource.RLIMIT_AS) == before


def bomb(path):
    """Pack a gigabyte of zeros into a megabyte."""
    save({"zeros": torch.zeros(1 << 20)}, path)
    with zipfile.ZipFile(path) as plain:
        entries = {name: plain.read(name) for name in plain.namelist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, content in entries.items():
            packed.writestr(name, content)


def script(path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that TorchScript is on its way out
        torch.jit.save(torch.jit.script(torch.nn.Linear(2, 2)), path)


def shortened(path, share, packed=True):
    content = save(VALUES | {"more": torch.zeros(999)}, path, packed).read_bytes()
    path.write_bytes(content[: int(share * len(content))])


def of_safetensors(path, change):
    save_file(VALUES, path)
    path.write_bytes(change(path.read_bytes()))


REFUSED = {
    "gone": (lambda path: None, "not there"),
    "a folder": (lambda path: path.mkdir(), "not a file"),
    "a pipe": (os.mkfifo, "not a file"),
    "nothing in it": (lambda path: path.write_bytes(b""), "neither"),
    "text": (lambda path: path.write_text("conv.weight\n" * 9), "neither"),
    "a zip of something else": (
        lambda path: zipfile.ZipFile(path, "w").writestr("a.txt", "a"),
        "cannot be read",
    ),
    "half a zip": (lambda path: shortened(path, 0.5), "cannot be read"),
    "nearly a zip": (lambda path: shortened(path, 0.999), "cannot be read"),
    "half of the old kind": (lambda path: shortened(path, 0.5, False), "cannot be read"),
    "a bare pickle": (
        lambda path: path.write_bytes(pickle.dumps({"conv.weight": np.zeros(3)})),
        "bare pickle",
    ),
    "a packed zip": (bomb, "packed"),
    "TorchScript": (script, "TorchScript"),
    "safetensors without an end": (
        lambda path: of_safetensors(path, lambda content: content[:-1]),
        "damaged safetensors",
    ),
    "safetensors with more": (
        lambda path: of_safetensors(path, lambda content: content + b"x"),
        "damaged safetensors",
    ),
    "safetensors with a huge header": (
        lambda path: of_safetensors(
            path, lambda content: (1 << 60).to_bytes(8, "little") + content[8:]
        ),
        "damaged safetensors",
    ),
}


@pytest.mark.parametrize(("make", "said"), REFUSED.values(), ids=list(REFUSED))
def test_any_other_file_is_refused_in_one_line(tmp_path, make, said):
    path = tmp_path / "net.pt"
    make(path)
    with pytest.raises(WeightsError, match=said) as caught:
        read_checkpoint(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_file_that_is_too_large_is_not_opened(tmp_path, monkeypatch):
    path = save(VALUES, tmp_path / "net.pt")
    monkeypatch.setattr(choice, "LARGEST", path.stat().st_size - 1)
    with pytest.raises(WeightsError, match="not a face network"):
        read_checkpoint(path)


def test_torch_is_never_asked_to_run_what_it_loads(tmp_path, monkeypatch):
    asked, real = [], torch.load

    def spy(*values, **options):
        asked.append(options["weights_only"])
        return real(*values, **options)

    monkeypatch.setattr(torch, "load", spy)
    beside = {"w": torch.ones(2), "options": argparse.Namespace(), "more": Runs(tmp_path / "x")}
    for packed in (True, False):
        with pytest.raises(WeightsError):
            read_checkpoint(save(beside, tmp_path / "net.pt", packed))
    assert len(asked) >= 4
    assert all(only is True for only in asked)
