"""Battles over the same texts: several people may see one pair of completions, each in their own battle."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlmodel import Session, col, func, select

from arena.rules.modes import Mode
from arena.store.judgeable_battles import conversations
from arena.store.query_filters import is_control
from arena.store.schema.battles import Battle, Turn

Side = tuple[int, tuple[str, ...]]  # who wrote, and what, turn by turn


@dataclass(frozen=True)
class Duplicate:
    """A repeated battle. `battle` is the first with these texts; `swapped`: the sides are exchanged."""

    battle: int
    swapped: bool


def find_duplicates(session: Session, prompt: str | None = None) -> Mapping[int, Duplicate]:
    """The battles with the models, prompts and completions of an earlier one, by id.

    `prompt` selects the battles that begin with it.
    """
    known = Turn.number == 1, Turn.prompt != ""  # the prompt of an erased battle is empty
    repeated = select(Turn.prompt).where(*known).group_by(Turn.prompt).having(func.count() > 1)
    if prompt is not None:
        repeated = repeated.where(Turn.prompt == prompt)
    wanted = (
        select(Battle)
        .join(Turn, col(Turn.battle_id) == col(Battle.id))
        .where(Turn.number == 1, col(Turn.prompt).in_(repeated), Battle.mode == Mode.BLIND)
        .where(~is_control(Battle.id))
        .order_by(col(Battle.id))
    )
    battles = session.exec(wanted).all()
    turns = conversations(session, [battle.id or 0 for battle in battles])
    firsts: dict[tuple[tuple[str, ...], frozenset[Side]], tuple[int, Side]] = {}
    by_id = {}
    for battle in battles:
        prompts, lefts, rights = (tuple(part) for part in zip(*turns[battle.id or 0], strict=True))
        left, right = (battle.model_a_id, lefts), (battle.model_b_id, rights)
        key = prompts, frozenset((left, right))
        number, first = firsts.setdefault(key, (battle.id or 0, left))
        if number != battle.id and all((*lefts, *rights)):
            by_id[battle.id or 0] = Duplicate(number, swapped=left != first)
    return by_id
