"""The run folder: called once, redone when it must be, whole whatever happens in between."""

from __future__ import annotations

import errno
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from videoclusternet import durable
from videoclusternet.config import Config, FilterConfig, ShotsConfig, TracksConfig, load_config
from videoclusternet.errors import BusyError, InputError, ResourceError
from videoclusternet.manifest import MANIFEST
from videoclusternet.records import Crops, Faces, Shots, Tracks
from videoclusternet.run_view import load_run
from videoclusternet.stages import STAGES
from videoclusternet.workspace import Run, default_folder

SETTINGS = Config()
FILES = ["shots.npz", "faces.npz", "kept.npz", "tracks.npz", "crops.npy", "crops.npz"]


@pytest.fixture
def film(tmp_path: Path) -> Path:
    path = tmp_path / "film.mp4"
    path.write_bytes(bytes(range(256)) * 40)
    return path


@dataclass
class House:
    """Quick stages that keep a list of their calls, walked through like the real ones."""

    calls: list[str] = field(default_factory=list)
    during: Callable[[str], None] = lambda stage: None

    def _call(self, stage: str) -> None:
        self.calls.append(stage)
        self.during(stage)

    def shots(self, config: ShotsConfig) -> Shots:
        self._call("shots")
        return Shots(np.array([0, 4]), np.array([4, 10]), np.arange(11) / config.ratio)

    def faces(self, shots: Shots, detector: str) -> Faces:
        self._call("faces")
        n = shots.frames
        return Faces(
            np.arange(n), np.tile([2.0, 3.0, 9.0, 12.0], (n, 1)), np.zeros((n, 5, 2)),
            np.linspace(0, 1, n), np.full(n, 9.0), np.ones(n), np.ones(n), np.ones(n, bool),
            np.arange(n), np.tile(np.eye(2, 3), (n, 1, 1)),
            np.array([0]), np.array([5]), np.eye(2, 3)[None],
        )  # fmt: skip

    def kept(self, faces: Faces, config: FilterConfig) -> Faces:
        self._call("kept")
        return faces.select(faces.score >= config.score)

    def tracks(self, kept: Faces, config: TracksConfig) -> Tracks:
        self._call("tracks")
        n = len(kept)
        return Tracks(
            np.zeros(n, int), kept.frame, kept.box, kept.landmarks, kept.score, kept.sharpness,
            kept.frontal, kept.exposure, kept.usable, np.zeros(n, bool),
        )  # fmt: skip

    def crops(self, tracks: Tracks, *, seed: int, out: Path) -> Crops:
        self._call("crops")
        n = len(tracks)
        shape = (n, 4, 4, 3)
        images = np.lib.format.open_memmap(out, mode="w+", dtype=np.uint8, shape=shape)
        images[:] = np.random.default_rng(seed).integers(0, 256, shape)
        images.flush()
        return Crops(images, tracks.track, tracks.frame, tracks.sharpness, tracks.frontal,
                     np.array([n]))  # fmt: skip

    def walk(self, run: Run, config: Config = SETTINGS, also: str = "") -> Crops:
        shots = run.once("shots", self.shots, config.shots)
        faces = run.once("faces", self.faces, shots, config.detector, also=also)
        kept = run.once("kept", self.kept, faces, config.filter)
        tracks = run.once("tracks", self.tracks, kept, config.tracks)
        return run.once("crops", self.crops, tracks, seed=config.seed)

    def visit(self, folder: Path, film: Path, config: Config = SETTINGS, **how: Any) -> list[str]:
        """Walk through all stages in a run of its own and return which of them were called."""
        self.calls.clear()
        also = how.pop("also", "")
        with Run.open(folder, film, config, **how) as run:
            self.walk(run, config, also)
        return list(self.calls)


ALL = ["shots", "faces", "kept", "tracks", "crops"]


def contents(folder: Path) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in FILES}


def test_a_second_run_calls_nothing_and_returns_the_same(tmp_path: Path, film: Path) -> None:
    house, folder = House(), tmp_path / "run"
    with Run.open(folder, film, SETTINGS) as run:
        first = house.walk(run)
    assert house.calls == ALL
    with Run.open(folder, film, SETTINGS) as run:
        second = house.walk(run)
    assert house.calls == ALL
    for name, values in first.columns().items():
        np.testing.assert_array_equal(values, second.columns()[name])
        assert values.dtype == second.columns()[name].dtype


def test_crops_are_mapped_and_cannot_be_written(tmp_path: Path, film: Path) -> None:
    for _ in range(2):
        with Run.open(tmp_path / "run", film, SETTINGS) as run:
            crops = House().walk(run)
        assert isinstance(crops.images, np.memmap)
        assert not crops.images.flags.writeable


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("shots.ratio=4.0", ALL),
        ("detector=other", ["faces"]),  # makes the same faces, so nothing follows
        ("filter.score=0.75", ["kept", "tracks", "crops"]),
        ("filter.score=0.51", ["kept"]),  # keeps the same faces
        ("tracks.gap=2.0", ["tracks"]),
        ("seed=1", ["crops"]),
        ("cluster.quality_passes=30", []),
    ],
)
def test_a_change_redoes_what_it_touches(
    tmp_path: Path, film: Path, change: str, expected: list[str]
) -> None:
    house, folder = House(), tmp_path / "run"
    house.visit(folder, film)
    changed = load_config(changes=[change])
    if change == "filter.score=0.51":
        assert np.array_equal(
            house.faces(house.shots(SETTINGS.shots), "").score >= 0.5,
            house.faces(house.shots(SETTINGS.shots), "").score >= 0.51,
        )
    assert house.visit(folder, film, changed) == expected
    assert house.visit(folder, film, changed) == []
    fresh = House()
    fresh.visit(tmp_path / "fresh", film, changed)
    assert contents(folder) == contents(tmp_path / "fresh")


def test_what_a_result_also_depends_on_redoes_it(tmp_path: Path, film: Path) -> None:
    house, folder = House(), tmp_path / "run"
    house.visit(folder, film, also="weights 1")
    assert house.visit(folder, film, also="weights 2") == ["faces"]


def test_a_new_version_of_a_stage_redoes_it(
    tmp_path: Path, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    house, folder = House(), tmp_path / "run"
    house.visit(folder, film)
    monkeypatch.setitem(STAGES, "kept", replace(STAGES["kept"], version=99))
    assert house.visit(folder, film) == ["kept"]


def test_a_stage_can_be_redone_on_demand(tmp_path: Path, film: Path) -> None:
    house, folder = House(), tmp_path / "run"
    house.visit(folder, film)
    assert house.visit(folder, film, redo="tracks") == ["tracks"]


def test_results_of_nobody_are_refused(tmp_path: Path, film: Path) -> None:
    house = House()
    with Run.open(tmp_path / "run", film, SETTINGS) as run, pytest.raises(TypeError, match="Shots"):
        run.once("faces", house.faces, house.shots(SETTINGS.shots), "detector")


def test_later_stages_of_an_earlier_state_are_not_done(tmp_path: Path, film: Path) -> None:
    house, folder = House(), tmp_path / "run"
    house.visit(folder, film)
    changed = load_config(changes=["shots.ratio=4.0"])
    with Run.open(folder, film, changed) as run:
        run.once("shots", house.shots, changed.shots)
    view = load_run(folder)
    assert view.shots.times[-1] == 10 / 4.0
    with pytest.raises(InputError, match="'tracks'"):
        _ = view.tracks


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("harm", ["flip", "truncate", "remove"])
def test_a_harmed_file_is_made_again(
    tmp_path: Path, film: Path, name: str, harm: str, caplog: pytest.LogCaptureFixture
) -> None:
    house, folder = House(), tmp_path / "run"
    house.visit(folder, film)
    before = contents(folder)
    path = folder / name
    data = bytearray(path.read_bytes())
    if harm == "flip":
        data[len(data) // 2] ^= 4
        path.write_bytes(data)
    elif harm == "truncate":
        path.write_bytes(data[:-1])
    else:
        path.unlink()
    with pytest.raises(InputError, match="damaged or missing"):
        getattr(load_run(folder), name.split(".")[0])
    assert house.visit(folder, film) == [name.split(".")[0]]
    assert name in caplog.text
    assert contents(folder) == before


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": 1}', "\x00", '{"schema": "x"}'])
def test_a_harmed_manifest_means_that_nothing_is_done(
    tmp_path: Path, film: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    house, folder = House(), tmp_path / "run"
    house.visit(folder, film)
    (folder / MANIFEST).write_text(text)
    with pytest.raises(InputError, match="damaged"):
        load_run(folder)
    assert house.visit(folder, film) == ALL
    assert "every stage is done again" in caplog.text


def test_a_newer_manifest_is_refused(tmp_path: Path, film: Path) -> None:
    house, folder = House(), tmp_path / "run"
    house.visit(folder, film)
    values = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps(values | {"schema": 2, "stages": "unheard of"}))
    for use in (lambda: house.visit(folder, film), lambda: load_run(folder)):
        with pytest.raises(InputError, match="newer version"):
            use()


class Crash(BaseException):
    """What a killed process does: nothing more."""


def crashing(real: Callable[..., Any], calls: int) -> Callable[..., Any]:
    """Return a call of the system that does as ever so many times, and then is the end."""
    left = iter(range(calls))

    def call(*args: Any) -> Any:
        if next(left, None) is None:
            raise Crash
        return real(*args)

    return call


@pytest.mark.parametrize("call", ["replace", "fsync"])
def test_a_crash_at_any_write_leaves_a_folder_to_go_on_from(
    tmp_path: Path, film: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    House().visit(tmp_path / "whole", film)
    expected = contents(tmp_path / "whole")
    real = getattr(os, call)
    crashes = 0
    for point in range(1000):
        folder = tmp_path / f"{call}-{point}"
        house = House()
        with monkeypatch.context() as patch:
            patch.setattr(os, call, crashing(real, point))
            try:
                house.visit(folder, film)
                break
            except Crash:
                crashes += 1
        begun = list(house.calls)
        again = house.visit(folder, film)
        assert contents(folder) == expected
        assert not list(folder.glob("*.part"))
        assert again == ALL[len(ALL) - len(again) :]
        assert len(begun) + len(again) <= len(ALL) + 1  # at most one stage was lost
    assert crashes >= len(FILES) + len(ALL)


class Disk:
    """What would be there after the power was cut: of a file its flushed bytes, of a folder too."""

    def __init__(self) -> None:
        self._files: dict[int, bytes] = {}  # by inode
        self._folders: dict[int, dict[str, bytes]] = {}
        self._fsync = os.fsync

    def fsync(self, handle: int) -> None:
        """Flush, and take note of what is safe now."""
        self._fsync(handle)
        path = Path(f"/proc/self/fd/{handle}").resolve()
        inode = path.stat().st_ino
        if path.is_dir():
            self._folders[inode] = {one.name: self._safe(one) for one in path.iterdir()}
        else:
            self._files[inode] = path.read_bytes()

    def _safe(self, path: Path) -> bytes:
        if path.is_dir():
            return b""
        data = path.read_bytes()
        return data if self._files.get(path.stat().st_ino) == data else b""

    def cut(self, folder: Path, names: str) -> None:
        """Leave of the folder what is safe; its names may have got further than its bytes."""
        if folder.name not in self._folders.get(folder.parent.stat().st_ino, ()):
            shutil.rmtree(folder)
            return
        if names == "kept":
            safe = {one.name: self._safe(one) for one in folder.iterdir()}
        else:
            safe = self._folders.get(folder.stat().st_ino, {})
        for one in folder.iterdir():
            one.unlink()
        for name, data in safe.items():
            (folder / name).write_bytes(data)


@pytest.mark.parametrize("names", ["kept", "lost"])
@pytest.mark.parametrize("call", ["open", "replace", "fsync"])
def test_a_power_cut_costs_one_stage(
    tmp_path: Path, film: Path, monkeypatch: pytest.MonkeyPatch, call: str, names: str
) -> None:
    House().visit(tmp_path / "whole", film)
    expected = contents(tmp_path / "whole")
    cuts = 0
    for point in range(1000):
        disk, folder = Disk(), tmp_path / f"runs-{point}" / "run"
        folder.parent.mkdir()
        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", disk.fsync)
            patch.setattr(os, call, crashing(getattr(os, call), point))
            house = House()
            try:
                house.visit(folder, film)
                break
            except Crash:
                cuts += 1
        if folder.exists():
            disk.cut(folder, names)
        begun = list(house.calls)
        again = house.visit(folder, film)
        assert contents(folder) == expected
        assert len(begun) + len(again) <= len(ALL) + 1
    assert cuts >= len(FILES) + len(ALL)


def test_where_one_may_write_and_not_read_folders_are_made_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.open

    def refusing(path: Path, *args: Any, **how: Any) -> int:
        if path == tmp_path:
            raise PermissionError(errno.EACCES, "Permission denied")
        return real(path, *args, **how)

    monkeypatch.setattr(os, "open", refusing)
    durable.make_private(tmp_path / "runs" / "run")
    assert stat.S_IMODE((tmp_path / "runs" / "run").stat().st_mode) == 0o700


def test_data_that_the_manifest_does_not_know_is_not_done(
    tmp_path: Path, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house, folder = House(), tmp_path / "run"
    real = os.replace

    def crashing(source: Path, target: Path) -> None:
        if target.name == MANIFEST and (folder / "tracks.npz").exists():
            raise Crash
        real(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", crashing)
        with pytest.raises(Crash):
            house.visit(folder, film)
    assert (folder / "tracks.npz").exists()
    assert house.visit(folder, film) == ["tracks", "crops"]


WALK = """
import os, sys
from pathlib import Path
from tests.test_workspace import House
stage = sys.argv[3]
house = House(during=lambda s: (print(s, flush=True), sys.stdin.read()) if s == stage else None)
house.visit(Path(sys.argv[1]), Path(sys.argv[2]))
"""


@pytest.fixture
def other_process(tmp_path: Path, film: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has come as far as the tracks, and waits there."""
    child = subprocess.Popen(
        [sys.executable, "-c", WALK, tmp_path / "run", film, "tracks"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1],
    )  # fmt: skip
    assert child.stdout is not None
    assert child.stdout.readline() == "tracks\n"
    yield child
    child.kill()
    child.communicate()


def test_a_folder_takes_one_process_and_survives_its_death(
    tmp_path: Path, film: Path, other_process: subprocess.Popen[str]
) -> None:
    house, folder = House(), tmp_path / "run"
    with pytest.raises(BusyError, match=str(other_process.pid)):
        house.visit(folder, film)
    other_process.send_signal(signal.SIGKILL)
    other_process.wait()
    assert house.visit(folder, film) == ["tracks", "crops"]


def test_a_stale_lock_is_no_lock(tmp_path: Path, film: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / durable.LOCK).write_text(f"{os.getppid()}\n")
    assert House().visit(folder, film) == ALL


def test_all_is_private_whatever_the_umask(tmp_path: Path, film: Path) -> None:
    modes: set[int] = set()

    def look(stage: str) -> None:
        modes.update(stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir())

    folder = tmp_path / "new" / "run"
    before = os.umask(0)
    try:
        House(during=look).visit(folder, film)
    finally:
        os.umask(before)
    look("at the end")
    assert modes == {0o600}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700


@pytest.mark.parametrize(
    ("number", "message"),
    [(errno.ENOSPC, "no room"), (errno.EDQUOT, "no room"), (errno.EROFS, "cannot be written")],
)
def test_a_full_disk_is_told_and_leaves_the_old_files(
    tmp_path: Path, film: Path, monkeypatch: pytest.MonkeyPatch, number: int, message: str
) -> None:
    house, folder = House(), tmp_path / "run"
    house.visit(folder, film)
    before = contents(folder)

    def full(*args: Any, **columns: Any) -> None:
        raise OSError(number, os.strerror(number))

    changed = load_config(changes=["filter.score=0.75"])
    with monkeypatch.context() as patch:
        patch.setattr(np, "savez", full)
        with pytest.raises(ResourceError, match=message) as caught:
            house.visit(folder, film, changed)
    assert "kept.npz" in str(caught.value)
    assert contents(folder) == before
    assert house.visit(folder, film, changed) == ["kept", "tracks", "crops"]


def test_a_full_disk_under_a_stage_that_writes_itself_is_told(tmp_path: Path, film: Path) -> None:
    def full(stage: str) -> None:
        if stage == "crops":
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(ResourceError, match=r"crops\.npy.* are free"):
        House(during=full).visit(tmp_path / "run", film)


@pytest.mark.parametrize("error", [KeyboardInterrupt, InputError, MemoryError])
def test_who_is_interrupted_leaves_nothing_aside(
    tmp_path: Path, film: Path, error: type[BaseException]
) -> None:
    def interrupt(stage: str) -> None:
        if stage == "crops":
            raise error

    folder = tmp_path / "run"
    with pytest.raises(error):
        House(during=interrupt).visit(folder, film)
    assert not list(folder.glob("*.part"))
    assert (folder / "tracks.npz").exists()


def test_a_folder_that_is_removed_meanwhile_is_told(tmp_path: Path, film: Path) -> None:
    folder = tmp_path / "run"

    def remove(stage: str) -> None:
        if stage == "tracks":
            shutil.rmtree(folder)

    with pytest.raises(InputError, match=r"tracks\.npz.* cannot be made .No such file"):
        House(during=remove).visit(folder, film)
    assert not folder.exists()


def test_an_error_of_a_stage_is_not_taken_for_a_full_disk(tmp_path: Path, film: Path) -> None:
    def broken(stage: str) -> None:
        raise PermissionError(errno.EACCES, "something else")

    with pytest.raises(PermissionError):
        House(during=broken).visit(tmp_path / "run", film)


@pytest.mark.parametrize("stage", ["shots", "tracks"])
@pytest.mark.parametrize("how", ["append", "rewrite", "remove"])
def test_a_film_that_changes_meanwhile_is_refused(
    tmp_path: Path, film: Path, stage: str, how: str
) -> None:
    def change(now: str) -> None:
        if now != stage:
            return
        if how == "append":
            film.write_bytes(film.read_bytes() + b"more")
        elif how == "rewrite":
            was = film.stat().st_mtime_ns
            film.write_bytes(film.read_bytes()[::-1])
            os.utime(film, ns=(was, was))
        else:
            film.unlink()

    with pytest.raises(InputError):
        House(during=change).visit(tmp_path / "run", film)
    assert list(load_run(tmp_path / "run").manifest.stages) == ALL[: ALL.index(stage)]


def test_a_folder_of_another_film_is_refused(tmp_path: Path, film: Path) -> None:
    house, folder = House(), tmp_path / "run"
    house.visit(folder, film)
    before = contents(folder)
    other = tmp_path / "other.mp4"
    other.write_bytes(b"another film")
    with pytest.raises(InputError, match=r"another film.*film\.mp4.*name another folder"):
        house.visit(folder, other)
    assert contents(folder) == before


def test_a_film_may_be_moved(tmp_path: Path, film: Path) -> None:
    house, folder = House(), tmp_path / "run"
    house.visit(folder, film)
    moved = film.rename(tmp_path / "moved.mp4")
    os.utime(moved)
    assert house.visit(folder, moved) == []
    assert load_run(folder).manifest.film.name == "moved.mp4"


def test_a_folder_with_other_things_is_left_alone(tmp_path: Path, film: Path) -> None:
    mode = tmp_path.stat().st_mode
    with pytest.raises(InputError, match="holds other things"):
        House().visit(tmp_path, film)
    assert tmp_path.stat().st_mode == mode
    assert [path.name for path in tmp_path.iterdir()] == ["film.mp4"]


def test_a_file_is_no_folder(tmp_path: Path, film: Path) -> None:
    for folder in (film, film / "below", Path("/proc/no/such")):
        with pytest.raises(InputError, match="cannot be made"):
            House().visit(folder, film)


def test_a_planted_link_is_not_followed(tmp_path: Path, film: Path) -> None:
    folder, victim = tmp_path / "run", tmp_path / "victim"
    folder.mkdir()
    victim.write_text("precious")
    (folder / durable.LOCK).symlink_to(victim)
    with pytest.raises(InputError):
        House().visit(folder, film)
    (folder / durable.LOCK).unlink()
    House().visit(folder, film)
    for name in ("shots.npz", "shots.npz.part", MANIFEST):
        (folder / name).unlink(missing_ok=True)
        (folder / name).symlink_to(victim)
    (folder / MANIFEST).unlink()
    House().visit(folder, film)
    assert victim.read_text() == "precious"
    assert not any(path.is_symlink() for path in folder.iterdir())


@pytest.mark.parametrize(
    "name", ["../../x", "-x.mp4", "a\nb", "<b>", "‮x", ".", "é" * 100, "\udcff"]
)
def test_folders_are_named_safely(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    film = Path(os.path.basename(name) + ".mp4")
    film.write_bytes(b"a film")
    folder = default_folder(film)
    assert folder.parent == Path("runs")
    assert folder.name.replace("-", "").isalnum()
    assert folder.name.isascii()
    assert len(folder.name) < 64
    assert House().visit(folder, film) == ALL
    load_run(folder)


def test_progress_names_the_stage(tmp_path: Path, film: Path) -> None:
    told: list[tuple[str, int, int]] = []

    def slow(progress: Callable[[int, int], None]) -> Shots:
        progress(1, 2)
        return Shots.empty()

    for _ in range(2):
        with Run.open(
            tmp_path / "run", film, SETTINGS, progress=lambda *now: told.append(now)
        ) as run:
            run.once("shots", slow, progress=run.progress("shots"))
    assert told == [("shots", 0, 1), ("shots", 1, 2), ("shots", 1, 1), ("shots", 1, 1)]


def test_the_bytes_do_not_depend_on_the_clock(
    tmp_path: Path, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    House().visit(tmp_path / "one", film)
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    monkeypatch.setattr(time, "time", lambda: 4e9)
    House().visit(tmp_path / "two", film)
    assert contents(tmp_path / "one") == contents(tmp_path / "two")
