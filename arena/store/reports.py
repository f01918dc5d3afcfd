"""Reports of battles to the operator."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlmodel import Session, col, select

from arena.store.models import model_ids
from arena.store.schema.battles import Battle, Report


@dataclass(frozen=True)
class StoredReport:
    """A report with its battle; `models` are those of the battle."""

    id: int
    public_id: str
    models: tuple[str, ...]
    kind: str
    text: str
    created_at: datetime


def add_report(session: Session, battle_id: int, voter: str, kind: str, text: str) -> None:
    """Save a report."""
    session.add(Report(battle_id=battle_id, voter=voter, kind=kind, text=text))


def reports_of(session: Session, battle_id: int) -> list[Report]:
    """The reports of a battle, the newest first."""
    query = select(Report).where(Report.battle_id == battle_id).order_by(col(Report.id).desc())
    return list(session.exec(query))


def reports(session: Session, kind: str | None = None, limit: int | None = None) -> list[StoredReport]:
    """The newest reports, of one kind or of all."""
    names = model_ids(session)
    query = select(Report, Battle).join(Battle, col(Battle.id) == col(Report.battle_id))
    if kind is not None:
        query = query.where(Report.kind == kind)
    return [
        StoredReport(
            report.id or 0,
            battle.public_id,
            tuple(dict.fromkeys((names[battle.model_a_id], names[battle.model_b_id]))),
            report.kind,
            report.text,
            report.created_at,
        )
        for report, battle in session.exec(query.order_by(col(Report.id).desc()).limit(limit))
    ]
