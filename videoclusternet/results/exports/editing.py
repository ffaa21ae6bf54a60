"""Exports for editing programs: markers on the film, and every moment of somebody cut together."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from xml.etree.ElementTree import Element, SubElement, indent, tostring

import opentimelineio as otio
from opentimelineio.opentime import RationalTime, TimeRange, to_timecode

from videoclusternet.errors import UsageError
from videoclusternet.results.exports.sheet import Sheet, plain

HOUR = 3600  # seconds at which editing programs begin a timeline
COLOURS = (  # of Resolve's markers
    "Blue", "Cyan", "Green", "Yellow", "Red", "Pink", "Purple", "Fuchsia",
    "Rose", "Lavender", "Sky", "Mint", "Lemon", "Sand", "Cocoa", "Cream",
)  # fmt: skip
AVID_COLOURS = ("Red", "Green", "Blue", "Cyan", "Magenta", "Yellow", "Black", "White")
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
    start = round(HOUR * sheet.rate)
    events = []
    for n, (first, length, place, names) in enumerate(_joined(sheet), 1):
        codes = [_code(sheet, start + first), _code(sheet, start + first + 1)] * 2
        colour, said = COLOURS[place % len(COLOURS)], names.replace("|", "/")
        events.append(
            f"{n:03}  001      V     C        {' '.join(codes)}\n"
            f" |C:ResolveColor{colour} |M:{said} |D:{length}\n"
        )
    return _head(sheet) + "\n".join(events)


def to_avid(sheet: Sheet) -> str:
    """Return the markers for Avid Media Composer (import in the Markers window), as `to_edl` does.

    A line for each: who made it, time code, track, colour, comment, length in frames.
    """
    start = round(HOUR * sheet.rate)
    return "".join(
        f"VideoClusterNet\t{_code(sheet, start + first)}\tV1\t"
        f"{AVID_COLOURS[place % len(AVID_COLOURS)]}\t{names}\t{length}\n"
        for first, length, place, names in _joined(sheet)
    )


def to_fcpxml(sheet: Sheet) -> str:
    """Return FCPXML 1.10: a keyword as long as each appearance, and a marker where it begins.

    In Final Cut Pro keywords have a length and gather in collections, markers can be walked.
    """
    root = Element("fcpxml", version="1.10")
    resources = SubElement(root, "resources")
    length = _span(sheet, 0, sheet.frames)
    picture = {"width": str(sheet.width), "height": str(sheet.height)}
    step = {"frameDuration": _ratio(1 / sheet.rate)}
    SubElement(resources, "format", {"id": "r1"} | step | picture)
    name = {"name": _title(sheet)}
    about = {"id": "r2", "hasVideo": "1", "format": "r1"}
    asset = SubElement(resources, "asset", about | name | length)
    SubElement(asset, "media-rep", kind="original-media", src=sheet.film.as_uri())
    project = SubElement(SubElement(SubElement(root, "library"), "event", name), "project", name)
    code = {"tcFormat": "DF" if float(sheet.rate) in DROPPED else "NDF"}
    about = {"format": "r1", "duration": length["duration"], "tcStart": "0s", **code}
    spine = SubElement(SubElement(project, "sequence", about), "spine")
    clip = SubElement(spine, "asset-clip", {"ref": "r2", "offset": "0s"} | name | length | code)
    for kind in ("marker", "keyword"):
        for person, one in sheet.appearances():
            first, frames = sheet.span(one)
            span = _span(sheet, first, 1 if kind == "marker" else frames)
            SubElement(clip, kind, span | {"value": plain(person.name)})
    indent(root)
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<!DOCTYPE fcpxml>\n'
    return head + tostring(root, encoding="unicode") + "\n"


def _span(sheet: Sheet, first: int, length: int) -> dict[str, str]:
    return {"start": _ratio(first / sheet.rate), "duration": _ratio(length / sheet.rate)}


def _ratio(seconds: Fraction) -> str:
    over = f"/{seconds.denominator}" if seconds.denominator > 1 else ""
    return f"{seconds.numerator}{over}s"


def _joined(sheet: Sheet) -> Iterator[tuple[int, int, int, str]]:
    """Yield who appears on one frame: frame, longest length, place of the first, names."""
    begin: dict[int, list[tuple[str, int]]] = {}
    for person, one in sheet.appearances():
        first, length = sheet.span(one)
        begin.setdefault(first, []).append((person.name, length))
    place = {person.name: n for n, person in enumerate(sheet.people)}
    for first, here in sorted(begin.items()):
        names = ", ".join(_one_line(name) for name, _ in here)
        yield first, max(length for _, length in here), place[here[0][0]], names


def _head(sheet: Sheet) -> str:
    dropped = float(sheet.rate) in DROPPED
    return f"TITLE: {_title(sheet)}\nFCM: {'' if dropped else 'NON-'}DROP FRAME\n\n"


def _code(sheet: Sheet, frame: int) -> str:
    rate = float(sheet.rate)
    try:
        code: str = to_timecode(RationalTime(frame, rate), rate, rate in DROPPED)
    except ValueError:
        raise UsageError(
            f"No time code counts {rate:g} frames a second: name a rate with --fps."
        ) from None
    return code


def _title(sheet: Sheet) -> str:
    return _one_line(plain(sheet.film.stem))


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _events(sheet: Sheet) -> Sequence[tuple[int, int, int, int]]:
    """Return first and last frame in the film and in the list of each moment."""
    events, at = [], round(HOUR * sheet.rate)
    for first, length in map(sheet.span, sheet.moments()):
        events.append((first, first + length, at, at + length))
        at += length
    return events


def _marked(sheet: Sheet) -> otio.schema.Timeline:
    clip = _clip(sheet, 0, sheet.frames)
    for person, one in sheet.appearances():
        marker = otio.schema.Marker(name=person.name, marked_range=_range(sheet, *sheet.span(one)))
        marker.metadata["videoclusternet"] = {"person": person.number}
        clip.markers.append(marker)
    return _timeline(sheet, [clip])


def _strung(sheet: Sheet) -> otio.schema.Timeline:
    return _timeline(sheet, [_clip(sheet, *sheet.span(one)) for one in sheet.moments()])


def _timeline(sheet: Sheet, clips: Sequence[otio.schema.Clip]) -> otio.schema.Timeline:
    timeline = otio.schema.Timeline(name=_title(sheet))
    timeline.tracks.append(otio.schema.Track(kind=otio.schema.TrackKind.Video, children=clips))
    return timeline


def _clip(sheet: Sheet, first: int, length: int) -> otio.schema.Clip:
    media = otio.schema.ExternalReference(sheet.film.as_uri(), _range(sheet, 0, sheet.frames))
    return otio.schema.Clip(plain(sheet.film.name), media, _range(sheet, first, length))


def _range(sheet: Sheet, first: int, length: int) -> TimeRange:
    rate = float(sheet.rate)
    return TimeRange(RationalTime(first, rate), RationalTime(length, rate))
