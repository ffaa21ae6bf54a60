"""Every command of every page is run as it stands there, in the order of its page."""

from __future__ import annotations

import glob
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import threading
import urllib.request
import webbrowser
from collections.abc import Iterator
from http.cookiejar import CookieJar
from pathlib import Path
from types import ModuleType

import pytest

from benchmarks.__main__ import MEASURES
from benchmarks.arguments import parser_of
from benchmarks.install import blocks_of, typed
from tests.command import Vcn
from tests.docs.conftest import ROOT
from videoclusternet.models.registry import BACKBONES

PAGES = sorted(
    str(page.relative_to(ROOT))
    for page in (*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("examples/*.md"))
)
ELSEWHERE = {
    "pip install": "benchmarks/install.py",
    "vcn demo": "tests/test_cli.py::test_the_demo_runs_and_scores_its_own_film",
    "vcn models fetch": "tests/test_cli.py::test_a_network_is_fetched_from_an_address",
    "vcn library run archive --engine ray": "tests/library/test_engines.py::test_a_film_is_two",
    "python own_detector.py": "tests/docs/test_examples.py::test_the_detector_finds_faces",
    "python with_pandas.py": "tests/docs/test_examples.py::test_pandas_reads_a_run",
}
"""How commands begin that are not run here, and where that is done."""


def blocks(page: str) -> list[tuple[str, str]]:
    """Return the language and the text of each fenced block of a page, in order."""
    return blocks_of((ROOT / page).read_text(encoding="utf-8"))


def commands(text: str) -> Iterator[list[str]]:
    """Yield the words of each command of a block, as a shell would read them."""
    for line in typed(text):
        for command in re.split(r"\s&&\s", line):
            yield shlex.split(command, comments=True)


@pytest.fixture(autouse=True)
def tables() -> Iterator[None]:
    """Leave the table of backbones as it was, whatever rows a page adds."""
    before = dict(BACKBONES)
    yield
    BACKBONES.clear()
    BACKBONES.update(before)


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page)])
def test_the_commands_of_a_page_work(
    page: str, request: pytest.FixtureRequest, tmp_path: Path, vcn: Vcn, monkeypatch
) -> None:
    found = blocks(page)
    text = "".join(block for _, block in found)
    needs_library = "vcn library" in text and "vcn library init" not in text
    prepared = request.getfixturevalue("library" if needs_library else "prepared")
    folder = Path(shutil.copytree(prepared, tmp_path / "here"))
    monkeypatch.chdir(folder)
    monkeypatch.setattr(webbrowser, "open", look_and_leave)
    monkeypatch.setattr("typer.confirm", lambda question, **how: True)
    if "vcn name runs/film" not in text:
        for number, name in enumerate(["Ada", "Bo", "Cy"], start=1):
            assert vcn("name", "runs/film", f"Person {number}", name).code == 0
    for language, block in found:
        if language == "python":
            run_python(block, monkeypatch)
        if language == "sh":
            for words in commands(block):
                run_command(words, vcn)


def run_python(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run a block as a script of its own."""
    module = ModuleType("of_the_page")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    exec(compile(text, "page", "exec"), module.__dict__)


def run_command(words: list[str], vcn: Vcn) -> None:
    """Run a command, or see that it is one that another test runs."""
    line = shlex.join(words)
    for begins, where in ELSEWHERE.items():
        if line.startswith(begins):
            assert_exists(where)
            return
    match words:
        case ["vcn", *arguments]:
            run_vcn(arguments, vcn)
        case ["make", *targets]:
            rules = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
            assert {name for name in targets if "=" not in name} <= set(rules), line
        case ["python", "-m", "benchmarks", *arguments]:
            parser_of(MEASURES).parse_args(arguments)  # each takes minutes to hours
        case ["bash", script]:
            assert (ROOT / script).is_file(), line
        case ["ffmpeg", *_]:  # another program, which need not be here
            if shutil.which("ffmpeg"):
                subprocess.run(words, check=True, stdin=subprocess.DEVNULL)
        case _:
            pytest.fail(f"Nothing runs this command: {line}")


def run_vcn(words: list[str], vcn: Vcn) -> None:
    """Run a command of ours to its end, or, where it serves pages, until one was seen."""
    target = None
    if ">" in words:
        *words, _, target = words
    done = vcn(*expanded(words))
    assert done.code == 0, (words, done)
    if target:
        Path(target).write_text(done.out)


def expanded(words: list[str]) -> Iterator[str]:
    """Yield words with file names in the place of patterns, as a shell does."""
    for word in words:
        yield from sorted(glob.glob(word)) or [word] if re.search(r"[*?]", word) else [word]


def assert_exists(where: str) -> None:
    path, _, test = where.partition("::")
    assert (ROOT / path).is_file(), where
    assert not test or f"def {test}" in (ROOT / path).read_text(), where


def look_and_leave(address: str) -> bool:
    """Stand in for the browser: load the page, then press Ctrl+C."""

    def look() -> None:
        opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(CookieJar()))
        try:
            with opener.open(address, timeout=60) as answer:
                assert b"<html" in answer.read()
        finally:
            os.kill(os.getpid(), signal.SIGINT)

    threading.Thread(target=look).start()
    return True


def test_a_command_that_does_not_exist_is_noticed(vcn: Vcn, prepared, monkeypatch) -> None:
    monkeypatch.chdir(prepared)
    for line in ("vcn walk runs/film", "vcn show runs/nobody", "vcn export runs/film betamax"):
        with pytest.raises(AssertionError):
            run_command(shlex.split(line), vcn)
    with pytest.raises(AssertionError):
        run_command(["make", "tea"], vcn)
    with pytest.raises(pytest.fail.Exception):
        run_command(["curl", "x"], vcn)
