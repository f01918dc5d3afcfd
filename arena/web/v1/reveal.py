"""The reveal after a vote: a card for each model, and how others have voted on these two."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from typing import Any

import ratings
from arena.battles.views import BattleView
from arena.errors import DatabaseUnavailable
from arena.leaderboards.model_facts import Facts
from arena.leaderboards.query import BoardChoice
from arena.rules.model_states import is_private
from arena.rules.receipts import voters_receipt
from arena.rules.votes import Side
from arena.store.ledger import voters_vote
from arena.store.pair_votes import votes_on_pair
from arena.store.stored_battles import StoredBattle
from arena.store.votes import PairVotes
from arena.web.board_view import CachedBoards
from arena.web.rendering import model_link

log = logging.getLogger(__name__)

Document = dict[str, Any]
REST = 100.0  # the ratings on the cards take 1 % of a core at most: a busy arena fits one board for many votes
LEAST = 1.0  # seconds: nor do the votes of a busy second each fit one, where a board is small
OWN = {"model_a": "a", "model_b": "b", "tie": "ties", "both_bad": "both_bad"}


def reveal_of(boards: CachedBoards, view: BattleView) -> Document | None:
    """The reveal of a battle whose vote counts; `None` before, and while the database is out: the vote is saved already."""
    battle = view.counted
    if battle is None:
        return None
    try:
        published = boards.find(BoardChoice(), rest=REST, least=LEAST)
        facts = boards.facts(least=LEAST)
        with boards.cache.database.read() as session:
            pair = votes_on_pair(session, battle.model_a, battle.model_b)
            vote = voters_vote(session, battle.id)
    except DatabaseUnavailable as outage:
        log.warning("The reveal of a battle has no cards: %s", outage)
        return None
    control = vote.control if vote else None
    rows = {row.model: row for row in published.board.rows} if published else {}
    sides: dict[Side, str] = battle.models
    return {
        **{side: _card(battle, side, facts.get(name, Facts()), rows.get(name)) for side, name in sides.items()},
        "others": _others(pair, view.winner if view.vote and view.vote.counts else None),
        "control": control,
        "receipt": voters_receipt(vote) if vote else None,
    }


def _others(pair: PairVotes, own: str | None) -> Document:
    """The votes on this pair without the voter's `own`, if that counts among them."""
    counts = {"a": pair.wins, "b": pair.losses, "ties": pair.ties, "both_bad": pair.both_bad}
    if own is not None:
        counts[OWN[own]] = max(0, counts[OWN[own]] - 1)
    return {"votes": sum(counts.values()), **counts}


def _card(battle: StoredBattle, side: Side, facts: Facts, row: ratings.Row | None) -> Document:
    completions = [turn.completions[side] for turn in battle.turns]
    tokens = _sum([written.completion_tokens for written in completions])
    energy = facts.energy * tokens / 1000 if facts.energy is not None and tokens is not None else None
    name = battle.models[side]
    return {
        "model": name,
        "page": None if is_private(name) else model_link(name),
        "organisation": facts.organisation,
        "licence": facts.licence,
        "price_in": facts.prompt_price,
        "price_out": facts.completion_price,
        "seconds": _sum([written.seconds for written in completions]),
        "first_token_seconds": completions[-1].first_token_seconds,
        "tokens": tokens,
        "energy_wh": energy,
        "rating": _finite(row.rating if row else None),
        "lower": _finite(row.lower if row else None),
        "upper": _finite(row.upper if row else None),
        "rank": row.rank if row else None,
        "battles": row.battles if row else 0,
        "url": facts.url,
    }


def _sum(values: Sequence[float | int | None]) -> Any:
    """The sum, if every value is known."""
    return None if None in values else sum(value for value in values if value is not None)


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None
