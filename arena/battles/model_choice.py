"""The models of a new battle: drawn for a blind one, chosen by the voter for the others."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from arena.battles.matchmaking import Pair, TooFewModels, draw_pair, why_no_battle
from arena.battles.refusals import BUSY, BattleRefused
from arena.rules.modes import Mode
from arena.serving.models import Serving
from arena.store.battles import StoredBattle


def models_of_battle(
    serving: Serving, random: Random, mode: Mode, names: Sequence[str], earlier: StoredBattle | None = None
) -> Pair:
    """Two models by chance, others than in an `earlier` battle, or those with these names. Raises `BattleRefused`."""
    if mode is Mode.BLIND:
        return _drawn(serving, random, earlier) if not names else _refused_names()
    check_names(serving, mode, names)
    return Pair(names[0], names[-1], 1.0)


def check_names(serving: Serving, mode: Mode, names: Sequence[str]) -> None:
    """Raises `BattleRefused` unless the names are as many models as the mode needs, available and different."""
    number = len(mode.sides)
    if len(set(names)) != number or len(names) != number:
        raise BattleRefused(
            "This mode needs {number} different models, and {given} were given. Choose them again.",
            code="bad_value",
            number=number,
            given=len(set(names)),
        )
    for name in names:
        if name not in serving.models:
            raise BattleRefused(
                "There is no model {name} here. Choose one of the list.", code="bad_value", name=repr(name[:120])
            )
        if not serving.models[name].availability.available:
            raise BattleRefused(
                "The model {name} is not available now. Choose another one, or try again in a minute.",
                code="model_gone",
                name=name,
            )


def _refused_names() -> Pair:
    raise BattleRefused("A blind battle draws its models. Choose another mode to name them.", code="bad_value")


def _drawn(serving: Serving, random: Random, earlier: StoredBattle | None) -> Pair:
    weights = serving.available_weights()
    try:
        if earlier is None:
            return draw_pair(weights, random)
        others = {name: weight for name, weight in weights.items() if name not in earlier.models.values()}
        return draw_pair(others, random)
    except TooFewModels:
        if earlier is not None and len(weights) >= 2:
            raise BattleRefused(
                "There are no two other models that are available now. Start a new battle.", code="too_few_models"
            ) from None
        why = why_no_battle(serving) or BUSY
        raise BattleRefused(why, code="too_few_models") from None
