"""Seals, exports and boards leave held votes out, say which and why, and verify across quarantine and release."""

from __future__ import annotations

import hashlib
import json
import random

import pytest

from arena.exchange.folder import export_arena
from arena.exchange.formats.battle_columns import BadBattlesFile
from arena.exchange.grouped_counts import GroupedCounts, Statements
from arena.exchange.import_battles import import_battles
from arena.exchange.receipt_file import check_receipt_file
from arena.exchange.receipts import Receipts
from arena.exchange.sealing import seal
from arena.exchange.verify import verify
from arena.leaderboards.cache import ResultCache
from arena.leaderboards.history import board_at, moment
from arena.leaderboards.leaderboard import publish
from arena.leaderboards.vote_counts import VoteCounts
from arena.leaderboards.vote_filters import EVERY
from arena.rules.receipt_checks import receipt_problems
from arena.rules.seals import SealedVote
from arena.rules.set_aside import IMPORT, AsideVotes
from arena.rules.vote_states import QuarantineReason, VoteState
from arena.store.imports import NewVote, add_votes, begin_import
from arena.store.ledger import sealed_vote
from arena.store.packed_votes import packed_differences, packed_votes
from arena.store.quarantine import held as held_now
from arena.store.quarantine import hold, release
from arena.store.schema.battles import now
from arena.store.set_aside import Selection, aside_version, set_aside, take_back
from arena.store.votes import recount
from arena.web.v1.records import votes as page_of_votes
from tests.support.arenas import new_file
from tests.support.ballots import PLAIN, ballot, ballots
from tests.support.exported import rows

FAST, BURST = QuarantineReason.TOO_FAST, QuarantineReason.BURST
PENDING, QUARANTINED = VoteState.PENDING, VoteState.QUARANTINED


@pytest.fixture
def voted(database):
    """Sixteen votes of people, four imported ones (17 to 20) and eight verdicts."""
    ballots(database, PLAIN * 2)
    with database.write() as session:
        given = ("birch", "amber", "model_a", "human")
        add_votes(
            session, [NewVote(f"b{n}", *given, f"w{n}", now()) for n in range(4)], begin_import(session, "mt")
        )
    for a, b, winner in PLAIN:
        ballot(database, a, b, winner, source="judge:j", voter="judge:j")
    return database


def held(database, votes, state=QUARANTINED, reason=FAST):
    with database.write() as session:
        return hold(session, votes, state, reason, detail="0.2 s of 14 s", check_version="v1", by="ann")


def released(database, votes):
    with database.write() as session:
        return release(session, votes, "looked at", "bob")


def votes_of(boards):
    return {board["source"]: board["votes"] for board in boards}


@pytest.mark.parametrize("version", [EVERY, "capped-1"])
def test_seals_and_exports_verify_across_quarantine_and_release(voted, tmp_path, version):
    made = [seal(voted, version, batch=10).last]
    held(voted, [2, 3, 4, 9, 21])
    export_arena(voted, tmp_path / "unsealed")
    made.append(seal(voted, version).last)
    assert seal(voted, version).new == []
    held(voted, [5, 6], PENDING, BURST)
    made.append(seal(voted, version).last)
    export_arena(voted, tmp_path / "held")
    held(voted, [5], QUARANTINED, BURST)
    released(voted, [3, 6, 21])
    ballot(voted, "amber", "birch", "model_a")
    made.append(seal(voted, version).last)
    released(voted, range(30))
    export_arena(voted, tmp_path / "released")
    made.append(seal(voted, version).last)
    export_arena(voted, tmp_path / "sealed")
    assert [votes_of(row.boards) for row in made] == [
        {"human": 20, "judges": 8, "judge:j": 8, "all": 28},
        {"human": 16, "judges": 7, "judge:j": 7, "all": 23},
        {"human": 14, "judges": 7, "judge:j": 7, "all": 21},
        {"human": 17, "judges": 8, "judge:j": 8, "all": 25},
        {"human": 21, "judges": 8, "judge:j": 8, "all": 29},
    ]
    stated = [[(row["kind"], row["name"], row["spans"]) for row in seal.set_aside or ()] for seal in made]
    assert stated == [
        [],
        [("quarantined", "too_fast", [[2, 4], [9, 9], [21, 21]])],
        [("pending", "burst", [[5, 6]]), ("quarantined", "too_fast", [[2, 4], [9, 9], [21, 21]])],
        [("quarantined", "burst", [[5, 5]]), ("quarantined", "too_fast", [[2, 2], [4, 4], [9, 9]])],
        [],
    ]
    for name in ("unsealed", "held", "released", "sealed"):
        assert verify(tmp_path / name).problems == []
    told = " ".join(verify(tmp_path / "held").not_covered)
    assert "2 pending votes (burst), the first since" in told
    assert f"5 quarantined votes (too_fast), the first since {now():%Y}" in told
    assert f"which are on no board: {FAST.sentence}" in told


def test_an_export_has_every_vote_and_says_which_do_not_count(voted, tmp_path):
    held(voted, [2, 3])
    export_arena(voted, tmp_path / "export")
    assert len(rows(tmp_path / "export")) == 28
    (row,) = rows(tmp_path / "export", "set_aside.jsonl")
    assert (row["kind"], row["name"], row["spans"], row["reason"]) == (
        "quarantined", "too_fast", [[2, 3]], FAST.sentence)  # fmt: skip
    assert not {"ann", "0.2 s of 14 s", "v1"} & set(json.dumps(row).split('"'))
    boards = json.loads((tmp_path / "export" / "boards.json").read_text())
    assert (
        next(board["votes"] for board in boards if (board["source"], board["category"]) == ("human", "overall"))
        == 18
    )


def forged(folder, name, change):
    """Change a file of an export, and the manifest with it."""
    path, manifest = folder / name, folder / "manifest.json"
    changed = change(path.read_text())
    path.write_text(changed)
    about = json.loads(manifest.read_text())
    about["files"][name]["sha256"] = hashlib.sha256(changed.encode()).hexdigest()
    manifest.write_text(json.dumps(about))


@pytest.mark.parametrize(
    ("name", "old", "new", "problem"),
    [
        ("set_aside.jsonl", "[[2, 3]]", "[[2, 2]]", "votes is 18, and 19 follows"),
        ("set_aside.jsonl", "[[2, 3]]", "[[2, 4]]", "votes is 18, and 17 follows"),
        ("seals.jsonl", "[[2, 3]]", "[[2, 4]]", "seal 1"),
        ("seals.jsonl", "too_fast", "burst", "seal 1"),
    ],
)
def test_a_changed_list_does_not_verify(voted, tmp_path, name, old, new, problem):
    held(voted, [2, 3])
    seal(voted)
    export_arena(voted, tmp_path / "export")
    forged(tmp_path / "export", name, lambda text: text.replace(old, new))
    assert problem in " ".join(verify(tmp_path / "export").problems)


def test_a_held_vote_of_an_import_that_is_set_aside(voted, tmp_path):
    imported = Selection(IMPORT, "mt")
    held(voted, [18, 19])
    seal(voted)
    with voted.write() as session:
        set_aside(session, imported, "of unknown origin", "ann")
    seal(voted)
    released(voted, [18])
    seal(voted)
    with voted.write() as session:
        take_back(session, imported, "checked", "ann")
    assert votes_of(seal(voted).last.boards)["human"] == 19
    export_arena(voted, tmp_path / "export")
    assert verify(tmp_path / "export").problems == []


def test_every_board_changes_at_once_and_says_how_many_do_not_count(voted):
    cache = ResultCache(voted)

    def board(source):
        return cache.get(source, lambda session: publish(session, source), rest=0)

    assert [board(name).board.battles for name in ("human", "judges", "all")] == [20, 8, 28]
    held(voted, [2, 3])
    held(voted, [5], PENDING)
    assert [board(name).board.battles for name in ("human", "judges", "all")] == [17, 8, 25]
    note = "Votes that do not count: 3. Quarantined: 2, waiting for a check: 1."
    assert [str(row) for row in board("human").notes] == [note]
    assert board("judges").notes == ()
    with voted.read() as session:
        assert board_at(session, moment("2999-01-01"), "human").board.battles == 17
        assert board_at(session, moment("2999-01-01"), "human", version="capped-1").board.battles == 17
        assert len(page_of_votes(session, 0, 100, None).rows) == 25
    released(voted, [2, 3, 5])
    assert [board(name).board.battles for name in ("human", "judges", "all")] == [20, 8, 28]
    assert board("human").notes == ()


def test_counts_by_statement_are_those_of_each_statement():
    """Against a plain count, with random spans that overlap."""
    chance = random.Random(4)
    votes = [
        SealedVote(n, f"b{n}", "amber", "birch", chance.choice(["model_a", "tie"]), "human", f"v{n % 7}",
                   stopped_early=False, leaked=False, created_at="2026-01-01") for n in range(1, 200)
    ]  # fmt: skip

    def statement():
        spans = [(first, first + chance.randrange(-2, 9)) for first in chance.choices(range(1, 200), k=6)]
        return [{"kind": "quarantined", "name": "burst", "reason": "why", "since": "2026", "spans": spans}]

    statements = [statement() for _ in range(20)]
    grouped = GroupedCounts(Statements([(), *statements]))
    for vote in votes:
        grouped.add(vote)
    for rows_ in ([], *statements):
        plain, aside = VoteCounts(), AsideVotes(rows_)
        plain.add(vote for vote in votes if vote not in aside)
        models = ["amber", "birch"]
        assert (
            grouped.without(rows_).leaderboard("human", models).to_dict()
            == plain.leaderboard("human", models).to_dict()
        )


def test_an_import_of_an_export_holds_what_its_arena_holds(voted, tmp_path):
    held(voted, [2, 3])
    held(voted, [5], PENDING, BURST)
    export_arena(voted, tmp_path / "export")
    other = new_file(tmp_path / "other.db")
    import_battles(other, tmp_path / "export" / "battles.jsonl", name="mirror")
    with other.read() as session:
        kept = [(row.battle, row.state, row.reason, row.set_by) for row in held_now(session)]
        assert recount(session) == []
        assert packed_differences(session) == []
        assert len(packed_votes(session, "human")) == 17
        assert aside_version(session)[2] == 0
    with voted.read() as session:
        names = [row.battle for row in held_now(session)]
    assert kept == [
        (names[0], "pending", "burst", "import mirror"), (names[1], "quarantined", "too_fast", "import mirror"),
        (names[2], "quarantined", "too_fast", "import mirror")]  # fmt: skip
    other.close()


@pytest.mark.parametrize("row", ['{"kind": "pending"}', '{"kind": "pending", "name": "burst", "spans": [[1]]}'])
def test_an_import_refuses_a_list_of_held_votes_that_is_none(voted, tmp_path, row):
    export_arena(voted, tmp_path / "export")
    (tmp_path / "export" / "set_aside.jsonl").write_text(row)
    with pytest.raises(BadBattlesFile, match="a row is invalid"):
        import_battles(voted, tmp_path / "export" / "battles.jsonl")


def test_a_receipt_has_the_state_of_its_vote(voted, tmp_path):
    seal(voted)
    receipts = Receipts(voted)
    with voted.read() as session:
        leaf = sealed_vote(session, 2).leaf().hex()

    def state():
        given = receipts.find(2, leaf)
        assert list(receipt_problems(given)) == []
        return given["state"], given.get("reason")

    assert state() == ("accepted", None)
    held(voted, [2])
    assert state() == ("quarantined", "too_fast")
    (tmp_path / "receipt.json").write_text(json.dumps(receipts.find(2, leaf)))
    assert (
        "its state (quarantined), which can change"
        in check_receipt_file(tmp_path / "receipt.json").not_covered[-1]
    )
    released(voted, [2])
    assert state() == ("released", "too_fast")
    held(voted, [2], PENDING, BURST)
    released(voted, [2])
    assert state() == ("accepted", None)
