"""The attack meter: votes as accounts, hours and money, kept by day; the command, and the task of a server."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner

from arena.cli import app
from arena.config import Settings
from arena.errors import ConfigError, InputError
from arena.store.attack_costs import attack_cost_days, has_attack_cost, last_attack_cost, save_attack_cost
from arena.store.schema.battles import now
from arena.trust.attack_meter import AttackTerms, Prices, attack_cost, cheapest, terms_of
from arena.web.attack_meter import DailyAttackCost
from tests.support.arenas import LISTS, PLAIN, ready
from tests.support.ballots import ballots

AT = datetime(2026, 11, 28, 12, tzinfo=UTC)
NAMES = (PLAIN.name, LISTS.name)
WEIGHTS = dict.fromkeys(NAMES, 1.0)
VOTES = [(*NAMES, "model_a")] * 30 + [(*NAMES, "model_b")] * 20
CONFIG = """
database_url = "sqlite:///{path}"
[[models]]
name = "plain-model"
endpoint = "scripted"
[[models]]
name = "lists-model"
endpoint = "scripted"
"""


@pytest.fixture
def voted(database):
    ballots(database, VOTES)
    return database


def cost_of(database, terms=None, prices=None):
    with database.read() as session:
        return attack_cost(session, WEIGHTS, terms or AttackTerms(), AT, prices)


def test_the_weaker_of_two_models_needs_a_dozen_votes(voted):
    """30 wins to 20: with 95 % of the votes for the weaker one, about 10 / 0.9 votes make it even."""
    rows = {(row.model, row.direction, row.attacker): row for row in cost_of(voted).rows}
    assert len(rows) == 4
    up = rows[LISTS.name, "up", "target"]
    assert up.votes == pytest.approx(10 / 0.9, abs=1.5)
    assert (up.place, up.neighbour, up.battles) == (2, PLAIN.name, up.votes)
    assert rows[PLAIN.name, "down", "target"].votes == up.votes
    assert (up.accounts, up.challenges, up.hours, up.usd) == (1, 0, 0.0, None)


def test_accounts_hours_and_money_follow_from_the_terms(voted):
    terms = AttackTerms(
        caught_after={"target": 5, "omnipresent": 4},
        votes_per_address=3,
        votes_per_voter_a_day=2,
        battles_per_challenge=6,
    )
    row = next(row for row in cost_of(voted, terms, Prices(1.0, 0.5, 2.0)).rows if row.attacker == "target")
    assert row.accounts == math.ceil(row.votes / 4)
    assert row.challenges == max(row.accounts, math.ceil(row.battles / 6))
    assert row.hours == pytest.approx(max(row.votes / 3 - 1, 24.0))  # four votes of an account are two days of two
    assert row.usd == row.accounts + 0.5 * row.battles + 2.0 * row.challenges


def test_an_account_that_is_never_caught_gives_all_votes():
    terms = AttackTerms(caught_after={"target": None, "omnipresent": 2})
    assert (terms.accounts("target", 5000), terms.accounts("omnipresent", 7)) == (1, 7)


def test_the_terms_are_those_of_the_settings():
    terms = terms_of(Settings(limits={"votes_per_voter": 7, "votes_per_address": 0}))
    assert (terms.votes_per_voter, terms.votes_per_address, terms.battles_per_challenge) == (7, None, None)
    assert (terms.votes_per_voter_a_day, terms.votes_per_address_a_day) == (200, 4000)
    asked = terms_of(Settings(challenge={"kind": "proof_of_work", "battles": 9}))
    assert asked.battles_per_challenge == 9


def test_an_arena_without_votes_or_models_has_no_cost(database):
    with database.read() as session, pytest.raises(InputError, match="two models"):
        attack_cost(session, WEIGHTS, AttackTerms(), AT)


def test_a_detector_that_guesses_is_refused(voted):
    with pytest.raises(ConfigError, match=r"--accuracy 0\.5"):
        cost_of(voted, AttackTerms(accuracy=0.5))


def test_models_that_are_not_drawn_have_no_rows(voted):
    with voted.read() as session, pytest.raises(InputError):
        attack_cost(session, {PLAIN.name: 1.0}, AttackTerms(), AT)


def test_the_measurements_of_days_are_kept_and_the_last_of_a_day_counts(voted):
    document = cost_of(voted).to_dict()
    with voted.write() as session:
        assert last_attack_cost(session) is None
        for day, votes in (("2026-11-27", 1), ("2026-11-28", 2), ("2026-11-28", 3)):
            save_attack_cost(session, day, {**document, "votes": votes})
    with voted.read() as session:
        assert has_attack_cost(session, "2026-11-28")
        assert not has_attack_cost(session, "2026-11-29")
        assert last_attack_cost(session)["models"] == json.loads(json.dumps(document["models"]))
        days = [(day, stored["votes"]) for day, stored in attack_cost_days(session, 90)]
        assert days == [("2026-11-27", 1), ("2026-11-28", 3)]
        assert len(attack_cost_days(session, 1)) == 1


def test_the_cheapest_attack_on_each_place_is_in_order(voted):
    rows = cheapest(cost_of(voted).rows)
    assert [(row.place, row.direction) for row in rows] == [(1, "down"), (2, "up")]


async def test_a_server_measures_once_a_day(voted):
    meter = DailyAttackCost(voted, ready(), Settings())
    assert await meter.measure()
    assert not await meter.measure()
    with voted.read() as session:
        assert last_attack_cost(session)["votes"] == 50


async def test_a_server_of_an_empty_arena_measures_nothing(sqlite):
    assert not await DailyAttackCost(sqlite, ready(), Settings()).measure()


@pytest.fixture
def folder(sqlite, tmp_path):
    ballots(sqlite, VOTES)
    path = tmp_path / "arena.toml"
    path.write_text(CONFIG.format(path=sqlite.engine.url.database), encoding="utf-8")
    return str(path)


def test_the_command_prints_a_table_json_and_csv(folder, sqlite):
    run = CliRunner()
    table = run.invoke(app, ["attack-cost", "--config", folder, "--usd-per-account", "2"])
    assert table.exit_code == 0, table.output
    assert "The cheapest attack" in table.output  # eighty columns cut the names
    found = json.loads(run.invoke(app, ["attack-cost", "--config", folder, "--format", "json", "--save"]).stdout)
    assert found["summary"]["target"]["least"] == found["models"][0]["votes"]
    assert found["terms"]["caught_after"] == {"target": 29, "omnipresent": 20}
    lines = run.invoke(app, ["attack-cost", "--config", folder, "--format", "csv"]).stdout.splitlines()
    assert lines[0].startswith("model,place,direction,attacker")
    with sqlite.read() as session:
        assert has_attack_cost(session, now().date().isoformat()) or attack_cost_days(session, 1)


def test_the_command_takes_other_terms(folder):
    run = CliRunner()
    more = ["--caught-after", "3", "--accuracy", "0.99", "--format", "json"]
    found = json.loads(run.invoke(app, ["attack-cost", "--config", folder, *more]).stdout)
    assert (found["terms"]["accuracy"], found["terms"]["caught_after"]["target"]) == (0.99, 3)
    assert found["models"][0]["accounts"] == math.ceil(found["models"][0]["votes"] / 2)
