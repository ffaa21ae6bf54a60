"""A person goes through a review in a real browser, by the keyboard and by the mouse."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, expect

from tests.web.conftest import Served, Window
from videoclusternet.results.truth import name_tracks, read_truth
from videoclusternet.run_view import RunView, load_run


def truth_of(run: RunView) -> Path:
    return Path(run.manifest.film.path).with_suffix(".truth.csv")


EVIL = '<img src=x onerror="alert(1)"><script>alert(2)</script>'


def test_people_are_named_merged_and_ignored_by_keys(window: Window) -> None:
    before = window.facts()
    first, second, third, fourth = list(before)[:4]
    window.press("n")
    window.type("Ada")
    window.press("Enter")
    assert window.last() == f"{first} is Ada."
    # The one named has gone down; the next is at hand, and one key is enough for each act.
    window.press("n")
    window.type("Bo")
    window.press("Enter", "i")
    assert window.last() == f"{third} is ignored."
    window.press("m")
    assert "Marked" in window.last()
    window.press("j", "m")
    after = window.facts()
    assert after["Ada"] == before[first]
    assert after["Bo"] == before[second]
    assert fourth in after
    assert len(after[fourth]) > len(before[fourth])
    assert [p.name for p in load_run(window.served.folder).people if p.ignored] == [third]
    window.press("u", "u", "u", "u")
    assert window.facts() == before
    window.press("r")
    assert "Ada" in window.facts()


def test_a_name_that_somebody_has_joins_the_two(window: Window) -> None:
    before = window.facts()
    first, second = list(before)[:2]
    window.press("n")
    window.type("Ada")
    window.press("Enter", "n")
    window.type("ada")
    window.press("Enter")
    assert window.facts()["Ada"] == sorted(before[first] + before[second])


def test_a_persons_tracks_are_moved_and_parted_by_keys(window: Window) -> None:
    before = window.facts()
    first, second = list(before)[:2]
    window.press("Enter")
    expect(window.page.get_by_role("heading", level=1)).to_have_text(first)
    window.press("t")  # the first track is not this person
    after = window.facts()
    assert after[f"Person {len(before)}"] == before[first][:1]
    assert after[first] == before[first][1:]
    window.press("x", "j", "x", "g")
    window.type(second)
    window.press("Enter")
    assert set(before[first][1:3]) < set(window.facts()[second])
    window.press("u", "0")
    assert window.facts()["Unknown"] == [before[first][2]]  # the second of those that are left
    window.press("b", "1")
    window.go("/person/-1")
    window.press("w")
    expect(window.page.get_by_role("heading", level=1)).to_have_text("Who is this?")
    nearest = window.page.locator(".card h3 a").first.inner_text()
    assert nearest in (first, f"Person {len(before)}")  # it is of one with either
    window.press("Enter")
    assert window.facts()["Unknown"] == []


def test_a_split_is_proposed_and_taken_with_one_key(window: Window) -> None:
    before = window.facts()
    first = next(iter(before))
    window.press("Enter", "s")
    expect(window.page.get_by_role("heading", level=1)).to_contain_text("would fall in two")
    window.press("a")
    after = window.facts()
    assert len(after) == len(before) + 1
    new = next(name for name in after if name not in before)
    assert sorted(after[first] + after[new]) == before[first]
    window.press("u")
    assert window.facts() == before


def test_the_queue_is_answered_by_keys(in_pieces: RunView, window: Window) -> None:
    before = window.facts()
    names = name_tracks(in_pieces.tracks, read_truth(truth_of(in_pieces))).names
    window.press("2")
    for _ in range(3):
        asked = window.page.locator("main > p.quiet").inner_text()
        left, right = (
            int(window.page.locator(f"input[name={side}]").first.get_attribute("value") or "")
            for side in ("left", "right")
        )
        window.press("y" if names[left] == names[right] else "n")
        assert window.page.locator("main > p.quiet").inner_text() != asked
    assert len(window.facts()) < len(before)
    window.press("l")
    assert "1 of them put off" in window.page.locator("main > p.quiet").inner_text()
    window.page.get_by_role("button", name="Later").click()
    expect(window.page.locator("main > p.quiet")).to_contain_text("2 of them put off")
    window.press("u", "u", "u", "u", "u")
    assert window.facts() == before
    window.press("ArrowLeft")
    expect(window.page.locator("#tracks")).to_contain_text("Tracks")


def test_the_mouse_does_the_same(window: Window) -> None:
    page, before = window.page, window.facts()
    first, second, third = list(before)[:3]
    card = page.locator(".card", has=page.get_by_role("link", name=first, exact=True))
    card.get_by_label(f"Name of {first}").fill("Ada")
    card.get_by_role("button", name="Name").click()
    expect(page.locator("#live")).to_have_text(f"{first} is Ada.")
    for name in (second, third):
        here = page.locator(".card", has=page.get_by_role("link", name=name, exact=True))
        here.get_by_role("checkbox").check()
    page.get_by_role("button", name="Merge them").click()
    expect(page.locator("#live")).to_have_text(f"{third} and {second} are one person.")
    page.get_by_role("link", name=second, exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(second)
    page.get_by_role("button", name="Ignore").click()
    expect(page.locator("#live")).to_have_text(f"{second} is ignored.")
    page.get_by_role("link", name="History").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("What was said")
    page.get_by_role("button", name="Undo").click()
    expect(page.locator("#live")).to_have_text(f"Took back: {second} is ignored.")
    expect(page.locator(".log .gone")).to_have_count(1)
    page.get_by_role("link", name="People", exact=False).first.click()
    page.get_by_role("link", name="Ada", exact=True).click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Ada")
    page.locator(".strip").first.get_by_role("checkbox").check()
    page.get_by_role("button", name="Not this person").click()
    expect(page.locator("#live")).to_contain_text("is somebody new")
    assert set(window.facts()) > {"Ada", second}


def test_a_moment_is_played(window: Window) -> None:
    window.press("Enter", "p")
    window.page.wait_for_function("document.querySelector('#player video').readyState >= 2")
    width = window.page.evaluate("document.querySelector('#player video').videoWidth")
    assert width > 0
    window.press("Escape")
    expect(window.page.locator("#player")).to_be_hidden()


def test_what_the_browser_cannot_play_comes_cut_out(window: Window) -> None:
    window.page.route("**/film", lambda route: route.abort())
    window.press("Enter", "p")
    window.page.wait_for_function("document.querySelector('#player video').readyState >= 2")
    source = window.page.evaluate("document.querySelector('#player video').currentSrc")
    assert source.endswith(".webm")
    window.complaints.clear()  # the browser's own line on the request that we broke


def test_two_windows_lose_nothing(window: Window) -> None:
    other = window.page.context.new_page()
    other.goto(window.served.base)
    window.press("n")
    window.type("Ada")
    window.press("Enter")
    other.keyboard.press("n")
    other.keyboard.type("Bea")
    with other.expect_response("**/act/name") as answered:
        other.keyboard.press("Enter")
    assert answered.value.status == 409
    expect(other.get_by_role("alert")).to_contain_text("nothing was lost")
    expect(other.get_by_role("link", name="Ada", exact=True)).to_be_visible()
    assert "Bea" not in window.facts()
    assert other.url == f"{window.served.base}/"


def test_names_are_only_text(window: Window) -> None:
    window.press("n")
    window.type(EVIL)
    window.press("Enter")
    assert EVIL in window.facts()
    for path in ("/", "/history", "/doubtful", "/find", "/track/0/who"):
        window.go(path)
        assert window.page.locator("img[src=x]").count() == 0
    window.go("/person/1")
    expect(window.page.get_by_role("heading", level=1)).to_have_text(EVIL)


@pytest.mark.parametrize(
    "window", [(1280, "light"), (1280, "dark"), (820, "light"), (390, "dark")], indirect=True
)
def test_pages_are_within_reach_of_everybody(window: Window) -> None:
    axe = Axe()
    pages = ("/", "/person/1", "/person/1/split", "/track/0/who", "/doubtful", "/history", "/find")
    for path in pages:
        window.go(path)
        found = axe.run(window.page).response["violations"]
        assert [(one["id"], one["nodes"][0]["html"]) for one in found] == [], path
        wide = window.page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
        assert wide <= 0, path
    window.press("?")
    expect(window.page.locator("#keys")).to_be_visible()
    assert axe.run(window.page).violations_count == 0


def test_a_review_goes_on_where_it_ended(
    browser: Browser, serve: Callable[..., Served], folder: Path
) -> None:
    served = serve()
    page = browser.new_context().new_page()
    page.goto(served.address)
    page.keyboard.press("n")
    page.keyboard.type("Ada")
    page.keyboard.press("Enter")
    expect(page.locator("#live")).to_contain_text("is Ada")
    assert served.stop() == 0
    assert "Ada" in (folder / "people.csv").read_text()
    assert "Ada" in (folder / "report.html").read_text()
    again = serve()
    page.goto(again.address)
    page.keyboard.press("u")
    expect(page.locator("#live")).to_contain_text("Took back: ")
    again.process.kill()  # even so nothing is lost
    assert "Ada" not in [person.name for person in load_run(folder).people]
    page.context.close()
