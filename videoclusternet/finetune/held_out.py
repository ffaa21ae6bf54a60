"""Whether tuning helps, by what the film itself shows and training does not see.

Self-distillation has no truth to be measured by; but a camera set-up that returns shows tracks of
one person, and one picture with two faces shows two. Half of the set-ups are kept out of training.
As long as their tracks stand out better from those of certain strangers, tuning goes on (ours).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from videoclusternet.clustering.calibration import distance_of
from videoclusternet.clustering.distance import Sides
from videoclusternet.finetune.linked import mean_sides
from videoclusternet.models.face_model import FaceModel
from videoclusternet.models.views import embedded_views
from videoclusternet.records import THREAD, TOGETHER, Array, Crops, Links

FEWEST = 20
"""Pairs of either kind without which their distances are no measure of anything; ours."""


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Pairs of tracks, int64 (n, 2), of one person and of two, and what is left to train on."""

    same: Array
    different: Array
    rest: Links

    @classmethod
    def of(cls, links: Links, counts: Array) -> Self:
        """Hold out every other camera set-up of those whose tracks have crops.

        `counts` (tracks,) are the crops of each. All links of a set-up are held out or none, for
        they form a chain: who trains on two of three links has seen the third.
        """
        seen = (counts[links.left] > 0) & (counts[links.right] > 0)
        thread, together = seen & (links.kind == THREAD), seen & (links.kind == TOGETHER)
        pairs = np.stack([links.left, links.right], axis=1)
        graph = coo_array((np.ones(thread.sum()), pairs[thread].T), (len(counts),) * 2)
        setup = connected_components(graph, directed=False)[1][links.left]
        number = np.unique(setup[thread], return_inverse=True)[1]
        held = np.zeros(len(links), bool)
        held[np.flatnonzero(thread)[number % 2 == 0]] = True
        return cls(pairs[held], pairs[together], links.select(~held))

    def refusal(self, rounds: int) -> str | None:
        """Return why tuning is not tried, None where there is reason to try so many rounds."""
        if not rounds:
            return "The network was used as it came: tuning is off (setting finetune.when)."
        if min(len(self.same), len(self.different)) < FEWEST:
            return (
                "The network was used as it came: too few camera set-ups return, or too few "
                "pictures have two faces, to tell whether tuning helps."
            )
        return None

    def forbid(self, matches: Array) -> None:
        """Take from matches (tracks, tracks) all of tracks that are held out: two that both match a
        third would train each other.
        """
        tracks = np.unique(self.same)
        matches[tracks] = matches[:, tracks] = False

    def separated(self, model: FaceModel, crops: Crops) -> float:
        """Return the separation of the tracks as a network sees their crops."""
        tracks = np.unique(np.concatenate([self.same, self.different]))
        crops = crops.select(np.isin(crops.track, tracks))
        embeddings = embedded_views(model, crops.images, 1, seed=0)
        same, different = (np.searchsorted(tracks, pairs) for pairs in (self.same, self.different))
        return separation(mean_sides(model, embeddings, crops), same, different)


def separation(sides: Sides, same: Array, different: Array) -> float:
    """Return how much farther apart two people are than one, in standard deviations.

    `sides` are of some tracks; `same` and `different`, int64 (n, 2), are pairs of these of one
    person and of two.
    """
    one, two = distance_of(sides, same), distance_of(sides, different)
    spread = np.sqrt((one.var() + two.var()) / 2)
    return float((two.mean() - one.mean()) / max(spread, 1e-12))
