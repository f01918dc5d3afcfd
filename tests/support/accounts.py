"""Accounts, and browsers that are signed in to them."""

from __future__ import annotations

import re
from functools import cache

from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlmodel import select

from arena.accounts.accounts import add_account
from arena.accounts.passwords import hashed
from arena.rules.roles import Actor, Role
from arena.store import Database
from arena.store.schema.accounts import Account

PASSWORD = "correct horse battery staple"
OWN = {"origin": "http://testserver", "accept": "text/html"}
TOKEN = re.compile(r'name="csrf" value="([^"]+)"')


def with_account(database: Database, name: str = "ann", role: Role = Role.OPERATOR) -> str:
    """Add an account with `PASSWORD`; returns its name."""
    add_account(database, name, role, None, Actor.terminal("tests"))
    with database.write() as session:
        session.exec(select(Account).where(Account.name == name)).one().password_hash = _hash()
    return name


@cache
def _hash() -> str:
    """One hash for all, since each takes a while."""
    return hashed(PASSWORD)


class AdminBrowser(TestClient):
    """A browser that follows no redirect, and can sign in and send forms with their tokens."""

    def __init__(self, app: FastAPI, **options) -> None:
        super().__init__(app, follow_redirects=False, headers={"accept": "text/html"}, **options)

    def sign_in(self, name: str = "ann", password: str = PASSWORD, next_: str = "/admin", **more):
        """Send the sign-in form as a person does."""
        form = {"csrf": self.token("/admin/login"), "name": name, "password": password, "next": next_}
        return self.post("/admin/login", data=form, headers={**OWN, **more})

    def token(self, page: str = "/admin") -> str:
        """The CSRF token of a page's first form, or nothing."""
        found = TOKEN.search(self.get(page).text)
        return found[1] if found else ""

    def submit(self, path: str, /, **form: str):
        """Send a form of the frame, with the token of the session."""
        return self.post(path, data={"csrf": self.token(), **form}, headers=OWN)
