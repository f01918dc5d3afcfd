"""Refuses a conversation that the smallest model cannot take, before its models are drawn or asked.

The refusal does not depend on the models of the battle. The length is that of the prompts and of the longer
completion of each turn, which the voter sees.
"""

from __future__ import annotations

from collections.abc import Sequence

from arena.battles.refusals import BattleRefused
from arena.engine.budget import IMAGE_TOKENS
from arena.rules.messages import gettext_noop
from arena.rules.token_bounds import MESSAGE_TOKENS, token_bound
from arena.serving.context_room import conversation_room, longest_completion
from arena.serving.models import Serving
from arena.store.stored_battles import StoredTurn

TOO_LONG = gettext_noop(
    "This conversation is too long for the models of this arena. Shorten the prompt or start a new battle."
)


def check_length(serving: Serving, earlier: Sequence[StoredTurn], prompt: str, images: int = 0) -> None:
    """Raises `BattleRefused` when the prompt, after the `earlier` turns, does not fit every served model.

    With images in any turn, those models count that read images.
    """
    images += sum(len(turn.images) for turn in earlier)
    served = serving.models.values() if earlier else serving.drawn()
    models = [model for model in served if model.settings.images or not images]
    room = conversation_room(models)
    if room is None:
        return
    most = longest_completion(models)
    tokens = (
        IMAGE_TOKENS * images
        + _message(prompt)
        + sum(_message(turn.prompt) + _completion(turn, most) for turn in earlier)
    )
    if tokens > room:
        raise BattleRefused(TOO_LONG, code="conversation_too_long")


def _completion(turn: StoredTurn, most: int) -> int:
    """The tokens of the longer completion: a model reads only its own, which has at most `most`."""
    return MESSAGE_TOKENS + min(most, max(token_bound(written.text) for written in turn.completions.values()))


def _message(text: str) -> int:
    return MESSAGE_TOKENS + token_bound(text)
