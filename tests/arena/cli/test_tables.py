"""Tables of the commands that change a running arena: an empty cell, a yes and a number look alike in each."""

from __future__ import annotations

import doctest

import pytest

from arena.cli import accounts, model_changes, tables, vote_states, votes

ROWS = [
    {"who_is": "ann", "since": None, "open": False, "votes": None},
    {"who_is": "", "since": "now", "open": True, "votes": 1234},
]


def test_the_examples_of_a_cell():
    assert doctest.testmod(tables).failed == 0


@pytest.mark.parametrize("module", [accounts, model_changes, vote_states, votes])
def test_every_command_prints_an_empty_cell_alike(module, capsys):
    module.print_rows(ROWS, "2 rows")
    lines = [line.strip("│┃ ").split() for line in capsys.readouterr().out.splitlines()]
    assert ["ann", "│", "–", "│", "no", "│", "–"] in lines
    assert ["–", "│", "now", "│", "yes", "│", "1,234"] in lines
    module.print_rows([], "0 rows")
    assert "0 rows" in capsys.readouterr().out


SINCE = "2026-11-28T17:00:00+00:00"
WIDE = [
    {"model": "amber-large-instruct", "state": "retired", "since": SINCE, "reason": "Too slow for voters", "by": "ann",
     "weight": 1.0, "votes": 1234, "boost_votes": 100, "private": False, "code": None},
    {"model": "birch", "state": "enabled", "since": None, "reason": "", "by": "", "weight": 2.0, "votes": 0,
     "boost_votes": 100, "private": True, "code": "private:0a1b2c3d"},
]  # fmt: skip


def test_a_table_that_does_not_fit_is_a_list_of_records_with_nothing_cut_off(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "80")
    tables.print_rows(WIDE, "2 models")
    printed = capsys.readouterr().out
    lines = [line.rstrip() for line in printed.splitlines()]
    assert "…" not in printed
    assert max(map(len, lines)) <= 80
    assert lines[:3] == [
        "2 models", "amber-large-instruct", f"  state retired · since {SINCE} · reason Too slow for voters"]  # fmt: skip
    assert lines[-2:] == [
        "  state enabled · weight 2.0 · votes 0 · boost votes 100 · private yes", "  code private:0a1b2c3d"]  # fmt: skip
    assert "votes 1,234" in printed
    tables.print_rows([{"vote": 17, **WIDE[0]}], "1 vote")
    assert "\nvote 17" in capsys.readouterr().out
    monkeypatch.setenv("COLUMNS", "200")
    tables.print_rows(WIDE, "2 models")
    assert "┃ code" in capsys.readouterr().out


def test_a_long_sentence_goes_on_in_the_next_line_of_its_column(monkeypatch, capsys):
    monkeypatch.setenv("COLUMNS", "60")
    sentence = "It answers so slowly that voters leave the page before it has ended."
    tables.print_rows([{"setting": "reason", "before": None, "after": sentence}], "amber has changed")
    printed = capsys.readouterr().out
    cells = [line.split("│")[3].strip() for line in printed.splitlines() if line.count("│") > 2]
    assert " ".join(cells) == sentence
