"""The formats that a run can be exported to: literal tables; one of your own is a row here."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from videoclusternet.records import Crops
from videoclusternet.results.exports import editing, pictures, tables, text, vision
from videoclusternet.results.exports.sheet import Sheet
from videoclusternet.results.people import appearances_csv, to_json
from videoclusternet.video.stream import Video


@dataclass(frozen=True)
class Format:
    """One way to tell who is in a film and when."""

    about: str  # for whom, and what
    write: Callable[[Sheet], str | bytes]

    def bytes_of(self, sheet: Sheet) -> bytes:
        """Return the file."""
        made = self.write(sheet)
        return made.encode() if isinstance(made, str) else made


@dataclass(frozen=True)
class Folder:
    """One way to show who is in a film, as pictures."""

    about: str
    files: Callable[[Sheet, Crops, Callable[[], Video]], pictures.Files]


FORMATS = {
    "csv": Format("spreadsheets: a row for each appearance", lambda s: appearances_csv(s.people)),
    "json": Format(
        "programs: people.json, as docs/people.schema.json says",
        lambda s: json.dumps(to_json(s.people), indent=1) + "\n",
    ),
    "parquet": Format("pandas, DuckDB, Spark: a row for each appearance", tables.to_parquet),
    "otio": Format("OpenTimelineIO: markers on the film", editing.to_otio),
    "fcpxml": Format("Final Cut Pro: keywords and markers on the film", editing.to_fcpxml),
    "fcp7": Format("Premiere, Final Cut 7 (XML): markers on the film", editing.to_fcp7),
    "edl": Format("DaVinci Resolve: timeline markers", editing.to_edl),
    "avid": Format("Avid Media Composer: markers as text", editing.to_avid),
    "stringout": Format("OpenTimelineIO: every moment, cut together", editing.to_stringout),
    "stringout-edl": Format("CMX 3600: every moment, cut together", editing.to_stringout_edl),
    "vtt": Format("WebVTT: who is on the screen, for players", text.to_webvtt),
    "vtt-metadata": Format("WebVTT: the same as JSON, for pages", text.to_webvtt_metadata),
    "srt": Format("SubRip: the same as subtitles", text.to_srt),
    "chapters": Format("FFmpeg: chapters to put into a film", text.to_chapters),
    "nfo": Format("Kodi, Jellyfin: the cast beside a film", text.to_nfo),
    "xray": Format("players: who is on the screen, as one JSON object", text.to_xray),
    "rttm": Format("RTTM: diarisation tools, a line for each appearance", text.to_rttm),
    "eaf": Format("ELAN: a tier for each person", text.to_eaf),
    "mot": Format("MOT Challenge: boxes with identities, every frame", vision.to_mot),
    "coco": Format("COCO: boxes with people as categories", vision.to_coco),
    "cvat": Format("CVAT (XML for video): tracks labelled with people", vision.to_cvat),
    "labelstudio": Format("Label Studio: tracks as predictions", vision.to_label_studio),
    "fiftyone": Format("FiftyOne (ETA VideoLabels): boxes of every frame", vision.to_fiftyone),
}

FOLDERS = {
    "faces": Folder("a folder for each person, with every crop", pictures.faces),
    "stills": Folder("a folder for each person, with pictures and XMP regions", pictures.stills),
}

ALL: dict[str, Format | Folder] = {**FORMATS, **FOLDERS}
