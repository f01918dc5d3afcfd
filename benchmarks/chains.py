"""Chains of thought: their length, and the kind of error in a wrong chain."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

NUMBER = r"-?\$?\d[\d,]*(?:\.\d+)?"
EQUATION = re.compile(
    rf"(?<![\d.,/*×x+÷-])\s*({NUMBER}%?(?:\s*[-+*/×x÷]\s*{NUMBER}%?)+)\s*=\s*({NUMBER})(?![\d.]*\s*[%/*×x+÷])"
)
OPERATION = re.compile(rf"\s*([-+*/×x÷])\s*({NUMBER}%?)")
STEP = re.compile(r"(?m)^[^\S\n]*+(?:step\s*\d+|\d+[.)]|[-*•])\s", re.IGNORECASE)
SENTENCE = re.compile(r"[.!?](?:\s|$)|\n+")
TOLERANCE = 0.01  # relative; chains round what they write


class ChainError(StrEnum):
    NONE = "none"
    TRUNCATED = "truncated"  # it was cut off before its answer
    NO_CHAIN = "no chain"  # an answer without a step
    FORMAT = "format"  # the right answer is in it, and another one or none was read
    ARITHMETIC = "arithmetic"  # an equation in it is wrong
    REASONING = "reasoning"  # all equations hold and the answer is wrong all the same


@dataclass(frozen=True)
class Length:
    """The length of one chain. `steps` are its numbered or listed lines, or its sentences if it has none."""

    words: int
    sentences: int
    steps: int
    equations: int


def length(chain: str) -> Length:
    sentences = sum(bool(part.strip()) for part in SENTENCE.split(chain))
    return Length(len(chain.split()), sentences, len(STEP.findall(chain)) or sentences, len(equations(chain)))


def sizes(chain: str) -> dict[str, float]:
    """The length as metrics."""
    size = length(chain)
    return {"words": float(size.words), "steps": float(size.steps)}


def described(chain: str, answer: str, target: str) -> dict[str, float]:
    """Length and kind of error as metrics, for a chain about numbers: each kind's mean is its share of all chains."""
    error = error_type(chain, answer, target)
    kinds = (ChainError.NO_CHAIN, ChainError.FORMAT, ChainError.ARITHMETIC, ChainError.REASONING)
    return sizes(chain) | {f"error_{kind.replace(' ', '_')}": float(kind is error) for kind in kinds}


def equations(chain: str) -> list[tuple[str, bool]]:
    """Every equation of numbers in it, and whether it holds within one per cent."""
    return [(match.group().strip(), _holds(match[1], match[2])) for match in EQUATION.finditer(chain)]


def error_type(chain: str, answer: str | None, target: str, *, truncated: bool = False) -> ChainError:
    """The kind of error in a chain about numbers; `answer` is the parsed answer, None if there was none."""
    if answer is not None and _same(answer, target):
        return ChainError.NONE
    if truncated:
        return ChainError.TRUNCATED
    if length(chain).sentences < 2 and not equations(chain):
        return ChainError.NO_CHAIN
    if any(_same(number, target) for number in re.findall(NUMBER, chain)[-3:]):
        return ChainError.FORMAT
    if not all(holds for _, holds in equations(chain)):
        return ChainError.ARITHMETIC
    return ChainError.REASONING


def _holds(left: str, right: str) -> bool:
    try:
        value, wanted = _evaluated(left), _number(right)
    except ZeroDivisionError:
        return False
    return abs(value - wanted) <= TOLERANCE * max(1.0, abs(wanted))


def _evaluated(text: str) -> float:
    """The value of an expression, multiplication and division first."""
    first = re.match(rf"\s*({NUMBER}%?)", text)
    assert first is not None  # of an `EQUATION`
    total, sign, product = 0.0, 1.0, _number(first[1])
    for operator, operand in OPERATION.findall(text[first.end() :]):
        value = _number(operand)
        if operator in "*×x":
            product *= value
        elif operator in "/÷":
            product /= value
        else:
            total, sign, product = total + sign * product, 1.0 if operator == "+" else -1.0, value
    return total + sign * product


def _number(text: str) -> float:
    value = float(text.replace(",", "").replace("$", "").rstrip("%"))
    return value / 100 if text.endswith("%") else value


def _same(first: str, second: str) -> bool:
    try:
        return _number(first) == _number(second)
    except ValueError:
        return first.strip() == second.strip()
