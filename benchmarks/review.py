"""What a review costs: keystrokes from the raw result to a perfect one, and a page of many tracks.

A real browser presses the keys; whoever presses them knows the truth and never errs. Who they would
be in life needs time to look, so beside the seconds that passed stands what the keystroke-level
model (Card, Moran and Newell 1980) says of a person: 0.28 s for a key, 1.35 s for each decision.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
from playwright.sync_api import Page, expect, sync_playwright

import videoclusternet as vcn
from benchmarks.confidence import majority
from benchmarks.results_file import Goal, Row
from videoclusternet.records import UNKNOWN, Array, Clusters, Crops, Shots, Signatures, Tracks
from videoclusternet.results.people import list_people
from videoclusternet.results.report import RunFacts
from videoclusternet.results.truth import name_tracks, read_truth
from videoclusternet.run_view import load_run
from videoclusternet.web.pages import FACES
from videoclusternet.workspace import Run

KEY, DECISION = 0.28, 1.35  # seconds
UNSETTLED = ".htmx-request, .htmx-settling, .htmx-swapping"


@contextmanager
def reviewed(folder: Path) -> Iterator[Page]:
    """Open the review of a run folder in Chromium."""
    chromium = shutil.which("chromium")
    if chromium is None:
        raise vcn.UsageError("Chromium is missing: install it first.")
    command = [sys.executable, "-m", "videoclusternet", "review", str(folder), "--no-open"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            lines = iter(server.stdout or ())
            address = next(re.findall(r"http\S+", line)[0] for line in lines if "http" in line)
            with sync_playwright() as playwright:
                browser = playwright.chromium.launch(
                    executable_path=chromium, args=["--no-sandbox"]
                )
                page = browser.new_page(viewport={"width": 1280, "height": 900})
                page.goto(address)
                yield page
                browser.close()
        finally:
            server.terminate()


@dataclass
class Reviewer:
    """Somebody who knows the names of all tracks, and presses keys until they are right."""

    page: Page
    folder: Path
    names: Sequence[str | None]
    keys: int = 0
    decisions: int = 0

    def press(self, *keys: str) -> None:
        """Press keys and wait until what they set off has come."""
        for key in keys:
            self.page.keyboard.press(key)
            self.keys += 1
        self.page.wait_for_timeout(60)
        self.page.wait_for_load_state("networkidle")
        expect(self.page.locator(UNSETTLED)).to_have_count(0)

    @property
    def person(self) -> Array:
        """The number of each track's person, as the files have it now."""
        people = load_run(self.folder).people
        person = np.full(len(self.names), UNKNOWN)
        for one in people:
            person[list(one.tracks)] = one.number
        return person

    @property
    def wrong(self) -> int:
        """How many tracks are away from the others of their name, or among others."""
        return len(strays(self.person, self.names))

    def go_through_queue(self) -> None:
        """Answer what is asked, until all is right or nothing is asked."""
        self.press("2")
        while self.wrong and self.page.locator("input[name=left]").count():
            sides = [self._values(side) for side in ("left", "right")]
            self.decisions += 1
            mixed = [n for n, side in enumerate(sides) if not self._is_one(side)]
            if mixed:  # it is seen: they are parted first
                self.press(("ArrowLeft", "ArrowRight")[mixed[0]])
                self._part(majority(self._cards(), self.names))
                self.press("2")
                continue
            left, right = (majority(side, self.names) for side in sides)
            self.press("y" if left == right else "n")

    def _is_one(self, tracks: Sequence[int]) -> bool:
        return len({name for track in tracks if (name := self.names[track]) is not None}) < 2

    def _values(self, name: str) -> list[int]:
        boxes = self.page.locator(f"input[name={name}]").all()
        return [int(box.get_attribute("value") or "") for box in boxes]

    def go_through_people(self) -> None:
        """Open whoever has more tracks than a card shows, part who is mixed, then merge pieces."""
        self.press("1")
        self._unfold()
        seen: set[int] = set()
        while self.wrong and (new := [card for card in self._cards() if card not in seen]):
            self.decisions += 1
            seen.add(new[0])
            mine = np.flatnonzero(self.person == new[0]).tolist()
            if len(mine) > FACES or not self._is_one(mine):
                self._to(self._cards().index(new[0]))
                self.press("Enter")
                self._part(majority(mine, self.names))
                self.press("1")
        self._merge()

    def _part(self, keep: str | None) -> None:
        """Take out of a person, one name after the other, whoever they are not."""
        while strangers := {
            name for track in self._cards() if (name := self.names[track]) not in (None, keep)
        }:
            name = min(strangers)
            for place, track in enumerate(self._cards()):
                if self.names[track] == name:
                    self._to(place)
                    self.press("x")
            self.decisions += 1
            self.press("t")

    def _merge(self) -> None:
        """Merge two cards of one name, until there are none."""
        while True:
            self._unfold()
            person = self.person
            names = [
                majority(np.flatnonzero(person == number).tolist(), self.names)
                for number in self._cards()
            ]
            pair = next(
                ((names.index(name), n) for n, name in enumerate(names)
                 if name is not None and names.index(name) < n), None,
            )  # fmt: skip
            if pair is None:
                return
            self.decisions += 1
            self._to(pair[0])
            self.press("m")
            self._to(pair[1])
            self.press("m")

    def _unfold(self) -> None:
        if self.page.locator("[data-fold=Extras]:not([open])").count():
            self.press("e")

    def _cards(self) -> list[int]:
        cards = self.page.locator("[data-card]").all()
        return [int(card.get_attribute("data-card") or 0) for card in cards if card.is_visible()]

    def _to(self, place: int) -> None:
        """Go to a card by as many keys as it takes."""
        find = (
            "() => [...document.querySelectorAll('[data-card]')].filter(c => c.checkVisibility())"
        )
        here = self.page.evaluate(
            f"({find})().findIndex(card => card.classList.contains('current'))"
        )
        if place != here:
            self.press(*(["j" if place > here else "k"] * abs(place - here)))


def strays(person: Array, names: Sequence[str | None]) -> list[int]:
    """Return the tracks of known name that are among others, or away from most of their own."""
    told = [track for track, name in enumerate(names) if name and person[track] != UNKNOWN]
    owner = {
        number: majority(np.flatnonzero(person == number).tolist(), names)
        for number in np.unique(person[told]).tolist()
    }
    home: dict[str, int] = {}
    for name in sorted({str(names[track]) for track in told}):
        numbers = [int(person[track]) for track in told if names[track] == name]
        home[name] = max(
            sorted(set(numbers)),
            key=lambda n: (owner[n] == name, numbers.count(n)),
        )
    return [
        track
        for track in told
        if person[track] != home[str(names[track])] or owner[int(person[track])] != names[track]
    ]


def measure_review(run: Path, truth: Path, work: Path) -> Iterator[Row]:
    """Review copies of a finished run below `work`, with the queue and without."""
    view = load_run(run)
    names = name_tracks(view.tracks, read_truth(truth)).names
    film = run.name
    for way in ("queue", "people"):
        folder = work / f"review-{way}"
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(run, folder)
        (folder / "review.sqlite").unlink(missing_ok=True)
        with reviewed(folder) as page:
            person = Reviewer(page, folder, names)
            if way == "queue":
                yield Row.of(f"review.{film}.wrong", person.wrong, f"of {len(names)} tracks")
            begin = time.monotonic()
            if way == "queue":
                person.go_through_queue()
                yield Row.of(
                    f"review.{film}.queue.left", person.wrong, "tracks, when nothing is asked"
                )
                yield Row.of(f"review.{film}.queue.answers", person.decisions, "answers")
            if person.wrong:
                person.go_through_people()
            seconds = time.monotonic() - begin
            yield Row.of(f"review.{film}.{way}.wrong", person.wrong, "tracks", Goal(0, 0))
            yield Row.of(f"review.{film}.{way}.keys", person.keys, "keystrokes")
            modelled = KEY * person.keys + DECISION * person.decisions
            yield Row.of(f"review.{film}.{way}.person", modelled, "s, by the keystroke-level model")
            yield Row.of(f"review.{film}.{way}.seconds", seconds, "s that passed, nobody thinking")


def measure_page(work: Path, tracks: int = 1000, people: int = 60) -> Iterator[Row]:
    """Open the first page of a film of many tracks, and scroll to its end."""
    folder = draw_run(work / f"review-{tracks}", tracks, people)
    with reviewed(folder) as page:
        timing = "performance.getEntriesByType('navigation')[0]"
        page.wait_for_load_state("load")
        first = page.evaluate(f"{timing}.domContentLoadedEventEnd - {timing}.startTime") / 1000
        yield Row.of("review.page.first", first, f"s, {tracks} tracks", Goal(most=1))
        page.reload()
        again = page.evaluate(f"{timing}.domContentLoadedEventEnd - {timing}.startTime") / 1000
        yield Row.of("review.page.again", again, "s, the same again")
        slowest = page.evaluate(SCROLL)
        yield Row.of("review.page.frame", slowest, "ms, the slowest tenth of frames in scrolling")
        page.wait_for_load_state("networkidle")  # the faces that were scrolled past
        begin = time.monotonic()
        page.keyboard.press("i")
        page.locator("#live", has_text="ignored").wait_for()
        yield Row.of("review.page.act", time.monotonic() - begin, "s, from a key to its effect")
        begin = time.monotonic()
        page.goto(page.url + "doubtful")
        yield Row.of("review.page.doubtful", time.monotonic() - begin, "s, all questions anew")


SCROLL = """async () => {
  const times = [];
  let last = performance.now();
  while (window.scrollY + window.innerHeight < document.documentElement.scrollHeight - 2
         && times.length < 600) {
    window.scrollBy(0, 120);
    const now = await new Promise(requestAnimationFrame);
    times.push(now - last);
    last = now;
  }
  times.sort((a, b) => a - b);
  return times[Math.floor(0.9 * times.length)] ?? 0;
}"""


def draw_run(folder: Path, tracks: int, people: int) -> Path:
    """Write a finished run of drawn tracks of so many people, and as many extras again."""
    shutil.rmtree(folder, ignore_errors=True)
    rng = np.random.default_rng(0)
    label = np.concatenate([np.arange(2 * people), rng.integers(0, people, tracks - 2 * people)])
    label = np.unique(label, return_inverse=True)[1]
    looks = np.arange(0, 30, 3)
    begin = 40 * rng.permutation(tracks)
    frame = (begin[:, None] + looks).ravel()
    rows = len(frame)
    track = np.repeat(np.arange(tracks), len(looks))
    nothing = Tracks.empty()
    columns = {
        name: np.zeros((rows, *value.shape[1:]), value.dtype)
        for name, value in nothing.columns().items()
    }
    columns |= {"track": track, "frame": frame, "usable": np.ones(rows, bool)}
    followed = replace(nothing, **columns)
    each = 4
    owner = np.repeat(np.arange(tracks), each)
    middle = rng.integers(60, 200, (2 * people, 6, 6, 3))
    middle = middle[label[owner]] + rng.integers(-20, 20, (tracks * each, 6, 6, 3))
    images = np.kron(middle, np.ones((1, 19, 19, 1))).astype(np.uint8)
    crops = Crops(
        images, owner, (begin[:, None] + looks[:each]).ravel(), np.ones(len(owner), np.float32),
        np.ones(len(owner), np.float32), np.full(tracks, each),
    )  # fmt: skip
    stops = np.arange(40, 40 * tracks + 1, 40)
    shots = Shots(stops - 40, stops, np.arange(40 * tracks + 1) / 25)
    clusters = _clusters(label, 2 * people)
    facts = RunFacts(
        film="drawn", width=640, height=360, date=datetime.now(UTC), preset="standard", seed=0,
        device="cpu", faces=rows,
    )  # fmt: skip
    film = folder.with_suffix(".mp4")
    film.write_bytes(b"no film: only its run is looked at")

    def store(out: Path) -> Crops:
        with out.open("wb") as file:
            np.save(file, images)
        return crops

    with Run.open(folder, film, vcn.Config()) as run:
        run.once("shots", lambda: shots)
        run.once("tracks", lambda: followed)
        run.once("crops", store)
        run.once("signatures", lambda: _signatures(label, rng))
        run.once("clusters", lambda: clusters)
        run.once("facts", lambda: facts)
        run.once("people", lambda: list_people(clusters, followed, crops, shots))
    return folder


def _clusters(label: Array, people: int) -> Clusters:
    count = len(label)
    first = np.array([np.flatnonzero(label == one)[0] for one in range(people)])
    known = np.full(count, 0.9, np.float32)
    return replace(
        Clusters.empty(), label=label, quality=known, own_loss=known, other_loss=2 * known,
        other=(label + 1) % people, confidence=known, part=first[label],
        limit=np.ones(people, np.float32), person_confidence=np.full(people, 0.9, np.float32),
    )  # fmt: skip


def _signatures(label: Array, rng: np.random.Generator, width: int = 2048) -> Signatures:
    """Return the sides of tracks of one head: a peak of their person's, a little off."""
    logits = 4 * rng.normal(size=(label.max() + 1, width))[label]
    logits += rng.normal(size=logits.shape)
    q = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    p = np.exp(q)
    count = np.full(len(label), 8)
    p, q = p.astype(np.float32), q.astype(np.float32)
    own = 8 * (p * q).sum(1).astype(np.float64)
    quality, unknown = np.full(len(label), 0.9, np.float32), np.empty(0, np.float32)
    return Signatures(quality, count, 8 * p, 8 * q, own, p, q, unknown)
