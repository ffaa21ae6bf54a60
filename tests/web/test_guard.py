"""Faults 47 to 51: who may ask, what for, and how often; asked of a real server in raw requests."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.web.conftest import Served
from videoclusternet.errors import BusyError, UsageError
from videoclusternet.review.log import FILE, Log
from videoclusternet.run_view import RunView
from videoclusternet.web.app import build_app
from videoclusternet.web.forms import STATIC
from videoclusternet.web.serve import serve as serve_at
from videoclusternet.web.session import Session


@pytest.fixture
def served(serve: Callable[..., Served]) -> Served:
    return serve()


@pytest.fixture
def client(served: Served) -> Iterator[httpx.Client]:
    """A client that has the cookie and says that it comes from our pages."""
    with httpx.Client(base_url=served.base, headers={"Origin": served.base}) as opened:
        assert opened.get(served.address.removeprefix(served.base)).status_code == 303
        yield opened


def say(client: httpx.Client, act: str = "name", **values: object) -> httpx.Response:
    form = {"back": "/", "revision": 1, "person": 1, "text": "Ada"} | values
    return client.post(f"/act/{act}", data=form)


def test_nobody_without_the_token_sees_or_changes_anything(served: Served) -> None:
    with httpx.Client(base_url=served.base, headers={"Origin": served.base}) as stranger:
        for path in ("/", "/person/1", "/face/0.jpg", "/film", "/static/review.js", "/?token=no"):
            assert stranger.get(path).status_code == 403, path
        assert say(stranger).status_code == 403
    assert Log(served.folder).current()[0] <= 1


def test_the_cookie_is_for_this_site_and_no_script(served: Served) -> None:
    answer = httpx.get(served.address)
    cookie = answer.headers["set-cookie"].casefold()
    assert "httponly" in cookie
    assert "samesite=strict" in cookie
    assert answer.headers["location"] == "/"


def test_another_name_is_refused(served: Served, client: httpx.Client) -> None:
    """DNS rebinding: the name stands in the request even where the address is ours."""
    port = served.base.rpartition(":")[2]
    for host in ("evil.example", f"evil.example:{port}", "127.0.0.1", ""):
        assert client.get("/", headers={"Host": host}).status_code == 421, host
    assert client.get("/", headers={"Host": f"localhost:{port}"}).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_form_of_another_site_is_refused(
    served: Served, client: httpx.Client, headers: dict[str, str]
) -> None:
    client.headers.update(headers)
    assert say(client).status_code == 403
    assert Log(served.folder).current()[0] == 1


def test_nothing_changes_by_get(served: Served, client: httpx.Client) -> None:
    for act in ("name", "ignore", "merge", "move", "answer", "undo", "redo"):
        got = client.get(f"/act/{act}", params={"person": 1, "text": "Ada", "revision": 1})
        assert got.status_code in (404, 405)
    assert Log(served.folder).current()[0] == 1


PATHS = (
        "/face/../../etc/passwd", "/face/%2e%2e%2f%2e%2e%2fetc%2fpasswd.jpg",
    "/face//etc/passwd.jpg",
        "/face/-1.jpg", "/face/99999999999999999999.jpg", "/face/run.json", "/clip/../run.json",
        "/clip/-1.webm", "/clip/1e9.webm", "/static/../app.py", "/static/%2e%2e/app.py",
        "/static/..%5capp.py", "/static//etc/passwd", "/person/x", "/person/99999", "/track/-1/who",
        "/track/99999/who", "/run.json", "/docs", "/openapi.json", "/nothing",
)  # fmt: skip


def test_there_is_no_way_out_of_the_pages(client: httpx.Client) -> None:
    for path in PATHS:
        request = client.build_request("GET", "/")
        request.url = request.url.copy_with(raw_path=path.encode())
        answer = client.send(request)
        assert answer.status_code == 404, path
        assert "root:" not in answer.text


@pytest.mark.parametrize(
    ("act", "values", "code"),
    [
        ("name", {"person": 99}, 422),
        ("name", {"text": "Person 3"}, 303),  # it is somebody's, so the two are one
        ("name", {"text": "person 77"}, 422),
        ("name", {"text": "A\x00da"}, 422),
        ("name", {"text": "A" * 121}, 422),
        ("name", {"text": "é" * 120}, 303),
        ("merge", {"people": [1]}, 422),
        ("merge", {"people": [1, 99]}, 422),
        ("merge", {"text": "Nobody"}, 422),
        ("move", {"to": "new"}, 422),
        ("move", {"to": "2", "tracks": [99999]}, 422),
        ("move", {"to": "nobody", "tracks": [1]}, 422),
        ("move", {"to": "new", "tracks": ["x"]}, 404),
        ("answer", {"left": [1], "right": [1], "answer": "no"}, 422),
        ("answer", {"left": [1], "right": [2], "answer": "perhaps"}, 404),
        ("name", {"back": "http://evil.example/"}, 404),
        ("name", {"back": "//evil.example/"}, 404),
        ("name", {"back": "/person/1/../../x"}, 404),
        ("redo", {}, 422),
        ("undo", {}, 422),
    ],
)
def test_what_cannot_be_meant_changes_nothing(
    served: Served, client: httpx.Client, act: str, values: dict[str, object], code: int
) -> None:
    answer = say(client, act, **values)
    assert answer.status_code == code, answer.text
    assert Log(served.folder).current()[0] == (2 if code == 303 else 1)
    assert "evil" not in answer.headers.get("location", "")


def test_what_is_said_twice_is_done_once(served: Served, client: httpx.Client) -> None:
    """A double click, and two tabs: of all that saw the same entry one is heard."""
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: say(client, text=f"Ada {n}"), range(8)))
    codes = sorted(answer.status_code for answer in answers)
    assert codes == [303] + [409] * 7
    entries = Log(served.folder).entries()
    assert [entry.revision for entry in entries] == [1, 2]
    refused = next(answer for answer in answers if answer.status_code == 409)
    assert "nothing was lost" in refused.text
    assert refused.headers["hx-push-url"] == "/"
    assert say(client, revision=2, text="Bea").status_code == 303


def test_the_film_comes_in_the_parts_that_are_asked_for(
    demo_run: RunView, client: httpx.Client
) -> None:
    film = Path(demo_run.manifest.film.path).read_bytes()
    answer = client.get("/film", headers={"Range": "bytes=100-299"})
    assert answer.status_code == 206
    assert answer.content == film[100:300]
    assert answer.headers["content-range"] == f"bytes 100-299/{len(film)}"
    assert client.get("/film", headers={"Range": f"bytes={len(film)}-"}).status_code == 416


def test_every_answer_forbids_what_is_not_ours(client: httpx.Client) -> None:
    for path in ("/", "/nothing", "/static/review.js", "/face/0.jpg", "/film"):
        headers = client.get(path).headers
        policy = headers["content-security-policy"]
        assert policy.startswith("default-src 'none'")
        assert "unsafe" not in policy
        assert headers["x-content-type-options"] == "nosniff"
        assert "server" not in headers


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "example.org", ""])
def test_only_one_address_of_this_machine_is_served_at(folder: Path, host: str) -> None:
    with pytest.raises(UsageError, match=r"address"):
        serve_at(
            partial(build_app, Session(folder)), lambda key: pytest.fail(f"it opened {key}"), host
        )


def test_it_listens_on_the_loopback_alone(served: Served) -> None:
    port = int(served.base.rpartition(":")[2])
    listening = [
        line.split()[1]
        for table in ("tcp", "tcp6")
        if Path(f"/proc/net/{table}").exists()
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        if line.split()[3] == "0A" and int(line.split()[1].split(":")[1], 16) == port
    ]
    assert listening == [f"0100007F:{port:04X}"]


def test_a_port_that_is_taken_is_said(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(BusyError, match="port"):
        serve_at(partial(build_app, Session(folder)), lambda _: None, port=taken.getsockname()[1])


def test_what_was_said_is_for_its_owner_alone(served: Served, client: httpx.Client) -> None:
    say(client)
    assert stat.S_IMODE(os.stat(served.folder / FILE).st_mode) == 0o600


def test_a_run_that_goes_away_is_a_sentence(served: Served, client: httpx.Client) -> None:
    shutil.rmtree(served.folder)
    answer = client.get("/")
    assert answer.status_code == 500
    assert "Traceback" not in answer.text


def test_what_others_wrote_is_as_they_made_it() -> None:
    """The library is htmx.org 2.0.11 from the npm registry, dist/htmx.min.js."""
    data = (STATIC / "htmx.min.js").read_bytes()
    assert hashlib.sha256(data).hexdigest() == (
        "d6fdc75f204e6bdefa99b69bf1e6d4ac69b8a364f77929f45c13476b4000f717"
    )
