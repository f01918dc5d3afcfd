"""Limits on what visitors do and cost. Each is checked and counted in the transaction of the action that it limits."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from arena.battles.loop_lag import LoopLag
from arena.battles.refusals import BUSY, BattleRefused
from arena.battles.turn_costs import Reservation, call_estimates, dearest_turn
from arena.config import LimitSettings
from arena.messages import Phrase
from arena.rules.limits import Action, Limit, Scope, Spending, budget_refusal, until_midnight
from arena.rules.refusals import Code
from arena.serving.availability import Visitor
from arena.serving.models import Serving
from arena.store import Session
from arena.store.schema.battles import now
from arena.store.spending import BudgetExceeded, reserve
from arena.store.stored_battles import StoredBattle
from arena.store.usage import ARENA, Claim, LimitExceeded, address_claims, count_actions, forget_usage

log = logging.getLogger(__name__)

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
NO_LIMITS = LimitSettings(**dict.fromkeys(LimitSettings.model_fields, 0))


class LimitReached(BattleRefused):
    """A limit is reached; nothing changed. After `seconds` it lifts."""

    def __init__(self, refusal: Phrase, code: Code, seconds: float) -> None:
        super().__init__(refusal, code)
        self.seconds = seconds


class VisitorLimits:
    """The limits of one server. The counts are in the store, so that replicas share them."""

    def __init__(
        self,
        serving: Serving,
        settings: LimitSettings = NO_LIMITS,
        lag: LoopLag | None = None,
        clock: Callable[[], datetime] = now,
    ) -> None:
        self.serving = serving
        self.settings = settings
        self.lag = lag or LoopLag()
        self._clock = clock
        self._exhausted = ""  # the last day whose budget was found used

    def check_load(self) -> None:
        """Raises `BattleRefused` while the event loop lags too much for another turn."""
        if self.settings.lag_seconds and self.lag.average > self.settings.lag_seconds:
            log.warning("The event loop lags by %.1f s, so no turn begins.", self.lag.average)
            raise BattleRefused(BUSY, code="busy")

    def count_turn(self, session: Session, visitor: Visitor, *, begins: bool, calls: int = 2) -> None:
        """Count a turn, which `begins` a battle or continues one, with its calls. Raises `LimitReached`."""
        actions = [Action.BATTLE, Action.TURN] if begins else [Action.TURN]
        limit = Limit(Scope.ARENA, Action.CALL, self.settings.calls_per_minute, MINUTE)
        self._count(session, visitor, actions, Claim(ARENA, limit, calls))

    def count_vote(self, session: Session, visitor: Visitor) -> None:
        """Count a vote. Raises `LimitReached`."""
        self._count(session, visitor, [Action.VOTE])

    def count_report(self, session: Session, visitor: Visitor) -> None:
        """Count a report. Raises `LimitReached`."""
        self._count(session, visitor, [Action.REPORT])

    def count_image(self, session: Session, visitor: Visitor) -> None:
        """Count an uploaded image. Raises `LimitReached`."""
        self._count(session, visitor, [Action.IMAGE])

    def reserve(self, session: Session, battle: StoredBattle) -> Reservation:
        """Reserve the most that the last turn of a battle may cost with any two models. Raises `LimitReached`."""
        at = self._clock()
        dearest = dearest_turn(self.serving, battle)
        reservation = Reservation(at.date().isoformat(), dearest, call_estimates(self.serving, battle))
        most = Spending(self.settings.tokens_per_day, self.settings.usd_per_day)
        try:
            reserve(session, reservation.day, most, reservation.most)
        except BudgetExceeded:
            if self._exhausted != reservation.day:
                self._exhausted = reservation.day
                log.warning("The budget of today (limits.tokens_per_day, limits.usd_per_day) is used.")
            seconds = until_midnight(at)
            raise LimitReached(budget_refusal(seconds), "budget", seconds) from None
        return reservation

    def forget(self, session: Session) -> int:
        """Delete what is older than a day; returns the number of counted actions deleted."""
        return forget_usage(session, self._clock())

    def _count(self, session: Session, visitor: Visitor, actions: list[Action], *more: Claim) -> None:
        at = self._clock()
        claims = [Claim(f"voter {visitor.voter}", self._limit(Scope.VOTER, action)) for action in actions]
        if visitor.address is not None:
            limits = [self._limit(Scope.ADDRESS, action) for action in actions]
            claims += address_claims(session, visitor.address, limits, at)
        try:
            count_actions(session, [claim for claim in (*claims, *more) if claim.limit.most], at)
        except LimitExceeded as exceeded:
            code: Code = "busy" if exceeded.limit.scope is Scope.ARENA else "limit"
            raise LimitReached(exceeded.refusal, code, exceeded.seconds) from None

    def _limit(self, scope: Scope, action: Action) -> Limit:
        """The limit of the settings, such as `battles_per_voter`."""
        return Limit(scope, action, getattr(self.settings, f"{action}s_per_{scope}"), HOUR)
