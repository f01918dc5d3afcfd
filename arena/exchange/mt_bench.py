"""A judged prompt set as files of MT-bench: questions, answers, single scores and pairs of games."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from arena.exchange.files import write_rows
from arena.exchange.prompt_set import ANSWERS, JUDGMENTS, JudgedSet, Written, choose_judge, file_name
from arena.rules.votes import JUDGE
from arena.store.prompt_set_verdicts import SetScore, SetVerdict
from arena.store.prompts import StoredCompletion, StoredPrompt


def write_mt_bench(folder: Path, judged: JudgedSet, judge: str | None, written: Written) -> None:
    prompts = {key: prompt for key, prompt in judged.prompts.items() if prompt.turns == len(prompt.messages) <= 2}
    written.skip(len(judged.prompts) - len(prompts), "mt_bench has prompts of one or two user turns")
    write_rows(folder / "question.jsonl", map(_question, prompts.values()))
    (folder / ANSWERS).mkdir()
    for model in judged.models:
        rows = [
            _answer(prompt, judged.completions[key, model])
            for key, prompt in prompts.items()
            if (key, model) in judged.completions
        ]
        written.completions += write_rows(folder / ANSWERS / f"{file_name(model)}.jsonl", rows)
    sources = [score.source for score in judged.scores] + [verdict.source for verdict in judged.verdicts]
    chosen = choose_judge(sources, judge)
    if chosen is not None:
        _write_judgments(folder / JUDGMENTS, judged, chosen, prompts, written)
    written.prompts = len(prompts)


def _write_judgments(
    folder: Path, judged: JudgedSet, source: str, prompts: Mapping[str, StoredPrompt], written: Written
) -> None:
    """The scores and the pairs of one judge, each in a file if there are any."""
    folder.mkdir()
    name = file_name(source.removeprefix(JUDGE))
    scores = [s for s in judged.scores if s.source == source and s.prompt in prompts]
    pairs = [v for v in judged.verdicts if v.source == source and v.prompt in prompts]
    rows = {
        "single": [row for score in scores for row in _scores(prompts[score.prompt], score)],
        "pair": [_pair(prompts[verdict.prompt], verdict) for verdict in pairs],
    }
    for kind, judgments in rows.items():
        if judgments:
            written.verdicts += write_rows(folder / f"{name}_{kind}.jsonl", judgments)


def _question(prompt: StoredPrompt) -> dict[str, Any]:
    turns = [message["content"] for message in prompt.messages]
    reference = {"reference": list(prompt.references) or [prompt.reference]} if prompt.reference else {}
    checklist = {"checklist": list(prompt.checklist)} if prompt.checklist else {}
    return {"question_id": prompt.key, "category": prompt.category, "turns": turns, **reference, **checklist}


def _answer(prompt: StoredPrompt, completion: StoredCompletion) -> dict[str, Any]:
    choices = [{"index": 0, "turns": [*completion.earlier, completion.text]}]
    return {
        "question_id": prompt.key,
        "answer_id": str(completion.id),
        "model_id": completion.model,
        "choices": choices,
    }


def _scores(prompt: StoredPrompt, scored: SetScore) -> list[dict[str, Any]]:
    """One row for each judged turn; a single score belongs to the last turn.

    The rows have no `judgment`, so that other tools use the stored score and do not parse the reason.
    """
    by_turn = enumerate(scored.turns, 1) if scored.turns else [(prompt.turns, scored.score)]
    return [_score(scored, turn, score) for turn, score in by_turn]


def _score(scored: SetScore, turn: int, score: float) -> dict[str, Any]:
    return {
        "question_id": scored.prompt,
        "model": scored.model,
        "judge": [scored.source.removeprefix(JUDGE), "single"],
        "score": score,
        "turn": turn,
        "tstamp": scored.created_at.timestamp(),
        "reason": scored.reason,
    }


def _pair(prompt: StoredPrompt, verdict: SetVerdict) -> dict[str, Any]:
    """A row of two games; a verdict in one order counts as both, since the format has no single games."""
    sides = {"model_a": "model_1", "model_b": "model_2", "tie": "tie"}
    first, second = verdict.orders if len(verdict.orders) == 2 else (verdict.winner, verdict.winner)
    return {
        "question_id": prompt.key,
        "model_1": verdict.model_a,
        "model_2": verdict.model_b,
        "g1_winner": sides[first],
        "g2_winner": sides[second],
        "judge": [verdict.source.removeprefix(JUDGE), "pair"],
        "turn": prompt.turns,
        "reason": verdict.reason,
    }
