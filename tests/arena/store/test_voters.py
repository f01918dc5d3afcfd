"""Sessions and voters, and the deletion of a voter, on SQLite and on PostgreSQL."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from sqlmodel import select

from arena.exchange.folder import export_arena
from arena.exchange.sealing import seal
from arena.exchange.verify import verify
from arena.rules.seals import FORMER
from arena.store import battles as stored
from arena.store.battle_features import reclassify
from arena.store.battle_search import BattleConditions, search
from arena.store.explanations import UnknownBattle, add_explanation, battle_texts
from arena.store.ledger import sealed_votes
from arena.store.models import register_models
from arena.store.reports import add_report
from arena.store.schema.battles import (
    Battle,
    BattleStatus,
    CompletionRow,
    CompletionStatus,
    PendingVote,
    Report,
    Turn,
    Vote,
    now,
)
from arena.store.shared_battles import may_read, public_battles
from arena.store.stored_battles import Written
from arena.store.tags import untagged
from arena.store.usage import is_voter
from arena.store.vote_columns import cast_votes
from arena.store.voter_deletion import TurnRunning, delete_voter
from arena.store.voter_sessions import (
    end_sessions,
    give_session,
    identity_of,
    revoke_code,
    session_voter,
    set_code,
    voter_of_code,
)
from arena.store.votes import recount
from tests.support.ballots import ballot

ME, OTHER, PHONE = "a" * 32, "b" * 32, "c" * 32
SECRET = "zebra-crossing-secret"


def open_battle(database, voter=ME, prompt=SECRET, status=BattleStatus.OPEN):
    with database.write() as session:
        register_models(session, ["amber", "birch"])
        session.flush()
        battle = stored.add_battle(session, voter, "amber", "birch", 1.0)
        stored.add_turn(session, battle.id, prompt)
        if status is not BattleStatus.RUNNING:
            done = Written(f"{SECRET} answered", CompletionStatus.FINISHED)
            stored.finish_turn(session, battle.id, {"a": done, "b": done}, status)
        return battle.public_id


def add_pending(session, voter):
    """A vote that is not counted yet, on the voter's open battle."""
    wanted = Battle.voter == voter, Battle.status == BattleStatus.OPEN
    battle = session.exec(select(Battle).where(*wanted)).one()
    session.add(PendingVote(battle_id=battle.id, voter=voter, winner="tie", due_at=now() + timedelta(hours=1)))


def test_a_session_without_a_row_is_its_own_voter(database):
    with database.read() as session:
        assert session_voter(session, ME) == ME


def test_a_session_belongs_to_the_voter_it_was_given_to_until_it_ends(database):
    with database.write() as session:
        give_session(session, PHONE, ME)
        assert session_voter(session, PHONE) == ME
        assert len(identity_of(session, ME).browsers) == 1
        end_sessions(session, ME, keep=ME)
        assert session_voter(session, PHONE) is None
        assert session_voter(session, ME) == ME


def test_the_first_browser_can_be_signed_out_from_another(database):
    with database.write() as session:
        give_session(session, PHONE, ME)
        end_sessions(session, ME, keep=PHONE)
        assert session_voter(session, ME) is None
        assert session_voter(session, PHONE) == ME


def test_a_voter_has_one_code(database):
    with database.write() as session:
        set_code(session, ME, "1" * 64)
        set_code(session, ME, "2" * 64)
        assert voter_of_code(session, "1" * 64) is None
        assert voter_of_code(session, "2" * 64) == ME
        revoke_code(session, ME)
        assert voter_of_code(session, "2" * 64) is None


def test_votes_stay_counted_and_no_text_is_left(database):
    ballot(database, "amber", "birch", "model_a", voter=ME, prompt=SECRET, shared=True, leaked=True)
    ballot(database, "amber", "birch", "model_b", voter=OTHER, prompt="Kept?", shared=True)
    open_battle(database)
    with database.write() as session:
        add_explanation(session, 1, "judge", "occlusion", "d", {"words": [SECRET]})
        for battle in (1, 2):
            add_report(session, battle, ME, "other", SECRET)
            add_report(session, battle, OTHER, "other", "of somebody else")
        add_pending(session, ME)
    with database.write() as session:
        done = delete_voter(session, ME)
    assert (done.votes, done.battles) == (1, 1)
    with database.read() as session:
        assert recount(session) == []
        assert len(cast_votes(session)) == 2
        assert not is_voter(session, ME)
        assert {turn.prompt for turn in session.exec(select(Turn))} == {"", "Kept?"}
        assert {row.text for row in session.exec(select(CompletionRow))} >= {""}
        assert [(report.battle_id, report.voter) for report in session.exec(select(Report))] == [(2, OTHER)]
        assert not any(ME in vote.voter for vote in session.exec(select(Vote)))
        assert not any(ME in battle.voter for battle in session.exec(select(Battle)))
        assert len(public_battles(session, 0, 10, model=None, category=None, judged=True)) == 1
        assert search(session, BattleConditions(q=SECRET), judged=True)[0] == []
        gone = session.exec(select(Battle).where(Battle.voter == FORMER + done.pseudonym)).one()
        assert not may_read(session, gone.public_id, ME, judged=True)
        with pytest.raises(UnknownBattle, match="deleted its texts"):
            battle_texts(session, gone.public_id)


def test_sealed_votes_are_as_they_were(database):
    for winner in ("model_a", "tie"):
        ballot(database, "amber", "birch", winner, voter=ME, leaked=True)
    with database.read() as session:
        before = list(sealed_votes(session))
    with database.write() as session:
        delete_voter(session, ME)
    with database.read() as session:
        assert list(sealed_votes(session)) == before


def test_an_export_after_the_deletion_verifies_and_has_no_text(database, tmp_path):
    for number in range(3):
        ballot(database, "amber", "birch", "model_a", voter=ME, prompt=f"{SECRET} {number}", shared=True)
    seal(database)
    with database.write() as session:
        delete_voter(session, ME)
    export_arena(database, tmp_path / "out")
    assert verify(tmp_path / "out").problems == []
    assert SECRET not in (tmp_path / "out" / "battles.jsonl").read_text(encoding="utf-8")


def test_votes_of_one_person_still_belong_together(database):
    for voter in (ME, ME, OTHER):
        ballot(database, "amber", "birch", "model_a", voter=voter)
    with database.write() as session:
        delete_voter(session, ME)
    with database.read() as session:
        voters = [vote.voter for vote in cast_votes(session)]
    assert voters[0] == voters[1] != voters[2]


def test_categories_of_erased_battles_survive_a_new_classification(database):
    ballot(database, "amber", "birch", "model_a", voter=ME, prompt="Write a Python function that sorts a list.")
    with database.write() as session:
        delete_voter(session, ME)
    with database.write() as session:
        reclassify(session)
        assert untagged(session) == []
    with database.read() as session:
        assert recount(session) == []


def test_a_deletion_waits_for_running_turns(database):
    open_battle(database, status=BattleStatus.RUNNING)
    with pytest.raises(TurnRunning), database.write() as session:
        delete_voter(session, ME)
    with database.read() as session:
        assert is_voter(session, ME)


def test_every_browser_and_the_code_of_a_deleted_voter_end(database):
    with database.write() as session:
        give_session(session, PHONE, ME)
        set_code(session, ME, "1" * 64)
        delete_voter(session, ME)
        assert session_voter(session, PHONE) is None
        assert session_voter(session, ME) is None
        assert voter_of_code(session, "1" * 64) is None


def test_the_files_of_sqlite_keep_no_deleted_text(sqlite):
    ballot(sqlite, "amber", "birch", "model_a", voter=ME, prompt=SECRET, texts=(SECRET * 900, SECRET))
    open_battle(sqlite)
    folder = Path(sqlite.file).parent
    with sqlite.write() as session:
        delete_voter(session, ME)
    assert sqlite.overwrite_deleted()
    for file in folder.iterdir():
        assert SECRET.encode() not in file.read_bytes(), file.name
        assert ME.encode() not in file.read_bytes(), file.name
