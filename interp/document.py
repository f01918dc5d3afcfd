"""An explanation as a document: what was attributed, the scores, and how far they can be trusted.

A document is stored and exchanged as JSON. `Explanation.from_dict` reads every layout up to `LAYOUT`: parts that an
older layout, or a document made in a notebook, does not have are None.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from typing import Any

from pydantic import TypeAdapter, ValidationError

from interp.attribution import Attribution
from interp.blackbox.counterfactual import Counterfactual, Replacement
from interp.errors import BadDocument
from interp.evaluation.faithfulness import NOT, Curve, Faithfulness
from interp.whitebox.flow_graph import FlowGraph

LAYOUT = 4  # counts up when the document or a method changes, so that older explanations are computed again
NO_BETTER_THAN_ZERO = 1.0  # the infidelity of scores of zero
NULLABLE = ("segment", "z", "infidelity")  # written as null; every other part that is None is omitted


@dataclass(frozen=True)
class Word:
    """A word of the prompt. A positive `score` supports the first side; `segment` is None in the template."""

    segment: str | None
    text: str
    score: float


@dataclass(frozen=True)
class Sentence:
    """The sum over a sentence; `words` are the indices of its first and last word."""

    segment: str | None
    text: str
    score: float
    words: tuple[int, int] | None = None


@dataclass(frozen=True)
class Vote:
    """A vote on the battle: `source` is a person or a judge, `winner` as in the public arena data."""

    source: str
    winner: str


@dataclass(frozen=True)
class Verdict:
    """A verdict in both orders, in logits. `orders` are f(AB) and f(BA), `entropy` is of the letter, in bits.

    `wordings` are the orders under rewordings of the judge's prompt. Where the content has either sign among them, there
    is no preference by content, and `winner` is a tie.
    """

    orders: tuple[float, float]
    content: float
    bias: float
    consistent: bool
    winner: str | None = None
    entropy: tuple[float, float] | None = None
    wordings: tuple[tuple[float, float], ...] | None = None

    @property
    def content_range(self) -> tuple[float, float]:
        """The smallest and the largest content under all wordings of the prompt."""
        contents = [self.content, *((first - second) / 2 for first, second in self.wordings or ())]
        return min(contents), max(contents)

    @property
    def preferred(self) -> str | None:
        """The segment that the judge prefers by content under every wording; None for no preference."""
        low, high = self.content_range
        return "completion_a" if low > 0 else "completion_b" if high < 0 else None


@dataclass(frozen=True)
class Measure:
    """A measure with that of random rankings. `z` is None where random rankings do not differ."""

    value: float
    random: float
    spread: float
    z: float | None


@dataclass(frozen=True)
class FaithfulnessReport:
    """The result of `interp.faithfulness`, with infidelity and sensitivity where they were measured.

    `maps` is the number of random attributions behind `p`; None in documents whose p came from the `rankings`.
    """

    verdict: str
    beats_random: bool
    comprehensiveness: Measure
    sufficiency: Measure
    gap: Measure
    curve: Curve | None
    rankings: int
    p: float
    calls: int
    maps: int | None = None
    infidelity: float | None = None
    sensitivity: float | None = None


@dataclass(frozen=True)
class Token:
    """A token of a completion: entropy of its distribution and its own surprise, in bits."""

    text: str
    bits: float
    surprise: float


@dataclass(frozen=True)
class Answer:
    """A model's own completion. `gain` is the change of its log-probability by the prompt; `samples` are drawn
    again from the same prompt, `consistency` and `semantic_entropy` compare them."""

    side: str
    text: str
    gain: float
    tokens: tuple[Token, ...]
    samples: tuple[str, ...]
    consistency: float
    semantic_entropy: float


@dataclass(frozen=True, kw_only=True)
class Explanation:
    """An attribution over the words of a prompt, with everything shown next to it.

    `between` has the template before each word, and after the last. `models` names the model of each segment.
    `heads` (layers, heads) are signed, measured by `heads_by`.
    """

    layout: int | None = None
    battle: str | None = None
    number: int | None = None
    judge: str | None = None
    method: str
    about: str | None = None
    models: Mapping[str, str] = field(default_factory=dict)
    votes: tuple[Vote, ...] = ()
    target: str | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)
    verdict: Verdict | None = None
    words: tuple[Word, ...]
    between: tuple[str, ...] | None = None
    sentences: tuple[Sentence, ...] | None = None
    faithfulness: FaithfulnessReport | None = None
    counterfactual: Counterfactual | None = None
    replacement: Replacement | None = None
    heads: tuple[tuple[float, ...], ...] | None = None
    heads_by: str | None = None
    flow: FlowGraph | None = None
    answer: Answer | None = None
    notes: tuple[str, ...] = ()
    seconds: float | None = None
    made_at: str | None = None

    @classmethod
    def from_dict(cls, document: Mapping[str, Any]) -> Explanation:
        """The explanation of a JSON document. Raises `BadDocument` for a newer layout or a missing part."""
        layout = document.get("layout")
        if isinstance(layout, int) and layout > LAYOUT:
            raise BadDocument(
                f"The explanation has layout {layout}; this version of arena reads layouts up to {LAYOUT}. "
                "Upgrade arena, or compute the explanation again."
            )
        try:
            return _ADAPTER.validate_python(document)
        except ValidationError as problem:
            error = problem.errors()[0]
            place = ".".join(map(str, error["loc"]))
            raise BadDocument(
                f"The explanation cannot be read: {place}: {error['msg']}. Compute the explanation again."
            ) from problem

    @classmethod
    def from_attribution(cls, attribution: Attribution, faithfulness: Faithfulness | None = None) -> Explanation:
        """The explanation of an attribution over any units, for a notebook or a file."""
        return cls(
            method=attribution.method,
            target=attribution.target,
            parameters=dict(attribution.parameters),
            words=tuple(
                Word(unit.segment, unit.text, float(score))
                for unit, score in zip(attribution.units, attribution.scores, strict=True)
            ),
            faithfulness=None if faithfulness is None else faithfulness_report(faithfulness),
            notes=attribution.notes,
        )

    def to_dict(self) -> dict[str, Any]:
        """The document as JSON holds it; `from_dict` of it is an equal explanation."""
        document: dict[str, Any] = _plain(self)
        return document


_ADAPTER = TypeAdapter(Explanation)


def faithfulness_report(
    faithfulness: Faithfulness, infidelity: float | None = None, sensitivity: float | None = None
) -> FaithfulnessReport:
    """The part of a document with the measures of faithfulness.

    Scores with an infidelity of 1 or more predict no better than scores of zero: they are not called better than random.
    """
    report = {**faithfulness.to_dict(), "infidelity": infidelity, "sensitivity": sensitivity}
    if infidelity is not None and infidelity >= NO_BETTER_THAN_ZERO:
        report |= {"verdict": NOT, "beats_random": False}
    return TypeAdapter(FaithfulnessReport).validate_python(report)


def _plain(value: Any) -> Any:
    """A dataclass as a dict, tuples as lists."""
    if is_dataclass(value):
        parts = {part.name: getattr(value, part.name) for part in fields(value)}
        return {name: _plain(part) for name, part in parts.items() if part is not None or name in NULLABLE}
    if isinstance(value, Mapping):
        return {name: _plain(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part) for part in value]
    return value
