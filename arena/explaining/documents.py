"""The parts of an explanation, stage by stage: scores, faithfulness, counterfactuals, heads and attention."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from arena.explaining.completion_values import CompletionValue
from arena.explaining.flips import flip_parts, is_signed
from arena.explaining.judge_values import VerdictValue
from arena.explaining.notes import UNSIGNED
from arena.explaining.stages import Stages
from arena.rules.messages import Phrase, gettext_noop
from interp import (
    BLACK_BOX,
    WHITE_BOX,
    Explanation,
    Floats,
    MethodResult,
    Prompt,
    UnsupportedModel,
    Value,
    WhiteBoxMethod,
    Words,
    black_box_method,
    content_and_bias,
    faithfulness,
    faithfulness_calls,
    faithfulness_report,
    flow_graph,
    head_importance,
    infidelity,
    margin,
    semantic_consistency,
    sensitivity_of,
    white_box_scores,
    words_of,
)
from interp.document import Answer, Sentence, Token, Verdict, Word

if TYPE_CHECKING:
    from interp import Target

SAMPLES = 4  # completions sampled again, to see whether the model would answer the same
RANDOM_SETS = 64  # of hidden words, for infidelity


def explain_verdict(verdict: VerdictValue, method: str, heads: str, stages: Stages) -> Explanation:
    """The explanation of a judge's verdict. Raises `InterpError`, `JudgeFailed`."""
    started = time.monotonic()
    content, prompt, targets = verdict.both_orders.content, verdict.prompts[0], verdict.targets
    words = words_of(prompt)
    first, second = (float(f[0]) for f in verdict.both_orders.both(np.ones((1, words.units), dtype=bool)))
    orders = content_and_bias(first, second)
    wordings = _wordings(verdict, stages)
    result = _scores(method, content, words, targets, stages, verdict.both_orders.places)
    return Explanation(
        method=method,
        target="(logit(A) - logit(B)) of the verdict, half the difference of both orders",
        parameters=_parameters(method, result, orders.content),
        verdict=_with_winner(
            Verdict(
                orders=(first, second),
                content=orders.content,
                bias=orders.bias,
                consistent=orders.consistent,
                entropy=(margin(first).entropy, margin(second).entropy),
                wordings=wordings,
            )
        ),
        **_text_parts(prompt, words, result.scores),
        **_faithfulness_part(content, method, result.scores, targets, stages, orders=2),
        **flip_parts(verdict, method, result.scores, stages),
        **_white_box_parts(targets, heads, stages),
        notes=(*verdict.notes, *_notes(result)),
        seconds=round(time.monotonic() - started, 1),
    )


def _wordings(verdict: VerdictValue, stages: Stages) -> tuple[tuple[float, float], ...]:
    """f of both orders under each rewording of the judge's prompt."""
    stages.begin(gettext_noop("rewording the judge's prompt"), 2 * len(verdict.rewordings))
    return tuple(reworded() for reworded in verdict.rewordings)


def _with_winner(verdict: Verdict) -> Verdict:
    """The verdict with the side that it prefers by content, a tie where that depends on the wording."""
    winners = {"completion_a": "model_a", "completion_b": "model_b", None: "tie"}
    return replace(verdict, winner=winners[verdict.preferred])


def _parameters(name: str, result: MethodResult, whole: float) -> dict[str, Any]:
    """The parameters of a method; of a complete one also what its scores sum to, and the rest: f of the baseline."""
    method = WHITE_BOX.get(name) or BLACK_BOX[name]
    if not method.complete:
        return dict(result.parameters)
    total = float(result.scores.sum())
    return {**result.parameters, "sum": total, "rest": whole - total}


def explain_completion(completion: CompletionValue, method: str, heads: str, stages: Stages) -> Explanation:
    """The explanation of a model's own answer by the words of its prompt. Raises `InterpError`."""
    started = time.monotonic()
    value, targets = completion.value, (completion.target,)
    words = words_of(completion.prompt)
    result = _scores(method, value, words, targets, stages)
    return Explanation(
        method=method,
        target="log p(answer | prompt) - log p(answer | no prompt)",
        parameters=_parameters(method, result, float(value(np.ones((1, words.units), dtype=bool))[0])),
        **_text_parts(completion.prompt, words, result.scores),
        **_faithfulness_part(value, method, result.scores, targets, stages, orders=1),
        **_white_box_parts(targets, heads, stages),
        answer=_answer(completion, words, stages),
        notes=(*completion.notes, *_notes(result)),
        seconds=round(time.monotonic() - started, 1),
    )


def _answer(completion: CompletionValue, words: Words, stages: Stages) -> Answer:
    from interp import sample_completions, token_entropies

    stages.begin(Phrase("sampling {count} answers", count=SAMPLES))
    samples = sample_completions(completion.target, completion.text, SAMPLES)
    meanings = semantic_consistency(samples)
    tokens = token_entropies(completion.target, completion.text)
    return Answer(
        side=completion.side,
        text=completion.text,
        gain=float(completion.value(np.ones((1, words.units), dtype=bool))[0]),
        tokens=tuple(Token(token.text, token.bits, token.surprise) for token in tokens),
        samples=tuple(samples),
        consistency=meanings.consistency,
        semantic_entropy=meanings.entropy,
    )


def _scores(
    name: str,
    value: Value,
    words: Words,
    targets: Sequence[Target] | None,
    stages: Stages,
    places: NDArray[np.intp] | None = None,
) -> MethodResult:
    """Scores of the words. With two orders, `places` is where each word of the first stands in the second."""
    if name in WHITE_BOX and targets is not None:
        stages.begin(Phrase("attributing: {how}", how=_summary(WHITE_BOX[name], targets[0])))
        return white_box_scores(WHITE_BOX[name], targets, places)
    method = black_box_method(name)
    stages.begin(
        Phrase("attributing: {how}", how=Phrase(method.summary)),
        (1 if places is None else 2) * (method.calls(words) or 0),
    )
    return method.scores(value, words)


def _summary(method: WhiteBoxMethod, target: Target) -> Phrase:
    """What the method does; for attention flow also its cost, before it begins."""
    if method.name != "flow":
        return Phrase(method.summary)
    from interp import flow_cost

    cost = flow_cost(target, target.prompt.words)
    return Phrase(
        "{flows} maximum flows over {edges:,} edges, about {seconds:.0f} s an order",
        flows=cost.flows,
        edges=cost.edges,
        seconds=cost.seconds,
    )


def _text_parts(prompt: Prompt, words: Words, scores: Floats) -> dict[str, Any]:
    """Words, template and sentences: the whole prompt. The template has no scores."""
    ends = [0, *(word.end for word in prompt.words)]
    starts = [*(word.start for word in prompt.words), len(prompt.text)]
    return {
        "words": tuple(
            Word(word.segment, word.text, float(score)) for word, score in zip(prompt.words, scores, strict=True)
        ),
        "between": tuple(prompt.text[end:start] for end, start in zip(ends, starts, strict=True)),
        "sentences": tuple(
            Sentence(
                segment=prompt.words[sentence[0]].segment,
                text="".join(prompt.words[number].text for number in sentence).strip(),
                score=float(sum(scores[number] for number in sentence)),
                words=(sentence[0], sentence[-1]),
            )
            for sentence in words.sentences
        ),
    }


def _faithfulness_part(
    value: Value, name: str, scores: Floats, targets: Sequence[Target] | None, stages: Stages, orders: int
) -> dict[str, Any]:
    """Faithfulness and infidelity of the scores, and the sensitivity of methods of one gradient."""
    method = WHITE_BOX.get(name)
    scaled = method is None or method.scaled
    stages.begin(
        gettext_noop("measuring faithfulness"), orders * (faithfulness_calls() + (RANDOM_SETS + 1) * scaled)
    )
    measured = faithfulness(value, scores, signed=is_signed(name))
    error = infidelity(value, scores, samples=RANDOM_SETS) if scaled else None
    sensitivity = None
    if targets is not None and method is not None and method.one_gradient:
        stages.begin(gettext_noop("measuring sensitivity"))
        sensitivity = sensitivity_of(method, targets[0])
    report = faithfulness_report(
        measured, error if error is not None and np.isfinite(error) else None, sensitivity
    )
    return {"faithfulness": report}


def _white_box_parts(targets: Sequence[Target] | None, heads: str, stages: Stages) -> dict[str, Any]:
    """Importance of heads, and the flow of attention in the first order, for a model with weights.

    A network whose layers the two do not know has neither part: its words are explained all the same.
    """
    if targets is None:
        return {}
    try:
        stages.begin(Phrase("importance of heads, by {measure}", measure=Phrase(heads)))
        importance = head_importance(
            targets, heads, lambda done, total: stages.progress(stages.stage, done, total)
        )
        stages.begin(gettext_noop("reading attention"))
        return {
            "heads": tuple(tuple(layer) for layer in importance),
            "heads_by": heads,
            "flow": flow_graph(targets[0]),
        }
    except UnsupportedModel:
        return {}


def _notes(result: MethodResult) -> list[str]:
    """The warnings of a method, each once."""
    orders = result.parameters.get("orders")
    notes = [note for order in orders for note in order["notes"]] if isinstance(orders, list) else []
    notes += result.parameters.get("notes", [])
    if result.parameters.get("signed") is False:
        notes.append(UNSIGNED)
    return list(dict.fromkeys(notes))
