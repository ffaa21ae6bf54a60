"""What the engine for Ray asks of it; `python -m benchmarks engines` asks a real cluster."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from videoclusternet.errors import BusyError, InputError
from videoclusternet.library import engines
from videoclusternet.library.engines import RayEngine
from videoclusternet.library.job import Job, Outcome, from_plain, to_plain


class RayError(Exception):
    """As `ray.exceptions.RayError`."""


class Cluster:
    """Ray in one process: tasks are done when they are asked for, some are lost."""

    exceptions = SimpleNamespace(RayError=RayError)

    def __init__(self) -> None:
        self.asked: list[dict] = []
        self.lost: set[str] = set()
        self.open = False

    def init(self, **options):
        self.open, self.options = True, options

    def shutdown(self):
        self.open = False

    def remote(self, **options):
        def task(function):
            def options_of(**resources):
                self.asked.append(resources | options)
                return SimpleNamespace(
                    remote=lambda *given: lambda: function(*(self.value(one) for one in given))
                )

            return SimpleNamespace(options=options_of)

        return task

    def value(self, given):
        return given() if callable(given) else given

    def wait(self, waited, num_returns):
        return waited[-num_returns:], waited[:-num_returns]

    def get(self, task):
        outcome = task()
        if outcome.sentence in self.lost:
            raise RayError("a node is gone")
        return outcome


@pytest.fixture
def cluster(monkeypatch):
    made = Cluster()
    monkeypatch.setitem(sys.modules, "ray", made)
    return made


def job(film: str, **options) -> Job:
    return Job(film, f"runs/{film}", "fast", ("seed=1",), threads=3, **options)


def test_a_film_is_two_tasks_and_the_second_wants_the_gpu(cluster, monkeypatch):
    done: list[tuple[str, str | None]] = []

    def do(one: Job) -> Outcome:
        done.append((one.film, one.until))
        return Outcome(3, "no film") if one.film == "bad" else Outcome(0, one.film)

    monkeypatch.setattr(engines, "do", do)
    jobs = {1: job("good"), 2: job("bad"), 3: job("seen", review=True)}
    ran = dict(RayEngine("host:1", gpus=1).run(jobs, lambda *_: None))
    assert cluster.options["address"] == "host:1"
    assert not cluster.open
    assert {film: one.code for film, one in ran.items()} == {1: 0, 2: 3, 3: 0}
    # What fails in the first task has no second one, what was only reviewed has no first one.
    assert sorted(done, key=str) == [
        ("bad", "crops"),
        ("good", "crops"),
        ("good", None),
        ("seen", None),
    ]
    assert [one.get("num_gpus", 0) for one in cluster.asked] == [0, 1] * 3
    for asked in cluster.asked:
        assert asked["num_cpus"] == 3
        assert asked["runtime_env"]["env_vars"]["OMP_NUM_THREADS"] == "3"
        assert asked["max_retries"] == -1


def test_what_ray_gives_up_is_an_outcome(cluster, monkeypatch):
    monkeypatch.setattr(engines, "do", lambda one: Outcome(0, one.film))
    cluster.lost = {"lost"}
    ran = dict(RayEngine().run({1: job("lost"), 2: job("kept")}, lambda *_: None))
    assert (ran[1].code, ran[1].sentence) == (
        6,
        "Ray gave it up (a node is gone): run the library again.",
    )
    assert ran[2].code == 0


def test_a_folder_that_a_dying_node_holds_is_waited_for(cluster, monkeypatch):
    answers = [
        Outcome(BusyError.exit_code),
        Outcome(BusyError.exit_code),
        Outcome(0, "crops"),
        Outcome(0),
    ]
    monkeypatch.setattr(engines, "do", lambda _: answers.pop(0))
    monkeypatch.setattr(engines.time, "sleep", lambda _: None)
    ((_, outcome),) = RayEngine().run({1: job("film")}, lambda *_: None)
    assert outcome == Outcome(0)
    assert answers == []
    monkeypatch.setattr(engines, "PATIENCE", 0.0)
    monkeypatch.setattr(engines, "do", lambda _: Outcome(BusyError.exit_code, "held"))
    ((_, outcome),) = RayEngine().run({1: job("film")}, lambda *_: None)
    assert outcome.code == BusyError.exit_code


def test_what_goes_wrong_in_a_job_is_an_outcome(tmp_path, monkeypatch):
    (tmp_path / "bad.mp4").write_text("no film")
    outcome = engines.do(Job(str(tmp_path / "bad.mp4"), str(tmp_path / "run"), "fast", ()))
    assert outcome.code == InputError.exit_code
    assert outcome == from_plain(to_plain(outcome))

    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("by chance")

    monkeypatch.setattr("videoclusternet.pipeline.process_film", fail)
    outcome = engines.do(Job(str(Path("any")), "run", "fast", ()))
    assert outcome.code == 6
    assert "ZeroDivisionError: by chance" in outcome.sentence
