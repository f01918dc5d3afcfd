"""Riggers are quarantined with their evidence, honest voters are not, and what a reviewer releases stays released."""

from __future__ import annotations

import asyncio
import json

import pytest
from sqlmodel import select

from arena.battles.battles import Battles
from arena.battles.visitor_limits import VisitorLimits
from arena.config import BattleSettings, LimitSettings
from arena.rules.vote_states import QuarantineReason
from arena.store import Database
from arena.store.held_votes import EVERY_HELD
from arena.store.quarantine import held, release
from arena.store.schema.battles import Vote
from arena.store.trust_votes import prompt_label, trust_votes
from arena.store.votes import recount, vote_count
from arena.trust.checks import FEWEST_VOTES, findings, hold_findings
from arena.trust.periodic import TrustChecks, found_in
from reproduce.riggers.attacks import attack
from reproduce.riggers.crowd import crowd
from reproduce.riggers.in_columns import drawn
from reproduce.riggers.in_store import put
from tests.support.arenas import new_file, ready, settled
from tests.support.typed import typed


def rigged(folder, *attacks, seed=3):
    """A database with 6,000 honest votes and these attacks."""
    plan = crowd(seed, voters=300, votes=6_000)
    for name in attacks:
        plan = plan.joined(attack(name, seed))
    database = new_file(folder / "arena.db")
    put(database, drawn(plan, seed))
    return database


def reasons(database: Database) -> dict[str, set[str]]:
    """The kinds of accounts that are held, by reason."""
    with database.read() as session:
        rows = held(session, EVERY_HELD, limit=None)
    found: dict[str, set[str]] = {}
    for row in rows:
        found.setdefault(row.reason, set()).add(row.voter.rpartition(" ")[0])
    return found


def checked(database: Database) -> int:
    with database.read() as session:
        votes = trust_votes(session)
    return hold_findings(database, findings(votes))


def test_each_rigger_is_held_for_what_it_did_and_the_counts_still_agree(tmp_path):
    database = rigged(tmp_path, "booster", "always left", "network, one prompt pool")
    with database.read() as session:
        before = vote_count(session)
    changed = checked(database)
    found = reasons(database)
    assert found[QuarantineReason.SELECTION] == {"booster"}
    assert "always left" in found[QuarantineReason.VOTER_TEST]
    assert "network, one prompt pool" in found[QuarantineReason.ACCOUNT_GROUP]
    with database.read() as session:
        assert recount(session) == []
        assert vote_count(session) == before - changed
        assert len(session.exec(select(Vote.id)).all()) == before  # none is deleted
        details = {row.reason: row.detail for row in held(session, EVERY_HELD, limit=None)}
    assert "votes on model-14" in details[QuarantineReason.SELECTION]
    assert "e-value" in details[QuarantineReason.VOTER_TEST]
    assert checked(database) == 0  # nothing new


def test_a_release_is_not_overruled_by_the_same_evidence_and_new_votes_are_judged_anew(tmp_path):
    plan = crowd(4, voters=300, votes=6_000).joined(attack("always left", 4))
    votes = drawn(plan, 4)
    database = new_file(tmp_path / "arena.db")
    late = (votes.kind == "always left") & (votes.time > 15 * 86_400)
    put(database, votes.where(~late))
    checked(database)
    with database.write() as session:
        mine = [row.vote for row in held(session, EVERY_HELD, limit=None) if row.voter.startswith("always left")]
        assert len(mine) > 50
        assert release(session, mine, "A study of our own.", "operator") == len(mine)
    checked(database)
    assert "always left" not in reasons(database).get(QuarantineReason.VOTER_TEST, set())
    put(database, votes.where(late), start=len(votes))
    assert checked(database) == late.sum()
    with database.read() as session:
        again = {row.vote for row in held(session, EVERY_HELD, limit=None) if row.voter.startswith("always left")}
    assert again.isdisjoint(mine)


async def test_while_serving_the_check_runs_apart_and_only_after_new_votes(tmp_path):
    database = rigged(tmp_path, "always left")
    checks = TrustChecks(database)
    turns, done = 0, False

    async def watch():
        nonlocal turns
        while not done:
            await asyncio.sleep(0.01)
            turns += 1

    watcher = asyncio.create_task(watch())
    assert await checks.run() > 100
    done = True
    await watcher
    assert turns > 10  # the event loop went on
    assert await checks.run() == 0
    assert QuarantineReason.VOTER_TEST in reasons(database)


def test_a_young_arena_holds_nobody(tmp_path):
    database = new_file(tmp_path / "arena.db")
    assert found_in(database.url) == []
    plan = crowd(1, voters=9, votes=FEWEST_VOTES * 3).joined(attack("always left", 1))
    votes = drawn(plan, 1)
    put(database, votes.where(votes.time < 11 * 86_400))
    with database.read() as session:
        stored = trust_votes(session)
    few = stored.voter < FEWEST_VOTES
    assert len(stored) == few.sum()
    assert all("always" in voter for finding in findings(stored) for voter in finding.voters)


def test_columns_are_in_the_order_of_votes_and_bounded(database):
    put(database, drawn(crowd(3, voters=30, votes=300), 3))
    with database.read() as session:
        every, newest = trust_votes(session), trust_votes(session, most=100)
    assert (every.vote[1:] > every.vote[:-1]).all()
    assert newest.vote.tolist() == every.vote[-100:].tolist()
    assert newest.models == every.models
    assert not newest.address.any()
    assert newest.voters[newest.voter[-1]] == every.voters[every.voter[-1]]


async def test_voters_of_one_address_are_known_for_a_day_without_the_address(database):
    serving = ready()
    visitors = VisitorLimits(serving, LimitSettings())
    battles = Battles(database, serving, BattleSettings(undo_seconds=0, pacing="off"), visitor_limits=visitors)
    await battles.open()
    for voter, address in (("ann", "198.51.100.1"), ("bob", "198.51.100.2"), ("cid", "198.51.100.1")):
        begun = await battles.begin(voter, "Hello?", address)
        await settled(battles, voter, begun.public_id)
        await battles.vote(voter, begun.public_id, "tie", address)
    with database.read() as session:
        votes = trust_votes(session)
    of = {votes.voters[voter]: number for voter, number in zip(votes.voter, votes.address.tolist(), strict=True)}
    assert of["ann"] == of["cid"] > 0
    assert of["bob"] not in (0, of["ann"])


@pytest.mark.parametrize(("one", "other", "same"), [("Hi  there", "hi there ", True), ("Hi", "Ho", False)])
def test_prompts_are_told_apart_by_their_words(one, other, same):
    assert (prompt_label(one) == prompt_label(other)) == same
    assert prompt_label(one) > 0


def test_the_command_prints_the_evidence_and_holds_unless_it_is_a_dry_run(tmp_path):
    database = rigged(tmp_path, "always left")
    database.close()
    dry = json.loads(typed("trust", "check", "--dry-run", "--format", "json", "--db", database.url).stdout)
    assert dry["newly_held"] == 0
    assert any("always left" in row["evidence"] for row in dry["findings"])
    done = " ".join(typed("trust", "check", "--db", database.url).stdout.split())
    assert "newly quarantined" in done
    rows = typed("trust", "check", "--format", "csv", "--dry-run", "--db", database.url).stdout.splitlines()
    assert rows[0] == "reason,voters,votes,evidence"
