r"""Whether two answers to a mathematical problem are the same: as text once normalised, else by computer algebra.

Normalising follows what Minerva does (Lewkowycz et al. 2022, arXiv:2206.14858, appendix D): units and decoration
go, LaTeX shorthands are written out. Algebra is that of math-verify over sympy, in the extra `bench`.
"""

from __future__ import annotations

import importlib.util
import logging
import re
import threading

from benchmarks.errors import MissingExtra
from benchmarks.extract import last_boxed
from benchmarks.stated import stated_formula

MINERVA = re.compile(r"[Tt]he final answer is(.*?)\.? I hope it is correct", re.DOTALL)
UNITS = re.compile(
    r"(?<![\\a-zA-Z])(?:square|ways|integers|dollars|mph|inches|ft|hours|km|units|points|feet|minutes|digits|cents|"
    r"degrees|cm|gm|pounds|meters|meals|edges|students|multiples)(?![a-zA-Z])"
)
WRAPPERS = re.compile(r"\\(?:text|textbf|mathrm|mathbf|mbox|overline|boxed)\{([^{}]*)\}")
DROPPED = (
    "\\left", "\\right", "\\$", "$", "\\%", "%", "\\ ", "\\!", "\\,", "\\;", "\\:", "^\\circ", "^{\\circ}", '"',
)  # fmt: skip
SPELLINGS = (("\\tfrac", "\\frac"), ("\\dfrac", "\\frac"), ("\\cdot", "*"), ("\\times", "*"), ("{,}", ","))
SHORT_FRACTION = re.compile(r"\\frac\s*([^{\s\\])\s*([^{\s\\])")
SHORT_ROOT = re.compile(r"\\sqrt\s*([^{\[\s\\])")
SLASH = re.compile(r"^(-?\d+)/(\d+)$")
THOUSANDS = re.compile(r"-?\d{1,3}(,\d{3})+(\.\d+)?")
IN_BASE = re.compile(r"^-?[0-9A-F]+_\{?(\d{1,2})\}?$")
SECONDS = 5  # for one comparison; some expressions never end
READS = ("math_verify", "sympy")


def final_answer(text: str) -> str | None:
    """The answer in Minerva's closing sentence, else in the last box, else after the last "the answer is"; or None."""
    closing = minerva_answer(text)
    if closing is not None:
        return last_boxed(closing) or closing.lstrip(": ")
    return last_boxed(text) or stated_formula(text)


def minerva_answer(text: str) -> str | None:
    """The answer in Minerva's closing sentence alone."""
    match = MINERVA.search(text)
    return match.group(1).strip() if match else None


def normal(answer: str) -> str:
    """`answer` with one spelling for what is written in several ways."""
    answer = answer.split("=")[-1] if answer.count("=") == 1 else answer
    answer = UNITS.sub("", answer)
    for before, after in SPELLINGS:
        answer = answer.replace(before, after)
    for dropped in DROPPED:
        answer = answer.replace(dropped, "")
    while (bare := WRAPPERS.sub(r"\1", answer)) != answer:
        answer = bare
    answer = SHORT_FRACTION.sub(r"\\frac{\1}{\2}", answer)
    answer = SHORT_ROOT.sub(r"\\sqrt{\1}", answer)
    answer = SLASH.sub(r"\\frac{\1}{\2}", re.sub(r"\s+", "", answer).rstrip("."))
    return answer.replace(",", "") if THOUSANDS.fullmatch(answer) else answer


def same(answer: str, target: str) -> bool:
    """Whether two answers are equal. Raises `MissingExtra` when that takes algebra and it is not installed."""
    if normal(answer) == normal(target):
        return True
    if base(answer) != base(target):  # math-verify drops the index: 100_2 is not 100
        return False
    return algebraically_same(answer, target)


def base(answer: str) -> str | None:
    """The base that a whole number is written in, as `100_2` and `2B_{16}` have it; None without one."""
    match = IN_BASE.match(normal(answer))
    return match.group(1) if match else None


def algebraically_same(answer: str, target: str) -> bool:
    """Whether math-verify takes `answer` for `target`; what it cannot read is not the same."""
    if importlib.util.find_spec(READS[0]) is None:
        raise MissingExtra("Comparing formulas needs the extra 'bench'. Install it: pip install 'arena[bench]'.")
    from math_verify import parse, verify

    # Its clock is a signal, which Python delivers to the main thread alone.
    limit = SECONDS if threading.current_thread() is threading.main_thread() else None
    for name in ("math_verify.parser", "math_verify.grader", "math_verify.utils"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    gold, answered = (
        parse(f"${_bare(text)}$", parsing_timeout=limit, raise_on_error=False) for text in (target, answer)
    )
    return bool(verify(gold, answered, timeout_seconds=limit, raise_on_error=False))


def _bare(text: str) -> str:
    return text.strip().strip("$")
