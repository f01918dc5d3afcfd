"""Which voters somebody with an account is: those of the account, and the one of the browser in which it is open."""

from __future__ import annotations

from fastapi import Request

from arena.store import Session
from arena.store.account_voters import same_person, voters_of
from arena.web.session import COOKIE, voter_of


def own_voters(request: Request, session: Session, account: int) -> frozenset[str]:
    """The voters whose battles and appeals this account must not decide. A password leads to no voter, its browser does."""
    here = voter_of(request.cookies.get(COOKIE))
    return frozenset((*voters_of(session, account), *(same_person(session, here) if here else ())))
