"""Adapting the network to one film by self-distillation.

First the head alone, on cached embeddings of the backbone as it came; then head and backbone
together, in rounds (paper). The tracks are matched before each round (paper), and before the head's
own training too (ours, because a track alone does not show how a person differs between shots).
"""

from __future__ import annotations

import math

import numpy as np
import torch
from scipy.sparse.csgraph import connected_components
from torch import Tensor

from videoclusternet.config import FinetuneConfig
from videoclusternet.durable import let_go
from videoclusternet.finetune.distil import Stage, distil_guarded, joint_optimiser
from videoclusternet.finetune.guard import Snapshot, Watch
from videoclusternet.finetune.held_out import HeldOut
from videoclusternet.finetune.kept import Kept, State, generator_state, set_generator
from videoclusternet.finetune.linked import match_by_linkage
from videoclusternet.finetune.matching import match_tracks, obey
from videoclusternet.finetune.pairs import PairSampler
from videoclusternet.finetune.patches import MaskedPatches, standardise_patches
from videoclusternet.finetune.teacher import Teacher
from videoclusternet.models.face_model import FaceModel
from videoclusternet.models.registry import BackboneSpec
from videoclusternet.models.views import Augmentation, embedded_views
from videoclusternet.records import Array, Crops, Links, Progress, silent
from videoclusternet.said import Said
from videoclusternet.weights.choice import WeightsFile

JOINT_COST = 4  # a joint step in passes through the backbone: forward and back, and the teacher
PATCH_COST = 1  # and with masked patches, for the teacher the student's view besides its own


def finetune_model(
    crops: Crops,
    spec: BackboneSpec,
    weights: WeightsFile,
    config: FinetuneConfig,
    *,
    links: Links | None = None,
    seed: int = 0,
    device: str = "cpu",
    said: Said | None = None,
    progress: Progress = silent,
    kept: Kept | None = None,
) -> FaceModel:
    """Return a backbone and a new head, tuned to the film of these crops: see `tune_model`."""
    model = FaceModel.create(spec, weights, config, seed).to(device)
    return tune_model(model, crops, links=links, seed=seed, said=said, progress=progress, kept=kept)


def tune_model(
    model: FaceModel,
    crops: Crops,
    *,
    links: Links | None = None,
    seed: int = 0,
    said: Said | None = None,
    progress: Progress = silent,
    kept: Kept | None = None,
) -> FaceModel:
    """Return the model as the student that was tuned to the film that the crops come from.

    The same values serve every film: the number of steps follows from the number of crops. With
    fewer than two tracks there is nothing to tell apart, and the model is returned as it came; so
    it is where it is to be tuned only while that helps and `links`, what the film itself shows of
    the tracks, are too few to tell (`finetune.held_out`). `log` of the model holds a row for each
    step and matching, `events` what became of it, in sentences. Tracks that a person said are one
    person are positives from the start; told apart, they never become a pair (ours). With `kept`,
    it goes on from the last round that an earlier call finished, to the same numbers.
    """
    counts, links = crops.counts, links or Links.empty()
    if np.count_nonzero(counts) < 2:
        return model.eval()
    when, rounds = model.config.when, model.config.rounds
    held = None if when == "always" else HeldOut.of(links, counts)
    if held and (refusal := held.refusal(0 if when == "never" else rounds)):
        model.events.append(refusal)
        progress(1, 1)
        return model.eval()
    said = Said.nothing(len(counts)) if said is None else said
    training = _Training(model, crops, links, held, seed, said, progress, kept)
    training.run()
    training.report(training.work)  # the guard may have ended it early
    return model.eval()


class _Training:
    """What the stages share: student and teacher, crops, random numbers and progress."""

    def __init__(
        self, model: FaceModel, crops: Crops, links: Links, held: HeldOut | None, seed: int,
        said: Said, progress: Progress, kept: Kept | None,
    ) -> None:  # fmt: skip
        self.student = model
        self.config: FinetuneConfig = model.config
        self.crops = crops
        self.links = held.rest if held else links
        self.held = held
        self.separation = 0.0  # of what is held out, by the student as it is
        self.seed = seed
        self.said = said
        self.rng = np.random.default_rng(seed)
        self.augment = Augmentation(seed)
        self.watch = Watch()
        self.progress = progress
        self.kept = kept
        self.pieces = 1  # in which a step looks at its batch
        self.done = 0
        looks = len(crops) * self.config.views
        self.joint_cost = self.config.batch * (JOINT_COST + (PATCH_COST if model.patch_head else 0))
        joint = self.steps(self.config.passes) * self.joint_cost
        self.work = looks + self.config.rounds * joint + max(0, self.config.rounds - 1) * looks

    def run(self) -> None:
        """Train the head, then both in rounds; the student and its log are the result."""
        states = self.kept.load() if self.kept else None
        if states is None:
            matches = self.begin()
            if matches is None:
                self.student.events.append("The head was left as it was drawn.")
                return
            optimiser = joint_optimiser(self.student)
            self.keep(first := 0, optimiser, matches)
        else:
            self.teacher = Teacher(self.student)
            optimiser = joint_optimiser(self.student)
            first, matches = self.restore(states[0], optimiser)
        as_it_came = Snapshot(optimiser, self.student, self.teacher.model)
        if states is not None:
            first, matches = self.restore(states[1], optimiser)
        for round_ in range(first, self.config.rounds):
            if round_:
                matches = self.match(self.embed(self.teacher.model), round_ + 1)
            before = Snapshot(optimiser, self.student, self.teacher.model)
            if not self.train_jointly(round_, matches, optimiser):
                as_it_came.restore()
                self.student.events.append("The backbone was left as it came.")
                self.student.tuned = False
                return
            if not self.helped(round_):
                before.restore()
                return
            self.student.tuned = True
            self.keep(round_ + 1, optimiser, matches)

    def helped(self, round_: int) -> bool:
        """Tell whether what is held out of training stands out better after a round than before."""
        if self.held is None:
            return True
        before, self.separation = self.separation, self.held.separated(self.student, self.crops)
        self.student.log.append(
            {"stage": "held out", "round": round_ + 1, "separation": self.separation}
        )
        told = f"from {before:.2f} to {self.separation:.2f} deviations in round {round_ + 1}"
        how = "Tuning helped" if self.separation > before else "Tuning ended, it did not help"
        self.student.events.append(f"{how}: tracks held out of it went {told}.")
        return self.separation > before

    def begin(self) -> Array | None:
        """Train the head alone; return which tracks match, or None where it could not be."""
        embeddings = self.embed(self.student)
        self.student.head.standardise(embeddings.flatten(0, 1))
        if self.held is not None:
            self.separation = self.held.separated(self.student, self.crops)
        standardise_patches(self.student, self.crops.images)
        self.teacher = Teacher(self.student)
        matches = self.match(embeddings, 0)
        return matches if self.train_head(embeddings, matches) else None

    def keep(self, round_: int, optimiser: torch.optim.Optimizer, matches: Array) -> None:
        """Keep all that the rounds from this one on depend on."""
        if self.kept is None or round_ == self.config.rounds:
            return
        state = {
            "round": round_, "matches": torch.from_numpy(matches), "done": self.done,
            "student": self.student.state_dict(), "teacher": self.teacher.model.state_dict(),
            "optimiser": optimiser.state_dict(), "log": self.student.log,
            "events": self.student.events, "generator": generator_state(self.rng),
            "draws": self.augment.draws, "best": self.watch.best,
            "separation": self.separation, "tuned": self.student.tuned,
        }  # fmt: skip
        self.kept.save(self.kept.latest if round_ else self.kept.start, state)

    def restore(self, state: State, optimiser: torch.optim.Optimizer) -> tuple[int, Array]:
        """Be as when a state was kept; return the round that comes next, and which tracks match."""
        self.student.load_state_dict(state["student"])
        self.teacher.model.load_state_dict(state["teacher"])
        optimiser.load_state_dict(state["optimiser"])
        self.student.log[:], self.student.events[:] = state["log"], state["events"]
        set_generator(self.rng, state["generator"])
        self.augment.draws, self.watch.best = state["draws"], state["best"]
        self.separation, self.student.tuned = state["separation"], state["tuned"]
        self.report(state["done"])
        return state["round"], state["matches"].numpy()

    def steps(self, passes: float) -> int:
        """Return how many steps draw as many pairs as there are crops in this many passes."""
        return math.ceil(passes * len(self.crops) / self.config.batch)

    def embed(self, model: FaceModel) -> Tensor:
        """Return the embeddings of all crops in all views, (crops, views, d)."""
        start, views = self.done, self.config.views
        return embedded_views(
            model, self.crops.images, views, self.seed, lambda n, _: self.report(start + n * views)
        )

    def match(self, embeddings: Tensor, round_: int) -> Array:
        """Match the tracks by the embeddings (crops, views, d) before a round.

        Round 0 is the head's own, and its matches serve round 1, too: the embeddings are the same.
        Returns bool (tracks, tracks), and notes in the log which matched.
        """
        matches = np.zeros((len(self.crops.counts),) * 2, bool)
        if self.config.matching == "linkage":
            matches = match_by_linkage(self.student, embeddings, self.crops, self.links, self.said)
            if self.held:
                self.held.forbid(matches)
        elif self.config.matching != "none":
            matches = match_tracks(
                embeddings.cpu().numpy(),
                self.crops.counts,
                tsne=self.config.matching == "tsne",
                seed=self.seed,
            )
        obey(matches, self.said, self.crops.counts)
        pairs = np.argwhere(matches).tolist()
        row = {"stage": "matching", "round": round_, "matches": len(pairs), "pairs": pairs}
        self.student.log.append(row)
        return matches

    def people(self, matches: Array) -> int:
        """Return how many groups of tracks the matches leave, those without a crop aside."""
        groups = connected_components(matches, directed=False)[0]
        return groups - int(np.count_nonzero(self.crops.counts == 0))

    def train_head(self, embeddings: Tensor, matches: Array) -> bool:
        """Train the head alone; the views of a crop are drawn from the cached ones."""

        def view(crop: Array) -> Tensor:
            return embeddings[crop, self.rng.integers(embeddings.shape[1], size=len(crop))]

        steps = self.steps(self.config.head_passes)
        group = {"params": self.student.head.parameters(), "rate": self.config.head_rate}
        stage = Stage(
            name="head",
            optimiser=torch.optim.AdamW([group], fused=True),
            sampler=PairSampler(self.crops.counts, matches, self.rng),
            view=view,
            student=self.student.head,
            teacher=self.teacher.model.head,
            people=self.people(matches),
            steps=range(steps),
            schedule=steps,
        )
        return self.guarded(stage, cost=0)

    def train_jointly(self, round_: int, matches: Array, optimiser: torch.optim.Optimizer) -> bool:
        """Train head and backbone for a round on pairs of tracks and of matched tracks."""

        def view(crop: Array) -> Tensor:
            images = torch.tensor(self.crops.images[crop], device=self.student.device)
            let_go(self.crops.images)
            return self.augment(images)

        steps = self.steps(self.config.passes)
        stage = Stage(
            name=f"round {round_ + 1}",
            optimiser=optimiser,
            sampler=PairSampler(self.crops.counts, matches, self.rng),
            view=view,
            student=self.student,
            teacher=self.teacher.model,
            people=self.people(matches),
            steps=range(round_ * steps, (round_ + 1) * steps),
            schedule=steps * self.config.rounds,
            patches=MaskedPatches(self.teacher, self.rng) if self.student.patch_head else None,
            pieces=self.pieces,
        )
        return self.guarded(stage, cost=self.joint_cost)

    def guarded(self, stage: Stage, cost: int) -> bool:
        """Train over a stage, as `distil_guarded` does, and count its work."""
        start = self.done

        def report(steps: int) -> None:
            self.report(start + steps * cost)

        through, self.pieces = distil_guarded(stage, self.teacher, self.watch, report)
        return through

    def report(self, done: int) -> None:
        """Tell how much of the work is done, in passes of a crop through the backbone."""
        self.done = done
        self.progress(min(done, self.work), self.work)
