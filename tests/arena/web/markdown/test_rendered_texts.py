"""Texts as HTML: large tables cost what their text costs, and each text is rendered once."""

from __future__ import annotations

import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from lxml.html import document_fromstring
from markdown_it import MarkdownIt

from arena.web.markdown import RenderedTexts, markdown, prompt_markdown
from tests.support.timing import cpu_seconds

ORDINARY = MarkdownIt("commonmark", {"html": False}).enable("table").disable("image")


def padded(columns: int, rows: int) -> str:
    """A table whose rows have one bar each."""
    return "|" + "a|" * columns + "\n|" + "-|" * columns + "\n" + "|\n" * rows


def cells(html: str) -> list[list[str]]:
    rows = document_fromstring(f"<div>{html}</div>").iter("tr")
    return [[cell.text_content() for cell in row] for row in rows]


@pytest.mark.parametrize("table", [padded(3000, 3900)[:20_000], (padded(100, 10) + "\n") * 38])
def test_the_html_of_a_table_is_no_longer_than_its_text_allows(table):
    assert len(markdown(table)) < 120_000  # 680,000 and 430,000 with every cell
    assert cpu_seconds(lambda: markdown(table), 1) < 1


@pytest.mark.slow
@pytest.mark.parametrize(
    "text",
    [
        "| a | b |\n| - | :-: |\n| 1 | 2 |\n| 3 |\n\nafter",
        "a|b\n-|-\n" + "1|2\n" * 3000,
        "one|\n-|\n" + "x\n" * 3000,
        "> | a | b |\n> | - | - |\n> | 1 | 2 |\n>\n> after\n",
        "- | a | b |\n  | - | - |\n  | 1 |\n",
        "|" + "a|" * 300 + "\n|" + "-|" * 300 + "\n|" + "b|" * 300 + "\n",
        padded(20, 90),
        "no table | here\n\n`x|y`",
    ],
)
def test_tables_have_the_cells_that_markdown_gives_them(text):
    assert cells(markdown(text)) == cells(ORDINARY.render(text))


def test_a_text_is_rendered_once_also_for_threads_that_ask_at_once():
    rendered = []

    def render(text: str) -> str:
        rendered.append(text)
        time.sleep(0.02)
        return text.upper()

    texts, ready = RenderedTexts(render), threading.Barrier(4)

    def ask(_: int) -> str:
        ready.wait()
        return texts.html("one")

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, range(4))) == ["ONE"] * 4
    assert rendered == ["one"]


def test_the_texts_kept_are_bounded_and_the_last_read_stay():
    rendered = []
    texts = RenderedTexts(lambda text: rendered.append(text) or text * 2, size=60)
    for text in ("a" * 10, "b" * 10, "a" * 10, "c" * 10, "a" * 10, "b" * 10):
        texts.html(text)
    assert [text[0] for text in rendered] == ["a", "b", "c", "b"]
    assert texts.characters == 60
    texts.html("d" * 100)
    assert texts.characters == 0


def test_a_prompt_keeps_the_lines_that_were_typed_and_a_completion_is_markdown():
    assert prompt_markdown("one\ntwo") == '<p dir="auto">one<br />\ntwo</p>\n'
    assert markdown("one\ntwo") == '<p dir="auto">one\ntwo</p>\n'
