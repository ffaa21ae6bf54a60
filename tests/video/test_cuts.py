"""Contract tests: what every row of the table of cut finders is held to."""

from __future__ import annotations

import numpy as np
import pytest

from tests.video.reel import Reel, still, zoom
from videoclusternet.config import ShotsConfig
from videoclusternet.errors import UsageError, WeightsError
from videoclusternet.video import cuts as table
from videoclusternet.video.cuts import CUT_FINDERS, cut_finder_spec, make_cut_finder
from videoclusternet.video.shots import detect_shots
from videoclusternet.video.stream import open_video
from videoclusternet.video.writer import write_video
from videoclusternet.weights.assets import ASSETS, OPTIONAL

PICTURES = ("seaside", "obama_speaking", "cards", "biden")

every_row = pytest.mark.parametrize("row", CUT_FINDERS)


def cuts(film, row: str) -> list[int]:
    """The frames of a film that begin a shot, but the first."""
    return detect_shots(film, ShotsConfig(detector=row)).first.tolist()[1:]


@every_row
def test_its_origin_and_terms_are_told(row):
    spec = CUT_FINDERS[row]
    assert spec.name == row
    assert spec.code_licence
    if spec.asset is not None:
        assert spec.weights_licence == (ASSETS | OPTIONAL)[spec.asset].licence


@every_row
def test_hard_cuts_are_found_at_their_frames(row, tmp_path):
    lengths = (30, 61, 24, 13)  # none a multiple of what a network sees at a time
    shots = [zoom(name, n) for name, n in zip(PICTURES, lengths, strict=True)]
    frames = [frame for shot in shots for frame in shot]
    write_video(tmp_path / "film.mp4", frames, 25, (320, 180))
    film = open_video(tmp_path / "film.mp4")
    assert cuts(film, row) == [30, 91, 115]
    assert cuts(film, row) == [30, 91, 115]


@every_row
@pytest.mark.parametrize("frames", [1, 2, 3, 49, 50, 51, 75, 76, 125])
def test_a_static_film_has_no_cut(row, frames):
    assert cuts(Reel(still("seaside", frames)), row) == []


@every_row
def test_a_cut_too_near_to_either_end_does_not_count(row):
    film = still("seaside", 9) + still("cards", 30) + still("biden", 9)
    assert cuts(Reel(film), row) == []


@every_row
@pytest.mark.parametrize("length", [1, 2])
def test_a_flash_is_no_cut(row, length):
    film = still("seaside", 60)
    film[30 : 30 + length] = [np.full_like(film[0], 255)] * length
    assert cuts(Reel(film), row) == []


@every_row
def test_a_change_of_size_is_a_cut(row):
    assert cuts(Reel(still("cards", 60), resized=[7, 40]), row) == [7, 40]


@every_row
def test_frame_numbers_stay_true_at_a_variable_rate(row):
    film = still("cards", 40) + still("seaside", 40)
    times = np.cumsum([0.02 if i % 3 else 0.3 for i in range(80)])
    assert cuts(Reel(film, (times - times[0]).tolist()), row) == [40]


@every_row
def test_what_one_film_showed_is_forgotten_for_the_next(row):
    config = ShotsConfig(detector=row)
    assert make_cut_finder(config) is not make_cut_finder(config)


def test_an_unknown_name_is_refused():
    with pytest.raises(
        UsageError, match=r"no shots\.detector 'fade': use one of adaptive, content"
    ):
        cut_finder_spec("fade")
    with pytest.raises(UsageError):
        detect_shots(Reel([]), ShotsConfig(detector="fade"))


def test_a_network_that_was_not_fetched_says_how_to(monkeypatch, tmp_path):
    monkeypatch.setenv("VCN_CACHE", str(tmp_path))
    with pytest.raises(WeightsError, match="'transnet' is missing: run 'vcn setup --all' once"):
        make_cut_finder(ShotsConfig(detector="transnet"))


def test_the_sensitivity_is_that_of_the_adaptive_row_alone(monkeypatch):
    seen = []
    monkeypatch.setattr(
        table, "AdaptiveDetector", lambda **given: seen.append(given) or table.HashDetector()
    )
    make_cut_finder(ShotsConfig(ratio=5, change=7))
    assert (seen[0]["adaptive_threshold"], seen[0]["min_content_val"]) == (5, 7)
    film = Reel(still("cards", 30) + still("seaside", 30))
    deaf = ShotsConfig(detector="content", ratio=1e9, change=1e9)
    assert detect_shots(film, deaf).first.tolist() == [0, 30]
