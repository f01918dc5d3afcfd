"""Rows as CSV text."""

from __future__ import annotations

import csv
import io

import pytest

from arena.rules.csv_table import RFC_4180, csv_table


def test_a_header_has_every_name_of_the_rows_in_order():
    text = csv_table([{"model": "amber", "votes": 3}, {"model": "birch", "rank": 2}])
    assert text == "model,votes,rank\namber,3,\nbirch,,2\n"


def test_an_empty_table_has_its_header_or_nothing():
    assert csv_table([], ("model", "votes")) == "model,votes\n"
    assert csv_table([]) == ""


@pytest.mark.parametrize("ending", ["\n", RFC_4180])
def test_quotes_commas_and_line_breaks_survive_either_line_ending(ending):
    rows = [{"model": 'a "b", c', "reason": "one\ntwo"}]
    text = csv_table(rows, line_ending=ending)
    assert text.endswith(ending)
    assert list(csv.DictReader(io.StringIO(text, newline=""))) == rows
