import numpy as np
import pytest

import ratings
from tests.support.boards import by_model, simulated

A, B, WINNER = simulated()


class Package:
    """A package that may be missing: the test that needs it is then skipped."""

    def __init__(self, name):
        self.name = name

    def __getattr__(self, name):
        return getattr(pytest.importorskip(self.name), name)


pd, pl, pa = Package("pandas"), Package("polars"), Package("pyarrow")
EXPECTED = by_model(ratings.bradley_terry(A, B, WINNER))
KINDS = {
    "tuples": tuple,
    "iterators": iter,
    "numpy text": np.array,
    "numpy objects": lambda column: np.array(column, dtype=object),
    "numpy StringDType": lambda column: np.array(column, dtype=np.dtypes.StringDType()),
    "pandas": lambda column: pd.Series(column),
    "pandas objects": lambda column: pd.Series(column, dtype=object),
    "pandas categories": lambda column: pd.Series(column, dtype="category"),
    "pandas with another index": lambda column: pd.Series(column, index=range(7, 7 + len(column))),
    "pandas Categorical": lambda column: pd.Categorical(column),
    "pandas Index": lambda column: pd.Index(column),
    "polars": lambda column: pl.Series(column),
    "polars categories": lambda column: pl.Series(column, dtype=pl.Categorical),
    "Arrow": lambda column: pa.array(column),
    "Arrow dictionary": lambda column: pa.array(column).dictionary_encode(),
    "Arrow chunks": lambda column: pa.chunked_array([column[:100], column[100:]]),
    "Arrow dictionary chunks": lambda column: pa.chunked_array(
        [pa.array(column[:100]).dictionary_encode(), pa.array(column[100:]).dictionary_encode()]
    ),
}


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_every_kind_of_column_gives_the_same_ratings(kind):
    assert by_model(ratings.bradley_terry(kind(A), kind(B), kind(WINNER))) == EXPECTED


CODED = ([int(m[1:]) for m in A], [int(m[1:]) for m in B], [ratings.OUTCOMES.index(o) for o in [
    next(o for o in ratings.OUTCOMES if o.name == w) for w in WINNER]])  # fmt: skip
INTEGERS = {
    "list": list,
    "int8": lambda c: np.array(c, dtype=np.int8),
    "uint64": lambda c: np.array(c, dtype=np.uint64),
    "pandas": lambda column: pd.Series(column),
    "pandas nullable": lambda c: pd.Series(c, dtype="Int64"),
    "polars": lambda column: pl.Series(column),
    "Arrow": lambda column: pa.array(column),
}


@pytest.mark.parametrize("kind", INTEGERS.values(), ids=INTEGERS.keys())
def test_integer_codes_are_named_by_their_digits(kind):
    got = by_model(ratings.bradley_terry(*(kind(column) for column in CODED)))
    assert got == {name[1:]: rating for name, rating in EXPECTED.items()}


def test_integer_codes_are_places_among_models_given():
    names = tuple(f"m{m}" for m in range(8))
    counts = ratings.count_pairs(*CODED, models=names)
    assert by_model(ratings.bradley_terry(counts)) == EXPECTED


def test_high_integers_are_names_too():
    shifted = [[10**9 + m for m in column] for column in CODED[:2]]
    for kind in (list, np.array):
        fit = ratings.bradley_terry(kind(shifted[0]), kind(shifted[1]), CODED[2])
        assert list(by_model(fit).values()) == list(EXPECTED.values())
        assert fit.models[0] == "1000000000"


def test_models_without_a_battle_are_listed_when_models_are_given():
    counts = ratings.count_pairs(A, B, WINNER, models=[*(f"m{m}" for m in range(8)), "new"])
    assert counts.models[-1] == "new"
    assert counts.totals()[-1].sum() == 0


def test_unused_categories_are_no_models():
    a = pd.Series(A, dtype=pd.CategoricalDtype([*sorted(set(A)), "unused"]))
    assert ratings.bradley_terry(a, B, WINNER).models == tuple(EXPECTED)


NOTHING = {
    "None": lambda: [None],
    "nan": lambda: [float("nan")],
    "empty text": lambda: [""],
    "pandas NA": lambda: pd.Series([pd.NA], dtype="string"),
    "pandas nan": lambda: pd.Series([float("nan")], dtype=object),
    "polars null": lambda: pl.Series([None], dtype=pl.String),
    "Arrow null": lambda: pa.array([None], pa.string()),
    "numpy nan": lambda: np.array([np.nan]),
}


@pytest.mark.parametrize("missing", NOTHING.values(), ids=NOTHING.keys())
def test_a_missing_value_is_an_error_that_names_the_row(missing):
    missing = missing()
    with pytest.raises(ratings.MissingValue, match="row 0: model_a has no model"):
        ratings.bradley_terry(missing, ["b"], ["tie"])
    with pytest.raises(ratings.MissingValue, match="row 0: no winner"):
        ratings.bradley_terry(["a"], ["b"], missing)


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_an_unknown_winner_is_an_error_that_names_row_value_and_what_helps(kind):
    wrong = [*WINNER[:17], "modelA", *WINNER[18:]]
    with pytest.raises(
        ratings.UnknownWinner,
        match=r"row 17: winner 'modelA' is unknown. Expected model_a, model_b, tie or both_bad",
    ):
        ratings.bradley_terry(A, B, kind(wrong))


@pytest.mark.parametrize("winner", [4, -1, True, 0.5])
def test_a_number_that_is_no_outcome_is_an_unknown_winner(winner):
    with pytest.raises(ratings.UnknownWinner, match="row 1"):
        ratings.bradley_terry(["a", "a"], ["b", "b"], ["tie", winner])


def test_integer_winners_out_of_range_are_unknown():
    with pytest.raises(ratings.UnknownWinner, match="row 2: winner 7"):
        ratings.bradley_terry(["a"] * 3, ["b"] * 3, np.array([0, 1, 7]))


def test_a_model_against_itself_is_an_error():
    with pytest.raises(ratings.SelfBattle, match="row 1: 'b' against itself"):
        ratings.bradley_terry(["a", "b"], ["b", "b"], ["tie", "tie"])


def test_columns_differ_in_length():
    with pytest.raises(ratings.LengthMismatch, match="model_a has 2, model_b has 1, winner has 2 rows"):
        ratings.bradley_terry(["a", "b"], ["b"], ["tie", "tie"])


EMPTY = {
    "list": list,
    "numpy": lambda: np.array([]),
    "numpy codes": lambda: np.array([], dtype=int),
    "pandas": lambda: pd.Series([], dtype=object),
    "pandas text": lambda: pd.Series([], dtype="str"),
    "polars": lambda: pl.Series([], dtype=pl.String),
    "Arrow": lambda: pa.array([], pa.string()),
    "Arrow chunks": lambda: pa.chunked_array([], pa.string()),
}


@pytest.mark.parametrize("empty", EMPTY.values(), ids=EMPTY.keys())
def test_empty_columns_have_no_ratings(empty):
    with pytest.raises(ratings.NoBattles, match="no battles: the columns are empty"):
        ratings.bradley_terry(empty(), empty(), empty())


@pytest.mark.parametrize("label", [1.5, True, ("a",), b"a"])
def test_a_model_is_named_by_text_or_an_integer(label):
    with pytest.raises(ratings.UnknownModel, match="row 1: model_b is"):
        ratings.bradley_terry(["a", "a"], ["b", label], ["tie", "tie"])


def test_a_model_that_is_not_among_those_given():
    with pytest.raises(ratings.UnknownModel, match="row 1: model_b 'c' is not among the 2 models given"):
        ratings.count_pairs(["a", "a"], ["b", "c"], ["tie", "tie"], models=["a", "b"])


@pytest.mark.parametrize(
    ("models", "message"), [(["a", "a"], "listed twice"), (["a", ""], "model 1 is ''"), (["a", 3], "model 1 is 3")]
)
def test_model_names_are_texts_and_differ(models, message):
    with pytest.raises(ratings.BadOption, match=message):
        ratings.count_pairs(["a"], ["b"], ["tie"], models=models)


def test_a_column_is_a_column():
    with pytest.raises(ratings.RatingsError, match="model_a is a str; give a column"):
        ratings.bradley_terry("ab", ["b", "c"], ["tie", "tie"])
    with pytest.raises(ratings.RatingsError, match="winner is a int"):
        ratings.bradley_terry(["b"], ["c"], 5)
    with pytest.raises(ratings.RatingsError, match="model_a has 2 dimensions"):
        ratings.bradley_terry(np.array([["b"]]), ["c"], ["tie"])


def test_what_cannot_be_looked_up_is_reported_with_its_row():
    with pytest.raises(ratings.RatingsError, match=r"row 1: model_b is \['c'\]; expected a text or a number"):
        ratings.bradley_terry(["a", "a"], ["b", ["c"]], ["tie", "tie"])


def test_columns_have_to_come_together():
    with pytest.raises(ratings.BadOption, match="model_a, model_b and winner"):
        ratings.bradley_terry(["a"], ["b"])
    counts = ratings.count_pairs(["a"], ["b"], ["tie"])
    with pytest.raises(ratings.BadOption, match="nothing beside them"):
        ratings.leaderboard(counts, ["b"])


def test_many_models_are_counted_without_a_table_of_all_pairs():
    a = np.arange(3000)
    b = (a + 1) % 3000
    counts = ratings.count_pairs(np.r_[a, a], np.r_[b, b], ["model_a"] * 3000 + ["tie"] * 3000)
    assert len(counts.models) == 3000
    assert (counts.table.sum(axis=0) == [3000, 0, 3000, 0]).all()
    assert len(counts.model_a) == 3000


@pytest.mark.parametrize("codes", [np.array([0, -1], np.int32), [0, -1]])
def test_a_negative_code_is_no_model(codes):
    with pytest.raises(ratings.UnknownModel, match="row 1: model_b is -1; the number of a model is zero or more"):
        ratings.bradley_terry(np.array([2, 2]), codes, np.array([0, 1], np.uint8))
