"""Which images a prompt may have. A refusal in a blind battle says nothing about its two models."""

from __future__ import annotations

from collections.abc import Sequence

from arena.battles.model_choice import check_readers, takes_images
from arena.battles.refusals import NO_IMAGES_NOW, NO_READERS, BattleRefused
from arena.config import BattleSettings
from arena.rules.modes import Mode
from arena.serving.models import Serving
from arena.store.stored_battles import StoredBattle

MOST_IMAGES = 10  # of a battle: each later turn sends all of them again


def most_images(serving: Serving, limits: BattleSettings) -> int:
    """The most images of a prompt: 0 where they are switched off, or no model reads any."""
    return limits.max_images if serving.image_readers() else 0


def check_images(serving: Serving, limits: BattleSettings, images: Sequence[str]) -> None:
    """Raises `BattleRefused` for images of one prompt that no battle here can take."""
    most = most_images(serving, limits)
    if images and not most:
        raise BattleRefused(NO_READERS, code="image_rejected")
    if len(images) > most:
        raise BattleRefused(
            "A prompt has at most {most} images. Remove some of them.", code="image_rejected", most=most
        )
    if len(set(images)) < len(images):
        raise BattleRefused("The same image is attached twice. Remove one of them.", code="image_rejected")


def check_more_images(serving: Serving, battle: StoredBattle, number: int) -> None:
    """Raises `BattleRefused` unless a later prompt of this battle may have so many images."""
    if battle.mode is not Mode.BLIND:
        check_readers(serving, list(battle.models.values()))
    elif not takes_images(serving, battle):
        raise BattleRefused(NO_IMAGES_NOW, code="image_rejected")
    if number + sum(len(turn.images) for turn in battle.turns) > MOST_IMAGES:
        raise BattleRefused(
            "A battle has at most {most} images. Vote, then start a new battle.",
            code="image_rejected",
            most=MOST_IMAGES,
        )
