"""The port gives what dlib gives, and refuses a file that does not hold the whole network."""

from __future__ import annotations

import dlib
import numpy as np
import pytest
import torch

from tests.portraits import portraits
from videoclusternet.config import FinetuneConfig
from videoclusternet.errors import WeightsError
from videoclusternet.models import dlib_resnet
from videoclusternet.models.face_model import FaceModel
from videoclusternet.models.registry import choose_backbone
from videoclusternet.weights.choice import WeightsFile

SAME_PERSON = 0.6  # dlib's own limit for the distance of two embeddings


@pytest.fixture(scope="module")
def embed():
    """The embeddings of crops, fed as the table says."""
    small = FinetuneConfig(heads=1, outputs=2, hidden=2)
    model = FaceModel.create(*choose_backbone("dlib_resnet"), small, 0).eval()

    @torch.no_grad()
    def embeddings(images):
        return model.tail(model.trunk(torch.tensor(images))).numpy()

    return embeddings


@pytest.fixture(scope="module")
def original():
    return dlib.face_recognition_model_v1(str(WeightsFile.of_asset("dlib_resnet").path))


def random_crops():
    rng = np.random.default_rng(5)
    flat = np.zeros((2, 150, 150, 3), np.uint8)
    flat[1] = 255
    return np.concatenate([rng.integers(0, 256, (3, 150, 150, 3), np.uint8), flat])


@pytest.mark.parametrize("crops", [random_crops, lambda: portraits()[:6]], ids=["random", "real"])
def test_the_port_gives_what_dlib_gives(embed, original, crops):
    images = crops()
    theirs = np.array([original.compute_face_descriptor(image) for image in images])
    np.testing.assert_allclose(embed(images), theirs, rtol=0, atol=1e-5)


def test_people_are_told_apart(embed):
    found = embed(portraits())
    distance = np.linalg.norm(found[:, None] - found, axis=2)
    assert distance[:3, :3].max() < SAME_PERSON < distance[:3, 3:].min()
    strangers = distance[3:, 3:][np.triu_indices(12, 1)]
    assert np.count_nonzero(strangers < SAME_PERSON) <= 2  # of 66; no network knows everyone


def test_the_tail_takes_values_of_any_leading_shape():
    net = dlib_resnet.build()
    values = torch.rand(2, 3, 256, generator=torch.Generator().manual_seed(1))
    assert net.tail(values).shape == (2, 3, 128)
    torch.testing.assert_close(net.tail(values)[1, 2], net.tail(values[1, 2]))


@pytest.mark.parametrize("share", [0.0, 0.3, 0.999])
def test_a_file_that_ends_early_is_refused(tmp_path, share):
    content = WeightsFile.of_asset("dlib_resnet").path.read_bytes()
    short = tmp_path / "short.dat"
    short.write_bytes(content[: int(share * len(content))])
    with pytest.raises(WeightsError, match="lacks a tensor"):
        dlib_resnet.load(short)


def test_a_file_without_one_tensor_is_refused(tmp_path):
    content = WeightsFile.of_asset("dlib_resnet").path.read_bytes()
    header = bytes([1, 2, 2, 0, 1, 1, 128, 1, 1, 1, 1])  # of the last matrix, 256 by 128
    assert content.count(header) == 1
    maimed = tmp_path / "maimed.dat"
    maimed.write_bytes(content.replace(header, bytes(len(header))))
    with pytest.raises(WeightsError, match="256 by 128"):
        dlib_resnet.load(maimed)
