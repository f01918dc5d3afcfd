"""What a turn may cost at most, and what it has cost: tokens and USD of both models."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from arena.battles.views import conversation
from arena.battles.writing import Writing
from arena.config import PriceSettings
from arena.engine.budget import (
    BYTES_PER_TOKEN,
    IMAGE_TOKENS,
    MESSAGE,
    MOST_CHARACTERS_PER_TOKEN,
    TEMPLATE,
    Price,
    image_count,
    most_tokens,
    plausible_tokens,
)
from arena.rules.limits import Spending
from arena.rules.votes import Side
from arena.serving.models import ServedModel, Serving
from arena.store.schema.battles import CompletionStatus
from arena.store.spending import Settlement
from arena.store.stored_battles import StoredBattle
from judges.visible_text import has_visible_text

# A server that reports more than this multiple of the most of a prompt is wrong, or wants to use the budget up.
IMPLAUSIBLE = 2


@dataclass(frozen=True)
class CallEstimate:
    """The most tokens of one call with so many `images`, and the price of its model if there is one."""

    prompt_tokens: int
    completion_tokens: int
    price: PriceSettings | None
    images: int = 0

    @property
    def most(self) -> Spending:
        return self._spending(self.prompt_tokens, self.completion_tokens)

    def actual(self, writing: Writing) -> Spending:
        """The cost of a call that has ended in any way: as reported within reason, else estimated.

        Each retried call costs a prompt.
        """
        retried = (writing.attempts - 1) * self.prompt_tokens
        return self._spending(self._prompt(writing) + retried, self._completion(writing))

    def _prompt(self, writing: Writing) -> int:
        text = self.prompt_tokens - TEMPLATE - MESSAGE - IMAGE_TOKENS * self.images
        least = text // MOST_CHARACTERS_PER_TOKEN
        reported = writing.usage.prompt_tokens
        return plausible_tokens(reported, max(1, least), self.prompt_tokens, IMPLAUSIBLE * self.prompt_tokens)

    def _completion(self, writing: Writing) -> int:
        least = len(writing.written) // MOST_CHARACTERS_PER_TOKEN
        reported = writing.usage.completion_tokens
        return plausible_tokens(reported, least, self._unreported(writing), self.completion_tokens)

    def _unreported(self, writing: Writing) -> int:
        """The tokens of a completion without a report: of its text and its thinking, or all if there may be more."""
        size = len(writing.written.encode()) + writing.thought
        written = round(size / BYTES_PER_TOKEN)
        finished = writing.status is CompletionStatus.FINISHED
        stopped = writing.status is not CompletionStatus.FAILED and has_visible_text(writing.written)
        return written if finished or stopped or not writing.charged else max(written, self.completion_tokens)

    def _spending(self, prompt: int, completion: int) -> Spending:
        price = Price(self.price.prompt, self.price.completion) if self.price else Price(0.0, 0.0)
        return Spending(prompt + completion, price.of(prompt, completion))


@dataclass(frozen=True)
class Reservation:
    """The most that a turn of any two models may cost, which counts from its start; its cost replaces it at its end."""

    day: str
    most: Spending
    estimates: Mapping[Side, CallEstimate]

    def settlement(self, sides: Mapping[Side, Writing]) -> Settlement:
        """What the end of the turn changes in the spending of its day, also of a stopped or failed turn."""
        cost = sum((self.estimates[side].actual(writing) for side, writing in sides.items()), Spending())
        return Settlement(self.day, cost - self.most, sum(writing.attempts - 1 for writing in sides.values()))


def call_estimates(serving: Serving, battle: StoredBattle) -> dict[Side, CallEstimate]:
    """The estimates of the calls of the last turn."""
    estimates = {}
    for side, name in battle.models.items():
        model = serving.models[name]
        messages = conversation(battle, side)
        tokens = most_tokens(model.request(messages))
        estimates[side] = CallEstimate(*tokens, model.settings.price, image_count(messages))
    return estimates


def dearest_turn(serving: Serving, battle: StoredBattle) -> Spending:
    """The most that the last turn could cost with any two of the served models.

    A refusal must not depend on the two that were drawn: voters would read from it who fights. Lengths are rounded up
    to a power of two, so that prompts of growing length do not measure what is left of the budget.
    """
    prompts = (most_tokens({"messages": conversation(battle, side)})[0] for side in battle.models)
    tokens = 1 << (max(prompts) - 1).bit_length()
    calls = [_call_at_most(model, tokens).most for model in serving.models.values()]
    most = len(battle.models)
    return Spending(
        sum(sorted(call.tokens for call in calls)[-most:]), sum(sorted(call.usd for call in calls)[-most:])
    )


def _call_at_most(model: ServedModel, tokens: int) -> CallEstimate:
    """The estimate of a call with a conversation of so many tokens, next to the system prompt of the model."""
    system, completion = most_tokens(model.request([]))
    return CallEstimate(system + tokens, completion, model.settings.price)
