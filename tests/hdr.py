"""Films in HDR, made of usual pictures by the standards' own formulas."""

from __future__ import annotations

import os

import av
import numpy as np

PQ, HLG = 16, 18
WHITE = 203.0  # nits of the white of usual pictures within HDR (ITU-R BT.2408)
TO_BT2020 = np.array(  # linear BT.709 to linear BT.2020 (ITU-R BT.2087)
    [[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]]
)
LUMA = np.array([0.2627, 0.6780, 0.0593])  # of BT.2020


def pq(nits):
    """ITU-R BT.2100, table 4."""
    m1, m2, c1, c2, c3 = 2610 / 16384, 2523 / 32, 3424 / 4096, 2413 / 128, 2392 / 128
    y = (nits / 10_000) ** m1
    return ((c1 + c2 * y) / (1 + c3 * y)) ** m2


def hlg(nits):
    """ITU-R BT.2100, table 5, for a screen of 1,000 nits."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    shown = nits / 1000
    scene = shown * np.maximum(shown @ LUMA, 1e-9)[..., None] ** (1 / 1.2 - 1)
    return np.where(
        scene <= 1 / 12, np.sqrt(3 * scene), a * np.log(np.maximum(12 * scene, b + 1e-9) - b) + c
    )


def as_hdr(picture, transfer):
    """The picture as HDR holds it: in 10 bits, with the colours of BT.2020."""
    nits = WHITE * (picture / 255.0) ** 2.4 @ TO_BT2020.T
    signal = (pq if transfer == PQ else hlg)(nits)
    luma = signal @ LUMA
    blue, red = (signal[..., 2] - luma) / 1.8814, (signal[..., 0] - luma) / 1.4746
    frame = av.VideoFrame(picture.shape[1], picture.shape[0], "yuv444p10le")
    for plane, values in zip(
        frame.planes, (64 + 876 * luma, 512 + 896 * blue, 512 + 896 * red), strict=True
    ):
        lines = np.frombuffer(plane, np.uint16).reshape(plane.height, -1)
        lines[:, : plane.width] = np.rint(values)
    return frame


def write(path, frames, codec="libx264", options=None, **tags):
    """Write frames, with tags of the codec such as color_trc."""
    with av.open(os.fspath(path), "w") as container:
        stream = container.add_stream(codec, rate=25, options=options or {})
        stream.pix_fmt = frames[0].format.name if codec != "libx264" else "yuv420p"
        stream.width, stream.height = frames[0].width, frames[0].height
        for name, value in tags.items():
            setattr(stream.codec_context, name, value)
        for frame in frames:
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


def write_hdr(path, picture, transfer, **tags):
    told = {"color_trc": transfer, "color_primaries": 9, "colorspace": 9, "color_range": 1} | tags
    return write(path, [as_hdr(picture, transfer)] * 3, "ffv1", **told)
