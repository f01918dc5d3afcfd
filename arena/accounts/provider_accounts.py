"""Who a sign-in at the provider is here: the account with its role, its voter, and the session of this browser."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from arena.accounts.audit import record
from arena.accounts.claim_roles import name_of, role_of, stored_subject
from arena.accounts.id_token import Claims
from arena.accounts.provider import SignInRefused
from arena.accounts.sessions import begin
from arena.config import AdminSettings, SignInSettings
from arena.rules.messages import gettext_noop
from arena.rules.roles import Actor, Role
from arena.store import Database, Session
from arena.store.account_voters import (
    account_of_subject,
    give_open_battles,
    has_left,
    link,
    linked_account_id,
    main_voter,
    use_state,
)
from arena.store.accounts import end_sessions, find_account
from arena.store.schema.accounts import Account
from arena.store.schema.battles import now
from arena.store.usage import is_voter, lock_subjects
from arena.store.voter_sessions import end_session, give_session, lock_voter

LOCK = "accounts"
STATE_KEPT = timedelta(hours=1)  # longer than a sign-in may take
LEFT = gettext_noop(
    "The data of your account were deleted today. You can sign in again from tomorrow (UTC), so that limits of a day hold."
)
LISTED = "listed in sign_in"  # why the audit trail says that a role changed


@dataclass(frozen=True)
class Browser:
    """The browser that signs in: the hash of its session, the voter of it, and the hash of the session it gets."""

    own: str | None
    voter: str | None
    new: str
    address: str


@dataclass(frozen=True)
class SignedInVoter:
    """Who signed in. `token` opens the pages for reviewers and operators."""

    name: str
    role: Role
    token: str | None


def sign_in(
    database: Database,
    claims: Claims,
    state: str,
    browser: Browser,
    settings: SignInSettings,
    admin: AdminSettings,
) -> SignedInVoter:
    """Give the browser's new session to the voter of the account, which is added if it is new. Raises `SignInRefused`.

    The session before ends, so that one which somebody else planted opens nothing.
    """
    with database.write() as session:
        lock_subjects(session, [LOCK])
        if not use_state(session, hashlib.sha256(state.encode()).hexdigest(), now() - STATE_KEPT):
            raise SignInRefused("This sign-in has been used already. Begin again.")
        left = has_left(session, stored_subject(claims), now())
        account = _account(session, claims, settings, browser.address, left)
        if account.disabled_at is not None:
            raise SignInRefused("Your account is disabled. Ask the operator of this arena.")
        _give_voter(session, account, browser, left)
        role = Role(account.role)
        if role is Role.VOTER:
            return SignedInVoter(account.name, role, None)
        record(session, Actor(account.name, role, browser.address), "session.begin", account.name)
        return SignedInVoter(account.name, role, begin(session, account, admin))


def _account(session: Session, claims: Claims, settings: SignInSettings, address: str, left: bool) -> Account:
    """The account of who signed in, with the role of today. Raises `SignInRefused` for a voter who has `left` today."""
    subject, role = stored_subject(claims), role_of(claims, settings)
    account = account_of_subject(session, claims.issuer, subject)
    if account is None and left:
        raise SignInRefused(LEFT)
    if account is None:
        return _new_account(session, claims, subject, role or Role.VOTER, address)
    if role is not None and role != account.role:
        _change_role(session, account, claims, role, address)
    return account


def _new_account(session: Session, claims: Claims, subject: str, role: Role, address: str) -> Account:
    name = _free_name(session, name_of(claims, role))
    account = Account(name=name, role=role, oidc_issuer=claims.issuer, oidc_subject=subject)
    session.add(account)
    session.flush()
    if role is not Role.VOTER:
        record(session, Actor(name, role, address), "account.add", name, reason=LISTED, details={"role": role})
    return account


def _change_role(session: Session, account: Account, claims: Claims, role: Role, address: str) -> None:
    """Give the account the role that the provider's claim has now, and end the sessions with the one before."""
    before = account.role
    if before == Role.VOTER:
        account.name = _free_name(session, name_of(claims, role))
    account.role = role
    end_sessions(session, [account.id])
    details = {"from": before, "to": role}
    actor = Actor(account.name, role, address)
    record(session, actor, "account.role", account.name, reason=LISTED, details=details)


def _free_name(session: Session, name: str) -> str:
    """The name, with a number where another account has it: nobody becomes that account by a name at the provider."""
    number, free = 1, name
    while find_account(session, free) is not None:
        number += 1
        free = f"{name}-{number}"
    return free


def _give_voter(session: Session, account: Account, browser: Browser, left: bool) -> None:
    """Let the browser vote as the account's voter. One that was here before becomes that voter, or stays linked to it and
    gives it the battles that wait for a vote. A reviewer who has `left` today gets no voter, or the caps would begin again.
    """
    if left:
        if browser.own is not None:
            end_session(session, browser.own)
        return
    account_id, before = account.id or 0, browser.voter
    if before is not None:
        lock_voter(session, before)
        if linked_account_id(session, before) is not None or not is_voter(session, before):
            before = None  # somebody else's browser, this account's already, or without a battle
    voter = main_voter(session, account_id)
    if voter is None:
        voter = before or browser.new
        link(session, account_id, voter, is_main=True)
    elif before is not None:
        link(session, account_id, before, is_main=False)
        give_open_battles(session, before, voter)
    if browser.own is not None:
        end_session(session, browser.own)
    give_session(session, browser.new, voter)
