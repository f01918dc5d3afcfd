"""Passes take every row once, keep to their size, and run few tokens."""

import numpy as np
import pytest

pytest.importorskip("torch")

from interp.whitebox.packing import PASS, passes
from interp.whitebox.pass_size import PassSize

pytestmark = pytest.mark.slow  # torch alone takes seconds to import


def run_by(rows, shared, lengths):
    return len(rows) * int(lengths[rows].max() - shared[rows].min())


def cost(found, shared, lengths, least=0):
    return sum(max(least, run_by(rows, shared, lengths)) + PASS for rows in found)


def greedy(shared, lengths, most):
    """Passes by falling prefix, each filled as far as it goes."""
    found = [[]]
    for row in np.argsort(-shared, kind="stable").tolist():
        if found[-1] and run_by([*found[-1], row], shared, lengths) > most:
            found.append([])
        found[-1].append(row)
    return found


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("most", "least"), [(1, 0), (512, 0), (8192, 0), (8192, 3000)])
def test_every_row_is_in_one_pass_that_fits(seed, most, least):
    draw = np.random.default_rng(seed)
    lengths = draw.integers(2, 400, 90)
    shared = np.minimum(draw.integers(0, 400, 90), lengths - 1)
    found = passes(shared, lengths, PassSize(most, least))
    assert sorted(np.concatenate(found).tolist()) == list(range(90))
    assert all(len(rows) == 1 or run_by(rows, shared, lengths) <= most for rows in found)
    assert cost(found, shared, lengths, least) <= cost(greedy(shared, lengths, most), shared, lengths, least)


def test_rows_of_like_length_go_together():
    lengths, shared = np.array([400, 30, 390, 20] * 8), np.full(32, 10)
    found = passes(shared, lengths, PassSize(8192))
    assert cost(found, shared, lengths) < 0.6 * cost(greedy(shared, lengths, 8192), shared, lengths)


def test_a_pass_that_costs_no_less_takes_more_rows():
    lengths, shared = np.array([10, 50, 90]), np.zeros(3, dtype=np.int64)
    assert len(passes(shared, lengths, PassSize(8192))) == 3
    assert len(passes(shared, lengths, PassSize(8192, 3000))) == 1


def test_one_row():
    assert [rows.tolist() for rows in passes(np.array([3]), np.array([9]), PassSize(1))] == [[0]]
