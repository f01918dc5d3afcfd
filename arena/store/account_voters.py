"""The voters of accounts. Every function works in the session of its caller.

An account has one voter, under whom all its browsers vote from their sign-in on. Voters that other browsers were before
stay linked: their votes keep their pseudonyms, which may be sealed, and a deletion reaches them all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from sqlalchemy import CursorResult, delete, update
from sqlmodel import Session, col, select

from arena.store.schema.accounts import Account
from arena.store.schema.battles import Battle, BattleStatus, PendingVote, Turn, Vote, now
from arena.store.schema.images import ImageRow, TurnImage
from arena.store.schema.sign_in import AccountVoter, UsedSignIn
from arena.store.upserts import upsert

VOTER_ROLE = "voter"


@dataclass(frozen=True)
class LinkedAccount:
    """The account of a voter. `others` are the voters that its browsers were before they signed in."""

    id: int
    name: str
    role: str
    issuer: str
    since: datetime
    others: tuple[str, ...]


def account_of_subject(session: Session, issuer: str, subject: str) -> Account | None:
    """The account of a subject, as stored, of a provider."""
    return session.exec(
        select(Account).where(Account.oidc_issuer == issuer, Account.oidc_subject == subject)
    ).one_or_none()


def main_voter(session: Session, account: int) -> str | None:
    """The voter under whom an account votes."""
    return session.exec(
        select(AccountVoter.voter).where(AccountVoter.account_id == account, col(AccountVoter.is_main))
    ).one_or_none()


def linked_account_id(session: Session, voter: str) -> int | None:
    """The account that a voter belongs to, whatever its state."""
    return session.exec(select(AccountVoter.account_id).where(AccountVoter.voter == voter)).one_or_none()


def link(session: Session, account: int, voter: str, *, is_main: bool) -> None:
    """Let a voter belong to an account."""
    session.add(AccountVoter(voter=voter, account_id=account, is_main=is_main))
    session.flush()


def give_open_battles(session: Session, before: str, voter: str) -> None:
    """Give the battles that wait for a first vote to another voter, with their images."""
    voted = select(Vote.id).where(Vote.battle_id == Battle.id).exists()
    pending = select(PendingVote.battle_id).where(PendingVote.battle_id == Battle.id).exists()
    mine = select(Battle.id).where(Battle.voter == before, Battle.status == BattleStatus.OPEN, ~voted, ~pending)
    numbers = session.exec(mine).all()
    shown = select(TurnImage.image_id).join(Turn, col(Turn.id) == col(TurnImage.turn_id))
    images = shown.where(col(Turn.battle_id).in_(numbers))
    session.execute(update(ImageRow).where(col(ImageRow.id).in_(images)).values(voter=voter))
    session.execute(update(Battle).where(col(Battle.id).in_(numbers)).values(voter=voter))


def linked_account(session: Session, voter: str) -> LinkedAccount | None:
    """The account of a voter, unless it is disabled."""
    query = (
        select(Account, AccountVoter.created_at)
        .join(AccountVoter, col(AccountVoter.account_id) == col(Account.id))
        .where(AccountVoter.voter == voter, col(Account.disabled_at).is_(None))
    )
    found = session.exec(query).one_or_none()
    if found is None:
        return None
    account, since = found
    others = tuple(name for name in voters_of(session, account.id or 0) if name != voter)
    return LinkedAccount(account.id or 0, account.name, account.role, account.oidc_issuer or "", since, others)


def is_signed_in(session: Session, voter: str) -> bool:
    """Whether a voter belongs to an account that is not disabled."""
    query = (
        select(AccountVoter.voter)
        .join(Account, col(AccountVoter.account_id) == col(Account.id))
        .where(AccountVoter.voter == voter, col(Account.disabled_at).is_(None))
    )
    return session.exec(query).first() is not None


def same_person(session: Session, voter: str) -> Sequence[str]:
    """The voter, and those that other browsers of the account were before they signed in."""
    number = linked_account_id(session, voter)
    if number is None:
        return [voter]
    return [voter, *(other for other in voters_of(session, number) if other != voter)]


def voters_of(session: Session, account: int) -> Sequence[str]:
    """The voters of an account, its own first."""
    query = select(AccountVoter.voter).where(AccountVoter.account_id == account)
    return session.exec(query.order_by(col(AccountVoter.is_main).desc(), col(AccountVoter.voter))).all()


def forget_account(session: Session, voter: str) -> Sequence[str]:
    """Remove what leads from a voter to a person at a provider; returns all voters of the account, or the only one.

    An account of a voter is disabled and loses its subject: whoever signs in again, from the next day on, is somebody new.
    Reviewers and operators keep theirs, which the audit trail names. So does an account that an operator has disabled, or
    a deletion would undo that.
    """
    number = linked_account_id(session, voter)
    if number is None:
        return [voter]
    voters = voters_of(session, number)
    session.execute(delete(AccountVoter).where(col(AccountVoter.account_id) == number))
    account = session.get_one(Account, number)
    if account.oidc_subject is not None:
        _note_departure(session, account.oidc_subject, now())
    if account.role == VOTER_ROLE and account.disabled_at is None:
        account.oidc_issuer = account.oidc_subject = None
        account.disabled_at = now()
        session.add(account)
    session.flush()
    return voters


def has_left(session: Session, subject: str, at: datetime) -> bool:
    """Whether the data of a subject, as stored, were deleted on this day (UTC): a day has one voter for each person."""
    row = session.get(UsedSignIn, _departure(subject))
    return row is not None and row.used_at > at


def _note_departure(session: Session, subject: str, at: datetime) -> None:
    """Remember until the end of the day that the data of a subject were deleted, by a hash that tells no other time."""
    end = datetime.combine(at.astimezone(UTC).date() + timedelta(days=1), time(), UTC)
    session.merge(UsedSignIn(state=_departure(subject), used_at=end))


def _departure(subject: str) -> str:
    return hashlib.sha256(f"arena departure {subject}".encode()).hexdigest()


def use_state(session: Session, state: str, forget_before: datetime) -> bool:
    """Note that a sign-in ended, by the hash of its state; False if it had ended before."""
    session.execute(delete(UsedSignIn).where(col(UsedSignIn.used_at) < forget_before))
    done: CursorResult[object] = session.execute(  # type: ignore[assignment]
        upsert(session, UsedSignIn).values(state=state, used_at=now()).on_conflict_do_nothing()
    )
    return done.rowcount == 1
