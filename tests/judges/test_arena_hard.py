"""Arena-Hard: ratings as published, labels read exactly, sides mapped back."""

import pytest

from judges.errors import BadRow, NoVerdicts
from judges.protocols import arena_hard
from judges.replies import Reason, Unparsable
from tests.support.verdict_files import read_lines


def test_mean_ratings_are_the_published_ones():
    for model, mean, missing in (("claude-1", 6.2248, 2), ("gpt-3.5-turbo", 6.7592, 1)):
        (model_ratings,) = arena_hard.ratings(read_lines("arena_hard", "single_rating", f"{model}.jsonl"))
        assert sum(model_ratings.ratings) / len(model_ratings.ratings) == pytest.approx(mean, abs=5e-5)
        assert (model_ratings.model, model_ratings.unparsed) == (model, missing)


def test_every_stored_rating_follows_from_its_judgment():
    for model in ("claude-1", "gpt-3.5-turbo"):
        for row in read_lines("arena_hard", "single_rating", f"{model}.jsonl"):
            read_again = arena_hard.rating(row["judgment"])
            assert (None if isinstance(read_again, Unparsable) else read_again) == row["score"]


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("My verdict: [[A>>B]]", 2),
        ("[[b>a]]", -1),
        ("[[A<<B]]", -2),
        ("[[B<A]]", 1),
        ("[[A=B]] as I said [[B=A]]", 0),
        ("only [A>B]", 1),
        ("<think>[[A>B]]</think>[[B>>A]]", -2),
        ('B says "[[B>>A]]". I say [[A>B]]', Unparsable(Reason.SEVERAL)),
        ("[[A==B]]", Unparsable(Reason.OUT_OF_RANGE)),
        ("A is better", Unparsable(Reason.NONE)),
        (None, Unparsable(Reason.EMPTY)),
    ],
)
def test_a_label_is_read_exactly(reply, expected):
    assert arena_hard.verdict(reply) == expected


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        ("[[8.5]]", 8.5),
        ("[[8]] [[8]]", Unparsable(Reason.SEVERAL)),
        ("[[80]]", Unparsable(Reason.OUT_OF_RANGE)),
        ("[8]", Unparsable(Reason.NONE)),
    ],
)
def test_a_rating_is_the_only_one(reply, expected):
    assert arena_hard.rating(reply) == expected


def judged(uid, *labels, model="m", baseline="b"):
    games = [
        None if label is None else {"score": label, "judgment": {"answer": f"[[{label}]]"}} for label in labels
    ]
    return {"uid": uid, "model": model, "baseline": baseline, "games": games}


def test_the_model_is_b_in_the_first_game_and_a_in_the_second():
    (model_games,) = arena_hard.games(
        [judged("q1", "A>>B", "B>A"), judged("q2", "B>A", "A>>B"), judged("q3", "A=B", "A=B")]
    )
    assert model_games.points == [0, 0, 1, 1, 0.5, 0.5]
    assert model_games.weights == [3, 1, 1, 3, 1, 1]
    assert model_games.prompts == ["q1", "q1", "q2", "q2", "q3", "q3"]


def test_swapping_the_games_labels_swaps_the_verdict():
    swap = {"A>>B": "B>>A", "A>B": "B>A", "A=B": "A=B", "B>A": "A>B", "B>>A": "A>>B"}
    rows = [judged(str(i), label, swap[label]) for i, label in enumerate(swap)]
    swapped = [judged(str(i), swap[label], label) for i, label in enumerate(swap)]
    (model_games,), (mirrored,) = arena_hard.games(rows), arena_hard.games(swapped)
    assert [1 - p for p in model_games.points] == mirrored.points


def test_a_failed_game_is_counted_and_neither_a_tie_nor_a_loss():
    (model_games,) = arena_hard.games([judged("q", None, "A>B"), judged("r", "??", "A>B")])
    assert (model_games.points, model_games.judged, model_games.unparsed) == ([1, 1], 2, 2)


def test_older_rows_keep_text_or_label_alone():
    row = {"question_id": "q", "model": "m", "games": [{"score": "A>B"}, {"judgment": "[[A>B]]", "score": None}]}
    (model_games,) = arena_hard.games([row], baseline="b")
    assert model_games.points == [0, 1]
    nothing = {**row, "games": [{"score": None}, {"score": "x"}]}
    with pytest.raises(NoVerdicts, match="m: none of 2 games"):
        arena_hard.games([nothing], baseline="b")


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([{"uid": "q", "model": "m", "games": []}], "row 0: no baseline"),
        ([{"uid": "q", "model": "m", "baseline": "b", "games": [None]}], "row 0: games is not a list of two"),
        ([{"uid": "q", "model": "m", "baseline": "b", "games": [None, "A>B"]}], "row 0: a game is neither"),
        (
            [judged("q", "A>B", "A>B"), judged("r", "A>B", "A>B", baseline="c")],
            "row 1: m is compared with c here and with b before",
        ),
        ([{"model": "m", "baseline": "b"}], "row 0: no uid or question_id"),
    ],
)
def test_a_bad_row_is_named(rows, problem):
    with pytest.raises(BadRow, match=problem):
        arena_hard.games(rows)


def test_judgments_are_text():
    with pytest.raises(BadRow, match="row 0: judgment is 3"):
        arena_hard.ratings([{"model": "m", "judgment": 3}])
    with pytest.raises(NoVerdicts, match="m: none of 1 judgments"):
        arena_hard.ratings([{"model": "m", "judgment": None}])


def test_the_baseline_stands_first_everywhere_or_is_not_known():
    assert arena_hard.baseline_of(["b", "b"], ["x", "y"]) == "b"
    assert arena_hard.baseline_of(["b", "x"], ["x", "y"]) is None
    assert arena_hard.baseline_of(["b"], ["b"]) is None
