from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from videoclusternet.video.clock import Clock

STEP = 0.04


def told(presentation, decoding=None, durations=None):
    clock = Clock(STEP)
    decoding = decoding or [None] * len(presentation)
    durations = durations or [None] * len(presentation)
    return [clock.tell(*row) for row in zip(presentation, decoding, durations, strict=True)]


def test_the_presentation_stamps_are_the_times_however_uneven():
    assert told([0.0, 0.04, 0.5, 0.51, 7.0]) == [0.0, 0.04, 0.5, 0.51, 7.0]


@pytest.mark.parametrize("start", [-3.0, 0.08, 36_000.0])
def test_the_first_frame_is_at_zero_wherever_the_stamps_start(start):
    assert told([start, start + 0.5, start + 2]) == pytest.approx([0, 0.5, 2])


def test_a_missing_stamp_follows_by_the_duration_of_the_frame_before():
    assert told([0.0, None, 0.2], durations=[0.1, None, None]) == [0.0, 0.1, 0.2]


def test_a_film_without_stamps_has_its_nominal_rate():
    assert told([None] * 4) == pytest.approx([0, STEP, 2 * STEP, 3 * STEP])


def test_stamps_that_begin_late_do_not_move_the_frames_before_them():
    assert told([None, None, 5.0, 5.1]) == pytest.approx([0, STEP, 2 * STEP, 2 * STEP + 0.1])


def test_a_duplicate_stamp_is_put_between_and_costs_the_next_one_nothing():
    assert told([0.0, 0.04, 0.04, 0.08]) == pytest.approx([0, 0.04, 0.06, 0.08])


def test_a_segment_that_starts_anew_follows_on():
    assert told([9.0, 9.04, 0.0, 0.04, 0.5]) == pytest.approx([0, 0.04, 0.08, 0.12, 0.58])


def test_where_presentation_stamps_contradict_the_order_decoding_stamps_count():
    shown = [1, 3, 4, 2, 7, 6, 8, 5, 11]
    times = told([i * STEP for i in shown], [(i + 2) * STEP for i in range(9)])
    assert times[4:] == pytest.approx([(i + 1) * STEP for i in range(4, 9)])


stamps = st.none() | st.floats(-1e15, 1e15) | st.integers(-5, 5).map(float)


@given(st.lists(st.tuples(stamps, stamps, st.none() | st.floats(0, 1e6)), max_size=30))
def test_times_ascend_strictly_from_zero_whatever_the_stamps(rows):
    clock = Clock(STEP)
    times = [clock.tell(*row) for row in rows]
    assert times[:1] in ([], [0.0])
    assert all(a < b for a, b in pairwise(times))
