"""No text that a command prints is an instruction to the terminal."""

from __future__ import annotations

import io

import pytest
from rich.table import Table
from rich.text import Text

from arena.cli.progress import print_failures
from arena.cli.terminal import Console
from arena.endpoints import EndpointError, Failure

ESCAPES = "\x1b]0;owned\x07\x1b[2J\x9b31mred\u202e[bold]"


def table(text: str) -> Table:
    made = Table("model", "what it says")
    made.add_row("m", Text(text))
    return made


@pytest.mark.parametrize("made", [Text, table], ids=["text", "table"])
def test_a_printed_text_only_prints(made):
    out = io.StringIO()
    Console(file=out, width=100).print(made(ESCAPES))
    assert all(letter.isprintable() or letter == "\n" for letter in out.getvalue())
    assert "red[bold]" in out.getvalue()


def test_styles_of_the_command_itself_stay():
    out = io.StringIO()
    Console(file=out, force_terminal=True, color_system="standard").print(Text("yes", "red").append("\x1b[2J"))
    assert "\x1b[31m" in out.getvalue()
    assert "\x1b[2J" not in out.getvalue()


def test_the_example_of_a_failure_only_prints():
    out = io.StringIO()
    error = EndpointError(Failure.BROKEN, f"the server said {ESCAPES}")
    assert all(letter.isprintable() for letter in error.detail)
    print_failures({"transport": 1}, {"transport": f"a judge said {ESCAPES}"}, Console(file=out))
    assert all(letter.isprintable() or letter == "\n" for letter in out.getvalue())
