"""Markdown as models write it, as HTML: what is shown, what is left out, and what it costs."""

from __future__ import annotations

import pytest
from lxml.html import HtmlElement, document_fromstring

from arena.web.markdown import markdown
from tests.arena.rules.test_linear_time import TEXTS, text
from tests.arena.web.hostile_markdown import TEXTS as HOSTILE
from tests.arena.web.hostile_markdown import forget_rendered
from tests.support.timing import cpu_seconds

TAGS = (
    "html body div p h3 h4 h5 h6 ul ol li blockquote hr br a em strong s code pre span button label input table thead"
    " tbody tr th td math mrow mi mn mo mtext mspace mstyle mfrac msqrt mroot msub msup msubsup munder mover munderover"
    " mtable mtr mtd mpadded mphantom"
)
ATTRIBUTES = (
    "dir class tabindex role aria-label href rel target title start type disabled checked hidden display displaystyle"
    " scriptlevel stretchy fence separator largeop movablelimits accent accentunder symmetric form width height depth"
    " lspace rspace voffset minsize maxsize linethickness mathvariant"
)
CLASSES = (
    "long code-block code-bar code-language code-copy mermaid table-scroll task image-link formula display left center right"
    " box updiagonalstrike downdiagonalstrike horizontalstrike k t m f s c gi gd ge gs v"
)


def tree(text: str) -> HtmlElement:
    return document_fromstring(f"<body><div>{markdown(text)}</div></body>")


def strangers(root: HtmlElement) -> list[str]:
    """Elements, attributes and values that the renderer has no reason to write."""
    found = []
    for element in root.iter():
        found += [str(element.tag)] * (element.tag not in TAGS.split())
        found += [name for name in element.attrib if name not in ATTRIBUTES.split()]
        found += [name for name in element.get("class", "").split() if name not in CLASSES.split()]
        address = element.get("href", "https://")
        found += [address] * (not address.lower().startswith(("http://", "https://", "mailto:")))
    return found


@pytest.mark.parametrize("hostile", HOSTILE)
def test_no_text_writes_html_or_loads_anything(hostile):
    root = tree(hostile)
    assert strangers(root) == []
    assert all(link.get("rel") == "noopener noreferrer nofollow ugc" for link in root.iter("a"))


def test_html_is_shown_as_text():
    assert markdown("<b>x</b> <!-- y -->") == '<p dir="auto">&lt;b&gt;x&lt;/b&gt; &lt;!-- y --&gt;</p>\n'


def test_an_image_is_a_link():
    html = markdown("![a cat](https://x.org/cat.png) [![b](https://x.org/b.png)](https://x.org)")
    assert "<img" not in html
    assert '<a href="https://x.org/cat.png" class="image-link"' in html
    assert html.count("<a ") == 2  # an image in a link is that link's text


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("see https://x.org/a_b_c.", "https://x.org/a_b_c"),
        ("(https://en.wikipedia.org/wiki/Go_(game))", "https://en.wikipedia.org/wiki/Go_(game)"),
        ("见https://x.org/路径。然后", "https://x.org/路径"),
        ("**https://x.org**", "https://x.org"),
        ("<https://x.org/?a=1&b=2>", "https://x.org/?a=1&b=2"),
    ],
)
def test_an_address_in_a_sentence_is_a_link(written, address):
    (link,) = tree(written).iter("a")
    assert link.text == address
    assert link.get("target") == "_blank"


@pytest.mark.parametrize(
    "written", ["`https://x.org`", "https://", "ftp://x.org", "[a](javascript:alert(1))", "http://["]
)
def test_other_addresses_are_no_links(written):
    assert list(tree(written).iter("a")) == []


def test_tasks_have_boxes_that_are_named_by_their_text():
    done, todo = tree("- [x] done\n- [ ] to *do*\n").iter("label")
    assert done.text_content() == " done"
    assert todo.text_content() == " to do"
    assert [box.get("checked") is None for box in (done[0], todo[0])] == [False, True]
    assert all(box.get("disabled") is not None for box in (done[0], todo[0]))


def test_text_in_brackets_that_is_no_task_stays():
    assert "<input" not in markdown("- [y] a\n- [ ]\n- [x](https://x.org) b\n\n[ ] c")


def test_headings_are_lowered_and_leave_no_level_out():
    assert [element.tag for element in tree("# a\n### b\n## c\n# d\n\n###### e\n").iter("h3", "h4", "h5", "h6")] == [
        "h3", "h4", "h4", "h3", "h4"
    ]  # fmt: skip
    assert "<h3" in markdown("#### only")


def test_blocks_find_their_direction_and_code_and_formulas_go_from_left_to_right():
    html = markdown("مرحبا $x$ `y`\n\n- سلام\n\n```\nz\n```\n")
    assert html.count('dir="auto"') == 2
    assert html.count('dir="ltr"') == 3


def test_strikethrough():
    assert "<s>a</s>" in markdown("~~a~~")


UNITS = (
    "$a$ ", "\\(a\\) ", "$$a$$\n", "\\[\n", "\\[a\\]\n", "$$\n", "\\begin{align}\n", "- [ ] a\n", "> a\n", "![", "[](",
    "```python\nx = 1\n```\n", "[a]: b\n", "[a](b) ", "![a](http://b) ", "https://a.b ", "https://)", "~~a", "# a\n",
)  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("parts", [*TEXTS, *(("", unit, "") for unit in UNITS)])
def test_the_time_of_20_000_characters_is_bounded(parts):
    given = text(*parts, 20_000)

    def run() -> None:
        forget_rendered()
        markdown(given)

    assert cpu_seconds(run, 1) < 1  # the slowest takes a third
    assert len(markdown(given)) < 600_000
