"""What a screen does to a picture before it shows it, and a decoder does not.

Interlaced pictures hold two moments, and one is made of them; the brightness of HDR is brought to
that of usual pictures, which is what networks have seen. FFmpeg does both.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

from av.filter import Graph
from av.video.reformatter import VideoReformatter

HDR = frozenset({16, 18})  # of AVColorTransferCharacteristic: PQ (SMPTE 2084) and HLG

# AVColorSpace, AVColorRange and AVColorPrimaries as far as swscale can convert them.
COLOUR_SPACES = frozenset({0, 1, 2, 4, 5, 6, 7, 9})
COLOUR_RANGES = frozenset({0, 1, 2})
COLOUR_PRIMARIES = frozenset({1, 4, 5, 6, 7, 8, 9, 10, 11, 12, 22})
UNSPECIFIED, BT2020 = 2, 9  # of spaces and of primaries
LIMITED = 1  # of ranges

LEAST = 4  # pixels of a side: bwdif takes nothing smaller
DEEP = "yuv444p10le"  # what HDR is mapped in
USUAL = ":".join(
    (
        "out_transfer=bt709", "out_primaries=bt709", "out_color_matrix=bt709",
        # The white of usual pictures stays white, and a face as bright as it is in an SDR copy.
        # What is brighter is cut off; `perceptual` would keep it, and darken every face for it.
        "intent=relative_colorimetric",
    )
)  # fmt: skip


def is_hdr(picture: Any) -> bool:
    """Tell whether the picture's brightness is that of PQ or HLG."""
    return int(picture.color_trc) in HDR


def with_known_colours(picture: Any) -> Any:
    """Return the picture without colour tags that the converter refuses: as if it had none."""
    hdr = is_hdr(picture)
    untold = BT2020 if hdr else UNSPECIFIED  # HDR has no other colours, whether it says so or not
    if picture.colorspace not in COLOUR_SPACES or (hdr and picture.colorspace == UNSPECIFIED):
        picture.colorspace = untold
    if hdr and picture.color_primaries not in COLOUR_PRIMARIES:
        picture.color_primaries = untold
    if picture.color_range not in COLOUR_RANGES:
        picture.color_range = 0  # AVCOL_RANGE_UNSPECIFIED
    return picture


def layout(picture: Any) -> tuple[Any, ...]:
    """Return how a picture is stored: while that is the same, one filter does for all."""
    return picture.width, picture.height, picture.format.name, picture.rotation


def of_one_moment(pictures: Iterable[Any]) -> Iterator[Any]:
    """Yield as many pictures, each interlaced one as it was at the first of its two moments.

    A picture is looked at with those before and after it, so each comes when its successor is
    there. None, for a packet that is lost, is passed on at once.
    """
    graph, same, held = None, None, deque[Any]()
    for picture in pictures:
        if picture is None:
            yield None
            continue
        if graph and layout(picture) != same:
            yield from _filtered(graph, None, held)
            graph = None
        if (
            graph is None
            and picture.interlaced_frame
            and min(picture.width, picture.height) >= LEAST
        ):
            graph = _chain(picture, "bwdif", "mode=send_frame:deint=interlaced")
            same = layout(picture)
        if graph is None:
            yield picture
        else:
            held.append(picture)
            yield from _filtered(graph, picture, held)
    if graph:
        yield from _filtered(graph, None, held)


def of_usual_brightness(picture: Any, size: tuple[int, int], graphs: dict[Any, Any]) -> Any:
    """Return an HDR picture in this size (width, height) with the brightness and colours of SDR."""
    scaler = graphs.setdefault((DEEP, size), VideoReformatter())
    deep = scaler.reformat(
        picture, *size, DEEP, interpolation="AREA", dst_colorspace=BT2020,
        dst_color_range=LIMITED, threads=1,
    )  # fmt: skip
    deep.colorspace, deep.color_range = BT2020, LIMITED
    if size not in graphs:
        graphs[size] = _chain(deep, "scale", USUAL)
    graphs[size].push(deep)
    return graphs[size].pull()


def _chain(picture: Any, name: str, how: str) -> Any:
    graph = Graph()
    graph.threads = 1
    first = graph.add_buffer(
        width=picture.width, height=picture.height, format=picture.format,
        time_base=picture.time_base,
    )  # fmt: skip
    middle, last = graph.add(name, how), graph.add("buffersink")
    first.link_to(middle)
    middle.link_to(last)
    graph.configure()
    return graph


def _filtered(graph: Any, picture: Any, held: deque[Any]) -> Iterator[Any]:
    """Push a picture, or None at the end; yield what comes out, with the times of what went in."""
    graph.push(picture)
    while True:
        try:
            out = graph.pull()
        except (BlockingIOError, EOFError):
            return
        source = held.popleft()
        out.pts, out.dts, out.time_base = source.pts, source.dts, source.time_base
        out.duration = source.duration
        yield out
