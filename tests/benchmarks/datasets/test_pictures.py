"""Folders of pictures: which track is whose, and what the network is shown."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

import videoclusternet as vcn
from benchmarks.datasets import DATASETS, Network, load_dataset
from benchmarks.datasets.pictures import load_pictures, read_pictures

NAMES = "track,name\n2,Ann\n10,Bob\na,?\nlost,Ann\n"


def draw(path, grey=0, shape=(8, 8)):
    path.parent.mkdir(parents=True, exist_ok=True)
    picture = np.full((*shape, 3), grey, np.uint8)
    assert cv2.imwrite(str(path), picture)


def write_film(folder, names=NAMES):
    for track, pictures in {"2": ["10.png", "9.png"], "10": ["x.PNG"], "a": ["1.png"]}.items():
        for picture in pictures:
            draw(folder / "tracks" / track / picture, len(picture) * 10)
    draw(folder / "tracks" / "extra" / "1.jpg", 200)
    (folder / "tracks" / "2" / "about.txt").write_text("no picture")
    (folder / "tracks" / "2" / "._9.png").write_text("of a system")
    (folder / "tracks" / "empty").mkdir()
    (folder / "names.csv").write_bytes(names.encode())
    return folder


def brightness(images):
    return images.reshape(len(images), -1)[:, :2].astype(np.float64)


NETWORK = Network(brightness, 4)


def test_a_film_is_read(tmp_path):
    film = read_pictures(write_film(tmp_path / "film"), 4)
    assert film.name == "film"
    assert film.ids == ("2", "10", "a", "empty", "extra", "lost")
    assert film.names == ("Ann", "Bob", "", "", "", "Ann")
    assert film.crops.images.shape == (5, 4, 4, 3)
    assert film.crops.counts.tolist() == [2, 1, 1, 0, 1, 0]
    values = film.crops.images[:, 0, 0, 0].tolist()
    assert values[:4] == [50, 60, 50, 50]  # 9.png is before 10.png
    assert abs(values[4] - 200) < 3


def test_a_network_sees_it(tmp_path):
    film = load_pictures(write_film(tmp_path / "film"), NETWORK)
    assert film.kept.tolist() == [0, 1, 2, 4]
    assert film.names.tolist() == ["Ann", "Bob", "", ""]
    assert film.without_crops == 2
    assert film.tracks.embeddings.dtype == np.float32
    assert film.tracks.embeddings[:4, 0].tolist() == [50, 60, 50, 50]
    assert not film.tracks.together.any()


def test_frames_may_be_told(tmp_path):
    names = "first,track,last,name\r\n3,2,9,Ann\r\n9,10,9,Bob\r\n,a,,Cid\r\n"
    film = load_pictures(write_film(tmp_path, names), NETWORK)
    assert film.tracks.first.tolist() == [3, 9, 10, 11]
    assert film.tracks.last.tolist() == [9, 9, 10, 11]
    assert film.tracks.together[0].tolist() == [False, True, False, False]


@pytest.mark.parametrize(
    ("shape", "size"), [((8, 4), 8), ((4, 8), 8), ((100, 50), 20), ((1, 300), 10), ((3, 3), 7)]
)
def test_pictures_become_square_and_keep_their_shape(tmp_path, shape, size):
    write_film(tmp_path)
    draw(tmp_path / "tracks" / "2" / "9.png", 255, shape)
    image = read_pictures(tmp_path, size).crops.images[0]
    assert image.shape == (size, size, 3)
    tall, wide = (max(1, round(side * size / max(shape))) for side in shape)
    assert np.count_nonzero(image[:, :, 0].any(axis=1)) == tall
    assert np.count_nonzero(image[:, :, 0].any(axis=0)) == wide
    middle = (size - 1) // 2
    assert image[middle, middle].tolist() == [255, 255, 255]


def test_red_is_red(tmp_path):
    write_film(tmp_path)
    picture = np.zeros((4, 4, 3), np.uint8)
    picture[..., 2] = 255  # OpenCV writes blue first
    cv2.imwrite(str(tmp_path / "tracks" / "2" / "9.png"), picture)
    assert read_pictures(tmp_path, 4).crops.images[0, 0, 0].tolist() == [255, 0, 0]


@pytest.mark.parametrize("names", ["track,name\n", "track,name\n1,Ann\n"])
def test_a_film_may_have_no_tracks(tmp_path, names):
    (tmp_path / "tracks").mkdir()
    (tmp_path / "names.csv").write_text(names)
    film = load_pictures(tmp_path, NETWORK)
    assert len(film.tracks) == 0
    assert len(film.ids) == names.count("Ann")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ("track;name\n2;Ann\n", "Line 1 .*lacks the column 'track'"),
        ("track,name\n2,Ann\n2,Bob\n", "Line 3 .*'2' for the second time"),
        ("track,name\n,Ann\n", "Line 2 .*names no track"),
        ("track,name\n02,Ann\n010,Bob\n", "names none of the tracks"),
        ("track,name,first,last\n2,Ann,5,4\n", "Line 2 .*ends before it begins"),
        ("track,name,first,last\n2,Ann,5,\n", "Line 2 .*'' for a frame number"),
        ("track,name,first\n2,Ann,5\n", "Line 2 .*'' for a frame number"),
        ("track,name,first,last\n2,Ann,x,9\n", "Line 2 .*'x' for a frame number"),
    ],
)
def test_a_damaged_list_names_its_line(tmp_path, names, message):
    with pytest.raises(vcn.InputError, match=message) as caught:
        load_pictures(write_film(tmp_path, names), NETWORK)
    assert "names.csv" in str(caught.value)


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n" + b"\0" * 40])
def test_a_damaged_picture_is_named(tmp_path, content):
    write_film(tmp_path)
    (tmp_path / "tracks" / "10" / "x.PNG").write_bytes(content)
    with pytest.raises(vcn.InputError, match=r"x\.PNG is no picture"):
        load_pictures(tmp_path, NETWORK)


def test_what_is_missing_is_said(tmp_path):
    with pytest.raises(vcn.InputError, match=r"no file .*names\.csv: a film is a folder"):
        load_pictures(tmp_path, NETWORK)
    (tmp_path / "names.csv").write_text(NAMES)
    with pytest.raises(vcn.InputError, match=r"no folder .*tracks: a film is a folder"):
        load_pictures(tmp_path, NETWORK)
    (tmp_path / "tracks" / "2" / "1.png").mkdir(parents=True)
    with pytest.raises(vcn.InputError, match=r"1\.png cannot be read"):
        load_pictures(tmp_path, NETWORK)


def test_a_network_that_loses_pictures_is_a_fault(tmp_path):
    film = read_pictures(write_film(tmp_path), 4)
    for wrong in (lambda images: images[:1, 0, 0], lambda images: images[:, 0]):
        with pytest.raises(ValueError, match="5 pictures were embedded as"):
            film.embedded(wrong)


def test_moviefacecluster_is_a_folder_of_films(tmp_path):
    for name in ("Movie 10", "Movie 9"):
        write_film(tmp_path / name)
    films = load_dataset("MovieFaceCluster", tmp_path, NETWORK)
    assert [film.name for film in films] == ["Movie 9", "Movie 10"]
    (tmp_path / "Movie 9" / "names.csv").unlink()
    with pytest.raises(vcn.InputError, match=r"Movie 9.names\.csv"):  # not one film fewer
        load_dataset("MovieFaceCluster", tmp_path, NETWORK)


def test_what_the_table_needs_is_said(tmp_path):
    with pytest.raises(vcn.UsageError, match="name the network"):
        load_dataset("MovieFaceCluster", tmp_path)
    with pytest.raises(vcn.UsageError, match="no data set 'BTB': there are BBT, BVS"):
        load_dataset("BTB", tmp_path)
    for name, row in DATASETS.items():
        with pytest.raises(vcn.InputError) as caught:
            load_dataset(name, tmp_path / "none", NETWORK)
        assert str(caught.value).endswith(f": {row.ask}.")
        assert row.name == name
