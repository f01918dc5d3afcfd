"""The compiled loops give what the Python beside them gives; everything runs without them."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import ratings
from ratings.data import compiled
from ratings.data.columns import column_codes
from ratings.data.tally import checked_tally, tally_with_scipy
from ratings.models.elo import compiled_loop, python_loop

needs_loops = pytest.mark.skipif(compiled.LOOPS is None, reason="ratings was installed without a C compiler")


def drawn(models=6, battles=70_000, seed=0):
    """Columns of codes over several chunks, covariates that go with the outcome, weights and voters."""
    rng = np.random.default_rng(seed)
    a = rng.integers(0, models, battles).astype(np.int32)
    b = ((a + rng.integers(1, models, battles)) % models).astype(np.int32)
    z = {"length": rng.normal(size=battles), "bold": rng.normal(size=battles)}
    lead = (a - b) / models + 0.4 * z["length"] - 0.1 * z["bold"]
    winner = (rng.random(battles) > 1 / (1 + np.exp(-lead))).astype(np.uint8)
    winner[rng.random(battles) < 0.2] = 2
    winner[rng.random(battles) < 0.1] = 3
    return (a, b, winner), z, rng.random(battles) + 0.1, rng.integers(0, 500, battles)


def both_ways(monkeypatch, function):
    """What `function` returns with the compiled loops and without."""
    with_loops = function()
    monkeypatch.setattr(compiled, "LOOPS", None)
    return with_loops, function()


@needs_loops
@pytest.mark.parametrize("dtype", [np.int8, np.int32, np.int64, np.uint16])
@pytest.mark.parametrize("models", [2, 100])
def test_the_compiled_elo_is_the_loop(dtype, models):
    (a, b, winner), *_ = drawn(models, 40_000)
    battles = a.astype(dtype), b.astype(dtype), winner
    np.testing.assert_allclose(
        compiled_loop(*battles, models, 0.05), python_loop(*battles, models, 0.05), atol=1e-12
    )


@needs_loops
@pytest.mark.parametrize(
    "dtype", [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.uint32, np.int64, np.uint64]
)
@pytest.mark.parametrize("models", [2, 100])
def test_the_compiled_tally_is_that_of_scipy(dtype, models):
    (a, b, winner), *_ = drawn(models)  # with two models a byte goes round a hundred times
    pairs, outcome_counts = checked_tally(a.astype(dtype), b.astype(dtype), winner, models)
    expected_pairs, expected_counts = tally_with_scipy(a, b, winner, models)
    assert (pairs == expected_pairs).all()
    assert (outcome_counts == expected_counts).all()


@needs_loops
def test_the_tally_reads_any_layout():
    (a, b, winner), *_ = drawn(battles=5000)
    strided = np.repeat(a, 2)[::2], b.astype(">i4"), np.repeat(winner, 3)[::3]
    assert (checked_tally(*strided, 6)[1] == tally_with_scipy(a, b, winner, 6)[1]).all()


@needs_loops
@pytest.mark.parametrize("dtype", [np.int8, np.int16, np.int32, np.int64, np.uint64])
@pytest.mark.parametrize(("side", "code"), [(0, -1), (1, -1), (0, 6), (1, 6)])
def test_a_code_out_of_range_ends_the_tally(dtype, side, code):
    (a, b, winner), *_ = drawn(battles=5000)
    columns = [a.astype(dtype), b.astype(dtype)]
    columns[side][4321] = np.array(code).astype(dtype)
    assert checked_tally(*columns, winner, 6) is None


@needs_loops
def test_a_high_half_or_an_outcome_out_of_range_ends_the_tally():
    (a, b, winner), *_ = drawn(battles=5000)
    high = a.astype(np.int64)
    high[7] = 1 << 32  # its low half is a good code
    assert checked_tally(high, b, winner, 6) is None
    winner[4999] = 4
    assert checked_tally(a, b, winner, 6) is None


@needs_loops
def test_the_tally_writes_nothing_outside_its_table():
    good, y, table = np.array([0, 1], np.int32), np.array([0, 1], np.uint8), np.zeros((4, 4), np.int32)
    for models in (0, 1, 3, 1 << 20):
        with pytest.raises(ValueError, match="the size of the models"):
            compiled.LOOPS.tally(good, good[::-1].copy(), y, models, table)
    with pytest.raises(ValueError, match="differ in length"):
        compiled.LOOPS.tally(good, good[:1], y, 2, table)
    with pytest.raises(TypeError, match="model_b has items of format d"):
        compiled.LOOPS.tally(good, np.zeros(2), y, 2, table)
    assert not table.any()


@pytest.mark.parametrize("models", [None, [f"m{m}" for m in range(9)]])
def test_codes_are_counted_the_same_both_ways(monkeypatch, models):
    (a, b, winner), *_ = drawn()
    a[35_000:35_003], b[35_000:35_003] = [7, 7, 8], [8, 0, 1]  # beyond what the ends of the columns tell
    one, other = both_ways(monkeypatch, lambda: ratings.read_battles(a, b, winner, models=models))
    assert one.models == other.models
    assert (one.pairs == other.pairs).all()
    assert (one.outcome_counts == other.outcome_counts).all()


@needs_loops
def test_elo_takes_the_compiled_loop_where_it_is_there(monkeypatch):
    columns, *_ = drawn(battles=5000)
    with_loops, without = both_ways(monkeypatch, lambda: ratings.elo(*columns, rounds=3))
    np.testing.assert_allclose(with_loops.ratings, without.ratings, atol=1e-9)
    np.testing.assert_allclose(with_loops.covariance, without.covariance, atol=1e-9)
    with pytest.raises(ratings.BadOption, match="engine 'compiled' is missing: ratings was installed without"):
        ratings.elo(*columns, engine="compiled")


@needs_loops
@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("clustered", [False, True])
def test_style_control_is_the_same_both_ways(monkeypatch, weighted, clustered):
    columns, z, weight, voter = drawn()
    options = {"weight": weight if weighted else None, "cluster": voter if clustered else None}
    one, other = both_ways(monkeypatch, lambda: ratings.contextual(*columns, z, **options))
    np.testing.assert_allclose(one.ratings, other.ratings, atol=1e-9)
    np.testing.assert_allclose(one.covariance, other.covariance, rtol=1e-9, atol=1e-9)
    for here, there in zip(one.coefficients, other.coefficients, strict=True):
        assert here.value == pytest.approx(there.value, abs=1e-9)
        assert here.standard_error == pytest.approx(there.standard_error, rel=1e-9)


@needs_loops
def test_style_control_of_strided_columns_is_the_same(monkeypatch):
    (a, b, winner), z, *_ = drawn(battles=4000)
    columns = [np.repeat(column, 2)[::2] for column in (a.astype(np.int64), b.astype(np.int16), winner)]
    wide = {name: np.repeat(column, 2)[::2] for name, column in z.items()}
    one, other = both_ways(monkeypatch, lambda: ratings.contextual(*columns, wide))
    np.testing.assert_allclose(one.ratings, other.ratings, atol=1e-9)


TEXTS = ["", "a", "b", "model", "модель", "\0", None]
LABELS = [*TEXTS, 0, 1, True, float("nan"), 1.0]


@settings(max_examples=40)
@given(st.lists(st.sampled_from(TEXTS), max_size=20) | st.lists(st.sampled_from(LABELS), max_size=20))
def test_lists_are_coded_the_same_both_ways(values):
    with pytest.MonkeyPatch.context() as patch:
        (codes, labels), (plain_codes, plain_labels) = both_ways(patch, lambda: column_codes(values, "m"))
    assert codes.tolist() == plain_codes.tolist()
    assert list(map(repr, labels)) == list(map(repr, plain_labels))


@pytest.mark.parametrize("dtype", ["U", "T", object])
def test_arrays_of_text_are_coded_as_lists_are(monkeypatch, dtype):
    monkeypatch.setattr("ratings.data.columns.TEXTS", 7)
    names = [f"model-{i * i % 11}" for i in range(100)]
    array = np.array(names, dtype=np.dtypes.StringDType() if dtype == "T" else dtype)
    for codes, labels in both_ways(monkeypatch, lambda: column_codes(array, "model_a")):
        assert [labels[code] for code in codes] == names
        assert labels == list(dict.fromkeys(names))


def test_a_text_that_is_not_quite_a_text_is_looked_up_in_python():
    class Name(str):
        __slots__ = ()

    codes, labels = column_codes([Name("x"), "x", "y"], "model_a")
    assert codes.tolist() == [0, 0, 1]
    assert labels == ["x", "y"]


@needs_loops
def test_the_loops_write_nothing_outside_their_arrays():
    xi, none = np.zeros(3), np.zeros(0, np.uint8)
    a, y = np.array([0, 3], np.int32), np.array([0, 1], np.uint8)
    good = np.array([0, 2], np.int32)
    with pytest.raises(IndexError, match="out of range"):
        compiled.LOOPS.elo(a, good, y, xi, 0.1)
    with pytest.raises(IndexError, match="out of range"):
        compiled.LOOPS.elo(-a, good, y, xi, 0.1)
    with pytest.raises(IndexError, match="out of range"):
        compiled.LOOPS.elo(good, good, y + np.uint8(3), xi, 0.1)
    with pytest.raises(ValueError, match="differ in length"):
        compiled.LOOPS.elo(good, good, none, xi, 0.1)
    with pytest.raises(TypeError, match="model_a has items of format"):
        compiled.LOOPS.elo(good.astype(np.int64), good, y, xi, 0.1)
    with pytest.raises(ValueError, match="one code a value"):
        compiled.LOOPS.codes(["x"], {}, np.zeros(2, np.int32))
    assert xi.tolist() == [0, 0, 0]


@needs_loops
def test_the_passes_refuse_sums_of_another_size():
    good, y, z = np.array([0, 2], np.int32), np.array([0, 1], np.uint8), np.ones(2)
    estimate = np.zeros(4)
    passage = (good, good[::-1].copy(), y, None, (z,), estimate)
    with pytest.raises(ValueError, match="as long as the estimate"):
        compiled.LOOPS.gradient(passage, np.zeros(3))
    with pytest.raises(ValueError, match="the size of the estimate"):
        compiled.LOOPS.outer(passage, True, np.zeros((3, 3, 2)), np.zeros((3, 2, 1)), np.zeros((2, 2, 1)))
    with pytest.raises(ValueError, match="differ in length from the battles"):
        compiled.LOOPS.gradient((*passage[:4], (np.ones(3),), estimate), np.zeros(4))
    with pytest.raises(ValueError, match="differ in length from the battles"):
        compiled.LOOPS.gradient((*passage[:3], np.ones(3), (z,), estimate), np.zeros(4))
    with pytest.raises(TypeError, match="covariate has items of format"):
        compiled.LOOPS.gradient((*passage[:4], (np.ones(2, np.float32),), estimate), np.zeros(4))
