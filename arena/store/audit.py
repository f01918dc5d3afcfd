"""The audit trail: who did what, when and why. Entries are appended, and never changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from arena.store.schema.accounts import AuditEntry


@dataclass(frozen=True)
class AuditFilter:
    """Which entries to read; an empty text is every value."""

    actor: str = ""
    action: str = ""
    target: str = ""
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None  # an id: only older entries


def append(session: Session, entry: AuditEntry) -> None:
    """Add an entry in the transaction of the action."""
    session.add(entry)


def entries(session: Session, wanted: AuditFilter, limit: int) -> Sequence[AuditEntry]:
    """The newest entries that match."""
    query = select(AuditEntry).order_by(col(AuditEntry.id).desc()).limit(limit)
    for column, value in ((AuditEntry.actor, wanted.actor), (AuditEntry.action, wanted.action),
                          (AuditEntry.target, wanted.target)):  # fmt: skip
        query = query.where(col(column) == value) if value else query
    if wanted.since is not None:
        query = query.where(col(AuditEntry.at) >= wanted.since)
    if wanted.until is not None:
        query = query.where(col(AuditEntry.at) < wanted.until)
    if wanted.before is not None:
        query = query.where(col(AuditEntry.id) < wanted.before)
    return session.exec(query).all()


def actions(session: Session) -> list[str]:
    """The kinds of action that have an entry."""
    return sorted(session.exec(select(AuditEntry.action).distinct()))
