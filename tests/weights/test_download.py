"""One file comes from one address, whole, or not at all."""

from __future__ import annotations

import hashlib
import threading
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar

import pytest

from videoclusternet.errors import UsageError, WeightsError
from videoclusternet.weights import fetch
from videoclusternet.weights.fetch import PIECE, download

CONTENT = bytes(range(256)) * (PIECE // 100)


class Page(BaseHTTPRequestHandler):
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        self.asked.append(self.path)
        if self.path == "/gone":
            self.send_error(404)
            return
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/net.pth")
            self.end_headers()
            return
        if self.path == "/unsafe":
            self.send_response(204)
            self.end_headers()
            return
        self.send_response(200)
        if self.path != "/unsized":
            self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        self.wfile.write(CONTENT[: PIECE + 9] if self.path == "/short" else CONTENT)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def address(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A server on this machine, whose plain address stands in for a safe one."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    real = urllib.request.urlopen

    def safe(address: str, timeout: float) -> Any:
        answer = real(address.replace("https:", "http:"), timeout=timeout)
        if not address.endswith("/unsafe"):
            answer.url = answer.url.replace("http:", "https:")
        return answer

    monkeypatch.setattr(fetch.urllib.request, "urlopen", safe)
    Page.asked.clear()
    yield f"https://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


@pytest.fixture
def target(tmp_path: Path) -> Path:
    path = tmp_path / "net.part"
    path.touch(mode=0o600)
    return path


@pytest.mark.parametrize("page", ["net.pth", "unsized", "moved"])
def test_a_file_arrives_whole_and_private(address: str, target: Path, page: str) -> None:
    told: list[tuple[int, int]] = []
    download(f"{address}/{page}", target, progress=lambda *now: told.append(now))
    assert target.read_bytes() == CONTENT
    assert target.stat().st_mode & 0o777 == 0o600
    assert told[-1] == (len(CONTENT), len(CONTENT))
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert len(told) == -(-len(CONTENT) // PIECE)


def test_the_right_hash_is_taken_in_any_case(address: str, target: Path) -> None:
    right = hashlib.sha256(CONTENT).hexdigest()
    download(f"{address}/net.pth", target, right.upper())
    with pytest.raises(WeightsError, match=f"another SHA-256 .{right}.: "):
        download(f"{address}/net.pth", target, "0" * 64)


@pytest.mark.parametrize(
    ("page", "said"),
    [("gone", "404"), ("short", "ended before its file did"), ("unsafe", "not https")],
)
def test_what_is_not_a_whole_file_is_refused(
    address: str, target: Path, page: str, said: str
) -> None:
    with pytest.raises(WeightsError, match=said) as caught:
        download(f"{address}/{page}", target)
    assert "\n" not in str(caught.value)


def test_what_is_too_large_is_given_up(
    address: str, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetch, "LARGEST", PIECE)
    with pytest.raises(WeightsError, match="more than"):
        download(f"{address}/unsized", target)
    assert target.stat().st_size <= PIECE


@pytest.mark.parametrize(
    "other", ["http://127.0.0.1/net", "file:///etc/passwd", "ftp://host/net", "/etc/passwd", ""]
)
def test_nothing_else_is_asked_for(
    target: Path, monkeypatch: pytest.MonkeyPatch, other: str
) -> None:
    monkeypatch.setattr(fetch.urllib.request, "urlopen", lambda *_, **__: pytest.fail("asked"))
    with pytest.raises(UsageError, match="no https address"):
        download(other, target)


@pytest.mark.parametrize("other", ["https://", "https://[", "https://127.0.0.1:1/net"])
def test_an_address_without_anybody_is_told(target: Path, other: str) -> None:
    with pytest.raises((WeightsError, UsageError), match=r"gives no file|no https address"):
        download(other, target)
