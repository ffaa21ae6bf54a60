"""Tracks to groups: what is given first, then the rule of the settings."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import numpy as np

from videoclusternet.clustering.calibration import Calibration, calibrate, distance_of
from videoclusternet.clustering.constraints import Constraints, constrain
from videoclusternet.clustering.distance import Rule, Sides
from videoclusternet.clustering.linkage import assign_clusters, link_clusters
from videoclusternet.clustering.merge import Merge, given_merges, merge_clusters
from videoclusternet.records import SAID, SHOWN, THREAD, TOGETHER, Array, Links, Mask
from videoclusternet.said import Said


class Grouping(NamedTuple):
    """Who is who among some tracks, and why."""

    label: Array  # int64 (tracks,), numbered from 0 in the order of lowest tracks
    limit: Array  # float64 (clusters,): the threshold of each
    history: list[Merge]
    threshold: float | None  # of the film; None where each cluster has its own


def group_tracks(
    sides: Sides,
    rule: Rule,
    said: Said,
    links: Links,
    solid: Mask,
    usual: float | None = None,
    nearer: float = 1.0,
) -> Grouping:
    """Return who is who among tracks.

    Args:
        sides: the tracks, as a network sees them.
        rule: how clusters are compared.
        said: what a person said of these tracks.
        links: what the film shows of them.
        solid: which tracks may found a cluster, bool (tracks,). With average linkage the others
            join whom they are like when all else is done, and nobody because of them.
        usual: the distance that the network has between strangers in other films, where it is
            known.
        nearer: share of the film's threshold up to which clusters merge, where only the surest are
            wanted; with average linkage.
    """
    calibration = calibrate(sides, pairs_of(links, TOGETHER), usual)
    given = constraints_of(sides, said, links, calibration)
    alone = np.arange(len(given.label))
    history = given_merges(sides, alone, given.said, SAID)
    history += given_merges(sides, given.said, given.label, SHOWN)
    if not rule.average:
        apart = np.concatenate([given.apart, given.shown])
        label, limit, merges = merge_clusters(sides, rule, given.label, apart)
        return Grouping(label, limit, history + merges, None)
    threshold = nearer * calibration.threshold
    weight = np.sqrt(sides.count) * solid
    fences = given.apart, given.shown
    label, merges = link_clusters(sides, weight, threshold, given.label, *fences)
    label, joined = assign_clusters(sides, weight, threshold, label, *fences)
    pairs = np.array([(merge.left, merge.right) for merge in history], np.int64).reshape(-1, 2)
    history = [
        replace(merge, loss=float(far), left_limit=threshold, right_limit=threshold)
        for merge, far in zip(history, distance_of(sides, pairs), strict=True)
    ]
    limit = np.full(label.max(initial=-1) + 1, threshold)
    return Grouping(label, limit, history + merges + joined, threshold)


def constraints_of(sides: Sides, said: Said, links: Links, calibration: Calibration) -> Constraints:
    """Return what holds of tracks whatever the distances: a person's word, and the film's links.

    Two in one picture who are as near as a face and its mirror image may be one, and two in one
    place of a set-up who are as far apart as strangers are two. Of links that contradict each
    other, the nearer tracks are believed first.
    """
    must, cannot = pairs_of(links, THREAD), pairs_of(links, TOGETHER)
    far = distance_of(sides, must)
    order = np.argsort(far, kind="stable")
    must = must[order[far[order] < calibration.unlike]]
    cannot = cannot[distance_of(sides, cannot) >= calibration.mirrored]
    return constrain(said, must, cannot)


def pairs_of(links: Links, kind: int) -> Array:
    """Return the pairs of tracks that are linked for one reason, int64 (n, 2)."""
    return np.stack([links.left, links.right], axis=1)[links.kind == kind]


def links_among(links: Links, tracks: Array) -> Links:
    """Return the links between these tracks (indices, ascending), numbered anew."""
    both = np.isin(links.left, tracks) & np.isin(links.right, tracks)
    left, right = (np.searchsorted(tracks, side[both]) for side in (links.left, links.right))
    return Links(left, right, links.kind[both])
