"""Which voter a session belongs to, and recovery codes. Every function works in the session of its caller.

The id of a voter is the hash of the session that they began with. A recovery code gives another session to the same
voter; that is a row, since the server knows no session from its hash. A session can also end: its voter was deleted,
or it was signed out. The row then keeps only a hash of the hash, which leads to no vote.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, update
from sqlmodel import Session, col, select

from arena.store.schema.voters import RecoveryCode, VoterSession
from arena.store.usage import lock_subjects, voter_subject


@dataclass(frozen=True)
class Identity:
    """What is stored about the ways to a voter: other browsers, and the time of the active recovery code."""

    browsers: tuple[datetime, ...] = ()  # when each further browser was added
    code_since: datetime | None = None


def session_voter(session: Session, own: str) -> str | None:
    """The voter of a session whose own hash is `own`; None for a session that has ended."""
    row = session.get(VoterSession, _key(own))
    return own if row is None else row.voter


class VoterDeleted(Exception):
    """The voter was deleted; the transaction must not be committed."""


def check_not_deleted(session: Session, voter: str) -> None:
    """Raises `VoterDeleted`. No transaction deletes the voter until this one ends; call it first.

    A request that has come before the deletion, or reached another server within the seconds in which a session is
    remembered there, must not leave anything that nobody can delete any more.
    """
    lock_voter(session, voter)
    own = session.get(VoterSession, _key(voter))
    if own is None or own.voter is not None:
        return
    if session.exec(select(VoterSession.session).where(VoterSession.voter == voter).limit(1)).first() is None:
        raise VoterDeleted(voter)


def lock_voter(session: Session, voter: str) -> None:
    """Let one transaction at a time change what a voter has."""
    lock_subjects(session, [voter_subject(voter)])


def give_session(session: Session, own: str, voter: str) -> None:
    """Let a session belong to a voter."""
    session.merge(VoterSession(session=_key(own), voter=voter))


def end_session(session: Session, own: str) -> None:
    """Let a session belong to nobody from now on."""
    session.merge(VoterSession(session=_key(own), voter=None))


def end_sessions(session: Session, voter: str, keep: str | None = None) -> None:
    """End every session of a voter but the one whose own hash is `keep`."""
    kept = [] if keep is None else [col(VoterSession.session) != _key(keep)]
    session.execute(update(VoterSession).where(col(VoterSession.voter) == voter, *kept).values(voter=None))
    if voter != keep:
        end_session(session, voter)


def identity_of(session: Session, voter: str) -> Identity:
    """The further browsers and the recovery code of a voter."""
    added = select(VoterSession.created_at).where(VoterSession.voter == voter)
    code = session.get(RecoveryCode, voter)
    browsers = tuple(session.exec(added.order_by(col(VoterSession.created_at))))
    return Identity(browsers, code.created_at if code else None)


def set_code(session: Session, voter: str, code: str) -> None:
    """Make the hash `code` the only one that leads to the voter."""
    revoke_code(session, voter)
    session.flush()
    session.add(RecoveryCode(voter=voter, code=code))


def revoke_code(session: Session, voter: str) -> None:
    """Remove the voter's code, if there is one."""
    session.execute(delete(RecoveryCode).where(col(RecoveryCode.voter) == voter))


def voter_of_code(session: Session, code: str) -> str | None:
    """The voter whose active code has the hash `code`."""
    return session.exec(select(RecoveryCode.voter).where(RecoveryCode.code == code)).one_or_none()


def _key(own: str) -> str:
    return hashlib.sha256(f"arena session {own}".encode()).hexdigest()
