"""`arena voters`: the e-process over the votes that the store holds."""

import csv
import io
import json

import numpy as np
import pytest

import ratings
from arena.rules.votes import HUMAN, WINNERS
from arena.store import battles as stored
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
    assert "with probability at most 0.05, however often the check is run" in plain["guarantee"]


def test_the_figures_are_those_of_the_library(url):
    a, b, winner, voter = (list(column) for column in zip(*drawn(), strict=True))
    check = ratings.check_voters(a, b, winner, voter, level=0.05)
    expected = dict(zip(check.voters, check.e_value.tolist(), strict=True))
    rows = json.loads(typed("voters", "--format", "json", "--db", url).stdout)["voters"]
    assert {row["voter"]: row["e_value"] for row in rows} == pytest.approx(expected)


def test_the_table_says_the_guarantee_and_csv_has_every_voter(url):
    message = " ".join(typed("voters", "--db", url).stdout.split())
    assert "13 voters, 1 flagged" in message
    assert "probability at most 0.05" in message
    rows = list(csv.DictReader(io.StringIO(typed("voters", "--format", "csv", "--db", url).stdout)))
    assert len(rows) == 13
    assert rows[0]["voter"] == "left-hander"


def test_a_smaller_level_asks_for_more(url):
    strict = json.loads(typed("voters", "--level", "1e-9", "--format", "json", "--db", url).stdout)
    assert strict["flagged"] == 0


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
    ],
)
def test_what_cannot_be_checked_is_reported(tmp_path, votes, words, message):
    done = typed("voters", *words, "--db", put(tmp_path, votes))
    assert done.returncode == 2
    assert message in done.stderr
    assert done.stdout == ""
