"""Reports of battles to the operator."""

from __future__ import annotations

from arena.battles.battle_access import BattleAccess
from arena.battles.refusals import NOT_YOURS, BattleRefused
from arena.rules.prompt_limits import clean
from arena.rules.reports import MOST_CHARACTERS, ReportKind
from arena.serving.availability import Visitor
from arena.store import Session, shared_battles
from arena.store.reports import add_report


class Reports(BattleAccess):
    """What voters report."""

    async def report(
        self, voter: str, public_id: str, kind: str, text: str = "", address: str | None = None
    ) -> None:
        """Report a battle that this visitor may read: their own, or a shared one.

        Raises `BattleRefused`, `LimitReached`.
        """
        if kind not in tuple(ReportKind):
            raise BattleRefused(
                "{kind} is not a kind of report. Choose one of {kinds}.",
                code="bad_value",
                kind=repr(kind[:40]),
                kinds=", ".join(ReportKind),
            )

        def write(session: Session) -> None:
            self._visitors.count_report(session, Visitor(voter, address))
            readable = shared_battles.may_read(session, public_id, voter, judged=False)
            number = shared_battles.battle_id(session, public_id) if readable else None
            if number is None:
                raise BattleRefused(NOT_YOURS, code="not_found")
            add_report(session, number, voter, kind, clean(text).strip()[:MOST_CHARACTERS])

        await self._write(write)
