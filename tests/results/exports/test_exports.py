"""Each format is read back by somebody else's reader, and says what the film is."""

from __future__ import annotations

import csv
import io
import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import av
import duckdb
import jsonschema
import numpy as np
import opentimelineio as otio
import pytest
import srt
import webvtt
from pycocotools.coco import COCO
from pympi.Elan import Eaf

from tests.results.exports.sheets import EVIL, SEEN, sheet_of
from videoclusternet.errors import UsageError
from videoclusternet.results.exports.formats import FORMATS
from videoclusternet.results.exports.sheet import RATES, Sheet, rate_of, read_rate

NTSC = Fraction(24000, 1001)
DOCS = Path(__file__).parents[3] / "docs"
FRAMES = {  # first frame and the one after the last, of each appearance
    EVIL: [(0, 33), (240, 300)],
    "=Bo": [(120, 153)],
    "Person 3": [(120, 183), (600, 693)],
}


def told(rate: Fraction) -> list[tuple[str, float, float]]:
    """Return who appears from when to when, seconds, as everybody must read it."""
    pairs = [(name, a / rate, b / rate) for name, spans in FRAMES.items() for a, b in spans]
    return sorted((name, float(a), float(b)) for name, a, b in pairs)


def write(name: str, sheet: Sheet, folder: Path) -> Path:
    path = folder / f"people.{name}"
    path.write_bytes(FORMATS[name].bytes_of(sheet))
    return path


def read_csv(path: Path) -> list[tuple[str, float, float]]:
    rows = csv.DictReader(io.StringIO(path.read_bytes().decode()))
    return [
        (r["person"].removeprefix("'"), float(r["start_seconds"]), float(r["end_seconds"]))
        for r in rows
    ]


def read_json(path: Path) -> list[tuple[str, float, float]]:
    data = json.loads(path.read_text("utf-8"))
    jsonschema.validate(data, json.loads((DOCS / "people.schema.json").read_text()))
    return [(p["name"], a["start"], a["end"]) for p in data["people"] for a in p["appearances"]]


def read_rttm(path: Path) -> list[tuple[str, float, float]]:
    names = {name.replace(" ", "_"): name for name in FRAMES}
    rows = [line.split() for line in path.read_text("utf-8").splitlines()]
    assert {len(row) for row in rows} == {10}
    return [(names[r[7]], float(r[3]), float(r[3]) + float(r[4])) for r in rows]


def read_eaf(path: Path) -> list[tuple[str, float, float]]:
    eaf = Eaf(str(path))
    return [
        (tier, begin / 1000, end / 1000)
        for tier in eaf.get_tier_names()
        for begin, end, *_ in eaf.get_annotation_data_for_tier(tier)
    ]


def markers(timeline: otio.schema.Timeline) -> list[tuple[str, float, float]]:
    (clip,) = timeline.tracks[0]
    return [
        (m.name, m.marked_range.start_time.to_seconds(),
         m.marked_range.end_time_exclusive().to_seconds())
        for m in clip.markers
    ]  # fmt: skip


def read_otio(path: Path) -> list[tuple[str, float, float]]:
    return markers(otio.adapters.read_from_file(str(path), "otio_json"))


def read_fcp7(path: Path) -> list[tuple[str, float, float]]:
    return markers(otio.adapters.read_from_file(str(path), "fcp_xml"))


def read_fcpxml(path: Path) -> list[tuple[str, float, float]]:
    """Read the keywords. Where it can count the rate, OpenTimelineIO's adapter must see markers."""
    root = ElementTree.parse(path).getroot()
    found = [
        (
            k.get("value", ""),
            Fraction(k.get("start", "")[:-1]),
            Fraction(k.get("duration", "")[:-1]),
        )
        for k in root.iter("keyword")
    ]
    step = Fraction(root.find("resources/format").get("frameDuration")[:-1])  # type: ignore[union-attr,index]
    assert all((start / step).denominator == 1 for _, start, _ in found)
    (clip,) = otio.adapters.read_from_file(str(path), "fcpx_xml").find_clips()
    if step.numerator == 1:  # it cuts 23.976 down to 23
        begin = [(m.name, m.marked_range.start_time.to_seconds()) for m in clip.markers]
        assert begin == [(name, float(start)) for name, start, _ in found]
    return [(name, float(start), float(start + length)) for name, start, length in found]


def read_parquet(path: Path) -> list[tuple[str, float, float]]:
    return duckdb.sql(f"select person, start, \"end\" from '{path}'").fetchall()


@pytest.mark.parametrize("rate", [Fraction(25), NTSC, Fraction(30000, 1001), Fraction(60)])
@pytest.mark.parametrize(
    "read",
    [read_csv, read_json, read_rttm, read_eaf, read_otio, read_fcp7, read_fcpxml, read_parquet],
    ids=lambda r: r.__name__,
)
def test_every_appearance_is_read_back(
    read: Callable[[Path], list[tuple[str, float, float]]], rate: Fraction, tmp_path: Path
) -> None:
    path = write(read.__name__.removeprefix("read_"), sheet_of(rate), tmp_path)
    found = sorted(read(path))
    assert [name for name, *_ in found] == [name for name, *_ in told(rate)]
    times = [(a, b) for _, a, b in found], [(a, b) for _, a, b in told(rate)]
    np.testing.assert_allclose(*times, atol=0.0011)  # a millisecond, where one is written


FRAMES_OF = {0: EVIL, 1: "=Bo", 2: "Person 3", -1: None}  # by label
SEEN_BY_NOBODY = {frame for label, a, b in SEEN if label < 0 for frame in range(a, b + 1)}
STRETCHES = [
    (0, 33, {EVIL}), (120, 153, {"=Bo", "Person 3"}), (153, 183, {"Person 3"}),
    (240, 300, {EVIL}), (600, 693, {"Person 3"}),
]  # fmt: skip


def test_players_are_told_who_is_there(tmp_path: Path) -> None:
    """Chapters are read by FFmpeg, cues for programs by webvtt-py, the rest is JSON and XML."""
    sheet = sheet_of()
    with av.open(str(write("chapters", sheet, tmp_path)), format="ffmetadata") as film:
        chapters = [(c["start"], c["end"], c["metadata"]["title"]) for c in film.chapters()]
    cues = webvtt.read(str(write("vtt-metadata", sheet, tmp_path)))
    xray = json.loads(write("xray", sheet, tmp_path).read_text())
    called = {person["number"]: person["name"] for person in xray["people"]}
    assert len(chapters) == len(cues) == len(xray["times"]) == len(STRETCHES)
    for (first, stop, names), chapter, cue, time in zip(
        STRETCHES, chapters, cues, xray["times"], strict=True
    ):
        assert chapter[:2] == (first * 40, stop * 40)
        assert set(chapter[2].split(", ")) == names
        assert cue.start == f"00:00:{first / 25:06.3f}"
        assert {person["name"] for person in json.loads(cue.text)["people"]} == names
        assert (time["start"], time["end"]) == (first / 25, stop / 25)
        assert {called[number] for number in time["people"]} == names
    cast = ElementTree.parse(write("nfo", sheet, tmp_path)).findall("actor/name")
    assert [name.text for name in cast] == ["Person 3", EVIL, "=Bo"]


def test_subtitles_say_who_is_there(tmp_path: Path) -> None:
    sheet = sheet_of()
    cues = webvtt.read(str(write("vtt", sheet, tmp_path)))
    subtitles = [*srt.parse(write("srt", sheet, tmp_path).read_text("utf-8"))]
    assert len(cues) == len(subtitles) == len(STRETCHES)
    for cue, subtitle, (first, stop, names) in zip(cues, subtitles, STRETCHES, strict=True):
        assert (cue.start_in_seconds, cue.end_in_seconds) == (first // 25, stop // 25) or (
            cue.start == f"00:00:{first / 25:06.3f}"
        )
        assert subtitle.start.total_seconds() == first / 25
        assert subtitle.end.total_seconds() == stop / 25
        assert set(subtitle.content.split(", ")) == names
        assert "<b>" not in cue.raw_text


@pytest.mark.parametrize("rate", [Fraction(25), NTSC, Fraction(30000, 1001)])
def test_markers_of_an_edl_lie_on_their_frames(rate: Fraction, tmp_path: Path) -> None:
    path = write("edl", sheet_of(rate), tmp_path)
    text = path.read_text("utf-8")
    assert ("FCM: DROP FRAME" in text) == (rate == Fraction(30000, 1001))
    lines = text.splitlines()
    events = [line.split() for line in lines if line[:3].isdigit()]
    notes = [line for line in lines if "|M:" in line]
    hour = round(3600 * rate)
    firsts = [
        otio.opentime.from_timecode(event[6], float(rate)).to_frames() - hour for event in events
    ]
    assert firsts == [0, 120, 240, 600]
    assert "=Bo, Person 3" in notes[1]  # of one frame, so they are joined
    assert notes[1].endswith("|D:63")  # as long as the longer
    assert all(note.count("|") == 3 for note in notes)  # whatever is in a name


@pytest.mark.parametrize("rate", [Fraction(25), NTSC, Fraction(30000, 1001)])
def test_markers_of_avid_lie_on_their_frames(rate: Fraction, tmp_path: Path) -> None:
    text = write("avid", sheet_of(rate), tmp_path).read_text("utf-8")
    rows = [*csv.reader(io.StringIO(text), delimiter="\t", quoting=csv.QUOTE_NONE)]
    hour = round(3600 * rate)
    found = [
        (otio.opentime.from_timecode(code, float(rate)).to_frames() - hour, names, int(length))
        for _, code, _, _, names, length in rows
    ]
    both = "=Bo, Person 3"
    assert found == [(0, EVIL, 33), (120, both, 63), (240, EVIL, 60), (600, "Person 3", 93)]
    assert {row[2] for row in rows} == {"V1"}


@pytest.mark.parametrize("rate", [Fraction(25), NTSC])
def test_a_string_out_is_every_moment_cut_together(rate: Fraction, tmp_path: Path) -> None:
    sheet = sheet_of(rate, only=[EVIL])
    timeline = otio.adapters.read_from_file(str(write("stringout", sheet, tmp_path)), "otio_json")
    listed = otio.adapters.read_from_file(
        str(write("stringout-edl", sheet, tmp_path)), "cmx_3600", rate=float(rate)
    )
    for one in (timeline, listed):
        clips = [*one.tracks[0]]
        spans = [
            (c.source_range.start_time.to_frames(), c.source_range.end_time_exclusive().to_frames())
            for c in clips
        ]
        assert spans == FRAMES[EVIL]
    assert (
        timeline.tracks[0][0].media_reference.target_url == "file:///films/a%20film%20%5B1%5D.mp4"
    )


def test_boxes_are_those_of_every_frame(tmp_path: Path) -> None:
    sheet = sheet_of()
    rows = np.loadtxt(write("mot", sheet, tmp_path), delimiter=",")
    spans = [(label + 1, first, last) for label, first, last in SEEN if label >= 0]
    expected = sorted((frame + 1, p) for p, a, b in spans for frame in range(a, b + 1))
    assert sorted(map(tuple, rows[:, :2].astype(int).tolist())) == expected
    np.testing.assert_allclose(rows[:, 2], rows[:, 0], atol=0.01)  # the box goes with the frame
    np.testing.assert_allclose(rows[:, 4:6], [[40, 50]] * len(rows), atol=0.01)
    coco = COCO(str(write("coco", sheet, tmp_path)))
    assert len(coco.anns) == len(rows)
    assert {c["name"] for c in coco.cats.values()} == {EVIL, "=Bo", "Person 3"}
    image = coco.loadImgs(121)[0]
    assert (image["width"], image["height"], image["seconds"]) == (1280, 720, 4.84)
    both = coco.loadAnns(coco.getAnnIds(imgIds=[121]))
    assert sorted(a["category_id"] for a in both) == [2, 3]


LOOKED = {  # track: who, first and last frame
    track: (FRAMES_OF[label], first, last) for track, (label, first, last) in enumerate(SEEN)
}


def test_tools_for_labels_get_the_tracks(tmp_path: Path) -> None:
    """Of CVAT, Label Studio and FiftyOne; `python -m benchmarks readers` asks their own readers."""
    sheet = sheet_of()
    known = {track: one for track, one in LOOKED.items() if one[0]}
    root = ElementTree.parse(write("cvat", sheet, tmp_path)).getroot()
    assert [label.text for label in root.findall("meta/task/labels/label/name")] == [
        person.name for person in sheet.people
    ]
    tracks = root.findall("track")
    assert {int(t.get("id", "")): t.get("label") for t in tracks} == {
        track: name for track, (name, *_) in known.items()
    }
    for track in tracks:
        _, first, last = known[int(track.get("id", ""))]
        boxes = [(int(b.get("frame", "")), b.get("outside")) for b in track]
        assert boxes[0] == (first, "0")
        assert boxes[-1] == (last + 1, "1")
        assert {float(b.get("xbr", "")) - float(b.get("xtl", "")) for b in track} == {40.0}
    (task,) = json.loads(write("labelstudio", sheet, tmp_path).read_text())
    for result in task["predictions"][0]["result"]:
        name, first, last = known.pop(int(result["id"].removeprefix("track")))
        assert result["value"]["labels"] == [name]
        sequence = result["value"]["sequence"]
        assert (sequence[0]["frame"], sequence[-1]["frame"]) == (first + 1, last + 1)
        assert [row["enabled"] for row in sequence] == [True] * (len(sequence) - 1) + [False]
        assert sequence[0]["width"] == 3.125  # 40 of 1280 pixels, percent
        assert sequence[0]["x"] == round(first / 12.8, 4)
    assert not known
    frames = json.loads(write("fiftyone", sheet, tmp_path).read_text())["frames"]
    both = frames["122"]["objects"]["objects"]
    assert {(one["label"], one["index"]) for one in both} == {("=Bo", 2), ("Person 3", 3)}
    assert both[0]["bounding_box"]["top_left"] == {
        "x": round(121 / 1280, 6),
        "y": round(121 / 720, 6),
    }
    assert len(frames) == len(
        {f for _, a, b in LOOKED.values() for f in range(a, b + 1)} - SEEN_BY_NOBODY
    )


def test_a_film_of_varying_rate_is_told_by_its_own_clock(tmp_path: Path) -> None:
    """Every frame of the second half lasts twice as long: seconds are true, frames conformed."""
    times = np.concatenate([np.arange(360) / 25, 360 / 25 + np.arange(361) / 12.5])
    sheet = sheet_of(times=times)
    assert sheet.rate == 25
    rows = {name: (a, b) for name, a, b in read_csv(write("csv", sheet, tmp_path)) if b > 20}
    assert rows["Person 3"] == (14.4 + 240 / 12.5, 14.4 + 333 / 12.5)
    last = max(read_otio(write("otio", sheet, tmp_path)), key=lambda one: one[1])
    assert last == ("Person 3", 33.6, 41.04)
    firsts = write("edl", sheet, tmp_path).read_text("utf-8")
    assert "01:00:33:15" in firsts  # 33.6 s at 25 frames a second


def test_people_and_moments_are_chosen() -> None:
    assert [p.name for p in sheet_of(only=["=bo", "3", "=Bo"]).people] == ["=Bo", "Person 3"]
    assert {p.name for p in sheet_of(least=2.0).people} == {EVIL, "Person 3"}
    assert sheet_of(least=1e9).stretches() == []
    with pytest.raises(UsageError, match="'Nobody'"):
        sheet_of(only=["Nobody"])


@pytest.mark.parametrize("name", FORMATS)
def test_nobody_can_be_told_in_every_format(name: str) -> None:
    assert isinstance(FORMATS[name].bytes_of(sheet_of(least=1e9)), bytes)


@pytest.mark.parametrize("name", ["fcp7", "fcpxml", "eaf", "cvat", "nfo"])
def test_names_are_text_in_xml(name: str) -> None:
    sheet = replace(sheet_of(), film=Path("/films/\x01 & <b>\udcff.mp4"))
    ElementTree.fromstring(FORMATS[name].bytes_of(sheet))


@pytest.mark.parametrize("rate", RATES)
def test_the_rate_is_found_in_the_clock(rate: Fraction) -> None:
    rounded = np.round(np.arange(721) / float(rate), 6)  # as containers keep it
    assert rate_of(sheet_of(times=rounded).shots) == rate
    assert read_rate(f"{float(rate):.3f}") == rate


@pytest.mark.parametrize("text", ["", "x", "0", "-25", "1/0", "1e9", "nan"])
def test_a_rate_that_is_none(text: str) -> None:
    with pytest.raises(UsageError, match="no frame rate"):
        read_rate(text)


def test_a_rate_without_time_code_is_a_sentence() -> None:
    with pytest.raises(UsageError, match="--fps"):
        FORMATS["edl"].write(sheet_of(rate=Fraction(17)))


def test_a_spreadsheet_runs_nothing() -> None:
    rows = [*csv.reader(io.StringIO(FORMATS["csv"].write(sheet_of())))]
    assert not [cell for row in rows for cell in row if cell.startswith("=")]
