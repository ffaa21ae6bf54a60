"""Why two tracks are one person, or two: the history of merges, asked for a pair, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from videoclusternet.errors import UsageError
from videoclusternet.records import SAID, SHOWN, TOGETHER, UNKNOWN, Clusters, Links, told


@dataclass(frozen=True)
class Link:
    """One merge on the way between two tracks: two groups as they were before its round."""

    round: int
    left: tuple[int, ...]  # tracks, ascending; the group is called by the first
    right: tuple[int, ...]
    loss: float  # between the two groups
    left_limit: float | None  # that each set for itself; None where it had no pair of crops
    right_limit: float | None


@dataclass(frozen=True)
class Why:
    """The answer to why two tracks are one person, or are not."""

    left: int
    right: int
    together: bool
    links: tuple[Link, ...]  # what leads from the one to the other, in the order of the rounds
    text: str  # the same in sentences, one a line


def path_between(clusters: Clusters, left: int, right: int) -> list[Link]:
    """Return the merges that lead from one track to another, in the order of their rounds.

    A merge joins two groups that are called by their lowest tracks. Taken as lines between these
    the merges of a person form a tree (each joins what was apart), so there is one way only.
    Nothing leads from a track to itself or to another person. Raises UsageError for a track that
    the film does not have.
    """
    for track in (left, right):
        if not 0 <= track < len(clusters):
            raise UsageError(
                f"There is no track {track}: the run has {len(clusters)}, numbered from 0."
            )
    lines: dict[int, list[tuple[int, int]]] = {}
    for merge, ends in enumerate(zip(clusters.left.tolist(), clusters.right.tolist(), strict=True)):
        for here, there in (ends, ends[::-1]):
            lines.setdefault(here, []).append((there, merge))
    came: dict[int, tuple[int, int]] = {left: (left, -1)}
    front = [left]
    while front and right not in came:
        here = front.pop()
        for there, merge in lines.get(here, ()):
            if there not in came:
                came[there] = here, merge
                front.append(there)
    if right not in came:
        return []
    used = set()
    while right != left:
        right, merge = came[right]
        used.add(merge)
    return list(_links(clusters, used))


def _links(clusters: Clusters, used: set[int]) -> Iterator[Link]:
    """Yield these merges with their groups, while the history is gone through once."""
    group: dict[int, tuple[int, ...]] = {track: (track,) for track in range(len(clusters))}
    start, round_ = dict(group), -1  # the groups as the round found them
    for merge, (left, right) in enumerate(
        zip(clusters.left.tolist(), clusters.right.tolist(), strict=True)
    ):
        if clusters.round[merge] != round_:
            start, round_ = dict(group), int(clusters.round[merge])
        if merge in used:
            yield Link(
                round_, start[left], start[right], float(clusters.loss[merge]),
                told(clusters.left_limit[merge]), told(clusters.right_limit[merge]),
            )  # fmt: skip
        union = tuple(sorted(group[left] + group[right]))
        group |= dict.fromkeys(union, union)


def explain_pair(
    clusters: Clusters,
    left: int,
    right: int,
    names: Mapping[int, str] | None = None,
    shown: Links | None = None,
) -> Why:
    """Return why two tracks are one person or two; `names` says what people are called, by label,
    `shown` what the film itself shows of the tracks.

    Raises UsageError for a track that the film does not have.
    """
    links = path_between(clusters, left, right)
    labels = [int(clusters.label[track]) for track in (left, right)]
    who = [(names or {}).get(label, f"person {label}") for label in labels]
    pair = f"Track {left} and track {right}"
    together = labels[0] == labels[1] != UNKNOWN
    if left == right:
        lines = [f"Track {left} is one track: it was followed through its shot as one face."]
    elif together:
        met = "no merge joins them, somebody said so"
        if links and links[-1].round == SHOWN:
            met = "the film shows it"
        elif links and links[-1].round != SAID:
            met = f"they met in round {links[-1].round}"
        lines = [f"{pair} are one person, {who[0]}: {met}."]
    elif UNKNOWN in labels:
        unknown = [t for t, label in zip((left, right), labels, strict=True) if label == UNKNOWN]
        lines = [f"Track {track} is Unknown: nobody was claimed for it." for track in unknown]
    else:
        lines = [f"{pair} are two people, {who[0]} and {who[1]}: no merge joins them."]
        if shown is not None and _seen_together(shown, left, right):
            lines.append("They are seen in one picture, apart from each other.")
        lines += [
            _nearest(clusters, track, own, names or {})
            for track, own in zip((left, right), who, strict=True)
        ]
    lines += [_sentence(link, clusters.film_threshold) for link in links]
    return Why(left, right, together, tuple(links), "\n".join(lines))


def _seen_together(links: Links, left: int, right: int) -> bool:
    low, high = sorted((left, right))
    pair = (links.left == low) & (links.right == high) & (links.kind == TOGETHER)
    return bool(pair.any())


def _sentence(link: Link, threshold: float | None) -> str:
    left, right = _called(link.left), _called(link.right)
    if link.round == SAID:
        return f"Somebody said that {left} and {right} are one; loss {_number(link.loss)}."
    if link.round == SHOWN:
        return (
            f"The camera set-up of {left} returned in {right}, with a face in the same place; loss "
            f"{_number(link.loss)}."
        )
    if threshold is not None:
        far = f"distance {_number(link.loss)}, below the film's threshold {_number(threshold)}"
        return f"Round {link.round}: {left} met {right}: {far}."
    limits = f"limits {_number(link.left_limit)} and {_number(link.right_limit)}"
    below = any(limit and link.loss < limit for limit in (link.left_limit, link.right_limit))
    how = "" if below else "; above both, but each is the other's nearest by far"
    return f"Round {link.round}: {left} met {right}: loss {_number(link.loss)}, {limits}{how}."


def _called(group: tuple[int, ...]) -> str:
    more = len(group) - 1
    others = {0: "", 1: " and one more"}.get(more, f" and {more} more")
    return f"track {group[0]}{others}"


def _number(value: float | None) -> str:
    return "none" if value is None else f"{value:.2f}"


def _nearest(clusters: Clusters, track: int, own: str, names: Mapping[int, str]) -> str:
    """Say what a track was nearest to; the loss to each other person is not kept."""
    other = int(clusters.other[track])
    alone = int((clusters.label == clusters.label[track]).sum()) == 1
    losses = [_number(told(x[track])) for x in (clusters.own_loss, clusters.other_loss)]
    if alone:
        whose = "its own limit" if clusters.film_threshold is None else "the film's threshold"
        mine = f"{whose} is {losses[0]}"
    else:
        mine = f"its loss to the rest of {own} is {losses[0]}"
    name = names.get(other, f"person {other}")
    return f"Track {track}: {mine}, to the nearest other, {name}, {losses[1]}."
