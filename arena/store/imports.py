"""Imported votes, many at a time: battles, turns, completions, votes and pair counts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import insert, text
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, select

from arena.rules.votes import HUMAN, OVERALL
from arena.store.battle_features import GIVEN_LANGUAGE
from arena.store.battle_prompts import IMPORTED, add_prompts
from arena.store.models import register_models
from arena.store.packed_votes import add_packed, packed
from arena.store.schema.battle_features import BattleCategory, BattleStyle
from arena.store.schema.battles import Battle, BattleStatus, CompletionRow, CompletionStatus, Model, Turn, Vote
from arena.store.schema.set_aside import VoteImport
from arena.store.vote_holds import NewHold, hold_new_votes
from arena.store.votes import COLUMNS, count_many

LONGEST_NAME = 120  # characters of the name of an import


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
    shared: bool = False  # whether readers may see the texts
    spoken: str | None = None  # the language that the file names, one of the categories
    held: NewHold | None = None  # as in the arena that it comes from


@dataclass(frozen=True)
class StoredVote:
    """A vote of a battle as it is in the store."""

    winner: str
    voter: str


@dataclass(frozen=True)
class ExistingBattle:
    """A battle in the store. An open one waits for the vote of its own voter."""

    model_a: str
    model_b: str
    is_open: bool = False


def stored_battles(session: Session, public_ids: Sequence[str]) -> dict[str, ExistingBattle]:
    """Those of the battles that exist, by public id."""
    left, right = aliased(Model), aliased(Model)
    query = (
        select(Battle.public_id, left.name, right.name, Battle.status)
        .join(left, col(left.id) == col(Battle.model_a_id))
        .join(right, col(right.id) == col(Battle.model_b_id))
        .where(col(Battle.public_id).in_(public_ids))
    )
    unvoted = (BattleStatus.RUNNING, BattleStatus.OPEN)
    return {name: ExistingBattle(a, b, status in unvoted) for name, a, b, status in session.execute(query)}


def stored_votes(session: Session, public_ids: Sequence[str]) -> dict[str, dict[str, StoredVote]]:
    """The votes of those battles that exist, by the battle's public id and the vote's source."""
    found: dict[str, dict[str, StoredVote]] = {name: {} for name in _battles(session, public_ids)}
    query = (
        select(Battle.public_id, Vote.source, Vote.winner, Vote.voter)
        .join(Battle, col(Battle.id) == col(Vote.battle_id))
        .where(col(Battle.public_id).in_(public_ids))
    )
    for public_id, source, winner, voter in session.execute(query):
        found[public_id][source] = StoredVote(winner, voter)
    return found


def begin_import(session: Session, name: str) -> int:
    """The number of a new import, by which its votes can be set aside."""
    row = VoteImport(name=name[:LONGEST_NAME])
    session.add(row)
    session.flush()
    return row.id or 0


def add_votes(session: Session, votes: Sequence[NewVote], number: int | None = None) -> int:
    """Add the votes that are missing, as those of an import; an existing battle gets the votes of further sources.

    Returns the number of added votes.
    """
    _wait_for_other_imports(session)
    register_models(session, {name for vote in votes for name in (vote.model_a, vote.model_b)})
    session.flush()
    models: dict[str, int] = dict(session.exec(select(Model.name, Model.id)).all())  # type: ignore[arg-type]
    battles = _battles(session, [vote.public_id for vote in votes])
    missing = {vote.public_id: vote for vote in votes if vote.public_id not in battles}
    battles |= _add_battles(session, list(missing.values()), models)
    given = _given(session, list(battles.values()))
    new = [vote for vote in votes if (battles[vote.public_id], vote.source) not in given]
    if new:
        session.execute(insert(Vote), [_vote(vote, battles[vote.public_id], number) for vote in new])
        _hold(session, {(battles[vote.public_id], vote.source): vote.held for vote in new if vote.held})
    _count(session, new, battles, models)
    return len(new)


def _wait_for_other_imports(session: Session) -> None:
    """Of two imports of one file at once the second then finds the battles of the first. SQLite has one writer anyway."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text("SELECT pg_advisory_xact_lock(hashtextextended('arena import', 0))"))


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
        {
            "battle_id": number,
            "category": name,
            "classifier": GIVEN_LANGUAGE if name == vote.spoken else vote.classifier,
        }
        for number, vote in zip(ids, votes, strict=True)
        for name in dict.fromkeys(vote.categories)
    ]:
        session.execute(insert(BattleCategory), sorts)
    add_prompts(session, {number: vote.turns[0][0] for number, vote in zip(ids, votes, strict=True) if vote.turns})
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
        "shared": vote.shared and bool(vote.turns),
        # readers may see the texts of every judged battle: a private one is closed as a voted one is
        "status": BattleStatus.JUDGED if vote.source != HUMAN and vote.shared else BattleStatus.VOTED,
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
        "finish_reason": IMPORTED,
        "leaked": vote.leaked,
        "created_at": vote.created_at,
    }


def _vote(vote: NewVote, battle: int, number: int | None) -> dict[str, Any]:
    return {
        "battle_id": battle,
        "source": vote.source,
        "voter": vote.voter,
        "winner": vote.winner,
        "stopped_early": vote.stopped_early,
        "created_at": vote.created_at,
        "import_id": number,
    }


def _hold(session: Session, held: Mapping[tuple[int, str], NewHold]) -> None:
    """Hold votes by battle and source, before they are counted."""
    if not held:
        return
    ids: dict[NewHold, list[int]] = {}
    rows = select(Vote.id, Vote.battle_id, Vote.source).where(col(Vote.battle_id).in_([key[0] for key in held]))
    for number, battle, source in session.exec(rows.order_by(col(Vote.id))):
        if (battle, source) in held:
            ids.setdefault(held[battle, source], []).append(number or 0)
    for hold, numbers in ids.items():
        hold_new_votes(session, numbers, hold)


def _count(
    session: Session, votes: Sequence[NewVote], battles: Mapping[str, int], models: Mapping[str, int]
) -> None:
    """Add the votes that count to the pair counts and packed votes of the categories that their battles have."""
    numbers = sorted({battles[vote.public_id] for vote in votes})
    own = dict(session.exec(select(Battle.id, Battle.category).where(col(Battle.id).in_(numbers))).all())
    categories_of: dict[int, set[str]] = {number: {OVERALL, str(own[number])} for number in numbers}
    rows = select(BattleCategory.battle_id, BattleCategory.category).where(
        col(BattleCategory.battle_id).in_(numbers)
    )
    for number, name in session.exec(rows):
        categories_of[number].add(name)
    new = {(battles[vote.public_id], vote.source) for vote in votes}
    added = packed(session, col(Vote.battle_id).in_(numbers)) if numbers else ()
    counted = {key: vote for vote in added if (key := (vote.battle, vote.source)) in new}
    cells: Counter[tuple[int, int, str, str, str]] = Counter()
    for vote in votes:
        if (battles[vote.public_id], vote.source) not in counted:
            continue
        for category in categories_of[battles[vote.public_id]]:
            ends = models[vote.model_a], models[vote.model_b]
            cells[*ends, category, vote.source, COLUMNS[vote.winner]] += 1
    count_many(session, cells)
    add_packed(session, ((vote, categories_of[vote.battle]) for vote in counted.values()))
