"""What carries out the jobs of a library: processes of this machine, or a Ray cluster.

Both call the same function, `library.job.do`, and hand out outcomes as they come.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from threading import Lock
from typing import Any, Protocol

from videoclusternet.errors import BusyError, UsageError
from videoclusternet.library.job import INTERNAL, Job, Outcome, do, from_plain
from videoclusternet.processors import environment

PATIENCE = 60.0  # seconds that a process of a dead node may take to end

Told = Callable[[int, str, int, int], None]
"""How an engine tells how far it is: called with (film, stage, steps done, steps in all)."""


class Engine(Protocol):
    """What carries out jobs, each called by the number of its film."""

    def run(self, jobs: Mapping[int, Job], told: Told) -> Iterator[tuple[int, Outcome]]:
        """Yield the outcome of every job as it comes. Whoever looks no further ends the rest."""


@dataclass
class LocalEngine:
    """Processes of this machine, so many at a time: where one dies, the others go on."""

    workers: int
    _running: set[subprocess.Popen[str]] = field(default_factory=set, init=False)
    _lock: Lock = field(default_factory=Lock, init=False)
    _stopped: bool = field(default=False, init=False)

    def run(self, jobs: Mapping[int, Job], told: Told) -> Iterator[tuple[int, Outcome]]:
        pool = ThreadPoolExecutor(self.workers)
        try:
            waited = {pool.submit(self._do, film, job, told): film for film, job in jobs.items()}
            for done in as_completed(waited):
                yield waited[done], done.result()
        finally:
            with self._lock:
                self._stopped = True
                for process in self._running:
                    process.kill()
            pool.shutdown(cancel_futures=True)

    def _do(self, film: int, job: Job, told: Told) -> Outcome:
        with self._lock:
            if self._stopped:
                return Outcome(INTERNAL, "It was stopped.")
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", "videoclusternet.library.job"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                env=environment(OMP_NUM_THREADS=str(job.threads)),
                process_group=0,  # a signal of the terminal is for the one who asks
            )  # fmt: skip
            self._running.add(process)
        outcome = None
        with process:
            assert process.stdin
            assert process.stdout
            with suppress(BrokenPipeError):  # then it has ended, which is told below
                process.stdin.write(json.dumps(asdict(job)) + "\n")
                process.stdin.flush()  # and stays open: its end would mean that nobody waits
            for line in process.stdout:
                said = json.loads(line)
                if "outcome" in said:
                    outcome = from_plain(said["outcome"])
                else:
                    told(film, said["stage"], said["done"], said["total"])
        with self._lock:
            self._running.discard(process)
        return outcome or Outcome(
            INTERNAL, f"Its process ended with {process.returncode}: run the library again.",
            threads=job.threads,
        )  # fmt: skip


@dataclass
class RayEngine:
    """The nodes of a Ray cluster, which all see the folders of the library at the same place.

    A film is two tasks, before and after its crops: only the second one wants a GPU. What a dying
    node had in hand is given to another, and goes on from what stands in the run folder.
    """

    address: str | None = None
    gpus: float = 0.0

    def run(self, jobs: Mapping[int, Job], told: Told) -> Iterator[tuple[int, Outcome]]:
        try:
            import ray
        except ImportError:
            raise UsageError(
                "Ray is not installed: run 'pip install \"videoclusternet[ray]\"'."
            ) from None
        ray.init(address=self.address, log_to_driver=False, configure_logging=False)
        try:
            yield from self._run(ray, jobs, told)
        finally:
            ray.shutdown()

    def _run(self, ray: Any, jobs: Mapping[int, Job], told: Told) -> Iterator[tuple[int, Outcome]]:
        first, second = (ray.remote(max_retries=-1)(one) for one in (_first, _second))
        waited = {}
        for film, job in jobs.items():
            environment = {"env_vars": {"OMP_NUM_THREADS": str(job.threads)}}
            resources = {"num_cpus": job.threads, "runtime_env": environment}
            seen = first.options(**resources).remote(job)
            done = second.options(**resources, num_gpus=self.gpus).remote(job, seen)
            waited[done] = film
        while waited:
            (done,), _ = ray.wait(list(waited), num_returns=1)
            film = waited.pop(done)
            try:
                yield film, ray.get(done)
            except ray.exceptions.RayError as error:
                reason = str(error).strip().splitlines()[-1]
                yield film, Outcome(INTERNAL, f"Ray gave it up ({reason}): run the library again.")


def _first(job: Job) -> Outcome:
    """Find, follow and cut out the faces; a run that is only looked at again has them."""
    return Outcome(0) if job.review else _patiently(replace(job, until="crops"))


def _second(job: Job, seen: Outcome) -> Outcome:
    """Do the rest, if there is one."""
    return seen if seen.code else _patiently(job)


def _patiently(job: Job) -> Outcome:
    """Do a job as soon as whoever had it on a node that died has let go of its folder."""
    begin = time.monotonic()
    outcome = do(job)
    while outcome.code == BusyError.exit_code and time.monotonic() - begin < PATIENCE:
        time.sleep(1)
        outcome = do(job)
    return outcome
