"""Cases of faults that take long: kills, mutated files, many films, other machines' ways."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import psutil

from benchmarks.repeat import digests
from benchmarks.runs import PROGRAM
from tests.faces.films import draw_two_people
from videoclusternet.errors import InputError
from videoclusternet.manifest import Manifest
from videoclusternet.pipeline import process_film
from videoclusternet.stages import STAGES

QUICK = (
    "shots.shortest=0.2", "finetune.hidden=16", "finetune.outputs=16", "finetune.heads=8",
    "finetune.batch=8", "finetune.head_passes=20", "finetune.passes=2", "finetune.rounds=3",
    "finetune.views=2", "cluster.quality_passes=2", "crops.most=3", "crops.every=3",
    "finetune.when=always",
)  # fmt: skip
CONTAINERS = ("mp4", "mkv", "avi", "mov", "ts", "webm")
IN_ONE = 40  # mutated files that one process is given


@dataclass(frozen=True)
class Outcome:
    """What came of a case."""

    tried: int
    failed: int
    said: str


def kills(work: Path, quick: bool) -> Outcome:
    """Kill runs at random instants of every stage, and go on until each run ends.

    Each kill falls into the stage that was hit least so far, of those that the run has yet to do,
    and each run is killed in a stage at most once.
    All runs must end in the same bytes.
    """
    wanted = len(STAGES) if quick else 200
    film = draw_two_people(work / "film.mp4")
    _run(film, work / "whole")
    expected = digests(work / "whole")
    lasts = {name: note.seconds for name, note in Manifest.load(work / "whole").stages.items()}
    rng, runs, wrong = random.Random(0), 0, 0
    hit = Counter(dict.fromkeys(STAGES, 0))
    while hit.total() < wanted:
        folder = work / f"run-{runs}"
        runs += 1
        spared = set(STAGES)  # each run is killed in each stage once, then left alone
        while left := [stage for stage in _stages_left(folder) if stage in spared]:
            aim = min(left, key=lambda stage: hit[stage])
            spared.remove(aim)
            hit[aim] += _kill_in(aim, rng.uniform(0, lasts[aim]), _command(film, folder))
        _run(film, folder)
        wrong += digests(folder) != expected
        shutil.rmtree(folder)
    places = ", ".join(f"{stage} {count}" for stage, count in hit.items())
    total = hit.total()
    return Outcome(total, wrong, f"{total} kills in {runs} runs ({places}), {wrong} in other bytes")


def _stages_left(folder: Path) -> list[str]:
    try:
        done = set(Manifest.load(folder).stages)
    except (InputError, ValueError):
        done = set()
    return [stage for stage in STAGES if stage not in done]


def _kill_in(stage: str, delay: float, command: Sequence[str]) -> bool:
    """Kill a run so many seconds after this stage begins; return whether it was not over before."""
    with subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as child:
        assert child.stderr
        for line in child.stderr:
            if line.startswith(f"{stage} ..."):
                break
        with suppress(subprocess.TimeoutExpired):
            child.wait(delay)
        child.kill()
        return child.wait() == -signal.SIGKILL


def mutations(work: Path, quick: bool) -> Outcome:
    """Harm films of six containers; each ends in a result or in an InputError."""
    count = 60 if quick else 2000
    films = [_small_film(work / f"film.{kind}") for kind in CONTAINERS]
    paths = []
    for seed in range(count):
        path = work / f"{seed:05}.{CONTAINERS[seed % len(CONTAINERS)]}"
        path.write_bytes(_mutated(films[seed % len(films)].read_bytes(), seed))
        paths.append(path)
    ends: Counter[str] = Counter()
    for begin in range(0, count, IN_ONE):
        batch = paths[begin : begin + IN_ONE]
        child = subprocess.run(
            [sys.executable, "-m", "benchmarks.harm", *map(str, batch)], capture_output=True,
            text=True, check=False, timeout=60 * IN_ONE,
        )  # fmt: skip
        lines = child.stdout.splitlines()
        ends.update(lines)
        if len(lines) < len(batch):
            ends[f"died ({child.returncode})"] += len(batch) - len(lines)
        for path in batch:
            path.unlink()
    failed = count - ends["0"] - ends["3"]
    told = ", ".join(f"{end}: {number}" for end, number in sorted(ends.items()))
    return Outcome(count, failed, f"exit codes of {count} mutated films: {told}")


def _small_film(path: Path) -> Path:
    codec = "libvpx" if path.suffix == ".webm" else "libx264"
    rng = np.random.default_rng(0)
    with av.open(str(path), "w") as film:
        stream = film.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 160, 120, "yuv420p"
        for _ in range(24):
            picture = rng.integers(0, 256, (120, 160, 3), dtype=np.uint8)
            film.mux(stream.encode(av.VideoFrame.from_ndarray(picture, "rgb24")))
        film.mux(stream.encode(None))
    return path


def _mutated(data: bytes, seed: int) -> bytes:
    """Flip bytes, blank a block, cut the end off, or take a piece out."""
    rng = np.random.default_rng(seed)
    content = np.frombuffer(data, np.uint8).copy()
    size = len(content)
    match seed // len(CONTAINERS) % 5:
        case 0:  # anywhere
            content[rng.integers(size, size=rng.integers(1, 200))] ^= 0xFF
        case 1:  # where the headers are
            content[rng.integers(min(size, 2048), size=rng.integers(1, 20))] ^= 0xFF
        case 2:
            begin = int(rng.integers(size))
            content[begin : begin + int(rng.integers(1, 5000))] = 0
        case 3:
            content = content[: rng.integers(size)]
        case _:
            begin = int(rng.integers(size))
            content = np.delete(content, slice(begin, begin + int(rng.integers(1, 5000))))
    return content.tobytes()


def _end_of(path: Path) -> str:
    """Return the exit code that a film ends with."""
    folder = path.with_suffix(".run")
    try:
        process_film(path, folder, "fast", QUICK, until="faces", device="cpu")
    except InputError:
        return "3"
    except Exception as error:
        return f"6 ({type(error).__name__})"
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return "0"


def soak(work: Path, quick: bool) -> Outcome:
    """Take many films through one process; memory and open files must not grow."""
    count = 6 if quick else 50
    film = draw_two_people(work / "film.mp4")
    me = psutil.Process()
    memory, files = [], []
    for n in range(count):
        process_film(film, work / "run", "standard", [*QUICK, f"seed={n}"], device="cpu")
        shutil.rmtree(work / "run")
        memory.append(me.memory_info().rss / 1e6)
        files.append(me.num_fds())
    settled = count // 3  # what libraries set up once
    slope = float(np.polyfit(np.arange(count - settled), memory[settled:], 1)[0])
    grown = slope > 1.0, files[-1] > files[settled]
    more = files[-1] - files[settled]
    said = f"{count} films: {slope:+.2f} MB a film and {more:+d} open files in all, once settled"
    return Outcome(count, sum(grown), said)


def no_network(work: Path, quick: bool) -> Outcome:
    """Run where there is no network at all."""
    film = draw_two_people(work / "film.mp4")
    command = ["unshare", "--net", "--map-root-user", *_command(film, work / "run")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    _run(film, work / "with")
    same = done.returncode == 0 and digests(work / "run") == digests(work / "with")
    return Outcome(1, not same, "under unshare --net" if same else done.stderr.strip()[-200:])


def environments(work: Path, quick: bool) -> Outcome:
    """Run in other zones and languages: the same bytes."""
    film = draw_two_people(work / "film.mp4")
    ways: Sequence[Mapping[str, str]] = (
        {}, {"TZ": "Pacific/Kiritimati", "LANG": "C", "LC_ALL": "C"},
        {"TZ": "America/St_Johns", "LC_ALL": "tr_TR.UTF-8"}, {"PYTHONUTF8": "0", "LC_ALL": "POSIX"},
    )  # fmt: skip
    found = []
    for n, way in enumerate(ways):
        _run(film, work / f"run-{n}", **way)
        found.append(digests(work / f"run-{n}"))
    others = sum(one != found[0] for one in found)
    return Outcome(len(ways), others, f"{len(ways)} zones and languages")


def thread_counts(work: Path, quick: bool) -> Outcome:
    """Run with one thread and with two: the same people."""
    film = draw_two_people(work / "film.mp4")
    labels = []
    for threads in ("1", "2"):
        _run(film, work / threads, OMP_NUM_THREADS=threads)
        people = json.loads((work / threads / "people.json").read_text())["people"]
        labels.append(sorted(person["tracks"] for person in people))
    return Outcome(1, labels[0] != labels[1], "the same partition is asked for, not the same bytes")


def side_by_side(work: Path, quick: bool) -> Outcome:
    """Run a film twice at once in two folders."""
    film = draw_two_people(work / "film.mp4")
    both = [
        subprocess.Popen(_command(film, work / name), stderr=subprocess.DEVNULL)
        for name in ("left", "right")
    ]
    codes = [one.wait() for one in both]
    same = codes == [0, 0] and digests(work / "left") == digests(work / "right")
    return Outcome(1, not same, f"exit codes {codes}")


def read_only(work: Path, quick: bool) -> Outcome:
    """Run into a folder of which nothing can be written: a mount that is read only."""
    film = draw_two_people(work / "film.mp4")
    place = work / "place"
    place.mkdir()
    inner = " ".join(_command(film, place / "run"))
    command = ["unshare", "--mount", "--map-root-user", "sh", "-c"]
    script = f"mount -t tmpfs -o ro none {place} && exec {inner}"
    done = subprocess.run([*command, script], capture_output=True, text=True, check=False)
    right = done.returncode == 4 and done.stderr.count("\n") == 1
    told = done.stderr.strip()[-120:].replace(str(work), "…")
    return Outcome(1, not right, f"exit code {done.returncode}: {told}")


def _command(film: Path, folder: Path) -> list[str]:
    changes = [word for change in QUICK for word in ("--set", change)]
    return [*PROGRAM, "run", str(film), "--out", str(folder), "--device", "cpu", *changes]


def _run(film: Path, folder: Path, **environment: str) -> None:
    subprocess.run(
        _command(film, folder), check=True, capture_output=True, env=os.environ | environment
    )


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        print(_end_of(Path(argument)), flush=True)
