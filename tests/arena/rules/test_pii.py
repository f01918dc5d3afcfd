"""What is taken out of published texts, and what is left in."""

from __future__ import annotations

from functools import partial

import pytest

from arena.errors import ConfigError
from arena.rules.pii import PIIRedactor, pii_redactor
from tests.support.timing import cpu_seconds


def redacted(text: str) -> str:
    return PIIRedactor()(text)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("Write to ann.lee+x@mail.example.org, please", "Write to [email], please"),
        ("über@beispiel.de", "[email]"),
        ("pay DE89 3704 0044 0532 0130 00 now", "pay [IBAN] now"),
        ("GB82WEST12345698765432", "[IBAN]"),
        ("card 4111 1111 1111 1111, exp. 12/27", "card [card number], exp. 12/27"),
        ("5500-0000-0000-0004", "[card number]"),
        ("378282246310005", "[card number]"),
        ("ssh root@8.8.4.4 or 8.8.4.4:22", "ssh root@[IP address] or [IP address]:22"),
        ("at 2a00:1450:4001:82b::200e today", "at [IP address] today"),
        ("call +49 30 901820 or +14155552671", "call [phone number] or [phone number]"),
        ("(415) 555-2671, 415-555-2671 or 030 901820", "[phone number], [phone number] or [phone number]"),
        ("key sk-proj-abcdefghij0123456789ABCD is mine", "key [API key] is mine"),
        ("ghp_0123456789abcdefghij0123456789abcdef", "[API key]"),
        ("AKIAIOSFODNN7EXAMPLE", "[API key]"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nso", "[private key]\nso"),
    ],
)
def test_personal_data_is_replaced_by_its_kind(text, left):
    assert redacted(text) == left


@pytest.mark.parametrize(
    "text",
    [
        "On 2024-05-17 at 12:30:00 we shipped version 1.2.3.4.5 and Python 3.11.4",
        "12.05.2023, 1/2/2024 and 2024/11/30",
        "What is 1234567 * 7654321, or 100000000 / 3?",
        "pi is 3.14159265358979 and the mass 0.00012345678",
        "4111 1111 1111 1112 has a wrong check digit",
        "DE89 3704 0044 0532 0130 07",
        "def f(x): return x[0:10] + a::b and std::vector<int>",
        "999.999.999.999 and 127.0.0.1 and ::",
        "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12",
        "the years 1914 1918 1939 1945",
        "skeleton sk-learn mail @ home, a@b",
        "0000000000000000 and 1111111111111",
        "6174 is 7641 - 1467",
    ],
)
def test_numbers_dates_and_code_stay(text):
    assert redacted(text) == text


def test_what_was_found_is_counted_by_kind():
    redact = PIIRedactor()
    redact("a@b.org, c@d.org and +49 30 901820")
    redact("e@f.org")
    assert redact.counts == {"email": 3, "phone number": 1}


def test_a_user_may_bring_kinds_of_their_own():
    redact = pii_redactor({"ticket": r"TCK-\d+"})
    assert redact("see TCK-12 by ann@b.org") == "see [ticket] by [email]"
    with pytest.raises(ConfigError, match=r"ticket: '\[' is not a valid regular expression"):
        pii_redactor({"ticket": "["})


def test_a_redacted_conversation_keeps_its_roles():
    messages = ({"role": "user", "content": "a@b.org"}, {"role": "assistant", "content": "Hello."})
    assert PIIRedactor().conversation(messages) == [
        {"role": "user", "content": "[email]"},
        {"role": "assistant", "content": "Hello."},
    ]


def test_a_long_text_is_redacted_in_time():
    """No pattern may take time that grows faster than the text."""
    for unit in ("1 ", "a.", "1.", "(1", "ab:", "x@", "DE89 "):
        assert cpu_seconds(partial(redacted, unit * 20_000), 2) < 2, unit
