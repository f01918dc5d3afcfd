"""The table of control battles, whose votes measure voters and the page instead of models."""

from __future__ import annotations

from sqlmodel import Field, SQLModel


class ControlBattle(SQLModel, table=True):
    """A battle of one model with itself, or the completions of an earlier battle with exchanged sides."""

    __tablename__ = "control_battle"
    battle_id: int = Field(foreign_key="battle.id", primary_key=True, sa_column_kwargs={"autoincrement": False})
    kind: str = Field(max_length=10)  # of `arena.rules.controls.Control`
    repeats_id: int | None = Field(default=None, foreign_key="battle.id", index=True)
