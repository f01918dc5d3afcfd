"""Everything that is stored about a voter, as plain data, a few battles at a time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sqlmodel import Session, col, select

from arena.rules.receipts import voters_receipt
from arena.rules.seals import pseudonym
from arena.rules.vote_states import VoteState, sentence_of
from arena.rules.votes import HUMAN
from arena.store.account_voters import linked_account
from arena.store.held_votes import vote_states
from arena.store.images import images_of_turns, images_of_voter
from arena.store.ledger import as_sealed, ledger_key, sealed_vote
from arena.store.models import model_ids
from arena.store.pending_votes import decoded
from arena.store.schema.battle_features import BattleCategory
from arena.store.schema.battles import Battle, CompletionRow, PendingVote, Report, Turn, Vote
from arena.store.schema.usage import UsageEvent
from arena.store.schema.vote_states import Appeal
from arena.store.usage import voter_subject
from arena.store.voter_history import shows_names
from arena.store.voter_sessions import identity_of

AT_ONCE = 5  # battles in memory of a client that reads slowly; a long one has some 100 KB
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
    events = select(UsageEvent).where(UsageEvent.subject == voter_subject(voter)).order_by(col(UsageEvent.id))
    return {
        "voter": voter,
        "pseudonym": pseudonym(ledger_key(session), voter),
        "recovery_code_since": as_sealed(identity.code_since) if identity.code_since else None,
        "account": _account(session, voter),
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


def _account(session: Session, voter: str) -> dict[str, Any] | None:
    """The account that the voter signed in with; its subject is stored as a hash only."""
    account = linked_account(session, voter)
    if account is None:
        return None
    return {
        "provider": account.issuer,
        "name": account.name,
        "role": account.role,
        "since": as_sealed(account.since),
        "earlier_voters": list(account.others),
    }


@dataclass(frozen=True)
class ExportedBattle:
    """A battle with its turns, all attempts and the vote. `named`: its models are named."""

    number: int
    document: dict[str, Any]
    named: bool


def voter_battles(session: Session, voter: str, after: int = 0) -> list[ExportedBattle]:
    """The next few battles of a voter after the one with this number, the oldest first.

    Before the vote a battle has neither names nor measurements, which could identify the models. Its texts are as
    stored: the caller masks names in them.
    """
    names = model_ids(session)
    battles = session.exec(
        select(Battle).where(Battle.voter == voter, col(Battle.id) > after).order_by(col(Battle.id)).limit(AT_ONCE)
    ).all()
    parts = _parts(session, [battle.id or 0 for battle in battles])
    return [
        ExportedBattle(battle.id or 0, _battle(battle, parts[battle.id or 0], names), shows_names(battle))
        for battle in battles
    ]


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


def _receipt(session: Session, number: int) -> dict[str, Any] | None:
    vote = sealed_vote(session, number)
    return None if vote is None else voters_receipt(vote)


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
            "receipt": _receipt(session, vote.id or 0),
            "state": VoteState.ACCEPTED,
            "appeals": [],
        }
    _add_states(session, parts)
    for pending in session.exec(select(PendingVote).where(col(PendingVote.battle_id).in_(ids))):
        parts[pending.battle_id]["pending_vote"] = {
            "winner": pending.winner,
            "reasons": list(decoded(pending.reasons)),
            "created_at": as_sealed(pending.cast_at),
        }
    return parts


def _add_states(session: Session, parts: dict[int, dict[str, Any]]) -> None:
    """Add the state of each vote, with the reason, and the voter's appeals."""
    ids = select(Vote.id, Vote.battle_id).where(col(Vote.battle_id).in_(parts), Vote.source == HUMAN)
    battles: dict[int, int] = {number or 0: battle for number, battle in session.exec(ids)}
    for number, status in vote_states(session, list(battles)).items():
        vote = parts[battles[number]]["vote"]
        vote["state"] = status.state
        if status.state is not VoteState.ACCEPTED:
            vote["state_reason"] = sentence_of(status.state, status.reason)
    rows = select(Appeal).where(col(Appeal.vote_id).in_(battles)).order_by(col(Appeal.id))
    for row in session.exec(rows):
        parts[battles[row.vote_id]]["vote"]["appeals"].append(
            {"text": row.text, "created_at": as_sealed(row.created_at), "decision": row.decision, "why": row.why}
        )
