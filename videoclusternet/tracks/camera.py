"""How the camera moved between two pictures of one shot."""

from __future__ import annotations

import cv2
import numpy as np

from videoclusternet.records import Array

POINTS = 300
"""Corners followed at most."""

FEWEST = 12
"""Corners that must agree before the motion is believed."""

LARGEST_ZOOM = 1.25
LARGEST_TURN = np.radians(15)
"""More than this between two looks is no camera but a wrong fit."""


def camera_motion(before: Array, after: Array, ignore: Array | None = None) -> Array:
    """Estimate the affine map from one luma picture into a later one.

    Sparse optical flow of corners and a similarity fitted to them by RANSAC, as in BoT-SORT. The
    same pictures always give the same map. `before` and `after`: uint8 (height, width). `ignore`:
    boxes (n, 4) in pixels of `before` whose corners are left out, because faces move on their own.
    Returns float32 (2, 3) on pixel coordinates whose origin is the outer corner of the top left
    pixel; the identity where too few corners agree or the fit is not what a camera does.
    """
    still = np.eye(2, 3, dtype=np.float32)
    corners = cv2.goodFeaturesToTrack(
        before, POINTS, qualityLevel=0.01, minDistance=5, mask=_mask(before, ignore)
    )
    if corners is None or len(corners) < FEWEST:
        return still
    moved, found, _ = cv2.calcOpticalFlowPyrLK(before, after, corners, None)
    followed = found.ravel() == 1
    if followed.sum() < FEWEST:
        return still
    # OpenCV counts from the centre of the top left pixel, boxes from its outer corner.
    fit, agree = cv2.estimateAffinePartial2D(
        corners[followed] + 0.5, moved[followed] + 0.5, ransacReprojThreshold=1.5
    )
    if fit is None or agree.sum() < max(FEWEST, followed.sum() / 2) or not _plausible(fit, before):
        return still
    motion: Array = fit.astype(np.float32)
    return motion


def _mask(picture: Array, ignore: Array | None) -> Array:
    mask = np.full(picture.shape, 255, np.uint8)
    if ignore is not None:
        height, width = picture.shape
        low = np.floor(ignore[:, :2]).clip(0, (width, height)).astype(int)
        high = np.ceil(ignore[:, 2:]).clip(0, (width, height)).astype(int)
        for (x1, y1), (x2, y2) in zip(low, high, strict=True):
            mask[y1:y2, x1:x2] = 0
    return mask


def _plausible(fit: Array, picture: Array) -> bool:
    height, width = picture.shape
    zoom = np.hypot(fit[0, 0], fit[1, 0])
    turn = np.arctan2(fit[1, 0], fit[0, 0])
    centre = np.array([width / 2, height / 2])
    shift = np.abs(fit[:, :2] @ centre + fit[:, 2] - centre)
    return bool(
        1 / LARGEST_ZOOM <= zoom <= LARGEST_ZOOM
        and abs(turn) <= LARGEST_TURN
        and np.all(shift <= centre)
    )
