"""Sealing: the votes since the last seal become the next ones, with the boards that follow from all of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice

import ratings
from arena.leaderboards.tallies import Tally, board_in_seal
from arena.leaderboards.vote_filters import EVERY, Filter, find_filter
from arena.rules.seals import GENESIS, Seal, SealedVote, Tree
from arena.store import Database, Session
from arena.store.ledger import (
    SealExists,
    add_seal,
    as_sealed,
    hold_votes,
    last_seal,
    last_vote_id,
    sealed_votes,
    vote_counts,
)
from arena.store.models import model_names
from arena.store.query_filters import VoteSelection
from arena.store.schema.battles import now

BATCH = 20_000  # votes in one seal: a third of a second to hash, and how finely a change can be told


@dataclass
class Sealed:
    """What a run came to: its new seals, and the newest of all."""

    new: list[Seal] = field(default_factory=list)
    last: Seal | None = None


def seal(database: Database, version: str = EVERY, *, batch: int = BATCH) -> Sealed:
    """Seal the votes that no seal holds yet, `batch` at a time; when nothing is new, nothing is written.

    A filter other than that of the last seal is something new: it gets a seal, if need be one without votes.
    Several may run at once: of two, one gets each number, and the other goes on from there. Raises
    `ConfigError` for an unknown filter.
    """
    chosen = find_filter(version)
    newest = _settled(database)
    done = Sealed()
    with database.read() as session:
        done.last = last_seal(session)
        start = done.last.last_vote if done.last else 0
        if newest <= start and (done.last is None or done.last.filter == version):
            return done
        tally, counts = _so_far(session, chosen, start)
        votes = sealed_votes(session, start, VoteSelection(until=newest))
        models = model_names(session)
        while True:
            some = list(islice(votes, batch))
            if not some and done.last is not None and done.last.filter == version:
                return done
            tally.add(vote for vote in some if counts(vote))
            made = _seal(done.last, some, version, tally, models)
            try:
                with database.write() as writing:
                    add_seal(writing, made)
            except SealExists:
                break  # another run has sealed these
            done.new.append(made)
            done.last = made
    rest = seal(database, version, batch=batch)
    return Sealed(done.new + rest.new, rest.last)


def _settled(database: Database) -> int:
    """The newest vote of which it is sure that none before it is still to come."""
    with database.write() as session:
        hold_votes(session)
        return last_vote_id(session)


def _so_far(session: Session, chosen: Filter, until: int) -> tuple[Tally, Callable[[SealedVote], bool]]:
    """What counts of the votes that are sealed already, and the filter ready for the next one."""
    tally, counts = Tally(), chosen.start()
    if chosen.version == EVERY:
        tally.add_counts(
            vote_counts(session, VoteSelection(until=until))
        )  # the database counts faster than we read
    elif until:
        tally.add(vote for vote in sealed_votes(session, selection=VoteSelection(until=until)) if counts(vote))
    return tally, counts


def _seal(before: Seal | None, votes: list[SealedVote], version: str, tally: Tally, models: list[str]) -> Seal:
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
        filter=version,
        sealed_at=as_sealed(now()),
        boards=list(sealed_boards(tally, models)),
    )


def sealed_boards(tally: Tally, models: list[str]) -> Iterator[dict[str, object]]:
    """The boards that a seal keeps: people, judges, all, and each judge."""
    for source in tally.sources:
        yield board_in_seal(ratings.leaderboard(tally.counts(source, models)), source)
