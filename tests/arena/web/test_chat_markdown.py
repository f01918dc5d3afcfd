import pytest

from arena.web.chat_markdown import as_markdown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("<script>alert(1)</script>", "&lt;script>alert(1)&lt;/script>"),
        ("a < b", "a &lt; b"),
        ("![x](http://127.0.0.1/pixel.png)", "\\![x](http://127.0.0.1/pixel.png)"),
        ("`a<b` and <i>", "`a<b` and &lt;i>"),
        ("```html\n<b>\n```\n<b>", "```html\n<b>\n```\n&lt;b>"),
        ("```\nnot closed <b>", "```\nnot closed <b>"),
        ("**bold** stays", "**bold** stays"),
    ],
)
def test_html_is_shown_and_not_obeyed(text, shown):
    assert as_markdown(text) == shown
