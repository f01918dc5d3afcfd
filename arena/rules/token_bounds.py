"""How many tokens a text has at most with the usual tokenizers, without any of them."""

from __future__ import annotations

import re

MESSAGE_TOKENS = 8  # the marks of a chat template around one message

# One token each: letters that often stand together, with the space before them; a run of spaces; any other ASCII
# character. Three letters for each token would suffice for words, but not for letters at random.
PIECES = re.compile(r" ?[A-Za-z](?:[aeiou][bcdfghlmnprsty]?|[hlnrst][aeiou]|[hlnrst])?| {1,4}|[\x00-\x7f]")


def token_bound(text: str) -> int:
    """An upper estimate: about twice the tokens of English prose, about the tokens of letters at random.

    Each byte of a character beyond ASCII counts: vocabularies of small models have few of these characters.
    """
    beyond = len(text.encode("utf-8", "replace")) - sum(map(str.isascii, text))
    return sum(1 for _ in PIECES.finditer(text)) + beyond
