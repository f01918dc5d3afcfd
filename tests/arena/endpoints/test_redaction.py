"""A secret is masked in whatever form a server echoes it."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest

from arena.endpoints.redaction import WINDOW, Redactor

KEY = 'sk-Ab3/Xy+9"z_Qé7TmW'

FORMS = [
    KEY, f"Bearer {KEY}", KEY.upper(), KEY.lower(), quote(KEY, safe=""), json.dumps(KEY), repr(KEY.encode()),
    KEY.encode().hex(), base64.b64encode(KEY.encode()).decode(), base64.b64encode(f"Bearer {KEY}".encode()).decode(),
    base64.b64encode(f"user:{KEY}".encode()).decode(), base64.urlsafe_b64encode(KEY.encode()).decode(),
    KEY[:12] + "...", "..." + KEY[-9:], KEY[4:14], KEY[:9] + "****" + KEY[-8:], f"{{'Authorization': 'Bearer {KEY}'}}",
    KEY + KEY,
]  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_no_long_part_of_a_secret_is_left(form):
    masked = Redactor([KEY]).masked(f"invalid key: {form}, see /docs")
    assert "•••" in masked
    assert masked.startswith("invalid key: ")
    assert masked.endswith(", see /docs")
    parts = {KEY[at : at + WINDOW].casefold() for at in range(len(KEY) - WINDOW + 1)}
    assert not [part for part in parts if part in masked.casefold()]


def test_what_encodes_a_secret_cannot_be_decoded_from_the_rest():
    masked = Redactor([KEY]).masked(base64.b64encode(f"Bearer {KEY}".encode()).decode())
    visible = masked.replace("•••", "")
    assert len(visible) <= len(base64.b64encode(b"Bearer ")) + 4


@pytest.mark.parametrize("text", ["Bearer abcdefghijklmnop", "the key sk-proj-0123456789abcdef is wrong"])
def test_the_key_of_somebody_else_is_masked_too(text):
    masked = Redactor([]).masked(text)
    assert "•••" in masked
    assert not [part for part in ("abcdefgh", "01234567") if part in masked]


def test_text_without_a_secret_stays():
    text = "Use a Bearer token. model `gemma` not found; ask 不 für ß"
    assert Redactor([KEY, None, ""]).masked(text) == text


def test_a_short_secret_is_masked_whole():
    assert Redactor(["ab"]).masked("cab") == "c•••"


def test_a_line_forges_no_second_line_of_a_log():
    line = Redactor([KEY]).line("bad\r\n2026-11-27 INFO all is well\u2028\x1b[31mred\u202e" + "x" * 9000)
    assert line.isprintable()
    assert len(line) == 500


PLAIN = "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789"
ECHOES = {
    "beside a letter that folds to two": f"Straße ﬁ İ: {PLAIN}",
    "base32": base64.b32encode(PLAIN.encode()).decode(),
    "reversed": PLAIN[::-1],
    "spaced": " ".join(PLAIN),
    "in groups": "-".join(PLAIN[at : at + 5] for at in range(0, len(PLAIN), 5)),
    "with characters of no width": "\u200b".join(PLAIN),
    "full width": "".join(chr(ord(letter) + 0xFEE0) for letter in PLAIN),
    "percent-encoded": "".join(f"%{ord(letter):02x}" for letter in PLAIN),
    "as entities": "".join(f"&#{ord(letter)};" for letter in PLAIN),
    "as escapes": "".join(f"\\u{ord(letter):04x}" for letter in PLAIN),
    "base64 twice": base64.b64encode(base64.b64encode(PLAIN.encode())).decode(),
}


@pytest.mark.parametrize("echo", ECHOES.values(), ids=list(ECHOES))
def test_an_echo_in_another_form_is_masked(echo):
    masked = Redactor([PLAIN]).masked(echo)
    assert "•••" in masked
    assert len(masked) <= 20


def test_places_of_masks_are_right_beside_letters_that_fold_to_two():
    assert Redactor([PLAIN]).masked(f"ßß {PLAIN} İ x") == "ßß ••• İ x"
