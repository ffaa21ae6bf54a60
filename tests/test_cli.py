"""The command line: what it prints where, and the exit code of everything that can go wrong."""

from __future__ import annotations

import json
import logging
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.command import Vcn
from videoclusternet import check, cli, demo, pipeline
from videoclusternet.config import Config, load_config
from videoclusternet.errors import (
    BusyError,
    InputError,
    ResourceError,
    UsageError,
    VideoClusterNetError,
    WeightsError,
)
from videoclusternet.faces.detectors import DETECTORS
from videoclusternet.models.registry import BACKBONES
from videoclusternet.records import Clusters, Progress, Tracks
from videoclusternet.results.people import Appearance, People, Person, to_json
from videoclusternet.run_view import RunView, load_run
from videoclusternet.weights import assets, fetch
from videoclusternet.weights.assets import ASSETS, OPTIONAL, Asset
from videoclusternet.workspace import Run

REPOSITORY = Path(__file__).parents[1]


def person(label: int, name: str, seconds: float) -> Person:
    limit = None if label < 0 else 1.5
    return Person(
        label,
        label + 1 or -1,
        name,
        (label + 1,),
        seconds,
        (Appearance(61.5, 61.5 + seconds),),
        (),
        limit,
    )


PEOPLE = People(
    (person(0, "Person 1", 83.2), person(1, "[red]\x1b[31mÉva\n", 4.0)), person(-1, "Unknown", 2.0),
    duration=200.0, shots=3,
)  # fmt: skip


def tracks_of_three() -> Tracks:
    columns = {
        name: np.zeros((3, *values.shape[1:]), values.dtype)
        for name, values in Tracks.empty().columns().items()
    }
    boxes = np.array([[0, 0, 10, 10], [20, 0, 30, 10], [40, 0, 50, 10]])
    return Tracks(**columns | {"track": np.arange(3), "frame": np.arange(3), "box": boxes})


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    """A run folder that has come to its end."""
    film = tmp_path / "film.mp4"
    film.write_bytes(b"a film")
    folder = tmp_path / "done"
    of_tracks = ("quality", "own_loss", "other_loss", "confidence")
    clusters = Clusters.empty().columns() | {
        "label": np.array([-1, 0, 1]), "limit": np.ones(2), "person_confidence": np.ones(2),
        "other": np.array([-1, 1, 0]), "part": np.array([-1, 1, 2]),
    }  # fmt: skip
    clusters |= {name: np.ones(3) for name in of_tracks}
    with Run.open(folder, film, Config()) as run:
        run.once("tracks", tracks_of_three)
        run.once("clusters", lambda: Clusters(**clusters))
        run.once("people", lambda: PEOPLE)
        run.once("report", lambda: "<!doctype html>")
    return folder


def test_show_prints_who_when_and_where_to_look(vcn: Vcn, finished: Path) -> None:
    code, out, err = vcn("show", finished)
    assert (code, err) == (0, "")
    rows = [line.split() for line in out.splitlines()]
    assert ["Person", "1", "1", "min", "23", "s", "1", "1", "00:01:02"] in rows
    assert ["Unknown", "2.0", "s", "1", "1", "00:01:02"] in rows
    assert out.splitlines()[-1] == f"Report: {finished / 'report.html'}"


def test_a_name_can_only_be_printed(vcn: Vcn, finished: Path) -> None:
    _, out, _ = vcn("show", finished)
    assert "\x1b" not in out
    assert r"[red]\x1b[31mÉva\n" in out


def test_show_as_json_is_the_file(vcn: Vcn, finished: Path) -> None:
    code, out, _ = vcn("show", finished, "--json")
    assert code == 0
    assert json.loads(out) == json.loads((finished / "people.json").read_text()) == to_json(PEOPLE)


def test_show_tells_why_two_tracks_are_two_people(vcn: Vcn, finished: Path) -> None:
    code, out, err = vcn("show", finished, "--why", "1", "2")
    assert (code, err) == (0, "")
    assert out.splitlines()[0].startswith("Track 1 and track 2 are two people, Person 1 and [red]")
    assert "\x1b" not in out
    code, out, _ = vcn("show", finished, "--why", "0", "2", "--json")
    answer = json.loads(out)
    assert (code, answer["together"], answer["links"]) == (0, False, [])
    assert answer["text"] == "Track 0 is Unknown: nobody was claimed for it."


@pytest.mark.parametrize("pair", [("1", "3"), ("-1", "0")])
def test_a_track_that_does_not_exist_is_2(vcn: Vcn, finished: Path, pair: tuple[str, str]) -> None:
    code, out, err = vcn("show", finished, "--why", *pair)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert "3, numbered from 0" in err


def test_eval_scores_tracks_against_the_truth(vcn: Vcn, finished: Path, tmp_path: Path) -> None:
    truth = tmp_path / "truth.csv"
    truth.write_text("frame,x1,y1,x2,y2,name\n1,20,0,30,10,Ann\n2,40,0,50,10,Ann\n")
    code, out, _ = vcn("eval", finished, "--truth", truth, "--json")
    scores = json.loads(out)
    assert code == 0
    assert (scores["wcp"], scores["predicted"], scores["true"], scores["ratio"]) == (1, 2, 1, 2)
    assert (scores["tracks_scored"], scores["bcubed_recall"]) == (2, 0.5)
    code, out, _ = vcn("eval", finished, "--truth", truth)
    assert "bcubed recall          0.500" in out.splitlines()


def test_a_truth_of_something_else_is_told(vcn: Vcn, finished: Path, tmp_path: Path) -> None:
    truth = tmp_path / "truth.csv"
    truth.write_text("frame,x1,y1,x2,y2,name\n900,20,0,30,10,Ann\n")
    code, out, err = vcn("eval", finished, "--truth", truth, "--json")
    assert (code, json.loads(out)["tracks_scored"]) == (0, 0)
    assert err == "Warning: No box of the truth lies on a face of the run: is it of this film?\n"


@pytest.mark.parametrize("command", [["show"], ["eval", "--truth", "x.csv"]])
def test_a_folder_without_a_run_is_told(vcn: Vcn, tmp_path: Path, command: list[str]) -> None:
    code, out, err = vcn(*command, tmp_path)
    assert (code, out, len(err.splitlines())) == (3, "", 1)
    assert "holds no run" in err


@pytest.mark.parametrize(
    "arguments", [["run", "x", "--out", "x"], ["show", "x"], ["eval", "x", "--truth", "x"]]
)
def test_what_may_not_be_read_is_3(
    vcn: Vcn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("x").touch()
    monkeypatch.setattr(os, "access", lambda *_, **__: False)  # as to others than root
    code, out, err = vcn(*arguments)
    assert (code, out, len(err.splitlines())) == (3, "", 1)


def test_an_unfinished_run_is_told(vcn: Vcn, finished: Path) -> None:
    (finished / "people.json").unlink()
    code, _, err = vcn("show", finished)
    assert code == 3
    assert "people.json is damaged or missing" in err


def test_the_settings_are_the_defaults(vcn: Vcn) -> None:
    code, out, _ = vcn("settings")
    assert code == 0
    assert load_config(changes=out.splitlines()) == Config()


def test_the_version(vcn: Vcn) -> None:
    from videoclusternet import __version__

    assert vcn("--version") == (0, f"{__version__}\n", "")


@pytest.mark.parametrize(
    "arguments",
    [["shw"], ["run"], ["run", "x", "--devise", "cpu"], ["run", "x", "--device", "tpu"],
     ["run", "x", "--seed", "one"], ["show"]],
)  # fmt: skip
def test_a_command_that_cannot_be_meant_is_2(vcn: Vcn, arguments: list[str]) -> None:
    code, out, err = vcn(*arguments)
    assert (code, out) == (2, "")
    assert "vcn" in err
    assert "Traceback" not in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--set", "finetune.round=3"], "did you mean 'finetune.rounds'"),
        (["--preset", "quick"], "fast, standard, paper"),
        (["--until", "tracking"], "shots, faces, kept, tracks"),
        (["--redo", "all"], "shots, faces, kept, tracks"),
        (["--seed", "-1"], "seed"),
    ],
)
def test_a_run_that_cannot_be_meant_is_2(
    vcn: Vcn, tmp_path: Path, arguments: list[str], words: str
) -> None:
    code, out, err = vcn("run", tmp_path / "film.mp4", *arguments)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert words in err


def _make_fifo(path: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize(
    "make",
    [
        lambda path: None,
        Path.mkdir,
        _make_fifo,
        Path.touch,
        lambda path: path.write_text("no film\n" * 100),
        lambda path: path.symlink_to("/dev/zero"),
    ],
    ids=["missing", "folder", "pipe", "empty", "text", "device"],
)
@pytest.mark.parametrize("name", ["film.mp4", "-x.mp4", "a\n\x1b[31mb.mp4"])
def test_what_is_no_film_is_3(
    vcn: Vcn,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    make: Callable[[Path], Any],
    name: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    make(Path(name))
    code, out, err = vcn("run", "--", name)
    assert (code, out, len(err.splitlines())) == (3, "", 1)
    assert "x.mp4" in err or "film.mp4" in err or "b.mp4" in err
    assert "\x1b" not in err
    assert not Path("runs").exists()


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (VideoClusterNetError, 6),
        (UsageError, 2),
        (InputError, 3),
        (WeightsError, 3),
        (ResourceError, 4),
        (BusyError, 5),
    ],
)
def test_every_error_has_its_code_and_sentence(
    vcn: Vcn, monkeypatch: pytest.MonkeyPatch, error: type[VideoClusterNetError], code: int
) -> None:
    _fail_with(monkeypatch, error("This is [bold]why[/bold]."))
    assert vcn("run", "film.mp4") == (code, "", "This is [bold]why[/bold].\n")


def _fail_with(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(*_: Any, **__: Any) -> RunView:
        raise error

    monkeypatch.setattr(pipeline, "process_film", fail)


def test_no_memory_is_4(vcn: Vcn, monkeypatch: pytest.MonkeyPatch) -> None:
    _fail_with(monkeypatch, MemoryError("Unable to allocate 9 TiB"))
    code, _, err = vcn("run", "film.mp4")
    assert code == 4
    assert err == (
        "There is not enough memory (Unable to allocate 9 TiB): end other programs, and "
        "type the same command again.\n"
    )


def test_a_fault_of_ours_is_6_and_written_down(
    vcn: Vcn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(cli.tempfile, "tempdir", str(tmp_path))
    _fail_with(monkeypatch, KeyError("a surprise"))
    code, out, err = vcn("run", "film.mp4")
    assert (code, out, len(err.splitlines())) == (6, "", 1)
    (log,) = tmp_path.glob("vcn-*.log")
    assert str(log) in err
    assert "Traceback" in log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("error", [InputError("No."), KeyError("surprise")])
def test_debug_shows_where(
    vcn: Vcn, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, error: Exception
) -> None:
    monkeypatch.setattr(cli.tempfile, "tempdir", str(tmp_path))
    _fail_with(monkeypatch, error)
    _, _, err = vcn("--debug", "run", "film.mp4")
    assert "Traceback" in err
    assert "raise error" in err


def test_debug_can_be_asked_for_by_the_environment(
    vcn: Vcn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VCN_DEBUG", "1")
    _fail_with(monkeypatch, InputError("No."))
    assert "Traceback" in vcn("run", "film.mp4").err


def test_arguments_reach_the_run(
    vcn: Vcn, monkeypatch: pytest.MonkeyPatch, finished: Path, tmp_path: Path
) -> None:
    seen: dict[str, Any] = {}

    def process(film: Path, out: Path, preset: str, settings: list[str], **rest: Any) -> RunView:
        seen.update(film=film, out=out, preset=preset, settings=settings, **rest)
        for stage, done in [("shots", 1), ("faces", 0), ("faces", 1), ("faces", 2)]:
            rest["progress"](stage, done, 1 if stage == "shots" else 2)
        logging.getLogger("videoclusternet.rooms").warning("Mind the gap.")
        return load_run(finished)

    monkeypatch.setattr(pipeline, "process_film", process)
    code, out, err = vcn(
        "run", "a film.mp4", "--out", tmp_path / "x", "--preset", "fast", "--set", "tracks.gap=1",
        "--set", "seed=3", "--seed", "4", "--until", "report", "--redo", "kept", "--device", "cpu",
    )  # fmt: skip
    del seen["progress"]
    assert seen == {
        "film": Path("a film.mp4"), "out": tmp_path / "x", "preset": "fast",
        "settings": ["tracks.gap=1", "seed=3"], "seed": 4, "until": "report", "redo": "kept",
        "device": "cpu",
    }  # fmt: skip
    assert code == 0
    assert "Person 1" in out
    assert err.splitlines() == [
        "shots: as before", "faces ...", "faces: done", "Warning: Mind the gap.",
    ]  # fmt: skip


def test_a_run_that_stops_early_says_so(
    vcn: Vcn, monkeypatch: pytest.MonkeyPatch, finished: Path
) -> None:
    monkeypatch.setattr(pipeline, "process_film", lambda *_, **__: load_run(finished))
    assert vcn("run", "film.mp4", "--until", "tracks").out == f"Done until 'tracks': {finished}\n"


WAITING = """
import sys, time
from videoclusternet import cli, demo, pipeline

def wait(*_, **__):
    print("waiting", flush=True)
    time.sleep(60)

pipeline.process_film = wait
cli.main()
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_ends_it_with_the_way_to_go_on(number: int, code: int, tmp_path: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", WAITING, "run", "my film.mp4", "--seed", "3"], text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
    ) as child:  # fmt: skip
        assert child.stdout is not None
        assert child.stdout.readline() == "waiting\n"
        child.send_signal(number)
        _, err = child.communicate()
    assert child.returncode == code
    assert err == "Stopped. To go on: vcn run 'my film.mp4' --seed 3\n"


def test_a_poor_terminal_gets_what_it_can_show(finished: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "videoclusternet", "show", str(finished)], capture_output=True,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY), "PYTHONIOENCODING": "ascii"}, check=True,
    )  # fmt: skip
    assert rb"\xc9va" in done.stdout
    assert done.stderr == b""


@pytest.mark.parametrize(
    ("redirection", "code", "complaint"),
    [
        (">/dev/full", 4, "There is no room for the output: make room on the disk.\n"),
        (">&-", 0, ""),
    ],
)
@pytest.mark.parametrize("option", ["", "--json"])
def test_an_output_that_takes_nothing(
    finished: Path, redirection: str, code: int, complaint: str, option: str
) -> None:
    done = subprocess.run(
        f"{sys.executable} -m videoclusternet show {option} '{finished}' {redirection}", shell=True,
        check=False, text=True, stderr=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(REPOSITORY)},
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (code, complaint)


def test_a_copied_run_can_be_shown(vcn: Vcn, finished: Path, tmp_path: Path) -> None:
    shutil.copytree(finished, tmp_path / "copy")
    assert "Person 1" in vcn("show", tmp_path / "copy").out


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the assets that were asked for; none is fetched."""
    names: list[str] = []

    def fetch_assets(wanted: Iterable[Asset], progress: Progress) -> None:
        names.extend(asset.name for asset in wanted)
        progress(1, 1)

    monkeypatch.setattr(fetch, "fetch_assets", fetch_assets)
    monkeypatch.setattr(assets, "locate", lambda asset: Path("cache") / asset.name)
    return names


@pytest.mark.parametrize(
    ("options", "more"),
    [
        ([], []),
        (["--demo"], [*demo.DEMO_ASSETS]),
        (["--all"], [*OPTIONAL]),
        (["--all", "--demo"], [*OPTIONAL, *demo.DEMO_ASSETS]),
    ],
)
def test_setup_fetches_and_names_the_terms(
    vcn: Vcn, fetched: list[str], options: list[str], more: list[str]
) -> None:
    code, out, _ = vcn("setup", *options)
    assert code == 0
    assert fetched == [*ASSETS, *more]
    assert "dlib_resnet: cache/dlib_resnet (CC0-1.0; Davis King, dlib-models)" in out.splitlines()
    assert len(out.splitlines()) == len(fetched)


def test_the_demo_runs_and_scores_its_own_film(
    vcn: Vcn, fetched: list[str], monkeypatch: pytest.MonkeyPatch, finished: Path, tmp_path: Path
) -> None:
    truth = tmp_path / "truth.csv"
    truth.write_text("frame,x1,y1,x2,y2,name\n1,20,0,30,10,Ann\n2,40,0,50,10,Bob\n")
    calls: list[tuple[Any, ...]] = []

    def build(folder: Path, progress: Progress) -> tuple[Path, Path]:
        calls.append((folder,))
        return tmp_path / "demo.mp4", truth

    def process(film: Path, out: Path, **_: Any) -> RunView:
        calls.append((film, out))
        return load_run(finished)

    monkeypatch.setattr(demo, "build_demo_film", build)
    monkeypatch.setattr(pipeline, "process_film", process)
    code, out, _ = vcn("demo", "--out", tmp_path / "here")
    assert code == 0
    assert calls == [(tmp_path / "here",), (tmp_path / "demo.mp4", tmp_path / "here" / "run")]
    assert set(fetched) == {*ASSETS, *demo.DEMO_ASSETS}
    assert "Person 1" in out
    assert "bcubed f1              1.000" in out.splitlines()


def test_the_networks_are_listed_with_their_terms(vcn: Vcn) -> None:
    code, out, err = vcn("models")
    assert (code, err) == (0, "")
    lines = out.splitlines()
    for name, spec in {**BACKBONES, **DETECTORS}.items():
        (row,) = [n for n, line in enumerate(lines) if line.split()[:1] == [name]]
        assert f"network {spec.weights_licence}" in lines[row]
        assert spec.source in lines[row + 1]
    assert f"sha256 {ASSETS['dlib_resnet'].sha256}" in out


def test_the_networks_are_listed_for_programs(vcn: Vcn) -> None:
    code, out, _ = vcn("models", "--json")
    entries = json.loads(out)
    assert code == 0
    assert [entry["name"] for entry in entries] == [*BACKBONES, *DETECTORS]
    by_name = {entry["name"]: entry for entry in entries}
    embedded, brought = by_name["dlib_resnet"], by_name["arcface_r100"]
    assert embedded["sha256"] == ASSETS["dlib_resnet"].sha256
    assert Path(embedded["path"]).is_file()
    assert embedded["brought_by"] == "vcn setup"
    assert (brought["sha256"], brought["path"], brought["brought_by"]) == (None, None, "you")
    for entry in entries:
        assert entry["code_licence"]
        assert entry["weights_licence"]
        assert entry["source"]


def test_what_is_not_here_is_listed_all_the_same(
    vcn: Vcn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VCN_CACHE", str(tmp_path))
    entries = {entry["name"]: entry for entry in json.loads(vcn("models", "--json").out)}
    assert entries["yunet"]["path"] is None
    assert entries["yunet"]["sha256"] == OPTIONAL["yunet"].sha256
    assert entries["yunet"]["brought_by"] == "vcn setup --all"
    assert "brought by vcn setup --all" in vcn("models").out


def test_a_file_is_checked_for_readers_and_programs(vcn: Vcn) -> None:
    path = OPTIONAL["yunet"].file
    code, out, err = vcn("models", "check", path)
    assert (code, err) == (0, "")
    assert out.splitlines()[0].startswith(f"{path} fits the detector 'yunet'")
    assert out.splitlines()[-1] == f"To use it: vcn run FILM --detector yunet={path}"
    code, out, _ = vcn("models", "check", path, "--json")
    assert code == 0
    assert json.loads(out)["trial"]["passed"] is True


def test_a_hostile_file_is_3(vcn: Vcn, tmp_path: Path) -> None:
    class Runs:
        def __reduce__(self) -> Any:
            return eval, (f"open({str(tmp_path / 'ran')!r}, 'w')",)

    torch.save({"a": torch.zeros(2), "b": Runs()}, tmp_path / "net\x1b[31m.pt")
    code, out, err = vcn("models", "check", f"{tmp_path / 'net'}\x1b[31m.pt")
    assert (code, out, len(err.splitlines())) == (3, "", 1)
    assert "names eval, which parameters need not" in err
    assert "\x1b" not in err
    assert not (tmp_path / "ran").exists()


def test_a_network_is_fetched_from_an_address_only_when_told(
    vcn: Vcn, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VCN_CACHE", str(tmp_path))
    told: list[tuple[str, str | None]] = []

    def download(address: str, target: Path, sha256: str | None, progress: Progress) -> None:
        told.append((address, sha256))
        shutil.copyfile(yunet, target)

    yunet = tmp_path / "net.onnx"
    yunet.write_bytes(b"not a network")
    monkeypatch.setattr(check, "download", download)
    assert vcn("models", "fetch", "scrfd").code == 2
    assert told == []
    code, _, err = vcn("models", "fetch", "scrfd", "https://a.b/c", "--sha256", "ab")
    assert told == [("https://a.b/c", "ab")]
    assert (code, "is not an ONNX file" in err) == (3, True)


def test_networks_are_settings(vcn: Vcn, monkeypatch: pytest.MonkeyPatch, finished: Path) -> None:
    seen: list[list[str]] = []

    def process(film: Path, out: Path, preset: str, settings: list[str], **_: Any) -> RunView:
        seen.append(settings)
        return load_run(finished)

    monkeypatch.setattr(pipeline, "process_film", process)
    vcn("run", "f.mp4", "--set", "seed=3", "--backbone", "onnx=/a b=c", "--detector", "yunet")
    vcn("run", "f.mp4")
    assert seen == [["seed=3", "backbone=onnx=/a b=c", "detector=yunet"], []]
    assert load_config(changes=seen[0]).backbone == "onnx=/a b=c"
