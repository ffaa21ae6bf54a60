"""What the decoder is made of: FFmpeg's libraries, and the kinds of films that they read."""

from __future__ import annotations

import av
from av.codec.codec import Codec, UnknownCodecError

DECODERS = {
    "H.264": ("h264",),
    "HEVC": ("hevc",),
    "VP9": ("vp9", "libvpx-vp9"),
    "AV1": ("libdav1d", "libaom-av1"),  # FFmpeg's own "av1" only hands films on to a GPU
}
"""What most films are coded in, and FFmpeg's decoders of each that run on the processor."""


def ffmpeg_versions() -> dict[str, str]:
    """Return the version of FFmpeg, and of each of its libraries."""
    libraries = {name: ".".join(map(str, version)) for name, version in av.library_versions.items()}
    return {"ffmpeg": av.ffmpeg_version_info, **libraries}


def decoders_here() -> dict[str, str | None]:
    """Return the decoder of each kind of film, None where this build of FFmpeg has none."""
    return {kind: next(filter(_is_here, names), None) for kind, names in DECODERS.items()}


def _is_here(name: str) -> bool:
    try:
        Codec(name, "r")
    except UnknownCodecError:
        return False
    return True
