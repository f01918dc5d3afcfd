"""The samples of a judge run: one for each prompt, with every completion and every verdict on them."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass, field, replace
from statistics import fmean
from typing import Any

from arena.engine import Status
from arena.judging.samples import CaseDetails, JudgeCall, OrderResult
from arena.rules.votes import OVERALL
from arena.store.prompts import StoredCompletion, StoredPrompt
from arena.web.run_pages.document import Completion, Mark, Message, Order, RawCall, ShownSample, ShownVerdict
from arena.web.run_pages.judge_criteria import criterion_tags, share, spoken, values_table
from judges import Reason, Score, Unparsable, Verdict
from judges.replies import content_of
from judges.rubric import Rubric

NO_REPLY = (Reason.MISSING, Reason.NOT_ASKED)


@dataclass
class _Prompt:
    """What is known of one prompt."""

    prompt: StoredPrompt
    completions: dict[str, StoredCompletion] = field(default_factory=dict)
    verdicts: list[ShownVerdict] = field(default_factory=list)
    marks: dict[str, list[Mark]] = field(default_factory=dict)  # by model
    tags: set[str] = field(default_factory=set)
    shares: list[list[float]] = field(default_factory=list)  # of each score, by criterion


class JudgeSamples:
    """Gathers the cases of a run by prompt. A control pair is a sample of its own."""

    def __init__(self, models: Sequence[str], rubric: Rubric | None = None) -> None:
        self.models: list[str] = list(models)
        self._prompts: dict[str, _Prompt] = {}
        self._control_pairs: list[ShownSample] = []
        self._categories: list[str] = []
        self._rubric = rubric

    def add(self, details: CaseDetails, label: str = "", more: Set[str] = frozenset()) -> None:
        """Add a case; `label` is put before the title of its verdict, and the prompt gets the tags `more`."""
        case = details.case
        if case.control_pair is not None:
            self._control_pairs.append(_control_sample(details, self._rubric))
            return
        known = self._prompts.setdefault(case.prompt.key, _Prompt(case.prompt))
        sides = [side for side in (case.a, case.b) if side is not None]
        known.completions |= {side.model: side for side in sides}
        verdict = shown_verdict(details, self._rubric)
        known.verdicts.append(replace(verdict, title=f"{label}{verdict.title}"))
        known.tags |= more | tags(details) | self._outcomes(details, [side.model for side in sides])
        if isinstance(details.result, Score):
            known.marks.setdefault(case.a.model, []).append(Mark(f"{label}{details.result.score:.4g}"))
            known.shares.append([share(row) for row in details.result.criteria])

    def shown(self) -> list[ShownSample]:
        """The prompts in order, and then the control pairs."""
        return [*(self._sample(known) for known in self._prompts.values()), *self._control_pairs]

    @property
    def orders(self) -> list[str]:
        """Criteria by whose values the samples can be sorted: those of scores."""
        scored = any(any(known.shares) for known in self._prompts.values())
        return [criterion.name for criterion in self._rubric.criteria] if self._rubric and scored else []

    def category_tag(self, name: str) -> str:
        if name not in self._categories:
            self._categories.append(name)
        return f"category-{self._categories.index(name)}"

    def _sample(self, known: _Prompt) -> ShownSample:
        prompt = known.prompt
        category = "" if prompt.category == OVERALL else prompt.category
        own = self.category_tag(category)
        completions = [
            Completion(model, one.text, one.earlier, known.marks.get(model, ()))
            for model, one in sorted(known.completions.items())
        ]
        return ShownSample(
            prompt.key, category, [Message(str(m["role"]), str(m["content"])) for m in prompt.messages], completions,
            known.verdicts, prompt.reference or "", _sample_marks(known.tags, known.verdicts),
            frozenset(known.tags | {own} | {f"{tag}-{own}" for tag in known.tags if tag.startswith("won-")}), "Reference",
            [fmean(values) for values in zip(*filter(None, known.shares), strict=True)],
        )  # fmt: skip

    def _outcomes(self, details: CaseDetails, models: Sequence[str]) -> set[str]:
        """Tags of the models that were judged, and of their wins, losses and ties."""
        numbers = [self.models.index(model) for model in models]
        found = {f"model-{number}" for number in numbers}
        if isinstance(details.result, Unparsable):
            return found | {"unjudged"}
        found |= {f"judged-{number}" for number in numbers} | {"judged"} | criterion_tags(details.result, numbers)
        if isinstance(details.result, Verdict) and len(numbers) == 2:
            found |= _won(details.result.winner, *numbers)
        return found


def _won(winner: str, a: int, b: int) -> set[str]:
    if winner == "tie":
        return {f"tied-{a}", f"tied-{b}"}
    first, second = (a, b) if winner == "model_a" else (b, a)
    return {f"won-{first}", f"lost-{second}"}


def tags(details: CaseDetails) -> set[str]:
    """What is wrong with a case: orders that disagree, unparsed replies, failed calls, tries."""
    calls = [call for order in details.orders for call in order.calls]
    saved = [call.saved for call in calls if call.saved is not None]
    found = {f"status-{call.status}" for call in saved if call.status is not Status.OK}
    found |= {"problem"} if found else set()
    results = [order.result for order in details.orders]
    unread = [one.reason for one in results if isinstance(one, Unparsable)]
    statuses = {call.status for call in saved}
    if details.disagrees:
        found.add("disagreement")
    if any(reason not in NO_REPLY for reason in unread) or statuses & {
        Status.UNPARSABLE,
        Status.TRUNCATED,
        Status.REFUSED,
    }:
        found.add("unparsed")
    if len(saved) < len(calls) or statuses & {Status.TIMEOUT, Status.RATE_LIMITED, Status.TRANSPORT}:
        found.add("failed")
    if any(call.attempts > 1 for call in saved):
        found.add("retried")
    return found


def shown_verdict(details: CaseDetails, rubric: Rubric | None = None) -> ShownVerdict:
    """A case as text."""
    case = details.case
    orders = [_order(details, order, rubric) for order in details.orders]
    said = "\n".join(call.reply for order in orders for call in order.calls)
    reason = getattr(details.result, "reason", "")
    raw = isinstance(reason, str) and not isinstance(details.result, Unparsable) and not said.strip()
    title = f"{case.a.model} against {case.b.model}" if case.b else case.a.model
    values = values_table(details, rubric)
    return ShownVerdict(title, result_mark(details, details.result), orders, reason if raw else "", values)


def result_mark(details: CaseDetails, result: Any) -> Mark:
    """A verdict or score in words, with the names of the models."""
    if isinstance(result, Unparsable):
        return Mark(result.reason.value, "danger" if result.reason in NO_REPLY else "warning")
    if isinstance(result, Score):
        turns = f" ({', '.join(f'{turn:.4g}' for turn in result.turns)})" if len(result.turns) > 1 else ""
        return Mark(f"score {result.score:.4g}{turns}")
    case = details.case
    names = {"model_a": case.a.model, "model_b": case.b.model if case.b else "", "tie": "tie"}
    if case.control_pair is not None:
        names = {"model_a": "the first completion", "model_b": "the second completion", "tie": "tie"}
    soft = result.preference not in (0.0, 0.5, 1.0)
    preference = max(result.preference, 1 - result.preference)  # for the winner
    return Mark(names[result.winner] + (f", preference {preference:.2f}" if soft else ""))


def _order(details: CaseDetails, order: OrderResult, rubric: Rubric | None) -> Order:
    case = details.case
    shown = ["first completion", "second completion"]
    first = case.b if order.swapped and case.b else case.a
    if case.b is None:
        title = "Score"
    elif case.control_pair is not None:
        title = "Second completion shown first" if order.swapped else "First completion shown first"
    else:
        title, shown = f"{first.model} shown first", [case.a.model, case.b.model]
    if order.swapped:
        shown.reverse()
    return Order(
        title,
        result_mark(details, order.result),
        [_raw(call, spoken(call, rubric, shown)) for call in order.calls],
    )


def _raw(call: JudgeCall, values: Sequence[tuple[str, str]]) -> RawCall:
    saved = call.saved
    if saved is None:
        return RawCall(call.judge, "not called", "", "The call was not made.")
    parts = [saved.status.value.replace("_", " "), f"{saved.seconds:.2f} s"]
    if saved.attempts > 1:
        parts.append(f"{saved.attempts} tries")
    if saved.cost is not None:
        parts.append(f"${saved.cost:.5f}")
    text = content_of(saved.reply) if saved.reply is not None else ""
    return RawCall(call.judge, " · ".join(parts), text, saved.detail, values)


def _sample_marks(found: set[str], verdicts: Sequence[ShownVerdict]) -> list[Mark]:
    """Words for the closed sample."""
    marks = [verdicts[0].result] if len(verdicts) == 1 else []
    for tag, text, level in (
        ("disagreement", "orders disagree", "warning"),
        ("unparsed", "unparsed", "warning"),
        ("failed", "no reply", "danger"),
    ):
        if tag in found:
            marks.append(Mark(text, level))
    return list(dict.fromkeys(marks))


def _control_states(details: CaseDetails, passed: bool) -> set[str]:
    """The columns of the table of control pairs that count this one."""
    if isinstance(details.result, Unparsable):
        return {"missing" if details.result.reason in NO_REPLY else "unread"}
    return {"judged"} if passed else {"judged", "failed"}


def _control_sample(details: CaseDetails, rubric: Rubric | None) -> ShownSample:
    control = details.case.control_pair
    assert control is not None
    pair = control.pair
    passed = isinstance(details.result, Verdict) and not control.failed(details.result)
    level = "success" if passed else "danger"
    marks = [Mark(f"control pair: {control.kind}"), Mark("passed" if passed else "not passed", level)]
    completions = [
        Completion("first completion", pair.completion_a, pair.earlier_a),
        Completion("second completion", pair.completion_b, pair.earlier_b),
    ]
    right = {"model_a": "the first completion", "model_b": "the second completion"}.get(control.right, "a tie")
    found = tags(details) | {"control", f"control-{control.kind}"} | (set() if passed else {"wrong"})
    found |= {f"control-{control.kind}-{state}" for state in _control_states(details, passed)}
    return ShownSample(
        pair.prompt,
        "",
        [Message(str(m["role"]), str(m["content"])) for m in pair.messages],
        completions,
        [shown_verdict(details, rubric)],
        right,
        marks,
        frozenset(found),
        "Right verdict",
    )
