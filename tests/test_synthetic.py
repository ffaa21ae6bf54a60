from __future__ import annotations

import numpy as np

from tests.synthetic import DrawnFace, DrawnShot, draw_film
from videoclusternet.video.stream import open_video

RED = np.full((40, 30, 3), (250, 10, 10), np.uint8)


def drawn(path):
    face = DrawnFace(RED, start=(-20, 60), velocity=(12, 2), size=80, name="Red", frames=range(25))
    return draw_film(path, [DrawnShot(5, seed=1), DrawnShot(30, seed=2, faces=[face])])


def test_the_same_film_is_drawn_twice(tmp_path):
    one, other = drawn(tmp_path / "one.mp4"), drawn(tmp_path / "other.mp4")
    assert one == other
    assert (tmp_path / "one.mp4").read_bytes() == (tmp_path / "other.mp4").read_bytes()


def test_a_face_is_where_the_truth_says_and_nowhere_else(tmp_path):
    truth = drawn(tmp_path / "film.mp4")
    assert truth.first == [0, 5]
    assert truth.frame == list(range(5, 30))
    assert set(truth.name) == {"Red"}
    assert truth.box[0] == (0, 60, 40, 140)  # 60 x 80 pixels, a third of it outside
    pictures = [frame.rgb().astype(int) for frame in open_video(tmp_path / "film.mp4").frames()]
    for number, box in zip(truth.frame, truth.box, strict=True):
        red = np.abs(pictures[number] - RED[0, 0]).max(axis=2) < 60
        x1, y1, x2, y2 = box
        assert red[y1 + 2 : y2 - 2, x1 + 2 : x2 - 2].all()
        red[y1 - 2 : y2 + 2, max(0, x1 - 2) : x2 + 2] = False
        assert red.mean() < 0.02
