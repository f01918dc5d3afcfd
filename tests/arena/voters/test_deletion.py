"""Requests that come while a voter is deleted: nothing is left that nobody can delete, and none is an error."""

from __future__ import annotations

import threading
import time

import pytest
from sqlmodel import func, select

from arena.battles.battles import BattleRefused, Battles, VoteRefused
from arena.store import battles as stored
from arena.store.battles import WrongStatus, lock_open
from arena.store.schema.battles import Battle, PendingVote, Report, Vote
from arena.store.schema.images import ImageRow
from arena.store.schema.voters import RecoveryCode
from arena.store.shared_battles import share
from arena.store.voter_deletion import delete_voter
from arena.store.voter_sessions import VoterDeleted, check_not_deleted, end_sessions, give_session
from arena.voters.deletion import delete
from arena.voters.recovery import CodeRefused, enter_code, issue_code
from tests.support.arenas import LISTS, PLAIN, opened_battles, settled
from tests.support.image_files import png
from tests.support.own_votes import own_battle

ME, PHONE = "a" * 32, "c" * 32


async def deleted(database) -> tuple[Battles, str]:
    """A server, and a battle of a voter who was deleted a moment ago."""
    models = (model.model_copy(update={"images": True}) for model in (PLAIN, LISTS))
    battles = await opened_battles(database, *models, undo_seconds=5)
    view = await battles.begin(ME, "Why is the sky blue?")
    await settled(battles, ME, view.public_id)
    delete(database, ME)
    return battles, view.public_id


async def test_no_request_of_a_deleted_voter_leaves_anything(database):
    battles, battle = await deleted(database)
    requests = (
        lambda: battles.begin(ME, "And now?"),
        lambda: battles.vote(ME, battle, "tie"),
        lambda: battles.vote(ME, battle, "tie", final=True),
        lambda: battles.undo(ME, battle),
        lambda: battles.share(ME, battle, True),
        lambda: battles.report(ME, battle, "other"),
        lambda: battles.regenerate(ME, battle),
        lambda: battles.add_image(ME, png()),
    )
    for request in requests:
        with pytest.raises(BattleRefused) as refused:
            await request()
        assert refused.value.code in ("not_found", "no_session")
    await battles.leave(ME, battle)
    with pytest.raises(CodeRefused):
        issue_code(database, ME)
    with database.read() as session:
        for table in (Battle, Vote, PendingVote, Report, ImageRow, RecoveryCode):
            assert session.exec(select(func.count()).select_from(table)).one() == 0


async def test_a_battle_that_goes_between_two_statements_is_a_change_that_came_first(database):
    """What a request read of the battle is older than its deletion."""
    with database.write() as session, pytest.raises(WrongStatus):
        lock_open(session, "gone")
    with database.write() as session:
        share(session, 12345, True)
    battles, battle = await deleted(database)
    with pytest.raises(VoteRefused) as refused:
        await battles.vote(ME, battle, "tie")
    assert refused.value.code == "not_found"


def test_a_voter_who_is_signed_out_on_one_browser_is_not_deleted(database):
    own_battle(database, ME, ("amber", "birch"))
    with database.write() as session:
        give_session(session, PHONE, ME)
        end_sessions(session, ME, keep=PHONE)
        check_not_deleted(session, ME)
        end_sessions(session, ME)
    with database.write() as session, pytest.raises(VoterDeleted):
        check_not_deleted(session, ME)


def test_a_code_that_is_entered_after_the_deletion_revives_nobody(database):
    own_battle(database, ME, ("amber", "birch"))
    code = issue_code(database, ME)
    delete(database, ME)
    with pytest.raises(CodeRefused, match="not valid"):
        enter_code(database, code, PHONE, None, 5)


def test_a_deletion_waits_for_a_battle_that_is_about_to_begin(database):
    """On PostgreSQL it would not see the new row otherwise; SQLite has one writer anyway."""
    begun = threading.Event()

    def begin() -> None:
        with database.write() as session:
            check_not_deleted(session, ME)
            battle = stored.add_battle(session, ME, "amber", "birch", 1.0)
            stored.add_turn(session, battle.id, "Secret")
            stored.move(session, battle.id, "running", "open")
            begun.set()
            time.sleep(0.3)

    own_battle(database, "b" * 32, ("amber", "birch"))  # registers the models
    writer = threading.Thread(target=begin)
    writer.start()
    assert begun.wait(60)
    with database.write() as session:
        delete_voter(session, ME)
    writer.join()
    with database.read() as session:
        assert session.exec(select(Battle.id).where(Battle.voter == ME)).all() == []
