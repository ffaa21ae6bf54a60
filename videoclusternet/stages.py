"""The stages of a run, in order: a literal table of what each one leaves in the run folder.

A stage's version is a part of its key: raise it when its function would make other bytes of the
same inputs, or when its files change their form.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import TypeAdapter

from videoclusternet.records import (
    Array,
    Clusters,
    Crops,
    Faces,
    Links,
    Record,
    Shots,
    Signatures,
    Tracks,
)
from videoclusternet.results.people import People, appearances_csv, from_json, to_json
from videoclusternet.results.report import RunFacts


@dataclass(frozen=True)
class Stage:
    """How a stage's result becomes files and files become the result again."""

    version: int
    files: tuple[str, ...]
    write: Callable[..., None]  # called with the result and a path for each of the files
    read: Callable[..., Any]  # called with these paths
    streams: bool = False  # the stage's function fills the first file by itself, given as `out`
    scratch: tuple[str, ...] = ()  # files in which it keeps how far it is, until it is done


def _columns(kind: type[Record], file: str, version: int = 1) -> Stage:
    return Stage(version, (file,), _write_columns, partial(_read_columns, kind))


def _write_columns(record: Record, path: Path) -> None:
    _write_npz(record.columns(), path)


def _write_npz(columns: dict[str, Array], path: Path) -> None:
    with path.open("wb") as file:  # a path would be given the suffix .npz
        np.savez(file, allow_pickle=False, **columns)


def _read_columns(kind: type[Record], path: Path) -> Record:
    with np.load(path, allow_pickle=False) as columns:
        return kind(**columns)


def _write_crops(crops: Crops, images: Path, columns: Path) -> None:
    rest = crops.columns()
    del rest["images"]  # the stage has filled that file itself
    _write_npz(rest, columns)


def _read_crops(images: Path, columns: Path) -> Crops:
    mapped = np.load(images, mmap_mode="r", allow_pickle=False)
    with np.load(columns, allow_pickle=False) as rest:
        return Crops(images=mapped, **rest)


def _write_model(model: Any, network: Path, log: Path) -> None:
    model.save(network)
    log.write_text("".join(json.dumps(row, sort_keys=True) + "\n" for row in model.log))


def _read_model(network: Path, log: Path) -> Any:
    from videoclusternet.models.face_model import FaceModel  # torch, only where it is wanted

    return FaceModel.load(network)


def _write_people(people: People, json_file: Path, csv_file: Path) -> None:
    json_file.write_text(json.dumps(to_json(people), indent=1) + "\n", encoding="utf-8")
    csv_file.write_text(appearances_csv(people), encoding="utf-8", newline="")


def _read_people(json_file: Path, csv_file: Path) -> People:
    return from_json(json.loads(json_file.read_text(encoding="utf-8")))


def _write_facts(facts: RunFacts, path: Path) -> None:
    path.write_bytes(TypeAdapter(RunFacts).dump_json(facts, indent=1) + b"\n")


def _read_facts(path: Path) -> RunFacts:
    return TypeAdapter(RunFacts).validate_json(path.read_bytes())


def _write_report(page: str, path: Path) -> None:
    path.write_text(page, encoding="utf-8")


def _read_report(path: Path) -> str:
    return path.read_text(encoding="utf-8")


STAGES = {
    "shots": _columns(Shots, "shots.npz", version=3),
    "faces": _columns(Faces, "faces.npz", version=4),
    "kept": _columns(Faces, "kept.npz", version=3),
    "tracks": _columns(Tracks, "tracks.npz", version=2),
    "crops": Stage(3, ("crops.npy", "crops.npz"), _write_crops, _read_crops, streams=True),
    "links": _columns(Links, "links.npz"),
    "model": Stage(
        5,
        ("model.safetensors", "train.jsonl"),
        _write_model,
        _read_model,
        scratch=("training.start", "training.latest"),
    ),
    "signatures": _columns(Signatures, "signatures.npz", version=2),
    "clusters": _columns(Clusters, "clusters.npz", version=6),
    "facts": Stage(2, ("facts.json",), _write_facts, _read_facts),
    "people": Stage(3, ("people.json", "people.csv"), _write_people, _read_people),
    "report": Stage(4, ("report.html",), _write_report, _read_report),
}
