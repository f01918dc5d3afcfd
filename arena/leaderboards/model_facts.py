"""Facts about models besides their votes: facts and prices from the settings, timings from battles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from arena.config import AnyModel
from arena.store.timings import Timing

PROMPT_SHARE = 0.75  # three prompt tokens to one of completion: the usual blend of published price comparisons


@dataclass(frozen=True)
class Facts:
    """One model; None is unknown. Prices in USD per million tokens, times in seconds."""

    organisation: str | None = None
    licence: str | None = None
    parameters: float | None = None
    context: int | None = None
    energy: float | None = None  # watt-hours for 1000 tokens of completion
    variants_tested: int | None = None  # privately, before this one was listed
    listed: date | None = None
    retired: date | None = None
    retired_reason: str | None = None
    released: date | None = None
    url: str | None = None
    prompt_price: float | None = None
    completion_price: float | None = None
    latency: float | None = None
    speed: float | None = None

    @property
    def price(self) -> float | None:
        """The price of a million tokens, three quarters of them in prompts."""
        if self.prompt_price is None or self.completion_price is None:
            return None
        return PROMPT_SHARE * self.prompt_price + (1 - PROMPT_SHARE) * self.completion_price


def facts_of(models: Iterable[AnyModel], timings: Mapping[str, Timing]) -> dict[str, Facts]:
    """The facts of every model that is configured or was timed, by name."""
    configured = {model.name: model for model in models}
    return {name: _facts(configured.get(name), timings.get(name)) for name in configured.keys() | timings.keys()}


def _facts(model: AnyModel | None, timing: Timing | None) -> Facts:
    facts = dict(model.facts) if model else {}
    price = model.price if model else None
    return Facts(
        **facts,
        prompt_price=price.prompt if price else None,
        completion_price=price.completion if price else None,
        latency=timing.first_token_seconds if timing else None,
        speed=timing.tokens_per_second if timing else None,
    )


def retired_models(models: Sequence[AnyModel], names: Iterable[str], today: date) -> set[str]:
    """The models of a board that battles no longer draw: retired by a date, disabled, or not in the settings.

    A board without any model of the settings has imported votes, and no model of it is retired.
    """
    drawn = {model.name for model in models if model.enabled and not _is_past(model.facts.retired, today)}
    known, names = {model.name for model in models}, set(names)
    return names - drawn if names & known else set()


def _is_past(day: date | None, today: date) -> bool:
    return day is not None and day <= today
