"""Rows as CSV text."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from arena.rules.csv_table import RFC_4180, cell_text, csv_table


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


DANGEROUS = ("=HYPERLINK(1)", "+1+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", "＝1+1", "'=1", "''-x", "-", "=")


@pytest.mark.parametrize("text", DANGEROUS)
def test_no_text_is_a_formula(text):
    (header,), (cell,) = csv.reader(io.StringIO(csv_table([{text: text}]), newline=""))
    assert header == cell == "'" + text
    assert cell_text(cell) == text


@pytest.mark.parametrize("number", [-3.5, 3, "-3.5", "+1e-5", "-inf", float("nan"), "-.5"])
def test_a_number_stays_a_number(number):
    assert csv_table([{"n": number}]) == f"n\n{number}\n"


@pytest.mark.slow
@given(st.text(alphabet=st.one_of(st.characters(codec="utf-8"), st.sampled_from("'=+-@\t\r\n"))))
def test_reading_a_cell_gives_what_was_written(text):
    (_, (cell, _)) = csv.reader(io.StringIO(csv_table([{"a": text, "b": 1}]), newline=""))
    assert cell_text(cell) == text


def test_a_row_with_an_unknown_column_is_refused():
    with pytest.raises(ValueError, match="lacks: \\['b'\\]"):
        csv_table([{"a": 1, "b": 2}], ["a"])
