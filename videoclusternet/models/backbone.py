"""What every backbone offers: a trunk, a tail, and a place between them."""

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
