"""Which completions are put before a judge, and how: the cases of a run, always in the same order."""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import ratings
from arena.errors import ConfigError
from arena.judging.config import JudgeRunConfig
from arena.store.prompts import StoredCompletion, StoredPrompt
from judges import Judge, Pair, PairwiseJudge, Single, SingleJudge, balanced, both_orders, panel, single_panel
from judges.control_pairs import ControlPair, control_pairs
from judges.errors import JudgesError
from judges.reward import RewardJudge
from judges.template import ByItem, mt_bench_template, mt_bench_templates

DEFAULT_SCHEME = {"single": "wildbench", "baseline": "token", "pairwise": "arena", "battles": "arena"}
MT_BENCH_FILE = ".jsonl"  # how the file with MT-bench's prompts ends, which are read by MT-bench's scheme
REWARD = "reward"  # the scheme of judges that give a number and no words
SIDES = ("model_a", "model_b")
Completions = Mapping[tuple[str, str], StoredCompletion]  # by prompt and model, or of a battle by prompt and side


@dataclass(frozen=True)
class Case:
    """One thing to be judged: two completions, or one and no `b`. A canary is judged and never counted."""

    judge: Judge[Any, Any]
    item: Pair | Single
    prompt: StoredPrompt
    a: StoredCompletion
    b: StoredCompletion | None = None
    control_pair: ControlPair | None = None


def judge_of(config: JudgeRunConfig) -> Judge[Any, Any]:
    """The judge or panel that is asked, in one order. Raises `ConfigError`."""
    protocol, text = protocol_of(config), _template(config)
    if protocol == REWARD:
        return _reward(config)
    kind = SingleJudge if config.mode == "single" else PairwiseJudge
    try:
        some: list[Any] = [
            kind(name, protocol, text, thinking_budget=config.thinking_budget) for name in config.judges
        ]
        if len(some) == 1:
            return some[0]  # type: ignore[no-any-return]
        return single_panel(some) if config.mode == "single" else panel(some)
    except JudgesError as problem:
        raise ConfigError(str(problem)) from problem


def _reward(config: JudgeRunConfig) -> Judge[Any, Any]:
    if config.mode == "single":
        raise ConfigError("--protocol reward compares completions: its scores have no scale of their own")
    if config.template is not None:
        raise ConfigError("--protocol reward has no template: a reward model reads the conversation itself")
    some = [RewardJudge(name) for name in config.judges]
    return some[0] if len(some) == 1 else panel(some)


def config_hash(config: JudgeRunConfig) -> str:
    """Digest of how the judge is asked: verdicts of different designs are not of the same judge."""
    order = None if config.mode == "single" else config.order
    text = _template(config)
    shown = list(vars(text).values()) if isinstance(text, ByItem) else text
    told = [config.judges, protocol_of(config), shown, config.thinking_budget, order]
    return hashlib.sha256(json.dumps(told).encode()).hexdigest()


def protocol_of(config: JudgeRunConfig) -> str:
    """The scheme that was chosen, else what the template or the mode asks for."""
    if config.protocol is not None:
        return config.protocol
    if config.template is not None and config.template.suffix == MT_BENCH_FILE:
        return "mt_bench"
    return DEFAULT_SCHEME[config.mode]


def source(config: JudgeRunConfig) -> str:
    """The judge's name as a voter."""
    return f"judge:{config.name or '+'.join(config.judges)}"


def cases(
    config: JudgeRunConfig,
    judge: Judge[Any, Any],
    prompts: Sequence[StoredPrompt],
    completions: Completions,
    counts: ratings.PairCounts | None = None,
) -> Iterator[Case]:
    """Every case of the run. `counts` are the votes so far, for choosing battles."""
    if config.mode == "single":
        yield from _singles(judge, prompts, completions)
        return
    if config.mode == "battles":
        matched = [_as_matched(prompt, completions) for prompt in prompts]
    else:
        matched = list(_matched(config, prompts, completions, counts))
    yield from _canary_cases(config, judge, matched)
    by_pair = {(item.prompt, item.model_a, item.model_b): (prompt, a, b) for item, prompt, a, b in matched}
    pairs = [item for item, *_ in matched]
    asked: Iterable[tuple[Judge[Any, Any], Pair]]
    if config.protocol == REWARD:  # each completion is scored alone: there is no order
        asked = ((judge, pair) for pair in pairs)
    elif config.order == "both":
        asked = ((both_orders(judge), pair) for pair in pairs)
    else:
        asked = balanced(pairs, judge, double=config.double)
    for how, pair in asked:
        prompt, a, b = by_pair[pair.prompt, pair.model_a, pair.model_b]
        yield Case(how, pair, prompt, a, b)


def missing(prompts: Sequence[StoredPrompt], completions: Completions, models: Sequence[str]) -> dict[str, int]:
    """How many of the prompts each model has not answered."""
    gaps = {model: sum((prompt.key, model) not in completions for prompt in prompts) for model in models}
    return {model: count for model, count in gaps.items() if count}


def _template(config: JudgeRunConfig) -> str | ByItem | None:
    path = config.template
    if path is None:
        return None
    try:
        text = Path(path).read_text(encoding="utf-8")
        if path.suffix != MT_BENCH_FILE:
            return text
        if config.template_prompt is not None:
            return mt_bench_template(text.splitlines(), config.template_prompt)
        return mt_bench_templates(text.splitlines(), "single" if config.mode == "single" else "pair")
    except (OSError, UnicodeDecodeError) as problem:
        raise ConfigError(f"--template {path}: cannot be read ({problem})") from problem
    except JudgesError as problem:
        raise ConfigError(f"--template {path}: {problem}") from problem


def _singles(judge: Judge[Any, Any], prompts: Sequence[StoredPrompt], completions: Completions) -> Iterator[Case]:
    models = sorted({model for _, model in completions})
    for prompt in prompts:
        for model in models:
            a = completions.get((prompt.key, model))
            if a is None:
                continue
            yield Case(judge, _single(prompt, a), prompt, a)


Matched = tuple[Pair, StoredPrompt, StoredCompletion, StoredCompletion]


def _matched(
    config: JudgeRunConfig,
    prompts: Sequence[StoredPrompt],
    completions: Completions,
    counts: ratings.PairCounts | None,
) -> Iterator[Matched]:
    """Pairs of completions, prompt by prompt, so that servers can reuse the prefix; the left model comes first
    in the alphabet, so that every run means the same battle.
    """
    models = sorted({model for _, model in completions})
    chosen = _chosen(config, models, len(prompts), counts)
    for number, prompt in enumerate(prompts):
        for left, right in itertools.combinations(models, 2):
            if config.baseline is not None and config.baseline not in (left, right):
                continue
            if chosen is not None and number not in chosen.get((left, right), ()):
                continue
            a, b = completions.get((prompt.key, left)), completions.get((prompt.key, right))
            if a is not None and b is not None:
                yield _pair(prompt, a, b), prompt, a, b


def _as_matched(prompt: StoredPrompt, completions: Completions) -> Matched:
    """A battle that was fought already keeps its sides."""
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


def _chosen(
    config: JudgeRunConfig, models: Sequence[str], prompts: int, counts: ratings.PairCounts | None
) -> dict[tuple[str, str], frozenset[int]] | None:
    """The prompts that each pair of models gets, most where another battle narrows the ratings most.

    Each pair begins at another prompt, so that few battles still spread over the whole set.
    """
    if config.battles is None or counts is None:
        return None
    share = ratings.pair_sampling.informative(counts)
    pairs = list(itertools.combinations(range(len(models)), 2))
    weight = np.array([share[i, j] for i, j in pairs])
    wanted = np.floor(config.battles * weight / weight.sum()).astype(int)
    for place in np.argsort(-(config.battles * weight / weight.sum() - wanted), kind="stable"):
        if wanted.sum() >= config.battles:
            break
        wanted[place] += 1
    chosen = {}
    for number, (i, j) in enumerate(pairs):
        start = number * prompts // len(pairs)
        some = frozenset((start + step) % prompts for step in range(min(int(wanted[number]), prompts)))
        chosen[models[i], models[j]] = some
    return chosen


def _canary_cases(config: JudgeRunConfig, judge: Judge[Any, Any], matched: Sequence[Matched]) -> Iterator[Case]:
    """Canaries are asked in both orders whatever the run's order is: a judge is tested, not a pair."""
    if not config.control_pairs or not matched:
        return
    _, prompt, a, b = matched[0]
    for control_pair in control_pairs([item for item, *_ in matched], each=config.control_pairs):
        yield Case(both_orders(judge), control_pair.pair, prompt, a, b, control_pair)
