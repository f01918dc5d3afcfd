"""Boards by ties that depend on strength, by abilities of voters, and by fresh votes are those of the library."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import pytest
from scipy.special import expit

import ratings
from arena.config import read_settings
from arena.leaderboards import methods
from arena.leaderboards.leaderboard import publish_choice
from arena.leaderboards.query import BoardChoice, BoardRules, ChosenModel, NoSuchBoard, rules_of
from arena.rules.votes import WINNERS
from arena.store.imports import NewVote, add_votes

MODELS = ("amber", "birch", "cedar", "dogwood")
XI = np.array([0.6, 0.2, -0.2, -0.6])
RANDOM = 10  # of the voters, the first ones vote at random
DAYS = {name: datetime(2026, 3, day, tzinfo=UTC) for name, day in (("old", 1), ("listed", 10), ("new", 20))}


def drawn(voters=40, each=25, seed=3):
    """Votes (model_a, model_b, winner, voter) with a fifth of ties."""
    rng = np.random.default_rng(seed)
    for voter in range(voters):
        for _ in range(each):
            a, b = rng.permutation(len(MODELS))[:2]
            chance = 0.5 if voter < RANDOM else expit(2 * (XI[a] - XI[b]))
            tie = rng.random() < 0.2
            yield a, b, "tie" if tie else WINNERS[int(rng.random() >= chance)], f"voter-{voter:02}"


def put(database, votes, source="human", at=DAYS["new"]):
    with database.write() as session:
        add_votes(session, [
            NewVote(f"{source}{at:%d}-{n}", MODELS[a], MODELS[b], winner, source, voter, at)
            for n, (a, b, winner, voter) in enumerate(votes)
        ])  # fmt: skip


def columns(votes):
    a, b, winner, voter = zip(*votes, strict=True)
    return [MODELS[k] for k in a], [MODELS[k] for k in b], list(winner), list(voter)


def board(database, method, rules=BoardRules(), source="human"):  # noqa: B008
    with database.read() as session:
        return publish_choice(session, BoardChoice(source, method=method), rules)


def rated(published):
    return {row.model: (row.rating, row.lower, row.upper) for row in published.board.rows}


def test_abilities_are_those_of_the_library_and_part_random_voters_from_the_others(database):
    votes = list(drawn())
    put(database, votes)
    published = board(database, "ability")
    fit = ratings.annotator_ability(*columns(votes)).fit
    lower, upper = fit.interval()
    for model, numbers in rated(published).items():
        m = fit.models.index(model)
        assert numbers == pytest.approx((fit.ratings[m], lower[m], upper[m]), abs=1e-6)
    assert published.board.parameters["clusters"] == {"voters": 40}
    plain = {row.model: row.rating for row in board(database, "bt").board.rows}
    spread = rated(published)["amber"][0] - rated(published)["dogwood"][0]
    assert spread > 1.2 * (plain["amber"] - plain["dogwood"])


def test_of_judges_each_judge_has_an_ability(database):
    votes = list(drawn(voters=2, each=200))
    for judge in ("x", "y"):
        put(database, [(*vote[:3], f"judge:{judge}") for vote in votes], f"judge:{judge}")
    assert board(database, "ability", source="judges").board.parameters["clusters"] == {"judges": 2}
    with pytest.raises(NoSuchBoard, match="all votes are of one of the judges"):
        board(database, "ability", source="judge:x")


def test_too_many_votes_for_abilities_are_refused(database, monkeypatch):
    put(database, drawn(voters=3))
    monkeypatch.setattr(methods, "ABILITY_VOTES", 50)
    with pytest.raises(NoSuchBoard, match=r"there are 75, more than 50\. Use method bt\."):
        board(database, "ability")


def test_ties_by_strength_are_those_of_the_library(database):
    votes = list(drawn())
    put(database, votes)
    published = board(database, "davidson-strength")
    fit = ratings.davidson(*columns(votes)[:3], prior=ratings.PRIOR, by_strength=True)
    assert {name: numbers[0] for name, numbers in rated(published).items()} == pytest.approx(
        dict(zip(fit.models, fit.ratings, strict=True)), abs=1e-6
    )
    assert [c.name for c in published.board.coefficients] == ["log nu", "nu by strength", "nu by gap"]
    assert published.board.parameters["clusters"]["voters"] == 40


CHOSEN = BoardRules(chosen={"dogwood": ChosenModel(5, DAYS["listed"])})


def test_votes_before_a_chosen_model_was_listed_are_left_out_and_said_to_be(database):
    lucky = [(0, 3, "model_b", f"early-{n % 8}") for n in range(60)]
    others = [(0, 1, "model_a", f"early-{n % 8}") for n in range(20)]
    put(database, lucky + others, at=DAYS["old"])
    votes = list(drawn())
    put(database, votes, at=DAYS["new"])
    published = board(database, "fresh", CHOSEN)
    fit = ratings.bradley_terry(*columns(others + votes)[:3], prior=ratings.PRIOR)
    assert {name: numbers[0] for name, numbers in rated(published).items()} == pytest.approx(
        dict(zip(fit.models, fit.ratings, strict=True)), abs=1e-6
    )
    assert published.board.battles == 1020
    assert published.board.method == "fresh_votes"
    (note,) = published.notes
    assert note.startswith("dogwood was chosen among 5 variants: 60 votes before 2026-03-10 are left out.")
    assert "They change its rating by +" in note
    assert board(database, "bt").board.battles == 1080


def test_without_a_chosen_model_there_are_no_fresh_ratings(database):
    put(database, drawn(voters=2))
    for rules in (BoardRules(), BoardRules(chosen={"other": ChosenModel(5, DAYS["listed"])})):
        with pytest.raises(NoSuchBoard, match="No model with votes here was chosen among variants"):
            board(database, "fresh", rules)


def test_chosen_models_are_those_of_the_settings(tmp_path):
    (tmp_path / "arena.toml").write_text(
        "".join(
            f'[[models]]\nname = "{name}"\nendpoint = "scripted"\nfacts = {{ {facts} }}\n'
            for name, facts in (
                ("amber", "variants_tested = 4, listed = 2026-03-10"),
                ("birch", "variants_tested = 0, listed = 2026-03-10"),
                ("cedar", "variants_tested = 4"),
            )
        )
    )
    assert rules_of(read_settings(tmp_path / "arena.toml")).chosen == {"amber": ChosenModel(5, DAYS["listed"])}
