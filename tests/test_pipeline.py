"""The whole recipe over small real films: what comes out, what is kept, what is done again."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import torch

from tests.faces.films import draw_two_people
from tests.synthetic import DrawnShot, draw_film
from videoclusternet.errors import InputError, UsageError, WeightsError
from videoclusternet.manifest import Manifest
from videoclusternet.pipeline import cluster_video, process_film
from videoclusternet.review import acts
from videoclusternet.run_view import RunView, load_run
from videoclusternet.stages import STAGES
from videoclusternet.web.session import Session

POCKET = [
    "shots.shortest=0.2", "finetune.hidden=16", "finetune.outputs=16", "finetune.batch=8",
    "finetune.head_passes=2", "finetune.passes=1", "finetune.rounds=1", "finetune.views=2",
    "cluster.quality_passes=2", "detect.every=5", "crops.most=3", "crops.every=12",
    "finetune.when=always",
]  # fmt: skip
UNPROMISED = {"facts.json", "report.html"}  # they say when the run was made, and how long it took


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("OMP_NUM_THREADS", "1")
        yield


@pytest.fixture(scope="module")
def empty_film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("empty") / "no <b>faces.mp4"
    draw_film(path, [DrawnShot(12, seed=1), DrawnShot(10, seed=2, pan=(1, 0))], size=(160, 120))
    return path


def process(film: Path, out: Path, *changes: str, **how: Any) -> RunView:
    return process_film(film, out, "standard", [*POCKET, *changes], **{"device": "cpu", **how})


def done_anew(told: list[tuple[str, int, int]]) -> list[str]:
    """Return the stages that were not taken over from an earlier run."""
    first = {stage: (done, total) for stage, done, total in reversed(told)}
    return [stage for stage in STAGES if stage in first and first[stage] != (1, 1)]


def promised(folder: Path) -> dict[str, bytes]:
    names = [name for stage in STAGES.values() for name in stage.files if name not in UNPROMISED]
    return {name: (folder / name).read_bytes() for name in names}


@pytest.fixture(scope="module")
def empty_run(empty_film: Path, tmp_path_factory: pytest.TempPathFactory) -> RunView:
    return process(empty_film, tmp_path_factory.mktemp("runs") / "empty")


def test_a_film_without_faces_is_a_valid_result(empty_run: RunView) -> None:
    assert len(empty_run.people) == 0
    assert empty_run.people.unknown.tracks == ()
    assert len(empty_run.shots) == 2
    assert len(empty_run.faces) == len(empty_run.crops) == len(empty_run.clusters) == 0
    assert empty_run.people.duration == pytest.approx(22 / 25)
    page = empty_run.report.read_text()
    assert "No faces were found" in page
    assert "<b>faces" not in page


def test_every_stage_leaves_its_files_and_its_note(empty_run: RunView) -> None:
    there = {path.name for path in empty_run.folder.iterdir() if not path.name.startswith(".")}
    assert there == {"run.json"}.union(*(stage.files for stage in STAGES.values()))
    manifest = Manifest.load(empty_run.folder)
    assert list(manifest.stages) == list(STAGES)
    assert manifest.settings["finetune"]["hidden"] == 16


def test_a_second_run_does_nothing(empty_film: Path, empty_run: RunView) -> None:
    told: list[tuple[str, int, int]] = []
    page = empty_run.report.read_bytes()
    process(empty_film, empty_run.folder, progress=lambda *now: told.append(now))
    assert [stage for stage, _, _ in told] == list(STAGES)
    assert done_anew(told) == []
    assert empty_run.report.read_bytes() == page


def test_the_same_seed_makes_the_same_bytes(
    empty_film: Path, empty_run: RunView, tmp_path: Path
) -> None:
    process(empty_film, tmp_path / "again")
    assert promised(tmp_path / "again") == promised(empty_run.folder)


def test_a_run_can_stop_and_go_on(empty_film: Path, empty_run: RunView, tmp_path: Path) -> None:
    told: list[tuple[str, int, int]] = []
    view = process(empty_film, tmp_path / "run", until="tracks")
    assert list(view.manifest.stages) == ["shots", "faces", "kept", "tracks"]
    with pytest.raises(InputError, match="'people'"):
        _ = view.people
    process(empty_film, tmp_path / "run", progress=lambda *now: told.append(now))
    assert done_anew(told) == [
        "crops",
        "links",
        "model",
        "signatures",
        "clusters",
        "facts",
        "people",
        "report",
    ]
    assert promised(tmp_path / "run") == promised(empty_run.folder)


@pytest.mark.parametrize(
    ("changes", "how", "words"),
    [
        ([], {"until": "film"}, "shots, faces"),
        ([], {"redo": "film"}, "shots, faces"),
        ([], {"redo": "model", "until": "tracks"}, "'model' comes after 'tracks'"),
        ([], {"device": "tpu"}, "auto, cpu, cuda"),
        ([], {"device": "cuda"}, "--device cpu"),
        (["backbone=elephant"], {}, "dlib_resnet"),
        (["detector=elephant"], {}, "centerface"),
        (["shots.detector=elephant"], {}, "adaptive"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_work(
    empty_film: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    changes: list[str],
    how: dict[str, Any],
    words: str,
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UsageError, match=words):
        process(empty_film, tmp_path / "run", *changes, **how)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [([], "run 'vcn setup'"), (["shots.detector=transnet"], "run 'vcn setup --all'")],
)
def test_missing_weights_are_told_before_work(
    empty_film: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    changes: list[str],
    words: str,
) -> None:
    monkeypatch.setenv("VCN_CACHE", str(tmp_path / "cache"))
    with pytest.raises(WeightsError, match=words):
        process(empty_film, tmp_path / "run", *changes)
    assert list(tmp_path.iterdir()) == []


def test_the_folder_is_called_after_the_film(
    empty_film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    people = cluster_video(empty_film, settings=POCKET, device="cpu", seed=3)
    assert len(people) == 0
    (folder,) = Path("runs").iterdir()
    assert folder.name.startswith("no-b-faces-")
    assert Manifest.load(folder).settings["seed"] == 3


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return draw_two_people(tmp_path_factory.mktemp("film") / "film.mp4")


@pytest.fixture(scope="module")
def run(film: Path, tmp_path_factory: pytest.TempPathFactory) -> RunView:
    return process(film, tmp_path_factory.mktemp("runs") / "film")


def test_faces_become_people(run: RunView) -> None:
    assert run.shots.first.tolist() == [0, 16, 32, 48]
    assert run.tracks.count == len(run.clusters) == 4
    assert run.shots.of(run.tracks.spans[:, 0]).tolist() == [0, 1, 2, 3]
    assert np.all(run.crops.counts > 0)
    everybody = [*run.people, run.people.unknown]
    assert sorted(track for person in everybody for track in person.tracks) == [0, 1, 2, 3]
    for person in run.people:
        assert 0 < person.seconds == pytest.approx(sum(a.end - a.start for a in person.appearances))
        assert run.report.read_text().count(person.name)
    assert 2.3 < sum(person.seconds for person in everybody) <= 64 / 25 + 1e-9
    assert len(run.model.log) == len((run.folder / "train.jsonl").read_text().splitlines()) > 0


def test_a_rate_that_destroys_the_network_leaves_it_as_it_came(film: Path, tmp_path: Path) -> None:
    view = process(film, tmp_path / "run", "finetune.backbone_rate=1e30")
    assert view.model.events[-1] == "The backbone was left as it came."
    assert np.all(np.isfinite(view.clusters.quality))
    assert np.all(view.clusters.label >= 0)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ("cluster.quality_passes=3", "signatures"),
        ("cluster.quality_deviations=9", "clusters"),
        ("cluster.rule=loss", "signatures"),
        ("finetune.head_rate=1.23e-3", "model"),
        ("tracks.shortest=99", "tracks"),
        ("filter.side=1000", "kept"),
    ],
)
def test_a_changed_setting_redoes_what_follows(
    film: Path, run: RunView, tmp_path: Path, change: str, expected: str
) -> None:
    told: list[tuple[str, int, int]] = []
    folder = tmp_path / "run"
    shutil.copytree(run.folder, folder)
    process(film, folder, change, progress=lambda *now: told.append(now))
    assert done_anew(told)[0] == expected
    assert done_anew(told)[-1] == "report"


@pytest.mark.parametrize(
    ("stage", "number"),
    [
        ("crops", signal.SIGKILL),
        ("model", signal.SIGTERM),
    ],
)
def test_a_run_that_was_ended_goes_on_to_the_same_bytes(
    film: Path, run: RunView, tmp_path: Path, stage: str, number: int
) -> None:
    folder = tmp_path / "run"
    changes = [argument for change in POCKET for argument in ("--set", change)]
    command = [sys.executable, "-m", "videoclusternet", "run", film, "--out", folder, *changes]
    with subprocess.Popen(
        [*command, "--device", "cpu"], stderr=subprocess.PIPE, text=True,
        cwd=Path(__file__).parents[1],
    ) as child:  # fmt: skip
        assert child.stderr is not None
        for line in child.stderr:
            if line.startswith(f"{stage} ..."):
                os.kill(child.pid, number)
                break
        rest = child.stderr.read()
    killed = number == signal.SIGKILL
    assert child.returncode == (-number if killed else 128 + number)
    assert ("To go on: vcn run" in rest) != killed
    told: list[tuple[str, int, int]] = []
    process(film, folder, progress=lambda *now: told.append(now))
    names = list(STAGES)
    assert set(done_anew(told)) <= set(names[names.index(stage) :])
    assert promised(folder) == promised(run.folder)


def test_a_film_that_was_cut_off_says_so(
    film: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cut = tmp_path / "cut.mp4"
    with av.open(str(film)) as source, av.open(
        str(cut), "w", options={"movflags": "faststart"}
    ) as target:  # fmt: skip
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                target.mux(packet)
    cut.write_bytes(cut.read_bytes()[: cut.stat().st_size // 2])
    view = process(cut, tmp_path / "run", "finetune.rounds=0")
    told = f"The film ends at {view.people.duration:.1f} s, though 2.6 s were announced: "
    told += "a whole copy would show more."
    assert told in caplog.messages
    assert told in view.report.read_text()


def test_a_film_of_ten_hours(film: Path, tmp_path: Path) -> None:
    """Of few pictures, each shot three hours after the one before."""
    hours = tmp_path / "hours.mkv"
    with av.open(str(film)) as source, av.open(str(hours), "w") as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size:
                packet.stream = stream
                for name in ("pts", "dts"):
                    stamp = getattr(packet, name)
                    shot = max(0, int(stamp * packet.time_base * 25) // 16)
                    setattr(packet, name, stamp + int(shot * 11_000 / packet.time_base))
                target.mux(packet)
    view = process(hours, tmp_path / "run", "finetune.rounds=0")
    assert view.people.duration == pytest.approx(33_002.56, abs=0.1)
    assert view.tracks.count == 4
    assert view.shots.times[view.tracks.spans[:, 0]] == pytest.approx(
        [n * 11_000.64 for n in range(4)], abs=0.1
    )
    assert view.report.stat().st_size < 1_000_000


def test_a_damaged_film_says_so(
    film: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    damaged = tmp_path / "damaged.mp4"
    for seed in range(12):  # which harm leaves a face to be found depends on the encoder
        content = bytearray(film.read_bytes())
        places = np.random.default_rng(seed).integers(len(content) // 4, len(content) // 2, 30)
        for place in places:
            content[place] ^= 0xFF
        damaged.write_bytes(content)
        seen = process(damaged, tmp_path / str(seed), until="faces").faces
        if not seen.usable.all():
            break
    view = process(damaged, tmp_path / "run", "finetune.rounds=0")
    assert any(said.startswith("Damaged places in the film: ") for said in caplog.messages)
    unusable = int((~view.faces.usable).sum())
    assert unusable > 0
    told = f"{unusable} of {len(view.faces)} faces lie in damaged pictures: nobody is recognised "
    assert f"{told}by them." in view.report.read_text()


def test_what_a_person_said_outlives_other_settings(
    film: Path, run: RunView, tmp_path: Path
) -> None:
    """Tuned and clustered anew, with another matching of tracks: still as they were told to be."""
    folder = tmp_path / "run"
    shutil.copytree(run.folder, folder)
    session = Session(folder)
    first, second = (person.number for person in session.now().people[:2])
    apart = session.now().state.tracks(first)[:2]
    session.do(lambda state: acts.merge(state, first, [second]), None)
    session.do(lambda state: acts.move(state, apart[1:], None), None)
    session.do(lambda state: acts.name(state, first, "Ada"), None)
    told = {person.name: person.tracks for person in load_run(folder).people}
    process(film, folder, "finetune.head_rate=1.23e-3", "tracks.gap=0.4", seed=3)
    view = load_run(folder)
    after = {person.name: person.tracks for person in view.people}
    assert set(after["Ada"]) >= set(told["Ada"])
    assert not set(after["Ada"]) & set(apart[1:])
    label = view.clusters.label  # the clusters themselves obey, not only what is shown
    assert len({int(label[track]) for track in told["Ada"]}) == 1
    assert label[apart[0]] != label[apart[1]]
    assert "Ada" in (folder / "people.csv").read_text()
    again = process(film, folder, "finetune.head_rate=1.23e-3", "tracks.gap=0.4", seed=3)
    assert again.people == view.people
