"""The rules for texts that an operator has saved. Every function works in the session of its caller."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import func
from sqlmodel import Session, col, select

from arena.store.query_filters import has_texts
from arena.store.schema.battles import Battle, Turn
from arena.store.schema.moderation import TextRules


@dataclass(frozen=True)
class SavedRules:
    """The newest saved rules; version 0 and no text where none were saved."""

    version: int
    rules: str


def saved_rules(session: Session) -> SavedRules:
    """The rules in force, if they were saved; an empty text means those of arena.toml."""
    row = session.exec(select(TextRules).order_by(col(TextRules.id).desc()).limit(1)).first()
    return SavedRules(row.id or 0, row.rules) if row else SavedRules(0, "")


def save_rules(session: Session, rules: str, by: str) -> int:
    """Save rules as a new version; returns its number."""
    row = TextRules(rules=rules, saved_by=by)
    session.add(row)
    session.flush()
    return row.id or 0


def rules_history(session: Session, limit: int = 20) -> list[TextRules]:
    """The newest saved versions first."""
    return list(session.exec(select(TextRules).order_by(col(TextRules.id).desc()).limit(limit)))


def recent_prompts(session: Session, number: int) -> list[str]:
    """The newest different prompts, the newest first."""
    query = (
        select(Turn.prompt)
        .join(Battle, col(Battle.id) == col(Turn.battle_id))
        .where(has_texts(), Turn.prompt != "")
    )
    newest = session.exec(query.order_by(col(Turn.id).desc()).limit(4 * number)).all()
    return list(dict.fromkeys(newest))[:number]


def battles_by_texts(session: Session) -> Mapping[str, int]:
    """The number of battles for each result of the checks of their texts."""
    rows = select(Battle.texts, func.count()).where(col(Battle.texts).is_not(None)).group_by(col(Battle.texts))
    return {str(texts): int(number) for texts, number in session.exec(rows)}
