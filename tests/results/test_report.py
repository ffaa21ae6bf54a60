from __future__ import annotations

import base64
import re
from dataclasses import replace

import cv2
import numpy as np
import pytest

from tests.results.small_film import FACTS, Film, drawn_face, small_film
from videoclusternet.records import SAME_TIME, TWO_GROUPS
from videoclusternet.results.drawing import BRIEF
from videoclusternet.results.people import People
from videoclusternet.results.report import APPEARANCES, DOUBTS, MERGES, render_report


def page(records: Film, people: People | None = None, **facts: object) -> str:
    return render_report(
        people or records.people,
        records.crops,
        records.shots,
        records.clusters,
        replace(FACTS, **facts),
    )


def renamed(film: Film, *names: str) -> People:
    people = film.people
    return replace(
        people,
        people=tuple(replace(p, name=name) for p, name in zip(people, names, strict=True)),
    )


def text_of(html: str) -> str:
    body = html.partition("<body>")[2]
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", body))


def test_the_page_says_who_when_and_how_long() -> None:
    film = small_film([(0, 0, 9), (1, 50, 92), (0, 53, 59), (-1, 80, 86)], stops=[50, 100])
    text = text_of(page(film))
    assert "2 people in 4.0 s" in text
    assert "1.8 s on screen, 45 %" in text
    assert "2 appearances" in text
    assert "00:00:02.120 – 00:00:02.480" in text
    assert "1 track was of too low a quality" in text
    assert "Round 1: 4 matches." in text
    assert "7 min 13 s on cpu" in text
    assert "finetune.rounds 3" in text


def test_one_person_is_not_people() -> None:
    assert "1 person in 2.0 s" in text_of(page(small_film([(0, 0, 9)], stops=[50])))


def test_nobody() -> None:
    text = text_of(page(small_film([], stops=[50])))
    assert "No faces were found in this film." in text
    assert "people in" not in text


def test_nobody_but_unknown() -> None:
    text = text_of(page(small_film([(-1, 0, 9), (-1, 20, 29)], stops=[50], crops=[0, 1])))
    assert "Nobody could be told apart in 2.0 s" in text
    assert "1 track had no usable crop" in text
    assert "1 track was of too low a quality" in text


def test_a_film_that_lasts_no_time_still_gives_a_page() -> None:
    film = small_film([(0, 0, 0)], stops=[1], times=np.zeros(2))
    assert "1 person in 0.0 s" in text_of(page(film))


def test_names_and_facts_cannot_become_markup() -> None:
    evil = '"><script>alert(1)</script>'
    records = small_film([(0, 0, 9), (0, 20, 29)], stops=[50])
    html = page(records, renamed(records, evil), film=evil, warnings=(evil,), events=(evil,))
    assert "<script" not in html
    assert html.count("&lt;script&gt;") >= 6  # title, heading, warning, event, name, alt texts


@pytest.mark.parametrize("name", ["Ünal Çelik", "山田 太郎", "محمد", "Zoë 🎬", "O'Brien & Söhne"])
def test_names_of_any_script(name: str) -> None:
    film = small_film([(0, 0, 9)], stops=[50])
    escaped = name.replace("&", "&amp;").replace("'", "&#39;")
    assert f">{escaped}</h3>" in page(film, renamed(film, name))


def test_nothing_is_asked_of_any_network() -> None:
    film = small_film([(0, 0, 9), (-1, 20, 29)], stops=[50])
    html = page(film)
    policy = re.search(r'Content-Security-Policy" content="([^"]+)"', html)
    assert policy is not None
    assert policy[1].startswith("default-src 'none'; img-src data:; style-src 'unsafe-inline'")
    assert "script-src" not in policy[1]
    links = re.findall(r"""(?:src|href)=["']?([^"'\s>]+)|url\(([^)]+)\)|@import\s+(\S+)""", html)
    assert links
    assert all(first.startswith(("data:", "#")) for first, *_ in links)
    assert "http://" not in html
    assert "https://" not in html


def test_pictures_are_the_crops_in_their_colours() -> None:
    film = small_film([(0, 0, 9)], stops=[50], crop_size=150)
    data = re.findall(r"data:image/jpeg;base64,([A-Za-z0-9+/=]+)", page(film))
    assert len(data) == 1
    shown = cv2.imdecode(np.frombuffer(base64.b64decode(data[0]), np.uint8), cv2.IMREAD_COLOR)
    expected = cv2.resize(drawn_face(0), (112, 112), interpolation=cv2.INTER_AREA)
    assert np.abs(shown[:, :, ::-1].astype(int) - expected).mean() < 6


def test_a_page_without_faces_says_the_rest() -> None:
    film = small_film(
        [(0, 0, 9), (1, 20, 29), (0, 40, 49), (-1, 30, 39)], stops=[50], crop_size=150
    )
    html = page(film, pictures=False)
    assert "<img" not in html
    assert "image/jpeg" not in html
    assert "Faces were left out of it." in html
    said = text_of(page(film)).split("It shows pictures")[0].split()
    assert text_of(html).split("Faces were left out")[0].split() == said


def bars(html: str) -> list[tuple[float, float]]:
    """Return the bars of all people, which stand in their articles as in the film's timeline."""
    drawn = []
    for kind in ("timeline", "lane"):
        rows = "".join(re.findall(rf'<svg class="{kind}".*?</svg>', html, re.S))
        found = re.findall(r'<rect x="([\d.]+)" width="([\d.]+)"', rows)
        drawn.append([(float(left), float(width)) for left, width in found])
    assert drawn[0] == drawn[1]
    return drawn[0]


def test_every_second_shot_is_shaded() -> None:
    film = small_film([(0, 0, 9)], stops=[20, 50, 75, 100])
    (shades,) = re.findall(r'<path d="(M[^"]*Z)"', page(film))
    assert shades == "M200.0 0H500.0V10H200.0ZM750.0 0H1000.0V10H750.0Z"


def test_the_timeline_is_to_scale() -> None:
    film = small_film([(0, 0, 21), (0, 50, 71)], stops=[50, 100])  # 24 of 100 frames, twice
    assert bars(page(film)) == [(0, 240), (500, 240)]


def test_the_timeline_begins_where_the_film_does() -> None:
    film = small_film([(0, 50, 71)], stops=[50, 100], times=10 + np.arange(101) / 25)
    assert bars(page(film)) == [(500, 240)]


def test_the_shortest_bar_is_visible_and_inside() -> None:
    film = small_film([(0, 0, 0), (0, 99_999, 99_999)], stops=[100_000])
    (first, width), (last, _) = bars(page(film))
    assert first == 0
    assert width >= 1
    assert last + width <= 1000


def test_who_appears_once_and_briefly_comes_last() -> None:
    seen = [(0, 0, 297), (1, 300, 303), (2, 310, 310 + int(300 * BRIEF)), (3, 350, 353),
            (3, 360, 363)]  # fmt: skip
    html = page(small_film(seen, stops=[400]))
    main, _, brief = html.partition("Appear once, briefly")
    assert re.findall(r'id="person-(\d)"', main) == ["0", "2", "3"]
    assert re.findall(r'id="person-(\d)"', brief) == ["1"]


def test_long_lists_are_cut_and_say_so() -> None:
    seen = [(0, 9 * n, 9 * n + 3) for n in range(APPEARANCES + 5)]
    html = page(small_film(seen, stops=[1000]))
    assert html.count("<li>00:") == APPEARANCES
    assert "and 5 more in people.csv" in html
    assert len(bars(html)) == APPEARANCES + 5


def test_why_together_shows_the_most_doubtful_merge_first() -> None:
    film = small_film(
        [(0, 0, 9), (1, 100, 109), (0, 200, 209), (0, 300, 309)],
        stops=[400],
        merges=[(1, 0, 2, 4.0, 3.5, 4.9), (2, 0, 3, 4.25, 4.125, 4.375)],
    )
    html = page(film)
    assert html.count("Why together") == 1  # nothing was merged into the other
    rows = [text_of("<body>" + row) for row in re.findall(r"<tr><td>track.*?</tr>", html, re.S)]
    assert rows == [
        " track 0 at 00:00:00 track 3 at 00:00:12 2 4.250 4.125 4.375 ",
        " track 0 at 00:00:00 track 2 at 00:00:08 1 4.000 3.500 4.900 ",
    ]
    assert re.findall(r"<b>([\d.]+)</b>", html) == ["4.375", "4.900"]  # the limits that let it pass


def test_many_merges_are_cut_and_say_so() -> None:
    count = MERGES + 3
    merges = [(1, 0, n, 4.0, 4.1, 4.2) for n in range(1, count + 1)]
    film = small_film([(0, 9 * n, 9 * n + 3) for n in range(count + 1)], [1000], merges=merges)
    html = page(film)
    assert html.count("<tr><td>track") == MERGES
    assert "and 3 more, less doubtful" in html


DOUBTED = small_film(
    [(0, 0, 30), (1, 40, 70), (0, 80, 110), (0, 90, 120), (-1, 130, 150)],
    stops=[200],
    confidence=[0.5, 0.987, 0.75, 0.25, 0.9],
    doubts=[(0, 2, TWO_GROUPS, 3.25, 2.5), (2, 3, SAME_TIME, 1.5, 1.75)],
)


def test_the_page_says_how_sure_it_is_and_what_is_worth_a_look() -> None:
    html = page(DOUBTED)
    text = text_of(html)
    assert "50 % sure" in text
    assert "99 % sure" in text
    assert text.count("Worth a look") == 2  # at the top, and at the one person
    top = html.partition("</header>")[0]
    assert re.findall(r'href="#person-(\d+)"[^>]*>([^<]+)<', top) == [("0", "Person 1")]
    assert "Two groups: track 0, and track 2 and 1 more, would not be merged" in text
    assert "the loss between them is 3.250, and the larger limit 2.500." in text
    assert "Seen at the same time, about 00:00:03: track 2 and track 3." in text


def test_each_part_in_doubt_shows_its_most_frontal_face() -> None:
    """Of its two crops, at 0.0 and 3.6 s or at 4.0 and 7.6 s, each part has the later one first."""
    film = small_film(
        [(0, 0, 90), (0, 100, 190)], [200], [2, 2], doubts=[(0, 1, TWO_GROUPS, 3.0, 2.0)]
    )
    crops = replace(film.crops, frontal=np.array([0.1, 0.9, 0.2, 0.8], np.float32))
    html = page(replace(film, crops=crops))
    pair = html.partition('<div class="pair">')[2].partition("</div>")[0]
    assert re.findall(r'title="([^"]+)"', pair) == ["00:00:04", "00:00:08"]


def test_what_nothing_tells_is_not_shown() -> None:
    film = small_film([(0, 0, 9)], stops=[50], confidence=[float("nan")])
    text = text_of(page(film))
    assert "sure" not in text
    assert "Worth a look" not in text


def test_many_doubts_are_cut_and_say_so() -> None:
    count = DOUBTS + 3
    seen = [(0, 0, 90)] * (count + 1)
    doubts = [(0, n, SAME_TIME, 1.0, 2.0) for n in range(1, count + 1)]
    html = page(small_film(seen, stops=[100], doubts=doubts))
    assert html.count("Seen at the same time") == DOUBTS
    assert "and 3 more in people.json" in html


def test_a_feature_film_of_a_hundred_people_stays_under_five_megabytes() -> None:
    seen = [(n % 100, 12 * n, 12 * n + 6) for n in range(900)]
    html = page(small_film(seen, stops=[12_000], crop_size=150))
    assert html.count("data:image/jpeg") > 750
    assert len(html.encode()) < 5_000_000


def test_the_same_records_give_the_same_page() -> None:
    film = small_film([(0, 0, 9), (-1, 20, 29)], stops=[50])
    assert page(film) == page(film)
