"""The models of a new battle: drawn for a blind one, chosen by the voter for the others."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from arena.battles.matchmaking import Pair, TooFewModels, draw_pair, why_no_battle
from arena.battles.pair_draw import PairGains
from arena.battles.refusals import BUSY, TOO_FEW_READERS, BattleRefused
from arena.rules.model_states import is_private
from arena.rules.modes import Mode
from arena.serving.models import Serving
from arena.store.stored_battles import StoredBattle


def models_of_battle(
    serving: Serving,
    random: Random,
    mode: Mode,
    names: Sequence[str],
    earlier: StoredBattle | None = None,
    images: bool = False,
    gains: PairGains | None = None,
) -> Pair:
    """Two models by chance, others than in an `earlier` battle, or those with these names. Raises `BattleRefused`.

    With `images`, all of them read images. `gains` are those of the active rule.
    """
    if mode is Mode.BLIND:
        return _drawn(serving, random, earlier, images, gains) if not names else _refused_names()
    check_names(serving, mode, names)
    if images:
        check_readers(serving, names)
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
        if name not in serving.models or is_private(name):
            raise BattleRefused(
                "There is no model {name} here. Choose one of the list.", code="bad_value", name=repr(name[:120])
            )
        if serving.models[name] not in serving.choosable():
            raise BattleRefused(
                "The model {name} is not available now. Choose another one, or try again in a minute.",
                code="model_gone",
                name=name,
            )


def takes_images(serving: Serving, battle: StoredBattle) -> bool:
    """Whether the next prompt of a battle may have images.

    In a blind one the reply says nothing about its models: they were drawn among those that read images, or all do.
    """
    if battle.mode is not Mode.BLIND:
        return all(
            name in serving.models and serving.models[name].settings.images for name in battle.models.values()
        )
    return bool(battle.turns[0].images) or 0 < serving.image_readers() == len(serving.drawn())


def check_readers(serving: Serving, names: Sequence[str]) -> None:
    """Raises `BattleRefused` unless all these models, which their voter knows, read images."""
    for name in names:
        if name in serving.models and not serving.models[name].settings.images:
            raise BattleRefused(
                "The model {name} does not read images. Remove the images, or choose another model.",
                code="image_rejected",
                name=name,
            )


def _refused_names() -> Pair:
    raise BattleRefused("A blind battle draws its models. Choose another mode to name them.", code="bad_value")


def _drawn(
    serving: Serving, random: Random, earlier: StoredBattle | None, images: bool, gains: PairGains | None
) -> Pair:
    weights = serving.available_weights(images)
    try:
        if earlier is None:
            return draw_pair(weights, random, gains)
        others = {name: weight for name, weight in weights.items() if name not in earlier.models.values()}
        return draw_pair(others, random, gains)
    except TooFewModels:
        if earlier is not None and len(weights) >= 2:
            raise BattleRefused(
                "There are no two other models that are available now. Start a new battle.", code="too_few_models"
            ) from None
        if images and why_no_battle(serving) is None:
            raise BattleRefused(TOO_FEW_READERS, code="image_rejected") from None
        why = why_no_battle(serving) or BUSY
        raise BattleRefused(why, code="too_few_models") from None
