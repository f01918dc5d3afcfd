"""The number that a free reply gives as its answer, in one spelling: `$1,000.00` and `1000` are both "1000".

The set of labelled replies in `reproduce/replies` measures it (`reproduce/reply_reading.py`).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from fractions import Fraction

from benchmarks.markup import plain_text
from benchmarks.stated import statements

MARKED = re.compile(r"####[ \t]{0,4}([^\n]{1,100})")
FRACTION = re.compile(r"\\[dt]?frac\s?\{\s?(\d{1,18})\s?\}\s?\{\s?(\d{1,18})\s?\}")
GROUPED = re.compile(r"(?<=\d)(?:\{,\}|\\[,;:! ])(?=\d{3}(?!\d))")
SCALES = {"thousand": 3, "million": 6, "billion": 9, "万": 4, "亿": 8}
DIGITS = r"(?:\d{1,3}(?:,\d{3})++(?!\d)|\d++)"
PLAIN = (
    rf"-?[ \t]?[$€£¥]?[ \t]?(?:{DIGITS}(?:\.\d++)?(?:\s?/\s?\d{{1,18}}(?![\d/]))?"
    rf"(?:\s?(?:{'|'.join(SCALES)})(?![a-z]))?|\.\d+)"
)
NUMBER = re.compile(rf"(?<![\w.)])(?<!\) ){PLAIN}|(?<=[\u3400-\u9fff]){PLAIN}|(?<!\d){DIGITS}(?:\.\d+)?")
STEP = re.compile(r"(?m)^[ \t]{0,4}\d{1,2}[.)][ \t]")  # the number of an item in a list
ASIDE = re.compile(r"\([^()\n]{0,100}\)[\s.!]*+$")  # at the end: "$45 ($50 minus 10%)"
AT_ONCE = re.compile(
    r"\A[\s:]*+(?:(?:about|approximately|exactly|around|equal to|equals|just|only|still|[A-Za-z]\s?=|Answer:)\s?){0,3}"
    rf"(?P<number>{PLAIN})(?![\d.]*+\s?[-+*/×÷x=^]\s?[\d$(])(?:\s?%|\s[A-Za-z.]{{1,20}}){{0,3}}\s{{0,3}}"
    r"(?:[.!,;()。]|$|\n|(?:because|since|which|as)\b|[\u3400-\u9fff])"
)


def free_number(text: str) -> str | None:
    """The number after the last `####`, else of the last statement ("the answer is", a box), else the last one."""
    text = FRACTION.sub(r"\1/\2", GROUPED.sub(",", text))
    for line in reversed(MARKED.findall(text)):
        if (number := next(numbers(plain_text(line.rpartition("=")[2])), None)) is not None:
            return number
    plain = plain_text(text)
    number = None
    for place in statements(plain):
        number = _stated(plain[place : place + 200]) or number
    if number is not None:
        return number
    every = list(numbers(ASIDE.sub("", plain))) or list(numbers(plain))
    return every[-1] if every else None


def numbers(text: str) -> Iterator[str]:
    """All numbers of a `plain_text`, those of list items excluded."""
    for match in NUMBER.finditer(STEP.sub("", text)):
        if (number := canonical(match.group())) is not None:
            yield number


def canonical(text: str) -> str | None:
    """One spelling of a number: no commas, currency or trailing zeros; a fraction as a decimal if that is exact."""
    bare = re.sub(r"[\s,$€£¥]", "", text)
    scale = next((word for word in SCALES if bare.endswith(word)), "")
    try:
        value = Fraction(bare.removesuffix(scale)) * 10 ** SCALES.get(scale, 0)
    except (ValueError, ZeroDivisionError):
        return None
    return _spelled(value)


def _spelled(value: Fraction) -> str:
    places = 0
    while value.denominator != 1 and (value * 10**places).denominator != 1:
        places += 1
        if places > 18:  # a repeating decimal, or more digits than anybody writes
            return f"{value.numerator}/{value.denominator}"
    digits = str(abs(value * 10**places).numerator).rjust(places + 1, "0")
    sign = "-" if value < 0 else ""
    return f"{sign}{digits[:-places]}.{digits[-places:]}" if places else f"{sign}{digits}"


def _stated(rest: str) -> str | None:
    """The number that follows a statement at once and ends its phrase; None before a calculation or a sentence."""
    match = AT_ONCE.match(rest)
    if match is None or re.search(r"\d\s?=", rest[match.end("number") :].partition("\n")[0]):
        return None
    return canonical(match["number"])
