"""`arena rate` by the methods that need more than three columns, against the library and the board."""

import random

import pytest

import ratings
from tests.arena.cli.test_rate import HEADER, battles, board, run, written

LISTED = "2026-01-31"
CHOSEN = ("--method", "fresh", "--chosen", f"x=4:{LISTED}")


def timed(path, count=60):
    """A vote each day of January and February."""
    days = [f"2026-0{1 + n // 31}-{1 + n % 31:02}T12:00:00Z" for n in range(count)]
    rows = [[*row, day] for row, day in zip(battles(min(count, 59)), days, strict=False)]
    return written(path, rows, [*HEADER, "timestamp"]), rows


def of(plain, key="rating"):
    return {row["model"]: row[key] for row in plain["models"]}


def columns(rows):
    return tuple([row[place] for row in rows] for place in range(3))


def test_ties_by_strength_are_those_of_the_library(tmp_path):
    rng = random.Random(1)
    pairs = [rng.sample(range(5), 2) for _ in range(400)]
    outcomes = ("model_a", "model_b", "tie")
    rows = [[f"m{a}", f"m{b}", *rng.choices(outcomes, (2 + a, 2 + b, 1 + (a + b) / 4))] for a, b in pairs]
    plain = board(written(tmp_path / "b.csv", rows, HEADER[:3]), "--method", "davidson-strength")
    fit = ratings.davidson(*columns(rows), prior=0.25, by_strength=True)
    assert (plain["method"], plain["parameters"]["by_strength"]) == ("davidson", True)
    assert of(plain) == pytest.approx({model: fit.rating(model) for model in fit.models})
    assert {"nu by strength", "nu by gap"} < plain["style"].keys()


def test_abilities_are_those_of_the_voters_in_the_file(tmp_path):
    plain = board(written(tmp_path / "b.csv"), "--method", "ability")
    fit = ratings.annotator_ability(*columns(battles()), [row[3] for row in battles()]).fit
    assert (plain["method"], plain["parameters"]["annotators"]) == ("annotator_ability", 9)
    assert of(plain) == pytest.approx({model: fit.rating(model) for model in fit.models})
    assert of(plain, "lower") == pytest.approx(dict(zip(fit.models, fit.interval()[0], strict=True)))


def test_fresh_votes_leave_out_those_by_which_a_model_was_chosen(tmp_path):
    file, rows = timed(tmp_path / "b.csv")
    plain = board(file, *CHOSEN)
    fresh = [row for row in rows if row[-1] >= LISTED or "x" not in row[:2]]
    fit = ratings.bradley_terry(*columns(fresh), prior=0.25)
    assert 0 < len(fresh) < len(rows)
    assert (plain["method"], plain["battles"]) == ("fresh_votes", len(fresh))
    assert plain["parameters"]["variants"] == {"x": 4}
    assert of(plain) == pytest.approx({model: fit.rating(model) for model in fit.models})
    assert of(plain, "lower") == pytest.approx(dict(zip(fit.models, fit.interval()[0], strict=True)))


def test_fresh_votes_weigh_what_the_file_says(tmp_path):
    _, rows = timed(tmp_path / "a.csv")
    weighted = [[*row, str(1 + n % 3)] for n, row in enumerate(rows)]
    file = written(tmp_path / "b.csv", weighted, [*HEADER, "timestamp", "weight"])
    fresh = [row for row in weighted if row[-2] >= LISTED or "x" not in row[:2]]
    fit = ratings.bradley_terry(*columns(fresh), prior=0.25, weight=[float(row[-1]) for row in fresh])
    assert of(board(file, *CHOSEN)) == pytest.approx({model: fit.rating(model) for model in fit.models})


def test_a_moment_may_have_a_time_and_a_zone(tmp_path):
    file, rows = timed(tmp_path / "b.csv")
    votes = board(file, "--method", "fresh", "--chosen", "x=4:2026-01-31T13:30:00+01:00")["battles"]
    assert votes == sum(row[-1] > "2026-01-31T12:30" or "x" not in row[:2] for row in rows)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--method", "fresh"), "need each other"),
        (("--chosen", "x=4:2026-01-31"), "need each other"),
        (("--method", "fresh", "--chosen", "x=1:2026-01-31"), "at least two variants"),
        (("--method", "fresh", "--chosen", "x=4"), "is not MODEL=VARIANTS:DATE"),
        (("--method", "fresh", "--chosen", "x=4:0001-01-01T00:00+14:00"), "is not MODEL=VARIANTS:DATE"),
        ((*CHOSEN, "--chosen", "x=5:2026-02-01"), "names x twice"),
        (("--method", "fresh", "--chosen", "w=4:2026-01-31"), "no battle has --chosen 'w'. Name one of: x, y, z"),
        ((*CHOSEN, "--cluster", "voter"), "do not work with --method fresh"),
        (("--method", "ability", "--prior", "0"), "abilities need a prior"),
    ],
)
def test_wrong_use_says_what_helps(tmp_path, words, message):
    result = run(timed(tmp_path / "b.csv")[0], *words)
    assert (result.returncode, message in " ".join(result.stderr.split())) == (2, True), result.stderr


def test_what_a_method_needs_of_the_file_is_named(tmp_path):
    plain = written(tmp_path / "b.csv", [row[:3] for row in battles()], HEADER[:3])
    assert "--method ability needs a column voter" in run(plain, "--method", "ability").stderr
    assert "row 0: --method fresh needs the time of votes on x and y" in run(plain, *CHOSEN).stderr
    rows = [[*row[:4], "2"] for row in battles()]
    weighted = written(tmp_path / "c.csv", rows, [*HEADER[:4], "weight"])
    assert "--method ability does not support weights" in run(weighted, "--method", "ability").stderr
    odd = written(tmp_path / "d.csv", [[*row[:3], "noon"] for row in battles()], [*HEADER[:3], "timestamp"])
    assert "row 0: time 'noon' is invalid" in run(odd, *CHOSEN).stderr
