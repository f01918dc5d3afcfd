"""Redaction of personal data and secrets in texts before they are published, with counts by kind.

Each match is replaced by its kind in brackets, `[email]`. A pattern alone has too many false positives, so card
numbers and IBANs need valid check digits, IP addresses must parse, and phone numbers need a + or groups and must
not be dates or sums. Names of persons and postal addresses are not detected: redaction is not anonymisation.
"""

from __future__ import annotations

import ipaddress
import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from arena.errors import ConfigError


@dataclass(frozen=True)
class Detector:
    """One kind of personal data: a pattern for candidates, and a check that a candidate must pass."""

    kind: str
    pattern: re.Pattern[str]
    holds: Callable[[str], bool] = field(default=lambda candidate: bool(candidate))


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def is_card(text: str) -> bool:
    """Whether 13 to 19 digits, not all equal, have the check digit of payment cards (Luhn; ISO/IEC 7812-1)."""
    digits = [int(digit) for digit in _digits(text)]
    if not 13 <= len(digits) <= 19 or len(set(digits)) == 1 or digits[0] == 0:
        return False
    doubled = [sum(divmod(2 * digit, 10)) for digit in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def is_iban(text: str) -> bool:
    """Whether an IBAN has the remainder 1 modulo 97 (ISO 13616)."""
    compact = re.sub(r"[\s-]", "", text).upper()
    if not 15 <= len(compact) <= 34:
        return False
    return int("".join(str(int(character, 36)) for character in compact[4:] + compact[:4])) % 97 == 1


def is_ip_address(text: str) -> bool:
    """Whether a text is a public IP address: not loopback, not for documentation, and not `a::b` of C++."""
    if ":" in text and (len(text) < 6 or not re.search(r"\d", text)):
        return False
    try:
        address = ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return False
    return not (
        address.is_loopback or address.is_unspecified or text.startswith(("192.0.2.", "203.0.113.", "2001:db8"))
    )


def is_phone(text: str) -> bool:
    """Whether 7 to 15 digits (ITU-T E.164) are written as a phone number and not as a date."""
    digits = _digits(text)
    if not 7 <= len(digits) <= 15 or len(set(digits)) == 1:
        return False
    if re.fullmatch(r"\d{4}([-./ ])\d{1,2}\1\d{1,2}|\d{1,2}([-./ ])\d{1,2}\2\d{4}", text.strip()):
        return False
    return (
        text.lstrip().startswith(("+", "(", "0")) or re.fullmatch(r"\d{3}[-. ]\d{3}[-. ]\d{4}", text) is not None
    )


DETECTORS = (
    Detector(
        "private key",
        re.compile(
            r"-----BEGIN [A-Z ]*PRIVATE KEY(?: BLOCK)?-----.*?(?:-----END [A-Z ]*PRIVATE KEY(?: BLOCK)?-----|\Z)",
            re.DOTALL,
        ),
    ),
    Detector(
        "API key",
        re.compile(
            r"(?<![\w-])(?:sk-(?:[a-z]+-)*[A-Za-z0-9_-]{20,}|gh[pousr]_[A-Za-z0-9]{30,}|github_pat_\w{30,}"
            r"|glpat-[\w-]{18,}|hf_[A-Za-z0-9]{20,}|AKIA[0-9A-Z]{16}|AIza[\w-]{35}|ya29\.[\w-]{20,}"
            r"|xox[abposr]-[\w-]{10,}|npm_[A-Za-z0-9]{36}|pypi-[\w-]{50,}|r8_\w{30,}|gsk_\w{30,}"
            r"|[sr]k_(?:live|test)_[A-Za-z0-9]{16,}|eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,})"
        ),
    ),
    Detector("email", re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}(?![\w-])")),
    Detector(
        "IBAN", re.compile(r"(?<!\w)[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{4}){2,7}(?:[ -]?[A-Z0-9]{1,3})?(?!\w)"), is_iban
    ),
    Detector("card number", re.compile(r"(?<![\w.])\d(?:[ -]?\d){12,18}(?![\w])"), is_card),
    Detector(
        "IP address",
        re.compile(
            r"(?<![\w.:-])(?:\d{1,3}(?:\.\d{1,3}){3}(?![.-]?\w)"
            r"|(?:[0-9A-Fa-f]{1,4}:){7}[0-9A-Fa-f]{1,4}(?![\w:])"
            r"|(?:[0-9A-Fa-f]{1,4}:){1,6}(?::[0-9A-Fa-f]{1,4}){1,6}(?![\w:]))"
        ),
        is_ip_address,
    ),
    Detector(
        "phone number",
        re.compile(
            r"(?<![\w.,/=*^])(?:\+\d{1,3}|\(\d{1,5}\)|\d{2,5})(?:[ .\-/]?\(?\d{1,5}+\)?){1,6}(?![\w.,]?\d|\w)"
        ),
        is_phone,
    ),
)


@dataclass
class PIIRedactor:
    """Redacts personal data in texts; `counts` has the number of matches by kind."""

    detectors: Sequence[Detector] = DETECTORS
    counts: Counter[str] = field(default_factory=Counter)

    def __call__(self, text: str) -> str:
        for detector in self.detectors:
            text = detector.pattern.sub(lambda match, kind=detector: self._replaced(match[0], kind), text)  # type: ignore[misc]
        return text

    def conversation(self, messages: Sequence[Mapping[str, str]]) -> list[dict[str, str]]:
        """The redacted messages, with their roles."""
        return [{"role": message["role"], "content": self(message["content"])} for message in messages]

    def _replaced(self, candidate: str, detector: Detector) -> str:
        if not detector.holds(candidate):
            return candidate
        self.counts[detector.kind] += 1
        return f"[{detector.kind}]"


def pii_redactor(patterns: Mapping[str, str] | None = None) -> PIIRedactor:
    """A redactor with additional kinds, whose regular expressions are applied first. Raises `ConfigError`."""
    own = []
    for kind, pattern in (patterns or {}).items():
        try:
            own.append(Detector(kind, re.compile(pattern)))
        except re.error as problem:
            raise ConfigError(
                f"{kind}: {pattern!r} is not a valid regular expression: {problem}. Correct it."
            ) from problem
    return PIIRedactor((*own, *DETECTORS))
