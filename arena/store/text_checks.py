"""Results of checks of texts, and what they mean for a battle. Every function works in the session of its caller.

`Battle.texts` is null for a battle without checks. Else it is `unchecked` while a text of it is not checked, so that its
vote is pending; then `checked`, or `withheld` when a text must not be shown.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import update
from sqlmodel import Session, col, select

from arena.rules.vote_states import QuarantineReason, VoteState
from arena.rules.votes import HUMAN
from arena.store.battles import WrongStatus, move
from arena.store.pending_votes import is_pending
from arena.store.quarantine import hold, release
from arena.store.query_filters import has_texts
from arena.store.schema.battles import Battle, BattleStatus, CompletionRow, CompletionStatus, Turn, Vote, now
from arena.store.schema.checks import TextCheck
from arena.store.schema.vote_states import VoteHold
from arena.store.upserts import upsert

PROMPT = "prompt"  # the side of a prompt
BY = "check of texts"
AT_ONCE = 20  # battles that are tried again in one pass


class Texts(StrEnum):
    """What is known of the texts of a battle."""

    UNCHECKED = "unchecked"
    CHECKED = "checked"
    WITHHELD = "withheld"


@dataclass(frozen=True)
class StoredCheck:
    """The result for a text. `action` is null if it could not be checked."""

    action: str | None
    scores: Mapping[str, float] = field(default_factory=dict)
    found: Sequence[str] = ()
    failure: str | None = None
    backend: str = ""
    version: str = ""


@dataclass(frozen=True)
class TextKey:
    """A text of a battle: the prompt of a turn, or what a side wrote in an attempt."""

    turn: int
    side: str
    attempt: int = 1


@dataclass(frozen=True)
class CheckedKinds:
    """The kinds of texts that are checked."""

    prompts: bool
    completions: bool


def begin_checks(
    session: Session, battle_id: int, prompt: StoredCheck | None, kinds: CheckedKinds, warned: bool = False
) -> None:
    """Note for a turn that begins that its texts are to be checked, with the result for its prompt."""
    if prompt is not None:
        turn = session.exec(
            select(Turn.id).where(Turn.battle_id == battle_id).order_by(col(Turn.number).desc())
        ).first()
        _save(session, battle_id, {TextKey(turn or 0, PROMPT): prompt})
    waits = kinds.completions or (prompt is not None and prompt.action is None)
    values: dict[str, Any] = {"texts": Texts.UNCHECKED if waits else Texts.CHECKED}
    session.execute(
        update(Battle)
        .where(col(Battle.id) == battle_id, col(Battle.texts).is_distinct_from(Texts.WITHHELD))
        .values(values | ({"warned": True} if warned else {}))
    )


def texts_to_check(session: Session, battle_id: int, kinds: CheckedKinds) -> dict[TextKey, str]:
    """The texts of a battle that have ended and are not checked."""
    done = _checked(session, battle_id)
    return {
        key: text
        for key, text in _texts(session, battle_id, kinds).items()
        if text is not None and key not in done
    }


def save_checks(
    session: Session, battle_id: int, results: Mapping[TextKey, StoredCheck], kinds: CheckedKinds
) -> Texts:
    """Save results and draw the consequences: the vote counts, or is quarantined, and withheld texts close the battle."""
    battle = session.exec(select(Battle).where(Battle.id == battle_id).with_for_update()).one_or_none()
    if battle is None:  # its voter was deleted
        return Texts.CHECKED
    _save(session, battle_id, results)
    actions = _checked(session, battle_id)
    needed = _texts(session, battle_id, kinds)
    texts = Texts.CHECKED if all(key in actions for key in needed) else Texts.UNCHECKED
    if "block" in actions.values() or battle.texts == Texts.WITHHELD:
        texts = Texts.WITHHELD
    values: dict[str, Any] = {"texts": texts}
    if "warn" in actions.values():
        values["warned"] = True
    if texts is Texts.WITHHELD:
        values["shared"] = False
    session.execute(update(Battle).where(col(Battle.id) == battle_id).values(values))
    _close_withheld(session, battle_id, texts)
    _settle_vote(session, battle_id, texts, visitor_unchecked=battle.visitor_unchecked)
    return texts


def battles_to_check(session: Session, after: int, older: timedelta) -> Sequence[tuple[int, str]]:
    """Ids and public ids of battles whose texts could not be checked, with ids above `after`, not changed of late."""
    query = (
        select(Battle.id, Battle.public_id)
        .where(
            col(Battle.texts) == Texts.UNCHECKED,
            col(Battle.status).in_((BattleStatus.OPEN, BattleStatus.VOTED)),
            col(Battle.id) > after,
            col(Battle.changed_at) < now() - older,
            has_texts(),
        )
        .order_by(col(Battle.id))
        .limit(AT_ONCE)
    )
    return [(number or 0, public_id) for number, public_id in session.exec(query)]


def checks_of_battle(session: Session, battle_id: int) -> list[TextCheck]:
    """The results of a battle, in the order of its turns."""
    return list(
        session.exec(select(TextCheck).where(TextCheck.battle_id == battle_id).order_by(col(TextCheck.id)))
    )


def confirm_visitor(session: Session, voter: str) -> int:
    """Count the votes that waited for a challenge which this visitor has now passed; returns their number."""
    waiting = select(Battle.id).where(col(Battle.voter) == voter, col(Battle.visitor_unchecked))
    ids = [number or 0 for number in session.exec(waiting)]
    if not ids:
        return 0
    session.execute(update(Battle).where(col(Battle.id).in_(ids)).values(visitor_unchecked=False))
    votes = _pending(session, ids, QuarantineReason.CHALLENGE)
    return release(session, votes, "The visitor has passed a challenge.", BY) if votes else 0


def _texts(session: Session, battle_id: int, kinds: CheckedKinds) -> dict[TextKey, str | None]:
    """Every text that is to be checked, the newest attempt of each side; None while it is written."""
    columns = ("side", "attempt", "text", "status")
    wanted: tuple[Any, ...] = (Turn.id, Turn.prompt, *(getattr(CompletionRow, name) for name in columns))
    rows = (
        select(*wanted)
        .join(CompletionRow, col(CompletionRow.turn_id) == col(Turn.id))
        .where(col(Turn.battle_id) == battle_id)
        .order_by(col(Turn.number), col(CompletionRow.attempt))
    )
    texts: dict[TextKey, str | None] = {}
    newest: dict[tuple[int, str], tuple[TextKey, str | None]] = {}
    for turn, prompt, side, attempt, text, status in session.execute(rows):
        if kinds.prompts:
            texts[TextKey(turn, PROMPT)] = prompt
        written = None if status == CompletionStatus.RUNNING else text
        newest[turn, side] = (TextKey(turn, side, attempt), written)
    if kinds.completions:
        texts.update(newest.values())
    return texts


def _checked(session: Session, battle_id: int) -> dict[TextKey, str]:
    """The action of each text that could be checked."""
    rows = select(TextCheck).where(TextCheck.battle_id == battle_id, col(TextCheck.action).is_not(None))
    return {TextKey(row.turn_id, row.side, row.attempt): row.action or "" for row in session.exec(rows)}


def _save(session: Session, battle_id: int, results: Mapping[TextKey, StoredCheck]) -> None:
    for key, check in results.items():
        values: dict[str, Any] = {
            "action": check.action,
            "categories": json.dumps(dict(check.scores)),
            "flagged": json.dumps(list(check.found)),
            "failure": check.failure,
            "backend": check.backend[:200],
            "version": check.version,
            "checked_at": now(),
        }
        row = {"battle_id": battle_id, "turn_id": key.turn, "side": key.side, "attempt": key.attempt}
        statement = upsert(session, TextCheck).values({**row, **values})
        same = ["turn_id", "side", "attempt"]
        session.execute(statement.on_conflict_do_update(index_elements=same, set_=values))


def _close_withheld(session: Session, battle_id: int, texts: Texts) -> None:
    """Close an open battle whose texts are withheld, unless it has a vote, which is quarantined when it is counted."""
    if texts is not Texts.WITHHELD or is_pending(session, battle_id):
        return
    try:
        move(session, battle_id, BattleStatus.OPEN, BattleStatus.ABANDONED)
    except WrongStatus:
        return  # voted on, closed, or running: the next check finds it open


def _settle_vote(session: Session, battle_id: int, texts: Texts, *, visitor_unchecked: bool) -> None:
    votes = list(session.exec(select(Vote.id).where(Vote.battle_id == battle_id, Vote.source == HUMAN)))
    if not votes or texts is Texts.UNCHECKED:
        return
    given = [number or 0 for number in votes]
    if texts is Texts.WITHHELD:
        hold(session, given, VoteState.QUARANTINED, QuarantineReason.MODERATION, by=BY)
    elif waiting := _pending(session, [battle_id], QuarantineReason.MODERATION):
        release(session, waiting, "The texts were checked.", BY)
        if visitor_unchecked:
            hold(session, waiting, VoteState.PENDING, QuarantineReason.CHALLENGE, by=BY)


def _pending(session: Session, battles: Sequence[int], reason: QuarantineReason) -> list[int]:
    """The votes on these battles that wait for a check."""
    query = (
        select(VoteHold.vote_id)
        .join(Vote, col(Vote.id) == col(VoteHold.vote_id))
        .where(col(Vote.battle_id).in_(battles), VoteHold.state == VoteState.PENDING, VoteHold.reason == reason)
    )
    return list(session.exec(query))
