"""`python -m benchmarks`: the command line of the benchmarks."""

from __future__ import annotations

import argparse
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path

import videoclusternet as vcn
from benchmarks.arguments import RESULTS, parser_of
from benchmarks.films import measure_films, table_of
from benchmarks.join import TRUTH, join_film
from benchmarks.repeat import measure_repeat
from benchmarks.results_file import Row, header, write_results
from benchmarks.rival import PACKAGES, BotSort
from benchmarks.runs import Case, run_program, try_case
from benchmarks.tracking import drawn_scenes, film_scene, measure_tracking
from benchmarks.tracking import table_of as tracking_table
from videoclusternet.results.truth import read_truth


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure what is asked for, and return the exit code."""
    options = parser_of(MEASURES).parse_args(arguments)
    try:
        options.measure(options)
    except vcn.VideoClusterNetError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        return 128 + signal.SIGINT
    return 0


def _films(options: argparse.Namespace) -> None:
    cases = read_cases(options.cases)
    seeds = list(dict.fromkeys(options.seeds))
    head = header(options.preset, options.changes, seeds)
    options.work.mkdir(parents=True, exist_ok=True)
    attempt = partial(try_case, work=options.work, preset=options.preset, changes=options.changes)
    trials = measure_films(cases, seeds, attempt, options.out, head)
    for line in table_of(trials):
        print(line)


def _repeat(options: argparse.Namespace) -> None:
    head = header(options.preset, options.changes, [options.seed])

    def run(folder: Path) -> None:
        run_program(options.film, folder, options.preset, options.changes, options.seed)

    rows = measure_repeat(options.film.stem, run, options.work)
    write_results(options.out, head, rows)
    for row in rows:
        print(f"{row.name:<40}{row.value:>4g}  {row.unit:<20}{row.verdict}")


def _tracking(options: argparse.Namespace) -> None:
    cases = read_cases(options.cases)
    head = {**header(options.preset, options.changes, []), "rival": PACKAGES}
    config = vcn.load_config(options.preset, options.changes).tracks
    options.work.mkdir(parents=True, exist_ok=True)
    scenes = [*drawn_scenes()]
    scenes += [
        film_scene(case, every, options.work, options.preset, options.changes)
        for case in cases
        for every in options.every
    ]
    rival = BotSort(options.work)
    rows = [row for scene in scenes for row in measure_tracking(scene, rival, config)]
    write_results(options.out, head, rows)
    for line in tracking_table(rows):
        print(line)


def _ablation(options: argparse.Namespace) -> None:
    from benchmarks.ablation import TUNINGS, rows_of, table_of, try_tuning  # they bring torch

    cases = read_cases(options.cases)
    seeds = list(dict.fromkeys(options.seeds))
    head = header(options.preset, [], seeds)
    options.work.mkdir(parents=True, exist_ok=True)
    trials = []
    for case in cases:
        for tuning in TUNINGS:
            for seed in seeds:
                trials.append(try_tuning(case, tuning, seed, options.work, options.preset))
                write_results(options.out, head, rows_of(trials, options.preset))
    for line in table_of(trials):
        print(line)


def _season(options: argparse.Namespace) -> None:
    from benchmarks.season import rows_of, table_of, try_season  # torch

    cases = read_cases(options.cases)
    seeds = list(dict.fromkeys(options.seeds))
    head = header(options.preset, options.changes, seeds)
    head |= {"films": [case.name for case in cases]}
    options.work.mkdir(parents=True, exist_ok=True)
    trials = []
    for seed in seeds:
        given = options.work, options.preset, options.changes, seeds[0]
        trials.append(try_season(cases, seed, *given))
        write_results(options.out, head, [*rows_of(trials)])
    for line in table_of(trials):
        print(line)


def _confidence(options: argparse.Namespace) -> None:
    from benchmarks.confidence import judge_run, measure_confidence  # torch: see `run_program`

    pairs = [_with_truth(text, "RUN") for text in options.runs]
    rows = measure_confidence([judge_run(run, truth) for run, truth in pairs])
    settings = [vcn.load_run(run).manifest.settings for run, _ in pairs]
    seeds = sorted({int(values["seed"]) for values in settings})
    write_results(options.out, {**header("standard", [], seeds), "runs": len(pairs)}, rows)
    for row in rows:
        print(f"{row.name:<36}{row.value:>9g}  {row.unit}")


def _scenes(options: argparse.Namespace) -> None:
    from benchmarks import scenes

    if bool(options.cases) == bool(options.tv):
        raise vcn.UsageError("Name films with their truth, or --tv with a folder of face tracks.")
    head = header(options.preset, options.changes, [0])
    options.work.mkdir(parents=True, exist_ok=True)
    if options.tv:
        judged = scenes.judge_series(options.tv)
    else:
        given = options.work, options.preset, options.changes
        cases = read_cases(options.cases)
        judged = [one for case in cases for one in scenes.judge_film(case, *given)]
    out = options.out or RESULTS / f"scenes{'-tv' if options.tv else ''}.json"
    write_results(out, head, [*scenes.rows_of(judged)])
    for line in scenes.table_of(judged):
        print(line)


def _drawn_season(options: argparse.Namespace) -> None:
    from benchmarks import drawn_season

    seeds = list(dict.fromkeys(options.seeds))
    head = header("standard", [], seeds)
    trials = []
    for trial in drawn_season.measure_seasons(options.folder, seeds):
        trials.append(trial)
        write_results(options.out, head, [*drawn_season.rows_of(trials)])
    for line in drawn_season.table_of(trials):
        print(line)


def _run(options: argparse.Namespace) -> None:
    from benchmarks import compare, standings  # torch

    if bool(options.cases) == bool(options.dataset):
        raise vcn.UsageError("Name films with their truth, or one data set: NAME=FOLDER.")
    cases = read_cases(options.cases)
    seeds = list(dict.fromkeys(options.seeds))
    head = header(options.preset, options.changes, seeds)
    options.work.mkdir(parents=True, exist_ok=True)
    given = options.work, options.preset, options.changes
    entries = [compare.film_entry(case, *given) for case in cases]
    if options.dataset:
        name, folder = _dataset(options.dataset)
        head |= {"dataset": name, "protocol": "named" if options.named else "all"}
        entries = compare.dataset_entries(
            name, folder, *given, named=options.named, combined=options.combined
        )
    figures = compare.compare(entries, options.methods, seeds, options.work)
    write_results(options.out, head, [*standings.rows_of(figures)])
    for line in standings.table_of(figures):
        print(line)


def _bases(options: argparse.Namespace) -> None:
    from benchmarks import bases  # torch

    cases = read_cases(options.cases)
    if len(cases) < 2:
        raise vcn.UsageError("Name two films or more: each gets its threshold of the others.")
    seeds = list(dict.fromkeys(options.seeds))
    head = header(options.preset, options.changes, seeds)
    found = {}
    for setting in options.backbones:
        found[bases.name_of(setting)] = bases.measure_base(
            cases, setting, seeds, options.work, options.preset, options.changes
        )
        write_results(options.out, head, [*bases.rows_of(found)])
    for line in bases.table_of(found):
        print(line)


def _levers(options: argparse.Namespace) -> None:
    from benchmarks import bases, levers  # torch

    cases = read_cases(options.cases)
    if len(cases) < 2:
        raise vcn.UsageError("Name two films or more: each gets its threshold of the others.")
    tables: dict[str, levers.Table] = {}
    for setting in options.backbones:
        tables[bases.name_of(setting)] = levers.measure_levers(cases, setting, options.work)
        rows = [row for name, table in tables.items() for row in levers.rows_of(name, table)]
        write_results(options.out, header("standard", [], []), rows)
    for line in levers.table_of(tables):
        print(line)


def _join(options: argparse.Namespace) -> None:
    out = options.out or Path(f"{options.film}.mp4")
    join_film(options.film, options.sources, out)
    print(f"{out}:{TRUTH / f'{options.film}.truth.csv'}")


def _speed(options: argparse.Namespace) -> None:
    from benchmarks import speed

    for film in options.films:
        if not film.is_file():
            raise vcn.InputError(f"There is no film {film}.")
    head = header(options.preset, [], [0])
    options.work.mkdir(parents=True, exist_ok=True)
    first = options.films[0]
    measures: dict[str, Callable[[], Iterator[Row]]] = {
        "help": speed.measure_help,
        "front": lambda: speed.measure_front(first, options.work),
        "whole": lambda: speed.measure_whole(first, options.work),
        "step": lambda: speed.measure_step(first, options.work),
        "clusters": speed.measure_clusters,
        "long": lambda: speed.measure_long(options.films, options.work, options.preset),
    }
    rows: list[Row] = []
    for name in options.only or measures:
        rows += measures[name]()
        write_results(options.out, head, rows)
    for line in speed.table_of(rows):
        print(line)


def _review(options: argparse.Namespace) -> None:
    from benchmarks import review  # playwright

    pairs = [_with_truth(text, "RUN") for text in options.runs]
    seeds = sorted({int(vcn.load_run(run).manifest.settings["seed"]) for run, _ in pairs})
    options.work.mkdir(parents=True, exist_ok=True)
    rows = [*review.measure_page(options.work)]
    for run, truth in pairs:
        rows += review.measure_review(run, truth, options.work)
    films = {run.name: vcn.load_run(run).manifest.film.name for run, _ in pairs}
    write_results(options.out, {**header("standard", [], seeds), "films": films}, rows)
    for row in rows:
        print(f"{row.name:<36}{row.value:>9g}  {row.unit:<48}{row.verdict}")


def _exports(options: argparse.Namespace) -> None:
    from benchmarks.exports import measure_exports

    options.work.mkdir(parents=True, exist_ok=True)
    rows = [*measure_exports(options.work)]
    write_results(options.out, header("standard", [], []), rows)
    for row in rows:
        print(f"{row.name:<24}{row.value:>9g}  {row.unit:<28}{row.verdict}")


def _readers(options: argparse.Namespace) -> None:
    from benchmarks.readers import measure_readers

    options.work.mkdir(parents=True, exist_ok=True)
    rows = [*measure_readers(options.run, options.work)]
    write_results(options.out, header("standard", [], []), rows)
    for row in rows:
        print(f"{row.name:<52}{row.value:>9g}  {row.unit:<20}{row.verdict}")


def _scale(options: argparse.Namespace) -> None:
    from benchmarks.scale import measure_scale

    options.work.mkdir(parents=True, exist_ok=True)
    _write_printed(options.out, [*measure_scale(options.work)])


def _engines(options: argparse.Namespace) -> None:
    from benchmarks.engines import measure_engines

    _write_printed(options.out, [*measure_engines(options.work, options.films)])


def _write_printed(out: Path, rows: Sequence[Row], **more: Mapping[str, str]) -> None:
    write_results(out, {**header("standard", [], []), **more}, rows)
    for row in rows:
        print(f"{row.name:<36}{row.value:>9g}  {row.unit:<48}{row.verdict}")


def _faults(options: argparse.Namespace) -> None:
    from benchmarks.faults import measure_faults

    options.work.mkdir(parents=True, exist_ok=True)
    rows: list[Row] = []
    said: dict[str, str] = {}
    for row, note in measure_faults(options.work, options.quick, options.only):
        rows.append(row)
        said[row.name] = note
        print(f"{row.name:<52}{row.value:>6g} {row.unit:<16}{row.verdict:<8}{note}", flush=True)
    if not options.quick and not options.only:
        write_results(options.out, {**header("standard", [], []), "said": said}, rows)


def _install(options: argparse.Namespace) -> None:
    from benchmarks.install import commands_of, measure_install

    if not options.page.is_file():
        raise vcn.InputError(f"{options.page} is not there: name the page of the quickstart.")
    commands = commands_of(options.page.read_text(encoding="utf-8"))
    if not commands:
        raise vcn.InputError(f"{options.page} has no command: blocks marked as sh hold them.")
    rows: list[Row] = []
    said: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="vcn-install-", dir=options.work) as folder:
        for row, note in measure_install(options.pythons, commands, Path(folder)):
            rows.append(row)
            said |= {row.name: note} if note else {}
            print(f"{row.name:<36}{row.value:>9g} {row.unit:<20}{row.verdict:<8}{note}", flush=True)
            write_results(options.out, {**header("standard", [], []), "said": said}, rows)


def _mutants(options: argparse.Namespace) -> None:
    from benchmarks import mutants
    from benchmarks.survivors import REASONS

    root = Path(vcn.__file__).parent.parent
    tried = [*mutants.read_mutants(root / "mutants"), *mutants.try_constants(root, options.work)]
    rows, said = mutants.judge(tried, REASONS)
    for name, reason in said.items():
        print(f"{name}\n    {reason}")
    _write_printed(options.out, rows, said=said)


def _report(options: argparse.Namespace) -> None:
    from benchmarks import report  # matplotlib

    report.write_report(options.results, *_with_truth(options.run, "RUN"), options.out)


def _backbones(options: argparse.Namespace) -> None:
    from benchmarks import backbones  # torch

    head = header("standard", backbones.FEW, [0])
    options.work.mkdir(parents=True, exist_ok=True)
    rows = [backbones.measure_onnx(path) for path in options.onnx]
    settings = [f"{name}={backbones.drawn_file(name, options.work)}" for name in options.rows]
    for setting in [*settings, *(f"onnx={path}" for path in options.onnx)]:
        rows += backbones.measure_backbone(options.film, setting, options.work)
        write_results(options.out, head, rows)
    for line in backbones.table_of(rows):
        print(line)


def read_cases(texts: Sequence[str]) -> list[Case]:
    """Read each FILM:TRUTH as `read_case` does. Raises UsageError for two films of one name."""
    cases = [read_case(text) for text in texts]
    names = [case.name for case in cases]
    for name in names:
        if names.count(name) > 1:
            raise vcn.UsageError(f"Two films are called '{name}': rename one.")
    return cases


def read_case(text: str) -> Case:
    """Read FILM:TRUTH, and look at both files now rather than after hours.

    Raises UsageError where there is no colon, and InputError for files that are no use.
    """
    case = Case(*_with_truth(text, "FILM"))
    if not case.film.is_file():
        raise vcn.InputError(f"There is no film {case.film}.")
    read_truth(case.truth)
    return case


def _dataset(text: str) -> tuple[str, Path]:
    name, equals, folder = text.partition("=")
    if not equals:
        raise vcn.UsageError(f"'{text}' names no folder: write NAME=FOLDER.")
    return name, Path(folder)


def _with_truth(text: str, what: str) -> tuple[Path, Path]:
    """Split what is to be judged from its truth."""
    judged, colon, truth = text.rpartition(":")
    if not colon:
        raise vcn.UsageError(f"'{text}' names no truth: write {what}:TRUTH.")
    return Path(judged), Path(truth)


MEASURES = {
    "run": _run,
    "bases": _bases,
    "levers": _levers,
    "speed": _speed,
    "join": _join,
    "report": _report,
    "exports": _exports,
    "readers": _readers,
    "scale": _scale,
    "engines": _engines,
    "install": _install,
    "faults": _faults,
    "mutants": _mutants,
    "review": _review,
    "films": _films,
    "season": _season,
    "ablation": _ablation,
    "repeat": _repeat,
    "tracking": _tracking,
    "confidence": _confidence,
    "scenes": _scenes,
    "drawn-season": _drawn_season,
    "backbones": _backbones,
}
"""What each command calls."""

if __name__ == "__main__":
    sys.exit(main())
