"""Checks of a vote when it is cast: time to read, repeated prompts, suggested prompts. A vote that fails is quarantined."""

from __future__ import annotations

import unicodedata
from datetime import datetime

from arena.config import LimitSettings
from arena.rules.vote_states import QuarantineReason, VoteState
from arena.store import Session
from arena.store.site_texts import is_suggested
from arena.store.stored_battles import StoredBattle
from arena.store.vote_evidence import CastEvidence, cast_evidence
from arena.store.vote_holds import NewHold

VERSION = "cast-1"
BY = "check at the vote"
REACTION = 0.5  # seconds: below this nobody has seen a text and pressed a key
LONGEST_WAIT = (
    4.0  # seconds that are asked for at most: who sees at a glance which text is better may vote at once
)
WIDE = 3  # Latin letters to one character of Chinese, Japanese or Korean, in which as much is said
OFTEN_ENOUGH = 32  # characters of a text per one that is looked at, to tell how many of them are wide
_WIDE = ("W", "F")


def held_at_cast(session: Session, battle: StoredBattle, limits: LimitSettings, at: datetime) -> NewHold | None:
    """Why a vote cast at this time does not count, or None for one that counts."""
    if not (limits.reading_speed or limits.same_prompt_votes or limits.suggested_prompt_votes):
        return None
    first, last = battle.turns[0], battle.turns[-1]
    evidence = cast_evidence(session, battle.voter, battle.id, last.id, first.prompt, at)
    shown = sum(reading_length(written.text) for written in last.completions.values())
    return finding(evidence, shown, limits, suggested=is_suggested(session, first.prompt))


def finding(evidence: CastEvidence, shown: float, limits: LimitSettings, *, suggested: bool) -> NewHold | None:
    """Why a vote on completions of the length `shown` does not count, or None."""
    needed = min(LONGEST_WAIT, REACTION + shown / limits.reading_speed) if limits.reading_speed else 0.0
    if evidence.seconds < needed:
        detail = f"{evidence.seconds:.1f} s after the prompt, {shown:.0f} letters to read, {needed:.1f} s needed"
        return _hold(QuarantineReason.TOO_FAST, detail)
    if 0 < limits.same_prompt_votes <= evidence.same_prompt:
        return _hold(QuarantineReason.DUPLICATE_PROMPT, f"vote {evidence.same_prompt + 1} of a day on one prompt")
    if suggested and 0 < limits.suggested_prompt_votes <= evidence.suggested:
        return _hold(QuarantineReason.PRESET, f"vote {evidence.suggested + 1} of a day on suggested prompts")
    return None


def reading_length(text: str) -> float:
    """The characters of a text, those of Chinese, Japanese and Korean as `WIDE` each."""
    sample = text[::OFTEN_ENOUGH]
    wide = sum(unicodedata.east_asian_width(character) in _WIDE for character in sample)
    return len(text) * (1 + (WIDE - 1) * wide / max(1, len(sample)))


def _hold(reason: QuarantineReason, detail: str) -> NewHold:
    return NewHold(VoteState.QUARANTINED, reason, BY, detail, VERSION)
