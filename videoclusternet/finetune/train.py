"""Adapting the network to one film by self-distillation.

First the head alone, on cached embeddings of the backbone as it came; then head and backbone
together, in rounds, with coarse matching of the tracks before each (paper).
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from videoclusternet.config import FinetuneConfig
from videoclusternet.finetune.matching import match_tracks
from videoclusternet.finetune.pairs import PairSampler
from videoclusternet.finetune.teacher import Teacher, momentum_at
from videoclusternet.models.face_model import FaceModel
from videoclusternet.models.loss import cross_entropy, information
from videoclusternet.models.registry import BackboneSpec
from videoclusternet.models.views import Augmentation, pooled_views
from videoclusternet.records import Array, Crops, Progress, silent

Draw = Callable[[Tensor], tuple[Tensor, Tensor]]


def finetune_model(
    crops: Crops,
    spec: BackboneSpec,
    config: FinetuneConfig,
    *,
    seed: int = 0,
    device: str = "cpu",
    progress: Progress = silent,
) -> FaceModel:
    """Return the student, tuned to the film that the crops come from.

    The same values serve every film: the number of steps follows from the number of tracks. A film
    without crops returns the backbone as it came. `model.log` holds a row for each step and
    matching, `model.events` what the guard against collapse had to do.
    """
    model = FaceModel.create(spec, config, seed).to(device)
    if not len(crops):
        return model
    return _Training(model, crops, seed, progress).run()


class _Training:
    """What the stages share: student and teacher, crops, random numbers and progress."""

    def __init__(self, model: FaceModel, crops: Crops, seed: int, progress: Progress) -> None:
        self.student = model
        self.config = model.config
        self.crops = crops
        self.seed = seed
        self.progress = progress
        self.rng = np.random.default_rng(seed)
        self.augment = Augmentation(seed)

    def run(self) -> FaceModel:
        config = self.config
        embeddings = self.embed(self.student)
        self.student.head.standardise(embeddings.flatten(0, 1))
        self.teacher = Teacher(self.student)
        self.train_head(embeddings)
        for round_ in range(config.rounds):
            if round_:
                embeddings = self.embed(self.teacher.model)
            matches = match_tracks(embeddings.cpu().numpy(), self.crops.counts)
            self.train_jointly(round_, matches)
        return self.student

    def embed(self, model: FaceModel) -> Tensor:
        """Return the embeddings of all crops in all views, (crops, views, d)."""
        values = pooled_views(model, self.crops.images, self.config.views, self.seed)
        with torch.no_grad():
            return model.tail(values)

    def steps(self, passes: float) -> int:
        """Return how many steps let each track have its turn this many times."""
        tracks = np.count_nonzero(self.crops.counts)
        return math.ceil(passes * tracks / self.config.batch)

    def train_head(self, embeddings: Tensor) -> None:
        """Train the head alone; the views of a crop are drawn from the cached ones."""

        def view(crop: Array) -> Tensor:
            return embeddings[crop, self.rng.integers(embeddings.shape[1], size=len(crop))]

        steps = self.steps(self.config.head_passes)
        optimiser = torch.optim.AdamW(self.student.head.parameters(), self.config.head_rate)
        sampler = PairSampler(self.crops.counts, None, self.rng)
        self.train("head", sampler, view, self.student.head, self.teacher.model.head, optimiser, range(steps), steps)
        self.optimiser = torch.optim.AdamW([
            {"params": self.student.backbone.parameters(), "lr": self.config.backbone_rate},
            {"params": self.student.head.parameters(), "lr": self.config.head_rate},
        ])

    def train_jointly(self, round_: int, matches: Array | None) -> None:
        sampler = PairSampler(self.crops.counts, matches, self.rng)

        def view(crop: Array) -> Tensor:
            return self.augment(torch.tensor(self.crops.images[crop]))

        steps = self.steps(self.config.passes)
        self.train(round_, sampler, view, self.student, self.teacher.model, self.optimiser, range(round_*steps, (round_+1)*steps), steps*self.config.rounds)

    def train(self, stage, sampler, view, student, teacher, optimiser, steps, total):
        rates = [g.setdefault("rate", g["lr"]) for g in optimiser.param_groups]
        for step in steps:
            for g in optimiser.param_groups: g["lr"] = g["rate"] * min(1, (step+1)/10) * (1 + math.cos(math.pi * step / total)) / 2
            left, right = sampler.draw(self.config.batch)
            with torch.no_grad():
                outputs = teacher(view(right))
                p = self.teacher.model.teacher_side(outputs)
            loss = cross_entropy(p, self.student.student_side(student(view(left)))).mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            self.teacher.follow(momentum_at(step, total, self.config.momentum))
            self.teacher.recentre(outputs)
            self.student.log.append({"stage": stage, "step": step, "loss": float(loss.detach()), "information": float(information(p))})
