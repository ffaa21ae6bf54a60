"""Exports as text along the time of the film: players, speech and annotation tools."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable
from html import escape
from pathlib import Path
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from pympi.Elan import Eaf

from videoclusternet.results.exports.sheet import Sheet, Stretch, plain
from videoclusternet.results.people import timecode


def to_webvtt(sheet: Sheet) -> str:
    """Return WebVTT cues: who is on the screen, a cue for each change."""
    return _cues(sheet, lambda one: escape(_listed(one.names), quote=False))


def to_webvtt_metadata(sheet: Sheet) -> str:
    """Return the same cues for programs: a JSON object each, for a track of kind `metadata`."""

    def told(one: Stretch) -> str:
        people = [{"number": person.number, "name": person.name} for person in one.people]
        return json.dumps({"people": people}).replace(">", "\\u003e")  # an arrow would end the cue

    return _cues(sheet, told)


def _cues(sheet: Sheet, payload: Callable[[Stretch], str]) -> str:
    cues = [
        f"{timecode(one.start)} --> {timecode(one.end)}\n{payload(one)}\n"
        for one in sheet.stretches()
    ]
    return "\n".join(["WEBVTT\n", *cues])


def to_chapters(sheet: Sheet) -> str:
    """Return FFmpeg's metadata: a chapter for each time with somebody on the screen.

    `ffmpeg -i film.mkv -i people.chapters -map_metadata 1 -codec copy out.mkv` gives them to every
    player that knows chapters.
    """
    chapters = [
        f"[CHAPTER]\nTIMEBASE=1/1000\nSTART={round(1000 * one.start)}\n"
        f"END={round(1000 * one.end)}\ntitle={_quoted(_listed(one.names))}\n"
        for one in sheet.stretches()
    ]
    return "".join([";FFMETADATA1\n", *chapters])


def _quoted(text: str) -> str:
    return re.sub(r"([=;#\\\n])", r"\\\1", text)


def to_nfo(sheet: Sheet) -> str:
    """Return the cast as the NFO that Kodi and Jellyfin read beside a film, most time first."""
    root = Element("movie")
    SubElement(root, "title").text = plain(sheet.film.stem)
    SubElement(root, "runtime").text = str(round(sheet.seconds / 60))
    for n, person in enumerate(sheet.people):
        actor = SubElement(root, "actor")
        SubElement(actor, "name").text = plain(person.name)
        SubElement(actor, "order").text = str(n)
    indent(root)
    return tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def to_xray(sheet: Sheet) -> str:
    """Return who is on the screen at each time as one JSON object, for players."""
    people = [
        {"number": person.number, "name": person.name, "seconds": round(person.seconds, 3)}
        for person in sheet.people
    ]
    times = [
        {"start": round(one.start, 3), "end": round(one.end, 3),
         "people": [person.number for person in one.people]}
        for one in sheet.stretches()
    ]  # fmt: skip
    told = {"film": sheet.film.name, "seconds": sheet.seconds, "people": people, "times": times}
    return json.dumps(told) + "\n"


def to_srt(sheet: Sheet) -> str:
    """Return the same as SubRip."""
    return "\n".join(
        f"{n}\n{_comma(one.start)} --> {_comma(one.end)}\n{_listed(one.names)}\n"
        for n, one in enumerate(sheet.stretches(), 1)
    )


def _comma(seconds: float) -> str:
    return timecode(seconds).replace(".", ",")


def _listed(names: tuple[str, ...]) -> str:
    return ", ".join(names)


def to_rttm(sheet: Sheet) -> str:
    """Return RTTM (NIST), a line for each appearance; what is no word character becomes `_`."""
    film = _word(sheet.film.stem)
    lines = []
    for person, one in sheet.appearances():
        when = f"{one.start:.3f} {one.end - one.start:.3f}"
        lines.append(f"SPEAKER {film} 1 {when} <NA> <NA> {_word(person.name)} <NA> <NA>\n")
    return "".join(lines)


def _word(text: str) -> str:
    return re.sub(r"\s+", "_", text) or "_"


def to_eaf(sheet: Sheet) -> str:
    """Return an ELAN file with a tier for each person; the film is linked where it was."""
    eaf = Eaf(author="VideoClusterNet")
    eaf.remove_tier("default")
    eaf.add_linked_file(sheet.film.as_uri(), mimetype="video/mp4")
    for person in sheet.people:
        eaf.add_tier(person.name)
    for person, one in sheet.appearances():
        start, end = round(1000 * one.start), round(1000 * one.end)
        eaf.add_annotation(person.name, start, max(end, start + 1), person.name)
    with tempfile.TemporaryDirectory(prefix="vcn-") as folder:
        path = Path(folder) / "people.eaf"
        eaf.to_file(str(path))
        return path.read_text("utf-8")
