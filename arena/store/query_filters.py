"""Conditions that several queries share: whose votes, and on what."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, true
from sqlmodel import col, or_, select

from arena.rules.votes import JUDGE, JUDGES, OVERALL
from arena.store.schema.battle_features import BattleCategory
from arena.store.schema.battles import Battle, Vote


@dataclass(frozen=True)
class VoteSelection:
    """Votes of a source (see `given_by`) in a category, before a moment and up to a number; by default every vote."""

    source: str | None = None
    category: str = OVERALL
    before: datetime | None = None
    until: int | None = None

    def conditions(self) -> list[ColumnElement[bool]]:
        """The conditions on `Vote` and `Battle`."""
        conditions = [given_by(Vote.source, self.source), in_category(self.category)]
        if self.before is not None:
            conditions.append(col(Vote.created_at) < self.before)
        if self.until is not None:
            conditions.append(col(Vote.id) <= self.until)
        return conditions


def given_by(column: Any, source: str | None) -> ColumnElement[bool]:
    """A condition on a column of sources: `human`, `judge:NAME`, `judges` for all of these, `None` for anybody."""
    if source is None:
        return true()
    return col(column).like(f"{JUDGE}%") if source == JUDGES else col(column) == source


def in_category(category: str) -> ColumnElement[bool]:
    """A condition on `Battle`: it belongs to the category, its prompt set's own or one found by rule."""
    if category == OVERALL:
        return true()
    found = select(BattleCategory.battle_id).where(
        BattleCategory.battle_id == Battle.id, BattleCategory.category == category
    )
    return or_(col(Battle.category) == category, found.exists())
