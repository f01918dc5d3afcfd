"""What `/me` and its twin in the API read of a voter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from arena.leaderboards.cache import ResultCache
from arena.leaderboards.personal import PersonalBoard, personal_board
from arena.rules.vote_states import VoteState, sentence_of
from arena.store.account_voters import LinkedAccount, linked_account
from arena.store.appeals import OwnHold, held_battles, own_holds, released_appeals, released_votes
from arena.store.ledger import as_sealed
from arena.store.voter_history import (
    HISTORY_RESULTS,
    HistoryConditions,
    OwnBattle,
    battle_counts,
    own_battles,
    own_models,
)
from arena.store.voter_sessions import Identity, identity_of
from arena.web.locales import gettext as _
from arena.web.search_parameters import SearchParameters


class HistoryParameters(SearchParameters):
    """The parameters of the history."""

    @property
    def conditions(self) -> HistoryConditions:
        """The search."""
        return HistoryConditions(self.q, self.model, self.result(HISTORY_RESULTS), self.page)


@dataclass(frozen=True)
class VoterView:
    """A voter's page: counts, a page of battles, the personal board, and the ways to the voter."""

    battles: int = 0
    votes: int = 0
    history: tuple[OwnBattle, ...] = ()
    has_next: bool = False
    models: tuple[str, ...] = ()
    board: PersonalBoard = field(default_factory=PersonalBoard)
    identity: Identity = field(default_factory=Identity)
    holds: Mapping[str, OwnHold] = field(default_factory=dict)  # of the page of battles, by public id
    followed: Mapping[str, str] = field(default_factory=dict)  # why votes count again after an appeal, likewise
    released: frozenset[str] = frozenset()  # of the page, those whose votes were quarantined and count again
    not_counted: int = 0
    account: LinkedAccount | None = None


def view_voter(cache: ResultCache, voter: str, wanted: HistoryConditions) -> VoterView:
    """The view of a voter."""
    with cache.database.read() as session:
        battles, votes = battle_counts(session, voter)
        history, has_next = own_battles(session, voter, wanted)
        models, identity = own_models(session, voter), identity_of(session, voter)
        account = linked_account(session, voter)
        shown = [battle.public_id for battle in history]
        holds, followed = own_holds(session, shown), released_appeals(session, shown)
        released = frozenset(released_votes(session, shown))
        not_counted = len(held_battles(session, voter))
    board = board_of(cache, voter)
    found = tuple(history), has_next, tuple(models)
    return VoterView(battles, votes, *found, board, identity, holds, followed, released, not_counted, account)


def counts_of(cache: ResultCache, voter: str) -> tuple[int, int]:
    """The number of a voter's battles, and of those with a vote."""
    with cache.database.read() as session:
        return battle_counts(session, voter)


def board_of(cache: ResultCache, voter: str) -> PersonalBoard:
    """The voter's leaderboard, computed once until a vote changes it."""
    return cache.get(("personal", voter), lambda session: personal_board(session, voter))


def battle_json(battle: OwnBattle, hold: OwnHold | None = None, *, released: bool = False) -> dict[str, Any]:
    """A battle of the history in JSON, with the state of the vote."""
    state = None
    if battle.winner is not None and hold is not None:
        state = {"state": hold.state, **hold_json(hold)}
    elif battle.winner is not None:
        state = {"state": VoteState.RELEASED if released else VoteState.ACCEPTED}
    return {
        "battle": battle.public_id,
        "prompt": battle.prompt,
        "turns": battle.turns,
        "status": battle.status,
        "mode": battle.mode,
        "winner": battle.winner,
        "vote": state,
        "model_a": battle.model_a,
        "model_b": battle.model_b,
        "shared": battle.shared,
        "created_at": as_sealed(battle.created_at),
    }


def hold_json(hold: OwnHold) -> dict[str, Any]:
    """Why a vote does not count, and what became of the appeal."""
    appeal = {"decision": hold.decision, "why": hold.why} if hold.appealed else None
    return {"reason": hold.reason, "sentence": _(sentence_of(hold.state, hold.reason)), "appeal": appeal}
