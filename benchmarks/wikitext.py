"""The file of WikiText-2 as pages, as rows, and as detokenised text."""

from __future__ import annotations

import re

# A line that looks like a heading in the middle of a formula begins with a number and a small letter.
HEADING = re.compile(r"^ =(?! \d+ [a-z]).*= $")
TITLE = re.compile(r"^ = (?!\d+ [a-z])[^=].*[^=] = $")
# As lm-evaluation-harness cuts pages, the two lines of that formula among them: 62 pages in the test file.
PAGE = re.compile(r"^ = [^=].*[^=] = $")

# The rules of Megatron-LM, in their order; one of theirs is left out, for it looks for slashes and never fires.
REPLACED = (
    ("s '", "s'"), (" @-@ ", "-"), (" @,@ ", ","), (" @.@ ", "."), (" : ", ": "), (" ; ", "; "), (" . ", ". "),
    (" ! ", "! "), (" ? ", "? "), (" , ", ", "),
)  # fmt: skip
BRACKETED = (
    (re.compile(r"\(\s*([^\)]*?)\s*\)"), r"(\1)"),
    (re.compile(r"\[\s*([^\]]*?)\s*\]"), r"[\1]"),
    (re.compile(r"{\s*([^}]*?)\s*}"), r"{\1}"),
    (re.compile(r"\"\s*([^\"]*?)\s*\""), r'"\1"'),
    (re.compile(r"'\s*([^']*?)\s*'"), r"'\1'"),
)
TIDIED = (
    ("= = = =", "===="), ("= = =", "==="), ("= =", "=="), (" ° ", "°"), (" \n", "\n"), ("\n ", "\n"),
    (" N ", " 1 "), (" 's", "'s"),
)  # fmt: skip


def rows(text: str) -> list[str]:
    """The hub's rows of the file: a line each, and an empty one around headings and before a new page.

    The hub has one of them (before "The Hustler") at the end of the file instead.
    """
    lines: list[str] = []
    for line in text.splitlines():
        if HEADING.match(line):
            if lines and TITLE.match(line):
                lines.append("")
            lines += ["", f"{line}\n", ""]
        else:
            lines.append(f"{line}\n" if line.strip() else "")
    return lines


def pages(lines: list[str]) -> list[str]:
    """Rows joined to pages as the published raw file has them, where an empty row is a line with one space."""
    joined: list[list[str]] = [[]]
    for line in lines:
        if PAGE.match(line.rstrip("\n")) and any(part.strip() for part in joined[-1]):
            joined.append([])
        joined[-1].append(line or " \n")
    return ["".join(page) for page in joined]


def detokenised(text: str) -> str:
    """`text` without the spaces before punctuation and the marks inside numbers."""
    for old, new in REPLACED:
        text = text.replace(old, new)
    for pattern, new in BRACKETED:
        text = pattern.sub(new, text)
    for old, new in TIDIED:
        text = text.replace(old, new)
    return text
