"""Exports as text along the time of the film: subtitles, chapters, speech and annotation tools."""

from __future__ import annotations

import re
import tempfile
from html import escape
from pathlib import Path

from pympi.Elan import Eaf

from videoclusternet.results.exports.sheet import Sheet
from videoclusternet.results.people import timecode


def to_webvtt(sheet: Sheet) -> str:
    """Return WebVTT cues: who is on the screen, a cue for each change."""
    cues = []
    for one in sheet.stretches():
        names = escape(_listed(one.names), quote=False)
        cues.append(f"{timecode(one.start)} --> {timecode(one.end)}\n{names}\n")
    return "\n".join(["WEBVTT\n", *cues])


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
