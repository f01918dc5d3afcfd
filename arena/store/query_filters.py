"""Conditions that several queries share: whose votes, and on what."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, true
from sqlmodel import col, or_, select

from arena.rules.votes import JUDGE, JUDGES, OVERALL
from arena.store.schema.battles import Battle
from arena.store.schema.traits import BattleCategory


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
