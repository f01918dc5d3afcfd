"""Rewordings of a judge's prompt that leave its meaning as it is: a verdict that they change says little of the texts.

Each changes the template alone, never a field, so that they work for the built-in prompts and for a user's own.
"""

from __future__ import annotations

import re

from judges.template_turns import RULE

RULER = "\n=====\n"  # between the system message and the user's
OPENING = "Please read the following carefully.\n\n"
CLOSING = "\n\nAnswer with A or B."
HEADING = re.compile(r"^([^\n{}]{1,40}):$", re.MULTILINE)
SYSTEM = "You are a careful judge."


def rewordings(text: str) -> dict[str, str]:
    """The texts of the reworded templates by what was changed; a change that alters nothing is left out.

    >>> sorted(rewordings("Which is better?\\n\\nA:\\n{answer_a}\\n\\nB:\\n{answer_b}"))
    ['closing', 'headings', 'opening', 'spacing', 'system']
    """
    system, _, user = text.partition(match[0]) if (match := RULE.search(text)) else ("", "", text)
    system, user = system.strip(), user.strip()
    changed = {
        "opening": _joined(system, OPENING + user),
        "closing": _joined(system, user + CLOSING),
        "system": _joined("", f"{system}\n\n{user}") if system else _joined(SYSTEM, user),
        "spacing": _joined(system, re.sub(r"\n{2,}", "\n", user)),
        "headings": _joined(system, HEADING.sub(r"### \1:", user)),
    }
    return {name: reworded for name, reworded in changed.items() if reworded != _joined(system, user)}


def _joined(system: str, user: str) -> str:
    return system + RULER + user if system else user
