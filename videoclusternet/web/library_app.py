"""The pages of a library: films, the people that they share, and what is doubtful among these.

As in the review of one film, nothing changes by GET, and a form names the last entry that it knew.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Annotated

from fastapi import FastAPI, Form, HTTPException
from fastapi.responses import HTMLResponse, Response

from videoclusternet.library.shelf import Library
from videoclusternet.results.drawing import small_face
from videoclusternet.web.forms import Back, Revision, answered, bare_app
from videoclusternet.web.guard import Key
from videoclusternet.web.library_pages import LibraryPages

BACK = re.compile(r"/|/person/\d{1,9}|/doubtful/\d{1,9}|/films|/find|/history")
Member = Annotated[int, Form()]


def build_library_app(library: Library, key: Key) -> FastAPI:
    """Return the application for a library."""
    pages = LibraryPages(library)
    app = bare_app(key, pages.problem)
    _add_pages(app, pages)
    _add_acts(app, pages)

    @app.get("/face/{member}/{place}.jpg")
    def face(member: int, place: int) -> Response:
        for one in library.store.members(only=member):
            if 0 <= place < len(one.faces):
                film = next(film for film in library.films() if film.id == one.film)
                image = library.faces(film)[one.faces[place]]
                headers = {"Cache-Control": "private, max-age=600"}
                return Response(small_face(image), media_type="image/jpeg", headers=headers)
        raise HTTPException(404)

    return app


def _add_pages(app: FastAPI, pages: LibraryPages) -> None:
    @app.get("/")
    def people() -> HTMLResponse:
        return HTMLResponse(pages.people())

    @app.get("/person/{number}")
    def person(number: int) -> HTMLResponse:
        return HTMLResponse(pages.person(number))

    @app.get("/doubtful")
    def doubtful() -> HTMLResponse:
        return HTMLResponse(pages.doubtful(1))

    @app.get("/doubtful/{place}")
    def later(place: int) -> HTMLResponse:
        return HTMLResponse(pages.doubtful(place))

    @app.get("/films")
    def films() -> HTMLResponse:
        return HTMLResponse(pages.films())

    @app.get("/find")
    def find(ask: str = "") -> HTMLResponse:
        return HTMLResponse(pages.find(ask))

    @app.get("/history")
    def history() -> HTMLResponse:
        return HTMLResponse(pages.history())


def _add_acts(app: FastAPI, pages: LibraryPages) -> None:
    library = pages.library

    def work(back: str, act: Callable[[], object]) -> Response:
        return answered(back, BACK, act, pages.at)

    @app.post("/act/name")
    def name(
        back: Back, revision: Revision, person: Annotated[int, Form()],
        text: Annotated[str, Form()] = "",
    ) -> Response:  # fmt: skip
        return work(back, lambda: library.name(str(person), text, revision))

    @app.post("/act/answer")
    def answer(
        back: Back, revision: Revision, left: Member, right: Member,
        is_same: Annotated[str, Form(alias="answer")],
    ) -> Response:  # fmt: skip
        words = {"yes": library.same, "no": library.apart}
        if is_same not in words:
            raise HTTPException(404)
        return work(back, lambda: words[is_same](left, right, revision))

    @app.post("/act/apart")
    def apart(back: Back, revision: Revision, left: Member, right: Member) -> Response:
        return work(back, lambda: library.apart(left, right, revision))

    @app.post("/act/undo")
    def undo(back: Back, revision: Revision) -> Response:
        return work(back, lambda: library.undo(revision))

    @app.post("/act/redo")
    def redo(back: Back, revision: Revision) -> Response:
        return work(back, lambda: library.redo(revision))
