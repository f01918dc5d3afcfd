"""What must hold of a battle before a side of it is run again."""

from __future__ import annotations

from arena.battles.refusals import INTERRUPTED, BattleRefused
from arena.rules.modes import Mode
from arena.rules.votes import Side
from arena.store.schema.battles import CompletionStatus
from arena.store.stored_battles import StoredBattle


def model_gone(*, can_vote: bool) -> BattleRefused:
    """The refusal when a model of the battle is no longer served."""
    if can_vote:
        return BattleRefused(
            "A model of this battle is no longer served. Vote, or start a new battle.", code="model_gone"
        )
    return BattleRefused("A model of this battle is no longer served. Start a new battle.", code="model_gone")


def check_side(battle: StoredBattle, side: Side) -> None:
    """Raises `BattleRefused` for a side that the battle has not."""
    if side not in battle.models:
        raise BattleRefused("This battle has no side {side}.", code="bad_value", side=str(side)[:20])


def check_other_side(battle: StoredBattle, side: Side) -> None:
    """Raises `BattleRefused` unless the other completion is whole, or was stopped by the voter."""
    last = battle.turns[-1].completions
    if any(last[other].status is CompletionStatus.ABANDONED for other in last if other != side):
        raise BattleRefused(INTERRUPTED, code="interrupted")


def check_reroll(battle: StoredBattle, side: Side) -> None:
    """Raises `BattleRefused` unless another model may be drawn for the side."""
    check_side(battle, side)
    if battle.mode is not Mode.BLIND:
        raise BattleRefused(
            "You chose the models of this battle. Try again, or start a new battle with others.",
            code="wrong_status",
        )
    if len(battle.turns) > 1:
        raise BattleRefused(
            "Another model has not had the earlier turns of this battle. Try again with the same models, "
            "or start a new battle.",
            code="wrong_status",
        )
    if battle.turns[-1].completions[side].status is not CompletionStatus.FAILED:
        raise BattleRefused(
            "This side has not failed. Draw another model for the other side.", code="wrong_status"
        )
