"""What pages draw of people: small faces, bars on a film's time line, who is shown small."""

from __future__ import annotations

from itertools import takewhile

import cv2
import jinja2

from videoclusternet.records import Array
from videoclusternet.results.people import Appearance, People, Person, spell, timecode

PICTURE = 112  # pixels, side of a face on a page
JPEG_QUALITY = 76  # about 3 kB for a face
BRIEF = 0.1  # who appears once, for less than this part of the longest time, is an extra
WIDTH = 1000  # units of a timeline
NARROWEST = 1.5  # units of the shortest bar: still seen on a phone, still true in a long film
TICKS = (1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800)  # seconds


def templates(package: str) -> jinja2.Environment:
    """Return the templates of a package; whatever they are given is escaped."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(package),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        clock=lambda seconds: timecode(seconds, decimals=0), timecode=timecode, spell=spell
    )
    return environment


def small_face(image: Array) -> bytes:
    """Return a crop, RGB (height, width, 3), as a small JPEG."""
    small = cv2.resize(image, (PICTURE, PICTURE), interpolation=cv2.INTER_AREA)
    return jpeg(small, JPEG_QUALITY)


def jpeg(image: Array, quality: int) -> bytes:
    """Return a picture, RGB (height, width, 3), as a JPEG."""
    bgr = cv2.cvtColor(image, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1].tobytes()


def extras(people: People) -> set[int]:
    """Return the numbers of those who appear once and briefly: they stand in small print (ours)."""
    longest = max((person.seconds for person in people), default=0.0)
    return {p.number for p in people if _is_brief(p, longest)}


def _is_brief(person: Person, longest: float) -> bool:
    return len(person.appearances) < 2 and person.seconds < BRIEF * longest


class Timeline:
    """The time of a film on a line of `WIDTH` units."""

    def __init__(self, duration: float, origin: float) -> None:
        """`duration` and the time of the first frame, `origin`, are in seconds."""
        self.duration = max(duration, 0.001)  # a film of one frame may last no time
        self.origin = origin

    def share(self, person: Person) -> float:
        """Return a person's part of the film, percent."""
        return 100 * person.seconds / self.duration

    def bar(self, one: Appearance) -> tuple[float, float]:
        """Return where a bar begins and how wide it is, in units."""
        scale = WIDTH / self.duration
        width = max(NARROWEST, (one.end - one.start) * scale)
        return round(min((one.start - self.origin) * scale, WIDTH - width), 1), round(width, 1)

    def ticks(self, zoom: int = 1) -> list[tuple[float, float]]:
        """Return time and place (percent) of the marks of the axis, room for a label kept free.

        There are `zoom` times as many on an axis that is so much longer.
        """
        step = next((s for s in TICKS if self.duration <= 8 * zoom * s), TICKS[-1])
        places = ((n * step + self.origin, 100 * n * step / self.duration) for n in range(1000))
        return list(takewhile(lambda tick: tick[1] < 100 - 12 / zoom, places))
