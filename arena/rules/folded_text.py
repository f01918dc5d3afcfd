"""A text as a reader sees its letters: case, width, accents, lookalikes, invisible characters and markup folded away.

Folding keeps a map back to the positions of the original text, so that a match can be replaced there.
"""

from __future__ import annotations

import html
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

DROPPED = "\x00"  # no character at all: an accent, a vowel mark
SOFT = "\x01"  # invisible: markup, a zero-width character; it may stand inside a word
LONGEST_MARKUP = 200  # characters of a tag or an address that are searched for its end

# Letters of other alphabets by what they look like (Unicode TR 39, the part that spells Latin names).
LOOKALIKES = dict(
    zip(
        "АаВвЕеКкМмНнОоРрСсТтУуХхІіЈјЅѕԁԚԛԜԝҺһӀӏΑαΒΕεΖΗΙιΚκΜΝνΟοΡρΤτΥΧχօսհıɡɑøØłŁđĐʟᴀʙᴄᴅᴇꜰɢʜɪᴊᴋᴍɴᴏᴘʀꜱᴛᴜᴠᴡʏᴢꞯ∂ℓ",
        "aabbeekkmmhhooppccttyyxxiijjssdqqwwhhllaabeezhiikkmnvooppttyxxouhigaoollddlabcdefghijkmnoprstuvwyzqdl",
        strict=True,
    )
)
PUNCTUATION = dict.fromkeys("’‘ʼ´′", "'") | dict.fromkeys("“”„«»「」『』〝〞", '"') | dict.fromkeys("·•‧∙・･", ".")
LIGATURES = "ﬀﬁﬂﬃﬄﬅﬆǄǅǆǇǈǉǊǋǌỺỻ"
INVISIBLE_LETTERS = "\u115f\u1160\u3164\uffa0\u2800"
ENCLOSED = ((0x1F130, 26), (0x1F150, 26), (0x1F170, 26), (0x1F1E6, 26))  # squared and circled A to Z

# Commands that show their argument (\textbf{…}), that show nothing but space, and that set how the next letters look.
LATEX = (
    r"\\(?:color|textcolor|colorbox|hspace\*?|vspace\*?|[hv]?phantom|href|raisebox)\{[^{}\n]{0,60}\}|\\[a-z]{1,24}\*?(?=\{)|\\[()\[\]]"
    r"|\\(?:kern|hskip|mkern|mskip)[ ]?-?\d{0,3}(?:\.\d{0,3})?(?:pt|em|ex|mu|cm|mm|in|px)?[ ]?|\\[,!;:> ]"
    r"|\\(?:rm|bf|it|sf|tt|cal|tiny|scriptsize|footnotesize|small|normalsize|large|huge|displaystyle|textstyle|"
    r"scriptstyle|relax|null|quad|qquad|thinspace|negthinspace|nobreak|allowbreak|noindent)(?![a-z])[ ]?"
)
TAG = rf"<!--(?:(?!-->)[^\n]){{0,{LONGEST_MARKUP}}}-->|</?[a-z][^<>\n]{{0,{LONGEST_MARKUP}}}>"
ADDRESS = (
    rf"(?:<[^<>\n]{{0,{LONGEST_MARKUP}}}>|[^()\s]{{0,{LONGEST_MARKUP}}}(?:\([^()\s]{{0,60}}\)[^()\s]{{0,60}})?)"
)
TITLE = r"(?:[ \t\n]{1,3}(?:\"[^\"\n]{0,200}\"|'[^'\n]{0,200}'|\([^()\n]{0,200}\)))?"
LINK = rf"\](?:\([ \t]{{0,3}}{ADDRESS}{TITLE}[ \t]{{0,3}}\)|\[[^\[\]\n]{{0,60}}\])?"
LINK_BEGINNING = (
    rf"\](?:\([ \t]{{0,3}}(?:<[^<>\n]{{0,{LONGEST_MARKUP}}}>?"
    rf"|[^()\s]{{0,{LONGEST_MARKUP}}}(?:\([^()\s]{{0,60}}(?:\)[^()\s]{{0,60}})?)?)"
    r"(?:[ \t\n]{1,3}(?:\"[^\"\n]{0,200}\"?|'[^'\n]{0,200}'?|\([^()\n]{0,200}\)?)?[ \t]{0,3})?|\[[^\[\]\n]{0,60})?"
)
CHARACTER = r"\\char(?:\d{1,4}|\"[0-9a-f]{1,4}|'[0-7]{1,4})(?![0-9])[ ]?"
SPECIAL = re.compile(
    rf"(?P<dropped>\x00+)|(?P<ligature>[{LIGATURES}])"
    r"|(?P<entity>&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,24});)"
    rf"|(?P<character>{CHARACTER})"
    rf"|(?P<line></?(?:br|p|div|li|tr|td|th|h[1-6])(?![a-z0-9])[^<>\n]{{0,{LONGEST_MARKUP}}}>)"
    rf"|(?P<soft>(?:\[\^[^\[\]\n]{{1,20}}\]|!(?=\[)|[\x01*~`{{}}\[$^]|{LINK}|{TAG}|(?!{CHARACTER})(?:{LATEX})|\\(?=[^\w\s]))+)"
)
# Whatever begins here may become markup when more text arrives.
INCOMPLETE = re.compile(
    rf"(?:&#?[a-z0-9]{{0,24}}|<(?:!--(?:(?!-->)[^\n]){{0,{LONGEST_MARKUP}}}|!-?|/?(?:[a-z][^<>\n]{{0,{LONGEST_MARKUP}}})?)"
    rf"|\\(?:[a-z]{{0,24}}\*?(?:\{{[^{{}}\n]{{0,60}}\}}?|[ ]?[-\"']?[0-9a-f.]{{0,8}}[a-z]{{0,2}}[ ]?)?|[,!;:> ])"
    rf"|!|\[(?:\^[^\[\]\n]{{0,20}})?|{LINK_BEGINNING})++\Z"
)


OPENING = re.compile(r"[(<\[]")
SHORTEST_HIDDEN = 4  # characters


@dataclass(frozen=True)
class FoldedText:
    """Folded `text`; character `folded[i]` begins at `original[i] + position - folded[i]` of the original text."""

    text: str
    folded: tuple[int, ...]
    original: tuple[int, ...]
    hidden: tuple[tuple[int, int], ...] = ()  # addresses, titles and attributes in the original text

    def position(self, position: int) -> int:
        """The position in the original text of a position in the folded text."""
        index = bisect_right(self.folded, position) - 1
        return self.original[index] + position - self.folded[index]


def fold(text: str) -> FoldedText:
    """The folded text, with `SOFT` for each run of markup and invisible characters.

    >>> fold("Q&#8203;wén **is** Ｈere").text
    'q\\x01wen \\x01is\\x01 here'
    """
    same_length = text.translate(LETTERS)
    pieces: list[str] = []
    folded, original = [0], [0]
    length = end = 0
    after_soft = False
    hidden: list[tuple[int, int]] = []
    for match in SPECIAL.finditer(same_length):
        start, next_end = match.span()
        if next_end - start > SHORTEST_HIDDEN and (opening := OPENING.search(text, start, next_end)):
            hidden.append((opening.end(), next_end))
        if start > end:
            pieces.append(same_length[end:start])
            length += start - end
            after_soft = False
        replacement = SOFT if match.lastgroup == "soft" else _replacement(match, text)
        if replacement and not (after_soft and replacement == SOFT):
            pieces.append(replacement)
            folded.append(length)
            original.append(start)
            length += len(replacement)
            after_soft = replacement == SOFT
        end = next_end
        folded.append(length)
        original.append(end)
    pieces.append(same_length[end:])
    return FoldedText("".join(pieces), tuple(folded), tuple(original), tuple(hidden))


def fold_word(text: str) -> str:
    """The folded letters of a name or a phrase, with its spaces and punctuation."""
    return fold(text).text.replace(SOFT, "")


def complete_length(text: str) -> int:
    """The length of `text` without markup at its end that more text may complete."""
    size = LONGEST_MARKUP + 10
    while True:
        start = max(0, len(text) - size)
        incomplete = INCOMPLETE.search(text[start:].translate(LETTERS))
        if incomplete is None or incomplete.start() > 0 or start == 0:
            return start + incomplete.start() if incomplete else len(text)
        size *= 2  # a row of pieces, each of which may be completed


def _replacement(match: re.Match[str], text: str) -> str:
    """What the reader sees of an entity, a ligature, a tag that begins a line, or an accent."""
    kind = match.lastgroup
    if kind in ("dropped", "line"):
        return "" if kind == "dropped" else "\n"
    written = text[match.start() : match.end()]
    if kind == "character":
        return _character(written)
    letters = unicodedata.normalize("NFKD", html.unescape(written) if kind == "entity" else written)
    replacement = letters.replace("ỻ", "ll").replace("Ỻ", "ll").translate(LETTERS).replace(DROPPED, "")
    return SOFT if replacement.strip("*~`{}[]$\x01") == "" else replacement


def _character(written: str) -> str:
    r"""What LaTeX shows for `\char81`."""
    digits = written.removeprefix("\\char").strip()
    base = {'"': 16, "'": 8}.get(digits[0], 10)
    return chr(int(digits if base == 10 else digits[1:], base)).translate(LETTERS).replace(DROPPED, "")


class _Letters(dict[int, str]):
    """For `str.translate`: exactly one folded character for each character; computed when first needed."""

    def __missing__(self, code: int) -> str:
        self[code] = folded = _folded(chr(code))
        return folded


def _folded(character: str) -> str:
    if fixed := LOOKALIKES.get(character) or PUNCTUATION.get(character):
        return fixed
    category = unicodedata.category(character)
    if category in ("Mn", "Me") or character == "ـ":  # the last one lengthens Arabic letters
        return DROPPED
    if (category in ("Cf", "Cc", "Co", "Cs") and character not in "\t\n\r") or character in INVISIBLE_LETTERS:
        return SOFT
    if category == "Pd":
        return "-"
    if category in ("Zs", "Zl", "Zp"):
        return "\n" if category != "Zs" else " "
    for first, count in ENCLOSED:
        if first <= ord(character) < first + count:
            return chr(ord("a") + ord(character) - first)
    return character if character in LIGATURES else _decomposed(character)


def _decomposed(character: str) -> str:
    """The base letter in lower case, or the character itself where that is no single letter."""
    if "가" <= character <= "힣":
        return character
    letters = [letter for letter in unicodedata.normalize("NFKD", character) if not unicodedata.combining(letter)]
    folded = "".join(LOOKALIKES.get(letter, letter.casefold()) for letter in letters)
    if len(folded) != 1:
        folded = character.casefold()
    return folded if len(folded) == 1 else character


def _ascii() -> Iterator[tuple[int, str]]:
    return ((code, _folded(chr(code))) for code in range(128))


LETTERS = _Letters(_ascii())
