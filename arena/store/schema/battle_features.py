"""Tables of what a battle is like: its categories and the style of its completions, fixed with its first vote."""

from __future__ import annotations

from sqlalchemy import Index
from sqlmodel import Field, SQLModel


class BattleCategory(SQLModel, table=True):
    """A category of a battle, with the version of the rules that put it there.

    Every vote on the battle counts in these categories, also when the rules have changed since: the pair
    counts then still follow from the tables. `arena db recount --classify` classifies all battles again.
    """

    __tablename__ = "battle_category"
    __table_args__ = (Index("battle_category_name", "category"),)
    battle_id: int = Field(foreign_key="battle.id", primary_key=True)
    category: str = Field(primary_key=True, max_length=60)
    classifier: str = Field(max_length=40)


class BattleStyle(SQLModel, table=True):
    """What style control reads of both sides' last completions, counted once."""

    __tablename__ = "battle_style"
    battle_id: int = Field(foreign_key="battle.id", primary_key=True)
    length_a: int
    length_b: int
    headers_a: int
    headers_b: int
    lists_a: int
    lists_b: int
    bold_a: int
    bold_b: int
