"""Exports for editing programs: markers on the film, and every moment of somebody cut together."""

from __future__ import annotations

from collections.abc import Sequence

import opentimelineio as otio
from opentimelineio.opentime import RationalTime, TimeRange, to_timecode

from videoclusternet.errors import UsageError
from videoclusternet.results.exports.sheet import Sheet

HOUR = 3600  # seconds at which editing programs begin a timeline
COLOURS = (  # of Resolve's markers
    "Blue", "Cyan", "Green", "Yellow", "Red", "Pink", "Purple", "Fuchsia",
    "Rose", "Lavender", "Sky", "Mint", "Lemon", "Sand", "Cocoa", "Cream",
)  # fmt: skip
DROPPED = (30000 / 1001, 60000 / 1001)  # rates whose time code leaves numbers out


def to_otio(sheet: Sheet) -> str:
    """Return OpenTimelineIO: the film on a track, a marker as long as each appearance."""
    return otio.adapters.write_to_string(_marked(sheet), "otio_json") + "\n"


def to_fcp7(sheet: Sheet) -> str:
    """Return the same as Final Cut Pro 7 XML, which is what Premiere reads."""
    return otio.adapters.write_to_string(_marked(sheet), "fcp_xml")


def to_stringout(sheet: Sheet) -> str:
    """Return OpenTimelineIO with every moment of the chosen people, cut together."""
    return otio.adapters.write_to_string(_strung(sheet), "otio_json") + "\n"


def to_stringout_edl(sheet: Sheet) -> str:
    """Return the same as a CMX 3600 list. Raises UsageError for rates that these cannot count."""
    events = [
        f"{n:03}  AX       V     C        {' '.join(_code(sheet, frame) for frame in frames)}\n"
        f"* FROM CLIP NAME: {_one_line(sheet.film.name)}\n"
        for n, frames in enumerate(_events(sheet), 1)
    ]
    return _head(sheet) + "".join(events)


def to_edl(sheet: Sheet) -> str:
    """Return the markers for DaVinci Resolve (import timeline markers from EDL).

    Resolve keeps one marker a frame, so those of one frame are joined; each lasts as long as its
    longest. Raises UsageError as `to_stringout_edl` does.
    """
    begin: dict[int, list[tuple[str, int]]] = {}
    colour = {p.name: COLOURS[n % len(COLOURS)] for n, p in enumerate(sheet.people)}
    for person, one in sheet.appearances():
        first, length = sheet.span(one)
        begin.setdefault(first, []).append((person.name, length))
    start = HOUR * sheet.rate
    events = []
    for n, (first, here) in enumerate(sorted(begin.items()), 1):
        frame = round(start) + first
        codes = [_code(sheet, frame), _code(sheet, frame + 1)] * 2
        names = ", ".join(_one_line(name).replace("|", "/") for name, _ in here)
        length = max(length for _, length in here)
        events.append(
            f"{n:03}  001      V     C        {' '.join(codes)}\n"
            f" |C:ResolveColor{colour[here[0][0]]} |M:{names} |D:{length}\n"
        )
    return _head(sheet) + "\n".join(events)


def _head(sheet: Sheet) -> str:
    dropped = float(sheet.rate) in DROPPED
    title = _one_line(sheet.film.stem)
    return f"TITLE: {title}\nFCM: {'' if dropped else 'NON-'}DROP FRAME\n\n"


def _code(sheet: Sheet, frame: int) -> str:
    rate = float(sheet.rate)
    try:
        code: str = to_timecode(RationalTime(frame, rate), rate, rate in DROPPED)
    except ValueError:
        raise UsageError(
            f"No time code counts {rate:g} frames a second: name a rate with --fps."
        ) from None
    return code


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _events(sheet: Sheet) -> Sequence[tuple[int, int, int, int]]:
    """Return first and last frame in the film and in the list of each moment."""
    events, at = [], round(HOUR * sheet.rate)
    for first, stop in _moments(sheet):
        events.append((first, stop, at, at + stop - first))
        at += stop - first
    return events


def _moments(sheet: Sheet) -> list[tuple[int, int]]:
    """Return first frame and the one after the last of each moment; what overlaps is one."""
    joined: list[list[int]] = []
    for _, one in sheet.appearances():
        first, length = sheet.span(one)
        if joined and first <= joined[-1][1]:
            joined[-1][1] = max(joined[-1][1], first + length)
        else:
            joined.append([first, first + length])
    return [(first, stop) for first, stop in joined]


def _marked(sheet: Sheet) -> otio.schema.Timeline:
    clip = _clip(sheet, 0, sheet.frames)
    for person, one in sheet.appearances():
        marker = otio.schema.Marker(name=person.name, marked_range=_range(sheet, *sheet.span(one)))
        marker.metadata["videoclusternet"] = {"person": person.number}
        clip.markers.append(marker)
    return _timeline(sheet, [clip])


def _strung(sheet: Sheet) -> otio.schema.Timeline:
    return _timeline(sheet, [_clip(sheet, first, stop - first) for first, stop in _moments(sheet)])


def _timeline(sheet: Sheet, clips: Sequence[otio.schema.Clip]) -> otio.schema.Timeline:
    timeline = otio.schema.Timeline(name=sheet.film.stem)
    timeline.tracks.append(otio.schema.Track(kind=otio.schema.TrackKind.Video, children=clips))
    return timeline


def _clip(sheet: Sheet, first: int, length: int) -> otio.schema.Clip:
    media = otio.schema.ExternalReference(sheet.film.as_uri(), _range(sheet, 0, sheet.frames))
    return otio.schema.Clip(sheet.film.name, media, _range(sheet, first, length))


def _range(sheet: Sheet, first: int, length: int) -> TimeRange:
    rate = float(sheet.rate)
    return TimeRange(RationalTime(first, rate), RationalTime(length, rate))
