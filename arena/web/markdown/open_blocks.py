"""Blocks at the end of a growing text to which plain text is appended without rendering them again."""

from __future__ import annotations

import re

from markdown_it.token import Token

from arena.web.markdown.code_blocks import escaped, framed, language
from arena.web.markdown.code_languages import LANGUAGES

OPENING = re.compile(r"(`{3,}|~{3,})([^\n]*)\n")
# Characters that mean nothing behind a word: no markup, no end of a link or an entity, and no end of the line.
PLAIN = re.compile(r"(?:[^\x00-\x7f\x85\u2028\u2029]|[A-Za-z0-9 ,.:?!'-])*")
WORDS = re.compile(r"[^\W\d_]")  # the first character of a line that is no list, heading or table


class OpenFence:
    """A fence that is not closed, at the beginning of the rest of a text: its code is shown without colours."""

    def __init__(self, opening: re.Match[str], code: str) -> None:
        name = language(opening[2])
        label = LANGUAGES.get(name, ("", name.capitalize() if name == "mermaid" else name))[1]
        self._head, self._foot = framed("\0", label).rstrip().split("\0")
        marker = opening[1]
        self._closing = re.compile(rf"^ {{0,3}}{re.escape(marker)}{re.escape(marker[0])}*[ \t]*$", re.MULTILINE)
        self._partial = re.compile(rf" {{0,3}}{re.escape(marker[0])}*[ \t]*")
        self._start = opening.end()
        self._code = self._shown(code)
        self._html = escaped(self._code)

    @classmethod
    def at(cls, text: str) -> OpenFence | None:
        opening = OPENING.match(text)
        if not opening or (opening[1][0] == "`" and "`" in opening[2]):
            return None
        fence = cls(opening, text[opening.end() :])
        return None if fence.is_closed(text, opening.end()) else fence

    @property
    def html(self) -> str:
        return f"{self._head}{self._html}{self._foot}"

    def is_closed(self, text: str, position: int) -> bool:
        last = text.rfind("\n") + 1
        return self._closing.search(text, position, max(last - 1, position)) is not None

    def _shown(self, code: str) -> str:
        """The code without its last line where that may become the closing fence."""
        line = code.rfind("\n") + 1
        return code[:line] if self._partial.fullmatch(code, line) else code

    def added(self, before: str, text: str) -> str | None:
        """The code to append, or None where the fence is closed."""
        if not text.startswith(before) or self.is_closed(text, max(before.rfind("\n") + 1, self._start)):
            return None
        code = self._shown(text[self._start :])
        added = code[len(self._code) :]
        self._code = code
        self._html += escaped(added)
        return added


class OpenText:
    """The paragraph at the end of a text, whose last words are plain text."""

    def __init__(self, html: str, text: str) -> None:
        self._head, self._foot = _split(html)
        self._spaces = text[len(text.rstrip(" ")) :]

    @classmethod
    def after(cls, text: str, tokens: list[Token], html: str) -> OpenText | None:
        """The open paragraph of a text with these tokens, or None where its end may mean something."""
        index = next((at for at in range(len(tokens) - 1, 0, -1) if tokens[at].type == "inline"), 0)
        end = text.rstrip(" ")[-1:]
        if not index or tokens[index - 1].type != "paragraph_open" or not PLAIN.fullmatch(end):
            return None
        last = (tokens[index].children or tokens)[-1]
        line = tokens[index].content.rsplit("\n", 1)[-1]
        if last.type != "text" or last.content[-1:] != end or not WORDS.match(line) or "  " in text[-2:]:
            return None
        return cls(html, text)

    @property
    def html(self) -> str:
        return self._head + self._foot

    def added(self, before: str, text: str) -> str | None:
        """The words to append, or None where there is more than words."""
        more = text[len(before) :]
        if not text.startswith(before) or not PLAIN.fullmatch(more):
            return None
        words = (self._spaces + more).rstrip(" ")
        self._spaces = (self._spaces + more)[len(words) :]
        self._head += escaped(words)
        return words


def _split(html: str) -> tuple[str, str]:
    """HTML up to the end of its last text, and the closing tags behind that without the white space between them."""
    head, closing = html.rstrip(), list[str]()
    while head.endswith(">") and "<" not in head[(start := head.rfind("</")) + 2 :]:
        closing.insert(0, head[start:])
        head = head[:start].rstrip()
    return head, "".join(closing)
