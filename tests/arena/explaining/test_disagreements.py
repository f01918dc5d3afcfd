"""Which battles are disputed, by hand-made votes, and `arena disputed` over a real store."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime

import pytest
from sqlmodel import Session, select
from typer.testing import CliRunner

from arena.cli import app
from arena.errors import ConfigError
from arena.exchange.import_battles import import_battles
from arena.explaining.disagreements import disagreements, merge_duplicates, preferences
from arena.store import Database
from arena.store.explanations import UnknownBattle, add_explanation, battle_texts
from arena.store.schema.battles import Vote
from arena.store.schema.judging import VerdictRow
from arena.store.verdicts import StoredVote, votes_on_record
from arena.store.votes import add_vote
from tests.support.arenas import new_file
from tests.support.voted_battles import add_voted_battle


def vote(battle, source, winner, preference=None, orders=(), model_a="x", model_b="y", category="overall"):
    return StoredVote(
        battle, f"battle {battle}", category, model_a, model_b, source, source, winner, preference, orders, "",
        datetime(2026, 1, 1, tzinfo=UTC),
    )  # fmt: skip


def the_one(votes):
    (found,) = disagreements(votes)
    return found


def test_each_kind_of_disagreement_is_the_distance_of_preferences():
    found = the_one(
        [
            vote(1, "human", "model_a"),
            vote(1, "human:import", "tie"),
            vote(1, "judge:strict", "model_b", 0.1, ("model_b", "model_b")),
            vote(1, "judge:biased", "tie", 0.5, ("model_a", "model_b")),
        ]
    )
    assert found.kinds["people"] == pytest.approx(0.5)
    assert found.kinds["judges"] == pytest.approx(0.4)
    assert found.kinds["against"] == pytest.approx(0.75 - 0.3)
    assert found.kinds["swapped"] == pytest.approx(0.5)  # one of two judges, from one side to the other
    assert found.flipped == ("biased",)
    assert found.disagreement == pytest.approx(0.5)


def test_battles_that_all_agree_on_are_not_listed_and_the_worst_comes_first():
    votes = [
        vote(1, "human", "model_a"), vote(1, "judge:j", "model_a", 1.0),
        vote(2, "human", "model_a"), vote(2, "judge:j", "tie", 0.5),
        vote(3, "human", "model_a"), vote(3, "judge:j", "model_b", 0.0),
    ]  # fmt: skip
    assert [one.battle for one in disagreements(votes)] == [3, 2]


def test_a_single_vote_is_no_disagreement():
    assert disagreements([vote(1, "human", "model_a")]) == []


def test_filters_by_model_category_judge_and_kind():
    votes = [
        vote(1, "human", "model_a"), vote(1, "judge:j", "model_b", 0.0), vote(1, "judge:k", "model_a", 1.0),
        vote(2, "human", "model_a", model_b="z", category="maths"),
        vote(2, "judge:k", "model_b", 0.2, ("model_a", "model_b"), model_b="z", category="maths"),
    ]  # fmt: skip
    assert [one.battle for one in disagreements(votes, model="z")] == [2]
    assert [one.battle for one in disagreements(votes, category="overall")] == [1]
    assert [one.battle for one in disagreements(votes, judge="k")] == [2]
    assert [one.battle for one in disagreements(votes, kind="judges")] == [1]
    assert [one.battle for one in disagreements(votes, kind="swapped")] == [2]


def add_judge_vote(session: Session, battle: int, judge: str, winner: str, preference: float, orders: str) -> None:
    add_vote(session, battle, f"judge:{judge}", f"judge:{judge}", winner, stopped_early=False)
    row = session.exec(select(Vote).where(Vote.battle_id == battle, Vote.source == f"judge:{judge}")).one()
    session.add(VerdictRow(vote_id=row.id, preference=preference, strength=1, orders=orders, config_hash="d"))


@pytest.fixture
def store_with_disagreements(tmp_path):
    url = f"sqlite:///{tmp_path / 'arena.db'}"
    database = Database(url)
    database.make_ready()
    first = add_voted_battle(database, "Why?", "Because.", "1. Well", "model_a")
    second = add_voted_battle(database, "When?", "Now.", "- Later", "tie")
    with database.write() as session:
        add_judge_vote(session, first, "tiny", "model_b", 0.125, "model_b,model_b")
        add_judge_vote(session, second, "tiny", "tie", 0.5, "model_a,model_b")
    database.close()
    return url


def run(*arguments):
    return CliRunner().invoke(app, ["disputed", *arguments], env={"COLUMNS": "160"})


def test_the_command_prints_a_table_json_and_csv(store_with_disagreements):
    found = json.loads(run("--db", store_with_disagreements, "--format", "json").stdout)
    assert [one["disagreement"] for one in found] == [1.0, 0.875]
    assert found[0]["flipped"] == ["tiny"]
    assert found[1]["judges"] == {"tiny": 0.125}
    rows = list(csv.DictReader(io.StringIO(run("--db", store_with_disagreements, "--format", "csv").stdout)))
    assert [row["disagreement_against"] for row in rows] == ["0.0", "0.875"]
    table = run("--db", store_with_disagreements).stdout
    assert "tiny: B 88%" in table
    assert "(order decides)" in table


def test_limit_and_kind(store_with_disagreements):
    found = json.loads(run("--db", store_with_disagreements, "--format", "json", "--kind", "against").stdout)
    assert [one["kinds"]["against"] for one in found] == [0.875]
    assert len(json.loads(run("--db", store_with_disagreements, "--format", "json", "--limit", "1").stdout)) == 1


@pytest.mark.parametrize(
    ("option", "known"), [("--model", "lists, plain"), ("--judge", "tiny"), ("--category", "overall")]
)
def test_an_unknown_name_is_reported_with_the_existing_ones(store_with_disagreements, option, known):
    done = run("--db", store_with_disagreements, option, "nobody")
    assert isinstance(done.exception, ConfigError)
    assert f"no vote has 'nobody'. Use one of: {known}" in str(done.exception)


def test_an_arena_without_disagreements_names_the_requirements(tmp_path):
    url = f"sqlite:///{tmp_path / 'arena.db'}"
    database = Database(url)
    database.make_ready()
    add_voted_battle(database, "Why?", "Because.", "1. Well", "model_a")
    database.close()
    done = run("--db", url)
    assert done.exit_code == 0
    assert "two votes on one battle" in done.stderr


@pytest.mark.slow
def test_patterns_tell_what_the_judge_likes_and_people_do_not(tmp_path):
    """Both completions have four words: a taste for lists and one for length could not be told apart otherwise."""
    url = f"sqlite:///{tmp_path / 'arena.db'}"
    database = Database(url)
    database.make_ready()
    for number in range(24):
        listed = number % 2 == 0
        a, b = ("- one\n- two", "Some words stand here.") if listed else ("Some words stand here.", "- one\n- two")
        battle = add_voted_battle(database, f"Question {number}?", a, b, "model_a" if number % 3 else "model_b")
        with database.write() as session:
            winner = "model_a" if listed else "model_b"
            add_judge_vote(session, battle, "lover", winner, 1.0 if listed else 0.0, f"{winner},{winner}")
    database.close()
    rows = {row["feature"]: row for row in json.loads(run("--db", url, "--patterns", "--format", "json").stdout)}
    assert rows["list items"]["over_weight"] > 0.5
    assert rows["list items"]["survives"]
    assert "list items" in run("--db", url, "--patterns").stdout


def test_patterns_of_too_few_votes_are_refused(store_with_disagreements):
    done = run("--db", store_with_disagreements, "--patterns")
    assert isinstance(done.exception, ConfigError)
    assert "2 battles with votes of judges. At least 10 are needed" in str(done.exception)


def test_people_split_over_the_same_completions_in_battles_of_their_own(tmp_path):
    database = new_file(tmp_path / "arena.db")
    first = add_voted_battle(database, "Why?", "Because.", "1. Well", "model_a")
    again = add_voted_battle(database, "Why?", "Because.", "1. Well", "model_b")
    add_voted_battle(database, "Why?", "Because!", "1. Well", "model_b")
    with database.write() as session:
        add_judge_vote(session, again, "tiny", "model_b", 0.125, "model_b,model_b")
    with database.read() as session:
        (found,) = disagreements(merge_duplicates(session, votes_on_record(session)))
        shown = battle_texts(session, str(again)).votes
    database.close()
    assert found.battle == first
    assert found.people == {"model_a": 1, "tie": 0, "both_bad": 0, "model_b": 1}
    assert found.kinds["people"] == 1.0
    assert found.judges == {"tiny": 0.125}
    assert shown == (("human", "model_a"), ("human", "model_b"), ("judge:tiny", "model_b"))


def test_a_vote_on_swapped_sides_counts_for_the_same_model(tmp_path):
    database = new_file(tmp_path / "arena.db")
    add_voted_battle(database, "Why?", "Because.", "1. Well", "model_a")
    add_voted_battle(database, "Why?", "1. Well", "Because.", "model_a", models=("lists", "plain"))
    with database.read() as session:
        (found,) = disagreements(merge_duplicates(session, votes_on_record(session)))
    database.close()
    assert (found.model_a, found.people["model_a"], found.people["model_b"]) == ("plain", 1, 1)


def test_classes_of_words_come_from_stored_explanations_of_verdicts(store_with_disagreements):
    done = run("--db", store_with_disagreements, "--classes")
    assert isinstance(done.exception, ConfigError)
    assert "arena explain BATTLE --judge JUDGE" in str(done.exception)
    message = {"verdict": {}, "models": {"completion_a": "plain", "completion_b": "lists"}, "parameters": {}}
    database = Database(store_with_disagreements)
    with database.write() as session:
        for battle in (1, 2):
            words = [{"text": "- ", "score": 3.0}, {"text": "one", "score": 1.0}]
            add_explanation(session, battle, "tiny", "owen", "d", {**message, "words": words})
    database.close()
    rows = {
        row["name"]: row
        for row in json.loads(run("--db", store_with_disagreements, "--classes", "--format", "json").stdout)
    }
    assert rows["list marker"]["over_weight"] == pytest.approx(1.5)
    assert "list marker" in run("--db", store_with_disagreements, "--classes", "--judge", "tiny").stdout
    assert isinstance(
        run("--db", store_with_disagreements, "--classes", "--model", "nobody").exception, ConfigError
    )


def test_concepts_ask_for_the_judge_that_is_to_be_read(store_with_disagreements):
    done = run("--db", store_with_disagreements, "--concepts")
    assert isinstance(done.exception, ConfigError)
    assert "--judge NAME" in str(done.exception)


def test_battles_imported_without_texts_are_left_out_of_patterns_and_cannot_be_explained(tmp_path):
    database = new_file(tmp_path / "arena.db")
    (tmp_path / "bare.csv").write_text("model_a,model_b,winner\nplain,lists,tie\n")
    import_battles(database, tmp_path / "bare.csv", None)
    add_voted_battle(database, "Why?", "Because.", "1. Well", "model_a")
    with database.read() as session:
        assert [preference.text_a for preference in preferences(session, votes_on_record(session))] == ["Because."]
        with pytest.raises(UnknownBattle, match=r"Battle 1 has no texts\. Import it with conversations"):
            battle_texts(session, "1")
        for none in ("9" * 30, "9" * 5000):
            with pytest.raises(UnknownBattle, match=r"Battle .* not found"):
                battle_texts(session, none)
    database.close()
