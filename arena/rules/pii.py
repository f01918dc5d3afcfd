"""Personal data and secrets taken out of texts before they are published, and counted.

Each finding is replaced by its kind in brackets, `[email]`. A pattern alone says too much: what looks like a card
or an IBAN must have the right check digits, what looks like an address must be one, and a telephone number must
be written as one (with +, or in groups) and not be a date or a sum. What cannot be told from a text, such as
names of persons and postal addresses, stays: screening is not anonymisation.
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
    """One kind of personal data: where it may be, and what else must hold for it to be that."""

    kind: str
    pattern: re.Pattern[str]
    holds: Callable[[str], bool] = field(default=lambda found: bool(found))


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)


def is_card(text: str) -> bool:
    """The check digit of payment cards (Luhn; ISO/IEC 7812-1) over 13 to 19 digits that are not all alike."""
    digits = [int(one) for one in _digits(text)]
    if not 13 <= len(digits) <= 19 or len(set(digits)) == 1 or digits[0] == 0:
        return False
    doubled = [sum(divmod(2 * one, 10)) for one in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0


def is_iban(text: str) -> bool:
    """The remainder by 97 of an IBAN is one (ISO 13616)."""
    compact = re.sub(r"[\s-]", "", text).upper()
    if not 15 <= len(compact) <= 34:
        return False
    return int("".join(str(int(one, 36)) for one in compact[4:] + compact[:4])) % 97 == 1


def is_address(text: str) -> bool:
    """An IP address of a machine out there: not this one, not one of documentation, and not `a::b` of C++."""
    if ":" in text and (len(text) < 6 or not re.search(r"\d", text)):
        return False
    try:
        found = ipaddress.ip_address(text.strip("[]"))
    except ValueError:
        return False
    return not (
        found.is_loopback or found.is_unspecified or text.startswith(("192.0.2.", "203.0.113.", "2001:db8"))
    )


def is_phone(text: str) -> bool:
    """7 to 15 digits (ITU-T E.164), written as a number is dialled and not as a date."""
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
        is_address,
    ),
    Detector(
        "phone number",
        re.compile(
            r"(?<![\w.,/=*^])(?:\+\d{1,3}|\(\d{1,5}\)|\d{2,5})(?:[ .\-/]?\(?\d{1,5}\)?){1,6}(?![\w.,]?\d|\w)"
        ),
        is_phone,
    ),
)


@dataclass
class PIIRedactor:
    """Takes personal data out of texts; `found` counts what was there, by kind."""

    detectors: Sequence[Detector] = DETECTORS
    found: Counter[str] = field(default_factory=Counter)

    def __call__(self, text: str) -> str:
        for detector in self.detectors:
            text = detector.pattern.sub(lambda match, one=detector: self._replaced(match[0], one), text)  # type: ignore[misc]
        return text

    def _replaced(self, found: str, detector: Detector) -> str:
        if not detector.holds(found):
            return found
        self.found[detector.kind] += 1
        return f"[{detector.kind}]"


def screen_with(more: Mapping[str, str] | None = None) -> PIIRedactor:
    """A screen with further kinds, each a regular expression that comes before ours. Raises `ConfigError`."""
    own = []
    for kind, pattern in (more or {}).items():
        try:
            own.append(Detector(kind, re.compile(pattern)))
        except re.error as problem:
            raise ConfigError(f"{kind}: {pattern!r} is no regular expression: {problem}") from problem
    return PIIRedactor((*own, *DETECTORS))
