"""Seals, exports and boards leave out what is set aside, say so, and verify before and after."""

from __future__ import annotations

import json

import pytest

from arena.exchange.folder import export_arena
from arena.exchange.sealing import seal
from arena.exchange.verify import verify
from arena.leaderboards.cache import ResultCache
from arena.leaderboards.history import board_at, moment
from arena.leaderboards.leaderboard import publish
from arena.leaderboards.query import NoSuchBoard
from arena.leaderboards.vote_filters import EVERY
from arena.rules.set_aside import IMPORT, JUDGE_KIND
from arena.store.content_version import content_version
from arena.store.imports import NewVote, add_votes, begin_import
from arena.store.schema.battles import now
from arena.store.set_aside import Selection, set_aside, take_back
from arena.web.v1.records import votes as page_of_votes
from tests.support.ballots import PLAIN, ballot, ballots
from tests.support.exported import rows

JUDGED = Selection(JUDGE_KIND, "judge:j")
IMPORTED = Selection(IMPORT, "mt")


@pytest.fixture
def voted(database):
    """Sixteen votes of people, four imported ones and eight verdicts."""
    ballots(database, PLAIN * 2)
    with database.write() as session:
        given = ("birch", "amber", "model_a", "human")
        add_votes(
            session, [NewVote(f"b{n}", *given, f"w{n}", now()) for n in range(4)], begin_import(session, "mt")
        )
    for a, b, winner in PLAIN:
        ballot(database, a, b, winner, source="judge:j", voter="judge:j")
    return database


def change(database, function, chosen):
    with database.write() as session:
        function(session, chosen, "not to be trusted", "ann")


def votes_of(boards):
    return {board["source"]: board["votes"] for board in boards}


@pytest.mark.parametrize("version", [EVERY, "capped-1"])
def test_seals_before_and_after_verify_and_say_what_they_leave_out(voted, tmp_path, version):
    whole = seal(voted, version, batch=10).last
    assert whole.set_aside is None
    change(voted, set_aside, IMPORTED)
    without = seal(voted, version).last
    change(voted, set_aside, JUDGED)
    export_arena(voted, tmp_path / "unsealed")
    bare = seal(voted, version).last
    assert seal(voted, version).new == []
    assert [votes_of(made.boards) for made in (whole, without, bare)] == [
        {"human": 20, "judges": 8, "judge:j": 8, "all": 28},
        {"human": 16, "judges": 8, "judge:j": 8, "all": 24},
        {"human": 16},
    ]
    assert [row["name"] for row in bare.set_aside] == ["mt", "judge:j"]
    export_arena(voted, tmp_path / "sealed")
    change(voted, take_back, IMPORTED)
    change(voted, take_back, JUDGED)
    back = seal(voted, version).last
    assert (back.set_aside, votes_of(back.boards)) == (None, votes_of(whole.boards))
    export_arena(voted, tmp_path / "back")
    for name in ("unsealed", "sealed", "back"):
        assert verify(tmp_path / name).problems == []
    told = {name: " ".join(verify(tmp_path / name).not_covered) for name in ("unsealed", "sealed", "back")}
    assert "set_aside.jsonl, which differs from the last seal" in told["unsealed"]
    assert "the votes of judge:j, set aside since" in told["sealed"]
    assert "set_aside.jsonl" not in told["sealed"]
    assert "set aside" not in told["back"]


def test_an_export_has_the_rows_of_all_votes_and_boards_of_those_that_count(voted, tmp_path):
    change(voted, set_aside, IMPORTED)
    export_arena(voted, tmp_path / "export")
    assert len(rows(tmp_path / "export")) == 28
    (aside,) = rows(tmp_path / "export", "set_aside.jsonl")
    assert (aside["kind"], aside["name"], aside["reason"]) == ("import", "mt", "not to be trusted")
    assert aside["spans"] == [[17, 20]]
    assert "ann" not in json.dumps(aside)
    boards = json.loads((tmp_path / "export" / "boards.json").read_text())
    votes = {
        (board["source"], board["board"]): board["votes"] for board in boards if board["category"] == "overall"
    }
    assert (votes["human", "bt"], votes["all", "bt"]) == (16, 24)


def test_an_export_that_hides_what_is_set_aside_does_not_verify(voted, tmp_path):
    change(voted, set_aside, IMPORTED)
    export_arena(voted, tmp_path / "export")
    (tmp_path / "export" / "set_aside.jsonl").write_text("")
    problems = " ".join(verify(tmp_path / "export").problems)
    assert "set_aside.jsonl: is not the file that the manifest was made over" in problems
    assert "votes is 16, and 20 follows" in problems


def test_every_board_changes_at_once_and_says_why(voted):
    cache = ResultCache(voted)

    def boards(*sources):
        return {
            name: cache.get(name, lambda session, name=name: publish(session, name), rest=0) for name in sources
        }

    assert [board.board.battles for board in boards("human", "judges", "all", "both").values()] == [20, 8, 28, 28]
    with voted.read() as session:
        before = content_version(session)
    change(voted, set_aside, IMPORTED)
    change(voted, set_aside, JUDGED)
    with voted.read() as session:
        assert content_version(session) != before
        assert board_at(session, moment("2999-01-01"), "human").board.battles == 16
        assert len(page_of_votes(session, 0, 100, None).rows) == 16
        assert len(page_of_votes(session, 0, 100, "judge:j").rows) == 0
        with pytest.raises(
            NoSuchBoard, match=r"The verdicts of judge:j are set aside: not to be trusted\. Choose"
        ):
            publish(session, "judge:j")
    after = boards("human", "all")
    assert [after[name].board.battles for name in ("human", "all")] == [16, 16]
    text = "are set aside and do not count here: not to be trusted."
    assert [str(note) for note in after["human"].notes] == [f"The votes of mt {text}"]
    assert [str(note) for note in after["all"].notes] == [
        f"The votes of mt {text}",
        f"The votes of judge:j {text}",
    ]
