"""Where grouping begins, and what it may not join: what a person said, then what the film shows.

A person's word is obeyed. A camera set-up that returns and two faces in one picture are
near-perfect evidence (`scenes`), so tracks linked by the one begin as one person and those of the
other are kept apart (`linkage` says how far); where the two contradict each other or the person,
the weaker one is dropped.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from videoclusternet.records import Array
from videoclusternet.said import Said, numbered


class Constraints(NamedTuple):
    """Must-link and cannot-link constraints on tracks."""

    said: Array  # int64 (tracks,): the group that a person's word makes of each, from 0
    label: Array  # int64 (tracks,): the same with the must-links of the film
    apart: Array  # int64 (m, 2): tracks that a person told apart
    shown: Array  # int64 (k, 2): tracks that the film shows to be two people


def constrain(said: Said, must: Array, cannot: Array) -> Constraints:
    """Return the constraints that hold all at once.

    Args:
        said: what a person said, which always holds.
        must: pairs of tracks that the film shows to be one person, the surest first, int64 (n, 2).
        cannot: pairs that it shows to be two, int64 (m, 2). One that contradicts the person is
            dropped; a must-link that contradicts one of those that remain, also by a chain of
            others, is dropped.
    """
    spoken = said.together()
    cannot = cannot[spoken[cannot[:, 0]] != spoken[cannot[:, 1]]]
    told = np.stack([said.left, said.right], 1)
    label = spoken.copy()
    members: dict[int, list[int]] = {}
    for track, group in enumerate(label.tolist()):
        members.setdefault(group, []).append(track)
    foes: dict[int, set[int]] = {group: set() for group in members}
    for one, other in label[np.concatenate([told, cannot])].tolist():
        foes[one].add(other)
        foes[other].add(one)
    for left, right in must.tolist():
        one, other = sorted((int(label[left]), int(label[right])), key=lambda g: len(members[g]))
        if one == other or other in foes[one]:
            continue
        label[members[one]] = other
        members[other] += members.pop(one)
        for foe in foes.pop(one):
            foes[foe].discard(one)
            foes[foe].add(other)
            foes[other].add(foe)
    return Constraints(spoken, numbered(label), told, cannot)
