r"""Mathematics in Markdown: `$…$` and `\(…\)` in a line, `$$…$$`, `\[…\]` and `\begin{align}…` as displays.

A dollar is an amount of money more often than a formula. `$…$` is a formula if

* no letter or digit stands directly before it, and no digit directly behind it;
* no white space stands inside directly beside the dollars, and no line ends between them;
* what stands between is not prose: two words in a row, or an amount followed by a word.
"""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.rules_block import StateBlock
from markdown_it.rules_inline import StateInline
from markdown_it.token import Token
from markdown_it.utils import EnvType

from arena.web.markdown.formulas import MAX_FORMULA, formula, source
from arena.web.markdown.rules import render_by

MAX_FORMULAS = 1_000  # of a text; the others are shown as they were written
# The beginning of a display at the start of a line. It ends at its closing mark, which may be lines below.
OPENING = re.compile(
    r"\$\$|\\\[|\\begin\{((?:equation|align|aligned|alignat|gather|gathered|multline|eqnarray|split|cases"
    r"|[pbvBV]?matrix|array)\*?)\}"
)
CLOSINGS = {"$$": "$$", "\\[": "\\]"}
COMMAND = re.compile(r"\\[A-Za-z]+\s?(?:\{[^{}]*\})?")
PROSE = re.compile(r"[A-Za-z]{2,} +[A-Za-z]{2,}")
AMOUNT = re.compile(r"[\d.,]*\d(?![\d.,])")
WORD = re.compile(r"[A-Za-z]{3,}")


def add_mathematics(parser: MarkdownIt) -> None:
    interrupted = ["paragraph", "reference", "blockquote", "list"]
    parser.block.ruler.before("fence", "display", _display, {"alt": interrupted})
    parser.inline.ruler.before("escape", "formula", _inline)
    for name in ("display", "formula"):
        render_by(parser, name, _html)


def _display(state: StateBlock, start: int, end: int, silent: bool) -> bool:
    """The rule for a display: its closing mark ends a line."""
    begin, line_end = state.bMarks[start] + state.tShift[start], state.eMarks[start]
    if state.is_code_block(start) or not (opening := OPENING.match(state.src, begin, line_end)):
        return False
    closing = CLOSINGS.get(opening[0]) or f"\\end{{{opening[1]}}}"
    close = state.src.find(closing, opening.end(), opening.end() + MAX_FORMULA)
    last = state.eMarks[end - 1]
    if close < 0 or close > last or state.src[close + len(closing) : _line_end(state.src, close)].strip():
        return False
    if silent:
        return True
    line = start
    while state.eMarks[line] < close:
        line += 1
    state.line = line + 1
    content = state.getLines(start, line + 1, state.blkIndent, False).strip()
    token = state.push("display", "math", 0)
    token.block, token.map, token.markup = True, [start, state.line], opening[0]
    token.content = content[len(opening[0]) : -len(closing)] if opening[0] in CLOSINGS else content
    return True


def _line_end(text: str, position: int) -> int:
    end = text.find("\n", position)
    return len(text) if end < 0 else end


def _inline(state: StateInline, silent: bool) -> bool:
    """The rule for formulas inside a paragraph."""
    text, start = state.src, state.pos
    if text[start] == "$":
        found = _double(text, start) if text.startswith("$$", start) else _single(text, start)
    else:
        found = _bracketed(text, start)
    if found is None or found[1] > state.posMax:
        return False
    content, state.pos, markup = found
    if not silent:
        token = state.push("formula", "math", 0)
        token.content, token.markup = content, markup
    return True


Found = tuple[str, int, str]  # the formula, where the text goes on, the opening mark


def _double(text: str, start: int) -> Found | None:
    close = text.find("$$", start + 2, start + 2 + MAX_FORMULA)
    content = text[start + 2 : close]
    return (content, close + 2, "$$") if close > 0 and content.strip() else None


def _bracketed(text: str, start: int) -> Found | None:
    opening = text[start : start + 2]
    if opening not in ("\\(", "\\["):
        return None
    close = text.find("\\)" if opening == "\\(" else "\\]", start + 2, start + 2 + MAX_FORMULA)
    content = text[start + 2 : close]
    return (content, close + 2, opening) if close > 0 and content.strip() else None


def _single(text: str, start: int) -> Found | None:
    if start and text[start - 1].isascii() and text[start - 1].isalnum():
        return None
    close = text.find("$", start + 1, start + 1 + MAX_FORMULA)
    while close > 0 and text[close - 1] == "\\":
        close = text.find("$", close + 1, start + 1 + MAX_FORMULA)
    content = text[start + 1 : close] if close > 0 else ""
    if not content or content[0].isspace() or content[-1].isspace() or "\n" in content:
        return None
    after = text[close + 1 : close + 2]
    return None if after.isdigit() or is_prose(content) else (content, close + 1, "$")


def is_prose(content: str) -> bool:
    r"""Whether the text between two dollars is prose, which stands between two amounts.

    >>> is_prose("5 per month, or US"), is_prose("a_1 = 2"), is_prose("5\\text{ apples and pears}")
    (True, False, False)
    """
    words = COMMAND.sub(" ", content)
    if content[-1] in "([" or content[0] in ")]," or PROSE.search(words):
        return True
    return bool(AMOUNT.match(content) and WORD.search(words))


def _html(token: Token, env: EnvType) -> str:
    display = token.markup not in ("$", "\\(")
    env["formulas"] = env.get("formulas", 0) + 1
    known = env["formulas"] <= MAX_FORMULAS
    content = token.content.strip()
    html = formula(content, display) if known else None
    if html is None:
        closing = CLOSINGS.get(token.markup) or {"$": "$", "\\(": "\\)"}.get(token.markup, "")
        opening = token.markup if closing else ""
        html = source(f"{opening}{token.content}{closing}", display)
    return f"{html}\n" if token.type == "display" else html


def opens_display(content: str) -> bool:
    """Whether a line of a paragraph may become a display when its closing mark is written."""
    return any(OPENING.match(line.lstrip()) for line in content.split("\n"))
