"""Instructions of a judge, rewritten by a model from comparisons that people decided otherwise, and the test of the gain.

The template of a judge is split at its line of `=====`: the system message has the instructions, which are rewritten, and
the rest (fields, form of the verdict) stays. Agreement y is 1 where the judge has the winner of people, 1/2 for a tie of
the judge and 0 otherwise, over battles that people decided. The gain is the mean of d = y_after - y_before over battles held
out. With D_g the sum of d over the battles of prompt g, the test is exact:

    p = P(sum_g s_g D_g >= sum_g D_g),   s_g = +1 or -1 with probability 1/2 each

With one battle a prompt and no ties this is McNemar's one-sided test.
Source of the test: McNemar, Psychometrika 12 (1947); Fisher, The Design of Experiments (1935).
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.stats import t as student

from judges.columns import Floats, floats, same_length
from judges.errors import BadRow, BadTemplate, NoVerdicts
from judges.intervals import bounded_interval, clustered_error
from judges.judge import Pair, Reply, Request
from judges.replies import Reason, Unparsable, reply_text
from judges.template import Template, own
from judges.template_fields import body, cut, pair_values
from judges.template_turns import RULE, START, turns_of

LEAST = 10  # disagreements to rewrite from, and prompts to hold out
SHOWN = 20  # disagreements in the request: about 16,000 words at most
WORDS = 250  # of each text in it
LONGEST = 8000  # characters of instructions
LIMIT = 2048  # tokens of the reply
RULER = "\n=====\n"
BLOCK = re.compile(r"<instructions>(.*?)</instructions>", re.DOTALL)
MARK = re.compile(r"\[\[[^\[\]\n]{0,20}\]\]")
CHOICES = {"model_a": "answer A", "model_b": "answer B", "tie": "equally good"}


@dataclass(frozen=True)
class Disagreement:
    """A comparison that people and the judge decided differently: the winner of each, and the judge's reason."""

    pair: Pair
    people: str  # model_a or model_b
    judge: str  # model_a, model_b or tie
    reason: str


@dataclass(frozen=True)
class Share:
    """Agreement with people, from 0 to 1, with its 95 % interval clustered by prompt; None with one prompt."""

    value: float
    lower: float | None
    upper: float | None


@dataclass(frozen=True)
class AgreementGain:
    """Agreement before and after on the same held-out battles, with the gain, its 95 % interval and its p-value."""

    before: Share
    after: Share
    gain: float
    lower: float
    upper: float
    p_value: float  # one-sided, exact: that instructions of no use gain as much
    better: int  # battles that changed to people's side, in full or in half
    worse: int
    battles: int
    prompts: int


def instructions_of(text: str) -> tuple[str, str]:
    """(instructions, rest) of a template's text; no instructions without a line of `=====`. Raises BadTemplate."""
    if START in text:
        raise BadTemplate("The template is ChatML. Part its instructions from the rest with a line of =====.")
    rule = RULE.search(text)
    return ("", text.strip()) if rule is None else (text[: rule.start()].strip(), text[rule.end() :].strip())


def with_instructions(instructions: str, rest: str) -> str:
    """The text of a template with these instructions."""
    return f"{instructions}{RULER}{rest}\n"


def rewrite_request(
    writer: str, instructions: str, disagreements: Sequence[Disagreement], thinking_budget: int = 0
) -> Request:
    """The request for new instructions from the first SHOWN disagreements. Raises NoVerdicts for fewer than LEAST."""
    if len(disagreements) < LEAST:
        raise NoVerdicts(f"{len(disagreements)} disagreements; instructions are rewritten from at least {LEAST}.")
    examples = "".join(_example(number, row) for number, row in enumerate(disagreements[:SHOWN], 1))
    values = {"instructions": instructions or "(none)", "examples": examples}
    sampling = {"max_tokens": LIMIT, "temperature": 0, "thinking_budget": thinking_budget}
    return body(writer, Template(turns_of(own("align"), "align")), values, None, sampling)


def _example(number: int, row: Disagreement) -> str:
    values = {name: cut(text, WORDS) for name, text in pair_values(row.pair).items()}
    return (
        f"<example_{number}>\n{values['history']}<request>\n{values['question']}\n</request>\n"
        f"<answer_A>\n{values['answer_a']}\n</answer_A>\n<answer_B>\n{values['answer_b']}\n</answer_B>\n"
        f"People: {CHOICES[row.people]}. Judge: {CHOICES[row.judge]}.\n"
        f"<reason_of_the_judge>\n{cut(row.reason, WORDS) or '(none)'}\n</reason_of_the_judge>\n</example_{number}>\n\n"
    )


def rewritten(reply: Reply, instructions: str) -> str | Unparsable:
    """The new instructions in a reply: the only block, without fields and with every verdict mark of the old ones."""
    words = reply_text(reply)
    if isinstance(words, Unparsable):
        return words
    blocks = BLOCK.findall(words)
    if len(blocks) != 1:
        return Unparsable(Reason.SEVERAL if blocks else Reason.NONE)
    text = str(blocks[0]).strip()
    lost = set(MARK.findall(instructions)) - set(MARK.findall(text))
    if not text or lost or RULE.search(text) or START in text or {"{", "}"} & set(text) or len(text) > LONGEST:
        return Unparsable(Reason.OUT_OF_RANGE)
    return text


def agreement(winner: str, people: str) -> float:
    """1 for people's winner, 1/2 for a tie of the judge, else 0."""
    return 0.5 if winner == "tie" else float(winner == people)


def agreement_gain(before: Sequence[float], after: Sequence[float], cluster: Sequence[Hashable]) -> AgreementGain:
    """The gain over battles whose agreement is 0, 1/2 or 1 before and after, clustered by prompt.

    Raises BadRow, LengthMismatch, NoVerdicts for fewer than LEAST prompts.
    """
    first, second = _column("before", before), _column("after", after)
    same_length(before=before, after=after, cluster=cluster)
    places = {name: place for place, name in enumerate(dict.fromkeys(cluster))}
    if len(places) < LEAST:
        raise NoVerdicts(f"{len(places)} prompts are held out; the test of the gain needs at least {LEAST}.")
    codes = np.array([places[name] for name in cluster])
    change = second - first
    gain, error = float(change.mean()), clustered_error(change, codes) or 0.0
    half = float(student.ppf(0.975, len(places) - 1)) * error
    return AgreementGain(
        _share(first, codes),
        _share(second, codes),
        gain,
        max(gain - half, -1.0),
        min(gain + half, 1.0),
        _sign_flips(np.rint(2 * np.bincount(codes, weights=change)).astype(int).tolist()),
        int((change > 0).sum()),
        int((change < 0).sum()),
        len(change),
        len(places),
    )


def _column(name: str, given: Sequence[float]) -> Floats:
    column = floats(name, given)
    if (wrong := np.flatnonzero(~np.isin(column, (0.0, 0.5, 1.0)))).size:
        raise BadRow(f"row {wrong[0]}: {name} is {column[wrong[0]]:g}. Expected 0, 0.5 or 1.")
    return column


def _share(values: Floats, codes: np.ndarray[tuple[int], np.dtype[np.int64]]) -> Share:
    mean = float(values.mean())
    return Share(mean, *bounded_interval(mean, clustered_error(values, codes), len(values), 0.0, 1.0))


def _sign_flips(sums: Sequence[int]) -> float:
    """The chance that sums with random signs add up to at least what they add up to."""
    reach = sum(map(abs, sums))
    chance = np.zeros(2 * reach + 1)  # by total, from -reach
    chance[reach] = 1.0
    for step in filter(None, map(abs, sums)):
        moved = np.zeros_like(chance)
        moved[step:] += chance[:-step] / 2
        moved[:-step] += chance[step:] / 2
        chance = moved
    return min(1.0, float(chance[reach + sum(sums) :].sum()))
