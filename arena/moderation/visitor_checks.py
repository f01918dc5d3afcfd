"""Whether a visitor who begins a battle is a person: a challenge now and then, and a pass after it.

A check has three results: passed, failed, and not possible, as when a third party does not answer. After the third one
the battle begins, unless `challenge.when_down` refuses it, and its vote waits until the visitor has passed a challenge.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from arena.config.challenge import ChallengeSettings
from arena.rules.messages import gettext_noop
from arena.rules.proof_of_work import WrongAnswer
from arena.rules.refusals import Code, Refusal
from arena.serving.availability import Visitor
from arena.store import Database, Session, visitor_passes
from arena.store.schema.battles import now
from arena.store.text_checks import confirm_visitor

log = logging.getLogger(__name__)

REQUIRED = gettext_noop(
    "Before this battle the arena checks that you are a person. "
    "Solve the challenge, and send the request again with the answer."
)
FAILED = gettext_noop(
    "The answer to the challenge is wrong, was used already, or came too late. Solve the new one."
)
UNAVAILABLE = gettext_noop("The check that you are a person does not work at the moment. Try again in a minute.")

T = TypeVar("T")


class ChallengeRequired(Refusal):
    """A battle begins only with an answer to the `challenge`."""

    def __init__(self, text: str, /, code: Code, challenge: Mapping[str, Any]) -> None:
        super().__init__(text, code=code)
        self.challenge = challenge


class CheckUnavailable(Exception):
    """The answer could be neither accepted nor refused."""


class Challenges(Protocol):
    """One kind of challenge."""

    async def new(self, visitor: Visitor) -> Mapping[str, Any]:
        """A challenge for the visitor, as JSON."""
        ...

    async def check(self, visitor: Visitor, answer: str) -> Spend:
        """What the transaction of the pass has to do. Raises `WrongAnswer`, `CheckUnavailable`."""
        ...

    async def close(self) -> None:
        """Close connections."""
        ...


Spend = Callable[[Session], bool]  # returns whether the answer was not used before


class VisitorCheck(Protocol):
    """What battles know of the check."""

    async def admit(self, visitor: Visitor, answer: str | None) -> bool:
        """Admit a visitor to one battle; returns whether they were checked. Raises `ChallengeRequired`, `Refusal`."""
        ...


class EveryoneAdmitted:
    """No check: nothing is asked, computed or stored."""

    async def admit(self, visitor: Visitor, answer: str | None) -> bool:
        return True


@dataclass(frozen=True)
class PassCheck:
    """A challenge before the first battle of a visitor, and again after some battles or hours."""

    database: Database
    settings: ChallengeSettings
    challenges: Challenges
    clock: Callable[[], datetime] = now

    async def admit(self, visitor: Visitor, answer: str | None) -> bool:
        if answer:
            await self._redeem(visitor, answer)
        checked = await self._write(lambda session: visitor_passes.use_pass(session, visitor.voter, self.clock()))
        if checked is None:
            raise ChallengeRequired(REQUIRED, "challenge_required", await self.challenges.new(visitor))
        return checked

    async def forget(self) -> None:
        """Delete what has expired."""
        await self._write(lambda session: visitor_passes.forget_passes(session, self.clock()))

    async def _redeem(self, visitor: Visitor, answer: str) -> None:
        try:
            spend = await self.challenges.check(visitor, answer)
            if not await self._write(lambda session: self._granted(session, visitor.voter, spend)):
                raise WrongAnswer("used before")
        except WrongAnswer as error:
            log.info("The answer to a challenge was refused: %s.", error)
            raise ChallengeRequired(FAILED, "challenge_failed", await self.challenges.new(visitor)) from None
        except CheckUnavailable as error:
            log.warning("Visitors cannot be checked: %s", error)
            if self.settings.when_down == "refuse":
                raise Refusal(UNAVAILABLE, code="busy") from None
            await self._write(lambda session: self._grant(session, visitor.voter, 1, checked=False))

    def _granted(self, session: Session, voter: str, spend: Spend) -> bool:
        if not spend(session):
            return False
        self._grant(session, voter, self.settings.battles, checked=True)
        confirm_visitor(session, voter)
        return True

    def _grant(self, session: Session, voter: str, battles: int, *, checked: bool) -> None:
        at = self.clock()
        until = at + timedelta(hours=self.settings.hours)
        visitor_passes.grant_pass(session, voter, battles, at, until, checked=checked)

    async def _write(self, work: Callable[[Session], T]) -> T:
        def run() -> T:
            with self.database.write() as session:
                return work(session)

        return await asyncio.to_thread(run)
