"""The pages of a library, served as users start them, asked in raw requests and walked through."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.browser.complaints import complaints_of
from videoclusternet.library.shelf import Library

EVIL = '<img src=x onerror="alert(1)"><script>alert(2)</script>'
PATHS = ("/", "/person/1", "/doubtful", "/doubtful/1", "/films", "/find", "/find?ask=1", "/history")


@pytest.fixture
def address(library: Library) -> Iterator[str]:
    process = subprocess.Popen(
        [sys.executable, "-m", "videoclusternet", "library", "review", str(library.folder),
         "--no-open"],
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    with process:
        assert process.stdout
        told = []
        for line in process.stdout:
            told.append(line)
            if found := re.search(r"Review: (http\S+)", line):
                break
        else:
            pytest.fail("".join(told))
        yield found.group(1)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 0


@pytest.fixture
def client(address: str) -> Iterator[httpx.Client]:
    base = address.partition("/?")[0]
    with httpx.Client(base_url=base, headers={"Origin": base}) as opened:
        assert opened.get(address.removeprefix(base)).status_code == 303
        yield opened


@pytest.fixture(params=[(1280, "light"), (390, "dark")], ids=["wide", "narrow"])
def page(address: str, browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    width, scheme = request.param
    opened = browser.new_page(
        viewport={"width": width, "height": 800}, color_scheme=scheme, reduced_motion="reduce"
    )
    complaints = complaints_of(opened)
    opened.goto(address)
    yield opened
    opened.close()
    assert complaints == []


def settle(page: Page) -> None:
    page.wait_for_timeout(150)
    page.wait_for_selector("html[aria-busy=false]", state="attached")
    page.wait_for_load_state("networkidle")


def test_every_page_answers_those_who_may_ask(client: httpx.Client) -> None:
    for path in PATHS:
        assert client.get(path).status_code == 200, path
    assert client.get("/face/1/0.jpg").headers["content-type"] == "image/jpeg"
    for path in ("/person/99", "/face/1/99.jpg", "/face/99/0.jpg", "/face/../library.sqlite",
                 "/%2e%2e/library.sqlite", "/nowhere", "/person/x"):  # fmt: skip
        assert client.get(path).status_code == 404, path
    with httpx.Client(base_url=client.base_url, headers={"Origin": str(client.base_url)}) as other:
        for path in (*PATHS, "/face/1/0.jpg"):
            assert other.get(path).status_code == 403, path


def test_what_was_said_meanwhile_is_not_overwritten(client: httpx.Client, library: Library) -> None:
    def name(revision: int, text: str) -> httpx.Response:
        form = {"back": "/", "revision": revision, "person": 1, "text": text}
        return client.post("/act/name", data=form)

    (last,) = library.corrections.log.entries()
    assert name(last.revision, "Ada").status_code == 303
    late = name(last.revision, "Bo")
    assert late.status_code == 409
    assert "Somebody else changed" in late.text
    assert library.person("Ada").number == 1
    assert name(last.revision + 1, "  ").status_code == 422
    forged = {"Origin": "http://evil.example"}
    assert (
        client.post("/act/undo", data={"back": "/", "revision": 2}, headers=forged).status_code
        == 403
    )
    away = {"back": "//evil.example", "revision": 2}
    assert client.post("/act/undo", data=away).status_code == 404


def test_names_cannot_become_markup(client: httpx.Client, library: Library) -> None:
    library.name("1", EVIL)
    for path in ("/", "/person/1", "/history", "/find"):
        text = client.get(path).text
        assert "onerror=" in text
        assert "<img src=x" not in text
        assert "<script>alert" not in text


def test_a_library_is_gone_through_by_keys(page: Page, library: Library) -> None:
    page.keyboard.press("n")
    page.keyboard.type("Ada")
    page.keyboard.press("Enter")
    settle(page)
    ada = library.people()[0]
    assert (ada.name, ada.films) == ("Ada", 3)
    page.keyboard.press("Enter")
    settle(page)
    assert page.locator("h1").inner_text() == "Ada"
    page.keyboard.press("x")  # in the first of these films it is somebody else
    settle(page)
    assert [one.films for one in library.people()] == [2, 2, 1]
    page.keyboard.press("u")
    settle(page)
    assert [one.films for one in library.people()] == [3, 2]


def test_a_doubt_is_settled_for_good(page: Page, library: Library) -> None:
    """That which the library was made with: its answer is taken back, and another given."""
    page.keyboard.press("u")
    settle(page)
    page.keyboard.press("2")
    settle(page)
    assert page.locator("h1").inner_text() == "Is this the same person?"
    assert page.locator("nav a[aria-current]").inner_text().startswith("Doubtful")
    page.keyboard.press("n")
    settle(page)
    assert page.locator("h1").inner_text() == "Nothing is doubtful"
    assert [one.films for one in library.people()] == [3, 1, 1]
    Library(library.folder).link()
    assert library.doubts() == []
    assert [one.films for one in library.people()] == [3, 1, 1]


def test_pages_are_accessible_and_fit(page: Page) -> None:
    base = page.url.rstrip("/")
    for path in PATHS:
        page.goto(base + path)
        found = Axe().run(page).response["violations"]
        assert [(one["id"], one["nodes"][0]["html"]) for one in found] == [], path
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), path
        broken = "[...document.images].filter((i) => i.complete && !i.naturalWidth).length"
        assert page.evaluate(broken) == 0, path
