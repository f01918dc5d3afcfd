"""Every board allows for votes of one voter and verdicts on one prompt, from the same code and with the same numbers."""

import json
from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest
from sqlalchemy import text

import ratings
from arena.exchange.export_boards import ExportBoards
from arena.exchange.folder import export_arena
from arena.exchange.rows import arena_rows
from arena.exchange.sealing import seal
from arena.exchange.verify import verify
from arena.judging.results import Judged, rating_rows
from arena.leaderboards import vote_clusters
from arena.leaderboards.history import board_at
from arena.leaderboards.leaderboard import publish
from arena.leaderboards.trends import rating_history
from arena.leaderboards.vote_counts import VoteCounts, board_in_seal
from arena.store.imports import NewVote, add_votes
from arena.store.ledger import seals
from arena.store.schema.battles import now
from judges import Verdict

MODELS = ("amber", "birch", "cedar", "dogwood")
VOTERS, EACH = 15, 24


def drawn(seed=5, voters=VOTERS, each=EACH, taste=1.2):
    """(left, right, winner, voter) of votes whose voters have a taste of their own."""
    rng = np.random.default_rng(seed)
    own = rng.normal(0, taste, (voters, len(MODELS)))
    for voter in range(voters):
        for _ in range(each):
            a, b = rng.choice(len(MODELS), 2, replace=False)
            won = rng.random() < 1 / (1 + np.exp(own[voter, b] - own[voter, a]))
            winner = "tie" if rng.random() < 0.15 else "model_a" if won else "model_b"
            yield MODELS[a], MODELS[b], winner, f"voter-{voter}"


def add_people(database, votes):
    moment = now()
    with database.write() as session:
        add_votes(
            session,
            [
                NewVote(f"battle-{n}", a, b, winner, "human", voter, moment - timedelta(days=2))
                for n, (a, b, winner, voter) in enumerate(votes)
            ],
        )


def add_judge(database, votes, name):
    """Verdicts on one prompt for each voter of `votes`."""
    with database.write() as session:
        add_votes(
            session,
            [
                NewVote(f"{n}", a, b, winner, f"judge:{name}", f"judge:{name}", now(), turns=((prompt, "x", "y"),))
                for n, (a, b, winner, prompt) in enumerate(votes)
            ],
        )


def bounds(rows):
    """(lower, upper) by model, of a board or of its JSON."""
    plain = [row if isinstance(row, dict) else vars(row) for row in rows]
    return Bounds({row["model"]: (row["lower"], row["upper"]) for row in plain})


class Bounds(dict):
    """Equal up to the digits of a seal: sums over clusters are made in another order."""

    def __eq__(self, other):
        return dict(self) == {model: pytest.approx(ends, abs=2e-4) for model, ends in other.items()}


def half(board):
    return float(np.median([(row.upper - row.lower) / 2 for row in board.rows]))


def expected(votes, way):
    a, b, winner, cluster = zip(*votes, strict=True)
    counts = ratings.count_pairs(a, b, winner, models=MODELS)
    return ratings.leaderboard(counts, clusters=ratings.cluster_votes(a, b, winner, {way: cluster}, models=MODELS))


def test_the_board_of_people_is_that_of_their_votes_by_voter(database):
    votes = list(drawn())
    add_people(database, votes)
    with database.read() as session:
        board = publish(session).board
    assert bounds(board.rows) == bounds(expected(votes, "voters").rows)
    assert board.parameters["clusters"] == {"voters": VOTERS}
    independent = ratings.leaderboard(*zip(*[vote[:3] for vote in votes], strict=True))
    assert half(board) > 1.3 * half(independent)
    assert all(row.design_effect > 1 for row in board.rows)


def test_live_past_sealed_and_exported_boards_agree_and_verify(database, tmp_path):
    add_people(database, drawn())
    add_judge(database, drawn(7), "one")
    seal(database)
    exported = export_arena(database, tmp_path / "out")
    assert exported.votes == 2 * VOTERS * EACH
    published = json.loads((tmp_path / "out" / "boards.json").read_text())
    with database.read() as session:
        in_seal = {board["source"]: board for board in seals(session)[-1].boards}
        for source in ("human", "judge:one", "judges", "all"):
            live = publish(session, source).board
            past = board_at(session, now() + timedelta(days=1), source).board
            listed = next(
                b for b in published if (b["source"], b["category"], b["board"]) == (source, "overall", "bt")
            )
            assert bounds(past.rows) == bounds(live.rows) == bounds(in_seal[source]["models"])
            assert bounds(listed["models"]) == bounds(live.rows)
            assert live.parameters["clusters"] == listed["parameters"]["clusters"] == in_seal[source]["clusters"]
            davidson = publish(session, source, method="davidson").board
            listed = next(
                b for b in published if (b["source"], b["category"], b["board"]) == (source, "overall", "davidson")
            )
            assert bounds(listed["models"]) == bounds(davidson.rows)
            last = rating_history(session, source if source != "all" else None, "overall")
            assert bounds(live.rows) == bounds([vars(r) for r in last if r.date == max(r.date for r in last)])
    assert verify(tmp_path / "out").problems == []


def test_a_board_of_many_votes_reads_them_in_parts(sqlite, monkeypatch):
    add_people(sqlite, drawn())
    with sqlite.read() as session:
        whole = {method: publish(session, method=method).board for method in ("bt", "davidson")}
        monkeypatch.setattr(vote_clusters, "MANY", 10)
        monkeypatch.setattr(vote_clusters, "PART", 200)
        for method, board in whole.items():
            parted = publish(session, method=method).board
            assert bounds(parted.rows) == bounds(board.rows)
            assert [row.rank for row in parted.rows] == [row.rank for row in board.rows]
            assert parted.parameters == board.parameters


def test_a_past_board_has_the_clusters_of_its_votes(database):
    early = list(drawn())
    add_people(database, early)
    with database.read() as session:
        before = publish(session).board
    add_judge(database, drawn(9), "late")
    with database.write() as session:
        add_votes(session, [NewVote("x", "amber", "birch", "model_a", "human", "voter-1", now())])
        past = board_at(session, now() - timedelta(days=1)).board
        assert publish(session).board.battles == before.battles + 1
    assert bounds(past.rows) == bounds(before.rows)


def _without_version(board):
    return {name: value for name, value in board.items() if name not in ("version", "prompt_cluster")}


def test_an_export_of_an_older_version_still_verifies(sqlite, tmp_path, monkeypatch):
    add_people(sqlite, drawn())
    made, listed = board_in_seal, ExportBoards._board
    with monkeypatch.context() as older:
        older.setattr("arena.exchange.sealing.board_in_seal", lambda *given: _without_version(made(*given)))
        older.setattr("arena.exchange.sealing.column_hashes", lambda _: None)
        older.setattr(ExportBoards, "_board", lambda *given: _without_version(listed(*given)))
        older.setattr("arena.exchange.export_boards.voter_code", lambda *_: 0)
        older.setattr(VoteCounts, "clusters", lambda *_: None)
        older.setattr(
            "arena.exchange.folder.arena_rows",
            lambda *given, **more: map(_without_version, arena_rows(*given, **more)),
        )
        seal(sqlite)
        export_arena(sqlite, tmp_path / "old")
    board = json.loads((tmp_path / "old" / "boards.json").read_text())[0]
    assert "clusters" not in board["parameters"]
    found = verify(tmp_path / "old")
    assert found.problems == []
    assert any("boards from before 0.3" in text for text in found.not_covered)
    export_arena(sqlite, tmp_path / "new")
    assert verify(tmp_path / "new").problems == []


def test_a_sealed_board_with_narrower_intervals_than_its_votes_give_is_found(sqlite, tmp_path, monkeypatch):
    add_people(sqlite, drawn())
    with monkeypatch.context() as forged:
        true = VoteCounts.leaderboard
        forged.setattr(VoteCounts, "leaderboard", lambda self, *given: _narrowed(true, self, *given))
        seal(sqlite)
    export_arena(sqlite, tmp_path / "out")
    assert any("seal 1: human: amber: lower is" in problem for problem in verify(tmp_path / "out").problems)


def _narrowed(true, counts, source, models):
    """The intervals of independent votes, on a board that claims clusters."""
    independent = ratings.leaderboard(counts.pair_counts(source, models))
    return replace(true(counts, source, models), rows=independent.rows)


def test_a_run_and_the_board_give_the_same_interval_for_the_same_verdicts(database):
    verdicts = list(drawn(3))
    add_judge(database, verdicts, "one")
    report = rating_rows(
        [
            Judged(prompt, a, b, Verdict(winner, 0.5 if winner == "tie" else float(winner == "model_a"), ""))
            for a, b, winner, prompt in verdicts
        ]
    )
    with database.read() as session:
        board = publish(session, "judge:one").board
    assert bounds(report) == bounds(board.rows)
    assert board.parameters["clusters"] == {"prompts": VOTERS}


def test_the_same_verdicts_by_three_names_are_no_more_evidence(database):
    verdicts = list(drawn(3))
    for name in ("judge", "judge-trial", "judge-template"):
        add_judge(database, verdicts, name)
    with database.read() as session:
        one, all_names = (publish(session, source).board for source in ("judge:judge", "judges"))
    pooled = ratings.leaderboard(*zip(*[verdict[:3] for verdict in verdicts * 3], strict=True))
    assert half(all_names) == pytest.approx(half(one), rel=0.05)
    assert half(all_names) > 1.5 * half(pooled)


def test_votes_of_unknown_voters_are_clusters_of_one(database):
    votes = [(a, b, winner, "human") for a, b, winner, _ in drawn()]
    add_people(database, votes)
    with database.read() as session:
        board = publish(session).board
    plain = ratings.leaderboard(*zip(*[vote[:3] for vote in votes], strict=True))
    assert "clusters" not in board.parameters
    assert bounds(board.rows) == bounds(plain.rows)


def test_imports_of_older_versions_did_not_know_their_voters_either(database):
    add_people(database, [(a, b, winner, "imported") for a, b, winner, _ in drawn()])
    with database.read() as session:
        assert "clusters" not in publish(session).board.parameters


def test_prompts_that_people_share_are_clusters_too(database):
    rng = np.random.default_rng(1)
    votes = [
        NewVote(
            f"b{n}", a, b, winner, "human", voter, now(), turns=((f"prompt {rng.integers(12)}", "left", "right"),)
        )
        for n, (a, b, winner, voter) in enumerate(drawn())
    ]
    with database.write() as session:
        add_votes(session, votes)
        assert publish(session).board.parameters["clusters"] == {"voters": VOTERS, "prompts": 12}
        assert publish(session, "all").board.parameters["clusters"] == {"voters": VOTERS, "prompts": 12}


def test_the_board_of_both_allows_for_clusters(database):
    add_people(database, drawn())
    add_judge(database, drawn(7), "one")
    with database.write() as session:
        clustered = publish(session, "both").board
        session.execute(text("DELETE FROM packed_votes"))
        independent = publish(session, "both").board
    assert half(clustered) > 1.2 * half(independent)


def test_a_single_voter_leaves_votes_independent(database):
    add_people(database, [(a, b, winner, "ann") for a, b, winner, _ in drawn()])
    with database.read() as session:
        board = publish(session).board
    assert "clusters" not in board.parameters
    assert board.rows[0].design_effect is None
    assert "design_effect" not in board.to_dict()["models"][0]
