"""What a board does not know it does not claim: boards without votes, judges without a fit, styles that name models."""

from __future__ import annotations

import numpy as np
import pytest

import ratings
from arena.config import read_settings
from arena.leaderboards.leaderboard import publish, publish_choice
from arena.leaderboards.notes import CONFOUNDED, style_notes
from arena.leaderboards.query import BoardChoice, BoardRules, NoSuchBoard, rules_of
from arena.store.imports import NewVote, add_votes
from arena.store.schema.battles import now
from tests.arena.leaderboards.test_clustered_boards import add_judge, add_people, drawn


def fair_judge(database, name="fair"):
    add_judge(database, list(drawn(seed=7, voters=40, each=12, taste=0.3)), name)


def test_a_judge_of_few_one_sided_verdicts_does_not_take_the_board_away(database):
    add_people(database, drawn())
    fair_judge(database)
    with database.read() as session:
        before = publish(session, "both")
    verdicts = [("amber", "birch", "model_a", f"p{n}") for n in range(4)] + [("amber", "birch", "tie", "p4")]
    add_judge(database, verdicts, "few")
    with database.read() as session:
        after = publish(session, "both")
    assert [row.rating for row in after.board.rows] == pytest.approx([row.rating for row in before.board.rows])
    (note,) = after.notes
    assert note.startswith("The verdicts of judge:few are left out: ")
    assert after.to_dict()["notes"] == [str(note)]
    assert "notes" not in before.to_dict()


def test_a_board_of_people_alone_is_theirs_also_beside_a_judge_that_counts_for_nothing(database):
    add_people(database, drawn())
    verdicts = [("amber", "birch", "model_a", f"p{n}") for n in range(4)] + [("amber", "birch", "tie", "p4")]
    add_judge(database, verdicts, "few")
    with database.read() as session:
        both, human = publish(session, "both").board, publish(session, "human").board
    assert {row.model: row.rating for row in both.rows} == pytest.approx(
        {row.model: row.rating for row in human.rows}
    )


def test_a_judge_is_not_believed_about_its_own_family(database, tmp_path):
    add_people(database, drawn(taste=0.2))
    add_judge(database, list(drawn(seed=7, voters=80, each=20, taste=0.2)), "keen")
    (tmp_path / "arena.toml").write_text(
        "".join(
            f'[[models]]\nname = "{name}"\nendpoint = "scripted"\nfacts = {{ organisation = "{maker}" }}\n'
            for name, maker in (
                ("amber", "Keen"),
                ("birch", "Other"),
                ("cedar", "Other"),
                ("dogwood", "Other"),
                ("keen", "Keen"),
            )
        )
    )
    rules = rules_of(read_settings(tmp_path / "arena.toml"))
    assert (rules.families["amber"], rules.families["judge:keen"]) == ("Keen", "Keen")
    with database.read() as session:
        naive = publish_choice(session, BoardChoice("both"), BoardRules()).board
        aware = publish_choice(session, BoardChoice("both"), rules).board
    gain = {row.model: row.upper - row.lower for row in naive.rows}
    wider = {row.model: (row.upper - row.lower) / gain[row.model] for row in aware.rows}
    assert wider["amber"] > 1.05, "the judge's verdicts say less about its own family"
    assert wider["amber"] == max(wider.values())


def test_a_category_that_only_judges_have_is_no_board_of_people(database):
    add_people(database, drawn())
    verdict = NewVote("j", "amber", "birch", "model_a", "judge:j", "judge:j", now(), categories=("code",))
    with database.write() as session:
        add_votes(session, [verdict])
    with database.read() as session:
        with pytest.raises(NoSuchBoard, match=r"human has no votes in code\. Sources with votes there: judge:j"):
            publish(session, "human", "code")
        assert len(publish(session, "judge:j", "code").board.rows) == 2


def test_styles_that_name_the_models_are_noted():
    rng = np.random.default_rng(1)
    a, b, winner = (list(column) for column in zip(*[(x, y, w) for x, y, w, _ in drawn(taste=0.1)], strict=True))
    own = {"amber": 1.0, "birch": 2.0, "cedar": 3.0, "dogwood": 4.0}
    without = ratings.bradley_terry(a, b, winner, prior=ratings.PRIOR)
    for noise, noted in ((0.05, True), (5.0, False)):
        z = {"length": [own[x] - own[y] + rng.normal(0, noise) for x, y in zip(a, b, strict=True)]}
        fit = ratings.contextual(a, b, winner, z, prior=ratings.PRIOR)
        notes = style_notes(fit, without)
        assert [note.template for note in notes] == ([CONFOUNDED] if noted else [])


def test_votes_in_a_circle_are_noted(database):
    beats = [("rock", "scissors"), ("scissors", "paper"), ("paper", "rock")]
    votes = [(a, b, "model_a" if n % 10 else "model_b", f"v{n}") for n in range(100) for a, b in beats]
    add_people(database, votes)
    with database.read() as session:
        published = publish(session)
    assert {row.rank for row in published.board.rows} == {1}
    (note,) = published.notes
    assert "go in circles, most clearly" in note
    plain = published.to_dict()
    assert plain["lack_of_fit"]["p_value"] < 1e-6
    assert plain["lack_of_fit"]["cycles"][0]["models"]


def test_votes_of_one_scale_have_no_note(database):
    add_people(database, drawn())
    with database.read() as session:
        published = publish(session)
    assert published.notes == ()
    assert published.lack_of_fit.p_value > 0.001
