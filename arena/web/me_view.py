"""What `/me` and its twin in the API read of a voter."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from arena.leaderboards.cache import ResultCache
from arena.leaderboards.personal import PersonalBoard, personal_board
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


def view_voter(cache: ResultCache, voter: str, wanted: HistoryConditions) -> VoterView:
    """The view of a voter."""
    with cache.database.read() as session:
        battles, votes = battle_counts(session, voter)
        history, has_next = own_battles(session, voter, wanted)
        models, identity = own_models(session, voter), identity_of(session, voter)
    board = board_of(cache, voter)
    return VoterView(battles, votes, tuple(history), has_next, tuple(models), board, identity)


def counts_of(cache: ResultCache, voter: str) -> tuple[int, int]:
    """The number of a voter's battles, and of those with a vote."""
    with cache.database.read() as session:
        return battle_counts(session, voter)


def board_of(cache: ResultCache, voter: str) -> PersonalBoard:
    """The voter's leaderboard, computed once until a vote changes it."""
    return cache.get(("personal", voter), lambda session: personal_board(session, voter))


def battle_json(battle: OwnBattle) -> dict[str, Any]:
    """A battle of the history in JSON."""
    return {
        "battle": battle.public_id,
        "prompt": battle.prompt,
        "turns": battle.turns,
        "status": battle.status,
        "mode": battle.mode,
        "winner": battle.winner,
        "model_a": battle.model_a,
        "model_b": battle.model_b,
        "shared": battle.shared,
        "created_at": as_sealed(battle.created_at),
    }
