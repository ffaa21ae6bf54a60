"""The reviewer who knows everybody, and the drawn run that is reviewed and exported."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.confidence import majority
from benchmarks.exports import measure_exports
from benchmarks.review import draw_run, strays
from videoclusternet.records import UNKNOWN
from videoclusternet.results.exports.formats import FORMATS
from videoclusternet.web.pages import Pages
from videoclusternet.web.session import Session

NAMES = ["a", "a", "a", "b", "b", None]


def test_the_name_of_most_is_the_name() -> None:
    assert majority([0, 1, 3], NAMES) == "a"
    assert majority([0, 3], NAMES) == "a"  # the first in the alphabet
    assert majority([5], NAMES) is None
    assert majority([], NAMES) is None


@pytest.mark.parametrize(
    ("person", "wrong"),
    [
        ([1, 1, 1, 2, 2, 1], []),  # whom nobody names is not judged
        ([1, 1, 1, 1, 2, 3], [3]),
        ([1, 1, 4, 2, 2, 3], [2]),
        ([1, 1, UNKNOWN, 2, 2, 3], []),
        ([1, 1, 1, 1, 1, 1], [3, 4]),
    ],
)
def test_who_is_away_from_their_own_is_a_stray(person: list[int], wrong: list[int]) -> None:
    assert strays(np.array(person), NAMES) == wrong


def test_a_drawn_run_is_a_run(tmp_path: Path) -> None:
    session = Session(draw_run(tmp_path / "run", 40, 5))
    pages = Pages(session)
    assert len(session.now().people) == 10
    assert pages.people().count("data-card=") == 10
    assert (
        "Is this the same person?" in pages.doubtful() or "Nothing is doubtful" in pages.doubtful()
    )
    rows = [*measure_exports(tmp_path, 40, 5)]
    assert [row.name for row in rows[3:]] == [f"exports.{name}" for name in FORMATS]
