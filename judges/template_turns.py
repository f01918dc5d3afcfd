"""The messages of a template's text: a line of `=====` or ChatML's marks part them, and doubled braces are literal.

<|im_start|>system          one message for each block; an empty block of the assistant at the end, where
…<|im_end|>                 a completion model would go on, is no message
"""

from __future__ import annotations

import re
from string import Formatter

from judges.errors import BadTemplate

RULE = re.compile(r"^={5,}\s*$", re.MULTILINE)
BLOCK = re.compile(r"<\|im_start\|>[ \t]*(\w*)[ \t]*\n?(.*?)(?:<\|im_end\|>|(?=<\|im_start\|>)|\Z)", re.DOTALL)
START = "<|im_start|>"
ROLES = ("system", "user", "assistant")
PLAIN = re.compile(r"\$?[A-Za-z]\w*")


def turns_of(text: str, name: str) -> tuple[tuple[str, str], ...]:
    """(role, text) of each message, in order. Raises BadTemplate for ChatML that is no conversation."""
    if START in text:
        return _chatml(text, name)
    system, _, user = text.partition(match[0]) if (match := RULE.search(text)) else ("", "", text)
    return tuple((role, part.strip()) for role, part in (("system", system), ("user", user)) if part.strip())


def _chatml(text: str, name: str) -> tuple[tuple[str, str], ...]:
    if outside := BLOCK.sub("", text).strip():
        raise BadTemplate(
            f"{name}: the text {outside[:40]!r} stands outside ChatML's marks. Move it between them."
        )
    turns = [(match[1], match[2].strip()) for match in BLOCK.finditer(text)]
    if unknown := [role for role, _ in turns if role not in ROLES]:
        raise BadTemplate(f"{name}: ChatML's role {unknown[0]!r} is unknown. Use one of: {', '.join(ROLES)}.")
    if turns[-1] == ("assistant", ""):
        turns.pop()
    if not turns or turns[-1][0] != "user":
        raise BadTemplate(
            f"{name}: the last message is not the user's. A chat judge cannot go on with a begun reply."
        )
    return tuple(turn for turn in turns if turn[1])


def has_escapes(text: str) -> bool:
    """Whether doubled braces stand for single ones: the text is one that Python's `str.format` reads, with plain fields.

    JSON with single braces is no such text, and its doubled ones are as they are.

    >>> has_escapes('{{"score": {answer}}}'), has_escapes('{"a": {"b": "{answer}"}}')
    (True, False)
    """
    if "{{" not in text and "}}" not in text:
        return False
    try:
        fields = [(name, spec, how) for _, name, spec, how in Formatter().parse(text) if name is not None]
    except ValueError:
        return False
    return all(PLAIN.fullmatch(name) and not spec and not how for name, spec, how in fields)
