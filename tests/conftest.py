from __future__ import annotations

import logging
import shutil
import signal
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import Phase, settings

from tests.command import Outcome, Vcn

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from videoclusternet.run_view import RunView

COSTLY = ("prepared", "demo_film")
"""Fixtures that take minutes, and serve several modules."""

settings.register_profile("house", deadline=None)  # a busy machine is no fault of the program
settings.load_profile("house")
settings.register_profile(  # for `make mutants`: the same cases each time, and none made smaller
    "repeatable",
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
)


@pytest.hookimpl(tryfirst=True)  # before the plug-in reads what it is told here
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Where tests run side by side, have those of a module, or of a costly fixture, stay together.

    The fixtures come first: the processes are done at about the same time then.
    """
    groups = {}
    for item in items:
        shared = [name for name in COSTLY if name in getattr(item, "fixturenames", ())]
        groups[item] = shared[0] if shared else item.nodeid.partition("::")[0]
        item.add_marker(pytest.mark.xdist_group(groups[item]))
    items.sort(key=lambda item: groups[item] not in COSTLY)


@pytest.fixture
def pocket(monkeypatch):
    """The row of a small backbone, while it stands in the table."""
    from tests.pocket import POCKET

    return stand_in(POCKET, monkeypatch)


@pytest.fixture
def pocket_vit(monkeypatch):
    """The row of a small transformer, likewise."""
    from tests.pocket_vit import POCKET_VIT

    return stand_in(POCKET_VIT, monkeypatch)


def stand_in(spec, monkeypatch):
    from videoclusternet.models.registry import BACKBONES

    monkeypatch.setitem(BACKBONES, spec.name, spec)
    return spec


@pytest.fixture
def vcn(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Iterator[Vcn]:
    """Run the command line in this process, and clean up after it."""
    from videoclusternet import cli  # with typer, which most tests need not

    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    log = logging.getLogger("videoclusternet")
    before = (list(log.handlers), log.level)
    monkeypatch.setenv("COLUMNS", "200")

    def call(*arguments: str | Path) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["vcn", *map(str, arguments)])
        with pytest.raises(SystemExit) as end:
            cli.main()
        code = end.value.code
        return Outcome(code if isinstance(code, int) else 0, *capfd.readouterr())

    yield call
    for number, handler in handlers.items():
        signal.signal(number, handler)
    log.handlers[:] = before[0]
    log.setLevel(before[1])  # which forgets, too, what was enabled


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, for the tests of one module."""
    from playwright.sync_api import sync_playwright

    chromium = shutil.which("chromium")
    if chromium is None:
        pytest.fail("Chromium is missing: install it with 'apt-get install chromium'.")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox"],  # so that it also starts as root, in a container
        )
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def demo_film(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The demonstration film and its truth, in a folder that was not there."""
    from videoclusternet.demo import build_demo_film

    return build_demo_film(tmp_path_factory.mktemp("demo") / "new")


@pytest.fixture(scope="session")
def demo_run(demo_film: tuple[Path, Path]) -> RunView:
    """The demo film with the head alone tuned: its people are found, which is all we need."""
    from videoclusternet.pipeline import process_film

    film, _ = demo_film
    return process_film(film, film.with_name("run"), "fast", device="cpu")


@pytest.fixture
def folder(demo_run: RunView, tmp_path: Path) -> Path:
    """A run folder to say things of."""
    return Path(shutil.copytree(demo_run.folder, tmp_path / "run"))
