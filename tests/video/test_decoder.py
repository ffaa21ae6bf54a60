"""What is told of the decoder is what films are decoded with."""

from __future__ import annotations

from pathlib import Path

import av
import pytest

from tests.synthetic import texture
from videoclusternet.video import decoder
from videoclusternet.video.stream import open_video


@pytest.mark.parametrize(
    ("kind", "encoder"),
    [("H.264", "libx264"), ("HEVC", "libx265"), ("VP9", "libvpx-vp9"), ("AV1", "libsvtav1")],
)
def test_a_film_is_read_by_the_decoder_that_is_told(
    tmp_path: Path, kind: str, encoder: str
) -> None:
    path = tmp_path / "film.mkv"
    with av.open(str(path), "w") as container:
        stream = container.add_stream(encoder, rate=25)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        for seed in range(3):
            frame = av.VideoFrame.from_ndarray(texture(seed, (64, 64)), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    assert len(list(open_video(path).frames())) == 3
    with av.open(str(path)) as container:
        assert container.streams.video[0].codec_context.codec.name == decoder.decoders_here()[kind]


def test_a_kind_without_a_decoder_is_told_as_such(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        decoder, "DECODERS", {"VP9": ("no-such", "vp9"), "AV1": ("no-such", "libsvtav1")}
    )
    assert decoder.decoders_here() == {"VP9": "vp9", "AV1": None}  # that one only writes films


def test_the_versions_are_those_of_av() -> None:
    versions = decoder.ffmpeg_versions()
    assert versions["ffmpeg"] == av.ffmpeg_version_info
    assert versions["libavcodec"].split(".")[0] == str(av.library_versions["libavcodec"][0])
