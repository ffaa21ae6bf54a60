"""Cutting crops: upright, aligned pictures of each track, as the network takes them."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

import cv2
import numpy as np

from videoclusternet.config import CropsConfig, FilterConfig
from videoclusternet.durable import let_go
from videoclusternet.faces.filter import faint
from videoclusternet.faces.frames import frames_of
from videoclusternet.models.registry import Feed
from videoclusternet.records import Array, Crops, Progress, Tracks, silent
from videoclusternet.video.frame import Look
from videoclusternet.video.stream import Video


def cut_crops(
    video: Video,
    tracks: Tracks,
    feed: Feed,
    config: CropsConfig,
    filters: FilterConfig,
    out: Path | None = None,
    progress: Progress = silent,
) -> Crops:
    """Cut `feed.size` pixels square pictures of the rows that `choose_rows` takes.

    Each is warped so that its landmarks lie as near to `feed.template` as a similarity can bring
    them; what lies outside the film is black. With `out` the images go into a .npy file there and
    are returned as a read-only memory map. Raises InputError where the film is shorter than its
    tracks, OSError where the file cannot be written.
    """
    rows = choose_rows(tracks, config, filters)
    images = allocate((len(rows), feed.size, feed.size, 3), out)
    motions = similarities(tracks.landmarks[rows], np.array(feed.template))
    frame_of = tracks.frame[rows]
    wanted = np.unique(frame_of)
    for done, frame in enumerate(frames_of(video, wanted, Look("rgb24")), start=1):
        picture = frame.rgb()
        for crop in np.flatnonzero(frame_of == frame.index):
            images[crop] = warp(picture, motions[crop], feed.size)
        let_go(images)
        progress(done, len(wanted))
    if out is not None:
        images = np.load(out, mmap_mode="r")
    return Crops(
        images=images,
        track=tracks.track[rows],
        frame=frame_of,
        sharpness=tracks.sharpness[rows],
        frontal=tracks.frontal[rows],
        counts=np.bincount(tracks.track[rows], minlength=tracks.count),
    )


def choose_rows(tracks: Tracks, config: CropsConfig, filters: FilterConfig) -> Array:
    """Return the ascending rows of the tracks that become crops, int64 (n,).

    Of each track those nearest to every `config.every`-th frame from its first (paper:
    t_n = 12 n + f_1), each once and the earlier of two that are as near, among the rows that are
    usable and were detected, not filled; if these are more than `config.most`, so many of them,
    spread evenly (ours). Of a track that has no usable row these are taken of its `faint` ones.
    """
    good = tracks.usable & ~tracks.filled
    lesser = faint(tracks, filters) & ~tracks.filled
    chosen = [np.empty(0, np.int64)]
    for first, stop in pairwise(tracks.starts.tolist()):
        found = good if good[first:stop].any() else lesser
        rows = first + np.flatnonzero(found[first:stop])
        if len(rows):
            times = np.arange(tracks.frame[first], tracks.frame[stop - 1] + 1, config.every)
            seen = tracks.frame[rows]
            rows = rows[np.unique(np.searchsorted((seen[1:] + seen[:-1]) / 2, times))]
            chosen.append(rows[evenly(len(rows), config.most)])
    return np.concatenate(chosen)


def evenly(count: int, most: int) -> Array:
    """Return the places of at most `most` of `count` things, spread evenly, int64."""
    chosen = max(1, min(most, count))
    places: Array = (2 * np.arange(min(most, count)) + 1) * count // (2 * chosen)
    return places


def similarities(points: Array, template: Array) -> Array:
    """Return the similarities that bring points (n, k, 2) nearest to a template (k, 2).

    Least squares (Umeyama, 1991), which in the plane and without mirroring is a regression of
    complex numbers: template ~ a * points + b. Returns float64 (n, 2, 3); points that all coincide
    are brought to the template's middle.
    """
    z, w = (p.astype(np.float64) @ [1, 1j] for p in (points, template))
    middle, goal = z.mean(axis=1), w.mean()
    z = z - middle[:, None]
    spread = (abs(z) ** 2).sum(axis=1)
    a = z.conj() @ (w - goal) / np.where(spread > 0, spread, 1)
    b = goal - a * middle
    return np.stack(
        [np.stack([a.real, -a.imag, b.real], 1), np.stack([a.imag, a.real, b.imag], 1)], axis=1
    )


def warp(picture: Array, motion: Array, size: int) -> Array:
    """Return the square that a similarity (2, 3) brings to the origin, uint8 (size, size, 3).

    A picture whose faces are much larger than the square is first averaged down some whole times,
    because linear interpolation alone would pick single pixels out of it.
    """
    zoom = np.hypot(motion[0, 0], motion[1, 0])
    motion = motion.copy()
    if 0 < zoom < 2 / 3:
        full = np.array(picture.shape[1::-1])
        small = np.maximum(1, np.round(full / round(1 / zoom))).astype(int)
        picture = cv2.resize(picture, small.tolist(), interpolation=cv2.INTER_AREA)
        motion[:, :2] *= full / small
    # OpenCV counts from the centre of the first pixel, landmarks from its outer corner.
    motion[:, 2] += motion[:, :2] @ [0.5, 0.5] - 0.5
    crop: Array = cv2.warpAffine(picture, motion, (size, size), flags=cv2.INTER_LINEAR)
    return crop


def allocate(shape: tuple[int, ...], out: Path | None) -> Array:
    """Return room for images of this shape, uint8: in memory, or in a .npy file there.

    Raises OSError where the disk has no room for all of them.
    """
    if out is None:
        return np.empty(shape, np.uint8)
    images = np.lib.format.open_memmap(out, mode="w+", dtype=np.uint8, shape=shape)
    with out.open("rb+") as file:  # a full disk is an error now, and would end the process later
        os.posix_fallocate(file.fileno(), 0, out.stat().st_size)
    return images
