"""`/admin/accounts`: the accounts for an operator; `/admin/account`: one's own password and sessions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Depends, Form
from fastapi.responses import HTMLResponse, RedirectResponse

from arena.accounts.accounts import (
    add_account,
    list_accounts,
    set_disabled,
    set_password,
    set_role,
)
from arena.accounts.logins import change_own_password
from arena.accounts.passwords import LONGEST, SHORTEST
from arena.rules.messages import Phrase
from arena.rules.roles import ROLE_NAMES, Role
from arena.web.admin import Frame, Operator, Visit, guard

HERE, OWN = "/admin/accounts", "/admin/account"
LONGEST_FIELD = 1_000  # characters that a form takes
Text = Annotated[str, Form(max_length=LONGEST_FIELD)]
Anybody = Annotated[Visit, Depends(guard(Role.VOTER))]


def routes(frame: Frame) -> APIRouter:
    """The list, and the forms that change an account."""
    router, pages = APIRouter(), Pages(frame)
    router.add_api_route(HERE, pages.list)
    for name in ("add", "role", "password", "disable", "enable"):
        router.add_api_route(f"{HERE}/{name}", getattr(pages, name), methods=["POST"])
    return router


def own_routes(frame: Frame) -> APIRouter:
    """The page of one's own account."""
    router, pages = APIRouter(), Pages(frame)
    router.add_api_route(OWN, pages.own)
    router.add_api_route(f"{OWN}/password", pages.own_password, methods=["POST"])
    return router


@dataclass(frozen=True)
class Pages:
    """The handlers."""

    frame: Frame

    def list(self, visit: Operator) -> HTMLResponse:
        rows = list_accounts(self.frame.database)
        return self.frame.page("admin_accounts.html", visit, rows=rows, roles=ROLE_NAMES, shortest=SHORTEST)

    def add(self, visit: Operator, name: Text, role: Annotated[Role, Form()], password: Text) -> RedirectResponse:
        with self.frame.refusals(visit):
            added = add_account(self.frame.database, name, role, password, visit.actor)
        return self._done(visit, Phrase("The account {name} was added.", name=added))

    def role(
        self, visit: Operator, name: Text, role: Annotated[Role, Form()], reason: Text = ""
    ) -> RedirectResponse:
        with self.frame.refusals(visit):
            set_role(self.frame.database, name, role, visit.actor, reason)
        return self._done(visit, Phrase("The account {name} has another role now.", name=name))

    def password(self, visit: Operator, name: Text, password: Text) -> RedirectResponse:
        keep = visit.who.key if name == visit.name else None
        with self.frame.refusals(visit):
            set_password(self.frame.database, name, password, visit.actor, keep)
        return self._done(visit, Phrase("The account {name} has another password now.", name=name))

    def disable(self, visit: Operator, name: Text, reason: Text = "") -> RedirectResponse:
        with self.frame.refusals(visit):
            set_disabled(self.frame.database, name, True, visit.actor, reason)
        return self._done(visit, Phrase("The account {name} is disabled.", name=name))

    def enable(self, visit: Operator, name: Text, reason: Text = "") -> RedirectResponse:
        with self.frame.refusals(visit):
            set_disabled(self.frame.database, name, False, visit.actor, reason)
        return self._done(visit, Phrase("The account {name} is enabled again.", name=name))

    def own(self, visit: Anybody) -> HTMLResponse:
        return self.frame.page("admin_account.html", visit, shortest=SHORTEST, longest=LONGEST)

    def own_password(self, visit: Anybody, current: Text, password: Text) -> RedirectResponse:
        with self.frame.refusals(visit):
            change_own_password(
                self.frame.database, visit.who, current, password, visit.address, self.frame.settings.admin
            )
        return self.frame.back(visit, OWN, Phrase("Your password was changed. Your other sessions have ended."))

    def _done(self, visit: Visit, message: Phrase) -> RedirectResponse:
        return self.frame.back(visit, HERE, message)
