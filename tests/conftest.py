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
    from xdist.remote import Producer
    from xdist.scheduler import LoadScopeScheduling

    from videoclusternet.run_view import RunView

TOGETHER = {
    "prepared": ("tests/docs/",),
    "demo_film": ("tests/demo/", "tests/purge/", "tests/web/", "tests/test_resources.py"),
}
"""Fixtures that take minutes, and where the tests are that share them."""

settings.register_profile("house", deadline=None)  # a busy machine is no fault of the program
settings.load_profile("house")
settings.register_profile(  # for `make mutants`: the same cases each time, and none made smaller
    "repeatable",
    deadline=None,
    derandomize=True,
    database=None,
    phases=(Phase.explicit, Phase.generate),
)


def group_of(test: str) -> str:
    """Return what a test shares with others: a costly fixture, or else those of its module."""
    found = (name for name, places in TOGETHER.items() if test.startswith(places))
    return next(found, test.partition("::")[0])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest, so that processes side by side end at about the same time."""
    items.sort(key=lambda item: group_of(item.nodeid) not in TOGETHER)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """Give the tests of a group to one process."""
    from xdist.scheduler import LoadScopeScheduling

    class ByGroup(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return group_of(nodeid)

    return ByGroup(config, log)


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
