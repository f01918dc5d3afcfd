"""Limits on what visitors do and cost. Each is checked and counted in the transaction of the action that it limits."""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from arena.battles.loop_lag import LoopLag
from arena.battles.refusals import BUSY, DELETED, SIGN_IN, BattleRefused, VoteRefused
from arena.battles.turn_costs import Reservation, call_estimates, dearest_turn
from arena.battles.vote_checks import held_at_cast
from arena.config import LimitSettings
from arena.rules.limits import (
    Action,
    DayLimit,
    Limit,
    Scope,
    Spending,
    budget_refusal,
    since_midnight,
    until_midnight,
)
from arena.rules.messages import Phrase
from arena.rules.refusals import Code
from arena.serving.availability import Visitor
from arena.serving.models import Serving
from arena.store import Session
from arena.store.account_voters import is_signed_in
from arena.store.schema.battles import now
from arena.store.spending import BudgetExceeded, reserve
from arena.store.stored_battles import StoredBattle
from arena.store.usage import (
    ARENA,
    Claim,
    LimitExceeded,
    address_claims,
    count_actions,
    forget_usage,
    voter_subject,
)
from arena.store.vote_holds import NewHold
from arena.store.voter_sessions import VoterDeleted, check_not_deleted

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
        votes_need_sign_in: bool = False,
    ) -> None:
        self.serving = serving
        self.settings = settings
        self.lag = lag or LoopLag()
        self.votes_need_sign_in = votes_need_sign_in
        self._clock = clock
        self._exhausted = ""  # the last day whose budget was found used

    def is_loaded(self) -> bool:
        """Whether the event loop lags by half of what stops new turns."""
        return 0 < self.settings.lag_seconds < 2 * self.lag.average

    def check_load(self) -> None:
        """Raises `BattleRefused` while the event loop lags too much for another turn."""
        if self.settings.lag_seconds and self.lag.average > self.settings.lag_seconds:
            log.warning("The event loop lags by %.1f s, so no turn begins.", self.lag.average)
            raise BattleRefused(BUSY, code="busy")

    def check_voter(self, session: Session, voter: str) -> None:
        """Raises `BattleRefused` for a voter who was deleted while the request was on its way."""
        try:
            check_not_deleted(session, voter)
        except VoterDeleted:
            raise BattleRefused(DELETED, code="no_session") from None

    def count_turn(self, session: Session, visitor: Visitor, *, begins: bool, calls: int = 2) -> None:
        """Count a turn, which `begins` a battle or continues one, with its calls. Raises `LimitReached`."""
        actions = [Action.BATTLE, Action.TURN] if begins else [Action.TURN]
        limit = Limit(Scope.ARENA, Action.CALL, self.settings.calls_per_minute, MINUTE)
        self._count(session, visitor, actions, Claim(ARENA, limit, calls))

    def count_vote(self, session: Session, visitor: Visitor) -> None:
        """Count a vote. Raises `LimitReached`, and `VoteRefused` for a voter who has to sign in first."""
        if self.votes_need_sign_in and not is_signed_in(session, visitor.voter):
            raise VoteRefused(SIGN_IN, code="sign_in")
        self._count(session, visitor, [Action.VOTE], today=True)

    def held(self, session: Session, battle: StoredBattle, cast_at: datetime | None) -> NewHold | None:
        """Why a vote that was cast at this time (None: now) does not count, or None for one that does."""
        return held_at_cast(session, battle, self.settings, cast_at or self._clock())

    def count_report(self, session: Session, visitor: Visitor) -> None:
        """Count a report. Raises `LimitReached`."""
        self._count(session, visitor, [Action.REPORT])

    def count_appeal(self, session: Session, visitor: Visitor) -> None:
        """Count an appeal. Raises `LimitReached`."""
        self._count(session, visitor, [Action.APPEAL])

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

    def _count(
        self, session: Session, visitor: Visitor, actions: list[Action], *more: Claim, today: bool = False
    ) -> None:
        """Count the actions, by the limits of an hour, and of the day if it is for `today`."""
        at = self._clock()
        self.check_voter(session, visitor.voter)
        subject = voter_subject(visitor.voter)
        claims = [Claim(subject, limit) for limit in self._limits(Scope.VOTER, actions, at, today)]
        if visitor.address is not None:
            limits = self._limits(Scope.ADDRESS, actions, at, today)
            claims += address_claims(session, visitor.address, limits, at)
        try:
            count_actions(session, [claim for claim in (*claims, *more) if claim.limit.most], at)
        except LimitExceeded as exceeded:
            code: Code = "busy" if exceeded.limit.scope is Scope.ARENA else "limit"
            raise LimitReached(exceeded.refusal, code, exceeded.seconds) from None

    def _limits(self, scope: Scope, actions: list[Action], at: datetime, today: bool) -> list[Limit]:
        """The limits of the settings, such as `votes_per_voter` and `votes_per_voter_day`."""
        names = {action: f"{action}s_per_{scope}" for action in actions}
        limits = [Limit(scope, action, getattr(self.settings, name), HOUR) for action, name in names.items()]
        if today:
            day = [(action, getattr(self.settings, f"{name}_day")) for action, name in names.items()]
            limits += [DayLimit(scope, action, most, since_midnight(at)) for action, most in day]
        return limits
