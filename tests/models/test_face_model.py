"""What the network is fed, what is kept of it in a file, and which files are refused."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file

from tests.pocket import NO_FILE, POCKET, QUICK, SIZE, draw_crops
from tests.pocket_vit import QUICK_VIT
from videoclusternet.config import FinetuneConfig
from videoclusternet.errors import WeightsError
from videoclusternet.models.backbone import Backbone
from videoclusternet.models.face_model import FaceModel, Head


class Echo(Backbone):
    """Hands out what it was fed."""

    def trunk(self, x):
        return x.flatten(1)

    def tail(self, values):
        return values


@pytest.fixture
def model(pocket):
    model = FaceModel.create(pocket, NO_FILE, QUICK, 3)
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        model.centre.copy_(torch.rand(model.centre.shape, generator=generator))
        model.head.standardise(torch.rand(9, POCKET.dimension, generator=generator))
    model.log.append({"stage": "head", "step": 0, "loss": 0.1 + 0.2, "information": 1 / 3})
    model.events.append("Ein Satz über das, was geschah.")
    return model.eval()


def test_a_picture_is_fed_as_rgb_minus_the_mean_over_the_scale():
    images = np.random.default_rng(0).integers(0, 256, (2, SIZE, SIZE, 3), np.uint8)
    fed = FaceModel(POCKET, Echo(), QUICK).trunk(torch.tensor(images))
    expected = np.empty((2, 3, SIZE, SIZE))
    for n, row, column, colour in np.ndindex(images.shape):
        value = float(images[n, row, column, colour]) - POCKET.feed.mean[colour]
        expected[n, colour, row, column] = value / POCKET.feed.scale[colour]
    np.testing.assert_allclose(fed.numpy(), expected.reshape(2, -1), rtol=1e-6, atol=1e-6)


def test_a_network_that_learned_blue_first_gets_blue_first():
    images = torch.tensor(np.random.default_rng(0).integers(0, 256, (2, SIZE, SIZE, 3), np.uint8))
    feed = replace(POCKET.feed, mean=(1.0, 2.0, 3.0), scale=(4.0, 5.0, 6.0))
    rgb, bgr = (
        FaceModel(replace(POCKET, feed=replace(feed, colours=colours)), Echo(), QUICK).trunk(images)
        for colours in ("rgb", "bgr")
    )
    shape = (2, 3, SIZE, SIZE)
    torch.testing.assert_close(bgr.view(shape), rgb.view(shape)[:, [2, 1, 0]])
    red = (float(images[1, 2, 3, 0]) - 1.0) / 4.0  # of red, wherever it stands
    assert bgr.view(shape)[1, 2, 2, 3].item() == pytest.approx(red)


def test_outputs_are_those_of_trunk_tail_and_head_in_a_row(model):
    images = torch.tensor(draw_crops([0, 1], [2, 1]).images)
    outputs = model(images)
    assert outputs.shape == (3, QUICK.heads, QUICK.outputs)
    torch.testing.assert_close(outputs, model.head(model.tail(model.trunk(images))))
    torch.testing.assert_close(model.head(model.tail(model.trunk(images))[:, None])[:, 0], outputs)


def test_the_head_is_perceptrons_side_by_side():
    torch.manual_seed(5)
    head = Head(6, FinetuneConfig(heads=3, outputs=4, hidden=5))
    embeddings = torch.rand(8, 6) * 3 + 10
    head.standardise(embeddings)
    torch.nn.init.normal_(head.outer)  # as if it had learned something
    outputs = head(embeddings).detach().double().numpy()
    inner, bias, outer, prototypes = (
        part.detach().double().numpy()
        for part in (head.inner, head.inner_bias, head.outer, head.prototypes)
    )
    x = embeddings.double().numpy()
    x = (x - x.mean(0)) / x.std(0)
    for i, m in np.ndindex(8, 3):
        hidden = x[i] @ inner[m] + bias[m]
        hidden = [h * (1 + math.erf(h / math.sqrt(2))) / 2 for h in hidden]
        direction = x[i] + hidden @ outer[m]
        for k in range(4):
            prototype = prototypes[m, :, k]
            lengths = np.linalg.norm(direction) * np.linalg.norm(prototype)
            assert outputs[i, m, k] == pytest.approx(direction @ prototype / lengths, abs=1e-5)


def test_a_head_begins_with_what_the_backbone_knows():
    """Nothing is added yet: its outputs are the cosines of standardised embeddings."""
    torch.manual_seed(5)
    head = Head(6, FinetuneConfig(heads=3, outputs=4, hidden=5))
    embeddings = torch.rand(8, 6) * 3 + 10
    head.standardise(embeddings)
    x = (embeddings - embeddings.mean(0)) / embeddings.std(0, correction=0)
    for m in range(3):
        expected = [
            torch.cosine_similarity(x, head.prototypes[m, :, k].expand(8, 6)) for k in range(4)
        ]
        torch.testing.assert_close(head(embeddings)[:, m], torch.stack(expected, 1))


def test_what_a_head_begins_with_can_be_learned_away_from():
    """A start at zero must not be one that no gradient leaves, in any of its parts."""
    torch.manual_seed(5)
    head = Head(6, FinetuneConfig(heads=3, outputs=4, hidden=5))
    embeddings = torch.rand(8, 6) * 3 + 10
    head.standardise(embeddings)
    start = {name: value.detach().clone() for name, value in head.named_parameters()}
    optimiser = torch.optim.SGD(head.parameters(), lr=0.1)
    for _ in range(2):
        optimiser.zero_grad()
        head(embeddings)[..., 0].square().sum().backward()
        optimiser.step()
    for name, value in head.named_parameters():
        changed = (value != start[name]).flatten(1).any(1)
        assert changed.all(), name  # of every head


def test_a_film_of_equal_embeddings_can_be_standardised():
    head = Head(6, FinetuneConfig(heads=1, outputs=4, hidden=5))
    head.standardise(torch.full((7, 6), 0.3))
    assert head(torch.full((1, 6), 0.3)).isfinite().all()


def test_temperatures_and_centre_stand_on_their_sides(model):
    images = torch.tensor(draw_crops([0, 1], [2, 1]).images)
    outputs = model(images)
    warm = model.config.teacher_temperature
    expected = torch.softmax((outputs - model.centre) / warm, -1)
    torch.testing.assert_close(model.teacher_side(outputs), expected)
    cool = model.config.student_temperature
    torch.testing.assert_close(model.student_side(outputs), torch.log_softmax(outputs / cool, -1))


def test_the_seed_draws_the_head_and_nothing_else(pocket):
    one, same, other = (
        FaceModel.create(pocket, NO_FILE, QUICK, seed).state_dict() for seed in (1, 1, 2)
    )
    assert all(torch.equal(one[name], same[name]) for name in one)
    differing = {name for name in one if not torch.equal(one[name], other[name])}
    assert differing == {"head.inner", "head.prototypes"}  # the others begin at nothing


def test_nobody_elses_random_numbers_are_used(pocket, tmp_path):
    torch.manual_seed(4)
    before = torch.get_rng_state()
    model = FaceModel.create(pocket, NO_FILE, QUICK, 1)
    assert torch.equal(torch.get_rng_state(), before)
    model.save(tmp_path / "model")
    FaceModel.load(tmp_path / "model")
    assert torch.equal(torch.get_rng_state(), before)


def test_a_model_survives_its_file_bit_by_bit(model, tmp_path):
    model.save(tmp_path / "one")
    loaded = FaceModel.load(tmp_path / "one").eval()
    loaded.save(tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert loaded.state_dict().keys() == model.state_dict().keys()
    for name, value in model.state_dict().items():
        assert torch.equal(loaded.state_dict()[name], value)
    assert (loaded.log, loaded.events) == (model.log, model.events)
    assert (loaded.spec, loaded.config) == (model.spec, model.config)
    images = torch.tensor(draw_crops([0, 1], [2, 1]).images)
    assert torch.equal(loaded(images), model(images))


def test_the_second_head_survives_its_file_too(pocket_vit, tmp_path):
    model = FaceModel.create(pocket_vit, NO_FILE, QUICK_VIT, 3).eval()
    images = torch.tensor(draw_crops([0, 1], [2, 1]).images)
    mask = torch.rand(3, 16, generator=torch.Generator().manual_seed(1)) < 0.5
    with torch.no_grad():
        model.patch_head.centre.uniform_()
        model.patch_head.standardise(model.tokens(images)[1])
    model.save(tmp_path / "one")
    loaded = FaceModel.load(tmp_path / "one").eval()
    loaded.save(tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    assert torch.equal(loaded.patch_head.centre, model.patch_head.centre)
    values, tokens = model.tokens(images, mask)
    again, tokens_again = loaded.tokens(images, mask)
    assert torch.equal(again, values)
    outputs = model.patch_head.chosen(tokens, mask)
    assert outputs.shape == (int(mask.sum()), QUICK_VIT.heads, QUICK_VIT.outputs)
    assert torch.equal(loaded.patch_head.chosen(tokens_again, mask), outputs)


def test_the_second_head_is_the_first_ones_kind_place_by_place(pocket_vit):
    head = FaceModel.create(pocket_vit, NO_FILE, QUICK, 0).patch_head
    tokens = torch.rand(3, 16, 32, generator=torch.Generator().manual_seed(1)) * 4
    head.standardise(tokens)
    mask = torch.zeros(3, 16, dtype=torch.bool)
    mask[2, 5] = mask[0, 7] = mask[0, 1] = True
    plain = Head(32, QUICK)
    plain.load_state_dict(
        {name: value for name, value in head.state_dict().items() if name != "centre"}
        | {"mean": torch.zeros(32), "deviation": torch.ones(32)}
    )
    expected = [
        plain((tokens[n, place] - tokens[:, place].mean(0)) / tokens[:, place].std(0, correction=0))
        for n, place in [(0, 1), (0, 7), (2, 5)]
    ]
    torch.testing.assert_close(head.chosen(tokens, mask), torch.stack(expected))


@pytest.mark.parametrize("patches", [True, False])
def test_a_network_without_patch_tokens_has_no_second_head(pocket, patches):
    model = FaceModel.create(pocket, NO_FILE, QUICK.model_copy(update={"patches": patches}), 3)
    assert model.patch_head is None
    assert not any(name.startswith("patch") for name in model.state_dict())
    with pytest.raises(TypeError, match="'pocket' has no patch tokens"):
        model.tokens(torch.tensor(draw_crops([0], [1]).images))


def test_the_second_head_is_drawn_after_the_first(pocket_vit):
    """So that switching it off changes nothing else."""
    both = FaceModel.create(pocket_vit, NO_FILE, QUICK, 3).state_dict()
    one = FaceModel.create(
        pocket_vit, NO_FILE, QUICK.model_copy(update={"patches": False}), 3
    ).state_dict()
    assert all(torch.equal(value, both[name]) for name, value in one.items())
    assert {name.split(".")[0] for name in both.keys() - one.keys()} == {"patch_head"}


def about(path):
    with safe_open(path, "pt") as file:
        return json.loads(file.metadata()["videoclusternet"])


def rewrite(path, metadata=None, **changes):
    """Write the file again with other tensors (None: without one) or other metadata."""
    with safe_open(path, "pt") as file:
        state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        kept = file.metadata()
    state = {name: value for name, value in (state | changes).items() if value is not None}
    save_file(state, path, metadata=kept if metadata is None else metadata)


def rewrite_about(path, **changes):
    described = {name: value for name, value in (about(path) | changes).items() if value != ""}
    rewrite(path, {"videoclusternet": json.dumps(described)})


OTHER_CONFIG = QUICK.model_copy(update={"outputs": QUICK.outputs + 1}).model_dump_json()

MAIMED = {
    "gone": lambda path: path.unlink(),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
    "empty": lambda path: path.write_bytes(b""),
    "text": lambda path: path.write_text("face model\n" * 99),
    "no end": lambda path: path.write_bytes(path.read_bytes()[:-1]),
    "no values": lambda path: path.write_bytes(path.read_bytes()[:500]),
    "more after the end": lambda path: path.write_bytes(path.read_bytes() + b"x"),
    "a huge header": lambda path: path.write_bytes(b"\xff" * 7 + b"\x0f" + path.read_bytes()),
    "pickle": lambda path: torch.save({"head.mean": torch.zeros(3)}, path),
    "bare numbers": lambda path: np.arange(99.0).tofile(path),
    "no metadata": lambda path: rewrite(path, {}),
    "other metadata": lambda path: rewrite(path, {"format": "pt"}),
    "metadata that is no JSON": lambda path: rewrite(path, {"videoclusternet": "{"}),
    "metadata that is a list": lambda path: rewrite(path, {"videoclusternet": "[1]"}),
    "metadata too deep": lambda path: rewrite(path, {"videoclusternet": "[" * 10**5}),
    "no backbone": lambda path: rewrite_about(path, backbone=""),
    "a backbone that nobody knows": lambda path: rewrite_about(path, backbone="arcface"),
    "a backbone that is a list": lambda path: rewrite_about(path, backbone=["pocket"]),
    "no feed": lambda path: rewrite_about(path, feed=""),
    "a feed of letters": lambda path: rewrite_about(path, feed={"size": "large"}),
    "a dimension that is none": lambda path: rewrite_about(path, dimension=[3]),
    "a dimension without end": lambda path: rewrite_about(path, dimension=10**13),
    "a plan that is none": lambda path: rewrite_about(path, plan={"nodes": 3}),
    "no settings": lambda path: rewrite_about(path, config=""),
    "settings that are refused": lambda path: rewrite_about(path, config='{"heads": 0}'),
    "settings of another version": lambda path: rewrite_about(path, config='{"width": 8}'),
    "settings that do not fit": lambda path: rewrite_about(path, config=OTHER_CONFIG),
    "no log": lambda path: rewrite_about(path, log=""),
    "a log that is no JSON": lambda path: rewrite_about(path, log="[}"),
    "no centre": lambda path: rewrite(path, centre=None),
    "one tensor more": lambda path: rewrite(path, extra=torch.zeros(2)),
    "another shape": lambda path: rewrite(path, centre=torch.zeros(1)),
}


@pytest.mark.parametrize("maim", MAIMED.values(), ids=list(MAIMED))
def test_any_other_file_is_refused_in_one_line(model, tmp_path, maim):
    path = tmp_path / "model.safetensors"
    model.save(path)
    maim(path)
    with pytest.raises(WeightsError) as caught:
        FaceModel.load(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
