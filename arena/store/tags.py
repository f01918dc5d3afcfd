"""Categories from a tagger, in addition to those by rule. Pair counts change in the same transaction."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, delete
from sqlmodel import Session, col, or_, select

from arena.rules.tagger_prompt import SUFFIX, TAGGED, VERSION
from arena.store.judgeable_battles import AT_ONCE, parts
from arena.store.packed_votes import add_packed, packed, remove_packed
from arena.store.query_filters import counting, has_texts
from arena.store.schema.battle_features import BattleCategory
from arena.store.schema.battles import Battle, PairCount, Turn, Vote
from arena.store.schema.judging import JudgedBattle
from arena.store.votes import COLUMNS, count_many


def untagged(session: Session, limit: int | None = None) -> list[int]:
    """The battles with votes and prompts that no tagger has classified, the newest first."""
    tagged = select(BattleCategory.battle_id).where(
        BattleCategory.battle_id == Battle.id, BattleCategory.category == TAGGED
    )
    return _taggable(session, limit, ~tagged.exists())


def taggable(session: Session, limit: int | None = None) -> list[int]:
    """The battles with votes and prompts, the newest first."""
    return _taggable(session, limit)


def _taggable(session: Session, limit: int | None, *conditions: ColumnElement[bool]) -> list[int]:
    voted = select(Vote.id).where(Vote.battle_id == Battle.id)
    turns = select(Turn.id).where(Turn.battle_id == Battle.id)
    judged = select(JudgedBattle.battle_id).where(JudgedBattle.battle_id == Battle.id)
    query = (
        select(Battle.id)
        .where(has_texts(), voted.exists(), or_(turns.exists(), judged.exists()), *conditions)
        .order_by(col(Battle.id).desc())
        .limit(limit)
    )
    return [number or 0 for number in session.exec(query)]


def taggers(session: Session) -> list[str]:
    """The taggers of the tagged battles; imported tags have no tagger."""
    query = select(BattleCategory.classifier).where(BattleCategory.category == TAGGED).distinct()
    return sorted(name for name in session.exec(query) if name.startswith(VERSION))


def add_tags(session: Session, tags: Mapping[int, Sequence[str]], classifier: str) -> int:
    """Add categories to battles by id, and their votes to the pair counts; a tagged battle is left as it is.

    Returns how many battles were tagged. The battles are locked, so that a concurrent vote counts once in each
    category.
    """
    _lock(session, tags)
    done = {battle for battle, categories in _tags(session, tags).items() if TAGGED in categories}
    new = {battle: categories for battle, categories in tags.items() if battle not in done}
    _add(session, new, classifier)
    return len(new)


def replace_tags(session: Session, tags: Mapping[int, Sequence[str]], classifier: str) -> int:
    """Replace the categories of taggers of battles by id, with their pair counts and packed votes.

    Returns how many battles were tagged.
    """
    _lock(session, tags)
    _remove(session, _tags(session, tags))
    _add(session, tags, classifier)
    return len(tags)


def delete_tags(session: Session, classifier: str) -> int:
    """Delete the categories that a tagger gave, with their pair counts and packed votes. Returns the number of battles."""
    tagged = select(BattleCategory.battle_id).where(
        BattleCategory.category == TAGGED, BattleCategory.classifier == classifier
    )
    battles = list(session.exec(tagged))
    for part in parts(battles, AT_ONCE):
        _lock(session, part)
        _remove(session, _tags(session, part))
    return len(battles)


def _lock(session: Session, battles: Iterable[int]) -> None:
    query = select(Battle.id).where(col(Battle.id).in_(battles)).order_by(col(Battle.id))
    session.exec(query.with_for_update()).all()


def _tags(session: Session, battles: Iterable[int]) -> dict[int, set[str]]:
    """The categories of taggers, by battle."""
    query = select(BattleCategory.battle_id, BattleCategory.category).where(
        col(BattleCategory.battle_id).in_(battles), col(BattleCategory.category).endswith(SUFFIX)
    )
    tags: dict[int, set[str]] = defaultdict(set)
    for battle, category in session.exec(query):
        tags[battle].add(category)
    return tags


def _add(session: Session, tags: Mapping[int, Sequence[str]], classifier: str) -> None:
    session.add_all(
        BattleCategory(battle_id=battle, category=name, classifier=classifier)
        for battle, categories in tags.items()
        for name in categories
    )
    _count(session, tags, 1)
    votes = packed(session, col(Vote.battle_id).in_(tags))
    add_packed(session, ((vote, tags[vote.battle]) for vote in votes))


def _remove(session: Session, tags: Mapping[int, Iterable[str]]) -> None:
    if not tags:
        return
    _count(session, tags, -1)
    votes = list(packed(session, col(Vote.battle_id).in_(tags)))
    for category in sorted({name for categories in tags.values() for name in categories}):
        remove_packed(session, (vote for vote in votes if category in tags[vote.battle]), category)
    tagged = col(BattleCategory.category).endswith(SUFFIX)
    session.execute(delete(BattleCategory).where(col(BattleCategory.battle_id).in_(tags), tagged))
    empty = [getattr(PairCount, name) == 0 for name in COLUMNS.values()]
    session.execute(delete(PairCount).where(col(PairCount.category).endswith(SUFFIX), *empty))


def _count(session: Session, tags: Mapping[int, Iterable[str]], times: int) -> None:
    """Add the counted votes of battles to the pair counts of their categories, or take them out."""
    cells: Counter[tuple[int, int, str, str, str]] = Counter()
    columns: tuple[Any, ...] = (Battle.id, Battle.model_a_id, Battle.model_b_id, Vote.source, Vote.winner)
    counted = (
        select(*columns)
        .join(Vote, col(Vote.battle_id) == col(Battle.id))
        .where(col(Battle.id).in_(tags), counting())
    )
    for battle, a, b, source, winner in session.exec(counted):
        for name in tags[battle or 0]:
            cells[a, b, name, source, COLUMNS[winner]] += times
    count_many(session, cells)
