"""A real run of the demo film, its review served as users start it, and a strict browser."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.complaints import complaints_of
from videoclusternet.pipeline import process_film
from videoclusternet.run_view import RunView, load_run


@pytest.fixture
def in_pieces(demo_run: RunView, folder: Path) -> RunView:
    """The same run by a rule that leaves people in pieces, so that there is much to ask."""
    film = Path(demo_run.manifest.film.path)
    return process_film(
        film, folder, "fast", ["cluster.rule=loss-both", "finetune.rounds=0"], device="cpu"
    )


@dataclass
class Served:
    """A review that is being served."""

    folder: Path
    address: str  # with the token
    process: subprocess.Popen[str]

    @property
    def base(self) -> str:
        return self.address.partition("/?")[0]

    def stop(self) -> int:
        """End it as Ctrl+C does, and return its exit code."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(20)


@pytest.fixture
def serve(folder: Path) -> Iterator[Callable[..., Served]]:
    """Start `vcn review` on a folder."""
    started: list[subprocess.Popen[str]] = []

    def start(*words: str, at: Path = folder) -> Served:
        process = subprocess.Popen(
            [sys.executable, "-m", "videoclusternet", "review", str(at), "--no-open", *words],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        )  # fmt: skip
        started.append(process)
        told = []
        for line in process.stdout or ():
            told.append(line)
            if found := re.search(r"Review: (http\S+)", line):
                return Served(at, found.group(1), process)
        pytest.fail("".join(told))

    yield start
    for process in started:
        process.kill()
        process.wait()
        assert process.stdout
        process.stdout.close()


@dataclass
class Window:
    """A browser window on a review, and all that it complained of."""

    page: Page
    served: Served
    complaints: list[str]

    def go(self, path: str = "/") -> None:
        self.page.goto(self.served.base + path)

    def press(self, *keys: str) -> None:
        """Press keys as fast as they go, and wait until what they set off has come."""
        for key in keys:
            self.page.keyboard.press(key)
        self.page.wait_for_timeout(150)
        self.page.wait_for_selector("html[aria-busy=false]", state="attached")
        self.page.wait_for_load_state("networkidle")

    def type(self, text: str) -> None:
        self.page.keyboard.type(text)

    def facts(self) -> dict[str, list[int]]:
        """Return who has which tracks, as files would tell it now."""
        people = load_run(self.served.folder).people
        everyone = {person.name: list(person.tracks) for person in people}
        return everyone | {"Unknown": list(people.unknown.tracks)}

    def last(self) -> str:
        return self.page.locator("#live").inner_text()


@pytest.fixture
def window(
    browser: Browser, serve: Callable[..., Served], request: pytest.FixtureRequest
) -> Iterator[Window]:
    """A window on the review of the demo, which fails where it complains or pops up."""
    width, scheme = getattr(request, "param", (1280, "light"))
    served = serve()
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page = context.new_page()
    opened = Window(page, served, complaints_of(page))
    opened.page.goto(served.address)
    yield opened
    assert opened.complaints == []
    context.close()
