"""Deletion of a voter: votes stay counted without a link to the person, texts go."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, update
from sqlmodel import Session, SQLModel, col, select

from arena.rules.seals import FORMER, pseudonym
from arena.store.explanations import ExplanationRow
from arena.store.images import delete_images
from arena.store.judgeable_battles import parts
from arena.store.ledger import ledger_key
from arena.store.schema.battle_features import BattleCategory, BattleStyle
from arena.store.schema.battles import Battle, BattleStatus, CompletionRow, PendingVote, Report, Turn, Vote
from arena.store.schema.checks import TextCheck, VisitorPass
from arena.store.schema.controls import ControlBattle
from arena.store.schema.judging import VerdictRow
from arena.store.schema.usage import UsageEvent
from arena.store.schema.vote_states import Appeal
from arena.store.usage import voter_subject
from arena.store.voter_sessions import end_sessions, lock_voter, revoke_code

AT_ONCE = 500  # battles in one statement: databases limit its parameters
# tables that point to a battle, besides its turns and votes
PARTS: tuple[type[SQLModel], ...] = (
    ExplanationRow,
    Report,
    PendingVote,
    BattleCategory,
    BattleStyle,
    ControlBattle,
    TextCheck,
)
TEXTS: tuple[type[SQLModel], ...] = (ExplanationRow, Report)  # those of them that hold words of the battle


class TurnRunning(Exception):
    """A battle of the voter is running on some server; nothing was deleted."""


@dataclass(frozen=True)
class Deletion:
    """What a deletion changed: `votes` stay counted under `pseudonym`, `battles` without a vote are gone."""

    votes: int
    battles: int
    pseudonym: str

    def with_(self, other: Deletion) -> Deletion:
        """Both, under the pseudonym of this one."""
        return Deletion(self.votes + other.votes, self.battles + other.battles, self.pseudonym)


def delete_voter(session: Session, voter: str) -> Deletion:
    """Erase a voter in the transaction of the caller. Raises `TurnRunning`.

    Battles with a vote keep their models, categories, style counts and times, which boards are computed from, and
    lose every text. Other battles are removed. The stored voter of the votes becomes the pseudonym under which they
    are published and sealed: votes of one person still belong together, and no session leads to them any more.
    """
    lock_voter(session, voter)
    battles = session.exec(select(Battle).where(Battle.voter == voter).with_for_update()).all()
    if any(battle.status == BattleStatus.RUNNING for battle in battles):
        raise TurnRunning(voter)
    ids = [battle.id or 0 for battle in battles]
    voted = set(session.exec(select(Vote.battle_id).join(Battle).where(Battle.voter == voter)))
    name = pseudonym(ledger_key(session), voter)
    delete_images(session, voter)
    for part in parts(sorted(voted), AT_ONCE):
        _erase_texts(session, part, voter, FORMER + name)
    for part in parts([number for number in ids if number not in voted], AT_ONCE):
        _remove(session, part)
    session.execute(delete(Report).where(col(Report.voter) == voter))  # of battles that others shared
    revoke_code(session, voter)
    end_sessions(session, voter)
    session.execute(delete(VisitorPass).where(col(VisitorPass.voter) == voter))
    session.execute(delete(UsageEvent).where(col(UsageEvent.subject) == voter_subject(voter)))
    return Deletion(len(voted), len(ids) - len(voted), name)


def _erase_texts(session: Session, battles: Sequence[int], voter: str, former: str) -> None:
    """Empty the texts of battles with a vote, and replace their voter."""
    turns = select(Turn.id).where(col(Turn.battle_id).in_(battles))
    votes = select(Vote.id).where(col(Vote.battle_id).in_(battles))
    session.execute(update(CompletionRow).where(col(CompletionRow.turn_id).in_(turns)).values(text=""))
    session.execute(update(Turn).where(col(Turn.battle_id).in_(battles)).values(prompt=""))
    session.execute(update(VerdictRow).where(col(VerdictRow.vote_id).in_(votes)).values(reason=""))
    session.execute(update(Appeal).where(col(Appeal.vote_id).in_(votes)).values(text=""))
    for table in TEXTS:
        session.execute(delete(table).where(table.battle_id.in_(battles)))  # type: ignore[attr-defined]
    session.execute(
        update(Vote).where(col(Vote.battle_id).in_(battles), col(Vote.voter) == voter).values(voter=former)
    )
    session.execute(update(Battle).where(col(Battle.id).in_(battles)).values(voter=former, shared=False))


def _remove(session: Session, battles: Sequence[int]) -> None:
    """Remove battles without a vote, with everything that points to them."""
    turns = select(Turn.id).where(col(Turn.battle_id).in_(battles))
    session.execute(delete(CompletionRow).where(col(CompletionRow.turn_id).in_(turns)))
    tables: tuple[type[SQLModel], ...] = (*PARTS, Turn)
    for table in tables:
        session.execute(delete(table).where(table.battle_id.in_(battles)))  # type: ignore[attr-defined]
    session.execute(delete(Battle).where(col(Battle.id).in_(battles)))
