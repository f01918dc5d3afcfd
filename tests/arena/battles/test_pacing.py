"""Equal pacing: what is released depends on both models in the same way, so it does not tell which is which."""

from __future__ import annotations

import random
from collections.abc import Callable
from itertools import pairwise

import pytest

from arena.battles.pacing import FASTEST, READING, Pacer, Supply

Model = Callable[[int], int]  # from the tick to the characters written by then


def steady(pace: float, first: int = 1, chunk: int = 1) -> Model:
    """Writes `pace` characters a tick from tick `first` on, in pieces of `chunk` characters."""
    return lambda tick: max(0, int((tick - first + 1) * pace)) // chunk * chunk


def frames(lengths: tuple[int, int], models: tuple[Model, Model], ticks: int = 5000) -> list[tuple[int, int]]:
    """The characters shown of both sides at each tick, until the turn is finished."""
    pacer, shown = Pacer(), []
    for tick in range(ticks):
        wholes = [min(length, model(tick)) for length, model in zip(lengths, models, strict=True)]
        pacer.advance([Supply(whole, whole == length) for whole, length in zip(wholes, lengths, strict=True)])
        shown.append(tuple(min(pacer.released, whole) for whole in wholes))
        if pacer.finished:
            return shown
    raise AssertionError(f"not finished: {shown[-1]} of {lengths}")


def random_pair(draw: random.Random) -> tuple[tuple[int, int], tuple[Model, Model]]:
    lengths = draw.randrange(1, 1500), draw.randrange(1, 1500)
    slow, fast = sorted(draw.uniform(4, 200) for _ in range(2))
    models = [steady(pace, draw.randrange(1, 30), draw.choice([1, 2, 4])) for pace in (slow, fast)]
    draw.shuffle(models)
    return lengths, (models[0], models[1])


@pytest.mark.parametrize("seed", range(300))
def test_swapping_the_models_behind_the_texts_changes_no_frame(seed):
    """The law, exactly where no rounding blurs the paces: whole characters a tick, texts of some ticks."""
    draw = random.Random(seed)
    one, other = (draw.randrange(4, 200) for _ in range(2))
    lengths = tuple(draw.randrange(3 * max(one, other), 3000) for _ in range(2))
    models = steady(one, draw.randrange(1, 30)), steady(other, draw.randrange(1, 30))
    assert frames(lengths, models) == frames(lengths, models[::-1])


def test_with_rounding_swapped_models_rarely_change_a_frame():
    pairs = [random_pair(random.Random(seed)) for seed in range(300)]
    assert sum(frames(lengths, models) == frames(lengths, models[::-1]) for lengths, models in pairs) > 280


@pytest.mark.parametrize("seed", range(100))
def test_both_sides_have_the_same_size_until_the_shorter_is_whole(seed):
    lengths, models = random_pair(random.Random(seed))
    shorter = min(lengths)
    for a, b in frames(lengths, models):
        assert a == b or min(a, b) == shorter


@pytest.mark.parametrize("seed", range(100))
def test_releases_have_one_size_and_no_pause(seed):
    lengths, models = random_pair(random.Random(seed))
    sizes = [max(after) - max(before) for before, after in pairwise(frames(lengths, models))]
    first = next(number for number, size in enumerate(sizes) if size)
    body = sizes[first:-1]  # the last one is what is left
    if not body or body == [max(lengths)]:
        return
    assert min(body) > 0
    assert max(abs(after - before) for before, after in pairwise(body)) <= max(1, 0.5 * max(body))


def test_nothing_is_shown_before_both_have_begun():
    shown = frames((500, 500), (steady(50), steady(50, first=40)))
    assert all(frame == (0, 0) for frame in shown[:40])


def test_texts_that_are_whole_at_once_are_shown_at_once():
    assert frames((300, 20), (lambda _tick: 999, lambda _tick: 999)) == [(300, 20)]


def test_an_empty_side_holds_nothing_up():
    assert frames((0, 40), (lambda _tick: 0, lambda _tick: 999))[-1] == (0, 40)


def test_fast_models_are_released_at_one_pace_whichever_they_are():
    sizes = []
    for pace in (60, 500):
        shown = frames((1000, 1000), (steady(pace, chunk=7), steady(300)))
        sizes.append([after[0] - before[0] for before, after in pairwise(shown) if before != after])
    assert sizes[0][:20] == sizes[1][:20] == [FASTEST] * 20


def test_a_release_that_runs_dry_goes_on_slower_and_ends():
    stalls = lambda tick: min(tick * 20, 200) if tick < 100 else 200 + (tick - 100) * 2  # noqa: E731
    shown = frames((400, 400), (stalls, steady(100)))
    assert shown[-1] == (400, 400)
    assert all(a == b for a, b in shown)


def test_the_end_of_a_long_text_is_not_slower_than_people_read():
    shown = frames((20, 2000), (steady(0.5), steady(500)))
    tail = [after[1] - before[1] for before, after in pairwise(shown) if before[0] == 20]
    assert min(tail[1:-1]) >= int(READING)


@pytest.mark.parametrize("seed", range(50))
def test_any_source_is_released_whole(seed):
    """Models that write in bursts, with pauses of any length."""
    draw = random.Random(seed)

    def bursts() -> Model:
        totals = [0]
        for _ in range(4000):
            totals.append(totals[-1] + (draw.randrange(80) if draw.random() < 0.1 else 0))
        return lambda tick: totals[min(tick, 4000)]

    lengths = draw.randrange(1, 2000), draw.randrange(1, 2000)
    shown = frames(lengths, (bursts(), bursts()))
    assert shown[-1] == lengths
    assert all(after[side] >= before[side] for before, after in pairwise(shown) for side in (0, 1))
