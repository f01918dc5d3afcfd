"""The view of a battle for its voter, which names the models of a blind battle only after the vote."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from arena.battles.failure_kinds import Kind, kind_of
from arena.battles.streaming import LiveTurn, Message
from arena.rules.modes import Mode
from arena.rules.name_masking import NameMasker
from arena.rules.votes import SIDES, Side
from arena.store.schema.battles import BattleStatus, CompletionStatus
from arena.store.stored_battles import StoredBattle, StoredTurn, Written
from arena.store.text_checks import Texts

WHOLE = (CompletionStatus.FINISHED, CompletionStatus.STOPPED, CompletionStatus.FAILED)
NOT_ENDED = (CompletionStatus.RUNNING, CompletionStatus.ABANDONED)
CUT_OFF = "length"  # the finish reason of a completion that reached its maximum number of tokens


@dataclass(frozen=True)
class Shown:
    """A completion as the voter sees it. `truncated`: the model reached its maximum number of tokens."""

    text: str
    status: CompletionStatus
    truncated: bool = False


@dataclass(frozen=True)
class Exchange:
    """One turn as the voter sees it."""

    prompt: str
    completions: Mapping[Side, Shown]
    number: int = 1
    attempt: int = 1
    images: tuple[str, ...] = ()

    @property
    def completion_a(self) -> str:
        return self.completions["a"].text

    @property
    def completion_b(self) -> str:
        return self.completions["b"].text


@dataclass(frozen=True)
class VoteView:
    """The voter's vote. Until `undo_until` it does not count and can be undone; after it one that is held, or on a control
    battle or a private model, counts on no board.
    """

    winner: str
    reasons: tuple[str, ...] = ()
    counts: bool = True
    undo_until: datetime | None = None


@dataclass(frozen=True)
class BattleView:
    """A battle for its voter. In a blind one, `model_a` and `model_b` are `None` until the vote counts.

    `failures` has the kind of failure of each side that failed.
    """

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
    mode: Mode = Mode.BLIND
    failures: Mapping[Side, Kind] = field(default_factory=dict)
    vote: VoteView | None = None
    can_add_images: bool = False  # to the next prompt
    withheld: bool = False  # a completion does not follow the rules of the arena, so none is shown
    warned: bool = False  # a check found what some people do not want to read
    counted: StoredBattle | None = field(
        default=None, repr=False, compare=False
    )  # with its names, once the vote counts

    @property
    def sides(self) -> tuple[Side, ...]:
        """The sides that have completions."""
        return self.mode.sides

    @property
    def turn(self) -> int:
        """The number of the last turn, from 1."""
        return self.exchanges[-1].number

    @property
    def attempt(self) -> int:
        """The number of attempts at the last turn."""
        return self.exchanges[-1].attempt

    @property
    def can_stop(self) -> bool:
        return self.status is BattleStatus.RUNNING

    @property
    def failure(self) -> Kind | None:
        """The kind of the first side that failed."""
        return next(iter(self.failures.values()), None)


def view_of(
    battle: StoredBattle,
    turn: LiveTurn | None,
    name_masker: NameMasker,
    max_turns: int,
    earlier: tuple[Exchange, ...] | None = None,
    takes_images: bool = False,
) -> BattleView:
    """The view of a battle, with the running `turn` in place of its last exchange.

    `earlier` are the exchanges if they are masked already. `takes_images`: its models read images.
    """
    withheld = battle.texts == Texts.WITHHELD
    exchanges = exchanges_of(battle, name_masker) if earlier is None or withheld else earlier
    if turn and not withheld:
        exchanges = (*exchanges[:-1], _running(exchanges[-1], turn))
    is_open = battle.status is BattleStatus.OPEN and not interrupted(battle) and battle.pending is None
    return BattleView(
        public_id=battle.public_id,
        status=battle.status,
        exchanges=exchanges,
        can_vote=battle.mode is Mode.BLIND and (is_open or bool(turn and turn.both_have_begun)),
        can_continue=is_open and len(battle.turns) < max_turns,
        winner=battle.winner,
        model_a=battle.model_a if battle.named else None,
        model_b=battle.model_b if battle.named and "b" in battle.models else None,
        stopped_early=stopped_early(battle),
        shared=battle.shared,
        interrupted=interrupted(battle),
        mode=battle.mode,
        failures=_failures(battle),
        vote=_vote(battle),
        can_add_images=takes_images,
        withheld=withheld,
        warned=battle.warned,
        counted=battle if battle.named and battle.winner is not None else None,
    )


def exchanges_of(battle: StoredBattle, name_masker: NameMasker) -> tuple[Exchange, ...]:
    """All turns of a stored battle as its voter sees them."""
    exchanges = tuple(_exchange(turn, name_masker) for turn in battle.turns)
    return tuple(map(_hidden, exchanges)) if battle.texts == Texts.WITHHELD else exchanges


def _hidden(exchange: Exchange) -> Exchange:
    """The exchange without its completions, both in the same way: nothing tells which of them was found."""
    nothing = {side: Shown("", CompletionStatus.STOPPED) for side in exchange.completions}
    return replace(exchange, completions=nothing)


def stopped_early(battle: StoredBattle) -> bool:
    """Whether a completion of the last turn was cut short."""
    last = battle.turns[-1].completions.values()
    return any(written.status is CompletionStatus.STOPPED for written in last)


def interrupted(battle: StoredBattle) -> bool:
    """Whether the last turn of an open battle was ended before its completions could be compared."""
    last = battle.turns[-1].completions.values()
    is_open = battle.status is BattleStatus.OPEN
    return is_open and any(written.status is CompletionStatus.ABANDONED for written in last)


def conversation(battle: StoredBattle, side: Side, urls: Mapping[str, str] | None = None) -> list[Message]:
    """The messages up to the last prompt, with this side's own completions.

    `urls` are the data URLs of images by id; without them the images are there, but empty, as for an estimate.
    """
    messages: list[Message] = []
    for turn in battle.turns:
        messages.append({"role": "user", "content": _prompt(turn, urls or {})})
        messages.append({"role": "assistant", "content": turn.completions[side].text})
    return messages[:-1]


def _prompt(turn: StoredTurn, urls: Mapping[str, str]) -> str | list[Mapping[str, Any]]:
    """The content of a message: a text, or its text and images as parts."""
    if not turn.images:
        return turn.prompt
    pictures = [{"type": "image_url", "image_url": {"url": urls.get(image.id, "")}} for image in turn.images]
    return [{"type": "text", "text": turn.prompt}, *pictures]


def _vote(battle: StoredBattle) -> VoteView | None:
    if battle.winner is not None:
        return VoteView(battle.winner, battle.reasons, not battle.for_no_board)
    if battle.pending is not None:
        return VoteView(battle.pending.winner, battle.pending.reasons, False, battle.pending.due_at)
    return None


def _failures(battle: StoredBattle) -> dict[Side, Kind]:
    if battle.status is not BattleStatus.FAILED:
        return {}
    last = battle.turns[-1].completions
    return {
        side: kind_of(written.failure)
        for side, written in last.items()
        if written.status is CompletionStatus.FAILED
    }


def _running(exchange: Exchange, turn: LiveTurn) -> Exchange:
    """Both sides run until the turn is stored: the end of the faster one would tell the models apart."""
    growing = {side: Shown(turn.visible(side), CompletionStatus.RUNNING) for side in turn.sides}
    return Exchange(
        exchange.prompt, {**exchange.completions, **growing}, exchange.number, exchange.attempt, exchange.images
    )


def _exchange(turn: StoredTurn, name_masker: NameMasker) -> Exchange:
    """A completion that is not whole may end within a name, which is hidden too."""
    texts = _released(turn)
    shown = {side: _shown(written, texts[side], name_masker) for side, written in turn.completions.items()}
    return Exchange(turn.prompt, shown, turn.number, turn.attempt, tuple(image.id for image in turn.images))


def _shown(written: Written, text: str, name_masker: NameMasker) -> Shown:
    hidden = name_masker.hide(text, whole=written.status in WHOLE)
    return Shown(hidden, written.status, written.finish_reason == CUT_OFF)


def _released(turn: StoredTurn) -> dict[Side, str]:
    """The texts; of a turn that has not come to its end cut to one length, so that their speed shows nothing."""
    texts = {side: turn.completions[side].text for side in SIDES if side in turn.completions}
    if all(written.status in NOT_ENDED for written in turn.completions.values()):
        shorter = min(map(len, texts.values()))
        return {side: text[:shorter] for side, text in texts.items()}
    return texts
