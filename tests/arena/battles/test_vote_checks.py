"""Votes that come before anyone could read, or again and again on one prompt: they stay, with a reason, and do not count."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlmodel import select

from arena.battles.battles import Battles
from arena.battles.visitor_limits import LimitReached, VisitorLimits
from arena.battles.vote_checks import finding, reading_length
from arena.config import BattleSettings, LimitSettings
from arena.rules.suggested_prompts import suggested_prompts
from arena.rules.vote_states import QuarantineReason, VoteState
from arena.store import Database
from arena.store.schema.battles import Vote, now
from arena.store.schema.usage import UsageEvent
from arena.store.schema.vote_states import VoteHold, VoteStateEvent
from arena.store.vote_evidence import CastEvidence
from arena.store.votes import vote_count
from tests.support.arenas import ready, settled

OFF = {"reading_speed": 0, "same_prompt_votes": 0, "suggested_prompt_votes": 0}


class Clock:
    """The time, some seconds ahead of the real one."""

    ahead = timedelta(0)

    def __call__(self) -> datetime:
        return now() + self.ahead


async def arena(database: Database, clock: Clock, undo_seconds: float = 0, **limits: int) -> Battles:
    serving = ready()
    visitors = VisitorLimits(serving, LimitSettings(**(OFF | limits)), None, clock)
    settings = BattleSettings(undo_seconds=undo_seconds, pacing="off")
    battles = Battles(database, serving, settings, visitor_limits=visitors)
    await battles.open()
    return battles


async def voted(
    battles: Battles, prompt: str, voter: str = "ann", address: str | None = None, final: bool = False
):
    begun = await battles.begin(voter, prompt, address)
    view = await settled(battles, voter, begun.public_id)
    return await battles.vote(voter, view.public_id, "model_a", address, final=final)


def held(database: Database) -> list[tuple[str, str]]:
    with database.read() as session:
        return [(row.state, row.reason) for row in session.exec(select(VoteHold).order_by(VoteHold.vote_id))]


def counted(database: Database) -> int:
    with database.read() as session:
        return vote_count(session)


async def test_a_vote_sooner_than_anyone_reads_is_quarantined_and_named_like_any_other(database):
    clock = Clock()
    battles = await arena(database, clock, reading_speed=600)
    view = await voted(battles, "What is a fjord?")
    assert not view.vote.counts
    assert not (await battles.view("ann", view.public_id)).vote.counts
    assert view.vote.undo_until is None
    assert view.model_a is not None  # the voter sees the models, and cannot tell a script which rule held the vote
    assert held(database) == [(VoteState.QUARANTINED, QuarantineReason.TOO_FAST)]
    assert counted(database) == 0
    clock.ahead = timedelta(seconds=30)
    assert (await voted(battles, "And a bay?")).vote.counts
    assert (counted(database), len(held(database))) == (1, 1)
    with database.read() as session:
        (event,) = session.exec(select(VoteStateEvent)).all()
        assert len(session.exec(select(Vote)).all()) == 2
    assert "letters to read" in event.detail
    assert event.check_version == "cast-1"


async def test_a_vote_that_could_be_undone_is_judged_by_the_time_when_it_was_cast(sqlite):
    clock = Clock()
    battles = await arena(sqlite, clock, undo_seconds=30, reading_speed=600)
    clock.ahead = timedelta(seconds=25)
    first = await voted(battles, "What is a fjord?")
    assert first.vote is not None
    assert not first.vote.counts
    await battles.leave("ann", first.public_id)  # counts a pending vote now
    assert held(sqlite) == [(VoteState.QUARANTINED, QuarantineReason.TOO_FAST)]


async def test_one_prompt_counts_a_few_times_a_day_whatever_its_letter_case(database):
    battles = await arena(database, Clock(), same_prompt_votes=2)
    for prompt in ("Tell me a joke.", "tell me a joke. ", "TELL ME A JOKE.", "Tell me another one."):
        await voted(battles, prompt)
    await voted(battles, "Tell me a joke.", "bob")
    assert held(database) == [(VoteState.QUARANTINED, QuarantineReason.DUPLICATE_PROMPT)]
    assert counted(database) == 4


async def test_suggested_prompts_count_up_to_a_number_a_day(sqlite):
    first, second, third = [prompts[0] for prompts in suggested_prompts().values()][:3]
    battles = await arena(sqlite, Clock(), suggested_prompt_votes=2)
    for prompt in (first, second, "My own?", third, "Another of my own?"):
        await voted(battles, prompt)
    assert held(sqlite) == [(VoteState.QUARANTINED, QuarantineReason.PRESET)]


async def test_the_votes_of_a_day_are_refused_beyond_the_cap_also_where_an_hour_has_none(database):
    clock = Clock()
    clock.ahead = datetime(2030, 1, 1, 12, tzinfo=UTC) - now()
    battles = await arena(database, clock, votes_per_voter_day=2, votes_per_voter=0)
    for _ in range(2):
        await voted(battles, "Hello?")
        clock.ahead += timedelta(hours=5)
    with pytest.raises(LimitReached, match=r"You have cast 2 votes today\. You can cast the next one in 2 hours"):
        await voted(battles, "Hello?")
    clock.ahead += timedelta(hours=3)
    await voted(battles, "Hello?")
    with database.read() as session:
        events = session.exec(select(UsageEvent).where(UsageEvent.action == "vote")).all()
    assert len(events) == 3  # one a vote, for the hour and the day together


async def test_the_cap_of_an_address_holds_for_all_its_voters(sqlite):
    battles = await arena(sqlite, Clock(), votes_per_address_day=1)
    await voted(battles, "Hello?", "ann", "198.51.100.1")
    with pytest.raises(LimitReached, match="Visitors from your network have cast 1 votes today"):
        await voted(battles, "Hello?", "bob", "198.51.100.1")
    await voted(battles, "Hello?", "bob", "198.51.100.2")


@pytest.mark.parametrize(
    ("seconds", "shown", "passes"),
    [(0.3, 20, False), (0.7, 20, True), (2.0, 1800, False), (4.1, 90_000, True), (3.0, 1200, True)],
)
def test_the_time_that_is_asked_for_grows_with_the_text_up_to_a_glance(seconds, shown, passes):
    found = finding(CastEvidence(seconds, 0, 0), shown, LimitSettings(), suggested=False)
    assert (found is None) == passes


def test_a_chinese_character_is_read_as_three_letters():
    assert reading_length("The sky is blue. " * 20) == 340
    assert reading_length("天空是蓝色的因为" * 20) == 480
    assert reading_length("The sky 天空 is blue." * 400) == pytest.approx(7600 * (1 + 2 * 2 / 19), rel=0.1)
    assert reading_length("") == 0


def test_nothing_is_asked_of_the_store_when_all_checks_are_off(sqlite):
    found = finding(CastEvidence(0.0, 99, 99), 9000, LimitSettings(**OFF), suggested=True)
    assert found is None
