"""Where a growing text may be cut: before its last block, or behind it where nothing can change it."""

from __future__ import annotations

import re
from itertools import accumulate
from typing import Any

from markdown_it.token import Token

from arena.web.markdown.formulas import MAX_FORMULA
from arena.web.markdown.mathematics import opens_display
from arena.web.markdown.parser import parser

HTML = parser()
CLOSED = ("heading_open", "hr", "display")  # blocks that end with their last line
FENCE = re.compile(r" {0,3}(`{3,}|~{3,})[ \t]*")


def finished_length(text: str, env: dict[str, Any]) -> int:
    """The number of characters at the beginning of the text whose blocks no further text changes."""
    complete = text[: text.rfind("\n") + 1]
    if not complete.strip():
        return 0
    tokens: list[Token] = []
    HTML.block.parse(complete, HTML, {"references": dict(env.get("references", {}))}, tokens)
    lines = complete.split("\n")
    starts = [0, *accumulate(len(line) + 1 for line in lines)]
    open_line = next(
        (line for line in _opening_lines(tokens) if len(text) - starts[line] <= MAX_FORMULA), len(lines)
    )
    return starts[_cut(tokens, lines, open_line)]


def _opening_lines(tokens: list[Token]) -> list[int]:
    """The lines of paragraphs with the opening mark of a display whose closing mark may still come."""
    return [
        token.map[0] for token in tokens if token.type == "inline" and token.map and opens_display(token.content)
    ]


def _cut(tokens: list[Token], lines: list[str], open_line: int) -> int:
    """The number of finished lines."""
    blocks = [token for token in tokens if token.level == 0 and token.nesting >= 0 and token.map]
    cut = 0
    for block in blocks:
        begin, end = block.map or (0, 0)
        if end > open_line or (block is blocks[-1] and not _is_closed(block, lines)):
            # definitions of links directly above belong to the block
            return cut if begin > cut and lines[begin - 1].strip() else begin
        cut = end
    return cut


def _is_closed(block: Token, lines: list[str]) -> bool:
    if block.type != "fence" or not block.map:
        return block.type in CLOSED
    begin, end = block.map
    last = FENCE.fullmatch(lines[end - 1])
    return end - begin > 1 and last is not None and last[1].startswith(block.markup)
