"""The audit trail: each action is recorded in the transaction that does it, so that neither is there without the other."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from arena.rules.roles import Actor
from arena.store import Session
from arena.store.audit import append
from arena.store.schema.accounts import AuditEntry
from arena.store.text_columns import fitted
from arena.store.vote_parts import Change

LONGEST_REASON = 1_000  # characters
LONGEST_DETAILS = 20_000  # characters of JSON: a list of ids, not a dump
FEW = 50  # ids of votes in an entry


def record(
    session: Session,
    actor: Actor,
    action: str,
    target: str = "",
    *,
    reason: str = "",
    details: Mapping[str, Any] | None = None,
) -> None:
    """Add an entry to the audit trail. Call it in the transaction of the action.

    `action` is NOUN.VERB, such as "battle.hide"; `target` names what was changed, such as the id of a battle; `details`
    has what was and what is now. Raises `ValueError` for details that are too long.
    """
    if len(json.dumps(details or {}, default=str)) > LONGEST_DETAILS:
        raise ValueError(f"The details of {action} are too long. Record a number and the first ids instead.")
    entry = AuditEntry(
        actor=fitted(actor.name, 120),
        role=actor.role,
        action=action,
        target=fitted(target, 200),
        reason=reason[:LONGEST_REASON],
        details=dict(details or {}),
        address=actor.address,
    )
    append(session, entry)


def recorded(
    change: Change,
    actor: Actor,
    action: str,
    target: str,
    *,
    reason: str,
    details: Mapping[str, Any] | None = None,
) -> Change:
    """A change of votes in parts, of which each part that changes any has its own entry, in its own transaction."""

    def both(session: Session, ids: Sequence[int]) -> int:
        if number := change(session, ids):
            done = {**(details or {}), "votes": number, "first": list(ids[:FEW])}
            record(session, actor, action, target, reason=reason, details=done)
        return number

    return both


def target_of_votes(votes: Sequence[int], voter: str | None = None) -> str:
    """What an entry names: the voter, the only vote, or the number of votes.

    >>> target_of_votes([7]), target_of_votes([7, 8]), target_of_votes([7, 8], "ann")
    ('vote 7', '2 votes', 'voter ann')
    """
    if voter:
        return f"voter {voter}"
    return f"vote {votes[0]}" if len(votes) == 1 else f"{len(votes)} votes"
