"""A training that goes on ends as one that was never interrupted."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from tests.pocket import NO_FILE, QUICK, draw_crops
from videoclusternet.finetune.kept import Kept, generator_state, set_generator
from videoclusternet.finetune.train import finetune_model

CROPS = draw_crops([0, 1, 0, 1, 2], [4, 3, 3, 4, 2])
CONFIG = QUICK.model_copy(update={"rounds": 3})


class InterruptedRunError(Exception):
    """As if the power was cut."""


def kept_in(folder: Path, key: str = "this training") -> Kept:
    return Kept(folder / "start", folder / "latest", key)


def tune(spec, kept=None, *, stop=None):
    """Tune, or be interrupted after so many calls of the progress; return the state and the log."""
    calls = [0]

    def progress(done: int, total: int) -> None:
        calls[0] += 1
        if calls[0] == stop:
            raise InterruptedRunError

    model = finetune_model(CROPS, spec, NO_FILE, CONFIG, seed=3, progress=progress, kept=kept)
    return model.state_dict(), model.log, calls[0]


def same(one, other) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[key], other[key]) for key in one)


def test_training_goes_on_from_any_checkpoint_to_the_same_numbers(pocket, tmp_path):
    whole, log, calls = tune(pocket)
    for n, stop in enumerate(np.linspace(2, calls - 1, 9).astype(int).tolist()):
        folder = tmp_path / str(n)
        folder.mkdir()
        with pytest.raises(InterruptedRunError):
            tune(pocket, kept_in(folder), stop=stop)
        state, told, again = tune(pocket, kept_in(folder))
        assert same(state, whole)
        assert told == log
        assert again <= calls + 1


def test_what_was_done_is_not_done_again(pocket, tmp_path):
    _, _, calls = tune(pocket, kept_in(tmp_path))
    _, _, again = tune(pocket, kept_in(tmp_path))  # the last round alone
    assert again < calls / 2


def test_it_may_be_interrupted_again_and_again(pocket, tmp_path):
    whole, _, calls = tune(pocket)
    for stop in (5, calls - 6, 2, 4, 3):  # in the head, in a round, and at once
        with pytest.raises(InterruptedRunError):
            tune(pocket, kept_in(tmp_path), stop=stop)
    assert same(tune(pocket, kept_in(tmp_path))[0], whole)


@pytest.mark.parametrize("harm", ["other", "torn", "empty", "flipped"])
def test_what_is_of_no_use_is_not_used(pocket, tmp_path, harm, caplog):
    whole, _, calls = tune(pocket)
    with pytest.raises(InterruptedRunError):
        tune(pocket, kept_in(tmp_path), stop=calls - 3)
    for path in tmp_path.iterdir():
        data = path.read_bytes()
        match harm:
            case "torn":
                path.write_bytes(data[: len(data) // 2])
            case "empty":
                path.write_bytes(b"")
            case "flipped":
                path.write_bytes(b"\xff" * 64 + data[64:])
    key = "another training" if harm == "other" else "this training"
    state, _, again = tune(pocket, kept_in(tmp_path, key))
    assert same(state, whole)
    assert again == calls  # from the beginning
    assert ("begins anew" in caplog.text) == (harm != "other")


def test_generators_go_on_with_the_same_numbers():
    rng = np.random.default_rng(5)
    rng.integers(7, size=3, dtype=np.uint32)  # leaves half a number over
    state = generator_state(rng)
    expected = rng.random(5).tolist(), rng.integers(9, size=5, dtype=np.uint32).tolist()
    other = np.random.default_rng(0)
    set_generator(other, state)
    assert (
        other.random(5).tolist(),
        other.integers(9, size=5, dtype=np.uint32).tolist(),
    ) == expected
