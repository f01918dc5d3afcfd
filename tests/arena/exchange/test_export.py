"""The export, and what `arena verify` makes of one that somebody has had a hand in."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest

from arena.config.given_files import digest
from arena.errors import ConfigError, InputError
from arena.exchange.board_comparison import differences
from arena.exchange.files import BadExport
from arena.exchange.folder import export_arena
from arena.exchange.sealing import seal
from arena.exchange.verify import verify
from arena.leaderboards.leaderboard import publish
from arena.rules.seals import Seal
from tests.support.arenas import new_file
from tests.support.ballots import PLAIN, ballot, ballots
from tests.support.exported import rows
from tests.support.typed import Typed

SECRET = "Mail me at ann@example.org or +49 30 901820."


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """Two seals of four votes, then one that is not sealed; one battle in two may be read."""

    folder = tmp_path_factory.mktemp("exported")
    database = new_file(folder / "arena.db")
    for start in (0, 4):
        ballots(database, PLAIN[start : start + 4], shared=start == 0, prompt=SECRET)
        seal(database)
    ballot(database, "amber", "birch", "tie", source="judge:j", voter="judge:j", prompt="Judge this.")
    export_arena(database, folder / "export")
    database.close()
    return folder / "export"


def rewrite(folder: Path, name: str, value) -> None:
    """As a careful forger would: the manifest fits the new file."""
    text = json.dumps(value) if name == "boards.json" else "".join(json.dumps(row) + "\n" for row in value)
    (folder / name).write_text(text)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"][name]["sha256"] = digest(folder / name)
    if name == "seals.jsonl":
        manifest["head"] = value[-1]["sha256"]
    (folder / "manifest.json").write_text(json.dumps(manifest))


def problems(folder: Path, **given) -> str:
    found = verify(folder, **given)
    assert not found.holds
    return "\n".join(found.problems)


def rehashed(row: dict) -> dict:
    content = {name: value for name, value in row.items() if name != "sha256"}
    return Seal(**content).to_dict()


def test_an_untouched_export_follows(exported):
    found = verify(exported)
    assert found.problems == []
    assert (found.votes, found.unsealed, found.seals) == (9, 1, 2)
    assert found.numbers > 100


def test_only_what_voters_agreed_to_show_has_its_text(exported):
    given = rows(exported)
    assert [row["conversation_a"] is None for row in given] == [False] * 4 + [True] * 4 + [False]
    assert all(row["length_a"] is not None for row in given)
    talk = given[0]["conversation_b"]
    assert [message["role"] for message in talk] == ["user", "assistant"]
    assert talk[0]["content"] == "Mail me at [email] or [phone number]."


def test_voters_and_texts_do_not_leak(exported):
    everything = "".join(path.read_text() for path in exported.iterdir())
    for secret in ("ann@example.org", "901820", "voter-0", "voter-1", "voter-2"):
        assert secret not in everything
    manifest = json.loads((exported / "manifest.json").read_text())
    assert manifest["screened"] == {"email": 8, "phone number": 8}
    voters = [row["voter"] for row in rows(exported)]
    assert len(set(voters)) == 4
    assert voters[0] == voters[3]
    assert voters[-1] == "judge:j"


def test_rows_are_those_of_the_public_arena_data(exported):
    row = rows(exported)[4]
    assert (row["model_a"], row["model_b"], row["winner"]) == ("cedar", "birch", "tie (bothbad)")
    assert (row["language"], row["anony"], row["turn"]) == ("English", True, 1)
    assert row["dedup_tag"] == {"high_freq": False, "sampled": True}
    assert isinstance(row["tstamp"], float)
    assert row["prompt_id"] == rows(exported)[0]["prompt_id"] != rows(exported)[-1]["prompt_id"]


def test_published_boards_are_those_of_the_arena(sqlite, tmp_path):
    ballots(sqlite)
    ballot(sqlite, "amber", "birch", "tie", source="judge:j", voter="judge:j")
    export_arena(sqlite, tmp_path / "out")
    boards = json.loads((tmp_path / "out" / "boards.json").read_text())
    with sqlite.read() as session:
        for board in boards:
            if board["board"] == "bt":
                models = publish(session, board["source"], board["category"]).to_dict()["models"]
                assert board["models"] == models, board["source"]
    assert {board["source"] for board in boards} == {"human", "judges", "all", "judge:j"}
    assert {board["board"] for board in boards} == {"bt", "davidson"}


def test_a_changed_vote_is_found(copy):
    given = rows(copy)
    given[1]["winner"] = "model_a"
    rewrite(copy, "battles.jsonl", given)
    said = problems(copy)
    assert "vote 2" in said
    assert "is not as it was when the export was made" in said
    assert "seal 1: votes 1 to 4 do not give its root" in said
    assert "boards.json: human, overall, bt: amber: rating is" in said


def test_a_changed_vote_is_found_when_its_leaf_is_forged_too(copy):
    from arena.exchange.export_boards import vote_of

    given = rows(copy)
    given[1]["winner"] = "model_a"
    given[1]["leaf"] = vote_of(given[1]).leaf().hex()[:16]
    rewrite(copy, "battles.jsonl", given)
    assert "seal 1: votes 1 to 4 do not give its root; one of them was changed" in problems(copy)


@pytest.mark.parametrize("field", ["voter", "timestamp", "source", "leaked", "question_id"])
def test_no_sealed_part_of_a_vote_can_be_changed(copy, field):
    given = rows(copy)
    given[5][field] = given[0][field] if field != "source" else "judge:k"
    given[5]["leaked"] = field == "leaked"
    rewrite(copy, "battles.jsonl", given)
    assert "seal 2: votes 5 to 8 do not give its root" in problems(copy)


def test_a_deleted_vote_is_found(copy):
    given = rows(copy)
    del given[6]
    rewrite(copy, "battles.jsonl", given)
    assert "seal 2: holds 4 votes (votes 5 to 8), and the export has 3 of them" in problems(copy)


def test_a_deleted_vote_that_is_not_sealed_changes_the_boards(copy):
    rewrite(copy, "battles.jsonl", rows(copy)[:-1])
    assert "boards.json: judges, overall, bt: has no votes" in problems(copy)


def test_exchanged_votes_are_found(copy):
    given = rows(copy)
    given[1], given[2] = given[2], given[1]
    rewrite(copy, "battles.jsonl", given)
    assert "vote 2: comes after vote 3" in problems(copy)


def test_a_reordered_seal_is_found(copy):
    rewrite(copy, "seals.jsonl", rows(copy, "seals.jsonl")[::-1])
    said = problems(copy)
    assert "seal 2: stands where seal 1 should be" in said
    assert "seal 1: does not follow the seal before it" in said


def test_a_reordered_seal_is_found_when_numbers_and_hashes_are_forged(copy):
    first, second = rows(copy, "seals.jsonl")
    second = rehashed({**second, "number": 1, "previous": first["previous"]})
    first = rehashed({**first, "number": 2, "previous": second["sha256"]})
    rewrite(copy, "seals.jsonl", [second, first])
    assert "seal 1: holds 4 votes (votes 5 to 8), and the export has 8 of them" in problems(copy)


def test_a_removed_seal_is_found(copy):
    rewrite(copy, "seals.jsonl", rows(copy, "seals.jsonl")[1:])
    assert "seal 2: does not follow the seal before it" in problems(copy)


def test_a_changed_rating_is_found_with_what_follows(copy):
    boards = json.loads((copy / "boards.json").read_text())
    human = next(board for board in boards if board["source"] == "human")
    was = human["models"][0]["rating"]
    human["models"][0]["rating"] += 5.0
    rewrite(copy, "boards.json", boards)
    (said,) = verify(copy).problems
    assert said == f"boards.json: human, overall, bt: amber: rating is {was + 5.0}, and {was} follows"


def test_every_published_number_is_checked(exported):
    boards = json.loads((exported / "boards.json").read_text())
    for board in boards:
        row = board["models"][0]
        for name in [name for name in row if name != "model"]:
            changed = json.loads(json.dumps(board))
            changed["models"][0][name] = not row[name] if isinstance(row[name], bool) else (row[name] or 0) + 1
            (said,) = differences(changed, board)
            assert said.startswith(f"{row['model']}: {name} is")
    assert {board["board"] for board in boards} == {"bt", "davidson"}


def test_a_changed_rating_in_a_seal_is_found_even_when_all_hashes_are_forged(copy):
    first, second = rows(copy, "seals.jsonl")
    head = second["sha256"]
    first["boards"][0]["models"][0]["rating"] += 1
    assert "seal 1: its content" in _seals(copy, first, second)
    first = rehashed(first)
    assert "seal 2: does not follow the seal before it" in _seals(copy, first, second)
    second = rehashed({**second, "previous": first["sha256"]})
    said = _seals(copy, first, second)
    assert "seal 1: human: amber: rating is" in said
    assert f"no seal has the hash {head}; the last one is {second['sha256']}" in problems(copy, head=head)


def test_a_changed_filter_version_is_found(copy):
    first, second = rows(copy, "seals.jsonl")
    second["filter"] = "blind-1"
    assert "seal 2: its content (filter, votes, boards or time) does not give its hash" in _seals(
        copy, first, second
    )
    said = _seals(copy, first, rehashed(second))
    assert "boards.json: human, overall, bt: filter is every-1, and blind-1 follows" in said
    second["filter"] = "none-1"
    assert "Filter 'none-1' is unknown" in _seals(copy, first, rehashed(second))


def test_a_filter_version_says_which_votes_count(sqlite, tmp_path):
    ballots(sqlite)
    ballot(sqlite, "cedar", "amber", "model_a", leaked=True)
    seal(sqlite)
    seal(sqlite, "blind-1")
    export_arena(sqlite, tmp_path / "out")
    assert verify(tmp_path / "out").problems == []
    first, second = rows(tmp_path / "out", "seals.jsonl")
    forged = rehashed({**second, "filter": "every-1"})
    assert "seal 2: human: votes is 8, and 9 follow" in _seals(tmp_path / "out", first, forged)


def _seals(folder: Path, *chain: dict) -> str:
    rewrite(folder, "seals.jsonl", list(chain))
    return problems(folder)


def test_a_touched_file_is_named(copy):
    with (copy / "models.jsonl").open("a") as file:
        file.write("\n".join(['{"model": "dahlia", "created_at": ""}', ""]))
    said = problems(copy)
    assert "models.jsonl: is not the file that the manifest was made over" in said
    (copy / "models.jsonl").unlink()
    with pytest.raises(BadExport, match=r"models\.jsonl is missing"):
        verify(copy)


def test_what_is_no_export_is_reported(tmp_path, copy):
    with pytest.raises(BadExport, match=r"not found. Run `arena export"):
        verify(tmp_path / "nowhere")
    (tmp_path / "a.zip").write_text("no")
    with pytest.raises(BadExport, match="not a folder or a zip archive"):
        verify(tmp_path / "a.zip")
    with zipfile.ZipFile(tmp_path / "b.zip", "w") as archive:
        archive.writestr("other/file", "text")
    with pytest.raises(BadExport, match=r"contains no manifest\.json"):
        verify(tmp_path / "b.zip")
    (copy / "battles.jsonl").write_text("[]\n")
    with pytest.raises(BadExport, match="line 1: expected an object"):
        verify(copy)
    (copy / "battles.jsonl").write_text('{"vote": 1}\n')
    with pytest.raises(BadExport, match="a row has a missing or invalid field: KeyError"):
        verify(copy)
    (copy / "battles.jsonl").write_text("{")
    with pytest.raises(BadExport, match=r"battles.jsonl: line 1"):
        verify(copy)
    (copy / "manifest.json").write_text("{}")
    with pytest.raises(BadExport, match="not of format arena-export-1"):
        verify(copy)


def test_an_archive_and_parquet_follow_too(sqlite, tmp_path):
    pytest.importorskip("pyarrow")
    ballots(sqlite, shared=True)
    seal(sqlite)
    export_arena(sqlite, tmp_path / "all.zip", parquet=True)
    assert zipfile.is_zipfile(tmp_path / "all.zip")
    found = verify(tmp_path / "all.zip")
    assert (found.problems, found.votes, found.seals) == ([], 8, 1)


def test_the_same_votes_on_another_database_give_the_same_boards(database, tmp_path):
    ballots(database)
    seal(database)
    export_arena(database, tmp_path / "out")
    assert verify(tmp_path / "out").problems == []


def test_an_export_leaves_what_is_there(sqlite, tmp_path):
    ballots(sqlite)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "older.jsonl").write_text("")
    with pytest.raises(ConfigError, match=r"already exists\. Choose another --out, or add --force"):
        export_arena(sqlite, tmp_path / "out")
    assert export_arena(sqlite, tmp_path / "out", force=True).votes == 8
    assert not (tmp_path / "out" / "older.jsonl").exists()


def test_force_takes_no_folder_away_that_is_no_export(sqlite, tmp_path):
    ballots(sqlite)
    mine = tmp_path / "home" / "letters" / "mine.txt"
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    for out in (tmp_path / "home", mine):
        with pytest.raises(ConfigError, match=r"mine.txt, which is not part of an export"):
            export_arena(sqlite, out, force=True)
    assert mine.read_text() == "mine"


def test_a_place_that_cannot_be_written_is_named(sqlite, tmp_path):
    ballots(sqlite)
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"export cannot be written .*Choose another --out"):
        export_arena(sqlite, tmp_path / "file" / "export")


def test_a_prompt_that_comes_often_is_marked(sqlite, tmp_path):
    for number in range(14):
        ballot(sqlite, "amber", "birch", "model_a", prompt="Hello  there" if number % 2 else "hello there")
    ballot(sqlite, "amber", "birch", "model_b", prompt="Something else")
    export_arena(sqlite, tmp_path / "out")
    tags = [row["dedup_tag"] for row in rows(tmp_path / "out")]
    assert [tag["high_freq"] for tag in tags] == [True] * 14 + [False]
    assert sum(tag["sampled"] for tag in tags) == 13 + 1


@pytest.fixture
def arena(monkeypatch, capsys):
    return Typed(monkeypatch, capsys)


def test_the_commands(arena, sqlite, tmp_path):
    ballots(sqlite, shared=True, prompt="TCK-7 by ann@b.org")
    arena("seal", folder=tmp_path)
    done = arena("export", "--out", "all", "--redact", "ticket=TCK-[0-9]+", folder=tmp_path)
    assert (done.returncode, done.stdout) == (0, "")
    assert "8 votes (8 with text, 0 not sealed yet), 1 seals" in done.stderr
    assert "16 × email, 16 × ticket" in done.stderr
    good = arena("verify", "all", "--format", "json", folder=tmp_path)
    assert (good.returncode, json.loads(good.stdout)["holds"]) == (0, True)
    assert "everything follows" in arena("verify", "all", folder=tmp_path).stdout

    rewrite(tmp_path / "all", "battles.jsonl", rows(tmp_path / "all")[1:])
    bad = arena("verify", "all", folder=tmp_path)
    assert bad.returncode == 1
    assert "does not follow  seal 1: holds 8 votes" in bad.stdout
    assert "problem" in arena("verify", "all", "--format", "csv", folder=tmp_path).stdout
    assert arena("verify", "nowhere", folder=tmp_path).returncode == 2
    invalid = arena("export", "--redact", "ticket", folder=tmp_path)
    assert invalid.returncode == 2
    assert "--redact ticket is invalid. Write KIND=REGEX" in invalid.stderr


@pytest.mark.parametrize("option", ["--redact", "--screen"])
def test_an_own_pattern_is_redacted_by_either_spelling_of_its_option(arena, sqlite, tmp_path, option):
    ballots(sqlite, shared=True, prompt="TCK-7")
    done = arena("export", option, "ticket=TCK-[0-9]+", folder=tmp_path)
    assert done.returncode == 0
    assert json.loads((tmp_path / "export" / "manifest.json").read_text())["screened"]["ticket"] == 16
    assert "--screen" not in arena("export", "--help", folder=tmp_path).stdout


def test_texts_of_judges_battles_stay_where_readers_may_not_open_them(sqlite, tmp_path):
    ballot(sqlite, "amber", "birch", "tie", source="judge:j", voter="judge:j", prompt="Judge this.")
    export_arena(sqlite, tmp_path / "out", show_judged=False)
    (row,) = rows(tmp_path / "out")
    assert (row["conversation_a"], row["reason"]) == (None, None)
    assert verify(tmp_path / "out").problems == []


@pytest.mark.parametrize("files", [1, 3], ids=["one file", "three files"])
def test_an_archive_that_unpacks_to_far_more_than_it_is_is_not_unpacked(tmp_path, files):
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(files):
            archive.writestr(f"{number}.jsonl", bytes(60_000_000 // files))
    assert bomb.stat().st_size < 100_000
    with pytest.raises(BadExport, match="would unpack to 60,000,000 bytes"):
        verify(bomb)


def test_an_archive_of_very_many_files_is_not_unpacked(tmp_path):
    with zipfile.ZipFile(tmp_path / "many.zip", "w") as archive:
        for number in range(2_000):
            archive.writestr(f"{number}", "")
    with pytest.raises(BadExport, match="2,000 files"):
        verify(tmp_path / "many.zip")
