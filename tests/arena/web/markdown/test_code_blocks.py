"""Code: languages, limits, and lexers whose time is bounded on hostile text."""

from __future__ import annotations

import os
from functools import partial

import pytest
from lxml.html import document_fromstring

from arena.web.markdown import markdown
from arena.web.markdown.code_blocks import (
    MAX_DIAGRAM,
    MAX_HIGHLIGHTED,
    MAX_HIGHLIGHTED_TEXT,
    MAX_LINE,
    highlighted,
)
from arena.web.markdown.code_languages import LANGUAGES
from tests.arena.rules.test_linear_time import TEXTS, text
from tests.support.timing import cpu_seconds


def fence(code: str, info: str = "python") -> str:
    return f"~~~{info}\n{code}\n~~~\n"


def test_code_has_classes_its_language_and_can_be_scrolled_by_keyboard():
    html = markdown(fence("def f(): return 1"))
    assert '<span class="k">def </span>' in html
    assert '<span class="code-language">Python</span>' in html
    assert '<pre tabindex="0" role="group" aria-label="Python" dir="ltr">' in html
    assert "style=" not in html


@pytest.mark.parametrize("info", ["", "nonsense", "{.x}", "<b>", 'x" id="y', "text"])
def test_unknown_languages_are_plain(info):
    html = markdown(fence("def f(): return '<b>'", info))
    assert "def f(): return '&lt;b&gt;'" in html
    assert " id=" not in html


@pytest.mark.parametrize("code", ["  a\n\n b\t<&>\"'\n\n", "\n\nx", "# é\n\u2028\n", "if (a < b && c) {}"])
@pytest.mark.parametrize("language", ["python", "html", "diff", "js", "bash", "sql", "latex", "xml", "php", "c++"])
def test_highlighting_changes_no_character(code, language):
    root = document_fromstring(f"<body><div>{markdown(fence(code, language))}</div></body>")
    assert next(root.iter("code")).text_content() == code + "\n"


@pytest.mark.parametrize(
    "code", ["x = 1\n" * (MAX_HIGHLIGHTED // 6 + 1), "x = 1" * (MAX_LINE // 5 + 1)], ids=["long", "a long line"]
)
def test_long_code_is_plain(code):
    assert '<span class="m"' not in markdown(fence(code))


def test_all_blocks_of_a_text_have_one_limit():
    block = fence("x = 1\n" * (MAX_HIGHLIGHTED // 6))
    html = markdown(block * 4)
    assert html.count('class="m"') <= MAX_HIGHLIGHTED_TEXT // 6


@pytest.mark.parametrize("info", ["mermaid", "Mermaid", " mermaid x=1"])
def test_a_diagram_is_marked_for_the_script_that_draws_it(info):
    html = markdown(fence("graph TD; A-->B<b>", info))
    assert '<pre class="mermaid" tabindex="0"' in html
    assert "A--&gt;B&lt;b&gt;" in html


def test_a_long_diagram_is_not_drawn():
    assert 'class="mermaid"' not in markdown(fence("A" * (MAX_DIAGRAM + 1), "mermaid"))


LEXERS = sorted({lexer for lexer, _ in LANGUAGES.values()})
REACH_THE_LIMIT = {"csharp", "groovy", "java", "make"}  # lexers that `MAX_SECONDS` cuts off on some of the texts
ALL = "ARENA_CI_ALL_TEXTS"  # with this variable each lexer gets all texts, in about four minutes of processor time


def hostile_texts(lexer: str) -> list[tuple[str, str, str]]:
    """Each tenth text, from another one on for each lexer, and each third one for lexers that are known to be slow."""
    share = 1 if os.environ.get(ALL) else 3 if lexer in REACH_THE_LIMIT else 10
    return TEXTS[LEXERS.index(lexer) % share :: share]


@pytest.mark.slow
@pytest.mark.parametrize("lexer", LEXERS)
def test_a_lexer_takes_bounded_time_on_hostile_text(lexer):
    """Lines of the longest length that is highlighted, and many short ones."""
    highlighted("x", lexer)  # loads it
    slow = []
    for parts in hostile_texts(lexer):
        for size, times in ((MAX_LINE - 1, MAX_HIGHLIGHTED // MAX_LINE), (20, MAX_HIGHLIGHTED // 20)):
            given = "\n".join([text(*parts, size)] * times)[:MAX_HIGHLIGHTED]
            if (spent := cpu_seconds(partial(highlighted.__wrapped__, given, lexer), 0.5)) > 0.5:
                slow.append((parts, size, spent))
    assert not slow


def test_each_text_is_tried_with_several_lexers():
    tried = [parts for lexer in LEXERS for parts in hostile_texts(lexer)]
    assert min(map(tried.count, TEXTS)) >= 5


@pytest.mark.parametrize("lexer", LEXERS)
def test_a_lexer_exists(lexer):
    assert highlighted("x", lexer)
