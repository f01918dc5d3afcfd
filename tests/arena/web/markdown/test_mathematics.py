r"""Formulas in their four delimiters and in environments, and dollars that are money."""

from __future__ import annotations

import pytest
from lxml.html import document_fromstring

from arena.web.markdown import markdown
from arena.web.markdown.formulas import MAX_FORMULA, formula
from arena.web.markdown.mathematics import MAX_FORMULAS

LINES = (
    "the $a_1$ of", "the \\(a_1\\) of", "the $$a_1$$ of", "the \\[a_1\\] of", "设$x$是", "the $n$th", "($x$)", "**$x$**",
    "$-5$", "$0.5 x$", "$3 \\sin x$", "$5\\text{ apples and pears}$", "$x < 5$ and", "| $x$ | b |\n|---|---|",
    "- $x$", "# $x$", "$rate = distance / time$", "$\\{a, b\\}$", "$\\$5$",
)  # fmt: skip
DISPLAYS = (
    "$$a$$", "$$\na\n$$", "\\[\na\n\\]", "\\[a\\]", "text\n\\[\na\n\\]\nmore", "- item\n  \\[\n  a\n  \\]",
    "> $$\n> a\n> $$",
    "1. item\n\n   $$a$$", "\\begin{align}\na &= b \\\\\nc &= d\n\\end{align}", "\\begin{equation*}a\\end{equation*}",
    "$$\\begin{cases} 1 & x > 0 \\\\ 0 & \\text{else} \\end{cases}$$", "  $$a$$", "\\[\n\na\n\n\\]", "text $$a$$ more",
)  # fmt: skip
MONEY = (
    "It costs $5 and then $10.", "between $5-$10", "$5 per month, or US$6", "a $5/$6 split", "US$ and HK$", "$ 5 $",
    "$20k (about £15k), then $30k", "`$HOME` and $PATH", "from $1 million to $2 million, or $3", "\\$5 and \\$6",
    "(US$5), (US$6)", "$a\nb$", "$", "$$", "$$$", "$$$$", "costs $5, $6, and $7.",
)  # fmt: skip


def formulas(text: str) -> list[str | None]:
    root = document_fromstring(f"<body><div>{markdown(text)}</div></body>")
    return [element.get("display") for element in root.iter("math")]


@pytest.mark.parametrize("line", LINES)
def test_a_formula_in_a_line(line):
    display = "block" if "$$" in line or "\\[" in line else None
    assert formulas(line) == [display]


@pytest.mark.parametrize("text", DISPLAYS)
def test_a_display(text):
    assert formulas(text) == ["block"]
    assert "$$" not in markdown(text)


@pytest.mark.parametrize("text", MONEY)
def test_money_is_no_formula(text):
    assert formulas(text) == []
    assert document_fromstring(f"<p>{markdown(text)}</p>").text_content().count("$") == text.count("$")


@pytest.mark.parametrize(
    "text", ["`$a$`", "```\n$$a$$\n", "    \\[a\\]", "\\\\(a", "[x](https://x.org/$a$b)", "\\( \\)"]
)
def test_code_and_addresses_have_no_formulas(text):
    assert formulas(text) == []


@pytest.mark.parametrize(
    "latex",
    [
        "\\frac{1", "\\left( a", "a^b^c", "\\begin{matrix}", "\\newcommand{\\a}{\\a\\a}\\a", "\\def\\a{x}\\a", "^" * 900,
        "\\sideset{}{}{\\sideset{}{}{x}}", "{" * 2000 + "x" + "}" * 2000, "\\sqrt" * 800, "\\unicode{xD800}", "\\over",
        "x" * (MAX_FORMULA + 1), "\\let\\a\\b", "\\left" * 500, "\\skew{a}{b}", "\\genfrac", "\\hspace", "\\text{&#xD800;}",
        "\\text{&#x0;}",
    ],
)  # fmt: skip
def test_what_is_no_formula_is_shown_as_it_was_written(latex):
    assert formula(latex, False) is None
    root = document_fromstring(f"<body>{markdown(f'${latex}$')}</body>")
    assert root.text_content().strip() == f"${latex}$"


def test_hostile_attributes_and_text_are_left_out():
    html = formula(
        "\\style{position:fixed}{x} \\class{hide}{y} \\href{javascript:x}{z} \\text{<b>&#60;i&#62;} \\hspace{900em}"
        "\\rule{99em}{99em} \\color{white}{w} \\colorbox{black}{b} \\text{&#x3c;script&#x3e;} \\hspace{-9em}",
        False,
    )
    assert html is not None
    for word in (
        "style=",
        "position",
        "hide",
        "href",
        "javascript",
        "900em",
        "99em",
        "white",
        "black",
        "<b>",
        "<script",
        "-9em",
    ):
        assert word not in html


@pytest.mark.parametrize(
    ("latex", "part"),
    [
        ("\\mathbb{R}", "ℝ"), ("\\mathbf{ab}", "𝐚"), ("\\mathrm{d}x", '<mi mathvariant="normal">d</mi>'),
        ("\\boxed{42}", '<mrow class="box">'), ("\\Gamma", 'mathvariant="normal">Γ'), ("\\operatorname{sgn}", "sgn"),
        ("\\begin{aligned} a &= b \\\\ c &= d \\end{aligned}", "<mtable"), ("\\sum_{i=1}^n", "∑"), ("50\\%", "%"),
        ("\\begin{pmatrix} 1 & 0 \\\\ 0 & 1 \\end{pmatrix}", "<mtable"), ("\\cancel{x}", "updiagonalstrike"),
    ],
)  # fmt: skip
def test_commands_that_models_write(latex, part):
    assert part in (formula(latex, True) or "")


def test_a_text_has_a_limited_number_of_formulas():
    html = markdown("$a$ " * (MAX_FORMULAS + 50))
    assert html.count("<math") == MAX_FORMULAS
    assert html.count('<code class="formula"') == 50
