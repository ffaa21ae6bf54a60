"""Exports as folders of pictures: faces to train on, and stills that say who is in them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from xml.etree.ElementTree import Element, SubElement, register_namespace, tostring

import numpy as np

from videoclusternet.errors import InputError
from videoclusternet.records import Array, Crops
from videoclusternet.results.drawing import jpeg
from videoclusternet.results.exports.sheet import Sheet, plain
from videoclusternet.results.people import Person
from videoclusternet.video.frame import Frame
from videoclusternet.video.stream import Video

Files = Iterator[tuple[str, bytes]]
"""Path inside the folder, and contents."""

QUALITY = 92  # of JPEG
SPACES = {
    "x": "adobe:ns:meta/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "dc": "http://purl.org/dc/elements/1.1/",
    "mwg-rs": "http://www.metadataworkinggroup.com/schemas/regions/",
    "stDim": "http://ns.adobe.com/xap/1.0/sType/Dimensions#",
    "stArea": "http://ns.adobe.com/xmp/sType/Area#",
    "Iptc4xmpExt": "http://iptc.org/std/Iptc4xmpExt/2008-02-29/",
}
XMP = b"http://ns.adobe.com/xap/1.0/\0"  # how a JPEG says that a packet of XMP follows


def faces(sheet: Sheet, crops: Crops, _: Callable[[], Video]) -> Files:
    """Yield every crop of the chosen people, a folder for each: as face recognisers train on."""
    for person in sheet.people:
        for row in np.flatnonzero(np.isin(crops.track, person.tracks)).tolist():
            track, frame = int(crops.track[row]), int(crops.frame[row])
            name = f"{_folder(person)}/{frame:08}-{track}.jpg"
            yield name, jpeg(crops.images[row], QUALITY)


def stills(sheet: Sheet, crops: Crops, film: Callable[[], Video]) -> Files:
    """Yield the most telling moments of the chosen people as whole pictures, upright.

    Names and boxes of all of them who are seen stand in the picture and in a sidecar beside it, as
    the Metadata Working Group wrote down (regions, in XMP). Raises InputError where the film is
    not the one of the run, or cannot be read.
    """
    wanted: dict[int, set[str]] = {}
    for person in sheet.people:
        for row in person.faces:
            wanted.setdefault(int(crops.frame[row]), set()).add(_folder(person))
    seen = _seen(sheet, set(wanted))
    for picture in _pictures(film, set(wanted)):
        packet = to_xmp(sheet, seen[picture.index])
        image = with_xmp(jpeg(picture.rgb(), QUALITY), packet)
        for folder in sorted(wanted[picture.index]):
            yield f"{folder}/{picture.index:08}.jpg", image
            yield f"{folder}/{picture.index:08}.xmp", packet


def _seen(sheet: Sheet, wanted: set[int]) -> dict[int, list[tuple[str, Array]]]:
    """Return name and box of all who are seen in each of these frames."""
    seen: dict[int, list[tuple[str, Array]]] = {frame: [] for frame in wanted}
    for person in sheet.people:
        for one in sheet.followed(person):
            frames, boxes, _ = one.everywhere()
            for frame, box in zip(frames.tolist(), boxes, strict=True):
                if frame in seen:
                    seen[frame].append((person.name, box))
    return seen


def _pictures(film: Callable[[], Video], wanted: set[int]) -> Iterator[Frame]:
    """Yield these frames of the film, which is opened only where there are any.

    They are counted from its start: only so they are surely those of the run.
    """
    if not wanted:
        return
    last = max(wanted)
    for picture in film().frames():
        if picture.index in wanted:
            yield picture
        if picture.index == last:
            return
    raise InputError("The film ends before its last face: name the film of this run with --film.")


def to_xmp(sheet: Sheet, seen: list[tuple[str, Array]]) -> bytes:
    """Return a packet of XMP with a region for each face: name, and box in pixels."""
    for short, long in SPACES.items():
        register_namespace(short, long)
    meta = Element(_name("x:xmpmeta"))
    about = SubElement(SubElement(meta, _name("rdf:RDF")), _name("rdf:Description"))
    about.set(_name("rdf:about"), "")
    for what in ("dc:subject", "Iptc4xmpExt:PersonInImage"):
        bag = SubElement(SubElement(about, _name(what)), _name("rdf:Bag"))
        for name, _ in seen:
            SubElement(bag, _name("rdf:li")).text = plain(name)
    regions = _resource(about, "mwg-rs:Regions")
    size = {"w": str(sheet.width), "h": str(sheet.height), "unit": "pixel"}
    _resource(regions, "mwg-rs:AppliedToDimensions", "stDim", size)
    bag = SubElement(SubElement(regions, _name("mwg-rs:RegionList")), _name("rdf:Bag"))
    for name, box in seen:
        face = _resource(bag, "rdf:li", "mwg-rs", {"Name": plain(name), "Type": "Face"})
        left, top, right, bottom = (box / ([sheet.width, sheet.height] * 2)).clip(0, 1).tolist()
        area = {
            "x": f"{(left + right) / 2:.6f}", "y": f"{(top + bottom) / 2:.6f}",
            "w": f"{right - left:.6f}", "h": f"{bottom - top:.6f}", "unit": "normalized",
        }  # fmt: skip
        _resource(face, "mwg-rs:Area", "stArea", area)
    begin, end = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>', '<?xpacket end="w"?>'
    return f"{begin}\n{tostring(meta, encoding='unicode')}\n{end}\n".encode()


def _resource(
    parent: Element, name: str, space: str = "", values: dict[str, str] | None = None
) -> Element:
    one = SubElement(parent, _name(name), {_name("rdf:parseType"): "Resource"})
    for key, value in (values or {}).items():
        SubElement(one, _name(f"{space}:{key}")).text = value
    return one


def _name(short: str) -> str:
    space, _, name = short.partition(":")
    return f"{{{SPACES[space]}}}{name}"


def with_xmp(jpeg: bytes, packet: bytes) -> bytes:
    """Put a packet of XMP into a JPEG, in a segment behind its start (XMP specification, part 3).

    Raises ValueError for more than the 65,502 bytes that there is room for.
    """
    segment = XMP + packet
    if len(segment) + 2 > 0xFFFF:
        raise ValueError(f"{len(packet)} bytes of XMP")
    return jpeg[:2] + b"\xff\xe1" + (len(segment) + 2).to_bytes(2, "big") + segment + jpeg[2:]


def _folder(person: Person) -> str:
    """Return a name for a folder that every system takes; its number keeps people apart."""
    name = re.sub(r"\W+", "-", person.name)[:40].strip("-")
    return f"{person.number:03}-{name}".rstrip("-")
