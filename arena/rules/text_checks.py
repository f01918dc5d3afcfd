"""What the scores of a text mean: the action for each category, and the forms of a text that are scored.

A category counts as found when its score reaches the threshold, or, without one, when the backend flags it.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

from arena.rules.folded_text import ENCLOSED, INVISIBLE_LETTERS, LOOKALIKES, fold_word

EVERY_OTHER = "*"
PIECE, OVERLAP = 6_000, 200  # characters: a long text is scored in pieces, so that nothing hides at its end
MOST_PIECES = 64  # of a text in all its forms

WORD = re.compile(r"\w+")
LATIN = re.compile("[A-Za-z]")
OTHER = re.compile(f"[{''.join(letter for letter in LOOKALIKES if not letter.isascii())}]")
SMALL = re.compile(
    f"[{''.join(letter for letter in LOOKALIKES if unicodedata.name(letter).startswith('LATIN LETTER'))}]"
)
# Single letters with up to three signs, spaces or line ends between them: l i k e, t/h/i/s
SPACED = re.compile(r"(?<![^\W_])[^\W_](?:[\W_]{1,3}[^\W_]){3,}(?![^\W_])")
BETWEEN = re.compile(r"[\W_]+")
# Markup within a word, which a page does not show: b**o**mb, b<i></i>omb
MARKUP = re.compile(r"(?<=[^\W_])(?:[*~`]{1,3}|<[/a-zA-Z!][^<>\n]{0,200}>)+(?=[^\W_])")
LONGEST_EXPANSION = 3  # letters of a ligature; one character of Arabic means 18, which no reader takes for them
PARENTHESISED = 0x249C  # ⒜ to ⒵


class Action(IntEnum):
    """What follows when a category is found; a higher one includes the lower ones."""

    OFF = 0
    LOG = 1
    WARN = 2  # the voter sees a notice, and the battle goes on
    BLOCK = 3  # a prompt is refused, completions are withheld

    @property
    def word(self) -> str:
        """The action as in settings and tables."""
        return self.name.lower()


@dataclass(frozen=True)
class Rule:
    """The action for a category, and the score from which on it follows (None: the backend decides)."""

    action: Action
    threshold: float | None = None


Rules = Mapping[str, Rule]  # by category; "*" is for those that are not named


@dataclass(frozen=True)
class Scores:
    """The score of each category from 0 to 1, and the categories that the backend itself flags."""

    scores: Mapping[str, float]
    flagged: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Finding:
    """The strongest action that follows, and the categories that were found with their actions."""

    action: Action
    found: Mapping[str, Action] = field(default_factory=dict)


class MissingCategories(ValueError):
    """The backend has not scored a category that the rules name."""


def finding(scores: Scores, rules: Rules) -> Finding:
    """What follows from the scores. Raises `MissingCategories`: a category that nobody scored is not passed."""
    missing = [
        name for name, rule in rules.items() if rule.action and name != EVERY_OTHER and name not in scores.scores
    ]
    if missing:
        raise MissingCategories(f"no score for {', '.join(sorted(missing))}")
    found = {name: action for name in scores.scores if (action := _action(name, scores, rules))}
    return Finding(max(found.values(), default=Action.OFF), dict(sorted(found.items())))


def _action(name: str, scores: Scores, rules: Rules) -> Action:
    rule = rules.get(name) or rules.get(EVERY_OTHER)
    if rule is None:
        return Action.OFF
    reached = name in scores.flagged if rule.threshold is None else scores.scores[name] >= rule.threshold
    return rule.action if reached else Action.OFF


def highest(pieces: Iterable[Scores]) -> Scores:
    """The highest score of each category among the pieces of a text; those that each piece has."""
    all_pieces = list(pieces)
    names = set.intersection(*(set(piece.scores) for piece in all_pieces)) if all_pieces else set()
    scores = {name: max(piece.scores[name] for piece in all_pieces) for name in sorted(names)}
    return Scores(scores, frozenset().union(*(piece.flagged for piece in all_pieces)))


def pieces_of(text: str) -> list[str]:
    """What is scored of a text: its pieces, and those of its plain form where that differs."""
    plain = plain_form(text)
    forms = [text] if plain == text else [text, plain]
    return [piece for form in forms for piece in _pieces(form)]


def plain_form(text: str) -> str:
    """The text without the tricks that hide words from a classifier and not from a reader.

    Ordinary width and style, no invisible characters and no markup within words, Latin letters in words that mix
    alphabets, no letters apart. At most `LONGEST_EXPANSION` times as long as the text.

    >>> plain_form("ｂ​оmb, b.o.m.b, 𝐛𝐨𝐦𝐛; b**o**mb; 🅱🅾🅼🅱; ʙᴏᴍʙ")
    'bomb, bomb, bomb; bomb; bomb; bomb'
    """
    shown = "".join(map(_ordinary, html.unescape(text)))
    kept = "".join(letter for letter in unicodedata.normalize("NFC", shown) if not _hides(letter))
    words = WORD.sub(_latin, MARKUP.sub("", kept))
    return SPACED.sub(lambda match: BETWEEN.sub("", match[0]), words)


def _ordinary(character: str) -> str:
    """A character of ordinary width and style, without the frame around a letter."""
    if character.isascii():
        return character
    for first, count in (*ENCLOSED, (PARENTHESISED, 26)):
        if first <= ord(character) < first + count:
            return chr(ord("a") + ord(character) - first)
    normal = unicodedata.normalize("NFKC", character)
    return normal if len(normal) <= LONGEST_EXPANSION else character


def _hides(letter: str) -> bool:
    if letter in INVISIBLE_LETTERS:
        return True
    return unicodedata.category(letter) in ("Cf", "Mn", "Me", "Cn", "Co") and not letter.isascii()


def _latin(match: re.Match[str]) -> str:
    word = match[0]
    mixed = LATIN.search(word) and OTHER.search(word)
    return fold_word(word) if mixed or SMALL.search(word) else word


def _pieces(text: str) -> Iterator[str]:
    for start in range(0, max(1, len(text) - OVERLAP), PIECE - OVERLAP):
        yield text[start : start + PIECE]
