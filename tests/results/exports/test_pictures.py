"""Folders of pictures: the right faces, with regions that others can read."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from tests.results.exports.sheets import EVIL, sheet_of
from tests.results.small_film import drawn_face
from tests.synthetic import DrawnFace, DrawnShot, draw_film
from videoclusternet.durable import write_folder
from videoclusternet.errors import InputError
from videoclusternet.records import Array, Crops
from videoclusternet.results.exports.formats import FOLDERS
from videoclusternet.results.exports.overlay import Overlay
from videoclusternet.results.exports.pictures import to_xmp, with_xmp
from videoclusternet.results.exports.sheet import Sheet
from videoclusternet.video.stream import Video, open_video


def crops_of(sheet: Sheet) -> Crops:
    """Return the crops that the sheet's people were chosen by: one a track, where it begins."""
    first = sheet.tracks.spans[:, 0]
    count = sheet.tracks.count
    return Crops(
        np.stack([np.full((16, 16, 3), 30 * n, np.uint8) for n in range(count)]),
        np.arange(count), first, np.ones(count, np.float32), np.ones(count, np.float32),
        np.ones(count, np.int64),
    )  # fmt: skip


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "film.mp4"
    face = DrawnFace(drawn_face(3), (600.0, 300.0))
    draw_film(path, [DrawnShot(200, 1, faces=[face]), DrawnShot(520, 2)], size=(1280, 720))
    return path


def no_film() -> Video:
    raise AssertionError("nobody asked for the film")


def test_every_face_lies_in_the_folder_of_its_person(tmp_path: Path) -> None:
    sheet = sheet_of()
    crops = crops_of(sheet)
    assert write_folder(tmp_path / "out", FOLDERS["faces"].files(sheet, crops, no_film)) == 5
    folders = sorted(path.name for path in (tmp_path / "out").iterdir())
    assert folders == ["001-Ada-b-x-b-Éva", "002-Bo", "003-Person-3"]
    lights = {
        path.name: round(cv2.imread(str(path)).mean() / 30)
        for path in (tmp_path / "out" / folders[2]).iterdir()
    }
    assert lights == {"00000120-3.jpg": 3, "00000600-4.jpg": 4}


def test_stills_show_their_moment_and_say_who_is_where(film: Path, tmp_path: Path) -> None:
    sheet = sheet_of()
    files = FOLDERS["stills"].files(sheet, crops_of(sheet), lambda: open_video(film))
    assert write_folder(tmp_path / "out", files) == 10  # five pictures, each with a sidecar
    path = tmp_path / "out" / "002-Bo" / "00000120.jpg"
    shown = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
    picture = next(islice(open_video(film).frames(), 120, None)).rgb()
    assert abs(shown.astype(int) - picture).mean() < 2
    with Image.open(path) as image:  # Pillow's reader of XMP
        described = image.getxmp()["xmpmeta"]["RDF"]["Description"]
    assert described["subject"]["Bag"]["li"] == ["Person 3", "=Bo"]
    regions = described["Regions"]["RegionList"]["Bag"]["li"]
    assert [region["Name"] for region in regions] == ["Person 3", "=Bo"]
    expected = {"x": 140 / 1280, "y": 145 / 720, "w": 40 / 1280, "h": 50 / 720}
    area = {key: float(regions[0]["Area"][key]) for key in expected}
    assert area == pytest.approx(expected, abs=1e-6)
    assert path.with_suffix(".xmp").read_bytes() in path.read_bytes()


def test_a_film_that_is_too_short_is_not_the_one(tmp_path: Path) -> None:
    path = tmp_path / "short.mp4"
    draw_film(path, [DrawnShot(10, 1)], size=(1280, 720))
    sheet = sheet_of()
    with pytest.raises(InputError, match="name the film of this run with --film"):
        write_folder(
            tmp_path / "out",
            FOLDERS["stills"].files(sheet, crops_of(sheet), lambda: open_video(path)),
        )
    assert [one.name for one in tmp_path.iterdir()] == ["short.mp4"]


def test_nobody_makes_an_empty_folder(tmp_path: Path) -> None:
    sheet = sheet_of(least=1e9)
    for name, row in FOLDERS.items():
        assert write_folder(tmp_path / name, row.files(sheet, crops_of(sheet), no_film)) == 0
        assert (tmp_path / name).is_dir()
        with pytest.raises(InputError, match="already something"):
            write_folder(tmp_path / name, ())


def test_more_names_than_a_jpeg_has_room_for(tmp_path: Path) -> None:
    packet = to_xmp(sheet_of(), [(EVIL, np.zeros(4))] * 200)
    with pytest.raises(ValueError, match="bytes of XMP"):
        with_xmp(b"\xff\xd8\xff\xd9", packet)


@dataclass
class Still:
    """A frame that is a grey picture."""

    index: int
    size: tuple[int, int] = (720, 1280)

    def rgb(self) -> Array:
        return np.full((*self.size, 3), 90, np.uint8)


def changed(image: Array) -> Array:
    return np.any(image != 90, axis=2)


def test_boxes_and_names_are_drawn_where_faces_are() -> None:
    sheet = sheet_of()
    drawn = Overlay(sheet, strangers=True)
    image = drawn.draw(Still(120))  # type: ignore[arg-type]
    rows, columns = np.nonzero(changed(image))
    assert 117 <= columns.min() <= 121  # the box of frame 120 begins there
    assert rows.max() <= 173
    assert rows.min() < 112  # a name stands over it
    assert not changed(drawn.draw(Still(200 - 15))).any()  # type: ignore[arg-type]
    stranger = drawn.draw(Still(215))  # type: ignore[arg-type]
    assert changed(stranger).any()
    assert np.ptp(stranger[changed(stranger)].astype(int), axis=1).max() == 0  # in grey
    alone = Overlay(sheet, strangers=False)
    assert not changed(alone.draw(Still(215))).any()  # type: ignore[arg-type]


@pytest.mark.parametrize("size", [(16, 16), (2, 2), (721, 33)])
def test_a_small_picture_is_drawn_in_all_the_same(size: tuple[int, int]) -> None:
    image = Overlay(sheet_of(), strangers=True).draw(Still(0, size))  # type: ignore[arg-type]
    assert image.shape == (*size, 3)
