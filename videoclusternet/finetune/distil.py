"""One stretch of self-distillation: pairs in, a student and its teacher a little further."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor, nn

from videoclusternet.finetune.guard import CollapseError, Snapshot, Watch
from videoclusternet.finetune.pairs import PairSampler
from videoclusternet.finetune.patches import MaskedPatches
from videoclusternet.finetune.teacher import Teacher, momentum_at
from videoclusternet.models.device import in_pieces
from videoclusternet.models.face_model import FaceModel
from videoclusternet.models.loss import cross_entropy, information
from videoclusternet.records import Array

WARM_UP = 10  # steps over which a rate rises to its full value; ours
TRIES = 3  # at a stage, each more slowly than the one before; ours
SLOWER = 1 / 3  # ours: three times too fast is what collapsed


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


def distil_guarded(
    stage: Stage, teacher: Teacher, watch: Watch, report: Callable[[int], None]
) -> tuple[bool, int]:
    """Train over a stage: back and more slowly where it collapses, in pieces for a small GPU.

    `report` is called with the number of steps done, again from 0 where it goes back. Returns
    whether it came through, and in how many pieces; if it did not, everything is as it was before.
    Raises torch.OutOfMemoryError where not even one crop at a time fits.
    """
    model, tries, steps = teacher.student, TRIES, 0

    def stepped() -> None:
        nonlocal steps
        steps += 1
        report(steps)

    while tries:
        good = Snapshot(stage.optimiser, model, teacher.model)
        try:
            distil(stage, teacher, watch, stepped)
        except torch.OutOfMemoryError:
            if stage.pieces >= model.config.batch:
                raise
            stage = replace(stage, pieces=min(2 * stage.pieces, model.config.batch))
            told, pace = f"the GPU's memory was too small: steps in {stage.pieces} parts", 1.0
        except CollapseError as collapse:
            tries -= 1
            told, pace = f"{collapse}: back to its start, a third as fast", SLOWER
        else:
            return True, stage.pieces
        good.restore()
        torch.cuda.empty_cache()
        steps = 0
        for group in stage.optimiser.param_groups:
            group["rate"] *= pace
        model.events.append(f"In the stage '{stage.name}' {told}.")
    return False, stage.pieces


def joint_optimiser(model: FaceModel) -> torch.optim.Optimizer:
    """Return the optimiser of all joint rounds, the backbone at a rate of its own."""
    config = model.config
    head = {"params": model.head.parameters(), "rate": config.head_rate}
    groups = [{"params": model.backbone.parameters(), "rate": config.backbone_rate}, head]
    if model.patch_head:
        groups.append(head | {"params": model.patch_head.parameters()})
    return torch.optim.AdamW(groups, fused=True)


def _set_rates(optimiser: torch.optim.Optimizer, step: int, schedule: int) -> None:
    """Warm up, then fall to zero along half a cosine, so that training settles (ours)."""
    share = min(1.0, (step + 1) / WARM_UP) * (1 + math.cos(math.pi * step / schedule)) / 2
    for group in optimiser.param_groups:
        group["lr"] = group["rate"] * share
