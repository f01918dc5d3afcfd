"""Appeals of voters whose votes do not count."""

from __future__ import annotations

from arena.battles.battle_access import BattleAccess
from arena.battles.refusals import BattleRefused
from arena.rules.messages import gettext_noop
from arena.rules.prompt_limits import clean
from arena.serving.availability import Visitor
from arena.store import Session
from arena.store.appeals import MOST_CHARACTERS, AppealedAlready, NotHeld, add_appeal

NOT_HELD = gettext_noop("There is no vote of yours on this battle that does not count. Reload the page.")
APPEALED = gettext_noop("You have appealed this already. Wait for the decision, which this page will show.")


class Appeals(BattleAccess):
    """What voters say against the state of a vote."""

    async def appeal(self, voter: str, public_id: str, text: str = "", address: str | None = None) -> None:
        """Appeal that the vote on a battle does not count: once for each time that it is held.

        Raises `BattleRefused`, `LimitReached`.
        """

        def write(session: Session) -> None:
            self._visitors.count_appeal(session, Visitor(voter, address))
            try:
                add_appeal(session, voter, public_id, clean(text).strip()[:MOST_CHARACTERS])
            except NotHeld:
                raise BattleRefused(NOT_HELD, code="not_found") from None
            except AppealedAlready:
                raise BattleRefused(APPEALED, code="wrong_status") from None

        await self._write(write)
