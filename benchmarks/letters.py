"""The letter of the choice that a free reply settles on, or None: nothing is guessed.

The set of labelled replies in `reproduce/replies` measures it (`reproduce/reply_reading.py`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

from benchmarks import letter_patterns as patterns
from benchmarks.markup import plain_text
from benchmarks.stated import OF_CHOICES, RETRACTED, is_supposed, sentence_before, statements

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
SHORT_REPLY = 400  # characters of a reply whose words may name the choice
SHOWN_AFTER = 400  # characters after a statement that are looked at
NONE = ""  # a reader's result where the reply settles on several choices or on a letter that is none


def choice_letter(text: str, choices: Sequence[str]) -> str | None:
    """The letter of one of `choices` that a reply settles on; None where it settles on none or on several.

    In this order: the reply is the words of one choice; its last statement ("the answer is B", "故选B", "so B.", a
    box); verdicts about single choices ("B is correct"); the letter on the last line, or at the beginning; a letter
    in bold, or beside the words of its choice; the one choice that a short reply names.
    """
    plain = plain_text(text)
    cut = patterns.QUESTION_AFTER.search(plain)
    if cut and (letter := _settled(_Reply(text, plain[: cut.start()].rstrip(), choices))):
        return letter  # models without chat training go on with a question of their own
    return _settled(_Reply(text, plain, choices)) or None


def _settled(reply: _Reply) -> str:
    for reader in READERS:
        letter = reader(reply)
        if letter is not None:
            return letter
    return NONE


@dataclass(frozen=True)
class _Reply:
    """A reply as it came, its `plain_text`, and the choices."""

    raw: str
    text: str
    choices: Sequence[str]

    @cached_property
    def letters(self) -> str:
        return LETTERS[: len(self.choices)]

    @cached_property
    def words(self) -> dict[str, str]:
        """The words of every choice as they are compared, by letter."""
        return {
            letter: compared(plain_text(choice))
            for letter, choice in zip(self.letters, self.choices, strict=False)
        }

    @cached_property
    def listings(self) -> list[tuple[int, int]]:
        """Where the reply repeats the choices, one per line from A on, as (start, end)."""
        spans: list[tuple[int, int]] = []
        items = list(patterns.ITEM.finditer(self.text))
        for at, item in enumerate(items):
            follows = at > 0 and ord(item.group(1)) == ord(items[at - 1].group(1)) + 1
            if follows and spans and spans[-1][1] == items[at - 1].end():
                spans[-1] = (spans[-1][0], item.end())
            elif follows and items[at - 1].group(1) == "A":
                spans.append((items[at - 1].start(), item.end()))
        return spans

    def is_listed(self, place: int) -> bool:
        return any(start <= place < end for start, end in self.listings)

    def known(self, letter: str) -> str:
        return letter if letter in self.letters else NONE

    def named_at_once(self, rest: str) -> str | None:
        """The letter of the longest choice whose words `rest` begins with."""
        said = rest.lstrip(" :\n(").removeprefix("the ").casefold()
        fits = [
            (len(words), letter)
            for letter, words in self.words.items()
            if words and said.startswith(words) and patterns.AFTER_WORDS.match(said, len(words))
        ]
        return max(fits)[1] if fits else None

    def of_line(self, line: str) -> str | None:
        """The letter of a line that has a letter, alone or with the words of its choice."""
        line = line.strip()
        match = patterns.FIRST.match(line.removeprefix("A: ") if len(line) < len("A: (B).") else line)
        if match is None or (letter := match.group(1).upper()) not in self.letters:
            return None
        rest = compared(match["rest"]).strip("()[]! ")
        return letter if rest in ("", self.words[letter]) else None


def is_choice(reply: _Reply) -> str | None:
    said = compared(reply.text)
    same = [letter for letter, words in reply.words.items() if words == said]
    return same[0] if len(same) == 1 else None


def stated(reply: _Reply) -> str | None:
    settled = [
        (place, letter)
        for place in statements(reply.text, OF_CHOICES)
        if (letter := _stated_at(reply, place)) is not None
    ]
    for match in patterns.VERDICT.finditer(reply.text):
        if patterns.STRONG.search(match.group()) and not _is_doubted(reply, match):
            settled.append((match.end(), reply.known(match.group(1))))
    settled += concluded(reply)
    if not settled:
        return None
    place, letter = max(settled, key=lambda found: found[0])
    retraction = RETRACTED.search(reply.text, place)
    return NONE if retraction and not reply.text[retraction.end() :].strip(" .!。") else letter


def _stated_at(reply: _Reply, place: int) -> str | None:
    """The letter at a place after the words that announce it; `NONE` for several or for no choice's letter."""
    rest = reply.text[place : place + SHOWN_AFTER]
    if reply.is_listed(place) or patterns.NEGATION.match(rest) or patterns.ABSENT.match(rest):
        return None
    match = patterns.LETTER.match(rest)
    if match is None:
        return reply.named_at_once(rest)
    written = match[match.lastgroup or 0]
    after = rest[match.end() :]
    if reply.is_listed(place + match.end() - 1) or patterns.QUESTIONED.match(after):
        return None
    if written in "AI" and patterns.ARTICLE.match(after):
        return reply.named_at_once(rest)
    return NONE if patterns.OTHER_LETTER.match(after) else reply.known(written.upper())


def judged(reply: _Reply) -> str | None:
    """The one choice that is called right, or is marked right in a list."""
    right = {match.group(1) for match in patterns.VERDICT.finditer(reply.text) if not _is_doubted(reply, match)}
    for match in patterns.ITEM.finditer(reply.text):
        line = match.group()
        if patterns.RIGHT_MARK.search(line) and not patterns.WRONG_MARK.search(line):
            right.add(match.group(1))
    return reply.known(right.pop()) if len(right) == 1 else None


def _is_doubted(reply: _Reply, match: re.Match[str]) -> bool:
    return patterns.DOUBTED.search(sentence_before(reply.text, match.start())) is not None


def concluded(reply: _Reply) -> list[tuple[int, str]]:
    """The letters after "so", "it's", "clearly", with their places."""
    found = []
    for match in patterns.CONCLUSION.finditer(reply.text):
        after = reply.text[match.end() : match.end() + SHOWN_AFTER]
        is_pronoun = match.group(1) == "I" and after.lstrip().startswith(",")
        doubted = is_supposed(sentence_before(reply.text, match.start()))
        if match.group(1) in reply.letters and not (is_pronoun or doubted or patterns.QUESTIONED.match(after)):
            found.append((match.end(), match.group(1)))
    return found


def last_line(reply: _Reply) -> str | None:
    before, _, line = reply.text.rpartition("\n")
    start = len(before) + 1 if before else 0
    return None if reply.is_listed(start) else reply.of_line(line)


def beginning(reply: _Reply) -> str | None:
    """A letter and a mark at the beginning, unless the text goes on about that letter or lists the choices."""
    match = patterns.FIRST.match(reply.text)
    if match is None or reply.is_listed(0):
        return None
    written, mark, rest = match.group(1), match["mark"].strip(" "), match["rest"]
    if written == "A" and mark == ":" and reply.named_at_once(rest) != "A":  # as in "Q: … A: …"
        return choice_letter(rest, reply.choices) if rest.strip() else None
    if (letter := written.upper()) not in reply.letters:
        return None
    if _stands_alone(reply, letter, mark, rest):
        return letter
    if mark not in (".", ":", ")", "]", "。", "、") or written.islower():
        return None
    denied = patterns.DENIED.match(rest) or patterns.GOES_ON.match(rest)
    several = patterns.OTHER_LETTER.match(reply.text[match.end(1) :])
    enumerated = letter == "A" and patterns.ANOTHER_ITEM.search(rest.partition("\n")[0])
    return None if denied or several or enumerated else letter


def _stands_alone(reply: _Reply, letter: str, mark: str, rest: str) -> bool:
    """Whether the letter is alone on its line or before the words of its choice."""
    if not mark.strip() and not rest.startswith("("):
        return True
    line = compared(rest.partition("\n")[0]).strip("()[]! ")
    if line == reply.words[letter]:
        return True
    return reply.named_at_once(rest) == letter and not patterns.ANOTHER_ITEM.search(rest)


def in_bold(reply: _Reply) -> str | None:
    spans = {reply.of_line(plain_text(span)) for span in patterns.BOLD.findall(reply.raw)} - {None}
    return spans.pop() if len(spans) == 1 else None


def beside_its_words(reply: _Reply) -> str | None:
    """A letter beside the words of its choice: "Jupiter (B)", "the principle of A. diffusion"."""
    text, found = reply.text.casefold(), set()
    for letter, words in reply.words.items():
        own, small = re.escape(words), letter.lower()
        after = rf"{own}\s?\((?:option |choice |选项|選項)?{small}\)"
        before = rf"(?<![a-z]){small}[).:]\s?{own}(?![a-z0-9])"
        for match in re.finditer(rf"{after}|{before}" if words else after, text):
            if not patterns.NEGATIVE.search(sentence_before(text, match.start())):
                found.add(letter)
    return found.pop() if len(found) == 1 else None


def named(reply: _Reply) -> str | None:
    """The one choice whose words a short reply without a negation has where an answer stands."""
    if len(reply.text) > SHORT_REPLY or patterns.NEGATIVE.search(reply.text):
        return None
    text, places = reply.text.casefold(), {}
    for letter, words in reply.words.items():
        whole = rf"(?<![a-z0-9.,]){re.escape(words)}(?![a-z0-9]|[.,]\d)"
        if words and (matches := list(re.finditer(whole, text))):
            places[letter] = matches
    longest = [
        one
        for one in places
        if not any(reply.words[one] in reply.words[other] for other in places if other != one)
    ]
    if len(longest) != 1:
        return None
    for match in places[longest[0]]:
        before, after = text[: match.start()], text[match.end() :]
        if patterns.BEFORE_NAME.search(before) and patterns.AFTER_NAME.match(after):
            return longest[0]
    return None


def compared(text: str) -> str:
    """Words as they are compared: no full stops, single spaces, no capitals."""
    return re.sub(r"[\s.。]+", " ", text).strip().casefold()


READERS: tuple[Callable[[_Reply], str | None], ...] = (
    is_choice, stated, judged, last_line, beginning, in_bold, beside_its_words, named,
)  # fmt: skip
