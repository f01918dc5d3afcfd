"""Seals: each holds the hash of the votes since the last one, and the leaderboards of all votes up to then."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from arena.exchange.sealed_columns import column_hashes
from arena.leaderboards.vote_counts import VoteCounts, add_stored, board_in_seal
from arena.leaderboards.vote_filters import EVERY, Filter, find_filter
from arena.rules.seals import GENESIS, Seal, SealedVote, Tree
from arena.rules.set_aside import AsideVotes
from arena.store import Database, Session
from arena.store.ledger import (
    SealExists,
    add_seal,
    as_sealed,
    block_new_votes,
    last_seal,
    sealed_votes,
)
from arena.store.models import model_names
from arena.store.query_filters import VoteSelection
from arena.store.schema.battles import now
from arena.store.sealed_columns import fixed_columns
from arena.store.set_aside import asides
from arena.store.votes import last_vote_id

Stated = list[Mapping[str, Any]] | None  # what does not count, as a seal has it
BATCH = 20_000  # votes in one seal: a third of a second to hash; a change can be located to one batch


@dataclass
class SealingResult:
    """The new seals of a run, and the newest seal of all."""

    new: list[Seal] = field(default_factory=list)
    last: Seal | None = None


def seal(database: Database, filter_version: str = EVERY, *, batch: int = BATCH) -> SealingResult:
    """Seal the votes that are not sealed yet, `batch` at a time; without new votes nothing is written.

    A filter that differs from that of the last seal gets a seal, without votes if there are no new ones, and so do other
    votes that do not count. Concurrent runs are safe: each number is added once, and the other run continues from
    there. Raises `ConfigError` for an unknown filter.
    """
    chosen = find_filter(filter_version)
    newest = _newest_committed_vote(database)
    result = SealingResult()
    with database.read() as session:
        result.last = last_seal(session)
        start = result.last.last_vote if result.last else 0
        aside = asides(session)
        stated: Stated = [row.to_dict() for row in aside] or None
        if newest <= start and _states(result.last, filter_version, stated):
            return result
        counts, is_counted = _sealed_counts(session, chosen, start, AsideVotes(aside))
        votes = sealed_votes(session, start, VoteSelection(until=newest))
        models = model_names(session)
        while True:
            unsealed = list(islice(votes, batch))
            if not unsealed and result.last is not None and _states(result.last, filter_version, stated):
                return result
            counts.add(vote for vote in unsealed if is_counted(vote))
            columns = column_hashes(_fixed(session, unsealed))
            made = _seal(result.last, unsealed, filter_version, counts, models, columns, stated)
            try:
                with database.write() as writing:
                    add_seal(writing, made)
            except SealExists:
                break  # another run has sealed these
            result.new.append(made)
            result.last = made
    rest = seal(database, filter_version, batch=batch)
    return SealingResult(result.new + rest.new, rest.last)


def _states(last: Seal | None, filter_version: str, aside: Stated) -> bool:
    """Whether the boards of the last seal follow from the same rules; without a seal there is nothing to state."""
    return last is None or (last.filter, last.set_aside) == (filter_version, aside)


def _newest_committed_vote(database: Database) -> int:
    """The newest vote; every vote with a lower number is committed."""
    with database.write() as session:
        block_new_votes(session)
        return last_vote_id(session)


def _sealed_counts(
    session: Session, chosen: Filter, until: int, aside: AsideVotes
) -> tuple[VoteCounts, Callable[[SealedVote], bool]]:
    """The counts of the sealed votes, and whether a next vote is counted."""
    counts, passes = VoteCounts(), chosen.start()

    def is_counted(vote: SealedVote) -> bool:
        return passes(vote) and vote not in aside  # the filter sees every vote

    if chosen.version == EVERY:
        add_stored(session, counts, VoteSelection(until=until))
    elif until:
        counts.add(
            vote for vote in sealed_votes(session, selection=VoteSelection(until=until)) if is_counted(vote)
        )
    return counts, is_counted


def _fixed(session: Session, votes: list[SealedVote]) -> Iterator[dict[str, Any]]:
    """The published columns of a batch of votes that no leaf has."""
    return fixed_columns(session, votes[0].vote - 1, votes[-1].vote) if votes else iter(())


def _seal(
    before: Seal | None,
    votes: list[SealedVote],
    filter_version: str,
    counts: VoteCounts,
    models: list[str],
    columns: dict[str, str],
    aside: Stated,
) -> Seal:
    tree = Tree()
    for vote in votes:
        tree.add(vote.leaf())
    start = before.last_vote if before else 0
    return Seal(
        number=before.number + 1 if before else 1,
        previous=before.sha256 if before else GENESIS,
        first_vote=votes[0].vote if votes else start + 1,
        last_vote=votes[-1].vote if votes else start,
        votes=tree.leaves,
        root=tree.root(),
        filter=filter_version,
        sealed_at=as_sealed(now()),
        boards=list(sealed_boards(counts, models)),
        columns=columns,
        set_aside=aside,
    )


def sealed_boards(counts: VoteCounts, models: list[str]) -> Iterator[dict[str, object]]:
    """The leaderboards that a seal stores: people, judges, all, and each judge."""
    for source in counts.sources:
        yield board_in_seal(counts.leaderboard(source, models), source)
