"""Accounts: names, passwords, roles, and an audit trail that nobody can change."""

from __future__ import annotations

import re
import statistics
import time

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import select

from arena.accounts.accounts import (
    AccountRefused,
    add_account,
    list_accounts,
    set_disabled,
    set_password,
    set_role,
)
from arena.accounts.audit import record
from arena.accounts.logins import LoginRefused, sign_in
from arena.accounts.passwords import PasswordRefused, check_password, hashed, is_right
from arena.accounts.sessions import signed_in
from arena.config import AdminSettings
from arena.rules.roles import Actor, Role
from arena.store import Database
from arena.store.audit import AuditFilter, actions, entries
from arena.store.schema.accounts import Account, AccountSession
from tests.support.accounts import PASSWORD, with_account
from tests.support.timing import TRIES

ROOT = Actor.terminal("root")
SETTINGS = AdminSettings(logins_per_account=1000, logins_per_address=1000)


def trail(database: Database, **wanted) -> list[tuple[str, str, str]]:
    with database.read() as session:
        return [
            (row.actor, row.action, row.target) for row in reversed(entries(session, AuditFilter(**wanted), 100))
        ]


@pytest.mark.parametrize("name", ["ann", "Ann.Smith@example.org", "李雷", "a" * 60])
def test_a_name_is_stored_in_one_form(database, name):
    assert add_account(database, f" {name.upper()} ", Role.REVIEWER, PASSWORD, ROOT) == name.casefold()
    with pytest.raises(AccountRefused, match="already"):
        add_account(database, name, Role.VOTER, PASSWORD, ROOT)
    assert [row.account.role for row in list_accounts(database)] == ["reviewer"]


@pytest.mark.parametrize("name", ["", " ", "<script>", "a b", "a\0", "a\nb", "a" * 61, "-ann", "ann\u202e"])
def test_a_name_that_would_confuse_is_refused(database, name):
    with pytest.raises(AccountRefused, match="cannot be used"):
        add_account(database, name, Role.VOTER, PASSWORD, ROOT)


@pytest.mark.parametrize(
    ("password", "problem"),
    [("short", "has 5 characters"), ("x" * 201, "has 201"), ("aaaaaaaaaaaaaa", "repeats"), ("my name is Ann!", "contains"),
     ("tab\tis not printable", "printed")],
)  # fmt: skip
def test_a_weak_password_is_refused(database, password, problem):
    with pytest.raises(PasswordRefused, match=problem):
        check_password("ann", password)
    with pytest.raises(PasswordRefused):
        add_account(database, "ann", Role.VOTER, password, ROOT)
    assert list_accounts(database) == []


def test_a_password_is_an_argon2id_hash_of_its_own():
    one, other = hashed(PASSWORD), hashed(PASSWORD)
    assert one.startswith("$argon2id$v=19$m=47104,t=1,p=1$")
    assert one != other
    assert is_right(one, PASSWORD)
    assert not is_right(one, PASSWORD + " ")
    assert not is_right("no hash", PASSWORD)
    assert not is_right(None, "no password of any account")


def test_a_hash_with_older_parameters_is_replaced_at_the_sign_in(sqlite):
    from argon2 import PasswordHasher

    with_account(sqlite)
    old = PasswordHasher(time_cost=1, memory_cost=1024, parallelism=1).hash(PASSWORD)
    with sqlite.write() as session:
        session.exec(select(Account)).one().password_hash = old
    token = sign_in(sqlite, "ann", PASSWORD, "192.0.2.1", SETTINGS)
    assert signed_in(sqlite, token, SETTINGS).name == "ann"
    with sqlite.read() as session:
        assert "m=47104" in session.exec(select(Account)).one().password_hash


def test_an_account_without_password_takes_none(sqlite):
    add_account(sqlite, "ann", Role.VOTER, None, ROOT)
    for password in ("", "None", "no password of any account"):
        with pytest.raises(LoginRefused, match="wrong"):
            sign_in(sqlite, "ann", password, "192.0.2.1", SETTINGS)


def test_every_change_is_in_the_trail_with_its_reason(database):
    with_account(database)
    set_role(database, "ann", Role.REVIEWER, ROOT, "new here")
    set_password(database, "ann", "another long pass phrase", ROOT)
    set_disabled(database, "ann", True, ROOT, "left")
    set_disabled(database, "ann", False, ROOT)
    names = [action for _, action, _ in trail(database, target="ann")]
    assert names == ["account.add", "account.role", "account.password", "account.disable", "account.enable"]
    with database.read() as session:
        (row,) = entries(session, AuditFilter(action="account.role"), 5)
        assert actions(session) == sorted(names)
    assert (row.actor, row.role, row.reason, row.details) == (
        "root", "terminal", "new here", {"from": "operator", "to": "reviewer"},
    )  # fmt: skip
    assert PASSWORD not in str(trail(database))


def test_a_change_that_is_refused_leaves_no_entry(database):
    with_account(database)
    before = trail(database)
    with pytest.raises(AccountRefused, match="no account"):
        set_role(database, "bob", Role.VOTER, ROOT)
    with pytest.raises(AccountRefused, match="not disabled"):
        set_disabled(database, "ann", False, ROOT)
    set_disabled(database, "ann", True, ROOT)
    with pytest.raises(AccountRefused, match="disabled already"):
        set_disabled(database, "ann", True, ROOT)
    assert trail(database) == [*before, ("root", "account.disable", "ann")]


def test_the_last_operator_cannot_lock_everybody_out_of_the_pages(database):
    with_account(database)
    ann = Actor("ann", Role.OPERATOR)
    for change in (
        lambda: set_disabled(database, "ann", True, ann),
        lambda: set_role(database, "ann", Role.VOTER, ann),
    ):
        with pytest.raises(AccountRefused, match="last operator"):
            change()
    with_account(database, "bob")
    set_role(database, "ann", Role.VOTER, ann)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_entry SET actor = 'nobody'",
        "DELETE FROM audit_entry",
        "UPDATE audit_entry SET id = 9",
    ],
)
def test_the_trail_takes_no_change(database, statement):
    with_account(database)
    before = trail(database)
    with pytest.raises(SQLAlchemyError, match="append-only"), database.writing() as connection:
        connection.execute(text(statement))
    assert trail(database) == before


def test_the_trail_takes_no_replacement(sqlite):
    with_account(sqlite)
    before = trail(sqlite)
    columns = "role, action, target, reason, details, address"
    replacement = f"REPLACE INTO audit_entry SELECT id, at, 'nobody', {columns} FROM audit_entry"
    with pytest.raises(SQLAlchemyError, match="append-only"), sqlite.writing() as connection:
        connection.execute(text(replacement))
    assert trail(sqlite) == before


def test_an_entry_and_its_action_are_one_transaction(database):
    class Fails(Exception):
        pass

    def act() -> None:
        with database.write() as session:
            record(session, ROOT, "thing.add", "x")
            raise Fails

    with pytest.raises(Fails):
        act()
    assert trail(database) == []


def test_an_entry_fits_whatever_it_names(database):
    with database.write() as session:
        record(session, Actor("n" * 500, "operator", "192.0.2.1"), "thing.add", "t" * 500, reason="r" * 5000)
    with database.read() as session:
        (row,) = entries(session, AuditFilter(), 5)
    assert (len(row.actor), len(row.target), len(row.reason), row.address) == (120, 200, 1000, "192.0.2.1")
    with pytest.raises(ValueError, match="too long"), database.write() as session:
        record(session, ROOT, "thing.add", details={"ids": list(range(10_000))})


def test_sessions_are_counted_and_expired_ones_forgotten(database):
    with_account(database)
    sign_in(database, "ann", PASSWORD, "192.0.2.1", SETTINGS)
    (row,) = list_accounts(database)
    assert (row.sessions, row.seen_at is not None) == (1, True)
    short = AdminSettings(session_hours=1e-9)
    sign_in(database, "ann", PASSWORD, "192.0.2.1", short)
    sign_in(database, "ann", PASSWORD, "192.0.2.1", SETTINGS)
    with database.read() as session:
        assert len(session.exec(select(AccountSession)).all()) == 2


@pytest.mark.slow
def test_an_unknown_name_takes_as_long_as_a_wrong_password(sqlite):
    """The medians differ by less than a third of the time that one hash takes, unless the machine is busy."""
    with_account(sqlite)
    for _ in range(TRIES):
        times: dict[str, list[float]] = {"ann": [], "nobody": []}
        for number in range(24):
            name = ("ann", "nobody")[number % 2]
            begun = time.perf_counter()
            with pytest.raises(LoginRefused):
                sign_in(sqlite, name, "wrong password", "192.0.2.1", SETTINGS)
            times[name].append(time.perf_counter() - begun)
        known, unknown = (statistics.median(values[2:]) for values in times.values())
        if are_close := abs(known - unknown) < min(known, unknown) / 3:
            break
    assert are_close, (known, unknown)


def test_no_text_of_a_refusal_says_whether_the_account_exists(sqlite):
    with_account(sqlite)
    texts = set()
    for name in ("ann", "nobody"):
        with pytest.raises(LoginRefused) as refused:
            sign_in(sqlite, name, "wrong password", "192.0.2.1", SETTINGS)
        texts.add(re.sub(name, "", str(refused.value)))
    assert len(texts) == 1
