"""The cases of a judge run, always in the same order: which completions a judge is shown, and how."""

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

DEFAULT_PROTOCOL = {"single": "wildbench", "baseline": "token", "pairwise": "arena", "battles": "arena"}
MT_BENCH_FILE = ".jsonl"  # suffix of the file of MT-bench's judge prompts, which its own protocol reads
REWARD = "reward"  # the protocol of judges that return a number and no text
SIDES = ("model_a", "model_b")
Completions = Mapping[tuple[str, str], StoredCompletion]  # by prompt and model, or of a battle by prompt and side


@dataclass(frozen=True)
class Case:
    """One item to judge: two completions, or one and no `b`. A control pair is judged and never counted."""

    judge: Judge[Any, Any]
    item: Pair | Single
    prompt: StoredPrompt
    a: StoredCompletion
    b: StoredCompletion | None = None
    control_pair: ControlPair | None = None


def judge_of(config: JudgeRunConfig) -> Judge[Any, Any]:
    """The judge or panel of the run, for one order. Raises `ConfigError`."""
    protocol, text = protocol_of(config), _template(config)
    if protocol == REWARD:
        return _reward(config)
    kind = SingleJudge if config.mode == "single" else PairwiseJudge
    try:
        judges: list[Any] = [
            kind(name, protocol, text, thinking_budget=config.thinking_budget) for name in config.judges
        ]
        if len(judges) == 1:
            return judges[0]  # type: ignore[no-any-return]
        return single_panel(judges) if config.mode == "single" else panel(judges)
    except JudgesError as problem:
        raise ConfigError(str(problem)) from problem


def _reward(config: JudgeRunConfig) -> Judge[Any, Any]:
    if config.mode == "single":
        raise ConfigError(
            "--protocol reward compares completions, as its scores have no common scale. Use another mode than single."
        )
    if config.template is not None:
        raise ConfigError(
            "--protocol reward takes no template, as a reward model reads the conversation itself. Remove --template."
        )
    judges = [RewardJudge(name) for name in config.judges]
    return judges[0] if len(judges) == 1 else panel(judges)


def config_hash(config: JudgeRunConfig) -> str:
    """Digest of the judge's configuration: verdicts of two configurations are not of the same judge."""
    order = None if config.mode == "single" else config.order
    text = _template(config)
    template = list(vars(text).values()) if isinstance(text, ByItem) else text
    content = [config.judges, protocol_of(config), template, config.thinking_budget, order]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def protocol_of(config: JudgeRunConfig) -> str:
    """The protocol of the config, else that of the template or the mode."""
    if config.protocol is not None:
        return config.protocol
    if config.template is not None and config.template.suffix == MT_BENCH_FILE:
        return "mt_bench"
    return DEFAULT_PROTOCOL[config.mode]


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
    yield from _control_cases(config, judge, matched)
    by_pair = {(item.prompt, item.model_a, item.model_b): (prompt, a, b) for item, prompt, a, b in matched}
    pairs = [item for item, *_ in matched]
    ordered: Iterable[tuple[Judge[Any, Any], Pair]]
    if config.protocol == REWARD:  # each completion is scored alone: there is no order
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
        raise ConfigError(f"--template {path}: cannot be read ({problem}). Check the file.") from problem
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
    """Pairs of completions, prompt by prompt, so that servers can reuse the prefix; the left model is the first
    in the alphabet, so that every run refers to the same battle.
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
    """A battle of voters, which keeps its sides."""
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
    """The prompts of each pair of models, most where another battle narrows the ratings most.

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
        numbers = frozenset((start + step) % prompts for step in range(min(int(wanted[number]), prompts)))
        chosen[models[i], models[j]] = numbers
    return chosen


def _control_cases(config: JudgeRunConfig, judge: Judge[Any, Any], matched: Sequence[Matched]) -> Iterator[Case]:
    """Control pairs are shown in both orders whatever the run's order is: a judge is tested, not a pair."""
    if not config.control_pairs or not matched:
        return
    _, prompt, a, b = matched[0]
    for control_pair in control_pairs([item for item, *_ in matched], each=config.control_pairs):
        yield Case(both_orders(judge), control_pair.pair, prompt, a, b, control_pair)
