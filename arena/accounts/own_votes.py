"""Nobody releases a vote of their own: what an operator or a user of the terminal may release, and what is refused."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from arena.accounts.audit import FEW, record, target_of_votes
from arena.rules.messages import gettext_noop
from arena.rules.roles import Actor
from arena.store import Session
from arena.store.account_voters import voters_of
from arena.store.accounts import find_account
from arena.store.held_votes import votes_cast_by

ALL_OWN = gettext_noop("These votes are your own, and stay held. Another operator has to release them.")


@dataclass(frozen=True)
class Releasable:
    """Votes of others, which may be released, and those of who decides, which may not."""

    others: Sequence[int]
    own: Sequence[int]

    def record_refusal(self, session: Session, actor: Actor, reason: str) -> None:
        """Add an entry to the audit trail that own votes were not released, if there are any."""
        if self.own:
            details = {"votes": len(self.own), "first": list(self.own[:FEW])}
            target = target_of_votes(self.own)
            record(session, actor, "vote.release_refused", target, reason=reason, details=details)


def releasable(session: Session, vote_ids: Sequence[int], own_voters: Collection[str]) -> Releasable:
    """The votes by whether one of `own_voters`, the voters of who decides, cast them."""
    own = votes_cast_by(session, vote_ids, own_voters)
    return Releasable(sorted(set(vote_ids).difference(own)), own)


def voters_of_name(session: Session, name: str) -> Sequence[str]:
    """The voters of the account with a name; none for a user of the terminal who has no account."""
    account = find_account(session, name)
    return () if account is None else voters_of(session, account.id or 0)
