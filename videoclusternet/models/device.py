"""What the network computes on: the device, the threads, and whether its memory is enough."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.utils.checkpoint import checkpoint

from videoclusternet.config import Device
from videoclusternet.errors import ResourceError, UsageError

log = logging.getLogger(__name__)

Result = TypeVar("Result")

TOO_SMALL = "The memory of the GPU was too small: the processor did it, which takes longer."


def resolve_device(device: Device) -> str:
    """Return "cuda" or "cpu"; "auto" takes the first where there is one.

    Raises UsageError where "cuda" is asked for and there is none.
    """
    if device == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        raise UsageError("No GPU that CUDA can use was found: use --device cpu.")
    return device


def gpu_here() -> tuple[str | None, str]:
    """Return the name of the GPU that "auto" takes and its memory, or None and why it has none."""
    if torch.cuda.is_available():
        gpu = torch.cuda.get_device_properties(0)
        return gpu.name, f"{gpu.total_memory / 1e9:.1f} GB"
    built = torch.version.cuda or torch.version.hip
    if built is None:
        return None, "this build of torch is for processors only"
    return None, f"torch is built for GPUs ({built}), and finds none that it can use"


def precision_on(device: str) -> tuple[str, str]:
    """Return the kind of numbers that networks are tuned in, and why: one kind for all.

    What every network is built with is torch's default, which nothing here changes.
    """
    kind = str(torch.get_default_dtype()).removeprefix("torch.")
    why = "in which the parameters were published; fewer bits were not tried on films"
    if device == "cuda" and torch.backends.cudnn.allow_tf32:
        why += "; convolutions by TF32 where the GPU has it, which is torch's default"
    return kind, why


@contextmanager
def threads(count: int) -> Iterator[None]:
    """Have torch compute with so many threads for a while."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def by_halves(network: Callable[[Tensor], Tensor], batch: Tensor) -> Tensor:
    """Return what a network makes of a batch, half of it at a time where the GPU has no memory.

    The network must look at each picture by itself. Raises torch.OutOfMemoryError where one picture
    is too much.
    """
    try:
        return network(batch)
    except torch.OutOfMemoryError:
        if len(batch) == 1:
            raise
    torch.cuda.empty_cache()
    return torch.cat([by_halves(network, half) for half in batch.tensor_split(2)])


def in_pieces(network: Callable[..., Any], pieces: int, *batches: Tensor) -> Any:
    """Return what a network makes of batches, looked at in so many pieces one after the other.

    No more than one piece's intermediate values are held: the way back computes them anew (gradient
    checkpointing). The network must look at each picture by itself, and answer with a tensor or
    with a tuple of them.
    """
    if pieces == 1:
        return network(*batches)
    parts = zip(*(batch.tensor_split(pieces) for batch in batches), strict=True)
    answers = [checkpoint(network, *part, use_reentrant=False) for part in parts]
    if isinstance(answers[0], tuple):
        return tuple(torch.cat(same) for same in zip(*answers, strict=True))
    return torch.cat(answers)


def or_on_cpu(
    function: Callable[..., Result], events: Callable[[Result], list[str]] | None = None
) -> Callable[..., Result]:
    """Return the function, to be done again by the processor where the GPU's memory is too small.

    That is warned of, and becomes one of the result's `events` where there are any.
    """

    def done(*args: Any, device: str, **options: Any) -> Result:
        try:
            return function(*args, device=device, **options)
        except torch.OutOfMemoryError:
            if device == "cpu":
                raise
        torch.cuda.empty_cache()
        log.warning("%s", TOO_SMALL)
        result = function(*args, device="cpu", **options)
        if events is not None:
            events(result).append(TOO_SMALL)
        return result

    return done


@contextmanager
def enough_memory() -> Iterator[None]:
    """Raise ResourceError where torch finds no memory."""
    try:
        yield
    except RuntimeError as error:
        if "can't allocate memory" in str(error):  # of the processor: torch has no class for it
            raise ResourceError(
                "There is not enough memory for this film and settings: end other programs, and "
                "type the same command again."
            ) from error
        raise
