"""Finding faces, and measuring them while the pixels are at hand."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from videoclusternet.config import DetectConfig
from videoclusternet.faces.detectors import Detections, Detector
from videoclusternet.faces.frames import frames_of
from videoclusternet.records import Array, Faces, Progress, Shots, silent
from videoclusternet.scenes.setups import SetupFinder
from videoclusternet.tracks.camera import camera_motion
from videoclusternet.video.frame import Frame, Look
from videoclusternet.video.stream import Video

MOTION_SIDE = 320  # pixels; camera motion and set-ups are found on pictures no larger than this
FACE_SIDE = 32  # pixels; sharpness is measured on faces of this size
RIM = 0.1  # share of a box on each side that may be background
NOSE = 0.4  # how far the nose stands out of a face, in distances between its eyes
DARK, BRIGHT = 16, 240  # grey levels; what is beyond is crushed or clipped
MOUTH = 0.85  # how wide a mouth is, in the same unit


def detect_faces(
    video: Video,
    shots: Shots,
    detector: Detector,
    config: DetectConfig,
    progress: Progress = silent,
) -> Faces:
    """Find the faces in each `config.every`-th frame of each shot, its first frame included.

    Detection runs on pictures scaled down to `config.long_side`; what is found and measured is in
    pixels of the full picture. Faces of damaged frames are not usable: they may hold a track
    together. The first and the last look of each shot tell which camera set-ups return.
    Raises InputError where the film is shorter than its shots.
    """
    looked = _looks(shots, config.every)
    cuts, ends = set(shots.first.tolist()), _ends(shots, looked)
    looks, setups = [Faces.empty()], SetupFinder()
    before, scale = None, np.ones(2, np.float32)
    pictures = Look("rgb24", config.long_side), Look("gray8", MOTION_SIDE), Look("gray8")
    for frame in frames_of(video, looked, *pictures):
        picture = frame.rgb(config.long_side)
        (found,) = detector([picture], config.score)  # on a processor, a batch takes a tenth longer
        luma = frame.luma(MOTION_SIDE)
        scale = _scale(video, luma)
        motion = np.eye(2, 3, dtype=np.float32)
        if before is not None and frame.index not in cuts:
            motion = _full(camera_motion(before, luma, looks[-1].box / np.tile(scale, 2)), scale)
        before = luma
        looks.append(_measure(frame, found, _scale(video, picture), motion))
        if frame.index in ends:
            setups.look(frame.index, ends[frame.index], luma, looks[-1].box / np.tile(scale, 2))
        progress(len(looks) - 1, len(looked))
    left, right, maps = setups.found()
    return replace(_join(looks), setup_left=left, setup_right=right, setup_map=_full(maps, scale))


def sharpness(face: Array) -> float:
    """Return how much fine detail there is in the luma of a face, uint8 (height, width).

    The root mean square of the Laplacian at the scale of 1/32 of the face, in percent of the
    standard deviation of the brightness, so that neither the size of a face nor its light counts.
    A face in focus has 40 to 130; blurred by 3 % of its width about 35, by 5 % 20, by 8 % 12.
    Ours, after the variance of the Laplacian (Pech-Pacheco et al., 2000).
    """
    smaller = face.size > FACE_SIDE * FACE_SIDE
    method = cv2.INTER_AREA if smaller else cv2.INTER_LINEAR
    scaled = cv2.resize(face.astype(np.float32), (FACE_SIDE, FACE_SIDE), interpolation=method)
    inner = cv2.Laplacian(scaled, cv2.CV_32F)[1:-1, 1:-1]
    # Less than a grey level of deviation is no contrast that detail could be a part of.
    return float(100 * np.sqrt(np.mean(inner**2)) / max(1.0, scaled.std()))


def exposure(face: Array) -> float:
    """Return how well exposed the luma of a face is, uint8 (height, width): 0 not at all, to 1.

    The share that is not clipped, less what is crushed of more than half of it: black hair and a
    side in shadow are no fault. In a flash, and where the film is all but black, it is 0
    to 0.6. Ours; contrast does not tell these from faces in soft light.
    """
    crushed = max(0.0, 2 * float(np.mean(face <= DARK)) - 1)
    return max(0.0, 1 - crushed - float(np.mean(face >= BRIGHT)))


def frontalness(landmarks: Array) -> Array:
    """Return how far faces (n, 5, 2) look into the camera: the cosine of their turn, float32 (n,).

    1 is straight ahead, 0 a full profile, or landmarks that make no face: eyes swapped (a mirrored
    face), or eyes and mouth in one place. In the face's own frame, whose upright axis runs from
    the mouth to the eyes, a turned head shows the distance of its eyes and the width of its mouth
    times the cosine, and its nose beside the axis by how far it stands out times the sine. Tilt and
    nod move neither. Ours.
    """
    points = landmarks.astype(np.float64)
    eyes, mouth = points[:, :2].mean(axis=1), points[:, 3:].mean(axis=1)
    down = mouth - eyes
    length = np.linalg.norm(down, axis=1)
    across = np.stack([down[:, 1], -down[:, 0]], 1) / np.where(length > 0, length, 1)[:, None]
    across[length == 0] = 0
    eye_width, mouth_width, nose = np.einsum(
        "knd,nd->kn",
        [points[:, 1] - points[:, 0], points[:, 4] - points[:, 3], points[:, 2] - eyes],
        across,
    )
    cosine = np.maximum(0, (eye_width + mouth_width) / (1 + MOUTH))
    sine = nose / NOSE
    size = np.hypot(cosine, sine)
    frontal: Array = (cosine / np.where(size > 0, size, 1)).astype(np.float32)
    return frontal


def _looks(shots: Shots, every: int) -> Array:
    spans = zip(shots.first.tolist(), shots.stop.tolist(), strict=True)
    return np.array([frame for span in spans for frame in range(*span, every)], np.int64)


def _ends(shots: Shots, looked: Array) -> dict[int, int]:
    """Return the first and the last look of each shot, and its number."""
    shot = shots.of(looked)
    cut = np.flatnonzero(np.diff(shot, prepend=-1, append=len(shots)))
    rows = np.union1d(cut[:-1], cut[1:] - 1)
    return dict(zip(looked[rows].tolist(), shot[rows].tolist(), strict=True))


def _scale(video: Video, picture: Array) -> Array:
    """Return how much wider and higher the full picture is."""
    height, width = picture.shape[:2]
    return np.array([video.info.width / width, video.info.height / height], np.float32)


def _full(maps: Array, scale: Array) -> Array:
    """Return maps (..., 2, 3) of small pictures for full ones."""
    turn, shift = maps[..., :2], maps[..., 2:]
    scaled: Array = np.concatenate([turn * scale[:, None] / scale, shift * scale[:, None]], axis=-1)
    return scaled


def _measure(frame: Frame, found: Detections, scale: Array, motion: Array) -> Faces:
    """Return the faces of one look, in full pixels."""
    boxes, landmarks = found.boxes * np.tile(scale, 2), found.landmarks * scale
    count = len(boxes)
    luma = frame.luma()
    faces = [_inside(luma, box) for box in boxes]
    return replace(
        Faces.empty(),
        frame=np.full(count, frame.index, np.int64),
        box=boxes,
        landmarks=landmarks,
        score=found.scores,
        sharpness=np.array([sharpness(face) for face in faces], np.float32),
        frontal=frontalness(landmarks),
        exposure=np.array([exposure(face) for face in faces], np.float32),
        usable=np.full(count, not frame.damaged),
        looked=np.array([frame.index], np.int64),
        motion=motion[None],
    )


def _inside(luma: Array, box: Array) -> Array:
    """Cut out the middle of a box, at least one pixel."""
    rim = RIM * (box[2:] - box[:2])
    x1, y1 = np.floor(box[:2] + rim).astype(int)
    x2, y2 = np.ceil(box[2:] - rim).astype(int)
    return luma[y1:y2, x1:x2]


def _join(looks: list[Faces]) -> Faces:
    columns = [look.columns() for look in looks]
    return Faces(**{name: np.concatenate([c[name] for c in columns]) for name in columns[0]})
