"""The formats that a run can be exported to: a literal table; one of your own is a row here."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from videoclusternet.results.exports import editing, text, vision
from videoclusternet.results.exports.sheet import Sheet
from videoclusternet.results.people import appearances_csv, to_json


@dataclass(frozen=True)
class Format:
    """One way to tell who is in a film and when."""

    about: str  # for whom, and what
    write: Callable[[Sheet], str]


FORMATS = {
    "csv": Format("spreadsheets: a row for each appearance", lambda s: appearances_csv(s.people)),
    "json": Format(
        "programs: people.json, as docs/people.schema.json says",
        lambda s: json.dumps(to_json(s.people), indent=1) + "\n",
    ),
    "otio": Format("OpenTimelineIO: markers on the film", editing.to_otio),
    "fcp7": Format("Premiere, Final Cut 7 (XML): markers on the film", editing.to_fcp7),
    "edl": Format("DaVinci Resolve: timeline markers", editing.to_edl),
    "stringout": Format("OpenTimelineIO: every moment, cut together", editing.to_stringout),
    "stringout-edl": Format("CMX 3600: every moment, cut together", editing.to_stringout_edl),
    "vtt": Format("WebVTT: who is on the screen, for players", text.to_webvtt),
    "srt": Format("SubRip: the same as subtitles", text.to_srt),
    "rttm": Format("RTTM: diarisation tools, a line for each appearance", text.to_rttm),
    "eaf": Format("ELAN: a tier for each person", text.to_eaf),
    "mot": Format("MOT Challenge: boxes with identities, every frame", vision.to_mot),
    "coco": Format("COCO: boxes with people as categories", vision.to_coco),
}
