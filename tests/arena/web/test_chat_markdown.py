import re
import time

import pytest
from markdown_it import MarkdownIt

from arena.web.chat_markdown import as_markdown
from tests.arena.web.hostile_markdown import TEXTS


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<script>alert(1)</script>", "<·script>alert(1)<·/script>"),
        ("a < b", "a <· b"),
        ("![x](http://127.0.0.1/pixel.png)", "!·[x](http://127.0.0.1/pixel.png)"),
        ("\\![x](http://127.0.0.1/pixel.png)", "\\!·[x](http://127.0.0.1/pixel.png)"),
        ("`a<b` and <i>", "`a<·b` and <·i>"),
        ("\\`<label for=send>\\`", "\\`<·label for=send>\\`"),
        ("~~~~ Mermaid\ngraph TD", "~~~~ M·ermaid\ngraph TD"),
        ("```$$ hide $$\n```", "```$·$ hide $·$\n```"),
        ("%%%LATEX_BLOCK_0%%%", "%%%·LATEX_BLOCK_0%%%"),
        ('\\(a<b"\\) <b> $$x<y$$', "\\(a&lt;b&quot;\\) <·b> $$x&lt;y$$"),
        ('\\( $$a"$$ <\\) " <', '\\( $$a&quot;$$ &lt;\\) " <·'),
        ("costs $$5 < $6", "costs $$5 <· $6"),
        ("**bold** stays", "**bold** stays"),
    ],
)
def test_html_is_shown_and_not_obeyed(text, shown):
    assert as_markdown(text).replace("\u2060", "·") == shown


@pytest.mark.parametrize("text", TEXTS)
def test_no_text_opens_html_or_a_diagram_or_an_image_wherever_it_stands(text):
    shown = as_markdown(text)
    assert not re.search(r"<[^\u2060]|<$|!\[|mermaid", shown, re.IGNORECASE)
    kinds = set()
    for token in MarkdownIt("commonmark").enable("table").parse(shown):
        kinds |= {token.type, *(child.type for child in token.children or ())}
    assert not kinds & {"html_block", "html_inline", "image"}


def test_what_readers_see_is_the_text():
    text = "<b> ![x](y) mermaid %%%LATEX_BLOCK_1%%%"
    assert as_markdown(text).replace("\u2060", "") == text


@pytest.mark.parametrize("unit", ["\\(", "$$", "```$$", "\\(a\\)", "<", "!["])
def test_a_long_text_takes_linear_time(unit):
    start = time.perf_counter()
    as_markdown(unit * 50_000)
    assert time.perf_counter() - start < 2
