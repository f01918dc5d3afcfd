"""Boards of a judge's stored scores or verdicts on a prompt set, by criterion, category and subset."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from arena.errors import ConfigError
from arena.judging.grouped_boards import CRITERION, GROUPS, grouped_rows
from arena.judging.results import Judged, judged_row
from arena.rules.votes import JUDGE
from arena.store import Session
from arena.store.prompt_set_verdicts import SetScore, SetVerdict, scores_of_set, verdicts_of_set
from arena.store.prompts import StoredPrompt, UnknownPromptSet, prompts_of
from judges import Score, Verdict


def stored_board(
    session: Session, judge: str, prompts: str, by: Sequence[str] = (CRITERION,), baseline: str | None = None
) -> list[dict[str, Any]]:
    """The rows of a judge's boards: win rates over `baseline` if given, else mean scores, else ratings of pairs.

    Raises `ConfigError` if the judge has nothing there, or `by` has a group of another name.
    """
    if unknown := [name for name in by if name not in GROUPS]:
        raise ConfigError(f"--by: {unknown[0]!r} is unknown. Use some of: {', '.join(GROUPS)}.")
    source = JUDGE + judge.removeprefix(JUDGE)
    try:
        by_key = {prompt.key: prompt for prompt in prompts_of(session, prompts)}
    except UnknownPromptSet as problem:
        raise ConfigError(str(problem)) from problem
    scores = [row for row in scores_of_set(session, prompts) if row.source == source]
    verdicts = [row for row in verdicts_of_set(session, prompts, counting_only=True) if row.source == source]
    if scores and baseline is None:
        judged = [_scored(by_key[row.prompt], row) for row in scores]
    else:
        judged = _verdicts(by_key, verdicts, source, prompts, baseline)
    return grouped_rows(judged, baseline, by)


def _verdicts(
    by_key: Mapping[str, StoredPrompt],
    verdicts: Sequence[SetVerdict],
    source: str,
    prompts: str,
    baseline: str | None,
) -> list[Judged]:
    kept = [row for row in verdicts if baseline is None or baseline in (row.model_a, row.model_b)]
    if not kept:
        against = f" against {baseline!r}" if baseline is not None and verdicts else ""
        raise ConfigError(
            f"{source} has judged nothing{against} in {prompts!r}. Run `arena judge pairwise --prompts {prompts}`, or give "
            "another judge."
        )
    return [_compared(by_key[row.prompt], row) for row in kept]


def _scored(prompt: StoredPrompt, row: SetScore) -> Judged:
    return judged_row(prompt, row.model, "", Score(row.score, "", row.turns, row.criteria))


def _compared(prompt: StoredPrompt, row: SetVerdict) -> Judged:
    verdict = Verdict(row.winner, row.preference, "", row.strength, row.orders, criteria=row.criteria)
    return judged_row(prompt, row.model_a, row.model_b, verdict)
