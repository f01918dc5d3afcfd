"""A prompt set as it is handed on: prompts, completions, and what judges said of them."""

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

Body = Callable[[Sequence[Mapping[str, str]]], dict[str, Any]]


@dataclass
class Written:
    """What was written, and what the format could not hold."""

    path: Path
    prompts: int = 0
    completions: int = 0
    verdicts: int = 0
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class JudgedSet:
    """A set, read once."""

    prompts: Mapping[str, StoredPrompt]
    completions: Mapping[tuple[str, str], StoredCompletion]
    verdicts: Sequence[SetVerdict]
    scores: Sequence[SetScore]

    @property
    def models(self) -> list[str]:
        return sorted({model for _, model in self.completions})


def read_set(session: Session, name: str) -> JudgedSet:
    try:
        prompts = {prompt.key: prompt for prompt in prompts_of(session, name)}
    except UnknownPromptSet as problem:
        raise ConfigError(f"--prompts: {problem}") from problem
    return JudgedSet(
        prompts, completions_of(session, name), verdicts_of_set(session, name), scores_of_set(session, name)
    )


def against(one: JudgedSet, judge: str | None, baseline: str | None) -> tuple[str | None, list[SetVerdict]]:
    """The baseline, and the chosen judge's verdicts against it."""
    chosen = choose_judge([said.source for said in one.verdicts], judge)
    said = [v for v in one.verdicts if v.source == chosen]
    if baseline is not None and baseline not in one.models:
        known = ", ".join(one.models) or "none"
        raise ConfigError(f"--baseline: {baseline!r} has no completions; models that have: {known}")
    if baseline is None and said:
        met = Counter(model for v in said for model in (v.model_a, v.model_b))
        in_all = sorted(model for model, number in met.items() if number == len(said))
        if not in_all:
            raise ConfigError(f"the judge compared all pairs; name one with --baseline: {', '.join(sorted(met))}")
        baseline = in_all[0]
    return baseline, [v for v in said if baseline in (v.model_a, v.model_b)]


def choose_judge(sources: Iterable[str], judge: str | None) -> str | None:
    """The judge asked for, or the only one; None where nobody has judged."""
    known = sorted({source.removeprefix(JUDGE) for source in sources})
    if judge is not None and judge.removeprefix(JUDGE) not in known:
        raise ConfigError(f"--judge: {judge!r} has not judged this set; judges: {', '.join(known) or 'none'}")
    if judge is None and len(known) > 1:
        raise ConfigError(f"several judges have judged this set; choose one with --judge: {', '.join(known)}")
    if not known:
        return None
    return f"{JUDGE}{(judge or known[0]).removeprefix(JUDGE)}"


def file_name(name: str) -> str:
    """A model's or judge's name as that of a file: a slash would be a folder."""
    return name.replace("/", "__").replace("\\", "__").lstrip(".") or "_"
