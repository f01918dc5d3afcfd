"""Conditions that several queries share: the source of votes, their category, their time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, true
from sqlmodel import col, or_, select

from arena.rules.seals import FORMER
from arena.rules.votes import JUDGE, JUDGES, OVERALL
from arena.store.schema.battle_features import BattleCategory
from arena.store.schema.battles import Battle, Vote


@dataclass(frozen=True)
class VoteSelection:
    """Votes of a source (see `of_source`) in a category, before a moment and up to a number; by default every vote."""

    source: str | None = None
    category: str = OVERALL
    before: datetime | None = None
    until: int | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """The conditions on `Vote` and `Battle`."""
        conditions = [of_source(Vote.source, self.source), in_category(self.category)]
        if self.before is not None:
            conditions.append(col(Vote.created_at) < self.before)
        if self.until is not None:
            conditions.append(col(Vote.id) <= self.until)
        return conditions


def of_source(column: Any, source: str | None) -> ColumnElement[bool]:
    """The condition on a column of sources: `human`, `judge:NAME`, `judges` for all judges, `None` for all votes."""
    if source is None:
        return true()
    return col(column).like(f"{JUDGE}%") if source == JUDGES else col(column) == source


def in_category(category: str) -> ColumnElement[bool]:
    """The condition on `Battle` that it is in a category, that of its prompt set or one by rule or tagger."""
    if category == OVERALL:
        return true()
    classified = select(BattleCategory.battle_id).where(
        BattleCategory.battle_id == Battle.id, BattleCategory.category == category
    )
    return or_(col(Battle.category) == category, classified.exists())


def has_texts() -> ColumnElement[bool]:
    """The condition on `Battle` that its texts were not erased with its voter."""
    return ~col(Battle.voter).startswith(FORMER, autoescape=True)
