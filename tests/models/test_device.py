"""What the network computes on follows the machine, its limits and the user, in this order."""

from __future__ import annotations

from operator import attrgetter
from types import SimpleNamespace

import pytest
import torch

from videoclusternet.errors import ResourceError, UsageError
from videoclusternet.models import device


@pytest.mark.parametrize(
    ("there", "asked", "expected"),
    [(True, "auto", "cuda"), (False, "auto", "cpu"), (True, "cpu", "cpu"), (True, "cuda", "cuda")],
)
def test_the_device_is_the_best_there_is(
    monkeypatch: pytest.MonkeyPatch, there: bool, asked: device.Device, expected: str
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    assert device.resolve_device(asked) == expected


def test_a_device_that_is_not_there_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UsageError, match="--device cpu"):
        device.resolve_device("cuda")


def test_threads_are_given_back_whatever_happens() -> None:
    before = torch.get_num_threads()
    seen = []

    def fail() -> None:
        with device.threads(before + 1):
            seen.append(torch.get_num_threads())
            raise KeyError

    with pytest.raises(KeyError):
        fail()
    assert seen == [before + 1]
    assert torch.get_num_threads() == before


def test_too_little_memory_is_told() -> None:
    with pytest.raises(ResourceError, match="not enough memory"), device.enough_memory():
        torch.empty(2**50)


def test_other_faults_are_not_taken_for_it() -> None:
    with pytest.raises(RuntimeError, match="shapes"), device.enough_memory():
        torch.zeros(2, 3) @ torch.zeros(2, 3)


def test_what_the_memory_of_a_gpu_is_too_small_for_the_processor_does(caplog) -> None:
    asked = []

    def tune(crops: str, *, device: str, seed: int) -> SimpleNamespace:
        asked.append((crops, device, seed))
        if device == "cuda":
            raise torch.OutOfMemoryError
        return SimpleNamespace(events=[])

    tuned = device.or_on_cpu(tune, attrgetter("events"))("crops", device="cuda", seed=3)
    assert asked == [("crops", "cuda", 3), ("crops", "cpu", 3)]
    assert tuned.events == [device.TOO_SMALL]
    assert caplog.messages == [device.TOO_SMALL]
    assert device.or_on_cpu(tune)("crops", device="cpu", seed=4).events == []
    assert asked[2:] == [("crops", "cpu", 4)]


def test_where_the_processor_has_too_little_nothing_else_is_tried() -> None:
    def tune(*, device: str) -> None:
        raise torch.OutOfMemoryError(device)

    for place in ("cuda", "cpu"):
        with pytest.raises(torch.OutOfMemoryError, match="cpu"):
            device.or_on_cpu(tune)(device=place)


@pytest.mark.parametrize("room", [1, 2, 3, 7, 8])
def test_a_batch_that_is_too_large_is_looked_at_by_halves(room: int) -> None:
    looks = []

    def network(batch: torch.Tensor) -> torch.Tensor:
        looks.append(len(batch))
        if len(batch) > room:
            raise torch.OutOfMemoryError
        return batch * 2

    batch = torch.arange(7.0)
    assert torch.equal(device.by_halves(network, batch), batch * 2)
    assert sum(look for look in looks if look <= room) == 7
    assert looks[0] == 7


def test_one_picture_that_is_too_large_is_told() -> None:
    def network(batch: torch.Tensor) -> torch.Tensor:
        raise torch.OutOfMemoryError

    with pytest.raises(torch.OutOfMemoryError):
        device.by_halves(network, torch.zeros(5))


@pytest.mark.parametrize("pieces", [1, 2, 3, 7])
def test_pieces_of_a_batch_give_what_the_whole_does(pieces: int) -> None:
    net = torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.Tanh(), torch.nn.Linear(8, 2))
    batch = torch.rand(7, 3, generator=torch.Generator().manual_seed(1))
    looks = []

    def both(seen: torch.Tensor, weights: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        looks.append(len(seen))
        return net(seen), net(seen) * weights

    def descent(pieces: int) -> list[torch.Tensor]:
        net.zero_grad()
        one, other = device.in_pieces(both, pieces, batch, batch[:, :1])
        alone = device.in_pieces(net, pieces, batch)
        (one.square().mean() + other.mean() * alone.sum()).backward()
        return [one.detach(), other.detach(), *(value.grad.clone() for value in net.parameters())]

    whole = descent(1)
    looks.clear()
    torch.testing.assert_close(descent(pieces), whole)
    assert max(looks) == -(-7 // pieces)
