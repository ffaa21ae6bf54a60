"""The server of reviews: on this machine only, unless an address is named, until it is stopped."""

from __future__ import annotations

import ipaddress
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from videoclusternet.errors import BusyError, UsageError
from videoclusternet.web.guard import Key

LOOPBACK = "127.0.0.1"


def serve(
    build: Callable[[Key], FastAPI],
    opened: Callable[[Key], None],
    host: str = LOOPBACK,
    port: int = 0,
) -> None:
    """Serve the application that is built for a key until SIGINT or SIGTERM.

    `opened` is called once it answers. Port 0 is any that is free. Raises UsageError for a host
    that is not one address of this machine, BusyError where the port is taken.
    """
    address = _one_address(host)
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    try:
        listening = socket.create_server((str(address), port), family=family)
    except (OSError, OverflowError) as error:
        reason = getattr(error, "strerror", None) or error
        kind = BusyError if isinstance(error, OSError) else UsageError
        raise kind(
            f"Nothing can be served at {address} port {port} ({reason}): name another --port."
        ) from None
    with listening:
        named = f"[{address}]" if address.version == 6 else str(address)
        key = Key(named, listening.getsockname()[1])
        config = uvicorn.Config(
            build(key), log_level="warning", access_log=False, lifespan="off",
            server_header=False, timeout_graceful_shutdown=2,
        )  # fmt: skip
        opened(key)
        _Server(config).run(sockets=[listening])


def _one_address(host: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    try:
        address = ipaddress.ip_address(LOOPBACK if host == "localhost" else host)
    except ValueError:
        raise UsageError(
            f"'{host}' is no address: name one of this machine, as {LOOPBACK}."
        ) from None
    if address.is_unspecified:
        raise UsageError(
            f"{host} would open the review to every network of this machine: name one address."
        )
    return address


class _Server(uvicorn.Server):
    """A server whose stop is the usual end of a review, not a fault."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Stop at a signal, and leave the handlers as they were."""
        before = {
            number: signal.signal(number, self.handle_exit)
            for number in (signal.SIGINT, signal.SIGTERM)
        }
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
