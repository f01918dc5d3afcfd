"""Why the vote on a battle waits for a check, or does not count because of one."""

from __future__ import annotations

from arena.rules.vote_states import QuarantineReason, VoteState
from arena.store.stored_battles import StoredBattle
from arena.store.text_checks import BY, Texts
from arena.store.vote_holds import NewHold


def hold_of(battle: StoredBattle) -> NewHold | None:
    """The state of a vote on this battle as far as checks of texts and visitors go; None for one that counts."""
    if battle.texts == Texts.WITHHELD:
        return NewHold(VoteState.QUARANTINED, QuarantineReason.MODERATION, BY)
    if battle.texts == Texts.UNCHECKED:
        return NewHold(VoteState.PENDING, QuarantineReason.MODERATION, BY)
    if battle.visitor_unchecked:
        return NewHold(VoteState.PENDING, QuarantineReason.CHALLENGE, "check of visitors")
    return None
