"""What goes into the review queue: disputed battles, those with a vote in quarantine, those that split reviewers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice

from arena.explaining.disagreements import KINDS, disagreements, merge_duplicates
from arena.rules.reviews import QUARANTINED, REVIEWED
from arena.rules.votes import SCORES
from arena.store import Database, Session
from arena.store.review_queue import Candidate, quarantined_battles, queue, reviewable
from arena.store.reviews import reviews
from arena.store.verdicts import StoredVote, votes_on_record

DISPUTES = tuple(KINDS)
WHOLE = 1.0  # as urgent as the largest disagreement: a vote waits for the decision
MORE = 2  # further reviewers of a battle that split its reviewers


@dataclass(frozen=True)
class Filling:
    """What `fill` did: battles that fit, those that reviewers may not read, and those that were added, by cause."""

    fitting: int
    unreadable: int
    added: int
    causes: Mapping[str, int]


def fill(
    database: Database,
    causes: Collection[str] = DISPUTES,
    *,
    category: str | None = None,
    limit: int | None = None,
    wanted: int,
    by: str,
    unshared: bool = False,
) -> Filling:
    """Put up to `limit` battles of these causes into the queue, the most disputed first, each for `wanted` reviewers.

    Battles that the reviewers may not read are left out. `unshared` is the setting `reviews.unshared`.
    """
    with database.read() as session:
        found = _strongest(_candidates(session, causes, category))
        readable = reviewable(session, [candidate.battle for candidate in found], unshared=unshared)
    chosen = list(islice((one for one in found if one.battle in readable), limit))
    with database.write() as session:
        more = [candidate for candidate in chosen if candidate.cause == REVIEWED]
        added = queue(session, [one for one in chosen if one.cause != REVIEWED], wanted, by)
        queue(session, more, wanted + MORE, by)
    causes_of = Counter(candidate.cause for candidate in chosen)
    return Filling(len(found), len(found) - len(readable), added, dict(causes_of))


def _strongest(candidates: Iterator[Candidate]) -> list[Candidate]:
    """Each battle once, with its strongest cause, the most disputed first."""
    best: dict[int, Candidate] = {}
    for candidate in candidates:
        before = best.get(candidate.battle)
        if before is None or candidate.disagreement > before.disagreement:
            best[candidate.battle] = candidate
    return sorted(best.values(), key=lambda one: (-one.disagreement, one.battle))


def _candidates(session: Session, causes: Collection[str], category: str | None) -> Iterator[Candidate]:
    votes = merge_duplicates(session, votes_on_record(session))
    for battle in disagreements(votes, category=category):
        for kind in KINDS:
            if kind in causes and (size := battle.kinds[kind]):
                yield Candidate(battle.battle, kind, size)
    if QUARANTINED in causes:
        for number in quarantined_battles(session, category):
            yield Candidate(number, QUARANTINED, WHOLE)
    if REVIEWED in causes:
        yield from _split(session, votes, category)


def _split(session: Session, votes: list[StoredVote], category: str | None) -> Iterator[Candidate]:
    """The battles on which the standing reviews differ."""
    of_category = {vote.battle for vote in votes if category is None or vote.category == category}
    by_battle: dict[int, list[float]] = defaultdict(list)
    for review in reviews(session):
        by_battle[review.battle].append(SCORES[review.winner])
    for battle, scores in by_battle.items():
        if battle in of_category and max(scores) > min(scores):
            yield Candidate(battle, REVIEWED, max(scores) - min(scores))
