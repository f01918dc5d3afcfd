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
