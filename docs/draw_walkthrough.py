"""Draw the pictures of the walkthrough from a finished run: `python docs/draw_walkthrough.py RUN`.

They follow the longest track of the person who is seen most. As in the picture of the README, drawn
heads stand where the run has faces: the pictures of the demonstration are not ours to hand on.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
from draw_report import head

import videoclusternet as vcn
from videoclusternet.clustering.distance import Sides, limits, loss_to, mean_of_crops

OUT = Path(__file__).with_name("walkthrough")
WIDTH, LEFT, RIGHT = 760, 28, 732
INK, QUIET, BAND, BAR, OTHER = "#23201b", "#6a645a", "#ece8df", "#a8482c", "#3d6b75"


def svg(height: int, title: str, body: str) -> str:
    """Return a picture as SVG text."""
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img">'
        f"<title>{title}</title>"
        f"<style>text{{font:13px system-ui,sans-serif;fill:{INK}}}.q{{fill:{QUIET};font-size:12px}}"
        ".r{text-anchor:end}.m{text-anchor:middle}</style>"
        f'<rect width="{WIDTH}" height="{height}" rx="8" fill="#fbfaf6" stroke="#ddd8cc"/>'
        f"{body}</svg>\n"
    )


def text(x: float, y: float, words: str, kind: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{kind}">{words}</text>'


def rect(x: float, y: float, width: float, height: float, fill: str) -> str:
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" fill="{fill}"/>'
    )


def dot(x: float, y: float, radius: float, fill: str, stroke: str = "none") -> str:
    return f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}" fill="{fill}" stroke="{stroke}"/>'


def line(points: list[tuple[float, float]], colour: str, dashes: str = "") -> str:
    places = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return (
        f'<polyline points="{places}" fill="none" stroke="{colour}" stroke-width="1.5" '
        f'stroke-dasharray="{dashes}"/>'
    )


def along(value: float, low: float, high: float, begin: float = LEFT, end: float = RIGHT) -> float:
    """Return where a value lies between two ends of a picture."""
    return begin + (value - low) / (high - low) * (end - begin)


class Walk:
    """A run, and the track that is followed through it."""

    def __init__(self, run: vcn.RunView) -> None:
        self.run = run
        self.person = run.people.people[0]
        lengths = np.bincount(run.tracks.track)
        self.track = max(self.person.tracks, key=lambda track: int(lengths[track]))
        mine = run.tracks.track == self.track
        self.rows = SimpleNamespace(**{k: v[mine] for k, v in run.tracks.columns().items()})
        self.shot = int(run.shots.of(self.rows.frame[:1])[0])

    def shots(self) -> str:
        shots = self.run.shots
        bars = [
            rect(
                a := along(shots.first[n], 0, shots.frames),
                44,
                along(shots.stop[n], 0, shots.frames) - a - 1.5,
                34,
                BAR if n == self.shot else BAND,
            )
            for n in range(len(shots))
        ]
        begin, end = shots.times[shots.first[self.shot]], shots.times[shots.stop[self.shot]]
        words = f"shot {self.shot} of {len(shots)}: {begin:.2f} s to {end:.2f} s"
        film = text(LEFT, 100, "0 s", "q") + text(RIGHT, 100, f"{shots.times[-1]:.0f} s", "q r")
        return svg(116, "The film cut into shots", text(LEFT, 28, words) + "".join(bars) + film)

    def faces(self) -> str:
        facts, rows, middle = self.run.facts, self.rows, len(self.rows.frame) // 2
        x, y, size = LEFT, 20, 210 / facts.height
        x1, y1, x2, y2 = rows.box[middle] * size + [x, y, x, y]
        middle_x, middle_y = (x1 + x2) / 2, (y1 + y2) / 2
        drawn = (
            f'<ellipse cx="{middle_x:.1f}" cy="{middle_y:.1f}" rx="{(x2 - x1) * 0.44:.1f}" '
            f'ry="{(y2 - y1) * 0.48:.1f}" fill="#e7c3a4"/>'
        )
        points = "".join(
            dot(x + px * size, y + py * size, 3, "#fff", BAR) for px, py in rows.landmarks[middle]
        )
        told = [
            f"frame {rows.frame[middle]}, {self.run.shots.times[rows.frame[middle]]:.2f} s",
            f"score {rows.score[middle]:.2f}: how sure the detector is",
            f"side {np.sqrt(np.prod(rows.box[middle, 2:] - rows.box[middle, :2])):.0f} pixels",
            f"sharpness {rows.sharpness[middle]:.0f} %",
            f"frontal {rows.frontal[middle]:.2f}: 1 looks into the camera",
            "usable" if rows.usable[middle] else "not usable",
        ]
        notes = "".join(
            text(LEFT + facts.width * size + 24, 44 + 26 * n, words) for n, words in enumerate(told)
        )
        frame = rect(x, y, facts.width * size, 210, BAND)
        box = line([(x1, y1), (x2, y1), (x2, y2), (x1, y2), (x1, y1)], BAR)
        return svg(
            250, "A face, its five landmarks and its measures", frame + drawn + box + points + notes
        )

    def tracks(self) -> str:
        rows, shots = self.rows, self.run.shots
        first, stop = int(shots.first[self.shot]), int(shots.stop[self.shot])
        centre = (rows.box[:, 0] + rows.box[:, 2]) / 2
        low, high = centre.min() - 5, centre.max() + 5
        at = [
            (along(f, first, stop), along(c, low, high, 130, 50))
            for f, c in zip(rows.frame, centre, strict=True)
        ]
        dots = "".join(
            dot(x, y, 3.5, "#fff" if filled else BAR, BAR)
            for (x, y), filled in zip(at, rows.filled, strict=True)
        )
        crops = self.run.crops
        mine = crops.frame[crops.track == self.track]
        taken = "".join(rect(along(f, first, stop) - 7, 152, 14, 14, OTHER) for f in mine)
        begin, end = rows.frame[[0, -1]]
        words = f"track {self.track}: {len(rows.frame)} looks in frames {begin} to {end}"
        return svg(
            196,
            "A face followed through its shot, and where crops are taken",
            text(LEFT, 28, f"{words}; where the face is, from left to right (up is right)")
            + line(at, "#d9b3a6")
            + dots
            + taken
            + text(LEFT, 186, f"{len(mine)} crops, one in 12 frames", "q"),
        )

    def training(self) -> str:
        log = [
            json.loads(row) for row in (self.run.folder / "train.jsonl").read_text().splitlines()
        ]
        steps = [row for row in log if "loss" in row]
        matched = [row["matches"] for row in log if row["stage"] == "matching"]
        losses = np.array([row["loss"] for row in steps])
        low, high = losses.min(), losses.max()
        window = np.convolve(losses, np.ones(9) / 9, "valid")
        curve = [
            (along(n + 4, 0, len(steps)), along(v, low, high, 170, 50))
            for n, v in enumerate(window)
        ]
        marks, names = "", [row["stage"] for row in steps]
        for name in dict.fromkeys(names):
            x = along(names.index(name), 0, len(steps))
            marks += line([(x, 42), (x, 176)], "#c9c2b4", "3 3") + text(
                x + 4, 190, name.replace("round ", ""), "q"
            )
        words = f"loss of {len(steps)} steps: the head alone, then three rounds"
        found = f"{matched[0]} pairs of tracks matched" if matched else ""
        return svg(
            204,
            "How the training went",
            text(LEFT, 28, words) + text(RIGHT, 28, found, "q r") + marks + line(curve, BAR),
        )

    def losses(self) -> str:
        run = self.run
        tracks = np.flatnonzero(run.signatures.count > 0)
        sides = Sides.of(run.signatures, tracks)
        p, q = mean_of_crops(sides)
        here = int(np.flatnonzero(tracks == self.track)[0])
        loss = loss_to(p[[here]], q[[here]], p, q)[0]
        own = limits(sides, np.arange(len(tracks)))
        low, high = min(loss.min(), own[here]) - 0.3, loss.max() + 0.1
        marks = ""
        for n, track in enumerate(tracks):
            if n != here:
                mine = run.clusters.label[track] == self.person.label
                marks += dot(
                    along(loss[n], low, high),
                    78 if mine else 112,
                    4,
                    BAR if mine else "none",
                    BAR if mine else OTHER,
                )
        limit = along(own[here], low, high)
        return svg(
            176,
            "The loss from this track to every other, and its limit",
            text(LEFT, 28, f"loss between track {self.track} and each other track")
            + line([(limit, 44), (limit, 136)], INK, "4 3")
            + text(limit, 154, f"limit {own[here]:.2f}", "q m")
            + text(RIGHT, 82, f"{self.person.name}", "r")
            + text(RIGHT, 136, "everybody else", "q r")
            + marks
            + text(RIGHT, 168, f"{high:.1f}", "q r"),
        )

    def merges(self) -> str:
        clusters, mine = self.run.clusters, list(self.person.tracks)
        x = {track: along(n, -0.5, len(mine) - 0.5) for n, track in enumerate(mine)}
        drawn, count = "", 0
        for left, right, loss, a, b in zip(
            clusters.left,
            clusters.right,
            clusters.loss,
            clusters.left_limit,
            clusters.right_limit,
            strict=True,
        ):
            if left in x and right in x:
                y = 92 + 26 * count
                count += 1
                drawn += line([(x[left], 76), (x[left], y), (x[right], y), (x[right], 76)], BAR)
                words = f"loss {loss:.3f}, limits {a:.3f} and {b:.3f}"
                drawn += text(x[left] + 6, y + 16, words, "q")
        heads = "".join(head(x[t] - 20, 34, 0) + text(x[t], 28, f"track {t}", "q m") for t in mine)
        return svg(126 + 26 * count, "Which tracks met, and why", drawn + heads)


PICTURES = ("shots", "faces", "tracks", "training", "losses", "merges")

if __name__ == "__main__":
    walk = Walk(vcn.load_run(sys.argv[1]))
    OUT.mkdir(exist_ok=True)
    for name in PICTURES:
        (OUT / f"{name}.svg").write_text(getattr(walk, name)())
