"""The Markdown of prompts and completions: CommonMark, tables, strikethrough, task lists, mathematics, no HTML."""

from __future__ import annotations

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

from arena.web.markdown.code_blocks import add_code_blocks
from arena.web.markdown.links import add_links
from arena.web.markdown.mathematics import add_mathematics
from arena.web.markdown.tables import add_tables

HIGHEST = 3  # the level of a text's highest heading: those of the page are above
# The outermost element of each block finds its own direction. Blocks in it follow, by `unicode-bidi: plaintext`.
WITH_DIRECTION = (
    "paragraph_open", "heading_open", "bullet_list_open", "ordered_list_open", "blockquote_open"
)  # fmt: skip
TASKS = {"[ ] ": "", "[x] ": " checked", "[X] ": " checked"}


def parser(typed: bool = False) -> MarkdownIt:
    """A parser whose `render` returns HTML that runs nothing and fetches nothing.

    In a text that a person has `typed`, each line feed is a new line.
    """
    options = {"html": False, "breaks": typed}
    one = MarkdownIt("commonmark", options).enable(["table", "strikethrough"])
    add_tables(one)
    add_mathematics(one)
    add_code_blocks(one)
    add_links(one)
    one.core.ruler.push("headings", _headings)
    one.core.ruler.push("directions", _directions)
    one.core.ruler.push("tasks", _tasks)
    return one


def _headings(state: StateCore) -> None:
    """Lower the headings below those of the page, without a gap between two levels."""
    levels: list[int] = state.env.setdefault("heading_levels", [])
    for token in state.tokens:
        if token.type == "heading_open":
            level = int(token.tag[1])
            while levels and levels[-1] >= level:
                levels.pop()
            levels.append(level)
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(6, HIGHEST - 1 + len(levels))}"


def _directions(state: StateCore) -> None:
    for token in state.tokens:
        if token.level == 0 and token.type in WITH_DIRECTION:
            token.attrs["dir"] = "auto"


def _tasks(state: StateCore) -> None:
    """`- [ ] text` and `- [x] text` as list items with a box that cannot be changed."""
    tokens = state.tokens
    for item, paragraph, inline in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if item.type == "list_item_open" and paragraph.type == "paragraph_open" and inline.content[:4] in TASKS:
            _add_box(item, inline)


def _add_box(item: Token, inline: Token) -> None:
    children = inline.children or []
    if not children or children[0].type != "text" or not children[0].content.startswith(inline.content[:3]):
        return
    item.attrs["class"] = "task"
    children[0].content = children[0].content[3:]
    box = f'<label><input type="checkbox" disabled{TASKS[inline.content[:4]]}>'
    inline.children = [_html(box), *children, _html("</label>")]


def _html(content: str) -> Token:
    return Token("html_inline", "", 0, content=content)
