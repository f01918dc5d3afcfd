"""The 25 instructions that IFEval checks by program (Zhou and others, 2023, arXiv 2311.07911).

`follows` is strict; `follows_loosely` forgives asterisks and a first or last line that belong to the talk around
the answer. An empty text follows nothing.
"""

from __future__ import annotations

from collections.abc import Callable

from benchmarks.errors import BadData
from benchmarks.instructions import combination, content, formats, keywords, language, lengths, signs
from benchmarks.instructions.relation import Arguments

Checker = Callable[[str, Arguments], bool]

CHECKERS: dict[str, Checker] = {
    "keywords:existence": keywords.existence,
    "keywords:frequency": keywords.frequency,
    "keywords:forbidden_words": keywords.forbidden_words,
    "keywords:letter_frequency": keywords.letter_frequency,
    "language:response_language": language.response_language,
    "length_constraints:number_sentences": lengths.number_sentences,
    "length_constraints:number_paragraphs": lengths.number_paragraphs,
    "length_constraints:number_words": lengths.number_words,
    "length_constraints:nth_paragraph_first_word": lengths.nth_paragraph_first_word,
    "detectable_content:number_placeholders": content.number_placeholders,
    "detectable_content:postscript": content.postscript,
    "detectable_format:number_bullet_lists": formats.number_bullet_lists,
    "detectable_format:constrained_response": formats.constrained_response,
    "detectable_format:number_highlighted_sections": formats.number_highlighted_sections,
    "detectable_format:multiple_sections": formats.multiple_sections,
    "detectable_format:json_format": formats.json_format,
    "detectable_format:title": formats.title,
    "combination:two_responses": combination.two_responses,
    "combination:repeat_prompt": combination.repeat_prompt,
    "startend:end_checker": signs.end_checker,
    "startend:quotation": signs.quotation,
    "change_case:capital_word_frequency": language.capital_word_frequency,
    "change_case:english_capital": language.english_capital,
    "change_case:english_lowercase": language.english_lowercase,
    "punctuation:no_comma": signs.no_comma,
}


def follows(instruction: str, text: str, arguments: Arguments) -> bool:
    """Whether `text` does what the instruction of this id asks."""
    if instruction not in CHECKERS:
        raise BadData(f"Instruction {instruction!r} is unknown. Use one of: {', '.join(sorted(CHECKERS))}.")
    return bool(text.strip()) and CHECKERS[instruction](text, arguments)


def variants(text: str) -> list[str]:
    """The eight forms of the loose reading: less the first line, the last, both or neither, each with and
    without its asterisks."""
    lines = text.split("\n")
    cuts = [text] + ["\n".join(part).strip() for part in (lines[1:], lines[:-1], lines[1:-1])]
    return cuts + [cut.replace("*", "") for cut in cuts]


def follows_loosely(instruction: str, text: str, arguments: Arguments) -> bool:
    """Whether one of the `variants` does."""
    return any(follows(instruction, variant, arguments) for variant in variants(text))
