"""The package as somebody installs it: an empty environment, the wheel, the quickstart, the extras.

Everything happens in folders of its own, with nothing of the checkout on the path.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.harm import QUICK
from benchmarks.results_file import Goal, Row
from benchmarks.runs import ProgramFailedError

REPOSITORY = Path(__file__).parents[1]
CONSTRAINTS = REPOSITORY / "constraints.txt"
TOOLS = ("pip", "setuptools")  # what an environment may hold before anything is installed
SERVED = 20  # seconds after which a review, which would wait for ever, gets its Ctrl+C
MARK = "@@ended"

CUT = """
import av
with av.open("runs/demo/demo.mp4") as film, av.open("film.mp4", "w") as out:
    stream = out.add_stream_from_template(film.streams.video[0])
    for packet in film.demux(video=0):
        if packet.dts is not None and packet.dts * packet.time_base < 5:
            packet.stream = stream
            out.mux(packet)
"""
FILM = f"test -e film.mp4 -o ! -e runs/demo/demo.mp4 || python -c {shlex.quote(CUT)}"
"""The film of a page is the beginning of the demonstration, as soon as there is one."""

READ_PARQUET = """
import sys
from pyarrow import parquet
table = parquet.read_table(sys.argv[1])
sys.exit(not len(table) or not {"person", "start", "end"} <= set(table.column_names))
"""


@dataclass(frozen=True)
class Ended:
    """A command that has ended."""

    code: int
    out: str
    complaints: str

    @property
    def said(self) -> str:
        """Its last complaint."""
        return (self.complaints.strip().splitlines() or [""])[-1]

    def or_fail(self, task: str) -> str:
        """Return what it printed. Raises ProgramFailedError where it failed."""
        if self.code:
            raise ProgramFailedError(f"{task} ended with code {self.code}: {self.said}")
        return self.out


class Empty:
    """A virtual environment of some Python with the wheel in it, and a folder to work in."""

    def __init__(
        self, python: Path, folder: Path, wheel: Path, extra: str = "", cache: Path | None = None
    ) -> None:
        self.folder, self.wheel = folder, wheel
        self.work = folder / "work"
        self.cache = cache or folder / "cache"
        self.work.mkdir(parents=True)
        made = run_apart([str(python), "-m", "venv", str(folder / "env")], folder)
        made.or_fail("venv")
        wanted = f"videoclusternet[{extra}]" if extra else "videoclusternet"
        self.run(of_wheel(f"pip install --quiet '{wanted}'", wheel)).or_fail("pip install")

    def run(self, script: str) -> Ended:
        """Run what is typed, as somebody who has activated the environment."""
        bin_ = self.folder / "env" / "bin"
        return run_apart(
            ["bash", "-c", script], self.work, PATH=f"{bin_}{os.pathsep}{os.environ['PATH']}",
            VCN_CACHE=str(self.cache), BROWSER="true",
        )  # fmt: skip  # `true` is a browser that opens nothing

    def type_all(self, commands: Sequence[str]) -> list[tuple[str, Ended]]:
        """Type commands into one shell, one after the other, whatever comes of them."""
        mark = f"code=$?; echo {MARK} $code; echo {MARK} $code >&2"
        typed = [
            f"{FILM}\n{_patiently(of_wheel(command, self.wheel))}\n{mark}" for command in commands
        ]
        done = self.run("\n".join(typed))
        outs, complaints = (
            re.split(rf"^{MARK} (\d+)\n", text, flags=re.MULTILINE)
            for text in (done.out, done.complaints)
        )
        rows = zip(outs[1::2], outs[::2], complaints[::2], strict=False)
        ended = [Ended(int(code), out, complaint) for code, out, complaint in rows]
        return list(zip(commands, ended, strict=True))

    def megabytes(self) -> float:
        """Return the size of all that is installed."""
        return size_of(self.folder / "env" / "lib") / 1e6

    def distributions(self) -> int:
        """Return how many distributions were installed."""
        listed = json.loads(self.run("pip list --format json").or_fail("pip list"))
        return sum(one["name"] not in TOOLS for one in listed)


def measure_install(
    pythons: Sequence[Path], commands: Sequence[str], work: Path
) -> Iterator[tuple[Row, str]]:
    """Yield each row, and what is to be said of it without naming a folder of this machine.

    `commands` are those of the quickstart, which run the demonstration. Extras are tried with the
    first Python. Raises ProgramFailedError where the wheel cannot be built or installed.
    """
    for row, note in _measure(pythons, commands, work):
        yield row, note.replace(str(work), "…")


def _measure(
    pythons: Sequence[Path], commands: Sequence[str], work: Path
) -> Iterator[tuple[Row, str]]:
    wheel = build_wheel(work / "dist")
    yield Row.of("install.wheel", wheel.stat().st_size / 1e6, "MB"), ""
    for place, python in enumerate(pythons):
        version = version_of(python)
        base = Empty(python, work / version, wheel)
        yield from _measure_base(f"install.{version}", base, commands)
        if place == 0:
            for extra, try_out in EXTRAS.items():
                with_extra = Empty(python, work / extra, wheel, extra, base.cache)
                yield from _measure_extra(f"install.{extra}", base, with_extra, try_out)
                shutil.rmtree(with_extra.folder)
        shutil.rmtree(base.folder)  # some gigabytes, where torch is built for CUDA


def build_wheel(folder: Path) -> Path:
    """Build the wheel of the checkout."""
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    done = subprocess.run(build, cwd=REPOSITORY, capture_output=True, text=True, check=False)
    Ended(done.returncode, done.stdout, done.stderr).or_fail("hatchling build")
    (wheel,) = folder.glob("*.whl")
    return wheel


def version_of(python: Path) -> str:
    """Return the version of a Python, as 3.11."""
    ask = "import sys; print('%d.%d' % sys.version_info[:2])"
    return run_apart([str(python), "-c", ask], Path.cwd()).or_fail(python.name).strip()


def commands_of(page: str) -> list[str]:
    """Return what is to be typed of the blocks of a page that are marked as sh.

    A line that ends in a backslash goes on in the next one; a line of remarks is none.
    """
    return [line for language, text in blocks_of(page) if language == "sh" for line in typed(text)]


def blocks_of(page: str) -> list[tuple[str, str]]:
    """Return the language and the text of each fenced block of a page that has a language."""
    return re.findall(r"^```(\w+)\n(.*?)^```$", page, re.MULTILINE | re.DOTALL)


def typed(text: str) -> list[str]:
    """Return what is to be typed of a block for the shell, as `commands_of` has it."""
    lines = [line.strip() for line in text.replace("\\\n", "").splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def of_wheel(line: str, wheel: Path) -> str:
    """Return a line of the shell in which pip installs the wheel, in the versions of ours."""
    if "pip install" not in line:
        return line
    wanted = re.compile(r"(['\"]?)\bvideoclusternet(\[[\w,]+\])?\1")
    with_wheel = wanted.sub(lambda found: shlex.quote(f"{wheel}{found[2] or ''}"), line)
    constraint = f"--constraint {shlex.quote(str(CONSTRAINTS))}"
    return with_wheel.replace("pip install", f"pip install {constraint}")


def size_of(folder: Path) -> int:
    """Return the bytes of all files below a folder; links are not followed."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir())


def run_apart(command: Sequence[str], folder: Path, **variables: str) -> Ended:
    """Run a command in a folder, where nothing tells Python of the checkout."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        command, cwd=folder, env=kept | variables, stdin=subprocess.DEVNULL, capture_output=True,
        text=True, errors="replace", check=False,
    )  # fmt: skip
    return Ended(done.returncode, done.stdout, done.stderr)


def _patiently(command: str) -> str:
    if re.match(r"vcn (library )?review ", command) and " --log" not in command:
        return f"timeout --preserve-status --signal INT {SERVED} {command}"
    return command


def _measure_base(name: str, empty: Empty, commands: Sequence[str]) -> Iterator[tuple[Row, str]]:
    check = empty.run("pip check")
    yield Row.of(f"{name}.pip_check", check.code, "exit code", Goal(0, 0)), check.out.strip()
    yield Row.of(f"{name}.distributions", empty.distributions(), "distributions"), ""
    yield Row.of(f"{name}.installed", empty.megabytes(), "MB"), ""
    before = empty.run("vcn doctor")
    yield Row.of(f"{name}.doctor.before", before.code, "exit code", Goal(3, 3)), before.said
    empty.run("vcn setup").or_fail("vcn setup")
    yield Row.of(f"{name}.networks", size_of(empty.cache) / 1e6, "MB"), ""
    health = json.loads(empty.run("vcn doctor --json").out)
    torch = f"torch {health['versions']['torch']}; {health['place']['why']}"
    code = empty.run("vcn doctor").code
    yield Row.of(f"{name}.doctor", code, "exit code", Goal(0, 0)), torch
    typed = empty.type_all(commands)
    failed = [f"{command}: {ended.said}" for command, ended in typed if ended.code]
    yield Row.of(f"{name}.quickstart", len(typed), "commands"), ""
    yield (
        Row.of(f"{name}.quickstart.failed", len(failed), "commands", Goal(0, 0)),
        "; ".join(failed),
    )


def _measure_extra(
    name: str, base: Empty, empty: Empty, try_out: Callable[[Empty, Empty], Ended]
) -> Iterator[tuple[Row, str]]:
    more = empty.distributions() - base.distributions()
    yield Row.of(f"{name}.distributions", more, "distributions more"), ""
    yield Row.of(f"{name}.installed", empty.megabytes() - base.megabytes(), "MB more"), ""
    check = empty.run("pip check")
    yield Row.of(f"{name}.pip_check", check.code, "exit code", Goal(0, 0)), check.out.strip()
    tried = try_out(base, empty)
    said = tried.said if tried.code else ""
    yield Row.of(f"{name}.tried", tried.code, "exit code", Goal(0, 0)), said


def _try_parquet(base: Empty, empty: Empty) -> Ended:
    """Export a run of the quickstart, and read it."""
    run = next(base.work.rglob("people.json")).parent
    export = shlex.join(["vcn", "export", str(run), "parquet", "-o", "people.parquet"])
    return empty.run(f"{export} && {shlex.join(['python', '-c', READ_PARQUET, 'people.parquet'])}")


def _try_ray(base: Empty, empty: Empty) -> Ended:
    """Run a library with the film of the quickstart on a Ray cluster of this machine."""
    film = next(base.work.rglob("*.mp4"))
    quickly = shlex.join(f"--set={setting}" for setting in QUICK)
    return empty.run(
        f"vcn library init lib --preset fast {quickly} && "
        f"vcn library add lib {shlex.quote(str(film))} && "
        "vcn library run lib --engine ray --device cpu --fail-fast"
    )


EXTRAS: Mapping[str, Callable[[Empty, Empty], Ended]] = {"parquet": _try_parquet, "ray": _try_ray}
"""What is tried with each extra of the package: that it does what it is for."""
