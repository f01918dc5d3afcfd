"""Categories that a tagger has found, beside those by rule. Pair counts follow in the same transaction."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import delete
from sqlmodel import Session, col, or_, select

from arena.rules.tagger_prompt import SUFFIX, TAGGED, VERSION
from arena.store.schema.battle_features import BattleCategory
from arena.store.schema.battles import Battle, PairCount, Turn, Vote
from arena.store.schema.judging import JudgedBattle
from arena.store.votes import COLUMNS, count_many


def untagged(session: Session, limit: int | None = None) -> list[int]:
    """Battles with votes and prompts that no tagger has sorted, the newest first."""
    tagged = select(BattleCategory.battle_id).where(
        BattleCategory.battle_id == Battle.id, BattleCategory.category == TAGGED
    )
    voted = select(Vote.id).where(Vote.battle_id == Battle.id)
    turns = select(Turn.id).where(Turn.battle_id == Battle.id)
    judged = select(JudgedBattle.battle_id).where(JudgedBattle.battle_id == Battle.id)
    query = (
        select(Battle.id)
        .where(voted.exists(), or_(turns.exists(), judged.exists()), ~tagged.exists())
        .order_by(col(Battle.id).desc())
        .limit(limit)
    )
    return [number or 0 for number in session.exec(query)]


def taggers(session: Session) -> list[str]:
    """Who has sorted the tagged battles here; those that came tagged with an import are nobody's."""
    query = select(BattleCategory.classifier).where(BattleCategory.category == TAGGED).distinct()
    return sorted(one for one in session.exec(query) if one.startswith(VERSION))


def add_tags(session: Session, battle_id: int, found: Sequence[str], classifier: str) -> bool:
    """Put a battle into categories, with the votes it has; False when it is sorted already.

    The battle is locked, so that a vote comes wholly before or after and counts once in each.
    """
    battle = session.exec(select(Battle).where(Battle.id == battle_id).with_for_update()).one()
    if session.get(BattleCategory, (battle_id, TAGGED)) is not None:
        return False
    session.add_all(BattleCategory(battle_id=battle_id, category=name, classifier=classifier) for name in found)
    cells: Counter[tuple[int, int, str, str, str]] = Counter()
    for source, winner in session.exec(select(Vote.source, Vote.winner).where(Vote.battle_id == battle_id)):
        for name in found:
            cells[battle.model_a_id, battle.model_b_id, name, source, COLUMNS[winner]] += 1
    count_many(session, cells)
    return True


def remove_tags(session: Session) -> None:
    """Forget all that taggers have found, with its pair counts."""
    session.execute(delete(BattleCategory).where(col(BattleCategory.category).endswith(SUFFIX)))
    session.execute(delete(PairCount).where(col(PairCount.category).endswith(SUFFIX)))
