r"""Replies without their markup, so that `**Answer**: B`, `$\boxed{\text{B}}$` and `答案：Ｂ` have one form each."""

from __future__ import annotations

import re
import unicodedata

BOX = re.compile(r"\\f?boxed\s{0,3}(?=\{)")
COMMANDS = re.compile(
    r"\\(?:text(?:bf|it|rm)?|math(?:rm|bf|it|sf)|mbox|displaystyle|bf|rm)\b ?|\\[()\[\],;! ]|\\quad"
)
TAGS = re.compile(r"</?[A-Za-z]{1,12}\s?/?>")
LINE_STARTS = re.compile(r"(?m)^[ \t]{0,8}(?:#{1,6}(?!#)[ \t]?|>[ \t]?|[-+•][ \t]+(?=\S))")
DROPPED = re.compile(r"[*`$\"“”„「」『』【】✨🎯👉]|(?<![A-Za-z])'|'(?![A-Za-z])")
BRACES = re.compile(r"[{}]")  # of LaTeX; in other texts they may be the answer
CODE_FENCE = re.compile(r"(?m)^\s{0,8}```\w{0,12}[ \t]*$")
SPELLINGS = str.maketrans("−–—’‘", "---''")


def plain_text(text: str) -> str:
    r"""`text` with ASCII letters, digits and punctuation, and without Markdown, LaTeX and HTML.

    A `\boxed{…}` becomes "Answer: …", which is what it says.
    """
    text = unicodedata.normalize("NFKC", text).translate(SPELLINGS)
    patterns = (COMMANDS, BRACES, TAGS, DROPPED, LINE_STARTS) if "\\" in text else (TAGS, DROPPED, LINE_STARTS)
    text = BOX.sub(" Answer: ", CODE_FENCE.sub("", text))
    for pattern in patterns:
        text = pattern.sub("", text)
    return text.strip()
