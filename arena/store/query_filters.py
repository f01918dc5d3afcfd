"""Conditions that several queries share: the source of votes, their category, their time."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import ColumnElement, and_, true
from sqlalchemy.orm import aliased
from sqlmodel import col, or_, select

from arena.rules.model_states import PRIVATE
from arena.rules.seals import FORMER
from arena.rules.set_aside import IMPORT, JUDGE_KIND
from arena.rules.votes import JUDGE, JUDGES, OVERALL
from arena.store.schema.battle_features import BattleCategory
from arena.store.schema.battles import Battle, Model, Vote
from arena.store.schema.controls import ControlBattle
from arena.store.schema.hidden_battles import HiddenBattle
from arena.store.schema.set_aside import SetAside, VoteImport
from arena.store.schema.vote_states import VoteHold


@dataclass(frozen=True)
class VoteSelection:
    """Votes of a source (see `of_source`) in a category, before a moment and up to a number; by default every vote.

    `counting` leaves out those that are pending or quarantined, and those of judges and imports that are set aside.
    """

    source: str | None = None
    category: str = OVERALL
    before: datetime | None = None
    until: int | None = None
    counting: bool = False

    def conditions(self) -> list[ColumnElement[bool]]:
        """The conditions on `Vote` and `Battle`."""
        conditions = [of_source(Vote.source, self.source), in_category(self.category)]
        if self.before is not None:
            conditions.append(col(Vote.created_at) < self.before)
        if self.until is not None:
            conditions.append(col(Vote.id) <= self.until)
        if self.counting:
            conditions.append(counting())
        return conditions


@cache
def counting(without: int = 0) -> ColumnElement[bool]:
    """The condition on `Vote` that it counts on boards: accepted, and on neither a control battle nor a private model."""
    return and_(accepted(without), for_boards())


@cache
def for_boards() -> ColumnElement[bool]:
    """The condition on `Vote` that its battle is for boards: neither a control battle nor one with a private model."""
    return and_(~is_control(Vote.battle_id), _of_known_models())


@cache
def counting_unless_held(without: int = 0) -> ColumnElement[bool]:
    """The condition on `Vote` that it counts where it is neither pending nor quarantined."""
    return and_(_not_set_aside(without), for_boards())


@cache
def accepted(without: int = 0) -> ColumnElement[bool]:
    """The condition on `Vote` that it is not held, and neither its judge nor its import set aside, but for the row
    `without`. Votes on control battles can be accepted as well.
    """
    held = select(VoteHold.vote_id).where(VoteHold.vote_id == Vote.id).correlate(Vote)
    return and_(_not_set_aside(without), ~held.exists())


def _not_set_aside(without: int) -> ColumnElement[bool]:
    imports = select(VoteImport.id).where(col(VoteImport.name).in_(_set_aside(IMPORT, without)))
    return and_(
        col(Vote.source).not_in(_set_aside(JUDGE_KIND, without)),
        or_(col(Vote.import_id).is_(None), col(Vote.import_id).not_in(imports)),
    )


def is_control(battle_id: Any) -> ColumnElement[bool]:
    """The condition on a column of battles that this is a control battle."""
    control = aliased(ControlBattle)  # of its own, also in a query that reads the table
    return select(control.battle_id).where(control.battle_id == battle_id).exists()


def _of_known_models() -> ColumnElement[bool]:
    """The condition on `Vote` that neither model of its battle was private: their votes count on no board."""
    battle = aliased(Battle)
    of_private = has_private_model(battle)
    return ~select(battle.id).where(battle.id == Vote.battle_id, of_private).correlate(Vote).exists()


def has_private_model(battle: Any) -> ColumnElement[bool]:
    """The condition on `Battle`, or an alias of it, that one of its models was private."""
    private = select(Model.id).where(col(Model.name).startswith(PRIVATE, autoescape=True))
    return or_(col(battle.model_a_id).in_(private), col(battle.model_b_id).in_(private))


def is_hidden(battle_id: Any) -> ColumnElement[bool]:
    """The condition on a column of battles that an operator hides this battle from readers."""
    return select(HiddenBattle.battle_id).where(HiddenBattle.battle_id == battle_id).exists()


def _set_aside(kind: str, without: int) -> Any:
    row = (SetAside.kind == kind, col(SetAside.taken_back_at).is_(None), SetAside.id != without)
    return select(SetAside.name).where(*row)


def of_source(column: Any, source: str | None, without: Collection[str] = ()) -> ColumnElement[bool]:
    """The condition on a column of sources: `human`, `judge:NAME`, `judges` for all judges, `None` for all votes.

    Those of `without` are left out.
    """
    of = true() if source is None else col(column) == source
    if source == JUDGES:
        of = col(column).like(f"{JUDGE}%")
    return and_(of, col(column).not_in(without)) if without else of


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
