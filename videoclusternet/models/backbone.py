"""What every backbone offers: a trunk, a tail, a place between them; and patch tokens, if any."""

from __future__ import annotations

from abc import ABC, abstractmethod

from torch import Tensor, nn


class Backbone(nn.Module, ABC):
    """Fed pictures (n, 3, size, size) to embeddings (n, d), as its `BackboneSpec` declares.

    The module of a backbone offers `build()`, the network without parameters, and `load(path)`.
    """

    @abstractmethod
    def trunk(self, x: Tensor) -> Tensor:
        """Return the values in front of the last layer, (n, width): where drop-out goes."""

    @abstractmethod
    def tail(self, values: Tensor) -> Tensor:
        """Return the embeddings (..., d) of the trunk's values (..., width)."""

    def forward(self, x: Tensor) -> Tensor:
        return self.tail(self.trunk(x))


class PatchBackbone(Backbone):
    """A backbone that also says what it sees patch by patch, as vision transformers do.

    Patches are numbered row by row. What hides a patch is a parameter of the backbone, its mask
    token, so that it is trained, kept and averaged with the rest.
    """

    grid: tuple[int, int]  # rows and columns of patches
    patch_width: int  # length of a patch token

    @abstractmethod
    def tokens(self, x: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return the trunk's values (n, width) and the patch tokens (n, patches, patch_width).

        Where `mask` (n, patches), bool, is True, the mask token stands in for the patch in front of
        the first block, its place kept: nothing returned depends on what the picture shows there.
        """

    def trunk(self, x: Tensor) -> Tensor:
        return self.tokens(x)[0]
