"""Numbers that others published, to the digits they printed."""

import csv
import json

import numpy as np
import pytest

import ratings
from ratings import POINTS_PER_LOGIT
from tests.support.boards import by_model
from tests.support.published import published

SIDES = {"left": "model_a", "right": "model_b", "tie": "tie"}


def read(*path):
    with published(*path).open(newline="") as file:
        return list(csv.DictReader(file))


def evalica(name):
    rows = read("ratings", "evalica", f"{name}.csv")
    columns = [row["left"] for row in rows], [row["right"] for row in rows], [SIDES[row["winner"]] for row in rows]
    golden = read("ratings", "evalica", f"{name}-golden.csv")
    scores = {(row["algorithm"], row["item"]): float(row["score"]) for row in golden}
    return columns, scores


@pytest.mark.parametrize("name", ["food", "simple"])
def test_evalica_bradley_terry(name):
    columns, scores = evalica(name)
    fit = ratings.bradley_terry(*columns)
    xi = np.log([scores["bradley_terry", model] for model in fit.models])
    assert fit.ratings == pytest.approx(1000 + POINTS_PER_LOGIT * (xi - xi.mean()), abs=1e-9)


@pytest.mark.parametrize("name", ["food", "simple"])
@pytest.mark.parametrize("engine", ["loop", "recurrence"])
def test_evalica_elo(name, engine):
    columns, scores = evalica(name)
    fit = ratings.elo(*columns, engine=engine)
    assert fit.ratings == pytest.approx([scores["elo", model] for model in fit.models], abs=1e-9)


@pytest.mark.parametrize("name", ["food", "simple"])
def test_evalica_newman_is_davidson(name):
    columns, scores = evalica(name)
    fit = ratings.davidson(*columns)
    xi = np.log([scores["newman", model] for model in fit.models])
    assert fit.ratings == pytest.approx(1000 + POINTS_PER_LOGIT * (xi - xi.mean()), abs=1e-9)


def baseball():
    rows = read("ratings", "bradleyterry2", "baseball.csv")
    teams = tuple(sorted({row["home.team"] for row in rows}))
    home, away = ([teams.index(row[f"{side}.team"]) for row in rows] for side in ("home", "away"))
    wins, losses = (np.array([int(row[f"{side}.wins"]) for row in rows]) for side in ("home", "away"))
    none = np.zeros(len(rows), dtype=int)
    return ratings.PairCounts(teams, np.array(home), np.array(away), wins, losses, none, none)


def abilities(fit):
    against = fit.anchored("Baltimore", 0.0)
    return np.sort(against.ratings / POINTS_PER_LOGIT)[1:], against.standard_errors[1:] / POINTS_PER_LOGIT


def test_agresti_baseball():
    found, errors = abilities(ratings.bradley_terry(baseball()))
    assert found.round(4).tolist() == [0.6839, 1.1077, 1.2476, 1.2945, 1.4364, 1.5814]
    assert errors == pytest.approx(0.3, abs=0.06)


def test_agresti_baseball_with_the_advantage_of_playing_at_home():
    fit = ratings.bradley_terry_with_position(baseball())
    (home,) = fit.coefficients
    assert (home.name, round(home.value, 4)) == ("position", 0.3023)
    assert home.standard_error == pytest.approx(0.13, abs=0.005)
    assert abilities(fit)[0].round(4).tolist() == [0.7047, 1.1438, 1.2813, 1.3271, 1.4754, 1.6196]


def test_arena_hard_battles_against_haiku():
    with published("judges", "arena_hard", "arena_hard_battles.jsonl").open() as file:
        battles = [json.loads(line) for line in file]
    columns = [[battle[name] for battle in battles] for name in ("model_a", "model_b", "winner")]
    columns[2] = ["tie" if winner.startswith("tie") else winner for winner in columns[2]]
    fit = ratings.bradley_terry(*columns).anchored("claude-3-haiku-20240307", 1000)
    found = {model: round(rating, 2) for model, rating in by_model(fit).items()}
    assert sorted(found.values()) == [1000, 1199.98, 1241.45, 1327.53, 1357.85]


def test_llmfao_people_agree_with_the_judge_about_who_is_better():
    boards = {}
    for name in ("crowd", "gpt4-crowd"):
        rows = read("ratings", "llmfao", f"{name}-comparisons.csv")
        columns = [r["left"] for r in rows], [r["right"] for r in rows], [SIDES[r["winner"]] for r in rows]
        boards[name] = ratings.bradley_terry(*columns, prior=ratings.PRIOR)
    assert boards["crowd"].models == boards["gpt4-crowd"].models
    assert len(boards["crowd"].models) == 59
    assert np.corrcoef(boards["crowd"].ratings, boards["gpt4-crowd"].ratings)[0, 1] > 0.6


def test_llmfao_votes_of_a_person_are_not_independent():
    rows = read("ratings", "llmfao", "crowd-comparisons.csv")
    columns = [r["left"] for r in rows], [r["right"] for r in rows], [SIDES[r["winner"]] for r in rows]
    naive = ratings.bradley_terry(*columns)
    honest = ratings.bradley_terry(*columns, cluster=[r["worker"] for r in rows])
    assert honest.ratings.tolist() == naive.ratings.tolist()
    assert honest.parameters["covariance"] == "clustered sandwich"
