from __future__ import annotations

import json
import math
from collections import Counter
from dataclasses import asdict
from itertools import combinations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from sklearn.metrics import adjusted_rand_score, normalized_mutual_info_score

from tests.results.test_truth import tracks_of, truth_of
from videoclusternet.records import Tracks
from videoclusternet.results.metrics import evaluate, pooled, score

clusterings = st.lists(
    st.tuples(st.integers(-1, 4), st.sampled_from([None, "Ann", "Bob", "Cy", "Di"])), max_size=25
)


def judged(pairs):
    """The scored tracks, every Unknown one in a cluster of its own."""
    scored = [(label, name) for label, name in pairs if name is not None]
    return [((label, i) if label < 0 else label, name) for i, (label, name) in enumerate(scored)]


def bcubed_oracle(items):
    """Precision and recall by a loop over all pairs of tracks."""
    precision = recall = 0.0
    for label, name in items:
        together = [other for other_label, other in items if other_label == label]
        related = [other_label for other_label, other in items if other == name]
        precision += together.count(name) / len(together)
        recall += related.count(label) / len(related)
    return precision / len(items), recall / len(items)


def pairwise_oracle(items):
    """Precision, recall and F1 by a loop over all pairs of tracks."""
    joined = related = both = 0
    for (label, name), (other_label, other) in combinations(items, 2):
        joined += label == other_label
        related += name == other
        both += label == other_label and name == other
    precision = both / joined if joined else 1
    recall = both / related if related else 1
    return precision, recall, 2 * both / (joined + related) if joined + related else 1


def wcp_oracle(items):
    clusters = {}
    for label, name in items:
        clusters.setdefault(label, []).append(name)
    right = sum(Counter(names).most_common(1)[0][1] for names in clusters.values())
    return right / len(items)


@example([(0, "Ann")] * 6 + [(1, "Ann")] * 4)
@example([(0, name) for name in ("Ann", "Bob", "Cy") for _ in range(7)])
@given(clusterings)
def test_measures_agree_with_plain_loops_and_scikit_learn(pairs):
    found = score(np.array([label for label, _ in pairs], int), [name for _, name in pairs])
    items = judged(pairs)
    assert found.tracks_scored == len(items)
    assert found.predicted == len({label for label, _ in items if not isinstance(label, tuple)})
    assert found.unknown == sum(isinstance(label, tuple) for label, _ in items)
    assert found.true == len({name for _, name in items})
    if not items:
        assert set(asdict(found).values()) == {0}
        return
    precision, recall = bcubed_oracle(items)
    assert found.bcubed_precision == pytest.approx(precision)
    assert found.bcubed_recall == pytest.approx(recall)
    assert found.bcubed_f1 == pytest.approx(2 / (1 / precision + 1 / recall))
    assert found.wcp == pytest.approx(wcp_oracle(items))
    assert found.ratio == pytest.approx(found.predicted / found.true)
    true, given = [name for _, name in items], [str(label) for label, _ in items]
    for value, way in ((found.nmi, "arithmetic"), (found.nmi_geometric, "geometric")):
        nmi = normalized_mutual_info_score(true, given, average_method=way)
        assert value == pytest.approx(nmi, abs=1e-9), way
    assert found.ari == pytest.approx(adjusted_rand_score(true, given))
    pairwise = found.pairwise_precision, found.pairwise_recall, found.pairwise_f1
    assert pairwise == pytest.approx(pairwise_oracle(items))


@given(clusterings, st.randoms())
def test_names_of_clusters_and_the_order_of_tracks_make_no_difference(pairs, random):
    shuffled = random.sample(pairs, len(pairs))
    renamed = [(7 - label if label >= 0 else -1, name) for label, name in shuffled]
    one = score(np.array([label for label, _ in pairs], int), [name for _, name in pairs])
    other = score(np.array([label for label, _ in renamed], int), [name for _, name in renamed])
    assert asdict(one) == pytest.approx(asdict(other), abs=1e-12)


@pytest.mark.parametrize(
    ("labels", "names", "wcp", "precision", "recall", "nmi", "ratio"),
    [
        ([0], ["A"], 1, 1, 1, 1, 1),
        ([0, 0, 1, 1], ["A", "A", "B", "B"], 1, 1, 1, 1, 1),
        ([0, 0, 0, 0], ["A", "A", "B", "B"], 0.5, 0.5, 1, 0, 0.5),
        ([0, 1, 2, 3], ["A", "A", "B", "B"], 1, 1, 0.5, 2 / 3, 2),
        ([0, 1, 2, 3], ["A", "A", "A", "A"], 1, 1, 0.25, 0, 4),
        ([0, 0, -1, -1], ["A", "A", "B", "B"], 1, 1, 0.75, 0.8, 0.5),
        ([-1, -1], ["A", "A"], 1, 1, 0.5, 0, 0),
    ],
)
def test_cases_worked_by_hand(labels, names, wcp, precision, recall, nmi, ratio):
    found = score(np.array(labels), names)
    got = (found.wcp, found.bcubed_precision, found.bcubed_recall, found.nmi, found.ratio)
    assert got == pytest.approx((wcp, precision, recall, nmi, ratio), abs=1e-12)


@given(clusterings, st.data())
def test_a_weight_is_so_many_of_the_same(pairs, data):
    """Each track repeated, an Unknown one as a cluster of its own, scores as it does weighted."""
    weights = data.draw(
        st.lists(st.integers(1, 4), min_size=len(pairs), max_size=len(pairs)).map(
            lambda drawn: np.array(drawn, np.int64)
        )
    )
    labels, names = np.array([label for label, _ in pairs], int), [name for _, name in pairs]
    found = asdict(score(labels, names, weights))
    own = np.where(labels < 0, 100 + np.arange(len(labels)), labels)
    spread = asdict(
        score(
            own.repeat(weights), [n for n, w in zip(names, weights, strict=True) for _ in range(w)]
        )
    )
    for name in ("predicted", "true", "ratio", "tracks_scored", "unknown"):
        assert found[name] == asdict(score(labels, names))[name]
        del found[name], spread[name]
    assert found == pytest.approx(spread)


def test_weights_must_be_as_many():
    with pytest.raises(ValueError, match="1 labels for 2 weights"):
        score(np.array([0]), ["A"], np.array([1, 2]))


@given(st.lists(clusterings, max_size=4))
def test_films_are_pooled_by_their_counts(films):
    parts = [(np.array([label for label, _ in film], int), [n for _, n in film]) for film in films]
    found = pooled(parts)
    labels = [(k, label) if label >= 0 else -1 for k, film in enumerate(films) for label, _ in film]
    numbers = {label: n for n, label in enumerate(dict.fromkeys(labels)) if label != -1}
    names = [n and f"{n} of {k}" for k, film in enumerate(films) for _, n in film]
    whole = score(np.array([numbers.get(label, -1) for label in labels], int), names)
    assert asdict(found) == pytest.approx(asdict(whole))
    each = [score(*part) for part in parts]
    for name in ("predicted", "true", "unknown", "tracks_scored"):
        assert getattr(found, name) == sum(getattr(scores, name) for scores in each)
    right = sum(scores.wcp * scores.tracks_scored for scores in each)
    assert found.wcp * found.tracks_scored == pytest.approx(right)


def test_labels_are_left_as_they_were():
    labels = np.array([0, -1, -1])
    score(labels, ["A", "B", "C"])
    assert labels.tolist() == [0, -1, -1]


@pytest.mark.parametrize("labels", [[], [0, 1], [0, 1, 2, 3]])
def test_labels_and_names_must_be_as_many(labels):
    with pytest.raises(ValueError, match="labels for 3 names"):
        score(np.array(labels, int), ["A", "B", "C"])


def test_a_film_is_evaluated_from_tracks_to_scores():
    tracks = tracks_of(*[[(0, x), (12, x)] for x in (0, 100, 200, 300, 400)])
    truth = truth_of(
        (6, 0, "Ann"), (6, 100, "Ann"), (6, 200, "Bob"), (6, 300, "?"), (6, 600, "Cy")
    )  # fmt: skip
    found = evaluate(tracks, np.array([0, 0, 1, 1, 2]), truth)
    assert (found.tracks_scored, found.predicted, found.true) == (3, 2, 2)
    assert (found.bcubed_f1, found.wcp, found.nmi, found.ratio) == (1, 1, 1, 1)
    assert found.truth_tracks_missed == 1
    json.dumps(asdict(found), allow_nan=False)


def test_by_frames_a_long_track_counts_for_more():
    tracks = tracks_of([(0, 0), (99, 0)], [(0, 100), (0 + 1, 100)], [(50, 200), (51, 200)])
    truth = truth_of((0, 0, "Ann"), (0, 100, "Bob"), (50, 200, "Ann"))
    labels = np.array([0, 0, 1])
    assert evaluate(tracks, labels, truth).wcp == pytest.approx(2 / 3)
    assert evaluate(tracks, labels, truth, "frame").wcp == pytest.approx(102 / 104)


def test_a_film_without_faces_has_missed_all():
    found = evaluate(Tracks.empty(), np.empty(0, int), truth_of((0, 0, "Ann")))
    assert (found.tracks_scored, found.truth_tracks_missed) == (0, 1)
    assert all(math.isfinite(value) for value in asdict(found).values())
