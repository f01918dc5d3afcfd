"""Code: highlighted by class names where the language is known and the text is not too long, and diagrams.

A block is `<div class="code-block">` with the name of its language, a button for copying that a script makes work, and a
`<pre>` that keyboards can scroll. A Mermaid diagram is shown as its source; a script draws it in a frame of its own.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from functools import lru_cache
from html import escape as escape_all

from markdown_it import MarkdownIt
from markdown_it.utils import EnvType
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name
from pygments.token import STANDARD_TYPES
from pygments.token import Token as Kinds

from arena.web.markdown.code_languages import LANGUAGES
from arena.web.markdown.rules import render_by

# Characters beyond which code is shown without colours: lexers take up to a microsecond a character.
MAX_HIGHLIGHTED = 10_000  # of a block
MAX_HIGHLIGHTED_TEXT = 30_000  # of all blocks of a text
MAX_LINE = 1_000  # of a line: patterns of lexers search a line again and again
MAX_SECONDS = 0.2  # of processor time for a block; real code takes a tenth
BLANK = re.compile(r"\s{200}")  # lexers of C and its kin search all of it from each of its characters
MAX_DIAGRAM = 5_000  # characters of a diagram that is drawn
CACHED = 512  # blocks
NAME = re.compile(r"[\w+#.-]{1,24}")
# The kinds of words that have a colour, by the beginning of Pygments' short name of their kind.
COLOURS = {
    "k": "k", "kt": "t", "kc": "m", "nb": "t", "nc": "t", "nf": "f", "fm": "f", "nt": "k", "na": "f", "nd": "f",
    "nn": "t", "s": "s", "dl": "s", "m": "m", "c": "c", "cp": "k", "gi": "gi", "gd": "gd", "gh": "f", "gu": "f",
    "ow": "k", "ge": "ge", "gs": "gs", "nv": "v", "err": "",
}  # fmt: skip


def add_code_blocks(parser: MarkdownIt) -> None:
    render_by(parser, "fence", lambda token, env: block(token.content, language(token.info), env))
    render_by(parser, "code_block", lambda token, env: block(token.content, "", env))
    render_by(parser, "code_inline", lambda token, _: f'<code dir="ltr">{escaped(token.content)}</code>')


def escaped(text: str) -> str:
    """Text between two tags, where quotation marks need no escape."""
    return escape_all(text, quote=False)


def language(info: str) -> str:
    """The first word behind the fence in lower case, or nothing where it is no name.

    >>> language(" Python title=x"), language("{.python}")
    ('python', '')
    """
    words = info.split(maxsplit=1)
    return words[0].lower() if words and NAME.fullmatch(words[0]) else ""


def block(code: str, name: str, env: EnvType) -> str:
    """A block of code in a language as HTML. `env` counts the characters that are highlighted."""
    if name == "mermaid" and len(code) <= MAX_DIAGRAM and code.strip():
        return framed(escaped(code), "Mermaid", "mermaid")
    lexer, label = LANGUAGES.get(name, ("", name))
    used = env.get("highlighted", 0) + len(code)
    if not lexer or len(code) > MAX_HIGHLIGHTED or used > MAX_HIGHLIGHTED_TEXT:
        return framed(escaped(code), label)
    env["highlighted"] = used
    return framed(highlighted(code, lexer), label)


def framed(html: str, label: str, kind: str = "") -> str:
    """The block around code that is HTML already."""
    name = f'<span class="code-language">{escaped(label)}</span>' if label else ""
    classes = f' class="{kind}"' if kind else ""
    return (
        f'<div class="code-block"><div class="code-bar">{name}<button type="button" class="code-copy" hidden></button></div>'
        f'<pre{classes} tabindex="0" role="group" aria-label="{escape_all(label or "Code")}" dir="ltr"><code>{html}'
        "</code></pre></div>\n"
    )


@lru_cache(CACHED)
def highlighted(code: str, lexer: str) -> str:
    """Code as HTML with a class for each word that has a colour, or plain where a line is too long.

    >>> highlighted("x = 1", "python")
    'x = <span class="m">1</span>'
    """
    if max(map(len, code.split("\n"))) > MAX_LINE or BLANK.search(code):
        return escaped(code)
    try:
        return "".join(
            f'<span class="{colour}">{escaped(text)}</span>' if colour else escaped(text)
            for colour, text in _coloured(code, lexer)
        )
    except TimeoutError:
        return escaped(code)


def _coloured(code: str, lexer: str) -> Iterator[tuple[str, str]]:
    """(colour, text), each as long as the colour stays the same. Raises `TimeoutError`."""
    colour, parts = "", list[str]()
    began = time.thread_time()
    for number, (kind, text) in enumerate(_lexer(lexer).get_tokens(code)):
        if number % 16 == 0 and time.thread_time() - began > MAX_SECONDS:
            raise TimeoutError
        this = _colour(kind) if text.strip() else colour
        if this != colour and parts:
            yield colour, "".join(parts)
            parts = []
        colour = this
        parts.append(text)
    yield colour, "".join(parts)


@lru_cache(None)
def _lexer(name: str) -> Lexer:
    return get_lexer_by_name(name, stripnl=False, ensurenl=False)


@lru_cache(None)
def _colour(kind: type[Kinds]) -> str:
    short = ""
    while not short and kind:
        short, kind = STANDARD_TYPES.get(kind, ""), kind.parent
    while short:
        if short in COLOURS:
            return COLOURS[short]
        short = short[:-1]
    return ""
