"""Who may ask: only the browser that was given the token, only from these pages.

Every request needs the cookie that the start address sets. A host that is not ours is refused
(DNS rebinding), and so is every change that does not come from a page of ours (forged requests).
"""

from __future__ import annotations

import hmac
import secrets
from dataclasses import dataclass, field

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

POLICY = (
    "default-src 'none'; img-src 'self'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "media-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",  # without any, a form's Origin would be null
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True)
class Key:
    """The address that pages are asked for at, and the secret of this start."""

    host: str
    port: int
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)

    @property
    def hosts(self) -> frozenset[str]:
        """What a browser may call this server."""
        names = {self.host, "localhost", "127.0.0.1", "[::1]"} if self.local else {self.host}
        return frozenset(f"{name}:{self.port}" for name in names)

    @property
    def local(self) -> bool:
        """Tell whether only this machine can ask."""
        return self.host in ("localhost", "127.0.0.1", "[::1]")

    @property
    def cookie(self) -> str:
        """The name of the cookie; cookies know no ports, so the name does."""
        return f"vcn_{self.port}"

    @property
    def address(self) -> str:
        """Where to begin."""
        return f"http://{self.host}:{self.port}/?token={self.token}"


class Guard:
    """The door of the application, as ASGI middleware."""

    def __init__(self, app: ASGIApp, key: Key) -> None:
        self.app = app
        self.key = key

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request in, or answer why not."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await (self._answered(Request(scope)) or self.app)(scope, receive, with_headers)

    def _answered(self, request: Request) -> PlainTextResponse | RedirectResponse | None:
        """Return the answer to who may not ask, or begins; None where the pages answer."""
        headers = request.headers
        if headers.get("host", "") not in self.key.hosts:
            return PlainTextResponse(
                "This server does not go by that name: open the address that the review printed.",
                421,
            )
        if request.method not in ("GET", "HEAD"):
            origin = headers.get("origin", "")
            site = headers.get("sec-fetch-site", "same-origin")
            if origin.removeprefix("http://") not in self.key.hosts or site != "same-origin":
                return PlainTextResponse(
                    "Changes are only taken from pages of this server: open its own address.",
                    403,
                )
        if request.url.path == "/" and "token" in request.query_params:
            return self._begun(request.query_params["token"])
        if not self._knows(request.cookies.get(self.key.cookie, "")):
            return PlainTextResponse(
                "Open the address that the review printed: it holds the key to this page.", 403
            )
        return None

    def _begun(self, token: str) -> RedirectResponse | PlainTextResponse:
        """Exchange the token of the start address for the cookie."""
        if not self._knows(token):
            return PlainTextResponse("This address is of an earlier start: use the latest.", 403)
        answer = RedirectResponse("/", 303)
        answer.set_cookie(self.key.cookie, self.key.token, httponly=True, samesite="strict")
        return answer

    def _knows(self, token: str) -> bool:
        return hmac.compare_digest(token.encode(), self.key.token.encode())
