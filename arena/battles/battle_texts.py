"""The texts of battles are checked: a prompt before the models get it, completions when a turn is stored.

The stream waits for nothing. A vote and the next turn wait for a running check, as long as the settings allow; after that
the vote is pending until the check has succeeded, here, on another server, or later.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import timedelta

from arena.battles.refusals import CHECK_DOWN, BattleRefused
from arena.battles.turn_saver import Write
from arena.errors import DatabaseError
from arena.moderation.rules_text import read_rules
from arena.moderation.text_checks import TOO_LONG, Checked, Kind, TextChecks
from arena.rules.messages import gettext_noop
from arena.rules.prompt_limits import PromptRejected
from arena.rules.text_checks import Action
from arena.store import Database, Session
from arena.store import text_checks as stored
from arena.store.stored_battles import StoredBattle
from arena.store.text_rules import SavedRules, saved_rules

log = logging.getLogger(__name__)

AGAIN_AFTER = timedelta(seconds=30)  # since the last change of a battle: its own server may still check it
REFUSED = gettext_noop(
    "This prompt does not follow the rules of this arena, so it was not sent to the models. Change it, and send it again."
)
UNCHECKABLE = gettext_noop("This prompt is too long for the check of this arena. Shorten it.")


class BattleTexts:
    """Checks of the texts of this server's battles; without `checks` nothing happens. One event loop."""

    def __init__(
        self,
        checks: TextChecks | None,
        database: Database,
        write: Write,
        withheld: Callable[[str], None] = lambda _battle: None,
    ) -> None:
        self._database = database
        self._checks = checks
        self._write = write
        self._withheld = withheld  # called with the battle whose texts must not be shown
        self._running: dict[str, asyncio.Task[None]] = {}
        self._version = 0  # of the saved rules
        self._after = 0  # the last battle that was tried again

    @property
    def checks_prompts(self) -> bool:
        """Whether prompts are checked."""
        return self._checks is not None and self._checks.checks("prompt")

    async def prompt(self, text: str, before: Sequence[str] = ()) -> Checked:
        """The result for a prompt, after those `before` in its conversation.

        Raises `PromptRejected`, and `BattleRefused` if it has to be checked and cannot be.
        """
        assert self._checks is not None
        checked = await self._checks.check_prompt(text, before)
        if checked.blocked:
            log.info("A prompt was refused for %s.", ", ".join(checked.finding.found if checked.finding else ()))
            raise PromptRejected(REFUSED, code="prompt_rejected")
        if checked.failure == TOO_LONG:  # which is no outage: nothing may pass by its length
            raise PromptRejected(UNCHECKABLE, code="prompt_too_long")
        if checked.finding is None and self._checks.settings.when_down == "refuse":
            raise BattleRefused(CHECK_DOWN, code="busy")
        return checked

    def begin(self, session: Session, battle_id: int, prompt: Checked | None = None) -> None:
        """Note that a turn begins, in its transaction, with the result for its prompt."""
        if self._checks is not None:
            warned = bool(prompt and prompt.finding and prompt.finding.action is Action.WARN)
            result = stored_check(prompt) if prompt else None
            stored.begin_checks(session, battle_id, result, self._kinds, warned)

    def ended(self, battle: StoredBattle) -> None:
        """Check the completions of a turn that is stored, in the background."""
        if self._checks is not None:
            self._start(battle.id, battle.public_id)

    async def settled(self, public_id: str) -> None:
        """Wait until the texts of a battle are checked, as long as a vote waits at most."""
        task = self._running.get(public_id)
        if task is not None and self._checks is not None:
            await asyncio.wait([task], timeout=self._checks.settings.vote_wait)

    def is_checking(self, public_id: str) -> bool:
        """Whether a check of the battle runs here."""
        return public_id in self._running

    async def use_saved_rules(self) -> None:
        """Apply the newest rules that an operator has saved, or those of the settings where none are."""
        checks = self._checks
        if checks is None:
            return
        saved = await asyncio.to_thread(self._saved_rules)
        if saved.version != self._version:
            checks.use(read_rules(saved.rules) if saved.rules else checks.of_settings())
            self._version = saved.version
            log.info("Version %d of the rules for texts applies (%s).", saved.version, checks.version)

    def _saved_rules(self) -> SavedRules:
        with self._database.read() as session:
            return saved_rules(session)

    async def retry(self) -> int:
        """Check texts that could not be checked, some at a time; returns the number of their battles. Call it often."""
        if self._checks is None:
            return 0
        found = await self._write(lambda session: stored.battles_to_check(session, self._after, AGAIN_AFTER))
        self._after = found[-1][0] if found else 0
        for number, public_id in found:
            if public_id in self._running:
                continue
            if not await self._check(number, public_id):
                break  # the checker does not answer: the others would wait in vain
        return len(found)

    async def close(self) -> None:
        """End the running checks; the battles stay unchecked, and are tried again."""
        tasks = list(self._running.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def _kinds(self) -> stored.CheckedKinds:
        assert self._checks is not None
        return stored.CheckedKinds(self._checks.checks("prompt"), self._checks.checks("completion"))

    def _start(self, number: int, public_id: str) -> None:
        earlier = self._running.get(public_id)
        task = asyncio.create_task(self._after_earlier(earlier, number, public_id))
        self._running[public_id] = task
        task.add_done_callback(lambda done: self._done(public_id, done))

    async def _after_earlier(self, earlier: asyncio.Task[None] | None, number: int, public_id: str) -> None:
        if earlier is not None:
            await asyncio.wait([earlier])
        try:
            await self._check(number, public_id)
        except DatabaseError as error:
            log.warning("The check of battle %d could not be saved, and is repeated later: %s", number, error)

    def _done(self, public_id: str, task: asyncio.Task[None]) -> None:
        if self._running.get(public_id) is task:
            del self._running[public_id]
        if not task.cancelled() and (error := task.exception()):
            log.error("The check of battle %s failed. It is repeated later.", public_id, exc_info=error)

    async def _check(self, number: int, public_id: str) -> bool:
        """Check what is not checked of a battle; returns whether the checker gave any answer."""
        checks, kinds = self._checks, self._kinds
        assert checks is not None
        texts = await self._write(lambda session: stored.texts_to_check(session, number, kinds))
        asked: Sequence[tuple[Kind, str]] = [
            ("prompt" if key.side == stored.PROMPT else "completion", text) for key, text in texts.items()
        ]
        results = dict(zip(texts, await checks.check(asked) if asked else [], strict=True))
        saved = {key: stored_check(checked) for key, checked in results.items()}
        state = await self._write(lambda session: stored.save_checks(session, number, saved, kinds))
        if state is stored.Texts.WITHHELD:
            self._withheld(public_id)
        return not results or any(checked.finding is not None for checked in results.values())


def stored_check(checked: Checked) -> stored.StoredCheck:
    """A result as it is stored: scores and categories, never the text."""
    return stored.StoredCheck(
        action=checked.finding.action.word if checked.finding else None,
        scores=checked.scores.scores,
        found=tuple(checked.finding.found) if checked.finding else (),
        failure=checked.failure,
        backend=checked.backend,
        version=checked.version,
    )
