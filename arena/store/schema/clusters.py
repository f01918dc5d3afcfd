"""Tables of what votes have in common: the prompt of a battle, and the votes in a compact form beside the pair counts."""

from __future__ import annotations

from sqlalchemy import Index, LargeBinary
from sqlmodel import Field, SQLModel


class BattlePrompt(SQLModel, table=True):
    """The keyed hash of a prompt that other battles can have: of a prompt set, suggested, or imported."""

    __tablename__ = "battle_prompt"
    __table_args__ = (Index("battle_prompt_cluster", "cluster", "battle_id"),)
    battle_id: int = Field(foreign_key="battle.id", primary_key=True)
    cluster: str = Field(max_length=20)


class PackedVotes(SQLModel, table=True):
    """Votes of a source in a category, 16 bytes each (`arena.store.packed_votes`), added with the pair counts.

    `part` follows from the cluster of a vote. A full row is continued in the row of the next `chunk`.
    """

    __tablename__ = "packed_votes"
    category: str = Field(primary_key=True, max_length=60)
    source: str = Field(primary_key=True, max_length=120)
    part: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    chunk: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    votes: bytes = Field(sa_type=LargeBinary)
