"""Exports that a careful forger has changed: whatever is published is checked, or named as not covered."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from arena.exchange.columns import COLUMNS, OPEN
from arena.exchange.export_boards import ExportBoards, vote_of
from arena.exchange.folder import export_arena
from arena.exchange.sealing import seal
from arena.exchange.verify import verify
from arena.leaderboards.vote_filters import EVERY, find_filter
from arena.rules.seals import Seal
from arena.store.ledger import add_seal
from tests.support.arenas import new_file
from tests.support.ballots import PLAIN, ballot, ballots
from tests.support.exported import boards, rewrite, rows

OLD_DIGITS = ("model", "rating", "lower", "upper", "rank", "battles")


@pytest.fixture(scope="module")
def exported(tmp_path_factory) -> Path:
    """Two seals of sixteen votes, of which half can be read, and one vote that is not sealed."""
    folder = tmp_path_factory.mktemp("exported")
    database = new_file(folder / "arena.db")
    for shared in (True, False):
        for number, (a, b, winner) in enumerate(PLAIN * 2):
            texts = ("A **plant**." * (1 + number % 3), "It has\n- leaves\n- bark" * (1 + number % 2))
            ballot(database, a, b, winner, voter=f"voter-{number % 4}", shared=shared, texts=texts)
        seal(database)
    ballot(database, "amber", "birch", "tie", source="judge:j", voter="judge:j", prompt="Judge this.")
    export_arena(database, folder / "export")
    database.close()
    return folder / "export"


def rewrite_battles(folder: Path, given: list[dict]) -> None:
    """Change rows, and every published board with them, as an operator can."""
    rewrite(folder, "battles.jsonl", given)
    computed = ExportBoards(find_filter(EVERY))
    for row in given:
        computed.add(vote_of(row), row)
    rewrite(
        folder, "boards.json", list(computed.published([row["model"] for row in rows(folder, "models.jsonl")]))
    )


def problems(folder: Path) -> str:
    return "\n".join(verify(folder).problems)


def test_an_untouched_export_holds_and_names_what_is_not_covered(exported):
    found = verify(exported)
    assert (found.problems, found.to_dict()["not_covered"]) == ([], found.not_covered)
    text = "\n".join(found.not_covered)
    assert "manifest.json: made_at, made_by, screened" in text
    assert f"battles: {', '.join(OPEN)}" in text
    assert "1 votes that are newer than the last seal" in text
    assert "models.jsonl: created_at" in text


def test_every_column_is_of_one_kind(exported):
    assert all(row.keys() == COLUMNS for row in rows(exported))


def test_a_board_that_is_listed_twice_is_found(copy):
    """The first one is forged, the second is the true one."""
    given = boards(copy)
    forged = json.loads(json.dumps(given[0]))
    forged["models"][0]["rating"] += 50
    rewrite(copy, "boards.json", [forged, *given])
    said = problems(copy)
    assert "boards.json: human, overall, bt: is there twice" in said
    assert "amber: rating is" in said


def test_a_board_that_is_listed_twice_in_a_seal_is_found(copy):
    first, second = rows(copy, "seals.jsonl")
    forged = json.loads(json.dumps(second["boards"][0]))
    forged["models"][0]["rating"] += 50
    second["boards"].insert(0, forged)
    content = {name: value for name, value in second.items() if name != "sha256"}
    rewrite(copy, "seals.jsonl", [first, Seal(**content).to_dict()])
    assert "seal 2: its board of human is there twice" in problems(copy)


@pytest.mark.parametrize("name", ["lower", "upper", "rank", "wins", "provisional"])
def test_a_removed_column_of_a_board_is_found(copy, name):
    given = boards(copy)
    for row in given[0]["models"]:
        del row[name]
    rewrite(copy, "boards.json", given)
    assert f"boards.json: human, overall, bt: amber: {name} is missing" in problems(copy)


def test_a_further_column_of_a_board_is_found(copy):
    given = boards(copy)
    given[0]["models"][0]["certified"] = True
    given[0]["note"] = "certified"
    rewrite(copy, "boards.json", given)
    said = problems(copy)
    assert "amber: certified is there, and no such key follows" in said
    assert "note is there, and no such key follows" in said


def test_reordered_rows_of_a_board_are_found(copy):
    given = boards(copy)
    given[0]["models"].reverse()
    rewrite(copy, "boards.json", given)
    assert "stands after" in problems(copy)


def test_a_model_that_is_listed_twice_on_a_board_is_found(copy):
    given = boards(copy)
    given[0]["models"].insert(0, {**given[0]["models"][0], "rating": 2000.0})
    rewrite(copy, "boards.json", given)
    assert "boards.json: human, overall, bt: amber: is on the board twice" in problems(copy)


def test_reordered_boards_are_found(copy):
    rewrite(copy, "boards.json", boards(copy)[::-1])
    assert "boards.json: the boards are in another order" in problems(copy)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("as_of", "2020-01-01T00:00:00.000000+00:00"),
        ("method", "exact"),
        ("parameters", {"prior": 0.5, "covariance": "sandwich", "level": 0.95}),
        ("components", []),
        ("filter", "blind-1"),
    ],
)
def test_every_key_of_a_board_is_compared(copy, name, value):
    given = boards(copy)
    given[0][name] = value
    rewrite(copy, "boards.json", given)
    assert f"boards.json: human, overall, bt: {name} is {value}, and" in problems(copy)


@pytest.mark.parametrize(
    ("name", "value"),
    [("length_a", 900), ("pair_probability", 0.5), ("preference", 0.9), ("prompt_cluster", "another")],
)
def test_a_changed_column_is_found_although_the_boards_follow_from_it(copy, name, value):
    given = rows(copy)
    for row in given[:8]:
        row[name] = value
    rewrite_battles(copy, given)
    (said,) = verify(copy).problems
    assert said.startswith("seal 1: ")
    assert name in said
    assert said.endswith("of votes 1 to 16 do not give its hash")


@pytest.mark.parametrize(
    ("name", "value"), [("anony", False), ("tstamp", 1.0), ("seal", 2), ("leaf", "00"), ("seal", None)]
)
def test_a_column_that_follows_from_the_vote_is_computed_again(copy, name, value):
    given = rows(copy)
    given[0][name] = value
    rewrite(copy, "battles.jsonl", given)
    assert "vote 1 (" in problems(copy)


def test_a_removed_and_a_further_column_are_found(copy):
    given = rows(copy)
    del given[0]["leaf"]
    del given[1]["preference"]
    given[2]["verified_by"] = "us"
    rewrite(copy, "battles.jsonl", given)
    said = problems(copy)
    assert "has no leaf" in said
    assert "has no preference" in said
    assert "has verified_by, which no export has" in said


@pytest.mark.parametrize("name", OPEN)
def test_a_column_that_can_change_later_is_named_as_not_covered(copy, name):
    given = rows(copy)
    given[0][name] = None if name != "categories" else ["overall"]
    rewrite_battles(copy, given)
    found = verify(copy)
    assert found.problems == []
    assert any(name in text for text in found.not_covered)


def test_an_unsealed_vote_that_is_appended_is_named_as_not_covered(copy):
    given = rows(copy)
    new = {**given[-1], "vote": given[-1]["vote"] + 1, "winner": "model_a", "question_id": "forged"}
    new["leaf"] = vote_of(new).leaf().hex()[:16]
    rewrite_battles(copy, [*given, new])
    found = verify(copy)
    assert "2 votes that are newer than the last seal, and boards.json so far as they count" in found.not_covered


@pytest.mark.parametrize("name", ["votes", "unsealed", "with_text", "seals", "boards"])
def test_the_counts_of_the_manifest_are_checked(copy, name):
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest[name] += 1
    (copy / "manifest.json").write_text(json.dumps(manifest))
    assert f"manifest.json: {name} is {manifest[name]}, and {manifest[name] - 1} follows" in problems(copy)


def test_keys_and_files_that_no_export_has_are_found(copy):
    (copy / "note.txt").write_text("certified")
    manifest = json.loads((copy / "manifest.json").read_text())
    manifest["certified"] = True
    del manifest["made_at"]
    manifest["files"]["models.jsonl"]["rows"] = 9
    (copy / "manifest.json").write_text(json.dumps(manifest))
    said = problems(copy)
    assert "note.txt: is in the folder and not in the manifest" in said
    assert "manifest.json: certified is there, and no export has it" in said
    assert "manifest.json: made_at is missing" in said
    assert "manifest.json: rows of models.jsonl is 9, and 3 follows" in said


def test_a_name_that_occurs_twice_in_one_object_is_found(copy):
    """Readers take the first or the last of them."""
    text = (copy / "boards.json").read_text().replace('"method":', '"method": "exact", "method":', 1)
    (copy / "boards.json").write_text(text)
    with pytest.raises(Exception, match="the name 'method' occurs twice"):
        verify(copy)


def test_a_further_key_of_a_seal_is_found(copy):
    first, second = rows(copy, "seals.jsonl")
    rewrite(copy, "seals.jsonl", [{**first, "witness": "us"}, second])
    assert "seal 1: has witness, which no seal has" in problems(copy)


def test_a_model_that_is_listed_twice_is_found(copy):
    given = rows(copy, "models.jsonl")
    rewrite(copy, "models.jsonl", [*given, {**given[0], "note": "new"}])
    said = problems(copy)
    assert "models.jsonl: amber is there twice" in said
    assert "models.jsonl: amber: keys are created_at, model, note" in said


def older(made: Seal) -> Seal:
    """The seal as versions before 0.3 made it: other ranks and intervals, a model without votes, no columns."""
    boards = []
    for board in made.boards:
        lines = [
            {**{name: row[name] for name in OLD_DIGITS}, "lower": 1.0, "upper": 1999.0, "rank": place}
            for place, row in enumerate(board["models"], 1)
        ]
        lines.append(
            {"model": "dahlia", "rating": 1000.0, "lower": 254.0, "upper": 1746.0, "rank": 1, "battles": 0}
        )
        boards.append({**{name: board[name] for name in ("source", "votes", "method")}, "models": lines})
    content = {name: value for name, value in made.content().items() if name not in ("boards", "columns")}
    return Seal(**content, boards=boards)


@pytest.fixture
def with_older(sqlite, tmp_path, monkeypatch) -> Path:
    """An export whose first seal is of an earlier version and whose second is of this one."""
    ballots(sqlite)
    monkeypatch.setattr("arena.exchange.sealing.add_seal", lambda session, made: add_seal(session, older(made)))
    seal(sqlite)
    monkeypatch.undo()
    ballots(sqlite)
    seal(sqlite)
    export_arena(sqlite, tmp_path / "export")
    return tmp_path / "export"


def test_a_seal_of_an_earlier_version_is_not_a_forgery(with_older):
    first, second = rows(with_older, "seals.jsonl")
    assert "columns" not in first
    assert "version" not in first["boards"][0]
    assert second["boards"][0]["version"] == 2
    found = verify(with_older)
    assert found.problems == []
    text = "\n".join(found.not_covered)
    assert "1 boards from before 0.3: their intervals, ranks, method, order" in text
    assert "of the votes in 1 seals from before 0.3" in text


def test_a_rating_of_a_seal_of_an_earlier_version_is_compared(with_older):
    chain = rows(with_older, "seals.jsonl")
    chain[0]["boards"][0]["models"][0]["rating"] += 5
    before = ""
    for place, row in enumerate(chain):
        content = {name: value for name, value in row.items() if name != "sha256"}
        chain[place] = Seal(**{**content, "previous": before or row["previous"]}).to_dict()
        before = chain[place]["sha256"]
    rewrite(with_older, "seals.jsonl", chain)
    assert "seal 1: human: amber: rating is" in problems(with_older)


def test_a_board_of_this_version_does_not_pass_as_an_older_one(copy):
    given = boards(copy)
    del given[0]["version"]
    given[0]["models"][0]["lower"] = 900.0
    rewrite(copy, "boards.json", given)
    assert "boards.json: human, overall, bt: version is missing" in problems(copy)
