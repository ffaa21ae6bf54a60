"""One stretch of self-distillation: pairs in, a student and its teacher a little further."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from videoclusternet.finetune.guard import CollapseError, Watch
from videoclusternet.finetune.pairs import PairSampler
from videoclusternet.finetune.patches import MaskedPatches
from videoclusternet.finetune.teacher import Teacher, momentum_at
from videoclusternet.models.device import in_pieces
from videoclusternet.models.loss import cross_entropy, information
from videoclusternet.records import Array

WARM_UP = 10  # steps over which a rate rises to its full value; ours


@dataclass(frozen=True)
class Stage:
    """What is trained, on which pairs, and where it stands in its schedule of steps."""

    name: str
    optimiser: torch.optim.Optimizer  # whose groups keep their full rate as "rate"
    sampler: PairSampler
    view: Callable[[Array], Tensor]  # crops by their numbers to what both networks are fed
    student: nn.Module
    teacher: nn.Module
    people: int  # groups that the matches leave
    steps: range  # of this stage
    schedule: int  # steps in all; rates fall to 0 and the momentum rises to 1 over them
    patches: MaskedPatches | None = None  # the second loss, of a backbone with patch tokens
    pieces: int = 1  # in which a step looks at its batch, where memory is small


def distil(stage: Stage, teacher: Teacher, watch: Watch, stepped: Callable[[], None]) -> None:
    """Train over the steps of a stage, a row of the student's log for each.

    One crop of each pair goes to the student and the other to the teacher (paper). `stepped` is
    called after each step. Raises CollapseError, leaving the networks for the caller to put back.
    """
    model = teacher.student
    config = model.config
    trained = list(zip(stage.teacher.parameters(), stage.student.parameters(), strict=True))
    for step in stage.steps:
        _set_rates(stage.optimiser, step, stage.schedule)
        left, right = stage.sampler.draw(config.batch)
        with torch.no_grad():
            outputs = in_pieces(stage.teacher, stage.pieces, stage.view(right))
            p = teacher.model.teacher_side(outputs)
        seen = stage.view(left)
        if stage.patches:
            answers, masked = stage.patches(seen, stage.pieces)
        else:
            answers, masked = in_pieces(stage.student, stage.pieces, seen), None
        log_q = model.student_side(answers)
        loss = cross_entropy(p, log_q).mean()
        if masked is not None:
            loss = loss + masked
        told = float(information(p))
        watch.look(loss.item(), told, stage.people)
        stage.optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        stage.optimiser.step()
        teacher.follow(trained, momentum_at(step, stage.schedule, config.momentum))
        teacher.recentre(outputs)
        row = {"stage": stage.name, "step": step, "loss": loss.item(), "information": told}
        model.log.append(row if masked is None else row | {"patches": masked.item()})
        stepped()
    with torch.no_grad():  # what the last step did, no other step sees
        if stage.steps and not in_pieces(stage.student, stage.pieces, seen).isfinite().all():
            raise CollapseError("the outputs were no longer numbers")


def _set_rates(optimiser: torch.optim.Optimizer, step: int, schedule: int) -> None:
    """Warm up, then fall to zero along half a cosine, so that training settles (ours)."""
    share = min(1.0, (step + 1) / WARM_UP) * (1 + math.cos(math.pi * step / schedule)) / 2
    for group in optimiser.param_groups:
        group["lr"] = group["rate"] * share
