"""Masking of secrets in texts that come from a server: whole, in part, quoted, encoded."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

MASK = "•••"
SHOWN = 500  # characters of a server's text that are kept
WINDOW = 6  # characters of a secret in a row that already count as the secret
OTHERS = re.compile(r"\b(Bearer\s+)[^\s\"',;•]{12,}|\bsk-[\w-]{12,}", re.IGNORECASE)  # keys of somebody else
UNPRINTABLE = re.compile(r"[^\S ]+|[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]+")


class Redactor:
    """Masks every part of the `secrets` that is at least `WINDOW` characters long, and other keys."""

    def __init__(self, secrets: Iterable[str | None]) -> None:
        forms = {form.casefold() for secret in secrets if secret for form in _forms(secret)}
        self._windows = {window for form in forms for window in _windows(form)}
        self._sizes = sorted({len(window) for window in self._windows})

    def masked(self, text: str) -> str:
        """The text with a mask in place of each secret."""
        pieces, end = [], 0
        for start, stop in self._secret_spans(text.casefold() if len(text.casefold()) == len(text) else text):
            pieces += [text[end:start], MASK]
            end = stop
        return OTHERS.sub(rf"\1{MASK}", "".join(pieces) + text[end:])

    def line(self, text: str) -> str:
        """The masked text as one printable line of at most `SHOWN` characters, which forges no line of a log."""
        return UNPRINTABLE.sub(" ", self.masked(text[: 8 * SHOWN])).strip()[:SHOWN]

    def _secret_spans(self, text: str) -> Iterator[tuple[int, int]]:
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


def _forms(secret: str) -> Iterator[str]:
    """The secret as servers echo it: plain, in JSON, in a URL, as hexadecimal digits, in base64 at any offset."""
    data = secret.encode("utf-8", "replace")
    yield secret
    yield json.dumps(secret)[1:-1]
    yield quote(secret, safe="")
    yield quote_plus(secret)
    yield data.hex()
    for offset in range(3):
        coded = base64.b64encode(bytes(offset) + data).decode().rstrip("=")
        inner = coded[2 if offset else 0 :][1 if offset == 2 else 0 : -1]
        yield inner
        yield inner.replace("+", "-").replace("/", "_")


def _windows(form: str) -> Iterator[str]:
    size = min(WINDOW, len(form))
    return (form[at : at + size] for at in range(len(form) - size + 1) if size)
