"""One panel of one shot: how the camera looks at a picture, and where its faces come to lie.

Place, size, tilt, mirror, zoom and pan are drawn at random until the view shows the people that it
should show, nobody else, and nothing beyond the picture's edge. The boxes of the truth go through
the same affine map as the pixels.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice

import cv2
import numpy as np

from videoclusternet.demo.cuts import Part
from videoclusternet.demo.pictures import DEMO_ASSETS, boxes_of
from videoclusternet.records import Array
from videoclusternet.video.stream import open_video
from videoclusternet.weights.assets import locate

SHOWN = 0.9  # the least part of a face that is seen; of a face that is not wanted there is none
TRIES = 100_000


@dataclass(frozen=True)
class View:
    """How the camera looks at a picture: it zooms and pans evenly through a shot."""

    focus: Array  # the point of the picture, x and y, that is shown at
    target: Array  # this point of the panel
    scale: float
    zoom: float  # how much larger all is at the end, as a part of `scale`
    pan: Array  # pixels from start to end
    angle: float  # radians
    mirrored: bool

    def maps(self, frames: int) -> Array:
        """Return the affine map from picture to panel at each frame, (frames, 2, 3)."""
        time = np.linspace(0, 1, frames)[:, None]
        cos, sin = np.cos(self.angle), np.sin(self.angle)
        turn = (
            self.scale * np.array([[cos, -sin], [sin, cos]]) @ np.diag([1 - 2 * self.mirrored, 1])
        )
        turns = (1 + self.zoom * time[:, :, None]) * turn
        shifts = self.target + self.pan * time - turns @ self.focus
        return np.concatenate([turns, shifts[:, :, None]], axis=2)


@dataclass(frozen=True)
class Take:
    """A picture as it is seen in a panel, frame by frame."""

    part: Part
    images: list[Array]  # RGB; of a still there is one
    maps: Array  # from image to panel, (frames, 2, 3)
    light: Array  # what becomes of the 256 values of red, green and blue, (256, 1, 3)
    boxes: dict[str, Array]  # the faces in pixels of the panel, (frames, 4)

    def pixels(self, frame: int) -> Array:
        """Return the panel at a frame of the shot, RGB."""
        image, matrix = self.images[min(frame, len(self.images) - 1)], self.maps[frame].copy()
        matrix[:, 2] += matrix[:, :2] @ (0.5, 0.5) - 0.5  # from corners of pixels to centres
        seen = cv2.warpAffine(image, matrix, self.part.panel[2:], borderMode=cv2.BORDER_REPLICATE)
        return np.asarray(cv2.LUT(seen, self.light))


def shoot(part: Part, frames: int, rng: np.random.Generator) -> Take:
    """Draw a view of a part of the film. Raises WeightsError where its picture is missing."""
    images = _read(part.picture, part.start, frames)
    times = part.start + np.arange(frames) if len(images) > 1 else np.zeros(frames)
    marked = boxes_of(part.picture, times)
    panel, picture = part.panel[2:], images[0].shape[1::-1]
    for _ in range(TRIES):
        view = _draw_view(rng, panel, picture, [marked[name][0] for name in part.people])
        maps = view.maps(frames)
        if _covers(maps[[0, -1]], panel, picture):
            boxes = {name: _through(maps, box) for name, box in marked.items()}
            shown = {name: np.clip(box, 0, panel + panel) for name, box in boxes.items()}
            if all(
                _is_right(_area(shown[name]) / _area(boxes[name]), name in part.people)
                for name in boxes
            ):
                wanted = {name: shown[name] for name in part.people}
                return Take(part, *_shrink(images, maps), _draw_light(rng), wanted)
    raise RuntimeError(f"no view of {part} was found")


def _is_right(seen: Array, wanted: bool) -> bool:
    """Tell whether enough of a face is seen in every frame, or none of an unwanted one."""
    return bool(np.all(seen >= SHOWN)) if wanted else not np.any(seen)


def _read(picture: str, start: int, frames: int) -> list[Array]:
    """Return frames of a clip, or the one frame of a still, RGB."""
    film = open_video(locate(DEMO_ASSETS[picture]))
    return [frame.rgb() for frame in islice(film.frames(), start, start + frames)]


def _draw_view(
    rng: np.random.Generator, panel: tuple[int, int], picture: tuple[int, int], faces: list[Array]
) -> View:
    """Draw any view near these faces, or near the middle of a picture without."""
    middle = np.array([*picture, *picture]) * (0.2, 0.2, 0.8, 0.8)
    boxes = np.stack(faces or [middle])
    tallest = np.max(boxes[:, 3] - boxes[:, 1])
    least = max(np.divide(panel, picture))  # the scale below which no view could fill the panel
    return View(
        focus=(boxes[:, :2] + boxes[:, 2:]).mean(axis=0) / 2,
        target=np.array(panel) * rng.uniform(0.2, 0.8, 2),
        scale=rng.uniform(max(least, 0.2 * panel[1] / tallest), 0.95 * panel[1] / tallest),
        zoom=rng.uniform(-0.12, 0.12),
        pan=np.array(panel) * rng.uniform(-0.05, 0.05, 2),
        angle=np.radians(rng.uniform(-8, 8)),
        mirrored=bool(rng.integers(2)),
    )


def _draw_light(rng: np.random.Generator) -> Array:
    """Draw brightness, contrast and tint: a table of what becomes of each value, (256, 1, 3)."""
    bend, gains = rng.uniform(0.8, 1.3), rng.uniform(0.65, 1.1) * rng.uniform(0.9, 1.1, 3)
    curve = 255 * np.linspace(0, 1, 256)[:, None, None] ** bend
    return np.clip(curve * gains, 0, 255).astype(np.uint8)


def _shrink(images: list[Array], maps: Array) -> tuple[list[Array], Array]:
    """Return smaller images where the maps would only ever shrink them, and maps to match."""
    scale = min(1.0, float(np.hypot(maps[:, 0, 0], maps[:, 0, 1]).max()))
    height, width = images[0].shape[:2]
    size = round(width * scale), round(height * scale)
    maps = maps * (width / size[0], height / size[1], 1)
    return [cv2.resize(image, size, interpolation=cv2.INTER_AREA) for image in images], maps


def _covers(maps: Array, panel: tuple[int, int], picture: tuple[int, int]) -> bool:
    """Tell whether the picture fills the panel: whether all its corners lie in the picture."""
    width, height = panel
    corners = np.array([[0, 0], [width, 0], [0, height], [width, height]], float)
    inside = np.linalg.solve(maps[:, None, :, :2], (corners - maps[:, None, :, 2])[..., None])
    return bool(np.all((inside >= 0) & (inside <= np.array(picture)[:, None])))


def _through(maps: Array, boxes: Array) -> Array:
    """Return the boxes of faces, each an ellipse in its box, after the maps; both (frames, ...)."""
    centre = np.einsum("fij,fj->fi", maps[:, :, :2], (boxes[:, :2] + boxes[:, 2:]) / 2)
    half = np.sqrt(
        np.einsum("fij,fj->fi", maps[:, :, :2] ** 2, ((boxes[:, 2:] - boxes[:, :2]) / 2) ** 2)
    )
    centre += maps[:, :, 2]
    return np.concatenate([centre - half, centre + half], axis=1)


def _area(boxes: Array) -> Array:
    area: Array = np.prod(boxes[:, 2:] - boxes[:, :2], axis=1)
    return area
