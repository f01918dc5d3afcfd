"""A prompt set as it is exported: prompts, completions and verdicts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from arena.errors import ConfigError
from arena.rules.votes import JUDGE
from arena.store import Session
from arena.store.prompt_set_verdicts import SetScore, SetVerdict, scores_of_set, verdicts_of_set
from arena.store.prompts import StoredCompletion, StoredPrompt, UnknownPromptSet, completions_of, prompts_of

ANSWERS, JUDGMENTS = "model_answer", "model_judgment"  # folders of arena_hard and mt_bench
Body = Callable[[Sequence[Mapping[str, str]]], dict[str, Any]]


@dataclass
class Written:
    """The counts of an export, and notes on what the format could not hold."""

    path: Path
    prompts: int = 0
    completions: int = 0
    verdicts: int = 0
    notes: list[str] = field(default_factory=list)

    def skip(self, number: int, reason: str) -> None:
        """Note that some prompts were skipped; nothing if the number is 0."""
        if number:
            self.notes.append(f"{number} prompts skipped: {reason}")


@dataclass(frozen=True)
class JudgedSet:
    """A prompt set with its completions, verdicts and scores."""

    prompts: Mapping[str, StoredPrompt]
    completions: Mapping[tuple[str, str], StoredCompletion]
    verdicts: Sequence[SetVerdict]
    scores: Sequence[SetScore]

    @property
    def models(self) -> list[str]:
        return sorted({model for _, model in self.completions})


def read_set(session: Session, name: str) -> JudgedSet:
    """The prompt set of a name. Raises `ConfigError` for an unknown one."""
    try:
        prompts = {prompt.key: prompt for prompt in prompts_of(session, name)}
    except UnknownPromptSet as problem:
        raise ConfigError(f"--prompts: {problem}") from problem
    return JudgedSet(
        prompts, completions_of(session, name), verdicts_of_set(session, name), scores_of_set(session, name)
    )


def against(judged: JudgedSet, judge: str | None, baseline: str | None) -> tuple[str | None, list[SetVerdict]]:
    """The baseline, and the chosen judge's verdicts against it."""
    chosen = choose_judge([verdict.source for verdict in judged.verdicts], judge)
    verdicts = [v for v in judged.verdicts if v.source == chosen]
    if baseline is not None and baseline not in judged.models:
        models = ", ".join(judged.models) or "none"
        raise ConfigError(f"--baseline: {baseline!r} has no completions. Models with completions: {models}.")
    if baseline is None and verdicts:
        battles = Counter(model for v in verdicts for model in (v.model_a, v.model_b))
        in_all = sorted(model for model, number in battles.items() if number == len(verdicts))
        if not in_all:
            raise ConfigError(
                f"The judge compared all pairs of models. Give one of them as --baseline: {', '.join(sorted(battles))}."
            )
        baseline = in_all[0]
    return baseline, [v for v in verdicts if baseline in (v.model_a, v.model_b)]


def choose_judge(sources: Iterable[str], judge: str | None) -> str | None:
    """The source of the given judge, or of the only one; None without verdicts."""
    judges = sorted({source.removeprefix(JUDGE) for source in sources})
    if judge is not None and judge.removeprefix(JUDGE) not in judges:
        raise ConfigError(
            f"--judge: {judge!r} has no verdicts on this prompt set. Judges with verdicts: {', '.join(judges) or 'none'}."
        )
    if judge is None and len(judges) > 1:
        raise ConfigError(
            f"Several judges have verdicts on this prompt set. Choose one with --judge: {', '.join(judges)}."
        )
    if not judges:
        return None
    return f"{JUDGE}{(judge or judges[0]).removeprefix(JUDGE)}"


def involves(verdict: SetVerdict, model: str, prompts: Mapping[str, StoredPrompt]) -> bool:
    """Whether a verdict is about the model and one of the prompts."""
    return model in (verdict.model_a, verdict.model_b) and verdict.prompt in prompts


def single_prompts(judged: JudgedSet, written: Written) -> dict[str, StoredPrompt]:
    """The prompts of one message; the others are noted as skipped."""
    prompts = {key: prompt for key, prompt in judged.prompts.items() if len(prompt.messages) == 1}
    written.skip(len(judged.prompts) - len(prompts), "the format has single prompts, not conversations")
    return prompts


def instruction(prompt: StoredPrompt) -> str:
    """The text of the last message."""
    return str(prompt.messages[-1]["content"])


def file_name(name: str) -> str:
    """The file name of a model or judge; a slash would be a folder."""
    return name.replace("/", "__").replace("\\", "__").lstrip(".") or "_"
