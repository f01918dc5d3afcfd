"""Everything that is stored about a voter, as plain data, a few battles at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlmodel import Session, col, select

from arena.rules.seals import pseudonym
from arena.rules.votes import HUMAN
from arena.store.images import images_of_turns, images_of_voter
from arena.store.ledger import as_sealed, ledger_key
from arena.store.models import model_ids
from arena.store.pending_votes import decoded
from arena.store.schema.battle_features import BattleCategory
from arena.store.schema.battles import Battle, CompletionRow, PendingVote, Report, Turn, Vote
from arena.store.schema.usage import UsageEvent
from arena.store.voter_history import shows_names
from arena.store.voter_sessions import identity_of

AT_ONCE = 50  # battles in memory
MEASURED = ("prompt_tokens", "completion_tokens", "first_token_seconds", "seconds", "finish_reason", "failure")


def about_voter(session: Session, voter: str) -> dict[str, Any]:
    """What is stored besides battles: the ids, the ways to the voter, and the counted actions of the last day."""
    identity = identity_of(session, voter)
    reports = (
        select(Report, Battle.public_id)
        .join(Battle, col(Battle.id) == col(Report.battle_id))
        .where(Report.voter == voter)
        .order_by(col(Report.id))
    )
    events = select(UsageEvent).where(UsageEvent.subject == f"voter {voter}").order_by(col(UsageEvent.id))
    return {
        "voter": voter,
        "pseudonym": pseudonym(ledger_key(session), voter),
        "recovery_code_since": as_sealed(identity.code_since) if identity.code_since else None,
        "further_browsers_since": [as_sealed(added) for added in identity.browsers],
        "reports": [
            {
                "battle": battle,
                "kind": report.kind,
                "text": report.text,
                "created_at": as_sealed(report.created_at),
            }
            for report, battle in session.exec(reports)
        ],
        "images": [
            {**asdict(image), "address": f"/api/v1/images/{image.id}", "created_at": as_sealed(added)}
            for image, added in images_of_voter(session, voter)
        ],
        "counted_actions": [
            {"action": event.action, "at": as_sealed(event.created_at)} for event in session.exec(events)
        ],
    }


def voter_battles(session: Session, voter: str, after: int = 0) -> Iterator[tuple[dict[str, Any], bool]]:
    """Every battle with its turns, all attempts and the vote, the oldest first; and whether the models are named.

    Before the vote a battle has neither names nor measurements, which could identify the models. Its texts are as
    stored: the caller masks names in them.
    """
    names = model_ids(session)
    while battles := session.exec(
        select(Battle).where(Battle.voter == voter, col(Battle.id) > after).order_by(col(Battle.id)).limit(AT_ONCE)
    ).all():
        parts = _parts(session, [battle.id or 0 for battle in battles])
        for battle in battles:
            yield _battle(battle, parts[battle.id or 0], names), shows_names(battle)
        after = battles[-1].id or 0
        session.expunge_all()


def _battle(battle: Battle, parts: Mapping[str, Any], names: Mapping[int, str]) -> dict[str, Any]:
    named = shows_names(battle)
    completions = [
        {
            "turn": number,
            "side": row.side,
            "attempt": row.attempt,
            "text": row.text,
            "status": row.status,
            "created_at": as_sealed(row.created_at),
            **({name: getattr(row, name) for name in MEASURED} if named else {}),
        }
        for number, row in parts["completions"]
    ]
    return {
        "battle": battle.public_id,
        "status": battle.status,
        "mode": battle.mode,
        "model_a": names[battle.model_a_id] if named else None,
        "model_b": names[battle.model_b_id] if named else None,
        "shared": battle.shared,
        "created_at": as_sealed(battle.created_at),
        "changed_at": as_sealed(battle.changed_at),
        "categories": parts["categories"],
        "prompts": parts["prompts"],
        "completions": completions,
        "vote": parts["vote"],
        "pending_vote": parts["pending_vote"],
    }


def _parts(session: Session, ids: Sequence[int]) -> dict[int, dict[str, Any]]:
    """What points to each battle."""
    parts: dict[int, dict[str, Any]] = {
        number: {
            "prompts": [],
            "completions": [],
            "categories": [],
            "vote": None,
            "pending_vote": None,
        }
        for number in ids
    }
    turns = select(Turn).where(col(Turn.battle_id).in_(ids)).order_by(col(Turn.number))
    images = images_of_turns(session, ids)
    for turn in session.exec(turns):
        prompt = {
            "turn": turn.number,
            "prompt": turn.prompt,
            "images": [image.id for image in images.get(turn.id or 0, ())],
            "created_at": as_sealed(turn.created_at),
        }
        parts[turn.battle_id]["prompts"].append(prompt)
    written = (
        select(Turn.battle_id, Turn.number, CompletionRow)
        .join(Turn, col(Turn.id) == col(CompletionRow.turn_id))
        .where(col(Turn.battle_id).in_(ids))
        .order_by(col(Turn.number), col(CompletionRow.attempt), col(CompletionRow.side))
    )
    for number, turn_number, row in session.exec(written):
        parts[number]["completions"].append((turn_number, row))
    for category in session.exec(select(BattleCategory).where(col(BattleCategory.battle_id).in_(ids))):
        parts[category.battle_id]["categories"].append(category.category)
    for vote in session.exec(select(Vote).where(col(Vote.battle_id).in_(ids), Vote.source == HUMAN)):
        parts[vote.battle_id]["vote"] = {
            "winner": vote.winner,
            "reasons": list(decoded(vote.reasons)),
            "stopped_early": vote.stopped_early,
            "created_at": as_sealed(vote.created_at),
        }
    for pending in session.exec(select(PendingVote).where(col(PendingVote.battle_id).in_(ids))):
        parts[pending.battle_id]["pending_vote"] = {
            "winner": pending.winner,
            "reasons": list(decoded(pending.reasons)),
            "created_at": as_sealed(pending.cast_at),
        }
    return parts
