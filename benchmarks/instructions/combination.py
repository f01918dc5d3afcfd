"""Two answers in one, and the request repeated before the answer."""

from __future__ import annotations

from benchmarks.instructions.relation import Arguments, argument


def two_responses(text: str, _: Arguments) -> bool:
    """Whether the text is two different texts separated by six asterisks."""
    parts = [part.strip() for part in text.split("******")]
    if not all(parts[1:-1]):
        return False
    filled = [part for part in parts if part]
    return len(filled) == 2 and filled[0] != filled[1]


def repeat_prompt(text: str, arguments: Arguments) -> bool:
    """It begins with the request, in any case."""
    return text.strip().lower().startswith(str(argument(arguments, "prompt_to_repeat")).strip().lower())
