"""The cases of a judge run, always in the same order: completions, and the judge for their order."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

import ratings
from arena.judging.config import JudgeRunConfig
from arena.judging.judge_setup import REWARD
from arena.rules.votes import JUDGE
from arena.store.prompts import StoredCompletion, StoredPrompt
from judges import Judge, Pair, Single, balanced, both_orders
from judges.control_pairs import ControlPair, control_pairs

# Completions of a prompt set are keyed by prompt and model; those of a battle by prompt and side, one of SIDES.
SIDES = ("model_a", "model_b")
Completions = Mapping[tuple[str, str], StoredCompletion]
PairToJudge = tuple[Pair, StoredPrompt, StoredCompletion, StoredCompletion]


@dataclass(frozen=True)
class Case:
    """One item to judge: two completions, `a` alone, or a group that begins with `a`.

    Verdicts on a control pair are not counted.
    """

    judge: Judge[Any, Any]
    item: Any  # Pair, Single or Group
    prompt: StoredPrompt
    a: StoredCompletion
    b: StoredCompletion | None = None
    control_pair: ControlPair | None = None


def source(config: JudgeRunConfig) -> str:
    """The judge's name as a voter."""
    return f"{JUDGE}{config.name or '+'.join(config.judges)}"


def cases(
    config: JudgeRunConfig,
    judge: Judge[Any, Any],
    prompts: Sequence[StoredPrompt],
    completions: Completions,
    counts: ratings.PairCounts | None = None,
) -> Iterator[Case]:
    """The cases of the run. `counts` are the votes so far, for the choice of battles."""
    if config.mode == "single":
        yield from _singles(judge, prompts, completions)
        return
    if config.mode == "battles":
        pairs_to_judge = [_voted_pair(prompt, completions) for prompt in prompts]
    else:
        pairs_to_judge = list(_pairs_to_judge(config, prompts, completions, counts))
    yield from _control_cases(config, judge, pairs_to_judge)
    by_pair = {(item.prompt, item.model_a, item.model_b): (prompt, a, b) for item, prompt, a, b in pairs_to_judge}
    pairs = [item for item, *_ in pairs_to_judge]
    ordered: Iterable[tuple[Judge[Any, Any], Pair]]
    if config.protocol == REWARD:  # completions are scored one by one, in no order
        ordered = ((judge, pair) for pair in pairs)
    elif config.order == "both":
        ordered = ((both_orders(judge), pair) for pair in pairs)
    else:
        ordered = balanced(pairs, judge, double=config.double)
    for pair_judge, pair in ordered:
        prompt, a, b = by_pair[pair.prompt, pair.model_a, pair.model_b]
        yield Case(pair_judge, pair, prompt, a, b)


def missing(prompts: Sequence[StoredPrompt], completions: Completions, models: Sequence[str]) -> dict[str, int]:
    """The number of prompts without a completion, by model."""
    gaps = {model: sum((prompt.key, model) not in completions for prompt in prompts) for model in models}
    return {model: count for model, count in gaps.items() if count}


def _singles(judge: Judge[Any, Any], prompts: Sequence[StoredPrompt], completions: Completions) -> Iterator[Case]:
    models = sorted({model for _, model in completions})
    for prompt in prompts:
        for model in models:
            a = completions.get((prompt.key, model))
            if a is None:
                continue
            yield Case(judge, _single(prompt, a), prompt, a)


def _pairs_to_judge(
    config: JudgeRunConfig,
    prompts: Sequence[StoredPrompt],
    completions: Completions,
    counts: ratings.PairCounts | None,
) -> Iterator[PairToJudge]:
    """Pairs of completions, prompt by prompt, so that servers can reuse the prefix.

    The left model is the first in the alphabet, so that every run refers to the same battle.
    """
    models = sorted({model for _, model in completions})
    prompts_by_pair = _prompts_by_pair(config, models, len(prompts), counts)
    for number, prompt in enumerate(prompts):
        for left, right in itertools.combinations(models, 2):
            if config.baseline is not None and config.baseline not in (left, right):
                continue
            if prompts_by_pair is not None and number not in prompts_by_pair.get((left, right), ()):
                continue
            a, b = completions.get((prompt.key, left)), completions.get((prompt.key, right))
            if a is not None and b is not None:
                yield _pair(prompt, a, b), prompt, a, b


def _voted_pair(prompt: StoredPrompt, completions: Completions) -> PairToJudge:
    """The pair of a voters' battle, which keeps its sides."""
    a, b = (completions[prompt.key, side] for side in SIDES)
    return _pair(prompt, a, b), prompt, a, b


def _single(prompt: StoredPrompt, a: StoredCompletion) -> Single:
    return Single(
        prompt.key,
        prompt.messages,
        a.model,
        a.text,
        prompt.checklist,
        prompt.reference,
        a.earlier,
        prompt.references,
    )


def _pair(prompt: StoredPrompt, a: StoredCompletion, b: StoredCompletion) -> Pair:
    return Pair(
        prompt.key,
        prompt.messages,
        a.model,
        a.text,
        b.model,
        b.text,
        prompt.checklist,
        prompt.reference,
        a.earlier,
        b.earlier,
        prompt.references,
    )


def _prompts_by_pair(
    config: JudgeRunConfig, models: Sequence[str], prompts: int, counts: ratings.PairCounts | None
) -> dict[tuple[str, str], frozenset[int]] | None:
    """The prompts of each pair of models, with more battles for pairs that narrow the ratings most.

    Each pair begins at another prompt, so that few battles still spread over the whole set.
    """
    if config.battles is None or counts is None:
        return None
    share = ratings.pair_sampling.informative(counts)
    pairs = list(itertools.combinations(range(len(models)), 2))
    weight = np.array([share[i, j] for i, j in pairs])
    battles_by_pair = np.floor(config.battles * weight / weight.sum()).astype(int)
    for index in np.argsort(-(config.battles * weight / weight.sum() - battles_by_pair), kind="stable"):
        if battles_by_pair.sum() >= config.battles:
            break
        battles_by_pair[index] += 1
    prompts_by_pair = {}
    for number, (i, j) in enumerate(pairs):
        start = number * prompts // len(pairs)
        numbers = frozenset((start + step) % prompts for step in range(min(int(battles_by_pair[number]), prompts)))
        prompts_by_pair[models[i], models[j]] = numbers
    return prompts_by_pair


def _control_cases(
    config: JudgeRunConfig, judge: Judge[Any, Any], pairs_to_judge: Sequence[PairToJudge]
) -> Iterator[Case]:
    """The cases of control pairs, always in both orders: they test the judge, not a pair of models."""
    if not config.control_pairs or not pairs_to_judge:
        return
    _, prompt, a, b = pairs_to_judge[0]
    for control_pair in control_pairs([item for item, *_ in pairs_to_judge], each=config.control_pairs):
        yield Case(both_orders(judge), control_pair.pair, prompt, a, b, control_pair)
