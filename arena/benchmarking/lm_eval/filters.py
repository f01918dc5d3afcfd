"""Filters of a task file: steps from the texts of all completions of a sample to the text that is scored."""

from __future__ import annotations

import re
import sys
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from arena.benchmarking.lm_eval.templates import Doc
from benchmarks.errors import BadData

FALLBACK = "[invalid]"
NUMBER = r"#### (\-?[0-9\.\,]+)"  # GSM8K's last line

Texts = list[Any]  # texts; `map` may make anything of one
Step = Callable[[Texts, Doc], Any]


@dataclass(frozen=True)
class Filter:
    """A named chain of steps. `fallbacks` are what its steps write where nothing was found."""

    name: str
    steps: Sequence[Step]
    fallbacks: Sequence[str] = ()

    def apply(self, texts: Sequence[str], doc: Doc) -> Any:
        """The filtered text; a list of texts where no step selects one."""
        value: Any = list(texts)
        for step in self.steps:
            value = step(value, doc)
        return value


def first(texts: Texts, _: Doc) -> Any:
    return texts[0]


def majority(texts: Texts, _: Doc) -> Texts:
    """The most frequent text, in a tie the first one."""
    return [Counter(texts).most_common(1)[0][0]]


def each(change: Callable[[str], Any]) -> Step:
    """A step that changes each text by itself."""
    return lambda texts, _: [change(text) for text in texts]


def found(pattern: re.Pattern[str], text: Any, select: int) -> str | None:
    """The match number `select` without spaces around it, of several groups the first that is not empty."""
    matches = pattern.findall(text) if isinstance(text, str) else []
    if not matches:
        return None
    try:
        match = matches[select]
    except IndexError:
        raise BadData(
            f"group_select {select} of {pattern.pattern!r}: A text has {len(matches)} matches. Use 0 or -1."
        ) from None
    if isinstance(match, tuple):
        match = next((group for group in match if group), None)
    return None if match is None else str(match).strip()


@dataclass(frozen=True)
class Pattern:
    """The step `regex`."""

    regex_pattern: str = NUMBER
    group_select: int = 0
    fallback: str = FALLBACK

    def __call__(self, texts: Texts, _: Doc) -> Texts:
        pattern = re.compile(self.regex_pattern)
        matches = [found(pattern, text, self.group_select) for text in texts]
        return [self.fallback if match is None else match for match in matches]


@dataclass(frozen=True)
class ChoicePattern:
    """The step `multi_choice_regex`: a pattern, else the words of a choice, else a bare letter after a colon.

    The row has a column `choices`, and the answer comes as `(A)`.
    """

    regex_pattern: str = NUMBER
    group_select: int = 0
    fallback: str = FALLBACK
    ignore_case: bool = False
    ignore_punctuation: bool = False
    regexes_to_ignore: Sequence[str] | None = None

    def __call__(self, texts: Texts, doc: Doc) -> Texts:
        if "choices" not in doc:
            raise BadData(
                "The filter multi_choice_regex needs a column `choices`. Add it, or use the filter regex."
            )
        words = {self._plain(str(choice).strip()): number for number, choice in enumerate(doc["choices"])}
        count = len(doc["choices"])
        # the longest first: a choice may begin with another one
        said = re.compile("|".join(sorted(map(re.escape, words), key=len, reverse=True)))
        bare = re.compile(rf":[\s]*({'|'.join(chr(ord('A') + number) for number in range(count))})")
        return [self._answer(text, words, said, bare) for text in texts]

    def _answer(self, text: Any, words: Mapping[str, int], said: re.Pattern[str], bare: re.Pattern[str]) -> str:
        if match := found(re.compile(self.regex_pattern), text, self.group_select):
            return match
        if match := found(said, self._plain(str(text)), self.group_select):
            return f"({chr(ord('A') + words[match])})" if match in words else match
        match = found(bare, text, self.group_select)
        return f"({match})" if match else self.fallback

    def _plain(self, text: str) -> str:
        for ignored in self.regexes_to_ignore or ():
            text = re.sub(ignored, "", text)
        text = text.lower() if self.ignore_case else text
        return text.translate(_punctuation()) if self.ignore_punctuation else text


@cache
def _punctuation() -> dict[int, None]:
    """Every mark of punctuation, which a translation by this table removes."""
    marks = (code for code in range(sys.maxunicode) if unicodedata.category(chr(code)).startswith("P"))
    return dict.fromkeys(marks)


@dataclass(frozen=True)
class Mapped:
    """The step `map`."""

    mapping_dict: Mapping[Any, Any] = field(default_factory=dict)
    default_value: Any = None

    def __call__(self, texts: Texts, _: Doc) -> Texts:
        return [self.mapping_dict.get(text, self.default_value) for text in texts]


@dataclass(frozen=True)
class FirstOnes:
    """The step `take_first_k`."""

    k: int

    def __call__(self, texts: Texts, _: Doc) -> Texts:
        if len(texts) < self.k:
            raise BadData(f"take_first_k {self.k}: A sample has {len(texts)} completions. Set repeats: {self.k}.")
        return texts[: self.k]


WITHOUT_OPTIONS: Mapping[str, Step] = {
    "take_first": first,
    "majority_vote": majority,
    "remove_whitespace": each(str.strip),
    "lowercase": each(str.lower),
    "uppercase": each(str.upper),
}
WITH_OPTIONS: Mapping[str, Callable[..., Step]] = {
    "regex": Pattern,
    "multi_choice_regex": ChoicePattern,
    "map": Mapped,
    "take_first_k": FirstOnes,
}
