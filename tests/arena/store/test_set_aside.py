"""Votes of a judge or an import that are set aside count nowhere at once, and count again when they are taken back."""

from __future__ import annotations

import pytest
from sqlmodel import select

from arena.errors import ConfigError
from arena.rules.seals import SealedVote
from arena.rules.set_aside import IMPORT, JUDGE_KIND, Aside, AsideVotes
from arena.store.imports import NewVote, add_votes, begin_import
from arena.store.ledger import sealed_votes
from arena.store.packed_votes import packed_differences, packed_votes
from arena.store.query_filters import VoteSelection
from arena.store.schema.battles import PairCount, now
from arena.store.schema.clusters import PackedVotes
from arena.store.set_aside import Selection, affected, asides, current, listed, log, set_aside, take_back
from arena.store.tags import add_tags
from arena.store.verdicts import votes_on_record
from arena.store.vote_columns import cast_votes, ordered_votes
from arena.store.votes import counted_sources, recount
from tests.support.ballots import PLAIN, ballot, ballots

JUDGED = Selection(JUDGE_KIND, "judge:lenient")
IMPORTED = Selection(IMPORT, "mt")


def new_vote(number, **given):
    plain = {
        "model_a": "amber",
        "model_b": "birch",
        "winner": "model_a",
        "source": "human",
        "voter": f"w{number % 3}",
    }
    return NewVote(f"b{number}", created_at=now(), categories=("english",), **{**plain, **given})


@pytest.fixture
def voted(database):
    """Eight votes of people, six imported ones of people and one of a judge, and five verdicts of another."""
    ballots(database)
    with database.write() as session:
        number = begin_import(session, "mt")
        add_votes(session, [new_vote(n) for n in range(6)], number)
        add_votes(session, [new_vote(9, source="judge:lenient", voter="judge:lenient")], number)
    for a, b, winner in PLAIN[:5]:
        ballot(database, a, b, winner, source="judge:lenient", voter="judge:lenient")
    return database


def kept(session):
    """Every stored pair count, and every packed vote of each row in no order."""
    counts = {(r.model_a_id, r.model_b_id, r.category, r.source): (r.wins, r.losses, r.ties, r.both_bad)
              for r in session.exec(select(PairCount))}  # fmt: skip
    packed = [(r.category, r.source, r.part, sorted(r.votes[at : at + 16] for at in range(0, len(r.votes), 16)))
              for r in session.exec(select(PackedVotes))]  # fmt: skip
    return counts, sorted(packed)


def holds(session):
    return recount(session) == [] and packed_differences(session) == []


@pytest.mark.parametrize(("chosen", "votes"), [(JUDGED, 6), (IMPORTED, 7)])
def test_what_is_set_aside_is_counted_nowhere_and_comes_back_as_it_was(voted, chosen, votes):
    with voted.read() as session:
        before, records = kept(session), len(votes_on_record(session))
    with voted.write() as session:
        assert set_aside(session, chosen, "too lenient", "ann") == votes
    with voted.read() as session:
        assert holds(session)
        assert len(packed_votes(session, None)) == 20 - votes
        assert len(ordered_votes(session, None, "overall")[1]) == 20 - votes
        assert len(votes_on_record(session)) == records - votes
        assert len(list(sealed_votes(session, selection=VoteSelection(counting=True)))) == 20 - votes
        assert len(list(sealed_votes(session))) == 20
        assert [row.set_by for row in current(session)] == ["ann"]
    with voted.write() as session:
        assert take_back(session, chosen, "checked", "bob") == votes
    with voted.read() as session:
        assert kept(session) == before
        assert holds(session)
        (entry,) = log(session)
        assert (entry.reason, entry.set_by, entry.votes) == ("too lenient", "ann", votes)
        assert (entry.taken_back_reason, entry.taken_back_by) == ("checked", "bob")
        assert entry.set_at <= entry.taken_back_at


def test_a_judge_without_counted_votes_is_no_source(voted):
    with voted.write() as session:
        set_aside(session, JUDGED, "too lenient", "ann")
        assert counted_sources(session) == ["human"]
        assert len(cast_votes(session)) == 14


def test_a_vote_of_two_selections_counts_when_neither_is_set_aside(voted):
    with voted.write() as session:
        set_aside(session, JUDGED, "too lenient", "ann")
        assert set_aside(session, IMPORTED, "of unknown origin", "ann") == 6
        assert take_back(session, JUDGED, "checked", "ann") == 5
        assert holds(session)
        assert take_back(session, IMPORTED, "checked", "ann") == 7
        assert holds(session)


def test_later_votes_of_a_judge_do_not_count_until_it_is_taken_back(voted):
    with voted.write() as session:
        set_aside(session, JUDGED, "too lenient", "ann")
        add_votes(session, [new_vote(20, source="judge:lenient", voter="judge:lenient")])
    ballot(voted, "amber", "birch", "model_a", source="judge:lenient", voter="judge:lenient")
    with voted.write() as session:
        assert len(packed_votes(session, "judges")) == 0
        assert holds(session)
        assert add_tags(session, {1: ["math (llm)"]}, "llm-1 x") == 1
        assert holds(session)
        assert take_back(session, JUDGED, "checked", "ann") == 8
        assert holds(session)


def test_a_later_import_of_another_name_counts(voted):
    with voted.write() as session:
        set_aside(session, IMPORTED, "of unknown origin", "ann")
        add_votes(session, [new_vote(30)], begin_import(session, "other"))
        assert [(row.name, row.votes, row.set_aside) for row in listed(session)] == [
            ("mt", 7, True), ("other", 1, False), ("judge:lenient", 6, False)]  # fmt: skip
        assert len(packed_votes(session, "human")) == 9


def test_a_dry_run_says_which_votes_of_which_categories(voted):
    with voted.write() as session:
        rows = [(row.source, row.category, row.changed, row.counted) for row in
                affected(session, IMPORTED, taking_back=False)]  # fmt: skip
        assert rows == [
            ("human", "overall", 6, 14), ("judge:lenient", "overall", 1, 6),
            ("human", "english", 6, 14), ("judge:lenient", "english", 1, 6)]  # fmt: skip
        set_aside(session, IMPORTED, "of unknown origin", "ann")
        back = affected(session, IMPORTED, taking_back=True)
        assert [(row.changed, row.counted) for row in back] == [(6, 8), (1, 5), (6, 8), (1, 5)]
        assert holds(session)


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        (Selection(JUDGE_KIND, "judge:x"), "No judge 'judge:x' has votes here. Use one of: judge:lenient."),
        (Selection(IMPORT, "x"), "No import 'x' has votes here. Use one of: mt."),
    ],
)
def test_a_selection_without_votes_is_refused(voted, chosen, message):
    with voted.write() as session, pytest.raises(ConfigError, match=message):
        set_aside(session, chosen, "why", "ann")


def test_twice_is_refused(voted):
    with voted.write() as session:
        with pytest.raises(ConfigError, match=r"judge:lenient is not set aside\. Run `arena votes log`"):
            take_back(session, JUDGED, "why", "ann")
        set_aside(session, JUDGED, "why", "ann")
        with pytest.raises(ConfigError, match="judge:lenient is set aside already"):
            set_aside(session, JUDGED, "why", "ann")


def test_the_votes_of_an_import_are_published_as_spans(voted):
    with voted.write() as session:
        add_votes(session, [new_vote(40), new_vote(41)], begin_import(session, "mt"))
        set_aside(session, IMPORTED, "of unknown origin", "ann")
        (aside,) = asides(session)
        assert aside.spans == ((9, 15), (21, 22))
        votes = list(sealed_votes(session))
        assert [vote.vote for vote in votes if vote in AsideVotes([aside])] == [*range(9, 16), 21, 22]


def test_a_judge_is_published_by_its_source():
    aside = AsideVotes([Aside(JUDGE_KIND, "judge:x", "why", "2026-01-01")])
    given = (1, "b", "m", "n", "tie")
    votes = [SealedVote(*given, source, source, False, False, "2026-01-01") for source in ("judge:x", "judge:y")]
    assert [vote in aside for vote in votes] == [True, False]
