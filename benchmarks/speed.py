"""How near to the floor of the machine: each figure is a ratio of two times of one session.

A floor is what nobody can do without: decoding the film, one pass forward and backward of the
network, the same detector and embeddings without tuning, one product of matrices. Machines differ
and are busy, so a ratio is of things done right after each other, and the load is noted.
"""

from __future__ import annotations

import json
import os
import re
import resource
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path
from time import perf_counter

import cv2
import numpy as np

import videoclusternet as vcn
from benchmarks.results_file import Goal, Row
from benchmarks.runs import run_program
from videoclusternet.clustering.distance import Sides
from videoclusternet.records import Array
from videoclusternet.stages import STAGES
from videoclusternet.video.stream import open_video
from videoclusternet.video.writer import write_video

FRONT = ("shots", "faces", "kept", "tracks", "crops")
FULL_HD = (1920, 1080)
PEOPLE = 300  # who the drawn tracks are of
CLIP = 750  # frames of the clip that is measured in full HD
GOALS = {
    "front": Goal(most=2.5),
    "step": Goal(most=1.15),
    "whole.standard": Goal(most=1.6),
    "whole.fast": Goal(most=1.1),
    "long.time": Goal(most=6.3),
    "long.memory": Goal(most=1.15),
    "clusters": Goal(most=5),
    "help.torch": Goal(most=0),
    "help.seconds": Goal(most=0.3),
}


def measure_help() -> Iterator[Row]:
    """Time what a person waits for who asks what there is to ask."""
    command = [sys.executable, "-m", "videoclusternet", "--help"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as process:
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    told = [sys.executable, "-X", "importtime", *command[1:]]
    imports = subprocess.run(told, capture_output=True, text=True, check=True).stderr
    yield _judged("help.torch", len(re.findall(r"\| +torch$", imports, re.M)), "1 = imported")
    yield _judged("help.seconds", usage.ru_utime + usage.ru_stime, "s of processor")


def measure_front(film: Path, work: Path) -> Iterator[Row]:
    """Compare the stages in front of the network with decoding alone, on a clip in full HD."""
    clip = work / f"{film.stem}-1080p.mp4"
    if not clip.exists():
        write_video(clip, _enlarged(film), 25, FULL_HD)
    video = open_video(clip)
    for _ in video.frames():  # the first walk takes one thread, and warms the disk's cache
        pass
    start = perf_counter()
    frames = sum(1 for _ in video.frames())
    decoding = perf_counter() - start
    seconds = _stages(clip, work / f"{clip.stem}-run", "standard", until="crops")
    yield Row.of("front.decoding", 1000 * decoding / frames, "ms a frame")
    for stage in FRONT:
        yield Row.of(f"front.{stage}", seconds[stage] / decoding, "of decoding")
    yield _judged("front", sum(seconds[stage] for stage in FRONT) / decoding, "of decoding")


def measure_whole(film: Path, work: Path) -> Iterator[Row]:
    """Compare whole runs with the usual pipeline: the same tracks, one look at each crop."""
    from benchmarks.datasets.own import untuned  # torch
    from benchmarks.methods.linkage import cut

    for preset in ("standard", "fast"):
        folder = work / f"{film.stem}-{preset}"
        seconds = _stages(film, folder, preset)
        crops = vcn.load_run(folder).crops
        network = untuned(vcn.load_config(preset))
        start = perf_counter()
        embeddings = network.embed(crops.images)
        starts = np.cumsum(crops.counts) - crops.counts
        means = np.add.reduceat(embeddings, starts[crops.counts > 0])
        cut(means / np.linalg.norm(means, axis=1, keepdims=True), "average", [0.05])
        usual = sum(seconds[stage] for stage in FRONT) + perf_counter() - start
        for stage, took in seconds.items():
            yield Row.of(f"whole.{preset}.{stage}", took, "s")
        yield Row.of(f"whole.{preset}.usual", usual, "s")
        yield _judged(f"whole.{preset}", sum(seconds.values()) / usual, "of the usual pipeline")


def measure_step(film: Path, work: Path) -> Iterator[Row]:
    """Compare a step of joint training with one pass forward and backward of the backbone."""
    import torch

    from videoclusternet.finetune.train import tune_model
    from videoclusternet.models.face_model import FaceModel
    from videoclusternet.models.registry import choose_backbone

    run = vcn.process_film(film, work / f"{film.stem}-standard", until="crops")
    crops, config = run.crops, vcn.load_config("standard")
    chosen = choose_backbone(config.backbone)
    model = FaceModel.create(*chosen, config.finetune, 0)
    batch = torch.tensor(crops.images[: config.finetune.batch])

    def bare() -> None:
        model.zero_grad()
        model.tail(model.trunk(batch)).sum().backward()  # type: ignore[no-untyped-call]

    def tuned(passes: float) -> float:
        few = config.finetune.model_copy(update={"passes": passes, "rounds": 1, "head_passes": 1})
        start = perf_counter()
        tuned = tune_model(FaceModel.create(*chosen, few, 0), crops)
        took = perf_counter() - start
        steps[passes] = sum("loss" in row and row["stage"] != "head" for row in tuned.log)
        return took

    steps: dict[float, int] = {}
    bare()
    start = perf_counter()
    for _ in range(10):
        bare()
    floor = (perf_counter() - start) / 10
    short, long = tuned(1), tuned(3)
    step = (long - short) / (steps[3] - steps[1])
    yield Row.of("step.floor", 1000 * floor, "ms forward and backward")
    yield _judged("step", step / floor, "of forward and backward")


def measure_clusters() -> Iterator[Row]:
    """Compare the clustering of 10,000 tracks with a product of matrices of that size."""
    for tracks, width in ((10_000, 2048), (100_000, 64)):
        product, seconds, memory, found = _in_a_process_of_its_own(tracks, width)
        yield Row.of(f"clusters.{tracks}.product", product, "s, one product")
        yield Row.of(f"clusters.{tracks}.seconds", seconds, f"s, {width} outputs")
        yield Row.of(f"clusters.{tracks}.memory", memory, "MB above what drawing them took")
        yield Row.of(f"clusters.{tracks}.people", found, f"of {PEOPLE}")
        if tracks == 10_000:
            yield _judged("clusters", seconds / product, "of one product")


def _in_a_process_of_its_own(tracks: int, width: int) -> list[float]:
    """Return the numbers of `merge_drawn`, whose memory is not that of what was measured before."""
    code = f"from benchmarks.speed import merge_drawn; print(*merge_drawn({tracks}, {width}))"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return [float(number) for number in done.stdout.split()]


def merge_drawn(tracks: int, width: int) -> tuple[float, float, float, int]:
    """Return seconds of one product and of merging drawn tracks, MB more, and the people found."""
    from videoclusternet.clustering.distance import RULES
    from videoclusternet.clustering.merge import merge_tracks

    sides = drawn_tracks(tracks, width)
    rows = min(tracks, 10_000)
    start = perf_counter()
    _ = sides.p[:rows] @ sides.q[:rows].T
    product = (perf_counter() - start) * (tracks / rows) ** 2
    del _
    before = _peak()
    start = perf_counter()
    label, _, _ = merge_tracks(sides, RULES["loss-nearest"])
    return product, perf_counter() - start, _peak() - before, int(label.max()) + 1


def drawn_tracks(tracks: int, width: int) -> Sides:
    """Return both sides of the loss of tracks of 16 crops, by heads of 64 outputs each."""
    rng = np.random.default_rng(0)
    people = rng.normal(0, 3, (PEOPLE, 1, width // 64, 64))
    columns: list[list[Array]] = [[], [], [], [], []]
    for start in range(0, tracks, 500):
        many = min(500, tracks - start)
        outputs = people[rng.integers(0, PEOPLE, many)]
        outputs = outputs + rng.normal(0, 0.2, (many, 16, *outputs.shape[2:]))
        log = outputs - np.log(np.exp(outputs).sum(3, keepdims=True))
        p, q = np.exp(log).reshape(many, 16, -1) * 64 / width, log.reshape(many, 16, -1)
        parts = p.sum(1), q.sum(1), (p * q).sum((1, 2)), p.mean(1), q.mean(1)
        for column, part in zip(columns, parts, strict=True):
            column.append(part)
    return Sides(np.full(tracks, 16), *map(np.concatenate, columns))


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def measure_long(films: Sequence[Path], work: Path, preset: str) -> Iterator[Row]:
    """Compare a film of an hour with one of ten minutes, stage by stage."""
    took: dict[int, float] = {}
    peaks: dict[int, float] = {}
    for minutes in (10, 60):
        film = work / f"{minutes}-minutes.mp4"
        if not film.exists():
            write_video(film, _strung(films, minutes * 60 * 25), 25, (640, 360))
        folder, memory = work / film.stem, {}
        for stage in STAGES:
            memory[stage] = run_program(film, folder, preset, [], 0, until=stage)
        note = folder.with_name(f"{film.stem}.memory.json")
        before = json.loads(note.read_text()) if note.exists() else {}
        memory = {stage: max(peak, before.get(stage, 0.0)) for stage, peak in memory.items()}
        note.write_text(json.dumps(memory), encoding="utf-8")
        seconds = {s: n.seconds for s, n in vcn.load_run(folder).manifest.stages.items()}
        for stage in STAGES:
            yield Row.of(f"long.{minutes}.{stage}.seconds", seconds[stage], "s")
            yield Row.of(f"long.{minutes}.{stage}.memory", memory[stage], "MB")
        yield Row.of(f"long.{minutes}.crops.number", len(vcn.load_run(folder).crops), "crops")
        took[minutes], peaks[minutes] = sum(seconds.values()), max(memory.values())
    yield _judged("long.time", took[60] / took[10], "of ten minutes")
    yield _judged("long.memory", peaks[60] / peaks[10], "of ten minutes")


def table_of(rows: Sequence[Row]) -> Iterator[str]:
    """Yield a line for each row."""
    for row in rows:
        goal = f"  {row.goal}: {row.verdict}" if row.goal else ""
        yield f"{row.name:<32}{row.value:>10.3g}  {row.unit}{goal}"


def _judged(name: str, value: float, unit: str) -> Row:
    return Row.of(name, value, unit, GOALS[name])


def _stages(film: Path, folder: Path, preset: str, until: str = "report") -> Mapping[str, float]:
    """Run the program, unless that is done, and return the seconds of each stage."""
    run_program(film, folder, preset, [], 0, until=until)
    return {s: note.seconds for s, note in vcn.load_run(folder).manifest.stages.items()}


def _enlarged(film: Path) -> Iterator[Array]:
    for frame in islice(open_video(film).frames(), CLIP):
        yield cv2.resize(frame.rgb(), FULL_HD, interpolation=cv2.INTER_CUBIC)


def _strung(films: Sequence[Path], frames: int) -> Iterator[Array]:
    """Yield so many frames of films in turns, lighter or darker, every other one mirrored."""
    rng, left = np.random.default_rng(0), frames
    turn = 0
    while left:
        light, mirrored = rng.uniform(0.75, 1.15), turn % 2
        for frame in islice(open_video(films[turn % len(films)]).frames(), left):
            picture = cv2.resize(frame.rgb(), (640, 360), interpolation=cv2.INTER_AREA)
            picture = cv2.convertScaleAbs(picture, alpha=light)
            yield picture[:, ::-1].copy() if mirrored else picture
            left -= 1
        turn += 1
