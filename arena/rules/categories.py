"""Categories of a battle, by rules over its prompts: no model call, no network, about a millisecond.

A battle has any number of categories. The rules have a version, which changes with each rule and is shown on boards. They
are in the files `*_signs.py`; reproduce/categories.py measures them.
"""

from __future__ import annotations

from collections.abc import Sequence

from arena.rules.code_signs import CODE
from arena.rules.hardness_signs import HARD_LENGTH, HARDNESS
from arena.rules.instruction_signs import INSTRUCTIONS
from arena.rules.languages import language
from arena.rules.math_signs import MATHEMATICS
from arena.rules.writing_signs import CREATIVE

VERSION = "rules-3"

LONG = 500  # tokens from which a prompt is long, as the public arena counts (blog of 2024-05-17)
CHARACTERS_A_TOKEN = 4  # of English under the usual tokenizers
IDEOGRAPHS_A_TOKEN = 1.5
HARD = 4  # signs of difficulty, of seven, that make a prompt hard: patterns detect fewer than the tagger, which needs six


RULES = (CODE, MATHEMATICS, CREATIVE, INSTRUCTIONS)


def categories(prompts: Sequence[str], images: bool = False, spoken: str | None = None) -> tuple[str, ...]:
    """The categories of a battle with these prompts, one a turn, in alphabetical order. `images`: one of them has some.

    The language is `spoken` where it is known, else that of all prompts together; the other rules hold when they hold
    for any one prompt.
    """
    names = {name for prompt in prompts for name in matching_rules(prompt)}
    spoken_language = spoken or language("\n".join(prompts))
    if spoken_language:
        names.add(spoken_language)
    if images:
        names.add("images")
    if len(prompts) > 1:
        names.add("multi-turn")
    if any(tokens(prompt) >= LONG for prompt in prompts):
        names.add("long")
    return tuple(sorted(names))


def matching_rules(prompt: str) -> set[str]:
    """The categories whose rule holds for a prompt, "hard" among them."""
    found = {rule.category for rule in RULES if rule.holds(prompt)}
    return found | {"hard"} if hardness(prompt) >= HARD else found


def hardness(prompt: str) -> int:
    """Number of the seven signs of difficulty in a prompt; 0 for a prompt of one or two lines."""
    if tokens(prompt) < HARD_LENGTH:
        return 0
    return sum(sign.search(prompt) is not None for sign in HARDNESS.values())


def tokens(prompt: str) -> float:
    """Approximate number of tokens of a prompt."""
    wide = sum(letter > "⺀" for letter in prompt)
    return (len(prompt) - wide) / CHARACTERS_A_TOKEN + wide / IDEOGRAPHS_A_TOKEN
