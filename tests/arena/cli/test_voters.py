"""`arena voters`: the e-process over the votes that the store holds."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

import ratings
from arena.rules.votes import HUMAN, WINNERS
from arena.store import battles as stored
from arena.store.imports import NewVote, add_votes
from arena.store.models import register_models
from arena.store.schema.battles import BattleStatus, CompletionStatus
from arena.store.stored_battles import Written
from arena.store.votes import add_vote
from tests.support.arenas import new_file
from tests.support.typed import typed

MODELS = ["good", "middling", "poor"]


def drawn(honest=12, each=12):
    """Votes (model_a, model_b, winner, voter) of honest voters, and of one who always takes the left side."""
    rng = np.random.default_rng(4)
    votes = []
    for number in range((honest + 1) * each):
        voter = number % (honest + 1)
        a, b = rng.permutation(3)[:2]
        strength = np.exp([0.7 * (b - a), 0.7 * (a - b), -0.2, -0.7])
        winner = "model_a" if voter == honest else WINNERS[rng.choice(4, p=strength / strength.sum())]
        votes.append((MODELS[a], MODELS[b], winner, "left-hander" if voter == honest else f"voter-{voter:02}"))
    return votes


def put(folder, votes):
    database = new_file(folder / "arena.db")
    texts = {side: Written("Yes.", CompletionStatus.FINISHED) for side in "ab"}
    with database.write() as session:
        register_models(session, MODELS)
        for model_a, model_b, winner, voter in votes:
            battle = stored.add_battle(session, voter, model_a, model_b, 1.0)
            stored.add_turn(session, battle.id, "Question?")
            stored.finish_turn(session, battle.id, texts, BattleStatus.OPEN)
            add_vote(session, battle.id, HUMAN, voter, winner, stopped_early=False)
    database.close()
    return f"sqlite:///{folder / 'arena.db'}"


@pytest.fixture(scope="module")
def url(tmp_path_factory):
    return put(tmp_path_factory.mktemp("voters"), drawn())


def test_who_always_votes_left_is_flagged_and_nobody_else(url):
    plain = json.loads(typed("voters", "--format", "json", "--db", url).stdout)
    first, *others = plain["voters"]
    assert (first["voter"], first["flagged"], first["likeliest"]) == ("left-hander", True, "always left")
    assert first["highest"] >= 20
    assert [row["voter"] for row in others if row["flagged"]] == []
    assert (plain["level"], plain["flagged"], plain["votes"]) == (0.05, 1, 156)
    assert "with probability at most about 0.05, however often the check is run" in plain["guarantee"]
    assert (
        "differ from the crowd's by up to 1 logits (174 points, standard deviation per model)"
        in plain["guarantee"]
    )
    assert plain["groups"] == []


def test_the_figures_are_those_of_the_library(url):
    a, b, winner, voter = (list(column) for column in zip(*drawn(), strict=True))
    check = ratings.check_voters(a, b, winner, voter, level=0.05)
    expected = dict(zip(check.voters, check.e_value.tolist(), strict=True))
    rows = json.loads(typed("voters", "--format", "json", "--db", url).stdout)["voters"]
    assert {row["voter"]: row["e_value"] for row in rows} == pytest.approx(expected)


def test_the_table_says_the_guarantee_and_csv_has_every_voter(url):
    message = " ".join(typed("voters", "--db", url).stdout.split())
    assert "13 voters, 1 flagged" in message
    assert "probability at most about 0.05" in message
    assert "No group of accounts of 9 is flagged." in message
    rows = list(csv.DictReader(io.StringIO(typed("voters", "--format", "csv", "--db", url).stdout)))
    assert len(rows) == 13
    assert rows[0]["voter"] == "left-hander"


def test_the_table_has_names_that_can_be_typed_into_another_command(tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    names = {voter: f"{number:032x}" for number, voter in enumerate(sorted({vote[3] for vote in drawn()}), 10**30)}
    table = typed("voters", "--db", put(tmp_path, [(*vote[:3], names[vote[3]]) for vote in drawn()])).stdout
    assert [name for name in names.values() if name not in table] == []


def test_a_smaller_level_asks_for_more(url):
    strict = json.loads(typed("voters", "--level", "1e-9", "--format", "json", "--db", url).stdout)
    assert strict["flagged"] == 0


@pytest.fixture(scope="module")
def rigged(tmp_path_factory):
    """A month of honest votes, and forty accounts of five votes for `poor` within an hour; one vote names no voter."""
    rng, start = np.random.default_rng(6), datetime(2026, 3, 1, tzinfo=UTC)
    votes = []
    for voter in range(40):
        for _ in range(50):
            a, b = rng.permutation(3)[:2]
            winner = "model_a" if rng.random() < 1 / (1 + np.exp(0.7 * (a - b))) else "model_b"
            votes.append((MODELS[a], MODELS[b], winner, f"voter-{voter:02}", timedelta(hours=17 * voter)))
    for account in range(40):
        for number in range(5):
            pair = ("poor", MODELS[number % 2])
            votes.append((*pair, "model_a", f"account-{account:02}", timedelta(days=9, hours=13, minutes=account)))
    votes.append(("good", "poor", "model_a", HUMAN, timedelta(0)))
    folder = tmp_path_factory.mktemp("groups")
    database = new_file(folder / "arena.db")
    with database.write() as session:
        add_votes(
            session,
            [
                NewVote(f"b{number}", a, b, winner, HUMAN, voter, start + after)
                for number, (a, b, winner, voter, after) in enumerate(votes)
            ],
        )
    database.close()
    return f"sqlite:///{folder / 'arena.db'}"


def test_small_accounts_of_the_same_hour_for_one_model_are_a_group(rigged):
    plain = json.loads(typed("voters", "--format", "json", "--db", rigged).stdout)
    (group,) = plain["groups"]
    assert (group["model"], group["votes"], group["won"]) == ("poor", 200, 200)
    assert group["voters"] == [f"account-{number:02}" for number in range(40)]
    assert (group["from"], group["until"]) == ("2026-03-10T12:00+00:00", "2026-03-10T18:00+00:00")
    assert group["p_value"] <= 0.05
    assert plain["votes"] == 2200
    assert plain["flagged"] == 0
    message = " ".join(typed("voters", "--db", rigged).stdout.split())
    assert "1 group of accounts flagged" in message
    assert "2026-03-10 12:00" in message


@pytest.mark.parametrize(
    ("votes", "words", "message"),
    [
        ([], [], "There are no votes of people yet. Run `arena serve`"),
        (
            [("good", "poor", "model_a", "x")],
            [],
            "There are too few votes to check voters: all battles have the same voter",
        ),
        (drawn(2, 3), ["--level", "2"], "--level 2 is out of range. Give a probability between 0 and 1"),
        (drawn(2, 3), ["--taste", "0"], "--taste 0 is out of range. Give a number of logits between 0 and 3"),
    ],
)
def test_what_cannot_be_checked_is_reported(tmp_path, votes, words, message):
    done = typed("voters", *words, "--db", put(tmp_path, votes))
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stdout == ""
