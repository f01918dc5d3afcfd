"""The explanation as plain data, stage by stage: scores, faithfulness, counterfactuals, what goes on inside."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from arena.explaining.completion_values import Answer
from arena.explaining.judge_values import Reading
from interp.blackbox.counterfactual import smallest_deletion, smallest_replacement
from interp.blackbox.methods import MethodResult, Words, black_box_method, words_of
from interp.errors import UnsupportedModel
from interp.evaluation.faithfulness import FRACTIONS, RANKINGS, faithfulness, infidelity
from interp.evaluation.uncertainty import content_and_bias, margin, word_overlap
from interp.masks import Floats, Value
from interp.prompt import Prompt
from interp.whitebox.flow_graph import flow_graph
from interp.whitebox.methods import WHITE_BOX, WhiteBoxMethod, head_importance, sensitivity_of, white_box_scores

if TYPE_CHECKING:
    from interp.whitebox.target import Target

SAMPLES = 4  # answers drawn again, to see whether the model would say the same
HIDINGS = 1 + 3 * len(FRACTIONS) * (RANKINGS + 1)  # masks that faithfulness asks for
RANDOM_SETS = 64  # of hidden words, for infidelity

Progress = Callable[[str, int, int], None]  # stage, done, of how many; may raise to end the work


@dataclass
class Counter:
    """Masks answered so far in this stage; both orders count."""

    progress: Progress
    stage: str = "preparing"
    done: int = 0
    total: int = 0

    def begin(self, stage: str, total: int = 0) -> None:
        self.stage, self.done, self.total = stage, 0, total
        self.progress(stage, 0, total)

    def seen(self, count: int) -> None:
        self.done += count
        self.progress(self.stage, self.done, max(self.total, self.done))


def of_verdict(reading: Reading, name: str, heads: str, counter: Counter) -> dict[str, Any]:
    """All that is told of a judge's verdict. Raises `InterpError`, `JudgeFailed`."""
    started = time.monotonic()
    game, prompt = reading.exchange.content, reading.prompts[0]
    words = words_of(prompt)
    first, second = (float(f[0]) for f in reading.exchange.both(np.ones((1, words.units), dtype=bool)))
    found = content_and_bias(first, second)
    targets = reading.targets
    scored = _scored(name, game, words, targets, counter, reading.exchange.places)
    return {
        "target": "(logit(A) - logit(B)) of the verdict, half the difference of both orders",
        "parameters": dict(scored.parameters),
        "verdict": {
            "orders": [first, second],
            "content": found.content,
            "bias": found.bias,
            "consistent": found.consistent,
            "winner": "model_a" if found.content > 0 else "model_b",
            "entropy": [margin(f).entropy for f in (first, second)],
        },
        **_shown(prompt, words, scored.scores),
        **_measured(game, name, scored.scores, targets, counter, orders=2),
        **_flips(reading, game, scored.scores, counter),
        **_inside(targets, heads, counter),
        "notes": [*reading.notes, *_noted(scored)],
        "seconds": round(time.monotonic() - started, 1),
    }


def of_answer(answer: Answer, name: str, heads: str, counter: Counter) -> dict[str, Any]:
    """All that is told of a model's own answer: which words of the prompt it hangs on. Raises `InterpError`."""
    from interp.evaluation.uncertainty import semantic_consistency
    from interp.whitebox.samples import sample_completions, token_entropies

    started = time.monotonic()
    words = words_of(answer.prompt)
    scored = _scored(name, answer.value, words, (answer.target,), counter)
    told = {
        "target": "log p(answer | prompt) - log p(answer | no prompt)",
        "parameters": dict(scored.parameters),
        **_shown(answer.prompt, words, scored.scores),
        **_measured(answer.value, name, scored.scores, (answer.target,), counter, orders=1),
        **_inside((answer.target,), heads, counter),
    }
    counter.begin(f"drawing {SAMPLES} answers")
    said = sample_completions(answer.target, answer.text, SAMPLES)
    meant = semantic_consistency(said, word_overlap)
    tokens = token_entropies(answer.target, answer.text)
    return {
        **told,
        "answer": {
            "side": answer.side,
            "text": answer.text,
            "gain": float(answer.value(np.ones((1, words.units), dtype=bool))[0]),
            "tokens": [{"text": one.text, "bits": one.bits, "surprise": one.surprise} for one in tokens],
            "samples": said,
            "consistency": meant.consistency,
            "semantic_entropy": meant.entropy,
        },
        "notes": [*answer.notes, *_noted(scored)],
        "seconds": round(time.monotonic() - started, 1),
    }


def _scored(
    name: str,
    game: Value,
    words: Words,
    targets: Sequence[Target] | None,
    counter: Counter,
    places: NDArray[np.intp] | None = None,
) -> MethodResult:
    """Scores of the words; `places` where there are two orders, of each word of the first in the second."""
    if name in WHITE_BOX and targets is not None:
        counter.begin(f"attributing: {_announced(WHITE_BOX[name], targets[0])}")
        return white_box_scores(WHITE_BOX[name], targets, places)
    chosen = black_box_method(name)
    counter.begin(f"attributing: {chosen.says}", (1 if places is None else 2) * chosen.calls(words))
    return chosen.scores(game, words)


def _announced(chosen: WhiteBoxMethod, target: Target) -> str:
    """What the method does; of attention flow also what it will cost, before it is begun."""
    if chosen.name != "flow":
        return chosen.says
    from interp.whitebox.flow import flow_cost

    needed = flow_cost(target, target.prompt.words)
    return f"{needed.flows} maximum flows over {needed.edges:,} edges, about {needed.seconds:.0f} s an order"


def _shown(prompt: Prompt, words: Words, scores: Floats) -> dict[str, Any]:
    """The whole prompt, word by word. `between` has what stands before each word, and what stands after the last:
    the template, which has no scores."""
    ends = [0, *(word.end for word in prompt.words)]
    starts = [*(word.start for word in prompt.words), len(prompt.text)]
    return {
        "words": [
            {"segment": word.segment, "text": word.text, "score": float(score)}
            for word, score in zip(prompt.words, scores, strict=True)
        ],
        "between": [prompt.text[end:start] for end, start in zip(ends, starts, strict=True)],
        "sentences": [
            {
                "segment": prompt.words[sentence[0]].segment,
                "text": "".join(prompt.words[number].text for number in sentence).strip(),
                "score": float(sum(scores[number] for number in sentence)),
                "words": [sentence[0], sentence[-1]],
            }
            for sentence in words.sentences
        ],
    }


def _measured(
    game: Value, name: str, scores: Floats, targets: Sequence[Target] | None, counter: Counter, orders: int
) -> dict[str, Any]:
    """Faithfulness and infidelity of the scores, and the sensitivity of methods of one gradient."""
    counter.begin("measuring faithfulness", orders * (HIDINGS + RANDOM_SETS))
    told = faithfulness(game, scores).to_dict()
    apart = infidelity(game, scores, samples=RANDOM_SETS)
    told["infidelity"] = apart if np.isfinite(apart) else None
    if targets is not None and name in WHITE_BOX and WHITE_BOX[name].steady:
        counter.begin("measuring sensitivity")
        told["sensitivity"] = sensitivity_of(WHITE_BOX[name], targets[0])
    return {"faithfulness": told}


def _flips(reading: Reading, game: Value, scores: Floats, counter: Counter) -> dict[str, Any]:
    """The smallest deletion and the smallest replacement found that turn the verdict round."""
    counter.begin("looking for what would flip it")
    texts = [word.text.strip() for word in reading.prompts[0].words]
    return {
        "counterfactual": smallest_deletion(game, scores).to_dict(),
        "replacement": smallest_replacement(reading.edited, texts, scores).to_dict(),
    }


def _inside(targets: Sequence[Target] | None, heads: str, counter: Counter) -> dict[str, Any]:
    """Importance of heads, and the flow of attention in the first order; of a model with weights."""
    if targets is None:
        return {}
    try:
        counter.begin(f"importance of heads, by {heads}")
        importance = head_importance(targets, heads, lambda done, of: counter.progress(counter.stage, done, of))
        counter.begin("looking at attention")
        return {"heads": importance, "heads_by": heads, "flow": flow_graph(targets[0])}
    except UnsupportedModel:  # a network of another make: the words are explained all the same
        return {}


def _noted(scored: MethodResult) -> list[str]:
    """What a method warns of, once."""
    orders = scored.parameters.get("orders")
    notes = [note for one in orders for note in one["notes"]] if isinstance(orders, list) else []
    if scored.parameters.get("signed") is False:
        notes.append("this method has no sign: it says where the judge looked, not for whom it spoke")
    return list(dict.fromkeys(notes))
