"""The state of a model: what an operator has set, else what the settings file says."""

from __future__ import annotations

from datetime import date
from typing import Any

from arena.config import AnyModel, RewardSettings
from arena.rules.model_states import ModelControl, ModelState

NOTHING_SET = ModelControl()


def state_of(settings: AnyModel, control: ModelControl, today: date) -> ModelState:
    """The state of a model; a reward model, which writes no text, is never enabled."""
    if isinstance(settings, RewardSettings):
        return ModelState.PAUSED
    if control.state is not None:
        return control.state
    if settings.facts.retired is not None and settings.facts.retired <= today:
        return ModelState.RETIRED
    return ModelState.ENABLED if settings.enabled else ModelState.PAUSED


def as_set(settings: AnyModel, control: ModelControl) -> AnyModel:
    """The settings of a model with what an operator has set; a paused one has the weight 0."""
    changed: dict[str, Any] = {} if control.weight is None else {"weight": control.weight}
    facts: dict[str, Any] = {}
    if control.state is ModelState.ENABLED:
        changed, facts = {**changed, "enabled": True}, {"retired": None, "retired_reason": None}
    elif control.state is ModelState.PAUSED:
        changed = {"weight": 0.0}
    elif control.state is ModelState.RETIRED:
        changed["enabled"] = False
        facts = {"retired": control.since.date() if control.since else None, "retired_reason": control.reason}
    if control.released_at is not None and settings.facts.listed is None:
        facts["listed"] = control.released_at.date()
    changed["facts"] = settings.facts.model_copy(update=facts)
    return settings.model_copy(update=changed)
