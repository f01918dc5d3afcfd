"""The states of a vote, and why some do not count. A vote stays in the store in every state."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from arena.rules.messages import gettext_noop


class VoteState(StrEnum):
    """Accepted and released votes count; pending and quarantined ones are on no board."""

    ACCEPTED = "accepted"
    PENDING = "pending"  # a check could not run yet
    QUARANTINED = "quarantined"
    RELEASED = "released"  # counts again after an appeal or a review


HELD = (VoteState.PENDING, VoteState.QUARANTINED)


class QuarantineReason(StrEnum):
    """Why a vote is held."""

    VOTER_TEST = "voter_test"
    SELECTION = "selection"
    TOO_FAST = "too_fast"
    DUPLICATE_PROMPT = "duplicate_prompt"
    PRESET = "preset"
    BURST = "burst"
    ACCOUNT_GROUP = "account_group"
    DAILY_CAP = "daily_cap"
    MODERATION = "moderation"
    CHALLENGE = "challenge"
    OPERATOR = "operator"
    SIGN_IN = "sign_in"

    @property
    def sentence(self) -> str:
        """What readers and the voter see: the finding, and not how it was found."""
        return SENTENCES[self]


SENTENCES: Mapping[QuarantineReason, str] = {
    QuarantineReason.VOTER_TEST: gettext_noop(
        "The votes of one voter differ from those of all other voters by more than chance explains."
    ),
    QuarantineReason.SELECTION: gettext_noop("One voter left nearly all battles that did not have one model."),
    QuarantineReason.TOO_FAST: gettext_noop("The vote came before both completions could be read."),
    QuarantineReason.DUPLICATE_PROMPT: gettext_noop("One voter voted on the same prompt several times."),
    QuarantineReason.PRESET: gettext_noop("One voter voted mostly on prompts that the page suggests."),
    QuarantineReason.BURST: gettext_noop("Unusually many votes for one model came within a short time."),
    QuarantineReason.ACCOUNT_GROUP: gettext_noop("Several voters vote as if they were one."),
    QuarantineReason.DAILY_CAP: gettext_noop("The number of votes that count on one day was reached."),
    QuarantineReason.MODERATION: gettext_noop("The texts of the battle do not follow the rules for content."),
    QuarantineReason.CHALLENGE: gettext_noop("The check against automated votes was not passed."),
    QuarantineReason.OPERATOR: gettext_noop("The operator examined the vote and does not count it."),
    QuarantineReason.SIGN_IN: gettext_noop("The vote needs a voter who has signed in."),
}

# what is shown for a pending vote, whichever check it waits for
PENDING_SENTENCE = gettext_noop(
    "A check of this vote could not run yet. The vote counts once the check has passed."
)
# what is shown for a released vote, whatever it was held for
RELEASED_SENTENCE = gettext_noop(
    "The vote was held and counts again: an appeal or a review found nothing against it."
)


def sentence_of(state: str, reason: str) -> str:
    """What readers see for a vote that is or was held; a reason of a newer version is shown as it is stored."""
    if state == VoteState.PENDING:
        return PENDING_SENTENCE
    if state == VoteState.RELEASED:
        return RELEASED_SENTENCE
    return SENTENCES[QuarantineReason(reason)] if reason in tuple(QuarantineReason) else reason
