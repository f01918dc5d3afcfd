"""The view of a battle for its voter, which names the models only after the vote."""

from __future__ import annotations

from dataclasses import dataclass

from arena.battles.streaming import LiveTurn, Message
from arena.rules.name_masking import NameMasker
from arena.rules.votes import SIDES, Side
from arena.store.battles import StoredBattle, StoredTurn
from arena.store.schema.battles import BattleStatus, CompletionStatus

WHOLE = (CompletionStatus.FINISHED, CompletionStatus.STOPPED, CompletionStatus.FAILED)


@dataclass(frozen=True)
class Exchange:
    """One turn as the voter sees it."""

    prompt: str
    completion_a: str
    completion_b: str


@dataclass(frozen=True)
class BattleView:
    """A battle for its voter. `model_a` and `model_b` are `None` until the vote."""

    public_id: str
    status: BattleStatus
    exchanges: tuple[Exchange, ...]
    can_vote: bool
    can_continue: bool
    winner: str | None = None
    model_a: str | None = None
    model_b: str | None = None
    stopped_early: bool = False
    shared: bool = False
    interrupted: bool = False  # the server stopped midway: the last prompt can be regenerated, not voted on


def view_of(battle: StoredBattle, turn: LiveTurn | None, name_masker: NameMasker, max_turns: int) -> BattleView:
    """The view of a battle, with the running `turn` in place of its last exchange."""
    voted = battle.status is BattleStatus.VOTED
    exchanges = [_exchange(stored, name_masker) for stored in battle.turns]
    if turn:
        exchanges[-1] = Exchange(battle.turns[-1].prompt, turn.visible("a"), turn.visible("b"))
    last = battle.turns[-1].completions.values()
    is_open = battle.status is BattleStatus.OPEN and not interrupted(battle)
    return BattleView(
        public_id=battle.public_id,
        status=battle.status,
        exchanges=tuple(exchanges),
        can_vote=is_open or bool(turn and turn.both_have_begun),
        can_continue=is_open and len(battle.turns) < max_turns,
        winner=battle.winner,
        model_a=battle.model_a if voted else None,
        model_b=battle.model_b if voted else None,
        stopped_early=any(written.status is CompletionStatus.STOPPED for written in last),
        shared=battle.shared,
        interrupted=interrupted(battle),
    )


def interrupted(battle: StoredBattle) -> bool:
    """Whether the last turn of an open battle ended with its server, before its completions were whole."""
    last = battle.turns[-1].completions.values()
    is_open = battle.status is BattleStatus.OPEN
    return is_open and any(written.status is CompletionStatus.ABANDONED for written in last)


def conversation(battle: StoredBattle, side: Side) -> list[Message]:
    """The messages up to the last prompt, with this side's own completions."""
    messages: list[Message] = []
    for turn in battle.turns:
        messages.append({"role": "user", "content": turn.prompt})
        messages.append({"role": "assistant", "content": turn.completions[side].text})
    return messages[:-1]


def vote_text(winner: str | None) -> str:
    """A vote as text."""
    words = {"model_a": "A is better", "model_b": "B is better", "tie": "tie", "both_bad": "both are bad"}
    return words.get(winner or "", "no vote")


def _exchange(turn: StoredTurn, name_masker: NameMasker) -> Exchange:
    """A completion that is not whole may end within a name, which is hidden too."""
    shown = _released(turn)
    a, b = (name_masker.hide(text, whole=turn.completions[side].status in WHOLE) for side, text in shown.items())
    return Exchange(turn.prompt, a, b)


def _released(turn: StoredTurn) -> dict[Side, str]:
    """Both texts; while another server writes them, cut to one length, so that their speed shows nothing."""
    texts = {side: turn.completions[side].text for side in SIDES}
    if any(written.status is CompletionStatus.RUNNING for written in turn.completions.values()):
        shorter = min(map(len, texts.values()))
        return {side: text[:shorter] for side, text in texts.items()}
    return texts
