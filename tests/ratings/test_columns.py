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
        if name.startswith(("_", "pytest")):  # pytest looks at what a module holds: that must not skip the file
            raise AttributeError(name)
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
    "polars Enum": lambda column: pl.Series(column, dtype=pl.Enum(["unused", *sorted(set(column))])),
    "polars objects": lambda column: pl.Series(column, dtype=pl.Object),
    "numpy str_ in a list": lambda column: [np.str_(value) for value in column],
    "numpy mask of nothing": lambda column: np.ma.masked_array(column, mask=False),
    "pandas string": lambda column: pd.Series(column, dtype="string"),
    "pandas string array": lambda column: pd.array(column, dtype="string"),
    "pandas Arrow string array": lambda column: pd.array(column, dtype="string[pyarrow]"),
    "pandas ArrowDtype": lambda column: pd.Series(column, dtype=pd.ArrowDtype(pa.string())),
    "pandas Arrow dictionary": lambda column: pd.Series(
        column, dtype=pd.ArrowDtype(pa.dictionary(pa.int32(), pa.string()))
    ),
    "pandas CategoricalIndex": lambda column: pd.CategoricalIndex(column),
    "Arrow large text": lambda column: pa.array(column, pa.large_string()),
    "Arrow text by view": lambda column: pa.array(column, pa.string_view()),
    "Arrow empty chunks": lambda column: pa.chunked_array([[], column, []], pa.string()),
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
    "numpy int64 in a list": lambda column: [np.int64(code) for code in column],
    "numpy mask of nothing": lambda column: np.ma.masked_array(column, mask=[False] * len(column)),
    "pandas nullable": lambda c: pd.Series(c, dtype="Int64"),
    "pandas integer array": lambda c: pd.array(c, dtype="UInt8"),
    "pandas ArrowDtype": lambda c: pd.Series(c, dtype=pd.ArrowDtype(pa.int16())),
    "pandas categories": lambda c: pd.Series(c, dtype="category"),
    "Arrow chunks": lambda c: pa.chunked_array([c[:9], c[9:]]),
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


UNUSED = {
    "pandas": lambda label: pd.Categorical(A, [label, *sorted(set(A))]),
    "pandas Series": lambda label: pd.Series(pd.Categorical(A, [*sorted(set(A)), label])),
    "Arrow": lambda label: dictionary(A, [label]),
    "Arrow chunks": lambda label: pa.chunked_array([dictionary(A[:99], [label]), dictionary(A[99:], [label])]),
}


def dictionary(values, unused):
    """An Arrow dictionary of which the last labels have no row."""
    labels = sorted(set(A))
    codes = pa.array([labels.index(value) for value in values], pa.int32())
    return pa.DictionaryArray.from_arrays(codes, pa.array([*labels, *unused], pa.string()))


@pytest.mark.parametrize("kind", UNUSED.values(), ids=UNUSED.keys())
@pytest.mark.parametrize("label", ["unused", "", None])
def test_unused_categories_are_no_models(kind, label):
    if label is None and kind in list(UNUSED.values())[:2]:
        pytest.skip("pandas has no category for a missing value")
    assert by_model(ratings.bradley_terry(kind(label), B, WINNER)) == EXPECTED


@pytest.mark.parametrize("label", [1.5, -1, True, ("a",)])
def test_an_unused_category_of_any_type_is_no_model(label):
    a = pd.Categorical(A, [label, *sorted(set(A))])
    assert by_model(ratings.bradley_terry(a, B, WINNER)) == EXPECTED
    with pytest.raises(ratings.UnknownModel, match="row 1: model_a is"):
        ratings.bradley_terry(pd.Categorical(["a", label], ["b", label, "a"]), ["c", "c"], ["tie", "tie"])


def test_labels_that_a_dictionary_lists_twice_are_one_cluster():
    twice = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2] * 200), pa.array(["v", "v", "w"]))
    plain = ["v", "v", "w"] * 200
    one, other = (ratings.bradley_terry(A, B, WINNER, cluster=c) for c in (plain, twice))
    assert (one.covariance == other.covariance).all()


NOTHING = {
    "None": lambda: [None],
    "nan": lambda: [float("nan")],
    "empty text": lambda: [""],
    "pandas NA": lambda: pd.Series([pd.NA], dtype="string"),
    "pandas nan": lambda: pd.Series([float("nan")], dtype=object),
    "polars null": lambda: pl.Series([None], dtype=pl.String),
    "Arrow null": lambda: pa.array([None], pa.string()),
    "Arrow nothing": lambda: pa.nulls(1),
    "Arrow null in a dictionary": lambda: pa.DictionaryArray.from_arrays(
        pa.array([0]), pa.array([None], pa.string())
    ),
    "Arrow null of a dictionary": lambda: pa.array([None], pa.dictionary(pa.int32(), pa.string())),
    "Arrow null in chunks": lambda: pa.chunked_array([[None]], pa.string()),
    "Arrow null by view": lambda: pa.array([None], pa.string_view()),
    "Arrow missing integer": lambda: pa.array([None], pa.int64()),
    "polars missing integer": lambda: pl.Series([None], dtype=pl.Int64),
    "polars null category": lambda: pl.Series([None], dtype=pl.Categorical),
    "polars null object": lambda: pl.Series([None], dtype=pl.Object),
    "pandas no category": lambda: pd.Categorical([None], ["a"]),
    "pandas NaN category": lambda: pd.Series([float("nan")], dtype="category"),
    "pandas missing integer": lambda: pd.Series([None], dtype="Int64"),
    "pandas missing Arrow text": lambda: pd.Series([None], dtype=pd.ArrowDtype(pa.string())),
    "pandas NaT": lambda: pd.Series([pd.NaT]),
    "numpy nan": lambda: np.array([np.nan]),
    "numpy objects": lambda: np.array([None], dtype=object),
    "numpy StringDType": lambda: np.array([None], dtype=np.dtypes.StringDType(na_object=None)),
    "masked integer": lambda: np.ma.masked_array([0], [True]),
    "masked text": lambda: np.ma.masked_array(["a"], [True]),
    "masked object": lambda: np.ma.masked_array(np.array(["a"], object), [True]),
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
    with pytest.raises(ratings.LengthMismatch, match="model_a has 2 rows, model_b has 1 rows, winner has 2 rows"):
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
    with pytest.raises(ratings.RatingsError, match=r"model_a is of type str\. Give a column"):
        ratings.bradley_terry("ab", ["b", "c"], ["tie", "tie"])
    with pytest.raises(ratings.RatingsError, match="winner is of type int"):
        ratings.bradley_terry(["b"], ["c"], 5)
    with pytest.raises(ratings.RatingsError, match="model_a has 2 dimensions"):
        ratings.bradley_terry(np.array([["b"]]), ["c"], ["tie"])
    for other in ({0: "b"}, {"b"}, bytearray(b"b")):  # iterated, they give keys, any order, numbers
        with pytest.raises(ratings.RatingsError, match="model_a is"):
            ratings.bradley_terry(other, ["c"], ["tie"])
    with pytest.raises(ratings.RatingsError, match=r"row 0: model_a is"):
        ratings.bradley_terry(pa.array([["b"]]), ["c"], ["tie"])
    with pytest.raises(ratings.RatingsError, match="row 0: model_a is"):
        ratings.bradley_terry(pl.Series([["b"]]), ["c"], ["tie"])


def test_a_masked_row_among_others_is_an_error_that_names_it():
    mask = [False, False, True]
    for a in (np.ma.masked_array([0, 2, 3], mask), np.ma.masked_array(["p", "q", "r"], mask)):
        with pytest.raises(ratings.MissingValue, match="row 2: model_a has no model"):
            ratings.bradley_terry(a, [1, 1, 1], ["tie"] * 3)
    with pytest.raises(ratings.MissingValue, match="row 2: no winner"):
        ratings.count_pairs(["a"] * 3, ["b"] * 3, np.ma.masked_array([0, 1, 2], mask, dtype=np.uint8))


TABLES = {
    "pandas": lambda columns: pd.DataFrame(columns),
    "polars": lambda columns: pl.DataFrame(columns),
    "polars lazy": lambda columns: pl.LazyFrame(columns),
    "Arrow": lambda columns: pa.table(columns),
    "Arrow batch": lambda columns: pa.RecordBatch.from_pydict(columns),
    "dict": dict,
    "records": lambda columns: [
        dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)
    ],
}


@pytest.mark.parametrize("kind", TABLES.values(), ids=TABLES.keys())
def test_a_table_alone_is_rated_by_its_columns(kind):
    table = kind({"language": ["en"] * len(A), "winner": WINNER, "model_b": B, "model_a": A})
    assert by_model(ratings.bradley_terry(table)) == EXPECTED
    counted = ratings.leaderboard(ratings.count_pairs(A, B, WINNER))
    assert ratings.leaderboard(table) == ratings.leaderboard(ratings.count_pairs(table)) == counted
    assert (ratings.elo(table).ratings == ratings.elo(A, B, WINNER).ratings).all()
    assert len(ratings.read_battles(table)) == len(A)


@pytest.mark.parametrize("kind", TABLES.values(), ids=TABLES.keys())
def test_a_table_in_the_place_of_a_column_is_an_error_that_says_what_to_give(kind):
    table = kind({"model_a": A, "model_b": B, "winner": WINNER})
    with pytest.raises(
        ratings.RatingsError, match=r"model_a is a table .* Give one of its columns, or the table alone"
    ):
        ratings.bradley_terry(table, B, WINNER)
    with pytest.raises(ratings.RatingsError, match=r"weight is a table .* Give one of its columns"):
        ratings.bradley_terry(A, B, WINNER, weight=table)
    with pytest.raises(ratings.RatingsError, match="cluster is a table"):
        ratings.bradley_terry(A, B, WINNER, cluster=table)


@pytest.mark.parametrize("kind", TABLES.values(), ids=TABLES.keys())
def test_a_table_without_a_column_is_an_error_that_names_it(kind):
    with pytest.raises(ratings.RatingsError, match=r"no column 'winner'|row 0: the battle has no winner"):
        ratings.bradley_terry(kind({"model_a": A, "model_b": B, "won": WINNER}))


def test_a_frame_with_a_column_twice_is_an_error():
    frame = pd.DataFrame([["a", "b", "tie", "tie"]], columns=["model_a", "model_b", "winner", "winner"])
    with pytest.raises(ratings.BadOption, match="two columns 'winner'"):
        ratings.bradley_terry(frame)


WEIGHTS = {
    "list": lambda: [1.0, None, 1.0],
    "masked": lambda: np.ma.masked_array([1.0, 5.0, 1.0], [False, True, False]),
    "masked integers": lambda: np.ma.masked_array([1, 5, 1], [False, True, False]),
    "pandas nullable": lambda: pd.Series([1, None, 1], dtype="Int64"),
    "pandas array": lambda: pd.array([1.0, None, 1.0], dtype="Float64"),
    "pandas objects": lambda: pd.Series([1, None, 1], dtype=object),
    "polars": lambda: pl.Series([1, None, 1]),
    "Arrow": lambda: pa.array([1, None, 1]),
    "Arrow chunks": lambda: pa.chunked_array([[1, None], [1]]),
}


@pytest.mark.parametrize("kind", WEIGHTS.values(), ids=WEIGHTS.keys())
def test_a_missing_weight_or_covariate_is_an_error_that_names_the_row(kind):
    battles = ["a", "b", "a"], ["b", "c", "c"], ["model_a", "model_b", "tie"]
    with pytest.raises(ratings.MissingValue, match="row 1: the weight is missing"):
        ratings.bradley_terry(*battles, weight=kind())
    with pytest.raises(ratings.MissingValue, match="row 1: covariate 'z' is missing"):
        ratings.contextual(*battles, {"z": kind()}, prior=1)
    with pytest.raises(ratings.BadOption, match="row 1: z is negative or missing"):
        ratings.style_differences({"z": kind()}, {"z": [1, 1, 1]})


def test_a_weight_that_is_no_number_is_an_error():
    with pytest.raises(ratings.RatingsError, match="weight is not a column of numbers"):
        ratings.bradley_terry(["a"], ["b"], ["tie"], weight=["much"])


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_people_who_did_not_vote_are_found_in_every_kind_of_column(kind):
    human = [winner if row % 2 else None for row, winner in enumerate(WINNER)]
    expected = ratings.prediction_powered(A, B, WINNER, human)
    assert expected.fit.battles == len(A)
    masked = np.ma.masked_array(WINNER, [row % 2 == 0 for row in range(len(A))])
    assert (ratings.prediction_powered(A, B, WINNER, masked).fit.ratings == expected.fit.ratings).all()
    assert (ratings.prediction_powered(kind(A), B, kind(WINNER), human).fit.ratings == expected.fit.ratings).all()


def test_what_cannot_be_looked_up_is_reported_with_its_row():
    with pytest.raises(ratings.RatingsError, match=r"row 1: model_b is \['c'\]. Expected a text or a number"):
        ratings.bradley_terry(["a", "a"], ["b", ["c"]], ["tie", "tie"])


def test_columns_have_to_come_together():
    with pytest.raises(ratings.BadOption, match="model_a, model_b and winner"):
        ratings.bradley_terry(["a"], ["b"])
    counts = ratings.count_pairs(["a"], ["b"], ["tie"])
    with pytest.raises(ratings.BadOption, match="no other columns with them"):
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
    with pytest.raises(
        ratings.UnknownModel, match=r"row 1: model_b is -1\. Give the number of a model, zero or more"
    ):
        ratings.bradley_terry(np.array([2, 2]), codes, np.array([0, 1], np.uint8))
