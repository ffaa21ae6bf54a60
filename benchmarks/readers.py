"""Whether other tools read what is exported: each by its own reader, in an environment of its own.

These cannot be packages of the tests: most ask for another OpenCV than the program. What the tests
themselves read with is said in docs/exports.md.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.environment import Environment
from benchmarks.results_file import Goal, Row
from videoclusternet.durable import write_folder
from videoclusternet.results.exports.formats import FOLDERS, FORMATS
from videoclusternet.run_view import RunView, load_run


@dataclass(frozen=True)
class Reader:
    """A tool's own reader: what it finds, and what it should."""

    format: str
    package: str
    script: str  # is given the file, prints a number
    unit: str
    expected: Callable[[RunView], int]


def _appearances(view: RunView) -> int:
    return sum(len(person.appearances) for person in view.people)


def _tracks(view: RunView) -> int:
    return sum(len(person.tracks) for person in view.people)


def _boxes(view: RunView) -> int:
    spans = view.tracks.spans
    return sum(int(spans[t, 1] - spans[t, 0]) + 1 for p in view.people for t in p.tracks)


READERS = (
    Reader(
        "cvat", "datumaro==1.13.12",
        "from datumaro import Dataset; import os, shutil, tempfile\n"
        "folder = tempfile.mkdtemp(); shutil.copy(path, os.path.join(folder, 'annotations.xml'))\n"
        "read = Dataset.import_from(folder, 'cvat')\n"
        "print(len({a.attributes['track_id'] for item in read for a in item.annotations}))",
        "tracks", _tracks,
    ),
    Reader(
        "labelstudio", "label-studio-sdk==2.1.2",
        "import json; from label_studio_sdk.label_interface import LabelInterface\n"
        "told = json.load(open(path))[0]['predictions'][0]\n"
        "names = {name for one in told['result'] for name in one['value']['labels']}\n"
        "labels = ''.join(f'<Label value=\"{name}\"/>' for name in names)\n"
        "config = ('<View><Video name=\"video\" value=\"$video\"/><VideoRectangle name=\"box\" '\n"
        "  'toName=\"video\"/><Labels name=\"person\" toName=\"video\">'\n"
        "  + labels + '</Labels></View>')\n"
        "assert not LabelInterface(config).validate_prediction(told, return_errors=True)\n"
        "print(len(told['result']))",
        "tracks", _tracks,
    ),
    Reader(
        "fiftyone", "voxel51-eta==0.17.0",
        "from eta.core.video import VideoLabels\n"
        "print(sum(len(frame.objects) for frame in VideoLabels.from_json(path).iter_frames()))",
        "boxes", _boxes,
    ),
    Reader(
        "rttm", "pyannote.database==6.1.1",
        "from pyannote.database.util import load_rttm\n"
        "print(sum(len([*read.itertracks()]) for read in load_rttm(path).values()))",
        "appearances", _appearances,
    ),
    Reader(
        "eaf", "speach==0.1a15.post1",
        "from speach import elan\n"
        "print(sum(len(tier) for tier in elan.read_eaf(path)))",
        "appearances", _appearances,
    ),
)  # fmt: skip


def measure_readers(run: Path, work: Path) -> Iterator[Row]:
    """Export a run, have each reader count what it finds, and compare with what is there.

    Pictures are read by ExifTool. Raises ProgramFailedError where an environment cannot be made,
    or a reader refuses a file.
    """
    view = load_run(run)
    for reader in READERS:
        path = work / f"people.{reader.format}"
        path.write_bytes(FORMATS[reader.format].bytes_of(view.sheet()))
        environment = Environment(work, "reader", reader.package)
        found = int(environment.run("-c", f"path = {str(path)!r}\n{reader.script}"))
        there = reader.expected(view)
        name = f"readers.{reader.format} by {reader.package}"
        yield Row.of(name, found, reader.unit, Goal(there, there))
    with TemporaryDirectory(dir=work) as folder:
        yield _pictures(view, Path(folder))


def _pictures(view: RunView, folder: Path) -> Row:
    files = FOLDERS["stills"].files(view.sheet(), view.crops, view.open_film)
    count = write_folder(folder / "stills", files)
    told = subprocess.run(
        ["exiftool", "-json", "-r", "-RegionName", "-ext", "jpg", "-ext", "xmp", str(folder)],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    names = {person.name for person in view.people}
    read = [row.get("RegionName", []) for row in json.loads(told.stdout)]
    sets = [{one} if isinstance(one, str) else set(one) for one in read]
    known = sum(bool(one) and one <= names for one in sets)
    return Row.of("readers.stills by ExifTool", known, "files with regions", Goal(count, count))
