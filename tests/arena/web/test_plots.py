"""Plots are pure functions: what they work out is tested without drawing."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from arena.benchmarking.rank_correlation import correlation
from arena.web.plots import (
    benchmark_rating_scatter,
    price_rating_pareto,
    radar_chart,
    rating_history,
    rating_intervals,
    rating_scatter,
)
from arena.web.plots.expected_battle_heat_map import expected_battles
from arena.web.plots.figure_style import SERIES, apart, short
from tests.arena.web.test_tokens import contrast


def test_even_play_is_expected_where_it_is_measured():
    met = np.full((4, 4), 6.0) - 6 * np.eye(4)
    np.testing.assert_allclose(expected_battles(met), met, atol=1e-6)


def test_expected_counts_keep_every_model_s_battles():
    met = np.array([[0, 9, 1, 4], [9, 0, 3, 5], [1, 3, 0, 7], [4, 5, 7, 0]], dtype=float)
    table = expected_battles(met)
    np.testing.assert_allclose(table.sum(axis=1), met.sum(axis=1), rtol=1e-6)
    np.testing.assert_allclose(table, table.T)
    assert not np.diag(table).any()


def test_the_frontier_holds_whom_nobody_beats_for_less():
    rows = [
        {"model": "cheap", "rating": 900, "price": 0.1, "latency": None},
        {"model": "worse", "rating": 880, "price": 0.5, "latency": 1.0},
        {"model": "good", "rating": 1100, "price": 1.0, "latency": 2.0},
        {"model": "dear", "rating": 1100, "price": 9.0, "latency": 2.0},
        {"model": "free", "rating": 700, "price": 0.0, "latency": 0.2},
    ]
    assert [row["model"] for row in price_rating_pareto.frontier(rows)] == ["free", "cheap", "good"]
    assert len(price_rating_pareto.figure(rows).data[1].x) == 5


def test_columns_of_a_benchmark_have_one_length():
    with pytest.raises(ValueError, match="2 models, 1 scores and 2 ratings"):
        benchmark_rating_scatter.figure(["a", "b"], [1.0], [1.0, 2.0])
    names = list("abcd")
    rho = correlation([1.0, 2.0, 4.0, 3.0], [900, 950, 1100, 1000])
    figure = benchmark_rating_scatter.figure(names, [1.0, 2.0, 4.0, 3.0], [900, 950, 1100, 1000], "MMLU", rho)
    assert "rank correlation 1.00 (-0." in figure.layout.annotations[0].text


def test_an_unknown_interval_is_drawn_as_a_dot():
    rows = [{"model": "a", "rating": 1000.0, "lower": None, "upper": None}]
    assert rating_intervals.figure(rows).data[0].error_x.array == (0.0,)


def test_every_series_has_its_own_symbol_as_well_as_colour():
    rows = [
        {"model": f"m{n}", "date": f"2026-01-0{d}", "rating": 1000 + n, "lower": 990, "upper": 1010}
        for n in range(6)
        for d in (1, 2)
    ]
    lines = [trace for trace in rating_history.figure(rows).data if trace.mode == "lines+markers"]
    assert len({trace.marker.symbol for trace in lines}) == len({trace.line.color for trace in lines}) == 6


def test_outlines_are_closed():
    rows = [{"model": "a", "category": c, "rating": 1000 + n} for n, c in enumerate(["code", "math", "long"])]
    trace = radar_chart.figure(rows).data[0]
    assert trace.r[0] == trace.r[-1]
    assert len(trace.r) == 4


def test_agreement_says_the_correlation():
    rows = [
        {"model": str(n), "people": n, "people_lower": n - 1, "people_upper": n + 1,
         "judges": 2 * n, "judges_lower": n, "judges_upper": 3 * n}
        for n in range(1, 5)
    ]  # fmt: skip
    assert "correlation 1.00 over 4 models" in rating_scatter.figure(rows).layout.annotations[0].text


def test_long_names_are_cut_where_versions_differ_least():
    assert short("a-short-name") == "a-short-name"
    cut = short("an-extremely-long-name-of-a-model-70b-instruct")
    assert len(cut) == 22
    assert cut.startswith("an-extremely")
    assert cut.endswith("struct")


def test_names_stand_at_the_ends_of_their_lines_and_cover_each_other_nowhere():
    rows = [
        {"model": f"m{n}", "date": f"2026-01-0{d}", "rating": 1000 + n / 10, "lower": 990, "upper": 1010}
        for n in range(6)
        for d in (1, 2)
    ]
    figure = rating_history.figure(rows)
    assert [name.text.rsplit(" ", 1)[1] for name in figure.layout.annotations] == [f"m{n}" for n in range(6)]
    places = sorted(name.y for name in figure.layout.annotations)
    assert min(high - low for low, high in pairwise(places)) > 2
    assert figure.layout.showlegend is False


def test_moved_names_stay_on_the_axis():
    assert apart([1.0, 0.5, 0.0], 2.0, (0.0, 10.0)) == [4.0, 2.0, 0.0]


@pytest.mark.parametrize("surface", ["#ffffff", "#1c2122"])
def test_the_colours_of_data_are_visible_on_the_surfaces_of_both_themes(surface):
    assert min(contrast(colour, surface) for colour in SERIES) >= 3
