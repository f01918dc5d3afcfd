"""How it begins and ends, and signs that it must do without."""

from __future__ import annotations

from benchmarks.instructions.relation import Arguments, argument


def end_checker(text: str, arguments: Arguments) -> bool:
    """It ends with the phrase, in any case, before a quotation mark or not."""
    ending = str(argument(arguments, "end_phrase")).strip().lower()
    return text.strip().strip('"').lower().endswith(ending)


def quotation(text: str, _: Arguments) -> bool:
    """All of it stands between double quotation marks."""
    bare = text.strip()
    return len(bare) > 1 and bare[0] == '"' and bare[-1] == '"'


def no_comma(text: str, _: Arguments) -> bool:
    return "," not in text
