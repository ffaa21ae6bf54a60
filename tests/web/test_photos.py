"""Photographs of the cast, and of somebody who is looked for."""

from __future__ import annotations

import re
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest

from tests.web.conftest import Served
from videoclusternet.errors import InputError
from videoclusternet.run_view import RunView
from videoclusternet.video.stream import open_video
from videoclusternet.web.photos import find_people, propose, read_cast
from videoclusternet.web.session import Session


def photo_of(run: RunView, person: int) -> bytes:
    """Take a picture of somebody alone out of the film, as a photograph."""
    people = {one.number: one for one in run.people}
    crops, tracks = run.crops, run.tracks
    row = people[person].faces[0]
    frame = int(crops.frame[row])
    look = np.flatnonzero((tracks.track == crops.track[row]) & (tracks.frame == frame))[0]
    video = open_video(run.manifest.film.path)
    start = float(run.shots.times[frame])
    picture = next(iter(video.moment(start, start + 1))).rgb(2000)
    left, top, right, bottom = (int(x) for x in tracks.box[look])
    wide = (right - left) // 2
    picture = picture[max(0, top - wide) : bottom + wide, max(0, left - wide) : right + wide]
    return cv2.imencode(".jpg", cv2.cvtColor(picture, cv2.COLOR_RGB2BGR))[1].tobytes()


def test_everybody_is_found_by_a_photograph(demo_run: RunView, folder: Path) -> None:
    now = Session(folder).now()
    found = {
        person: find_people(now, [photo_of(demo_run, person)])[0].person for person in (1, 2, 3)
    }
    assert found == {1: 1, 2: 2, 3: 3}


def test_the_cast_proposes_names(demo_run: RunView, folder: Path, tmp_path: Path) -> None:
    lines = ["name,photo", "Ada,ada.jpg", "Bo,bo.jpg", '"Nobody, yet",']
    (tmp_path / "ada.jpg").write_bytes(photo_of(demo_run, 2))
    (tmp_path / "bo.jpg").write_bytes(photo_of(demo_run, 4))
    (tmp_path / "cast.csv").write_text("\n".join(lines))
    cast = read_cast(tmp_path / "cast.csv")
    assert list(cast) == ["Ada", "Bo", "Nobody, yet"]
    session = Session(folder, cast=list(cast))
    session.likely = propose(session.now(), cast)
    assert session.likely == {2: "Ada", 4: "Bo"}
    assert session.proposed(session.now()) == session.likely


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "no picture"),
        (b"not a picture at all", "no picture"),
        (cv2.imencode(".png", np.zeros((200, 300, 3), np.uint8))[1].tobytes(), "No face"),
        (b"\xff" * 30_000_001, "30 MB"),
    ],
)
def test_a_photograph_that_is_none(folder: Path, data: bytes, told: str) -> None:
    with pytest.raises(InputError, match=told):
        find_people(Session(folder).now(), [data])


@pytest.mark.parametrize(
    ("text", "told"),
    [("", "lacks the column"), ("who\nAda\n", "lacks the column"), (b"\xff\xfe", "UTF-8")],
)
def test_a_cast_list_that_is_none(tmp_path: Path, text: str | bytes, told: str) -> None:
    path = tmp_path / "cast.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InputError, match=told):
        read_cast(path)
    with pytest.raises(InputError, match="cannot be read"):
        read_cast(tmp_path / "nowhere.csv")


def test_a_face_is_found_in_the_pages(demo_run: RunView, serve, folder: Path) -> None:
    served: Served = serve()
    with httpx.Client(base_url=served.base, headers={"Origin": served.base}, timeout=60) as client:
        client.get(served.address)
        answer = client.post("/find", files={"photo": photo_of(demo_run, 3)})
        assert answer.status_code == 200
        assert re.findall(r'href="/person/(\d+)"', answer.text)[0] == "3"
        refused = client.post("/find", files={"photo": b"nothing"})
        assert refused.status_code == 422
        assert "no picture" in refused.text
