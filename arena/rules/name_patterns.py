"""Regular expressions that find many names at once, and the possible beginning of one at the end of a text.

The names become a trie, and the trie becomes one expression: searching takes time linear in the text, however many names
there are. All expressions are for folded text (`arena.rules.folded_text`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

from arena.rules.folded_text import SOFT, fold_word

BREAK = "\x02"  # between two parts of a name: Deep|Seek
LONGEST_NAME = 80  # characters
SHORT = 4  # letters: shorter names are not looked for in leetspeak or spelled out
LONGEST_MATCH = 320  # folded characters of a name with separators and its version
PARTS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])|\d+|[^\W\d_]")

KANA, HANGUL, HAN, ARABIC, CYRILLIC = "ァ-ヺー", "가-힣", "㐀-鿿", "ء-ي", "а-џ"
LATIN = "a-z0-9"
PREFIXES = (
    "و",
    "ف",
    "ب",
    "ل",
    "ك",
    "ال",
    "لل",
    "وال",
    "بال",
    "فال",
    "كال",
    "ول",
    "وب",
)  # written as one word in Arabic
LEFT = {
    "latin": f"(?<![{LATIN}])",
    "kana": f"(?<![{KANA}])",
    "hangul": f"(?<![{HANGUL}])",
    "han": "",
    "arabic": rf"(?:(?<![{ARABIC}])|{'|'.join(rf'(?<=[^{ARABIC}]{prefix})' for prefix in PREFIXES)})",
    "cyrillic": f"(?<![{LATIN}{CYRILLIC}])",
}
RIGHT = {
    "latin": f"s?(?![{LATIN}])",  # plurals
    "kana": f"(?![{KANA}])",
    "hangul": "",  # particles follow
    "han": "",
    "arabic": f"(?![{ARABIC}])",
    "cyrillic": f"[a-z{CYRILLIC}]{{0,3}}(?![{LATIN}{CYRILLIC}])",  # case endings
}
SCRIPTS = {"kana": KANA, "hangul": HANGUL, "han": HAN, "arabic": ARABIC, "cyrillic": "Ѐ-ӿ"}

JOINED = rf"{SOFT}?"  # between two letters
SPLIT = rf"[-_.'\\{SOFT}]{{0,3}}"  # between two letters of a name that is nothing else: Q-wen
PARTED = rf"{SOFT}?[-_ ./:\n]?{SOFT}?"  # between two parts
SPELLED = rf"[-_ .,|/\n+=;:()\"'{SOFT}]{{1,4}}"  # between the letters of L l a m a
ANY_GAP = rf"[-_ .,|/\n+=;:()\"'\\{SOFT}]{{0,4}}\Z"
LEET = {"a": "[a4@]", "e": "[e3]", "i": "[i1l]", "l": "[l1i]", "o": "[o0]", "s": "[s5]", "t": "[t7]"}

VARIANTS = (
    "sonnet|opus|haiku|instant|instruct|turbo|flash|ultra|nano|mini|coder|preview|thinking|pro|vl|xl|"
    "distill|reasoner"
)
HYPHENATED = (
    f"{VARIANTS}|it|chat|base|code|small|medium|large|micro|lite|max|plus|moe|math|vision|audio|"
    f"omni|next|latest|exp"
)
VERSION = (
    rf"(?:(?:{SOFT}?(?:[-_ /:@]|\.(?=\d)){SOFT}?|{SOFT})?v?\d{{1,6}}(?:\.\d{{1,4}}){{0,3}}[a-z]{{0,6}}"
    rf"|[-_:/](?:{HYPHENATED})(?![{LATIN}])|{SOFT}? {SOFT}?(?:{VARIANTS})(?![{LATIN}])){{0,6}}"
)
REST_OF_VERSION = rf"{VERSION}(?:'?[a-z{CYRILLIC}]{{1,3}})?[-_ /:@.'\n{SOFT}]{{0,6}}[a-z0-9.{CYRILLIC}]{{0,24}}\Z"

Name = tuple[int, int, str]  # start, end and kind
Trie = dict[str, "Trie"]
END = ""  # marks the end of a name in a trie


def parts_of(name: str) -> tuple[str, ...]:
    """The folded parts of a name, which separators may part: `DeepSeek-R1` is also Deep Seek R1."""
    return tuple(part for part in map(fold_word, PARTS.findall(name)) if part)


def key_of(text: str) -> str:
    """The letters and digits of a folded text: the same for all ways to write a name."""
    return "".join(character for character in text if character.isalnum())


class NamePattern:
    """Finds names of several kinds; where two begin at one place, the earlier kind and the longer name win.

    The `spelled` kinds are also found letter by letter. The `shared` beginnings are not compiled again.
    """

    def __init__(
        self, kinds: Mapping[str, Iterable[str]], spelled: Collection[str], shared: NameBeginnings | None = None
    ) -> None:
        groups = _all_groups(kinds, spelled)
        self._names = re.compile(_by_script(groups, lambda group: group.whole) or "(?!)")
        self._kinds = {f"kind{number}": group.kind for number, group in enumerate(groups)}
        if shared and shared.are_among(kinds, spelled):
            self._beginnings = [shared, NameBeginnings(shared.others(kinds, spelled), spelled)]
        else:
            self._beginnings = [NameBeginnings(kinds, spelled)]

    def find(self, folded: str, start: int = 0) -> Iterator[Name]:
        """The names from `start` on."""
        for match in self._names.finditer(folded, start):
            yield match.start(), match.end(), self._kinds[match.lastgroup or ""]

    def beginning_at_end(self, folded: str, start: int = 0) -> int:
        """Where, from `start` on, the first name begins that more text may complete or make longer; else the length."""
        return min(beginnings.at_end(folded, start) for beginnings in self._beginnings)


@dataclass
class GrowingSearch:
    """The names of one growing text. Where no further text changes them, they are searched once."""

    _settled: str = ""  # the beginning of the folded text with all names that begin in it
    _names: list[Name] = field(default_factory=list)

    def find(self, pattern: NamePattern, folded: str, most: int) -> tuple[list[Name], int]:
        """The first `most` names, and where the first one begins that more text may complete or make longer."""
        if not folded.startswith(self._settled):  # more text has made markup of what was text
            self._settled, self._names = "", []
        start = len(self._settled)
        known = pattern.beginning_at_end(folded, start)
        names = [*self._names, *islice(pattern.find(folded, start), most - len(self._names))]
        if len(names) < most:
            settled = min([known, *(begin for begin, end, _ in names if end > known)])
            self._settled, self._names = folded[:settled], [name for name in names if name[1] <= settled]
        return names, known


class NameBeginnings:
    """Finds the beginning of a name at the end of a text. Compiling all shipped names takes a third of a second."""

    def __init__(self, kinds: Mapping[str, Iterable[str]], spelled: Collection[str]) -> None:
        self._any, self._spelled = _names_of(kinds, kinds), _names_of(kinds, spelled)
        self._expression = re.compile(
            _by_script(_all_groups(kinds, spelled), lambda group: group.beginning) or "(?!)"
        )

    def at_end(self, folded: str, start: int = 0) -> int:
        """Where, from `start` on, the first name begins that more text may complete or make longer; else the length."""
        match = self._expression.search(folded, max(start, len(folded) - LONGEST_MATCH))
        return match.start() if match else len(folded)

    def are_among(self, kinds: Mapping[str, Iterable[str]], spelled: Collection[str]) -> bool:
        """Whether all of them are beginnings of these names."""
        return self._any <= _names_of(kinds, kinds) and self._spelled <= _names_of(kinds, spelled)

    def others(self, kinds: Mapping[str, Iterable[str]], spelled: Collection[str]) -> dict[str, set[str]]:
        """The names whose beginnings are not all among these, such as those of the kind `name`, which `SPLIT` parts."""
        return {
            kind: set(names) - (set() if kind == "name" else self._spelled if kind in spelled else self._any)
            for kind, names in kinds.items()
        }


def _names_of(kinds: Mapping[str, Iterable[str]], chosen: Iterable[str]) -> frozenset[str]:
    return frozenset(name for kind in chosen for name in kinds.get(kind, ()))


@dataclass(frozen=True)
class _Group:
    """Names of one kind in one script, as expressions for whole names and for beginnings at the end of a text."""

    kind: str
    script: str
    first_letters: str
    whole: str
    beginning: str


def _by_script(groups: Sequence[_Group], expression: Callable[[_Group], str]) -> str:
    """One expression for all groups, which looks at most places no further than at the first letter."""
    scripts: dict[str, list[str]] = {}
    for number, group in enumerate(groups):
        scripts.setdefault(group.script, []).append(
            f"(?P<kind{number}>(?=[{group.first_letters}]){expression(group)})"
        )
    letters = {
        script: "".join(group.first_letters for group in groups if group.script == script) for script in scripts
    }
    return "|".join(
        f"(?=[{letters[script]}]){LEFT[script]}(?:{'|'.join(alternatives)})"
        for script, alternatives in scripts.items()
    )


def _all_groups(kinds: Mapping[str, Iterable[str]], spelled: Collection[str]) -> list[_Group]:
    return [group for kind, names in kinds.items() for group in _groups(kind, names, kind in spelled)]


def _groups(kind: str, names: Iterable[str], spelled: bool) -> Iterator[_Group]:
    by_script: dict[tuple[str, str, bool], list[tuple[str, ...]]] = {}
    for name in sorted(names):
        letters = [character for character in name if character.isalnum()]
        if letters and len(name) <= LONGEST_NAME:
            key = _script(letters[0]), _script(letters[-1]), len(letters) < SHORT
            by_script.setdefault(key, []).append(parts_of(name))
    for (first, last, short), group in by_script.items():
        yield _group(
            kind, first, last, _trie(group, leet=not short), SPLIT if kind == "name" and not short else JOINED
        )
        letters_only = [("".join(parts),) for parts in group if "".join(parts).isalpha()]
        if spelled and letters_only and first == last == "latin" and not short:
            yield _group(kind, first, last, _trie(letters_only, leet=False), SPELLED)


def _group(kind: str, first: str, last: str, trie: Trie, gap: str) -> _Group:
    whole, beginning = _expression(trie, gap, "", None), _expression(trie, gap, "", "")
    first_letters = "".join(dict.fromkeys("".join(trie).replace("[", "").replace("]", "")))
    return _Group(kind, first, first_letters, f"{whole}{VERSION}{RIGHT[last]}", f"{beginning}{REST_OF_VERSION}")


def _trie(names: Iterable[tuple[str, ...]], leet: bool) -> Trie:
    root: Trie = {}
    for parts in names:
        node = root
        for letter in BREAK.join(parts):
            pattern = LEET.get(letter, letter) if leet else letter
            node = node.setdefault(pattern if len(pattern) > 1 or letter == BREAK else re.escape(letter), {})
        node[END] = {}
    return root


def _expression(node: Trie, gap: str, before: str, at_end: str | None) -> str:
    """The rest of the names below a node; unless `at_end` is `None`, also every beginning of it that ends the text."""
    below = None if at_end is None else ANY_GAP
    alternatives = []
    for pattern, child in node.items():
        if pattern == BREAK:
            alternatives.append(f"{PARTED}{_expression(child, gap, '', below)}")
        elif pattern != END:
            alternatives.append(f"{before}{pattern}{_expression(child, gap, gap, below)}")
    if END in node:
        alternatives.append("")
    if at_end:
        alternatives.append(at_end)
    return f"(?:{'|'.join(alternatives)})" if alternatives != [""] else ""


def _script(letter: str) -> str:
    return next((name for name, letters in SCRIPTS.items() if re.match(f"[{letters}]", letter)), "latin")
