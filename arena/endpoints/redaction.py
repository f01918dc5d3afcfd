"""Masking of secrets in texts that come from a server: whole, in part, quoted, encoded."""

from __future__ import annotations

import base64
import json
import re
import unicodedata
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

MASK = "•••"
SHOWN = 500  # characters of a server's text that are kept
WINDOW = 6  # characters of a secret in a row that already count as the secret
OTHERS = re.compile(r"\b(Bearer\s+)[^\s\"',;•]{12,}|\bsk-[\w-]{12,}", re.IGNORECASE)  # keys of somebody else


class Redactor:
    """Masks every part of the `secrets` that is at least `WINDOW` characters long, and other keys.

    Not recognised: what nobody sends by accident, such as a part in base85, in a cipher, or one letter a line.
    """

    def __init__(self, secrets: Iterable[str | None]) -> None:
        forms = {_folded(form) for secret in secrets if secret for form in _forms(secret)}
        self._plain = _Windows(forms)
        self._joined = _Windows(form for form in map(_letters, forms) if len(form) >= WINDOW)

    def masked(self, text: str) -> str:
        """The text with a mask in place of each secret."""
        pieces, end = [], 0
        for start, stop in self._secret_spans(text):
            pieces += [text[end:start], MASK]
            end = stop
        return OTHERS.sub(rf"\1{MASK}", "".join(pieces) + text[end:])

    def line(self, text: str) -> str:
        """The masked text as one printable line of at most `SHOWN` characters, which forges no line of a log."""
        return printable(self.masked(text[: 8 * SHOWN]))[:SHOWN]

    def _secret_spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Start and end of each run of characters that a secret covers, also with signs between its letters."""
        folded = _folded(text)
        places = [at for at, character in enumerate(folded) if character.isalnum()]
        spans = list(self._plain.spans(folded))
        for start, stop in self._joined.spans(_letters(folded)):
            spans.append((places[start], places[stop - 1] + 1))
        last = 0
        for start, stop in sorted(spans):
            if stop > last:
                yield max(start, last), stop
                last = stop


class _Windows:
    """All runs of `WINDOW` characters of the forms of a secret; a shorter form as a whole."""

    def __init__(self, forms: Iterable[str]) -> None:
        self._windows = {window for form in forms for window in _windows(form)}
        self._sizes = sorted({len(window) for window in self._windows})

    def spans(self, text: str) -> Iterator[tuple[int, int]]:
        """Start and end of each run of characters that windows of a secret cover."""
        start = stop = -1
        for at in range(len(text)):
            size = next((size for size in self._sizes if text[at : at + size] in self._windows), 0)
            if not size:
                continue
            if at > stop:
                if stop > 0:
                    yield start, stop
                start = at
            stop = at + size
        if stop > 0:
            yield start, stop


def printable(text: str) -> str:
    """The text as one line that only prints: no escape of a terminal, no line end, no hidden or turning character."""
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def printable_lines(text: str) -> str:
    """The text with its lines and tabs, and with a space for every other character that does not print."""
    return "".join(letter if letter.isprintable() or letter in "\n\t" else " " for letter in text)


def _folded(text: str) -> str:
    """The text in lower case and in ordinary width, character by character: every place stays."""
    return text.casefold() if text.isascii() else "".join(map(_folded_letter, text))


def _folded_letter(letter: str) -> str:
    folded = unicodedata.normalize("NFKC", letter).casefold()
    return folded if len(folded) == 1 else letter


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text))


def _forms(secret: str) -> Iterator[str]:
    """The secret as servers echo it: plain, in JSON, in a URL, as codes of its characters, in base32 and base64.

    Signs between the codes do not matter: the letters of a text are compared as well.
    """
    data = secret.encode("utf-8", "replace")
    yield secret
    yield secret[::-1]
    yield json.dumps(secret)[1:-1]
    yield "".join(f"\\u{ord(letter):04x}" for letter in secret)
    yield "".join(str(ord(letter)) for letter in secret)
    yield base64.b32encode(data).decode().rstrip("=")[:-1]
    yield from _base64(data)
    yield from _base64(base64.b64encode(data).rstrip(b"="))
    yield quote(secret, safe="")
    yield quote_plus(secret)
    yield data.hex()


def _base64(data: bytes) -> Iterator[str]:
    """The data in base64 at any offset."""
    for offset in range(3):
        coded = base64.b64encode(bytes(offset) + data).decode().rstrip("=")
        inner = coded[2 if offset else 0 :][1 if offset == 2 else 0 : -1]
        yield inner
        yield inner.replace("+", "-").replace("/", "_")


def _windows(form: str) -> Iterator[str]:
    size = min(WINDOW, len(form))
    return (form[at : at + size] for at in range(len(form) - size + 1) if size)
