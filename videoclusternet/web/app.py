"""The pages of a review: what is asked for, and what is said of the film.

Nothing changes by GET. Every change is a form that names the last entry of the log that its page
knew; what was said meanwhile elsewhere is never overwritten.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, Form, HTTPException, UploadFile
from fastapi.responses import FileResponse, HTMLResponse, Response

from videoclusternet.errors import InputError, UsageError
from videoclusternet.faces.photos import MOST_BYTES
from videoclusternet.records import UNKNOWN
from videoclusternet.results.drawing import small_face
from videoclusternet.review import acts
from videoclusternet.review.acts import Act
from videoclusternet.review.state import State
from videoclusternet.video.clip import cut_clip
from videoclusternet.video.stream import Video, open_video
from videoclusternet.web.forms import Back, Revision, answered, bare_app
from videoclusternet.web.guard import Key
from videoclusternet.web.pages import Pages
from videoclusternet.web.photos import find_people
from videoclusternet.web.session import Session

BACK = re.compile(r"/|/person/-?\d{1,9}|/track/\d{1,9}/who|/doubtful|/history|/find")
MARGIN = 0.5  # seconds that are shown before and after a moment
TYPES = {".mp4": "video/mp4", ".m4v": "video/mp4", ".mov": "video/mp4", ".webm": "video/webm",
         ".mkv": "video/x-matroska", ".ogv": "video/ogg"}  # fmt: skip

Tracks = Annotated[list[int], Form()]


def build_app(session: Session, key: Key) -> FastAPI:
    """Return the application for a run."""
    pages = Pages(session)
    app = bare_app(key, pages.problem)
    _add_pages(app, pages)
    _add_media(app, session)
    desk = _Desk(session, pages)
    _add_acts_on_people(app, desk)
    _add_acts_on_tracks(app, desk)
    return app


def _add_pages(app: FastAPI, pages: Pages) -> None:
    @app.get("/")
    def people() -> HTMLResponse:
        return HTMLResponse(pages.people())

    @app.get("/person/{number}")
    def person(number: int) -> HTMLResponse:
        return HTMLResponse(pages.person(number))

    @app.get("/person/{number}/split")
    def split(number: int) -> HTMLResponse:
        return HTMLResponse(pages.split(number))

    @app.get("/track/{track}/who")
    def who(track: int) -> HTMLResponse:
        return HTMLResponse(pages.who(track))

    @app.get("/doubtful")
    def doubtful() -> HTMLResponse:
        return HTMLResponse(pages.doubtful())

    @app.get("/history")
    def history() -> HTMLResponse:
        return HTMLResponse(pages.history())

    @app.get("/find")
    def find() -> HTMLResponse:
        return HTMLResponse(pages.find())

    @app.post("/find")
    def found(photo: UploadFile) -> HTMLResponse:
        try:
            data = photo.file.read(MOST_BYTES + 1)
            return HTMLResponse(pages.find(find_people(pages.session.now(), [data])))
        except InputError as error:
            return HTMLResponse(pages.find(problem=str(error)), 422)


def _add_media(app: FastAPI, session: Session) -> None:
    @cache
    def video() -> Video:
        if session.film is None:
            raise UsageError("The film is not at hand: start the review with --film.")
        return open_video(session.film)

    @app.get("/face/{row}.jpg")
    def face(row: int) -> Response:
        images = session.view().crops.images
        if not 0 <= row < len(images):
            raise HTTPException(404)
        return Response(
            small_face(images[row]),
            media_type="image/jpeg",
            headers={"Cache-Control": "private, max-age=600"},
        )

    @app.get("/film")
    def whole() -> FileResponse:
        path = video().path
        return FileResponse(path, media_type=TYPES.get(Path(path).suffix.lower(), "video/mp4"))

    @app.get("/clip/{track}.webm")
    def clip(track: int) -> Response:
        times = session.now().times
        if not 0 <= track < len(times):
            raise HTTPException(404)
        start, end = times[track].tolist()
        data = cut_clip(video(), max(0.0, start - MARGIN), end + MARGIN)
        return Response(data, media_type="video/webm")


class _Desk:
    """Takes the forms: does what was said and goes on, or shows what hinders it."""

    def __init__(self, session: Session, pages: Pages) -> None:
        self.session = session
        self.pages = pages

    def say(
        self, back: str, revision: int, act: Callable[[State], Act], then: str = ""
    ) -> Response:
        """Say something of what is true at entry `revision`, and go on to `then`, or `back`."""
        return self.work(back, lambda: self.session.do(act, revision), then)

    def work(self, back: str, work: Callable[[], object], then: str = "") -> Response:
        """Do it and go on; where it cannot be, show the page as it is now, and why."""
        return answered(back, BACK, work, self.pages.at, then)


def _add_acts_on_people(app: FastAPI, desk: _Desk) -> None:
    @app.post("/act/name")
    def name(
        back: Back, revision: Revision, person: Annotated[int, Form()],
        text: Annotated[str, Form()] = "",
    ) -> Response:  # fmt: skip
        def act(state: State) -> Act:
            """Name somebody; a name that somebody has says that the two are one."""
            try:
                other = state.find(text) if text.strip() else person
            except UsageError:
                other = person
            if other == person:
                return acts.name(state, person, text)
            return acts.merge(state, other, [person])

        return desk.say(back, revision, act)

    @app.post("/act/ignore")
    def ignore(back: Back, revision: Revision, person: Annotated[int, Form()]) -> Response:
        return desk.say(back, revision, lambda state: acts.ignore(state, person))

    @app.post("/act/merge")
    def merge(
        back: Back, revision: Revision,
        people: Annotated[list[int] | None, Form()] = None,
        text: Annotated[str, Form()] = "",
    ) -> Response:  # fmt: skip
        def act(state: State) -> Act:
            everyone = [*([state.find(text)] if text.strip() else []), *(people or [])]
            if not everyone:
                raise UsageError("It takes two people to merge: name one more.")
            into = next((person for person in everyone if person in state.name), everyone[0])
            return acts.merge(state, into, everyone)

        return desk.say(back, revision, act, "/" if back.startswith("/person/") else "")


def _add_acts_on_tracks(app: FastAPI, desk: _Desk) -> None:
    @app.post("/act/move")
    def move(
        back: Back, revision: Revision, to: Annotated[str, Form()] = "",
        text: Annotated[str, Form()] = "",
        tracks: Annotated[list[int] | None, Form()] = None,
    ) -> Response:  # fmt: skip
        def act(state: State) -> Act:
            special = {"new": None, "unknown": UNKNOWN}
            person = special[to] if to in special else state.find(to or text)
            return acts.move(state, tracks or [], person)

        return desk.say(back, revision, act)

    @app.post("/act/answer")
    def reply(
        back: Back, revision: Revision, left: Tracks, right: Tracks,
        is_same: Annotated[str, Form(alias="answer")],
    ) -> Response:  # fmt: skip
        words = {"yes": acts.same, "no": acts.different, "later": acts.later}
        if is_same not in words:
            raise HTTPException(404)
        return desk.say(back, revision, lambda state: words[is_same](state, left, right))

    @app.post("/act/undo")
    def undo(back: Back, revision: Revision) -> Response:
        return desk.work(back, lambda: desk.session.log.undo(revision))

    @app.post("/act/redo")
    def redo(back: Back, revision: Revision) -> Response:
        return desk.work(back, lambda: desk.session.log.redo(revision))
