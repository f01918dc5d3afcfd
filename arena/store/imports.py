"""Imported votes, many at a time: battles, turns, completions, votes and pair counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import insert
from sqlmodel import Session, col, select

from arena.rules.votes import HUMAN, OVERALL
from arena.store.models import register_models
from arena.store.schema.battle_features import BattleCategory, BattleStyle
from arena.store.schema.battles import Battle, BattleStatus, CompletionRow, CompletionStatus, Model, Turn, Vote
from arena.store.votes import COLUMNS, count_many


@dataclass(frozen=True)
class NewVote:
    """An imported vote with its battle."""

    public_id: str
    model_a: str
    model_b: str
    winner: str
    source: str
    voter: str
    created_at: datetime
    stopped_early: bool = False
    leaked: bool = False
    suggested: bool = False
    pair_probability: float = 1.0
    category: str = OVERALL
    categories: tuple[str, ...] = ()
    classifier: str = "imported"
    turns: tuple[tuple[str, str, str], ...] = ()  # (prompt, left completion, right completion)
    style: Mapping[str, int] = field(default_factory=dict)


def add_votes(session: Session, votes: Sequence[NewVote]) -> int:
    """Add the votes that are missing; an existing battle gets the votes of further sources.

    Returns the number of added votes.
    """
    register_models(session, {name for vote in votes for name in (vote.model_a, vote.model_b)})
    session.flush()
    models: dict[str, int] = dict(session.exec(select(Model.name, Model.id)).all())  # type: ignore[arg-type]
    battles = _battles(session, [vote.public_id for vote in votes])
    missing = {vote.public_id: vote for vote in votes if vote.public_id not in battles}
    battles |= _add_battles(session, list(missing.values()), models)
    given = _given(session, list(battles.values()))
    new = [vote for vote in votes if (battles[vote.public_id], vote.source) not in given]
    if new:
        session.execute(insert(Vote), [_vote(vote, battles[vote.public_id]) for vote in new])
    _count(session, new, battles, models)
    return len(new)


def _battles(session: Session, public_ids: Sequence[str]) -> dict[str, int]:
    rows = session.exec(select(Battle.public_id, Battle.id).where(col(Battle.public_id).in_(public_ids)))
    return dict(rows.all())  # type: ignore[arg-type]


def _given(session: Session, battles: Sequence[int]) -> set[tuple[int, str]]:
    return set(session.exec(select(Vote.battle_id, Vote.source).where(col(Vote.battle_id).in_(battles))).all())


def _add_battles(session: Session, votes: Sequence[NewVote], models: Mapping[str, int]) -> dict[str, int]:
    if not votes:
        return {}
    ids = _inserted(session, Battle, [_battle(vote, models) for vote in votes])
    turns = [(at, number) for at, vote in enumerate(votes) for number in range(len(vote.turns))]
    if turns:
        rows = [
            {"battle_id": ids[at], "number": number + 1, "prompt": votes[at].turns[number][0],
             "created_at": votes[at].created_at}
            for at, number in turns
        ]  # fmt: skip
        numbers = _inserted(session, Turn, rows)
        session.execute(insert(CompletionRow), [
            _completion(turn, side, votes[at].turns[number][place], votes[at])
            for turn, (at, number) in zip(numbers, turns, strict=True)
            for place, side in ((1, "a"), (2, "b"))
        ])  # fmt: skip
    if sorts := [
        {"battle_id": number, "category": name, "classifier": vote.classifier}
        for number, vote in zip(ids, votes, strict=True)
        for name in dict.fromkeys(vote.categories)
    ]:
        session.execute(insert(BattleCategory), sorts)
    if styles := [{"battle_id": n, **vote.style} for n, vote in zip(ids, votes, strict=True) if vote.style]:
        session.execute(insert(BattleStyle), styles)
    return {vote.public_id: number for vote, number in zip(votes, ids, strict=True)}


def _inserted(session: Session, table: Any, rows: Sequence[Mapping[str, Any]]) -> list[int]:
    """The ids of inserted rows, in their order."""
    query = insert(table).returning(table.id, sort_by_parameter_order=True)
    return list(session.execute(query, rows).scalars())


def _battle(vote: NewVote, models: Mapping[str, int]) -> dict[str, Any]:
    return {
        "public_id": vote.public_id,
        "voter": vote.voter[:64],
        "model_a_id": models[vote.model_a],
        "model_b_id": models[vote.model_b],
        "pair_probability": vote.pair_probability,
        "suggested": vote.suggested,
        "category": vote.category,
        "shared": bool(vote.turns),  # it was published before the import
        "status": BattleStatus.VOTED if vote.source == HUMAN else BattleStatus.JUDGED,
        "created_at": vote.created_at,
        "changed_at": vote.created_at,
    }


def _completion(turn: int, side: str, text: str, vote: NewVote) -> dict[str, Any]:
    return {
        "turn_id": turn,
        "side": side,
        "attempt": 1,
        "text": text,
        "status": CompletionStatus.FINISHED,
        "finish_reason": "imported",
        "leaked": vote.leaked,
        "created_at": vote.created_at,
    }


def _vote(vote: NewVote, battle: int) -> dict[str, Any]:
    return {
        "battle_id": battle,
        "source": vote.source,
        "voter": vote.voter,
        "winner": vote.winner,
        "stopped_early": vote.stopped_early,
        "created_at": vote.created_at,
    }


def _count(
    session: Session, votes: Sequence[NewVote], battles: Mapping[str, int], models: Mapping[str, int]
) -> None:
    """Add the votes to the pair counts of the categories that their battles have in the store."""
    numbers = sorted({battles[vote.public_id] for vote in votes})
    own = dict(session.exec(select(Battle.id, Battle.category).where(col(Battle.id).in_(numbers))).all())
    categories_of: dict[int, set[str]] = {number: {OVERALL, str(own[number])} for number in numbers}
    rows = select(BattleCategory.battle_id, BattleCategory.category).where(
        col(BattleCategory.battle_id).in_(numbers)
    )
    for number, name in session.exec(rows):
        categories_of[number].add(name)
    cells: Counter[tuple[int, int, str, str, str]] = Counter()
    for vote in votes:
        for category in categories_of[battles[vote.public_id]]:
            ends = models[vote.model_a], models[vote.model_b]
            cells[*ends, category, vote.source, COLUMNS[vote.winner]] += 1
    count_many(session, cells)
