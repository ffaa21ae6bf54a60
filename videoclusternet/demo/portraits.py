"""Trying a network on the photographs of the demonstration: does it find faces, and know people?"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import combinations
from typing import TYPE_CHECKING

import cv2
import numpy as np

from videoclusternet.config import Config, FinetuneConfig
from videoclusternet.demo.pictures import DEMO_ASSETS, boxes_of
from videoclusternet.faces.crops import similarities, warp
from videoclusternet.faces.detectors import Detector, choose_detector, load_detector
from videoclusternet.models.registry import BackboneSpec, Feed
from videoclusternet.records import Array
from videoclusternet.tracks.boxes import iou
from videoclusternet.weights.assets import locate, missing

if TYPE_CHECKING:
    from videoclusternet.models.backbone import Backbone

PORTRAITS = (
    "demo_obama_smiling", "demo_obama_speaking", "demo_obama_standing", "demo_biden", "demo_cards",
    "demo_seaside",
)  # fmt: skip
"""Three photographs of one person, and three of twelve others once each."""

ON_FACE = 0.4  # IoU with the mark of a face: marks go from hairline to chin, and some boxes do not
VIEWS = 4  # of each face
GOOD = 0.9  # share of comparisons from which on a network is said to know people


@dataclass(frozen=True)
class Trial:
    """How a network did. The shares are a backbone's: of comparisons that it decides rightly."""

    there: int  # faces in the photographs
    found: int  # of these, by the network or for it
    views: float | None = None  # two views of one face, against two of different people
    people: float | None = None  # two photographs of one person, against two of different people
    margin: float | None = None  # how much nearer these are on average, in standard deviations of
    # how near strangers are
    exchanged: float | None = None  # the same, were red and blue exchanged

    @property
    def passed(self) -> bool:
        """Tell whether the network does what it is for."""
        shares = [share for share in (self.views, self.people) if share is not None]
        return self.found == self.there and min(shares, default=1.0) >= GOOD


def at_hand() -> bool:
    """Tell whether the photographs have been fetched."""
    return not missing(DEMO_ASSETS[name] for name in PORTRAITS)


def try_detector(detector: Detector) -> Trial:
    """Count the faces that a detector finds."""
    found = [_find(detector, name, _photograph(name)) for name in PORTRAITS]
    return Trial(_there(), sum(map(len, found)))


def try_backbone(spec: BackboneSpec, net: Backbone) -> Trial:
    """Embed the faces and views of them, and see who is near to whom."""
    from videoclusternet.models.face_model import FaceModel  # torch, which takes seconds
    from videoclusternet.models.views import embedded_views

    people, crops = _faces(spec.feed)
    other = replace(spec.feed, colours="bgr" if spec.feed.colours == "rgb" else "rgb")
    trials = []
    for feed in (spec.feed, other):
        model = FaceModel(replace(spec, feed=feed), net, FinetuneConfig())
        embeddings = embedded_views(model, crops, VIEWS, seed=0).double().numpy()
        embeddings /= np.linalg.norm(embeddings, axis=2, keepdims=True)
        trials.append((_views_told(embeddings, people), *_people_told(embeddings[:, 0], people)))
    (views, told, margin), (_, _, exchanged) = trials
    return Trial(_there(), len(crops), views, told, margin, exchanged)


def _faces(feed: Feed) -> tuple[list[str], Array]:
    """Return who is on the photographs, and their faces as a network is fed with them."""
    detector = load_detector(*choose_detector(Config().detector))
    people, crops = [], []
    for name in PORTRAITS:
        picture = _photograph(name)
        for person, landmarks in _find(detector, name, picture).items():
            (motion,) = similarities(landmarks[None], np.array(feed.template))
            people.append(person)
            crops.append(warp(picture, motion, feed.size))
    return people, np.array(crops)


def _find(detector: Detector, name: str, picture: Array) -> dict[str, Array]:
    """Return the landmarks (5, 2) of each person of a photograph whom the detector finds."""
    config = Config()
    zoom = config.detect.long_side / max(picture.shape)
    (seen,) = detector([cv2.resize(picture, None, fx=zoom, fy=zoom)], config.filter.score)
    found = {}
    for person, mark in _marks(name).items():
        overlap = iou(seen.boxes / zoom, mark)
        if len(overlap) and overlap.max() > ON_FACE:
            found[person] = seen.landmarks[overlap.argmax()].astype(np.float64) / zoom
    return found


def _photograph(name: str) -> Array:
    picture = cv2.imread(str(locate(DEMO_ASSETS[name])))
    assert picture is not None
    return cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)


def _marks(name: str) -> dict[str, Array]:
    """Return the box (4,) of each person of a photograph."""
    return {person: boxes[0] for person, boxes in boxes_of(name, np.zeros(1)).items()}


def _there() -> int:
    return sum(len(_marks(name)) for name in PORTRAITS)


def _views_told(embeddings: Array, people: list[str]) -> float:
    """Compare views of one face, of (faces, views, d), with views of two people's faces."""
    same = [(views @ views.T)[np.triu_indices(len(views), 1)] for views in embeddings]
    different = [
        (embeddings[one] @ embeddings[other].T).ravel()
        for one, other in combinations(range(len(people)), 2)
        if people[one] != people[other]
    ]
    return _share(np.concatenate(same), np.concatenate(different))


def _people_told(embeddings: Array, people: list[str]) -> tuple[float, float]:
    """Compare faces of one person, of (faces, d), with faces of two people: share and margin."""
    near: dict[bool, list[float]] = {True: [], False: []}
    for one, other in combinations(range(len(people)), 2):
        near[people[one] == people[other]].append(embeddings[one] @ embeddings[other])
    same, different = np.array(near[True]), np.array(near[False])
    return _share(same, different), float((same.mean() - different.mean()) / different.std())


def _share(same: Array, different: Array) -> float:
    """Return how often the one is nearer than the other."""
    return float(np.mean(same[:, None] > different[None]))
