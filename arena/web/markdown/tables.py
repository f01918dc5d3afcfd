"""Tables: rows may be shorter than the table is wide, up to a limit, and wide tables scroll inside their text."""

from __future__ import annotations

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_block.table import table
from markdown_it.rules_core import StateCore

from arena.web.markdown.rules import render_by

# Cells of a text that its rows lack, which are rendered as empty ones: a line of one character takes as many cells as
# the table has columns, so that 20,000 characters became 65,000 cells.
MAX_ADDED_CELLS = 2_000
# Keyboards scroll what has the focus; what has the focus needs a role and a name.
OPEN = '<div class="table-scroll" tabindex="0" role="group" aria-label="Table">\n<table dir="auto">\n'
CLOSE = "</table>\n</div>\n"


def add_tables(parser: MarkdownIt) -> None:
    parser.block.ruler.at("table", _table, {"alt": ["paragraph", "reference"]})
    parser.core.ruler.push("cell_classes", _align_by_class)
    render_by(parser, "table_open", lambda *_: OPEN)
    render_by(parser, "table_close", lambda *_: CLOSE)


def _table(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """The rule for tables, without those that would add more than `MAX_ADDED_CELLS` to the text."""
    if not table(state, start, end, True):
        return False
    added = state.env.get("added_cells", 0) + _added_cells(state, start, end)
    if added > MAX_ADDED_CELLS:
        return False
    if silent:
        return True
    state.env["added_cells"] = added
    return bool(table(state, start, end, False))


def _added_cells(state: StateBlock, start: int, end: int) -> int:
    """The number of cells that the rows of a table lack, or more: all lines up to the next empty one are rows here."""
    if start + 2 >= end:
        return 0
    dashes = state.src[state.bMarks[start + 1] : state.eMarks[start + 1]].strip()
    blank = state.src.find("\n\n", first := state.bMarks[start + 2])
    body = state.src[first : blank if blank >= 0 else None].rstrip()
    rows = body.count("\n") + 1 if body else 0
    columns = dashes.strip("|").count("|") + 1
    return max(0, min(rows * dashes.count("|") - body.count("|"), rows * (columns - 1)))


def _align_by_class(state: StateCore) -> None:
    """Give aligned cells a class: a strict content security policy refuses style attributes."""
    for token in state.tokens:
        if token.type in ("th_open", "td_open") and (style := token.attrs.pop("style", None)):
            token.attrs["class"] = str(style).removeprefix("text-align:")
