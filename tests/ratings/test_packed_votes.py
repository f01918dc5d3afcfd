"""Packed votes are added up by the loop in C as their columns are by numpy, whichever clusters count."""

import numpy as np
import pytest

import ratings
from ratings.data import compiled
from ratings.inference import packed_scores, score_sums

RECORD = np.dtype([("vote", "<u4"), ("voter", "<u4"), ("prompt", "<u4"), ("a", "<u2"), ("b", "<u2")])
MODELS = tuple(f"model-{number:02}" for number in range(8))
SHARED = 1 << 31
FITS = {
    "half ties": lambda counts, clusters: ratings.bradley_terry(counts, prior=0.25, clusters=clusters),
    "davidson": lambda counts, clusters: ratings.davidson(counts, prior=0.25, clusters=clusters),
}
needs_loops = pytest.mark.skipif(not hasattr(compiled.LOOPS, "packed"), reason="ratings has no loop in C for this")


def drawn(votes=6000, voters=600, prompts=25, seed=5):
    """Records of votes, in order of the voters' codes; the ids of models are not in the order of their names."""
    rng = np.random.default_rng(seed)
    records = np.zeros(votes, dtype=RECORD)
    records["vote"] = np.arange(votes)
    records["voter"] = np.sort(rng.integers(0, voters, votes)) * 7 << 2 | rng.integers(0, 4, votes)
    prompt = rng.integers(0, prompts, votes)
    records["prompt"] = np.where(rng.random(votes) < 0.3, prompt + SHARED, 1000 + np.arange(votes))
    records["a"] = rng.integers(0, len(MODELS), votes)
    records["b"] = (records["a"] + rng.integers(1, len(MODELS), votes)) % len(MODELS)
    records["a"] = len(MODELS) - records["a"]
    records["b"] = len(MODELS) - records["b"]
    return records


PLACES = np.array([-1, *reversed(range(len(MODELS)))], dtype=np.int32)
WAYS = {
    "people": {"voters": "first", "prompts": "shared second"},
    "judges": {"prompts": "second", "judges": "first"},
    "all": {"voters": "first", "prompts": "second"},
    "prompts that others have": {"prompts": "shared second"},
}


def columns_of(records, ways, unknown):
    voter = (records["voter"] >> 2).astype(np.int32)
    voter[voter == unknown] = ratings.ALONE
    second = (records["prompt"] & np.uint32(SHARED - 1)).astype(np.int32)
    codes = {
        "first": voter,
        "second": second,
        "shared second": np.where(records["prompt"] >= SHARED, second, ratings.ALONE),
    }
    return ratings.ClusteredVotes(
        MODELS,
        PLACES[records["a"]],
        PLACES[records["b"]],
        (records["voter"] & 3).astype(np.uint8),
        {name: codes[code] for name, code in ways.items()},
    )


def streamed(records, ways, unknown=-1, rows=700, *, are_packed=True):
    parts = [records[start : start + rows] for start in range(0, len(records), rows)]

    def packed():
        for part in parts:
            columns = columns_of(part, ways, unknown)
            yield ratings.PackedVotes(
                part.tobytes(), MODELS, PLACES, ways, unknown, lambda columns=columns: columns
            )

    def columns():
        return (columns_of(part, ways, unknown) for part in parts)

    return ratings.StreamedVotes(MODELS, len(records), columns, packed=packed if are_packed else None)


@needs_loops
@pytest.mark.parametrize("fit", FITS)
@pytest.mark.parametrize("ways", WAYS)
@pytest.mark.parametrize("voters", [20, 600])
@pytest.mark.parametrize("unknown", [-1, 0])
def test_packed_votes_give_what_their_columns_give(monkeypatch, fit, ways, voters, unknown):
    monkeypatch.setattr(score_sums, "MOST_GROUPS", 64)
    records = drawn(voters=voters)
    counts = columns_of(records, WAYS[ways], unknown).counts()
    added, add_packed = [], packed_scores.VoteScores.add_packed

    def noted(*given):
        added.append(add_packed(*given))
        return added[-1]

    monkeypatch.setattr(packed_scores.VoteScores, "add_packed", noted)
    packed, parted = (
        FITS[fit](counts, streamed(records, WAYS[ways], unknown, are_packed=are_packed))
        for are_packed in (True, False)
    )
    only_numpy = ways == "prompts that others have"  # most are alone in the only way
    assert any(number is not None for number in added) != only_numpy
    assert (None in added) == (only_numpy or unknown == 0)
    assert packed.parameters["clusters"] == parted.parameters["clusters"]
    np.testing.assert_allclose(packed.covariance, parted.covariance, rtol=1e-9, atol=1e-7)
    np.testing.assert_allclose(packed.degrees, parted.degrees)
    np.testing.assert_allclose(packed.design_effect, parted.design_effect)


def test_packed_votes_need_no_loop(monkeypatch):
    records = drawn()
    with_loop, counts = streamed(records, WAYS["people"]), columns_of(records, WAYS["people"], -1).counts()
    fit = FITS["half ties"](counts, with_loop)
    monkeypatch.setattr(compiled, "LOOPS", None)
    np.testing.assert_allclose(
        FITS["half ties"](counts, with_loop).covariance, fit.covariance, rtol=1e-9, atol=1e-7
    )


@needs_loops
def test_packed_votes_follow_the_order_of_other_models():
    records = drawn()
    votes, counts = streamed(records, WAYS["people"]), columns_of(records, WAYS["people"], -1).counts()
    fit = FITS["half ties"](counts, votes)
    others = (*reversed(MODELS), "one more")
    (part, *_), (same, *_) = votes.over(others).packed(), votes.over(others).parts()
    np.testing.assert_array_equal(part.places[records["a"][: len(part)]], same.model_a)
    np.testing.assert_array_equal(part.columns().model_b, same.model_b)
    moved = FITS["half ties"](ratings.PairCounts(others, *moved_counts(counts, others)), votes).of(MODELS)
    np.testing.assert_allclose(moved.covariance, fit.covariance, rtol=1e-9, atol=1e-7)


def moved_counts(counts, others):
    place = np.array([others.index(model) for model in counts.models])
    return place[counts.model_a], place[counts.model_b], counts.wins, counts.losses, counts.ties, counts.both_bad


@needs_loops
def test_packed_votes_on_a_model_that_is_not_there_are_refused():
    records = drawn()
    votes = streamed(records, WAYS["people"])
    few = columns_of(records, WAYS["people"], -1).counts()
    counts = ratings.count_pairs(["model-00"], ["model-01"], ["model_a"])
    assert set(counts.models) < set(few.models)
    with pytest.raises(ratings.UnknownModel):
        FITS["half ties"](counts, votes)


@needs_loops
def test_the_loop_refuses_tables_of_other_sizes():
    records, places = drawn(votes=10).tobytes(), PLACES
    present, sums, met = np.zeros(64, dtype=np.bool_), np.zeros((4, 8)), np.zeros((4, 8))
    way, strengths = (0, False, 4, 0, present, None, sums, met), np.ones(8)
    given = records, places, 8, -1, strengths, (way,), None
    assert compiled.LOOPS.packed(*given) == ((10, 0), (0, 0))
    assert met.sum() == 20
    wrong = [
        (records[:-1], *given[1:]),
        (*given[:4], np.ones(9), *given[5:]),
        (*given[:2], 9, *given[3:]),
        (*given[:5], (way, way), None),
        (*given[:5], (way, way), np.zeros(7)),
        (*given[:5], (way,), np.zeros(8)),
        (*given[:5], (), None),
        (*given[:5], ((*way[:4], np.zeros(63, dtype=np.bool_), *way[5:]),), None),
        (*given[:5], ((*way[:5], np.zeros(4, dtype=np.int32), *way[6:]),), None),
        (*given[:5], ((*way[:6], np.zeros((3, 8)), met),), None),
        (*given[:5], ((*way[:7], np.zeros((4, 7))),), None),
        (*given[:5], ((0, False, 0, *way[3:]),), None),
    ]
    for arguments in wrong:
        with pytest.raises(ValueError, match="right size"):
            compiled.LOOPS.packed(*arguments)
    assert met.sum() == 20
    assert compiled.LOOPS.packed(records, places[:1], *given[2:]) is None  # models that are not there
    with pytest.raises(TypeError):
        compiled.LOOPS.packed(records, places.astype(np.int64), *given[2:])
