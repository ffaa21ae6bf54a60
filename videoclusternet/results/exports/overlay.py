"""Boxes and names drawn into the pictures of a film."""

from __future__ import annotations

import colorsys

import cv2
import numpy as np

from videoclusternet.records import Array
from videoclusternet.results.exports.sheet import Sheet
from videoclusternet.video.frame import Frame

Colour = tuple[int, int, int]

GOLDEN = 0.618034  # of the circle of hues: neighbours differ, however many there are
GREY: Colour = (170, 170, 170)  # strangers
LETTERS = 36  # of a picture's height, one letter
SMALLEST = 11  # pixels of a letter that can be read
BOLD = 600  # weight


class Overlay:
    """Draws who is where into the frames of one film."""

    def __init__(self, sheet: Sheet, *, strangers: bool) -> None:
        """Take the chosen people, and with `strangers` grey boxes around the faces of Unknown."""
        self._boxes: dict[int, list[tuple[str, Colour, Array]]] = {}
        people = [(p, p.name, _colour(n)) for n, p in enumerate(sheet.people)]
        for person, name, colour in [*people, *[(sheet.people.unknown, "", GREY)] * strangers]:
            for one in sheet.followed(person):
                frames, boxes, _ = one.everywhere()
                for frame, box in zip(frames.tolist(), boxes, strict=True):
                    self._boxes.setdefault(frame, []).append((name, colour, box))
        self._font = cv2.FontFace("sans")

    def draw(self, frame: Frame) -> Array:
        """Return the picture of a frame, RGB uint8, with a box and a name for each face in it."""
        image = frame.rgb()
        here = self._boxes.get(frame.index, ())
        for _, colour, box in here:
            self._draw_box(image, colour, box)
        for name, colour, box in here:  # over all boxes, so that they can be read
            if name:
                self._draw_name(image, name, colour, box)
        return image

    def _draw_box(self, image: Array, colour: Colour, box: Array) -> None:
        left, top, right, bottom = box.round().astype(int).tolist()
        line = max(1, image.shape[0] // 270)
        cv2.rectangle(image, (left, top), (right, bottom), colour, line, cv2.LINE_AA)

    def _draw_name(self, image: Array, name: str, colour: Colour, box: Array) -> None:
        height, width = image.shape[:2]
        size = max(SMALLEST, height // LETTERS)
        pad = size // 3
        _, _, long, _ = cv2.getTextSize((width, height), name, (0, 0), self._font, size, BOLD)
        tall = size + 2 * pad
        left = max(0, min(round(float(box[0])), width - long - 2 * pad))
        top = round(float(box[1])) - tall
        if top < 0:  # above the picture: inside the box then
            top = min(max(0, round(float(box[1]))), height - tall)
        cv2.rectangle(image, (left, top), (left + long + 2 * pad, top + tall), colour, cv2.FILLED)
        ink = (0, 0, 0) if np.dot(colour, (0.299, 0.587, 0.114)) > 128 else (255, 255, 255)
        cv2.putText(
            image, name, (left + pad, top + pad + round(0.85 * size)), ink, self._font, size, BOLD
        )


def _colour(place: int) -> Colour:
    red, green, blue = colorsys.hsv_to_rgb(place * GOLDEN % 1, 0.75, 0.95)
    return round(255 * red), round(255 * green), round(255 * blue)
