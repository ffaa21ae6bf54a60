"""Ours and every rival on the same tracks and the same embeddings, film by film and seed by seed.

A film is decoded and tracked once. Rivals get the embeddings of the untuned network, ours tunes it;
all are scored on the same tracks, and a track without a crop is Unknown to all. A rival that needs
a threshold gets the one with the best mean B-cubed F1 on the *other* films, as a user would have to
find it; one that needs the number of people gets the true one, and is marked. What a method made of
a film is kept below the work folder, so a comparison that was stopped goes on where it was.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

import numpy as np

import videoclusternet as vcn
from benchmarks.datasets import DATASETS, load_dataset
from benchmarks.datasets.film import LabelledFilm, as_one
from benchmarks.datasets.own import load_own, untuned
from benchmarks.methods import METHODS, Method
from benchmarks.ours import run_film, run_labelled
from benchmarks.runs import Case
from benchmarks.standings import MEASURES, OURS, POOLED, Figures, Key
from videoclusternet.config import load_config
from videoclusternet.records import Array
from videoclusternet.results.metrics import Scores, pooled


@dataclass(frozen=True, eq=False)
class Entry:
    """A film that is compared on, and how ours is run on it."""

    film: LabelledFilm
    ours: Callable[[int], Array]  # with a seed: the label of each of the film's tracks, int64


@dataclass(frozen=True, eq=False)
class Answers:
    """What a method made of one film with one seed: a row for each thing that it was told."""

    told: Array  # float64 (n,); NaN where it is told nothing
    labels: Array  # int64 (n, tracks)
    film: LabelledFilm

    @cached_property
    def scores(self) -> list[Scores]:
        """The scores of each row."""
        return [self.film.scored(labels) for labels in self.labels]


def film_entry(case: Case, work: Path, preset: str, changes: Sequence[str]) -> Entry:
    """Track a film, and embed its crops with the network as it came."""
    folder = work / f"{case.name}-0"
    vcn.process_film(case.film, folder, preset, changes, seed=0, until="crops")
    film = load_own(folder, case.truth, untuned(load_config(preset, changes)))
    ours = partial(run_film, case, work=work, preset=preset, changes=changes, tracked=folder)
    return Entry(film, ours)


def dataset_entries(
    name: str,
    folder: Path,
    work: Path,
    preset: str,
    changes: Sequence[str],
    *,
    named: bool = False,
    combined: bool = False,
) -> list[Entry]:
    """Load the films of a data set of the table, on request as one film, or only its named people.

    Raises as `load_dataset` does.
    """
    config = load_config(preset, changes)
    network = untuned(config) if name in DATASETS and DATASETS[name].pictures else None
    films = load_dataset(name, folder, network)
    if combined:
        films = [as_one(name, films)]
    entries = []
    for film in (film.of_named() if named else film for film in films):
        key = _key(film, f"{vcn.__version__} {config.model_dump_json()}")

        def ours(seed: int, film: LabelledFilm = film, key: str = key) -> Array:
            path = work / f"{film.name}-{OURS}-{seed}.npz"
            return _kept(path, key, lambda: {"label": run_labelled(film, config, seed)})["label"]

        entries.append(Entry(film, ours))
    return entries


def run_rival(
    method: Method, film: LabelledFilm, seed: int, work: Path, others: Sequence[LabelledFilm] = ()
) -> Answers:
    """Group a film's tracks by a rival in all ways that it may be told, or read that again.

    One that learns is shown the other films with their names.
    """
    told = method.tells(film.people)
    values = np.array([np.nan if value is None else value for value in told])
    teacher = [(other.tracks, other.taught) for other in others]

    def grouped() -> dict[str, Array]:
        found = method.group(film.tracks, told, seed, teacher, film.names)
        return {"labels": film.all_of(np.stack(found))}

    path = work / f"{film.name}-{method.name.replace(', ', '-').replace(' ', '-')}-{seed}.npz"
    key = _key(film, repr((told, film.names.tolist() if method.told == "names" else None)))
    if method.learns:
        key += "".join(_key(other, repr(other.taught.tolist())) for other in others)
    return Answers(values, _kept(path, key, grouped)["labels"], film)


def _key(film: LabelledFilm, told: str) -> str:
    """Return what changes with anything that a method is shown of a film."""
    tracks, digest = film.tracks, hashlib.sha256(told.encode())
    for values in (tracks.embeddings, tracks.counts, tracks.first, tracks.last):
        digest.update(values.tobytes())
    if film.crops is not None:
        digest.update(film.crops.images.tobytes())
    return digest.hexdigest()


def _kept(path: Path, key: str, make: Callable[[], dict[str, Array]]) -> dict[str, Array]:
    """Return what is made, or what a file holds that was made from the same."""
    if path.exists():
        with np.load(path, allow_pickle=False) as columns:
            if str(columns["key"]) == key:
                return dict(columns)
    made = make()
    part = path.with_name(path.name + ".part")
    with part.open("wb") as file:
        np.savez(file, allow_pickle=False, key=np.array(key), **made)
    part.replace(path)
    return made


def compare(
    entries: Sequence[Entry], methods: Sequence[str], seeds: Sequence[int], work: Path
) -> dict[Key, Figures]:
    """Run ours and these rivals on all films with all seeds, and return what counts.

    One that learns from other films is left out where there is nobody to learn from.
    """
    answers: dict[Key, Answers] = {}
    for entry in entries:
        film = entry.film
        others = [other.film for other in entries if other is not entry]
        for seed in seeds:
            answers[film.name, OURS, seed] = Answers(
                np.array([np.nan]), entry.ours(seed)[None], film
            )
            for name in methods:
                method = METHODS[name]
                if not method.learns or _people_of(others) > 1:
                    answers[film.name, name, seed] = run_rival(method, film, seed, work, others)
    return counted(answers)


def _people_of(films: Sequence[LabelledFilm]) -> int:
    return sum(len(np.unique(film.names[film.names != ""])) for film in films)


def chosen(answers: Mapping[Key, Answers], key: Key) -> int | None:
    """Return the row of a method's answers that counts for a film: the best one of the others.

    None where there is something to choose and no other film to choose it on.
    """
    film, method, seed = key
    if len(answers[key].told) == 1:
        return 0
    others = [
        [scores.bcubed_f1 for scores in found.scores]
        for (other, name, number), found in answers.items()
        if (name, number) == (method, seed) and other != film
    ]
    return int(np.argmax(np.mean(others, axis=0))) if others else None


def counted(answers: Mapping[Key, Answers]) -> dict[Key, Figures]:
    """Return the figures that count, film by film and, for who has answers to all, of all films."""
    rows = {key: chosen(answers, key) for key in answers}
    counting = {key: row for key, row in rows.items() if row is not None}
    figures = {key: _figures(answers[key].scores[row]) for key, row in counting.items()}
    films = {film for film, _, _ in counting}
    for method, seed in dict.fromkeys(key[1:] for key in counting):
        mine = [key for key in counting if key[1:] == (method, seed)]
        if len(mine) == len(films) > 1:
            parts = [(answers[key].labels[counting[key]], answers[key].film) for key in mine]
            scores = pooled([(labels, film.scored_names) for labels, film in parts])
            figures[POOLED, method, seed] = _figures(scores)
    return figures


def _figures(scores: Scores) -> Figures:
    return Figures(*(float(getattr(scores, name)) for name in MEASURES))
