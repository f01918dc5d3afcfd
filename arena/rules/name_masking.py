"""Masking of model names while a battle is blind.

A completion such as “I am SmolLM” would identify its model. Until the vote, the names of all served models are masked;
after the vote the original text is shown. A name that is also an ordinary word (Gemma, Claude, Google) is masked only
where the text speaks of its own author, and so are the names of families that are not served.
`docs/decisions/every-name-is-masked.md` has the reasons and the measured precision and recall.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import islice
from typing import NamedTuple

from arena.rules.author_phrases import ENGLISH
from arena.rules.author_signs import PAIR, PAIR_LENGTH, REACH, AuthorSigns
from arena.rules.folded_text import SOFT, FoldedText, complete_length, fold
from arena.rules.name_aliases import Family, shipped_families
from arena.rules.name_kinds import pattern_of
from arena.rules.name_patterns import GrowingSearch, Name, NamePattern
from arena.rules.self_identification import SelfIdentification

MASK = "▇▇▇▇"  # one length for every name
MANY = 5000  # names in a block after which its rest is masked as one, which bounds the time
LEAD = 200  # characters before a block that its names are judged by, too
SHORT_BLOCK = 200  # characters before which no empty line ends a block
LONG_BLOCK = 1000  # characters after which a sentence ends a block
PARAGRAPH = re.compile(r"\n[ \t\r]*\n")
PARAGRAPH_OR_SENTENCE = re.compile(rf"{PARAGRAPH.pattern}|(?<=[^\W\d_]{{3}})[.!?]\s|(?<=[^\W\d_])[。！？]")

# What may stand between two names, the first of which is masked: Gemma by Google, Qwen (Alibaba), Googleの Gemma
CHAIN_LENGTH = 14
CHAIN = re.compile(
    rf"[\s{SOFT}'\"(),/-]{{0,4}}(?:(?:by|from|de|par|from the|的|之|の|의|من)[\s{SOFT}]{{0,2}})?(?:the )?"
)
SAME_SENTENCE = 60  # characters between a name of the author and a further one
FORWARD_LENGTH = 4
FORWARD = re.compile(rf"{SOFT}?(?:'?s?[\s-]|'s {SOFT}?|の|的|의 ?|-)?{SOFT}?")
COMPOUND = re.compile(r"-(?!based|powered|family|like|style|\d)[a-z]")
CAPITALISED = re.compile(r"[*_]{0,3} {1,2}([A-Z][a-z]+)")
NOT_SURNAMES = frozenset(ENGLISH.split("|")) | frozenset(
    ("and", "but", "or", "i", "my", "here", "speaking", "how", "what", "hello", "hi", "ai", "models", "it")
)
OWNED = re.compile(rf"'s[\s{SOFT}]+(?!(?:{ENGLISH}|latest|newest|first|next)(?![a-z]))[a-z]")
ANY_VERSION = re.compile(r"\D\d")
SIZE = re.compile(r"\d[bm](?![a-z])|-\d+\.\d|instruct|chat|preview")


class Candidate(NamedTuple):
    """A name in the folded text."""

    start: int
    end: int
    kind: str


class NameMasker:
    """Masks names, and holds back the end of a growing text where a name may begin."""

    def __init__(self, names: Iterable[str], families: Sequence[Family] | None = None) -> None:
        self._names = frozenset(name.strip() for name in names if name.strip())
        self._families = shipped_families() if families is None else tuple(families)

    def compile(self) -> None:
        """Compile the names now, in up to half a second; otherwise the first text waits for it."""
        _ = self._pattern

    @cached_property
    def _pattern(self) -> NamePattern:
        return pattern_of(self._names, self._families)

    def names_a_model(self, text: str) -> bool:
        """Whether a name in the text is masked."""
        if not self._names:
            return False
        return any(self._masked(block, True, before)[0] for before, block in _with_leads(text))

    def hide(self, text: str, whole: bool = True) -> str:
        """`text` with the names masked. Unless it is `whole`, an end that may become or make a name is held back."""
        return GrowingText(self).show(text, whole) if self._names else text

    def hide_block(self, text: str, whole: bool, before: str, search: GrowingSearch | None = None) -> str:
        """One block with the names masked, which stands after `before`; see `blocks`.

        `search` is that of a block while it grows.
        """
        if not self._names or text.isspace():
            return text
        spans, shown = self._masked(text, whole, before, search)
        pieces: list[str] = []
        end = 0
        for start, stop in spans:
            pieces += (text[end:start], MASK)
            end = stop
        return "".join(pieces) + text[end:shown]

    def _masked(
        self, text: str, whole: bool, before: str, search: GrowingSearch | None = None
    ) -> tuple[list[tuple[int, int]], int]:
        """The spans to mask and the length of the text that can be shown."""
        folded = fold(text if whole else text[: complete_length(text)])
        return _Decisions(text, folded, self._pattern, whole, before, search or GrowingSearch()).spans()


class GrowingText:
    """The shown part of one completion while it grows; finished blocks are masked once."""

    def __init__(self, masker: NameMasker) -> None:
        self._masker = masker
        self._shown = ""  # of the finished blocks
        self._start = 0  # of the last block
        self._last: tuple[int, bool, str] = (-1, False, "")
        self._search = GrowingSearch()

    def show(self, text: str, whole: bool) -> str:
        """The text with names masked; `text` begins with the one before, or is a shorter beginning of it."""
        length, was_whole, last = self._last
        if len(text) < length:
            self._shown, self._start, self._search = "", 0, GrowingSearch()
        if (length, was_whole) != (len(text), whole):
            while (end := block_end(text, self._start)) is not None:
                self._shown += self._masker.hide_block(text[self._start : end], True, lead(text, self._start))
                self._start, self._search = end, GrowingSearch()
            rest, before = text[self._start :], lead(text, self._start)
            last = self._shown + self._masker.hide_block(rest, whole, before, self._search)
            self._last = (len(text), whole, last)
        return last


def block_end(text: str, start: int) -> int | None:
    """Where the block that begins at `start` ends: at an empty line or, when long, with a sentence."""
    long = start + LONG_BLOCK
    match = PARAGRAPH.search(text, start + SHORT_BLOCK, long) or PARAGRAPH_OR_SENTENCE.search(text, long)
    return match.end() if match else None


def blocks(text: str) -> Iterator[str]:
    """The parts of a text that are searched on their own, so that a growing text costs time linear in its length."""
    start = 0
    while (end := block_end(text, start)) is not None:
        yield text[start:end]
        start = end
    yield text[start:]


def lead(text: str, start: int) -> str:
    """The end of what stands before the block that begins at `start`."""
    return text[max(0, start - LEAD) : start]


def _with_leads(text: str) -> Iterator[tuple[str, str]]:
    start = 0
    for block in blocks(text):
        yield lead(text, start), block
        start += len(block)


def names_of(model: str, aliases: Iterable[str] = ()) -> set[str]:
    """The names that identify a model: its name, the last part of a path, its family, its aliases.

    >>> sorted(names_of("org/SmolLM2-135M-Instruct"))
    ['SmolLM', 'SmolLM2-135M-Instruct', 'org/SmolLM2-135M-Instruct']
    """
    last = model.rsplit("/", 1)[-1]
    family = re.split(r"[-_: .\d]", last, maxsplit=1)[0]
    return {model, last, family, *aliases}


class _Decisions:
    """Which candidates of one block are masked, from left to right."""

    def __init__(
        self,
        text: str,
        folded: FoldedText,
        pattern: NamePattern,
        whole: bool,
        before: str,
        search: GrowingSearch,
    ) -> None:
        self._text, self._folded, self._whole, self._before = text, folded, whole, before
        self._pattern = pattern
        found: Iterable[Name]
        if whole:
            found, self._known = islice(pattern.find(folded.text), MANY + 1), len(folded.text)
        else:
            found, self._known = search.find(pattern, folded.text, MANY + 1)
        self._candidates = [Candidate(*name) for name in found]

    @cached_property
    def _context(self) -> SelfIdentification:
        return SelfIdentification(self._lead + self._folded.text, len(self._lead))

    @cached_property
    def _signs(self) -> AuthorSigns:
        return AuthorSigns(self._lead + self._folded.text)

    @cached_property
    def _lead(self) -> str:
        return fold(self._before).text

    def spans(self) -> tuple[list[tuple[int, int]], int]:
        """The spans to mask in the original text, and how much of the text can be shown."""
        spans: list[tuple[int, int]] = []
        named, shown = None, self._known
        for index, candidate in enumerate(self._candidates):
            if candidate.end > self._known or candidate.start >= self._known:
                shown = min(shown, candidate.start)
                break
            if index == MANY:
                return [*spans, (self._folded.position(candidate.start), len(self._text))], len(self._text)
            decision = self._decide(index, candidate, named)
            if decision is None:
                shown = candidate.start
                break
            if decision:
                named = candidate
                spans.append((self._folded.position(candidate.start), self._folded.position(candidate.end)))
        length = len(self._text) if self._whole else self._folded.position(shown)
        return sorted([*spans, *self._hidden(spans, length)]), length

    def _hidden(self, spans: Sequence[tuple[int, int]], length: int) -> Iterator[tuple[int, int]]:
        """The names in addresses, titles and attributes, outside `spans`, in the first `length` characters."""
        ends = [end for _, end in spans]
        for start, end in self._folded.hidden:
            index = bisect_right(ends, start)
            if end <= length and (index == len(spans) or spans[index][0] >= end):
                inner = fold(self._text[start:end])
                for first, last, kind in self._pattern.find(inner.text):
                    if kind == "name":
                        yield start + inner.position(first), start + inner.position(last)

    def _decide(self, index: int, candidate: Candidate, named: Candidate | None) -> bool | None:
        """Whether to mask a name; `None` if the text after it is not yet known."""
        if self._is_name(candidate):
            return True
        if self._is_part_of_another_name(candidate):
            return False
        start, end, organisation = candidate.start, candidate.end, candidate.kind == "organisation"
        if named is not None and self._follows(candidate, named):
            return True
        shift = len(self._lead)
        if self._context.before(start + shift, organisation, named.end + shift if named else -1):
            if not organisation or not OWNED.match(self._folded.text, end):
                return True
            return bool(self._next(index)) if self._is_known(end + FORWARD_LENGTH + 1) else None
        if not self._is_known(end + REACH):
            return None
        following = self._next(index)
        if self._context.after(start + shift, end + shift, organisation) or (
            following and self._is_name(following)
        ):
            return True
        if not self._before.strip() and not organisation and self._context.is_header(start + shift, end + shift):
            return True
        if self._signs.is_paragraph(start + shift, end + shift) or self._context.is_alone(
            start + shift, end + shift
        ):
            return True
        return self._is_proper(candidate) and self._is_near_a_sign(index, candidate)

    def _is_near_a_sign(self, index: int, candidate: Candidate) -> bool:
        """Whether something near the name, or the name on its own, says that the author is a model."""
        start, end = candidate.start + len(self._lead), candidate.end + len(self._lead)
        if self._is_a_pair(index):
            return True
        if candidate.kind in ("word", "counted"):
            if self._signs.is_value(start, end):
                return True
        elif self._signs.is_answer(start, end) or self._signs.is_passive(start, end):
            return True
        if candidate.kind == "organisation" and self._is_product(index):
            return False
        return self._signs.before(start) or self._signs.after(end)

    def _is_proper(self, candidate: Candidate) -> bool:
        """Whether the name does not begin with a small letter."""
        return not self._text[self._folded.position(candidate.start)].islower()

    def _is_a_pair(self, index: int) -> bool:
        """Whether a model and a maker follow each other: Claude, made by Anthropic; Google's Gemma."""
        return any(
            self._is_proper(following) and self._are_paired(self._candidates[index], following)
            for following in self._candidates[index + 1 : index + 2]
        )

    def _are_paired(self, candidate: Candidate, following: Candidate) -> bool:
        """Whether one of the two is a model, the other a maker, and nothing else stands between them."""
        if (candidate.kind == "organisation") == (following.kind == "organisation"):
            return False
        gap = following.start - candidate.end
        return gap <= PAIR_LENGTH and bool(PAIR.fullmatch(self._folded.text, candidate.end, following.start))

    def _is_product(self, index: int) -> bool:
        """Whether a word makes it the name of something else: Google Maps."""
        following = CAPITALISED.match(self._text, self._folded.position(self._candidates[index].end))
        return following is not None and following[1].casefold() not in NOT_SURNAMES and not self._next(index)

    def _is_known(self, end: int) -> bool:
        """Whether no more text changes what stands before `end`."""
        return self._whole or end <= self._known

    def _follows(self, candidate: Candidate, named: Candidate) -> bool:
        """Whether the name belongs to the masked one before it: Gemma by Google; I am Claude, made at Anthropic."""
        start = candidate.start
        if start - named.end <= CHAIN_LENGTH and CHAIN.fullmatch(self._folded.text, named.end, start):
            return True
        if self._are_paired(named, candidate) and self._is_proper(candidate):
            return True
        shift = len(self._lead)
        if start - named.end > SAME_SENTENCE or not self._context.is_same_sentence(
            named.end + shift, start + shift
        ):
            return False
        if not self._is_name(named):
            return True  # masked because it is the author's
        return self._context.before(named.start + shift, False, -1) or self._context.begins_with_author(
            named.start + shift
        )

    def _is_name(self, candidate: Candidate) -> bool:
        """Whether the name cannot be anything else: Qwen, Llama 3.1."""
        written = self._folded.text[candidate.start : candidate.end]
        if candidate.kind == "counted":
            return bool(SIZE.search(written))
        return candidate.kind == "name" or (candidate.kind == "word" and bool(ANY_VERSION.search(written)))

    def _is_part_of_another_name(self, candidate: Candidate) -> bool:
        """Whether the word goes on: meta-analyse, Claude Monet."""
        if COMPOUND.match(self._folded.text, candidate.end):
            return True
        if candidate.kind == "organisation":
            return False
        following = CAPITALISED.match(self._text, self._folded.position(candidate.end))
        return following is not None and following[1].casefold() not in NOT_SURNAMES

    def _next(self, index: int) -> Candidate | None:
        """The name that follows at once: CodeGemma in Google's CodeGemma."""
        end = self._candidates[index].end
        for following in self._candidates[index + 1 : index + 2]:
            if following.start - end <= FORWARD_LENGTH and FORWARD.fullmatch(
                self._folded.text, end, following.start
            ):
                return following
        return None
