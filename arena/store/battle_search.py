"""Search in the battles that anybody may read, newest first, a page at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func
from sqlmodel import Session, col, or_, select

from arena.store.models import model_ids
from arena.store.query_filters import counting, has_private_model, in_category, of_source
from arena.store.schema.battles import Battle, CompletionRow, Turn, Vote
from arena.store.shared_battles import categories_of, readable

PAGE = 20  # battles
RESULTS = ("won", "lost", "decided", "tie", "both_bad", "disputed")


@dataclass(frozen=True)
class BattleConditions:
    """The conditions of a search; without any, every battle matches.

    `result` is one of `RESULTS`; won and lost refer to `model`.
    """

    q: str = ""
    model: str = ""
    category: str = ""
    result: str = ""
    source: str = ""
    page: int = 1


@dataclass(frozen=True)
class BattleSummary:
    """A battle in a list; `votes` are (source, winner) in order."""

    public_id: str
    model_a: str
    model_b: str
    prompt: str
    turns: int
    categories: tuple[str, ...]
    votes: tuple[tuple[str, str], ...]
    created_at: datetime


def search(session: Session, wanted: BattleConditions, *, judged: bool) -> tuple[list[BattleSummary], bool]:
    """A page of battles, newest first, and whether another page follows.

    Battles with a private model are in no list: their voters' links lead to them.
    """
    names = model_ids(session)
    query = (
        select(Battle)
        .where(
            readable(judged),
            ~has_private_model(Battle),
            *_conditions(wanted, {name: number for number, name in names.items()}),
        )
        .order_by(col(Battle.id).desc())
        .offset((wanted.page - 1) * PAGE)
        .limit(PAGE + 1)
    )
    battles = session.exec(query).all()
    return _summaries(session, battles[:PAGE], names), len(battles) > PAGE


def _conditions(wanted: BattleConditions, ids: Mapping[str, int]) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.q:
        conditions.append(_contains(wanted.q))
    if wanted.model:
        number = ids.get(wanted.model)
        conditions.append(or_(col(Battle.model_a_id) == number, col(Battle.model_b_id) == number))
    if wanted.category:
        conditions.append(in_category(wanted.category))
    if wanted.source:
        conditions.append(_voted(of_source(Vote.source, wanted.source)))
    if wanted.result:
        conditions.append(_has_result(wanted, ids))
    return conditions


def _contains(words: str) -> ColumnElement[bool]:
    """The condition that every word occurs in a prompt or completion of the battle, in any letter case."""
    patterns = map(like_pattern, words.split())
    return and_(*(or_(in_prompts(pattern), in_completions(pattern)) for pattern in patterns))


def like_pattern(word: str) -> str:
    """The pattern of texts that contain a word, escaped by a backslash."""
    return "%" + word.replace("\\", "\\\\").replace("%", r"\%").replace("_", r"\_") + "%"


def in_prompts(pattern: str) -> ColumnElement[bool]:
    """The condition on `Battle` that one of its prompts matches."""
    matches = col(Turn.prompt).ilike(pattern, escape="\\")
    return select(Turn.id).where(Turn.battle_id == Battle.id, matches).exists()


def in_completions(pattern: str) -> ColumnElement[bool]:
    """The condition on `Battle` that one of its completions matches."""
    query = select(CompletionRow.id).join(Turn, col(Turn.id) == col(CompletionRow.turn_id))
    return query.where(Turn.battle_id == Battle.id, col(CompletionRow.text).ilike(pattern, escape="\\")).exists()


def _voted(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    return select(Vote.id).where(Vote.battle_id == Battle.id, counting(), *conditions).exists()


def _has_result(wanted: BattleConditions, ids: Mapping[str, int]) -> ColumnElement[bool]:
    by = of_source(Vote.source, wanted.source or None)
    if wanted.result == "disputed":
        votes = (Vote.battle_id == Battle.id, counting())
        different = select(func.count(func.distinct(Vote.winner))).where(*votes)
        return different.scalar_subquery() > 1
    if wanted.result == "decided":
        return _voted(by, col(Vote.winner).in_(("model_a", "model_b")))
    if wanted.result in ("won", "lost"):
        number = ids.get(wanted.model)
        sides = {"model_a": Battle.model_a_id, "model_b": Battle.model_b_id}
        if wanted.result == "lost":
            sides = {"model_b": Battle.model_a_id, "model_a": Battle.model_b_id}
        return or_(
            *(and_(col(side) == number, _voted(by, col(Vote.winner) == won)) for won, side in sides.items())
        )
    return _voted(by, col(Vote.winner) == wanted.result)


def _summaries(session: Session, battles: Sequence[Battle], names: Mapping[int, str]) -> list[BattleSummary]:
    ids = [battle.id for battle in battles]
    categories = categories_of(session, battles)
    prompts: dict[int, list[str]] = {}
    turns = select(Turn.battle_id, Turn.prompt).where(col(Turn.battle_id).in_(ids)).order_by(col(Turn.number))
    for battle_id, prompt in session.exec(turns):
        prompts.setdefault(battle_id, []).append(prompt)
    votes: dict[int, list[tuple[str, str]]] = {}
    given = (
        select(Vote.battle_id, Vote.source, Vote.winner)
        .where(col(Vote.battle_id).in_(ids), counting())
        .order_by(col(Vote.id))
    )
    for battle_id, source, winner in session.exec(given):
        votes.setdefault(battle_id, []).append((source, winner))
    return [
        BattleSummary(
            public_id=battle.public_id,
            model_a=names[battle.model_a_id],
            model_b=names[battle.model_b_id],
            prompt=prompts.get(battle.id or 0, [""])[0],
            turns=len(prompts.get(battle.id or 0, [])),
            categories=categories[battle.id or 0],
            votes=tuple(votes.get(battle.id or 0, [])),
            created_at=battle.created_at,
        )
        for battle in battles
    ]
