"""A library on a Ray cluster of two nodes, one of which is killed, beside the same library here."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.environment import Environment
from benchmarks.harm import QUICK
from benchmarks.repeat import digests
from benchmarks.results_file import Goal, Row
from tests.faces.films import photograph
from tests.synthetic import DrawnFace, DrawnShot, draw_film
from videoclusternet.library.engines import Engine, LocalEngine, RayEngine
from videoclusternet.library.shelf import Library
from videoclusternet.processors import environment, usable_threads

AT_WORK = 3.0  # seconds after which a node is in the middle of its next task
RAY = "ray[default]==2.60.0"


def measure_engines(work: Path, films: int = 20) -> Iterator[Row]:
    """Run so many films both ways, and yield what is the same.

    Half of them are done when a node is killed. All are run by one thread each, because bytes
    depend on it.
    """
    work.mkdir(parents=True, exist_ok=True)
    paths = [_draw(work / f"film-{n:02}.mp4", n) for n in range(films)]
    here, there = (_library(work / name, paths) for name in ("local", "ray"))
    for _ in here.run(LocalEngine(usable_threads()), device="cpu"):
        pass
    os.environ |= environment()
    told = json.loads(
        Environment(work, "ray", RAY)
        .run("-m", "benchmarks.engines", str(there.folder), str(films // 2))
        .splitlines()[-1]
    )
    yield Row.of("engines.films", films, "films")
    yield Row.of("engines.ray.done", told["done"], "films", Goal(films, films))
    yield Row.of("engines.ray.nodes_killed", told["killed"], "nodes", Goal(1, 1))
    yield Row.of("engines.ray.tries_again", told["again"], "tasks that Ray gave to another node",
                 Goal(1, films))  # fmt: skip
    same = sum(
        digests(one.folder) == digests(other.folder)
        for one, other in zip(here.films(), there.films(), strict=True)
    )
    yield Row.of("engines.same_bytes", same, "films whose files are those of the local run",
                 Goal(films, films))  # fmt: skip
    people = [[sorted((m.film, m.number) for m in one.members) for one in library.people()]
              for library in (here, there)]  # fmt: skip
    yield Row.of("engines.same_people", sorted(people[0]) == sorted(people[1]), "1 = same",
                 Goal(1, 1))  # fmt: skip
    yield Row.of("engines.people_of_several_films", sum(one.films > 1 for one in here.people()),
                 "people")  # fmt: skip


def _draw(path: Path, seed: int) -> Path:
    """Draw a film of two people of the demonstration's photographs, in turns."""
    names = ("demo_biden", "demo_obama_smiling", "demo_obama_speaking", "demo_obama_standing")

    def shot(place: int, name: str) -> DrawnShot:
        face = DrawnFace(photograph(name), (40 + 5 * place + seed, 10), (0.5, 0), 200, name)
        return DrawnShot(16, 100 * seed + place, faces=[face])

    chosen = [names[seed % 2], names[2 + seed % 2]] * 2
    if not path.exists():
        draw_film(path, [shot(place, name) for place, name in enumerate(chosen)])
    return path


def _library(folder: Path, films: list[Path]) -> Library:
    if not folder.exists():
        Library.init(folder, settings=QUICK).add(films)
    return Library(folder)


def main(folder: str, kill_after: int) -> None:
    """In an environment with Ray: run a library on two nodes, and kill one of them on the way."""
    import ray
    from ray.cluster_utils import Cluster

    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 1})
    second = cluster.add_node(num_cpus=1)
    engine: Engine = RayEngine(cluster.address)
    done = killed = 0
    for _, outcome in Library(folder).run(engine, device="cpu"):
        done += outcome.code == 0
        if done == kill_after and not killed:
            time.sleep(AT_WORK)
            cluster.remove_node(second, allow_graceful=False)
            killed += 1
    with ray.init(address=cluster.address, log_to_driver=False):
        from ray.util.state import list_tasks

        again = sum(task.attempt_number > 0 for task in list_tasks(limit=1000))
    cluster.shutdown()
    sys.stdout.write(json.dumps({"done": done, "killed": killed, "again": again}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
