"""Categories from a tagger, in addition to those by rule. Pair counts change in the same transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import delete
from sqlmodel import Session, col, or_, select

from arena.rules.tagger_prompt import SUFFIX, TAGGED, VERSION
from arena.store.query_filters import has_texts
from arena.store.schema.battle_features import BattleCategory
from arena.store.schema.battles import Battle, PairCount, Turn, Vote
from arena.store.schema.judging import JudgedBattle
from arena.store.votes import COLUMNS, count_many


def untagged(session: Session, limit: int | None = None) -> list[int]:
    """The battles with votes and prompts that no tagger has classified, the newest first."""
    tagged = select(BattleCategory.battle_id).where(
        BattleCategory.battle_id == Battle.id, BattleCategory.category == TAGGED
    )
    voted = select(Vote.id).where(Vote.battle_id == Battle.id)
    turns = select(Turn.id).where(Turn.battle_id == Battle.id)
    judged = select(JudgedBattle.battle_id).where(JudgedBattle.battle_id == Battle.id)
    query = (
        select(Battle.id)
        .where(has_texts(), voted.exists(), or_(turns.exists(), judged.exists()), ~tagged.exists())
        .order_by(col(Battle.id).desc())
        .limit(limit)
    )
    return [number or 0 for number in session.exec(query)]


def taggers(session: Session) -> list[str]:
    """The taggers of the tagged battles; imported tags have no tagger."""
    query = select(BattleCategory.classifier).where(BattleCategory.category == TAGGED).distinct()
    return sorted(name for name in session.exec(query) if name.startswith(VERSION))


def add_tags(session: Session, battle_id: int, categories: Sequence[str], classifier: str) -> bool:
    """Add categories to a battle and its votes to their pair counts; False if the battle is tagged already.

    The battle is locked, so that a concurrent vote counts once in each category.
    """
    battle = session.exec(select(Battle).where(Battle.id == battle_id).with_for_update()).one()
    if session.get(BattleCategory, (battle_id, TAGGED)) is not None:
        return False
    session.add_all(
        BattleCategory(battle_id=battle_id, category=name, classifier=classifier) for name in categories
    )
    cells: Counter[tuple[int, int, str, str, str]] = Counter()
    for source, winner in session.exec(select(Vote.source, Vote.winner).where(Vote.battle_id == battle_id)):
        for name in categories:
            cells[battle.model_a_id, battle.model_b_id, name, source, COLUMNS[winner]] += 1
    count_many(session, cells)
    return True


def remove_tags(session: Session) -> None:
    """Remove the categories of all taggers, with their pair counts."""
    session.execute(delete(BattleCategory).where(col(BattleCategory.category).endswith(SUFFIX)))
    session.execute(delete(PairCount).where(col(PairCount.category).endswith(SUFFIX)))
