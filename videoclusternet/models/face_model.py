"""The network of one film: backbone, head, centre and the temperatures that belong to them."""

from __future__ import annotations

import json
import math
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, Self

import torch
from pydantic import TypeAdapter
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F

from videoclusternet.config import FinetuneConfig
from videoclusternet.errors import UsageError, WeightsError
from videoclusternet.models.backbone import Backbone, PatchBackbone
from videoclusternet.models.graph import GraphBackbone
from videoclusternet.models.loading import build_backbone, load_backbone
from videoclusternet.models.loss import log_probabilities, probabilities
from videoclusternet.models.registry import BACKBONES, BackboneSpec, Feed
from videoclusternet.weights.choice import WeightsFile, named


class Head(nn.Module):
    """Several small perceptrons side by side, from embeddings (..., d) to outputs (..., heads, k).

    Embeddings are first standardised by the film's own mean and deviation: a face network's
    outputs lie in a narrow cone, and unstandardised nothing is learned. The last layer compares
    directions, as DINO's does, so outputs lie between -1 and 1. Ours are two things: several heads,
    because what one confuses by the accident of its start, the others tell apart; and perceptrons
    that begin as nothing added to their input, so that a head starts with all that the backbone
    knows, compared with random directions, instead of a random mixture of it.
    """

    mean: Tensor
    deviation: Tensor

    def __init__(self, dimension: int, config: FinetuneConfig) -> None:
        super().__init__()
        heads, hidden = config.heads, config.hidden
        self.inner = nn.Parameter(_draw(heads, dimension, hidden))
        self.inner_bias = nn.Parameter(torch.zeros(heads, hidden))
        self.outer = nn.Parameter(torch.zeros(heads, hidden, dimension))
        self.prototypes = nn.Parameter(_draw(heads, dimension, config.outputs))
        self.register_buffer("mean", torch.zeros(dimension))
        self.register_buffer("deviation", torch.ones(dimension))

    @torch.no_grad()
    def standardise(self, embeddings: Tensor) -> None:
        """Take mean and deviation from the film's embeddings (n, d)."""
        self.mean.copy_(embeddings.mean(0))
        self.deviation.copy_(embeddings.std(0, correction=0).clamp_min(1e-6))

    def forward(self, embeddings: Tensor) -> Tensor:
        return self.perceptrons((embeddings - self.mean) / self.deviation)

    def perceptrons(self, x: Tensor) -> Tensor:
        """Return the outputs of standardised embeddings."""
        learned = F.gelu(torch.einsum("...d,mdh->...mh", x, self.inner) + self.inner_bias)
        learned = torch.einsum("...mh,mhd->...md", learned, self.outer)
        direction = F.normalize(x.unsqueeze(-2) + learned, dim=-1)
        return torch.einsum("...md,mdk->...mk", direction, F.normalize(self.prototypes, dim=1))


def _draw(heads: int, inputs: int, outputs: int) -> Tensor:
    return torch.randn(heads, inputs, outputs) / inputs**0.5


class PatchHead(Head):
    """The second head, on patch tokens, with a centre of its own (paper, iBOT).

    Tokens are standardised place by place. Ours: faces are aligned, so what a place shows in every
    crop tells nothing, and left in, it is all that the student learns to predict.
    """

    centre: Tensor

    def __init__(self, patches: int, width: int, config: FinetuneConfig) -> None:
        super().__init__(width, config)
        self.register_buffer("mean", torch.zeros(patches, width))
        self.register_buffer("deviation", torch.ones(patches, width))
        self.register_buffer("centre", torch.zeros(config.heads, config.outputs))

    def chosen(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Return the outputs (masked, heads, k) of tokens (n, patches, width) where `mask` is True.

        The places of `mask` (n, patches) are taken row by row.
        """
        return self.perceptrons(((tokens - self.mean) / self.deviation)[mask])


class FaceModel(nn.Module):
    """Backbone and head, with the centre and temperatures of the loss that trained them.

    `patch_head` is there for a backbone with patch tokens, unless the settings switch it off; only
    training uses it.
    """

    centre: Tensor

    def __init__(self, spec: BackboneSpec, backbone: Backbone, config: FinetuneConfig) -> None:
        super().__init__()
        self.spec = spec
        self.config = config
        self.backbone = backbone
        self.head = Head(spec.dimension, config)
        self.register_buffer("centre", torch.zeros(config.heads, config.outputs))
        self.patch_head: PatchHead | None = None
        if config.patches and isinstance(backbone, PatchBackbone):
            self.patch_head = PatchHead(math.prod(backbone.grid), backbone.patch_width, config)
        self.tuned = False  # whether the backbone is no longer as it came
        self.log: list[dict[str, Any]] = []  # a row for each training step and matching
        self.events: list[str] = []  # what the guard against collapse did, in sentences

    @classmethod
    def create(
        cls, spec: BackboneSpec, weights: WeightsFile, config: FinetuneConfig, seed: int
    ) -> Self:
        """Return the backbone as its file holds it, under a head drawn from the seed.

        Raises WeightsError where the file is no such backbone.
        """
        spec, backbone = load_backbone(spec, weights.path)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            return cls(spec, backbone, config)

    @property
    def device(self) -> torch.device:
        """Where the parameters lie."""
        return self.centre.device

    @property
    def strangers(self) -> float | None:
        """The distance between strangers that the backbone has in films; None where unknown."""
        return None if self.tuned else self.spec.strangers

    def trunk(self, images: Tensor) -> Tensor:
        """Return the backbone's values in front of its last layer for crops.

        `images` (n, size, size, 3) are uint8 RGB; the spec says how the backbone is fed.
        """
        return self.backbone.trunk(self._fed(images))

    def tokens(self, images: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the trunk's values and the patch tokens for crops: see `PatchBackbone.tokens`.

        Raises TypeError where the backbone has none.
        """
        if not isinstance(self.backbone, PatchBackbone):
            raise TypeError(f"the backbone '{self.spec.name}' has no patch tokens")
        return self.backbone.tokens(self._fed(images), mask)

    def _fed(self, images: Tensor) -> Tensor:
        feed = self.spec.feed
        x = images.permute(0, 3, 1, 2).float().contiguous(memory_format=torch.channels_last)
        mean, scale = (
            torch.tensor(colour, device=x.device).view(1, 3, 1, 1)
            for colour in (feed.mean, feed.scale)
        )
        x = (x - mean) / scale
        return x.flip(1) if feed.colours == "bgr" else x

    def tail(self, values: Tensor) -> Tensor:
        """Return the embeddings (..., d) of the trunk's values."""
        return self.backbone.tail(values)

    def forward(self, images: Tensor) -> Tensor:
        """Return the head's outputs (n, heads, k) for crops (n, size, size, 3), uint8 RGB."""
        outputs: Tensor = self.head(self.tail(self.trunk(images)))
        return outputs

    def teacher_side(self, outputs: Tensor) -> Tensor:
        """Return the probabilities that the loss takes from the teacher."""
        return probabilities(outputs, self.centre, self.config.teacher_temperature)

    def student_side(self, outputs: Tensor) -> Tensor:
        """Return the log-probabilities that the loss takes from the student."""
        return log_probabilities(outputs, self.config.student_temperature)

    def save(self, path: Path) -> None:
        """Write all of it, training log included, as one safetensors file."""
        about = {
            "backbone": self.spec.name,
            "feed": asdict(self.spec.feed),
            "dimension": self.spec.dimension,
            "plan": self.backbone.plan if isinstance(self.backbone, GraphBackbone) else None,
            "config": self.config.model_dump_json(),
            "log": json.dumps(self.log),
            "events": json.dumps(self.events),
            "tuned": self.tuned,
        }
        state = {name: value.contiguous().cpu() for name, value in self.state_dict().items()}
        save_file(state, path, metadata={"videoclusternet": json.dumps(about, sort_keys=True)})

    @classmethod
    def load(cls, path: Path) -> Self:
        """Read what `save` wrote. Raises WeightsError for any other file."""
        try:
            with safe_open(path, "pt") as file:
                about = json.loads(file.metadata()["videoclusternet"])
                state = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            spec = replace(
                named(BACKBONES, "backbone", about["backbone"]),
                feed=TypeAdapter(Feed).validate_python(about["feed"]),
                dimension=about["dimension"],
            )
            config = FinetuneConfig.model_validate_json(about["config"])
            with torch.random.fork_rng(devices=[]):  # what is drawn here is overwritten
                model = cls(spec, build_backbone(spec, about["plan"]), config)
            model.load_state_dict(state)
            model.log, model.events = json.loads(about["log"]), json.loads(about["events"])
            model.tuned = about["tuned"]
        except (
            OSError, SafetensorError, UsageError, WeightsError, KeyError, TypeError, ValueError,
            RuntimeError,
        ) as error:  # fmt: skip
            raise WeightsError(
                f"{path} is no network that this version tuned: run the film again."
            ) from error
        return model
