"""The start of a turn: what is written and reserved in one transaction, and then run."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Sequence

from arena.battles.battle_access import BattleAccess
from arena.battles.conversation_length import check_length
from arena.battles.live_turns import ReadyTurn, RunningTurn
from arena.battles.refusals import CHANGED, IMAGE_GONE, UNDO_FIRST, BattleRefused
from arena.battles.views import BattleView
from arena.moderation.text_checks import Checked
from arena.rules.votes import Side
from arena.serving.availability import Visitor
from arena.store import Session, running_turns
from arena.store import battles as stored
from arena.store.images import NoSuchImage, StoredImage, contents_of_battle
from arena.store.pending_votes import VotePending
from arena.store.stored_battles import StoredBattle, find_changed


class TurnStarts(BattleAccess):
    """What all changes that make models write have in common."""

    async def _again(
        self,
        battle: StoredBattle,
        address: str | None,
        sides: Sequence[Side],
        change: Callable[[Session], None] = lambda _session: None,
    ) -> BattleView:
        """Write a change and run these sides again on the last prompt."""
        last = battle.turns[-1]
        check_length(self.serving, battle.turns[:-1], last.prompt, len(last.images))

        def write(session: Session) -> None:
            change(session)
            stored.add_attempt(session, battle.id, sides)

        return await self._another_turn(battle, address, write, calls=len(sides))

    async def _another_turn(
        self,
        battle: StoredBattle,
        address: str | None,
        write: Callable[[Session], None],
        calls: int | None = None,
        prompt: str | None = None,
        before: Sequence[str] = (),
    ) -> BattleView:
        """Write the change to a battle and start its next turn, on another `prompt` if there is one, after those `before`.

        Raises `PromptRejected`, `BattleRefused`.
        """
        self._visitors.check_load()
        calls, visitor = calls or len(battle.mode.sides), Visitor(battle.voter, address)
        checked = (
            await self._checked(visitor, prompt, begins=False, calls=calls, before=before) if prompt else None
        )

        def begin(session: Session) -> ReadyTurn:
            if checked is None:
                self._visitors.count_turn(session, visitor, begins=False, calls=calls)
            running_turns.take(session, battle.id, self.server, battle.status)
            write(session)
            self._texts.begin(session, battle.id, checked)
            return self._ready(session, battle.public_id)

        with self._running.place(battle.voter):
            try:
                return self._run_turn(await self._write_with_images(begin), address)
            except stored.WrongStatus:
                raise BattleRefused(CHANGED, code="wrong_status") from None
            except VotePending:
                raise BattleRefused(UNDO_FIRST, code="already_voted") from None

    async def _checked(
        self, visitor: Visitor, prompt: str, *, begins: bool, calls: int, before: Sequence[str] = ()
    ) -> Checked | None:
        """The result of the check of a prompt, whose turn then counts already; None where prompts are not checked.

        A refused prompt counts too, so that nobody lets the arena check texts without end. Raises `PromptRejected`,
        `BattleRefused`.
        """
        if not self._texts.checks_prompts:
            return None
        await self._write(lambda session: self._visitors.count_turn(session, visitor, begins=begins, calls=calls))
        return await self._texts.prompt(prompt, before)

    def _ready(self, session: Session, public_id: str) -> ReadyTurn:
        """The turn that this transaction has as running, with all that its start needs. Raises `LimitReached`."""
        battle = find_changed(session, public_id)
        reservation = self._visitors.reserve(session, battle)
        if not any(turn.images for turn in battle.turns):
            return ReadyTurn(battle, reservation)
        contents = contents_of_battle(session, battle.id)
        images = (image for turn in battle.turns for image in turn.images)
        return ReadyTurn(battle, reservation, {image.id: _data_url(image, contents[image.id]) for image in images})

    async def _write_with_images(self, write: Callable[[Session], ReadyTurn]) -> ReadyTurn:
        """The turn that `write` begins. Raises `BattleRefused`."""
        try:
            return await self._write(write)
        except NoSuchImage:
            raise BattleRefused(IMAGE_GONE, code="image_rejected") from None

    def _weights_for(self, battle: StoredBattle) -> dict[str, float]:
        """The weights of the available models that can take the turns of this battle."""
        return self.serving.available_weights(any(turn.images for turn in battle.turns))

    def _run_turn(self, ready: ReadyTurn, address: str | None) -> BattleView:
        """Start the turn that the store has as running."""
        live: RunningTurn = self._running.start(ready, address)
        return self._view(ready.battle, live)


def _data_url(image: StoredImage, content: bytes) -> str:
    return f"data:{image.media_type};base64,{b64encode(content).decode('ascii')}"
