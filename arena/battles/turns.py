"""The turns of a battle: begun, continued, edited, stopped, and run again."""

from __future__ import annotations

from asyncio import sleep
from collections.abc import Sequence
from dataclasses import replace

from arena.battles.control_draw import Shown
from arena.battles.conversation_length import check_length
from arena.battles.image_checks import check_images, check_more_images
from arena.battles.live_turns import ReadyTurn
from arena.battles.matchmaking import TooFewModels, draw_other
from arena.battles.model_choice import models_of_battle
from arena.battles.refusals import (
    INTERRUPTED,
    NOT_STOPPED,
    OVER,
    STILL_RUNNING,
    UNDO_FIRST,
    BattleRefused,
)
from arena.battles.turn_checks import check_other_side, check_reroll, check_side, model_gone
from arena.battles.turn_starts import TurnStarts
from arena.battles.views import BattleView, interrupted
from arena.rules.modes import Mode
from arena.rules.prompt_limits import checked_prompt
from arena.rules.votes import Side
from arena.serving.availability import Visitor
from arena.store import Session
from arena.store import battles as stored
from arena.store.control_battles import add_control
from arena.store.schema.battles import BattleStatus
from arena.store.site_texts import is_suggested
from arena.store.stored_battles import StoredBattle

AGAIN_AFTER = (BattleStatus.VOTED, BattleStatus.ABANDONED)  # what is drawn then says nothing about an open battle
OPEN, FAILED = BattleStatus.OPEN, BattleStatus.FAILED


class Turns(TurnStarts):
    """Everything that makes models write, or stops them."""

    async def begin(
        self,
        voter: str,
        prompt: str,
        address: str | None = None,
        *,
        mode: Mode = Mode.BLIND,
        models: Sequence[str] = (),
        images: Sequence[str] = (),
        again: str | None = None,
        answer: str | None = None,
    ) -> BattleView:
        """Run the models of a new battle on the prompt: two drawn ones, or the `models` that the voter has chosen.

        `again`: the first prompt of that battle, and two other models. `answer`: to a challenge. Raises
        `PromptRejected`, `BattleRefused`, `ChallengeRequired`.
        """
        self._visitors.check_load()
        earlier = await self._ended(voter, again) if again else None
        if earlier:
            prompt, images = earlier.turns[0].prompt, [image.id for image in earlier.turns[0].images]
        check_images(self.serving, self.limits, images)
        prompt = checked_prompt(prompt, self.limits.max_prompt_characters)
        check_length(self.serving, (), prompt, len(images))
        pair = models_of_battle(
            self.serving, self.random, mode, models, earlier, bool(images), self.sampling.gains
        )
        visitor, calls = Visitor(voter, address), len(mode.sides)
        admitted = await self._checks.visitors.admit(visitor, answer)
        checked = await self._checked(visitor, prompt, begins=True, calls=calls)

        shown = Shown(pair)

        def write(session: Session) -> ReadyTurn:
            nonlocal shown
            if checked is None:
                self._visitors.count_turn(session, visitor, begins=True, calls=calls)
            if mode is Mode.BLIND:
                without = tuple(earlier.models.values()) if earlier else None
                shown = self._controls.draw(session, pair, voter, prompt, images=bool(images), without=without)
            battle = stored.add_battle(
                session,
                voter,
                shown.pair.model_a,
                shown.pair.model_b,
                shown.pair.probability,
                self.server,
                mode,
                suggested=is_suggested(session, prompt),
                visitor_unchecked=not admitted,
            )
            stored.add_turn(session, battle.id, prompt, images)
            self._texts.begin(session, battle.id, checked)
            if shown.control:
                add_control(session, battle.id, shown.control, shown.repeats.id if shown.repeats else None)
            return replace(self._ready(session, battle.public_id), stored=shown.completions)

        with self._running.place(voter):
            ready = await self._write_with_images(write)
            await sleep(shown.wait)
            return self._run_turn(ready, address)

    async def continue_(
        self, voter: str, public_id: str, prompt: str, address: str | None = None, *, images: Sequence[str] = ()
    ) -> BattleView:
        """Run the same models on the next prompt. Raises `PromptRejected`, `BattleRefused`."""
        check_images(self.serving, self.limits, images)
        prompt = checked_prompt(prompt, self.limits.max_prompt_characters)
        async with self._lock(public_id):
            battle = await self._settled(voter, public_id)
            if interrupted(battle):
                raise BattleRefused(INTERRUPTED, code="interrupted")
            if len(battle.turns) >= self.limits.max_turns:
                raise BattleRefused(
                    "A battle has at most {most} turns. Vote, then start a new battle.",
                    code="too_many_turns",
                    most=self.limits.max_turns,
                )
            if images:
                check_more_images(self.serving, battle, len(images))
            check_length(self.serving, battle.turns, prompt, len(images))
            before = [turn.prompt for turn in battle.turns]
            return await self._another_turn(
                battle,
                address,
                lambda session: stored.add_turn(session, battle.id, prompt, images),
                prompt=prompt,
                before=before,
            )

    async def edit(self, voter: str, public_id: str, prompt: str, address: str | None = None) -> BattleView:
        """Replace the last prompt and run the models again, also after a failure.

        Raises `PromptRejected`, `BattleRefused`.
        """
        prompt = checked_prompt(prompt, self.limits.max_prompt_characters)
        async with self._lock(public_id):
            battle = await self._settled(voter, public_id, OPEN, FAILED)
            check_length(self.serving, battle.turns[:-1], prompt, len(battle.turns[-1].images))

            def write(session: Session) -> None:
                stored.change_prompt(session, battle.id, prompt, suggested=is_suggested(session, prompt))
                stored.add_attempt(session, battle.id, battle.mode.sides)

            before = [turn.prompt for turn in battle.turns[:-1]]
            return await self._another_turn(battle, address, write, prompt=prompt, before=before)

    async def regenerate(
        self, voter: str, public_id: str, address: str | None = None, *, side: Side | None = None
    ) -> BattleView:
        """Run the models again on the last prompt, or only that of one side. Raises `BattleRefused`."""
        async with self._lock(public_id):
            battle = await self._settled(voter, public_id)
            if side is not None:
                check_side(battle, side)
                check_other_side(battle, side)
            return await self._again(battle, address, [side] if side else battle.mode.sides)

    async def retry(self, voter: str, public_id: str, address: str | None = None) -> BattleView:
        """Run the same models again after a failure. Raises `BattleRefused`."""
        async with self._lock(public_id):
            battle = await self._settled(voter, public_id, FAILED)
            return await self._again(battle, address, battle.mode.sides)

    async def reroll(self, voter: str, public_id: str, side: Side, address: str | None = None) -> BattleView:
        """Draw another model for the side that failed, and run both on the prompt. Raises `BattleRefused`."""
        async with self._lock(public_id):
            battle = await self._settled(voter, public_id, FAILED, may_lack=side)
            check_reroll(battle, side)
            failed = battle.models[side]
            kept = next(name for other, name in battle.models.items() if other != side)
            try:
                name, probability = draw_other(self._weights_for(battle), kept, failed, self.random)
            except TooFewModels:
                raise BattleRefused(
                    "No other model is available now. Try again with the same models, or start a new battle.",
                    code="too_few_models",
                ) from None
            # A control battle of one model stays one, or the voter would see the name that failed on the other side.
            sides = battle.mode.sides if battle.model_a == battle.model_b else [side]

            def write(session: Session) -> None:
                for replaced in sides:
                    stored.replace_model(session, battle.id, replaced, name, probability)

            return await self._again(battle, address, battle.mode.sides, write)

    async def stop(self, voter: str, public_id: str) -> BattleView:
        """Stop the models now and keep what is shown, also on another server. Raises `BattleRefused`.

        Where there is nothing to compare yet, the turn can only be run again. A turn that has ended stays as it is.
        """
        if live := self._running.find(public_id, voter):
            if not await self._running.stop_early(live):
                raise BattleRefused(NOT_STOPPED, code="not_saved")
            return self._view(await self._own(voter, public_id))
        battle = await self._own(voter, public_id)
        if battle.status is BattleStatus.RUNNING:
            battle = await self._stop_elsewhere(battle)
            if battle.status is BattleStatus.RUNNING:
                raise BattleRefused(NOT_STOPPED, code="not_saved")
        return self._view(battle)

    async def _ended(self, voter: str, public_id: str) -> StoredBattle:
        """The voter's battle, whose prompt may be given to other models. Raises `BattleRefused`."""
        battle = await self._own(voter, public_id)
        if battle.mode is Mode.BLIND and battle.status not in AGAIN_AFTER:
            raise BattleRefused("Vote on this battle first, or leave it.", code="wrong_status")
        return battle

    async def _settled(
        self,
        voter: str,
        public_id: str,
        *statuses: BattleStatus,
        may_lack: Side | None = None,
    ) -> StoredBattle:
        """The voter's own battle with one of these statuses, by default open. Raises `BattleRefused`.

        Its models are still served; the one on the side `may_lack` need not be.
        """
        if self._running.find(public_id, voter):
            raise BattleRefused(STILL_RUNNING, code="still_running")
        await self._texts.settled(public_id)
        battle = await self._own(voter, public_id)
        if battle.status is BattleStatus.RUNNING:
            raise BattleRefused(STILL_RUNNING, code="still_running")
        if battle.status not in (statuses or (OPEN,)):
            raise BattleRefused(OVER, code="wrong_status")
        if battle.pending is not None:
            raise BattleRefused(UNDO_FIRST, code="already_voted")
        needed = {name for side, name in battle.models.items() if side != may_lack}
        if not needed <= self.serving.models.keys():
            votable = battle.mode is Mode.BLIND and battle.status is OPEN and not interrupted(battle)
            raise model_gone(can_vote=votable)
        return battle
