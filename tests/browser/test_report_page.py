from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.complaints import complaints_of
from tests.results.small_film import FACTS, small_film
from videoclusternet.records import SAME_TIME, TWO_GROUPS
from videoclusternet.results.charts import Lesson
from videoclusternet.results.report import render_report

EVIL = '<img src=x onerror="alert(1)"><script>alert(2)</script>'


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the report of a film with two people, an extra and Unknown; one name is an attack."""
    scenes = [(n % 2, 60 * n, 60 * n + 30) for n in range(80)]
    seen = [*scenes, (2, 4810, 4816), (2, 4813, 4819), (-1, 4830, 4840)]
    merges = [(1, n % 2, n, 4.0, 4.5, 3.5) for n in range(2, 80)]
    doubts = [(0, 40, TWO_GROUPS, 4.5, 4.25), (80, 81, SAME_TIME, 1.0, 1.5)]
    film = small_film(seen, stops=[2400, 5000], merges=merges, crop_size=150, doubts=doubts)
    people = film.people
    attacked = replace(
        people, people=(replace(people[0], name=EVIL + "W" * 200), *people.people[1:])
    )
    lessons = (Lesson("head", 9, 400, (5.0, 2.0, 1.5)), Lesson("round 1", 12, 50, (1.4, 1.2)))
    facts = replace(
        FACTS,
        lessons=lessons,
        film="a_very_long_file_name_" * 8 + ".mkv",
        warnings=("It ends at 0.92 s of 2 s.",),
    )
    path = tmp_path_factory.mktemp("report") / "report.html"
    html = render_report(attacked, film.crops, film.shots, film.clusters, facts)
    path.write_text(html, encoding="utf-8")
    return path


@pytest.fixture(params=[(1280, "light"), (1280, "dark"), (390, "light"), (390, "dark")])
def page(browser: Browser, report: Path, request: pytest.FixtureRequest) -> Iterator[Page]:
    """Open the report offline, and fail where it complains, pops up or asks for anything else."""
    width, scheme = request.param
    context = browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme, offline=True
    )
    opened = context.new_page()
    complaints = complaints_of(opened)
    requests: list[str] = []
    opened.on("request", lambda asked: requests.append(asked.url))
    opened.goto(report.as_uri())
    yield opened
    assert complaints == []
    assert [url for url in requests if not url.startswith("data:")] == [report.as_uri()]
    context.close()


def overflow(page: Page) -> int:
    """Return by how many pixels the page is wider than the window."""
    return int(page.evaluate("document.documentElement.scrollWidth - window.innerWidth"))


def test_everybody_is_there_and_every_picture_loads(page: Page) -> None:
    assert page.get_by_role("heading", level=1).count() == 1
    assert page.locator("article.person").count() == 2
    assert page.locator("article.extra").count() == 1
    assert page.get_by_role("heading", name=EVIL).count() == 1  # the name is text, not markup
    page.evaluate("document.querySelectorAll('details').forEach(fold => fold.open = true)")
    pictures = page.locator("img")
    assert pictures.count() >= 18
    assert page.evaluate("[...document.images].every(i => i.complete && i.naturalWidth === 112)")
    assert all(picture.get_attribute("alt") for picture in pictures.all())


def test_nothing_sticks_out_folded_or_not(page: Page) -> None:
    assert overflow(page) <= 0
    page.evaluate("document.querySelectorAll('details').forEach(fold => fold.open = true)")
    assert overflow(page) <= 0


def test_the_timeline_is_zoomed_without_a_script(page: Page) -> None:
    strip, lane = page.locator(".strip"), page.locator("svg.lane").first
    assert page.locator("svg.lane").count() == 2  # a row for each person
    seen = [lane.bounding_box()]
    for zoom in (4, 16):
        page.get_by_label(f"{zoom} ×").check()
        seen.append(lane.bounding_box())
        assert overflow(page) <= 0  # the strip scrolls, the page does not
    wide = [box["width"] for box in seen if box]
    assert [round(w / wide[0]) for w in wide] == [1, 4, 16]
    name = page.locator(".lane-name").first
    before = name.bounding_box()
    strip.evaluate("e => e.scrollLeft = 2000")
    assert name.bounding_box() == before  # who it is stays in sight
    assert page.locator(".marks:visible span").count() > 20
    page.get_by_label("whole film").check()
    name.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/report.html#person-0")  # the browser tells of it a moment later


def test_how_the_run_went_is_drawn(page: Page) -> None:
    page.get_by_role("heading", name="How it went").click()
    for title in ("Time", "Loss of the training", "Quality of the tracks", "Merges"):
        figure = page.locator("figure", has=page.get_by_role("heading", name=title, exact=True))
        box = figure.bounding_box()
        assert box
        assert box["height"] > 40, title
    assert page.locator(".plot polyline").count() == 2
    assert page.locator(".plot circle").count() == 78


def test_a_printed_page_has_everybody_and_no_controls(page: Page) -> None:
    page.emulate_media(media="print")
    assert not page.locator(".zoom").is_visible()
    assert page.locator(".person").first.is_visible()
    assert page.locator("svg.lane").first.is_visible()


def test_folds_open_by_mouse_and_by_keyboard(page: Page) -> None:
    listed = page.locator(".person .appearances").first
    assert not listed.is_visible()
    page.get_by_text("40 appearances").nth(1).click()
    assert listed.is_visible()
    unknown = page.locator("details", has=page.get_by_role("heading", name="Unknown"))
    assert not unknown.locator("img").first.is_visible()
    unknown.locator("summary").focus()
    page.keyboard.press("Enter")
    assert unknown.locator("img").first.is_visible()


def test_what_is_worth_a_look_is_a_click_away(page: Page) -> None:
    page.locator("header a", has_text=EVIL).click()
    doubted = page.locator("article", has=page.get_by_role("heading", name=EVIL))
    assert doubted.evaluate("e => e.getBoundingClientRect().top < window.innerHeight")
    shown = doubted.locator(".doubts")
    assert not shown.is_visible()
    doubted.get_by_text("Worth a look").click()
    assert shown.locator("img").count() == 2
    assert shown.is_visible()


CONTRASTS = """() => {
  const light = c => c.map(v => v / 255).map(v => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
                      .reduce((sum, v, i) => sum + v * [.2126, .7152, .0722][i], 0);
  const rgb = text => text.match(/[\\d.]+/g).slice(0, 3).map(Number);
  const behind = e => { while (e && getComputedStyle(e).backgroundColor === 'rgba(0, 0, 0, 0)') e = e.parentElement;
                        return e ? getComputedStyle(e).backgroundColor : 'rgb(255, 255, 255)'; };
  return [...document.querySelectorAll('h1, h2, h3, p, li, a, span, summary, td, th')].filter(e => e.textContent.trim()).map(e => {
    const [a, b] = [light(rgb(getComputedStyle(e).color)), light(rgb(behind(e)))];
    return (Math.max(a, b) + .05) / (Math.min(a, b) + .05); });
}"""  # fmt: skip  # noqa: E501


def test_all_text_can_be_read_in_light_and_dark(page: Page) -> None:
    contrasts = page.evaluate(CONTRASTS)
    assert len(contrasts) > 50
    assert min(contrasts) >= 4.5  # WCAG 2.2, level AA


def test_light_and_dark_differ(browser: Browser, report: Path) -> None:
    backgrounds = []
    for scheme in ("light", "dark"):
        page = browser.new_page(color_scheme=scheme)
        page.goto(report.as_uri())
        backgrounds.append(page.evaluate("getComputedStyle(document.body).backgroundColor"))
        page.close()
    light, dark = (sum(map(int, rgb[4:-1].split(","))) for rgb in backgrounds)
    assert light > 600 > 150 > dark
