from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from itertools import islice
from pathlib import Path

import numpy as np
import psutil
import pytest

from tests.faces.films import draw_two_people
from tests.synthetic import DrawnShot, draw_film
from videoclusternet.errors import InputError
from videoclusternet.pipeline import process_film
from videoclusternet.video import apart
from videoclusternet.video.apart import VideoApart, open_apart
from videoclusternet.video.frame import Look
from videoclusternet.video.stream import open_video

LOOKS = (Look("gray8"), Look("gray8", 32), Look("rgb24", 48), Look("rgb24"))

# Programs in the place of `video.child`: the same, but what a walk does at some frame.
SPOILT = """
import os, signal, sys, time
from videoclusternet.video import child, stream
whole = stream.Video.frames
def frames(video, threads=None):
    for frame in whole(video, threads):
        if frame.index == 20:
            {deed}
        yield frame
stream.Video.frames = frames
child.main()
"""


@pytest.fixture(scope="module")
def film(tmp_path_factory):
    path = tmp_path_factory.mktemp("apart") / "film.mp4"
    draw_film(path, [DrawnShot(24, seed=1, pan=(3, 0)), DrawnShot(24, seed=2)])
    return path


@pytest.fixture
def spoil(monkeypatch):
    """Put a spoilt program in the child's place."""

    def put(deed: str) -> None:
        apart._end_all()
        monkeypatch.setattr(apart, "CHILD", ("-P", "-c", SPOILT.format(deed=deed)))

    yield put
    apart._end_all()


def seen(frames, looks=LOOKS):
    return [
        (f.index, f.seconds, f.damaged, f.resized, *(f.convert(*look) for look in looks))
        for f in frames
    ]


def same(one, other):
    assert [row[:4] for row in one] == [row[:4] for row in other]
    for row, twin in zip(one, other, strict=True):
        for picture, there in zip(row[4:], twin[4:], strict=True):
            np.testing.assert_array_equal(picture, there)


def test_it_is_the_same_film(film):
    near, far = open_video(film), open_apart(film)
    assert (far.path, far.info, far.begin) == (near.path, near.info, near.begin)
    for _ in range(2):  # by one thread, then by all
        same(seen(far.walk(LOOKS)), seen(near.frames()))
        assert far.threads == near.threads


def test_no_more_is_made_than_is_wanted(film):
    wanted = np.array([0, 3, 24, 40])
    video = open_apart(film)
    some = seen(video.walk(LOOKS, wanted))
    whole = seen(open_video(film).frames())
    same(some, [whole[n] for n in wanted])
    assert video.threads == 1  # the rest may be damaged
    assert [frame.index for frame in video.walk((), np.array([7, 9]))] == [7, 9]
    with pytest.raises(KeyError):
        next(video.walk(LOOKS[:1])).rgb()


def test_damage_is_told(film, tmp_path):
    half = tmp_path / "half.mp4"
    draw_film(half, [DrawnShot(48, seed=1)], options={"movflags": "faststart"})
    half.write_bytes(half.read_bytes()[: half.stat().st_size // 2])
    near, far = open_video(half), open_apart(half)
    same(seen(far.walk(LOOKS)), seen(near.frames()))
    assert far.damaged == near.damaged > 0
    assert far.threads == 1


def test_what_is_wrong_with_a_film_is_said_as_ever(film, tmp_path):
    (tmp_path / "text.mp4").write_text("no film")
    for path in (tmp_path / "text.mp4", tmp_path / "missing.mp4", tmp_path):
        with pytest.raises(InputError) as near:
            open_video(path)
        with pytest.raises(InputError) as far:
            open_apart(path)
        assert str(far.value) == str(near.value)
    gone = tmp_path / "gone.mp4"
    gone.write_bytes(film.read_bytes())
    video = open_apart(gone)
    gone.unlink()
    with pytest.raises(InputError, match=r"gone\.mp4' cannot be opened"):
        list(video.walk(LOOKS))


def test_one_process_serves_one_walk_after_the_other(film):
    apart._end_all()
    video = open_apart(film)
    (child,) = apart._idle
    list(video.walk(LOOKS[:1]))
    assert apart._idle == [child]
    both = zip(video.walk(LOOKS[:1]), video.walk(LOOKS[1:2]), strict=True)
    assert all(one.index == other.index for one, other in both)
    assert len(apart._idle) == 2


def test_who_looks_no_further_ends_the_process(film):
    apart._end_all()
    frames = open_apart(film).walk(LOOKS)
    assert [frame.index for frame in islice(frames, 3)] == [0, 1, 2]
    (process,) = psutil.Process().children()
    frames.close()
    assert not process.is_running()
    assert not apart._idle


@pytest.mark.parametrize("deed", ["os.abort()", "os.kill(os.getpid(), signal.SIGSEGV)"])
def test_a_crash_costs_one_more_walk_by_one_thread(film, spoil, deed, monkeypatch):
    monkeypatch.setattr(VideoApart, "threads", property(lambda _: 2))
    spoil(f"threads == 2 and {deed}")
    same(seen(open_apart(film).walk(LOOKS)), seen(open_video(film).frames()))
    wanted = np.array([3, 19, 21, 30])
    whole = seen(open_video(film).frames())
    same(seen(open_apart(film).walk(LOOKS, wanted)), [whole[n] for n in wanted])


def test_a_second_crash_is_an_error_of_the_film(film, spoil):
    spoil("os.abort()")
    got = []
    with pytest.raises(InputError, match=r"crashed \(SIGABRT\) at 0\.8 s of .*film\.mp4', twice"):
        got.extend(frame.index for frame in open_apart(film).walk(LOOKS))
    assert got == list(range(20))  # each once


def test_so_is_a_decoder_that_hangs(film, spoil, monkeypatch):
    monkeypatch.setattr(apart, "PATIENCE", 1.5)
    spoil("time.sleep(600)")
    with pytest.raises(InputError, match=r"gave no sign of life for 2 s at 0\.8 s"):
        list(open_apart(film).walk(LOOKS))
    assert not psutil.Process().children()


def test_one_that_is_busy_with_what_nobody_wants_does_not_hang(film, spoil, monkeypatch):
    monkeypatch.setattr(apart, "PATIENCE", 1.5)
    spoil("pass\n        time.sleep(0.1)")
    begin = time.monotonic()
    assert [frame.index for frame in open_apart(film).walk(LOOKS, np.array([40]))] == [40]
    assert time.monotonic() - begin > apart.PATIENCE


def test_and_one_that_wants_all_memory(film, spoil):
    spoil("bytearray(1 << 36)")
    with pytest.raises(InputError, match="asked for far more memory than such pictures need"):
        list(open_apart(film).walk(LOOKS))


def test_a_fault_of_ours_is_no_fault_of_the_film(film, spoil):
    spoil("1 / 0")
    with pytest.raises(RuntimeError, match="ZeroDivisionError"):
        list(open_apart(film).walk(LOOKS))


def test_a_film_that_breaks_on_being_opened(film, monkeypatch):
    apart._end_all()
    monkeypatch.setattr(apart, "CHILD", ("-c", "import os; os.abort()"))
    with pytest.raises(InputError, match=r"crashed \(SIGABRT\) on opening .*film\.mp4"):
        open_apart(film)
    monkeypatch.setattr(apart, "CHILD", ("-c", "raise SystemExit(3)"))
    with pytest.raises(InputError, match=r"crashed \(exit code 3\) on opening"):
        open_apart(film)


def test_no_decoder_outlives_who_asked_it(film, tmp_path):
    code = f"""
from videoclusternet.video import apart
apart.CHILD = "-P", "-c", {SPOILT.format(deed="time.sleep(600)")!r}
for frame in apart.open_apart({os.fspath(film)!r}).walk(()):
    print(frame.index, flush=True)
"""
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    with parent:
        assert parent.stdout
        for line in parent.stdout:
            if line == "19\n":
                break
        children = psutil.Process(parent.pid).children()
        assert children
        parent.send_signal(signal.SIGKILL)
    gone, alive = psutil.wait_procs(children, timeout=10)
    assert gone
    assert not alive


def test_a_run_that_a_decoder_broke_goes_on_where_it_was(spoil, tmp_path, monkeypatch):
    film = draw_two_people(tmp_path / "film.mp4")
    process_film(film, tmp_path / "whole", settings=["crops.every=3"], until="faces")
    spoil("sys.stdin and os.abort()")
    with pytest.raises(InputError, match="crashed"):
        process_film(film, tmp_path / "run", settings=["crops.every=3"], until="faces")
    monkeypatch.undo()
    apart._end_all()
    view = process_film(film, tmp_path / "run", settings=["crops.every=3"], until="faces")
    for name in ("shots.npz", "faces.npz"):
        twin = Path(tmp_path, "whole", name)
        assert (view.folder / name).read_bytes() == twin.read_bytes()
