"""LaTeX formulas as MathML that has only the elements and attributes of the lists below, or as their source.

The converter is a library, and the formula is text of a model: what it returns is walked and written anew, element by
element. Attributes that could cover the page, hide text, fetch or style something are left out.
"""

from __future__ import annotations

import re
from functools import lru_cache
from html import escape
from xml.etree.ElementTree import Element  # a type; nothing is parsed  # nosec B405

from latex2mathml import exceptions
from latex2mathml.converter import convert_to_element

from arena.web.markdown.math_letters import in_alphabet

MAX_FORMULA = 4_000  # characters; a page of aligned equations has 2,000
MAX_ELEMENTS = 4_000
MAX_DEPTH = 60
LONG = 30  # characters of a formula in a line that may be wider than a phone
CACHED = 2_048  # formulas; a growing text has the same ones again
# Macros may grow without limit, and \sideset repeats what stands in it.
REFUSED = re.compile(
    r"\\(?:def|edef|gdef|xdef|let|newcommand|renewcommand|providecommand|newenvironment|renewenvironment"
    r"|DeclareMathOperator|sideset|mathchoice|verb|unicode)(?![A-Za-z])"
)
ELEMENTS = frozenset((
    "math", "mrow", "mi", "mn", "mo", "mtext", "mspace", "mstyle", "mfrac", "msqrt", "mroot", "msub", "msup", "msubsup",
    "munder", "mover", "munderover", "mtable", "mtr", "mtd", "mpadded", "mphantom", "menclose",
))  # fmt: skip
# Elements whose children have a meaning by their place.
CHILDREN = {"mfrac": 2, "mroot": 2, "msub": 2, "msup": 2, "munder": 2, "mover": 2, "msubsup": 3, "munderover": 3}
FLAG = re.compile(r"true|false")
# Lengths of a formula's own spaces. Longer ones could cover the text around.
LENGTH = re.compile(r"[+-]?(?:[0-2]?(?:\.\d{1,4})?(?:em)|\d{0,2}(?:\.\d{1,4})?(?:ex|mu|pt|px)|0)")
LENGTHS = ("width", "height", "depth", "lspace", "rspace", "voffset", "minsize", "maxsize", "linethickness")
FLAGS = (
    "displaystyle", "stretchy", "fence", "separator", "largeop", "movablelimits", "accent", "accentunder", "symmetric"
)  # fmt: skip
ATTRIBUTES = {
    **dict.fromkeys(LENGTHS, LENGTH),
    **dict.fromkeys(FLAGS, FLAG),
    "scriptlevel": re.compile(r"[+-]?[0-3]"),
    "form": re.compile(r"prefix|infix|postfix"),
}
CLASSES = ("left", "center", "right", "box", "updiagonalstrike", "downdiagonalstrike", "horizontalstrike")
REFERENCE = re.compile(r"&#x([0-9A-Fa-f]{1,6});")
# Environments that the converter does not know, by one that looks the same.
SAME = {
    "align": "align*", "aligned": "align*", "eqnarray": "align*", "eqnarray*": "align*", "multline": "align*",
    "multline*": "align*", "flalign": "align*", "flalign*": "align*", "split": "align*", "gather": "matrix",
    "gather*": "matrix", "gathered": "matrix", "dcases": "cases", "rcases": "cases",
}  # fmt: skip
ENVIRONMENT = re.compile(r"\\(begin|end)\{([a-zA-Z]{1,20}\*?)\}")


class NotMathML(Exception):
    """The converter returned something that is not shown."""


# What the converter raises for formulas that it cannot read: it indexes, unpacks and calls next() without a check.
UNREADABLE: tuple[type[Exception], ...] = (
    AttributeError, LookupError, RuntimeError, StopIteration, TypeError, ValueError, NotMathML,
    *(kind for kind in vars(exceptions).values() if isinstance(kind, type) and issubclass(kind, Exception)),
)  # fmt: skip


@lru_cache(CACHED)
def formula(latex: str, display: bool) -> str | None:
    r"""A formula as MathML, or None where it cannot be shown as one.

    >>> formula("a_1", False)
    '<math dir="ltr"><msub><mi>a</mi><mn>1</mn></msub></math>'
    """
    if len(latex) > MAX_FORMULA or REFUSED.search(latex):
        return None
    try:
        tree = convert_to_element(_known(latex), display="block" if display else "inline")
        return _Writer().written(tree, _opening(latex, display))
    except UNREADABLE:
        return None


def _opening(latex: str, display: bool) -> str:
    """The tag of a formula. One that may be wider than a phone scrolls, also by keyboard."""
    kind = (
        ' display="block" tabindex="0"' if display else ' class="long" tabindex="0"' if len(latex) > LONG else ""
    )
    return f'<math dir="ltr"{kind}>'


def _known(latex: str) -> str:
    """The formula in environments that the converter knows."""
    return ENVIRONMENT.sub(_same, latex)


def _same(mark: re.Match[str]) -> str:
    which, name = mark.groups()
    if name in ("equation", "equation*"):
        return " "
    return f"\\{which}{{{SAME.get(name, name)}}}"


def source(text: str, display: bool) -> str:
    """A formula as it was written."""
    kind = "formula display" if display else "formula"
    return f'<code class="{kind}" dir="ltr">{escape(text, quote=False)}</code>'


class _Writer:
    """Writes a tree as text, up to `MAX_ELEMENTS`."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.elements = 0

    def written(self, tree: Element, opening: str) -> str:
        self.parts.append(opening)
        for child in _inside(tree):
            self._write(child, 1)
        self.parts.append("</math>")
        return "".join(self.parts)

    def _write(self, element: Element, depth: int) -> None:
        self.elements += 1
        if element.tag not in ELEMENTS or depth > MAX_DEPTH or self.elements > MAX_ELEMENTS:
            raise NotMathML
        if len(element) != CHILDREN.get(element.tag, len(element)):
            raise NotMathML
        tag = (
            "mrow" if element.tag == "menclose" else element.tag
        )  # browsers draw no <menclose>; a class has its lines
        text = in_alphabet(_text(element), element.attrib.get("mathvariant", ""))
        self.parts.append(f"<{tag}{_attributes(element)}>{escape(text, quote=False)}")
        for child in element:
            self._write(child, depth + 1)
        self.parts.append(f"</{tag}>")


def _inside(tree: Element) -> list[Element]:
    """The children of `<math>`, without the one row that the converter always puts around them."""
    children = list(tree)
    return (
        list(children[0])
        if len(children) == 1 and children[0].tag == "mrow" and len(children[0]) == 1
        else children
    )


def _text(element: Element) -> str:
    """The text of an element. The converter writes characters as references, and leaves the decoding to others."""
    return REFERENCE.sub(_character, element.text or "")


def _character(reference: re.Match[str]) -> str:
    code = int(reference[1], 16)
    if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF or code < 0x20:
        raise NotMathML
    return chr(code)


def _attributes(element: Element) -> str:
    kept = [
        f' {name}="{value}"'
        for name, value in element.attrib.items()
        if (pattern := ATTRIBUTES.get(name)) and pattern.fullmatch(value)
    ]
    if element.tag == "mi" and _is_upright(element):
        kept.append(' mathvariant="normal"')
    wanted = f"{element.attrib.get('columnalign', '')} {element.attrib.get('notation', '')}".split()
    if classes := [name for name in wanted if name in CLASSES]:
        kept.append(f' class="{" ".join(classes)}"')
    return "".join(kept)


def _is_upright(element: Element) -> bool:
    r"""Whether a variable is set upright: `\mathrm{d}`, which the converter writes as a reference, and `\Gamma`."""
    text = element.text or ""
    if element.attrib.get("mathvariant") == "normal":
        return True
    decoded = _text(element)
    return text != decoded and len(decoded) == 1 and (decoded.isascii() or "\u0391" <= decoded <= "\u03a9")
