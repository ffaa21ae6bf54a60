"""Who is seen in which shot of the demonstration film, as a table in the order of the film."""

from __future__ import annotations

from dataclasses import dataclass

Panel = tuple[int, int, int, int]  # x, y, width and height on the screen
WHOLE: Panel = (0, 0, 640, 360)
LEFT: Panel = (0, 0, 320, 360)
RIGHT: Panel = (320, 0, 320, 360)
INSET: Panel = (90, 30, 520, 300)


@dataclass(frozen=True)
class Part:
    """What one panel of the screen shows for the length of a shot."""

    picture: str
    people: tuple[str, ...] = ()  # who of the picture is to be seen, and nobody else
    start: int = 0  # the first frame, of a clip
    panel: Panel = WHOLE


@dataclass(frozen=True)
class Shot:
    """Some frames of the film without a cut."""

    frames: int
    parts: tuple[Part, ...]


def _cards(*numbers: int) -> Part:
    return Part("demo_cards", tuple(f"player {n}" for n in numbers))


def _seaside(*numbers: int, panel: Panel = WHOLE) -> Part:
    return Part("demo_seaside", tuple(f"friend {n}" for n in numbers), 0, panel)


def _obama(how: str, panel: Panel = WHOLE) -> Part:
    return Part(f"demo_obama_{how}", ("obama",), 0, panel)


def _biden(panel: Panel = WHOLE) -> Part:
    return Part("demo_biden", ("biden",), 0, panel)


def _clip(place: str, who: str, start: int, panel: Panel = WHOLE) -> Part:
    return Part(f"demo_{place}", (who,), start, panel)


SHOTS = (
    Shot(40, (Part("demo_sky"),)),
    Shot(40, (_cards(1, 2, 3),)),
    Shot(36, (_clip("wall", "wall woman", 156),)),
    Shot(36, (_cards(4),)),
    Shot(36, (_obama("smiling"),)),
    Shot(36, (_seaside(4, 5),)),
    Shot(36, (_clip("door", "door man", 0, INSET),)),
    Shot(36, (_cards(1),)),
    Shot(36, (_biden(LEFT), _obama("speaking", RIGHT))),
    Shot(36, (_seaside(1),)),
    Shot(28, (_clip("car", "car man", 0),)),
    Shot(36, (_cards(3, 4),)),
    Shot(40, (_clip("wall", "wall woman", 300, INSET),)),
    Shot(36, (_seaside(2, 3),)),
    Shot(36, (_cards(5),)),
    Shot(36, (_biden(),)),
    Shot(36, (_seaside(5),)),
    Shot(36, (_cards(6),)),
    Shot(36, (_clip("door", "door man", 36),)),
    Shot(36, (_seaside(3),)),
    Shot(36, (_cards(2),)),
    Shot(36, (_obama("standing"),)),
    Shot(32, (_clip("car", "car man", 84),)),
    Shot(36, (_seaside(2, 3, 4),)),
    Shot(40, (Part("demo_sky", (), 50),)),
    Shot(40, (_cards(3, 4, 5, 6),)),
    Shot(36, (_clip("wall", "wall woman", 408),)),
    Shot(36, (_cards(1),)),
    Shot(36, (_seaside(4, panel=LEFT), _clip("door", "door man", 36, RIGHT))),
    Shot(36, (_cards(5),)),
    Shot(36, (_obama("standing", LEFT), _biden(RIGHT))),
    Shot(36, (_seaside(2),)),
    Shot(36, (_cards(4, 6),)),
    Shot(36, (_clip("wall", "wall woman", 12, INSET),)),
    Shot(36, (_seaside(1),)),
    Shot(36, (_cards(2, 3),)),
    Shot(26, (_clip("car", "car man", 36, INSET),)),
    Shot(36, (_obama("smiling"),)),
    Shot(40, (_seaside(1, 2, 3, 4, 5),)),
    Shot(36, (_clip("door", "door man", 12, RIGHT), _obama("speaking", LEFT))),
    Shot(36, (_cards(6),)),
    Shot(36, (_biden(INSET),)),
)
