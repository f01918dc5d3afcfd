"""How long a conversation may be: what fits the smallest context of all served models.

A prompt that only one model refuses would tell voters that this model fights.
"""

from __future__ import annotations

from collections.abc import Iterable

from arena.config import AnyModel, LlamaCppSettings
from arena.engine.budget import estimated_tokens
from arena.rules.token_bounds import MESSAGE_TOKENS, token_bound
from arena.serving.models import ServedModel


def context_of(settings: AnyModel) -> int | None:
    """The tokens of one conversation, completion included, as far as the settings tell."""
    known = [settings.facts.context] if settings.facts.context else []
    if isinstance(settings, LlamaCppSettings):
        known.append(settings.context // settings.parallel)
    return min(known, default=None)


def conversation_room(models: Iterable[ServedModel]) -> int | None:
    """The most tokens of a conversation that every model can continue; `None` where no context is known."""
    rooms = ((model, context_of(model.settings)) for model in models)
    return min((_room(model, context) for model, context in rooms if context), default=None)


def longest_completion(models: Iterable[ServedModel]) -> int:
    """The most tokens that any model may write in one completion."""
    return max((estimated_tokens(model.request([]))[1] for model in models), default=0)


def _room(model: ServedModel, context: int) -> int:
    """What a system prompt and the completion leave; a `max_tokens` beyond half a context does not close the arena."""
    _, completion = estimated_tokens(model.request([]))
    system = token_bound(model.settings.system_prompt or "") + 2 * MESSAGE_TOKENS
    return context - min(completion, context // 2) - system
