"""A moment of the film as a small film that any browser plays."""

from __future__ import annotations

import io
from fractions import Fraction

import av
from av.error import FFmpegError

from videoclusternet.errors import InputError
from videoclusternet.records import Array
from videoclusternet.video.stream import Video

LONG_SIDE = 640  # pixels
LONGEST = 12.0  # seconds
TICKS = 1000  # a second


def cut_clip(video: Video, start: float, end: float) -> bytes:
    """Return the pictures from `start` to `end`, in seconds on the film's clock, as WebM (VP8).

    At most `LONGEST` seconds, without sound. Raises InputError where nothing can be decoded there.
    """
    end = min(end, start + LONGEST)
    file = io.BytesIO()
    try:
        with av.open(file, "w", format="webm") as out:
            stream = None
            for frame in video.moment(start, end):
                picture = av.VideoFrame.from_ndarray(_even(frame.rgb(LONG_SIDE)), "rgb24")
                if stream is None:
                    stream = out.add_stream("libvpx", rate=30)
                    stream.width, stream.height = picture.width, picture.height
                    stream.pix_fmt = "yuv420p"
                    stream.codec_context.time_base = Fraction(1, TICKS)
                    stream.options = {"deadline": "realtime", "cpu-used": "8", "b": "900k"}
                picture.pts = round((frame.seconds - start) * TICKS)
                picture.time_base = Fraction(1, TICKS)
                out.mux(stream.encode(picture))
            if stream is None:
                raise InputError(f"The film has no picture from {start:.1f} to {end:.1f} s.")
            out.mux(stream.encode(None))
    except FFmpegError as error:
        raise InputError(f"The moment cannot be cut out ({error}).") from None
    return file.getvalue()


def _even(image: Array) -> Array:
    """Leave out the last row or column where there is an odd one: the codec wants pairs."""
    height, width = (side - side % 2 or 2 for side in image.shape[:2])
    return image[:height, :width]
