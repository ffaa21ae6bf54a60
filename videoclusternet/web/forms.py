"""What the pages of a film and of a library have alike: the bare application, and forms."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

from fastapi import FastAPI, Form, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles

from videoclusternet.errors import UsageError, VideoClusterNetError
from videoclusternet.review.log import ConflictError, Log, stacks
from videoclusternet.web.guard import Guard, Key

STATIC = Path(__file__).parent / "static"

Revision = Annotated[int, Form()]
Back = Annotated[str, Form()]


def bare_app(key: Key, problem: Callable[[str], str]) -> FastAPI:
    """Return an application that is guarded, and tells what goes wrong by a page of `problem`."""
    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None)
    app.add_middleware(Guard, key=key)
    app.mount("/static", StaticFiles(directory=STATIC))

    @app.exception_handler(VideoClusterNetError)
    async def told(request: Request, error: VideoClusterNetError) -> HTMLResponse:
        return HTMLResponse(problem(str(error)), 404 if isinstance(error, UsageError) else 500)

    @app.exception_handler(404)
    @app.exception_handler(RequestValidationError)
    async def nowhere(request: Request, error: Exception) -> HTMLResponse:
        return HTMLResponse(
            problem("There is no such page: go on from the one with everybody."), 404
        )

    return app


def answered(
    back: str,
    pages: re.Pattern[str],
    act: Callable[[], object],
    page_at: Callable[[str, str], str],
    then: str = "",
) -> Response:
    """Do what a form says and go on to `then`, or back to its page, which is one of `pages`.

    Where it cannot be done, that page is shown as it is now (`page_at`), and why.
    """
    if not pages.fullmatch(back):
        raise HTTPException(404)
    try:
        act()
    except (ConflictError, UsageError) as error:
        code = 409 if isinstance(error, ConflictError) else 422
        return HTMLResponse(page_at(back, str(error)), code, {"HX-Push-Url": back})
    return RedirectResponse(then or back, 303)


def past_of(log: Log) -> dict[str, Any]:
    """Return what every page shows of what was said: its entries, and what undo and redo do."""
    entries = log.entries()
    done, undone = stacks(entries)
    return {
        "entries": entries,
        "gone": {entry.undoes for entry in undone},
        "undo": done[-1] if done else None,
        "redo": undone[-1] if undone else None,
    }
