"""Why a request about a battle is refused, in words for its voter that name no model."""

from __future__ import annotations

from arena.rules.messages import gettext_noop
from arena.rules.refusals import Refusal

BUSY = gettext_noop("The arena is busy. Please try again in a moment. Your prompt is kept.")
RESTARTING = gettext_noop(
    "The arena is about to restart, so no answer can start now. Your prompt is kept. Try again in a minute."
)
INTERRUPTED = gettext_noop(
    "The models stopped before both had finished (the arena restarted, this page was closed, or you stopped them), "
    "so these answers are not whole. Choose Regenerate to run both models again, or start a new battle."
)
NOT_SAVED = gettext_noop(
    "The arena cannot save answers at the moment, so your vote was not counted. "
    "Both answers are kept. Vote again in a minute."
)
NOT_STOPPED = gettext_noop(
    "The arena cannot save answers at the moment. Both answers are kept. Try again in a minute."
)
STILL_RUNNING = gettext_noop("Both models are still writing. Wait until they finish, or vote now.")
NOT_BEGUN = gettext_noop("Wait until both models have started to write.")
CHANGED = gettext_noop("This battle has changed in the meantime. Reload the page to see it.")
UNDO_FIRST = gettext_noop("You have already voted on this battle. Undo your vote first.")
DELETED = gettext_noop("Your data was deleted, so nothing more is saved for you here. Reload the page.")
SIGN_IN = gettext_noop("This arena counts votes of people who are signed in. Sign in, then vote again.")
NO_READERS = gettext_noop("The models of this arena read no images. Remove the images.")
TOO_FEW_READERS = gettext_noop(
    "Fewer than two models that read images are available now. Remove the images, or try again later."
)
NO_IMAGES_NOW = gettext_noop(
    "Images can be added to this battle only with its first prompt, because not all models of this arena read images. "
    "Remove the images, or start a new battle with them."
)
IMAGE_GONE = gettext_noop(
    "An image of this prompt is no longer kept here. Remove the images and attach them again."
)
CHECK_DOWN = gettext_noop(
    "The check of prompts does not work at the moment. Your prompt is kept. Try again in a minute."
)
WITHHELD = gettext_noop(
    "An answer does not follow the rules of this arena, so both are hidden and the battle takes no vote. "
    "Start a new battle."
)
NOT_YOURS = gettext_noop("This battle is not yours or no longer exists. Start a new battle.")
OVER = gettext_noop("This battle is over. Start a new battle.")
NO_VOTE_HERE = gettext_noop(
    "You chose the models of this battle, so it takes no vote. Start a blind battle to vote."
)


class BattleRefused(Refusal):
    """The request cannot be fulfilled now; nothing changed. The text is for the voter."""


class VoteRefused(BattleRefused):
    """The vote does not count; nothing changed. The text is for the voter."""
