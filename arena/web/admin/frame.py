"""What each page for operators has: templates with its navigation, actions with their audit entry, and messages."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from fastapi import APIRouter, Depends, FastAPI
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment
from starlette.requests import Request
from starlette.responses import Response

from arena.accounts.audit import record
from arena.battles.battles import Battles
from arena.config import Settings
from arena.rules.messages import Phrase, TranslatableError
from arena.rules.roles import ROLE_NAMES, Role
from arena.serving.models import Serving
from arena.store import Database, Session
from arena.store.accounts import has_accounts, set_message
from arena.web.admin.guard import HOME, Visit, guard, safe_place
from arena.web.admin.long_jobs import LongJobs
from arena.web.background import Periodic
from arena.web.board_view import CachedBoards
from arena.web.site_texts import SiteTexts

ASKED_EVERY = 2.0  # seconds between two looks whether there is an account, while there is none


@dataclass(frozen=True)
class AdminPage:
    """A page in the navigation."""

    path: str
    title: str  # marked with gettext_noop
    role: Role  # the lowest that may open it
    routes: Callable[[Frame], APIRouter]


class Refused(Exception):
    """An action was refused and nothing was changed. The reader goes back to a page with the text."""

    def __init__(self, visit: Visit, problem: TranslatableError) -> None:
        super().__init__(str(problem))
        self.visit, self.problem = visit, problem


@dataclass
class Frame:
    """The parts of the application that the pages use. One for each application."""

    templates: Environment
    database: Database
    settings: Settings
    serving: Serving
    battles: Battles
    boards: CachedBoards
    site_texts: SiteTexts
    pages: Sequence[AdminPage] = ()
    jobs: Sequence[Periodic] = ()  # of this server
    long_jobs: LongJobs = field(init=False)
    _open: bool = field(default=False, init=False)
    _asked: float = field(default=float("-inf"), init=False)

    def __post_init__(self) -> None:
        self.long_jobs = LongJobs(self.database, self.settings)

    def is_open(self) -> bool:
        """Whether the pages are served: the settings allow it, and there is an account."""
        if self.settings.admin.enabled and not self._open and time.monotonic() - self._asked >= ASKED_EVERY:
            with self.database.read() as session:
                self._open = has_accounts(session)
            self._asked = time.monotonic()
        return self._open

    def page(self, template: str, visit: Visit, status: int = 200, /, **values: Any) -> HTMLResponse:
        """A page for who is signed in, with the message that waits for it."""
        if visit.who.message is not None:
            with self.database.write() as session:
                set_message(session, visit.who.key, None)
        shown = self.templates.get_template(template).render(
            here=visit.here,
            visit=visit,
            message=_shown(visit.who.message),
            admin_pages=[page for page in self.pages if visit.role.includes(page.role)],
            role_name=ROLE_NAMES[visit.role],
            **values,
        )
        return HTMLResponse(shown, status)

    @contextmanager
    def action(
        self,
        visit: Visit,
        action: str,
        target: str = "",
        *,
        reason: str = "",
        details: Mapping[str, Any] | None = None,
    ) -> Iterator[Session]:
        """One transaction with its audit entry. A `TranslatableError` inside changes nothing and goes to the reader.

        `details` may be filled in inside: they are read at the end.
        """
        try:
            with self.database.write() as session:
                yield session
                record(session, visit.actor, action, target, reason=reason, details=details)
        except TranslatableError as problem:
            raise Refused(visit, problem) from problem

    @contextmanager
    def refusals(self, visit: Visit) -> Iterator[None]:
        """For a use case that records its own audit entry: its `TranslatableError` goes to the reader."""
        try:
            yield
        except TranslatableError as problem:
            raise Refused(visit, problem) from problem

    def back(self, visit: Visit, path: str, message: str = "", *, kind: str = "success") -> RedirectResponse:
        """To a page by GET, where the message is shown once."""
        if message:
            with self.database.write() as session:
                set_message(session, visit.who.key, _stored(message, kind))
        return RedirectResponse(path, 303)


def include_admin(app: FastAPI, frame: Frame) -> None:
    """Serve the pages of the frame. Each route needs the role of its page, whatever its handler asks for."""
    app.state.admin = frame
    for page in frame.pages:
        app.include_router(page.routes(frame), dependencies=[Depends(guard(page.role))], include_in_schema=False)

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, Refused)
        return frame.back(error.visit, _page_before(request), error.problem.text, kind="danger")

    app.add_exception_handler(Refused, refused)


def _page_before(request: Request) -> str:
    """The page of the form that was sent: by its header, if that names a page for accounts here."""
    before = urlsplit(request.headers.get("referer", ""))
    place = f"{before.path}?{before.query}" if before.query else before.path
    return safe_place(place) if before.netloc == request.url.netloc else HOME


def _stored(message: str, kind: str) -> dict[str, object]:
    """A message as JSON: its template and its values, so that the next page translates it."""
    phrase = message if isinstance(message, Phrase) else Phrase(message)
    values = {
        name: value if isinstance(value, int | float) else str(value) for name, value in phrase.values.items()
    }
    return {"template": phrase.template, "values": values, "kind": kind}


def _shown(message: Mapping[str, Any] | None) -> tuple[str, str] | None:
    """The kind and the text of a stored message."""
    if message is None:
        return None
    return message["kind"], Phrase(message["template"], **message["values"])
