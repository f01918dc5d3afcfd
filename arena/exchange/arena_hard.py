"""A judged prompt set as files of Arena-Hard: questions, answers of each model, judgments of two games."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from arena.exchange.files import write_rows
from arena.exchange.prompt_set import (
    ANSWERS,
    JUDGMENTS,
    JudgedSet,
    Written,
    file_name,
    instruction,
    involves,
    single_prompts,
)
from arena.rules.votes import JUDGE
from arena.store.prompt_set_verdicts import SetVerdict
from arena.store.prompts import StoredCompletion, StoredPrompt

# by the lead of the model shown as A; 2 is "much better"
LABELS = {2: "A>>B", 1: "A>B", 0: "A=B", -1: "B>A", -2: "B>>A"}


def write_arena_hard(
    folder: Path, judged: JudgedSet, baseline: str | None, verdicts: Sequence[SetVerdict], written: Written
) -> None:
    prompts = single_prompts(judged, written)
    write_rows(
        folder / "question.jsonl",
        (
            {"uid": key, "category": prompt.category, "prompt": instruction(prompt), **_other_fields(prompt)}
            for key, prompt in prompts.items()
        ),
    )
    (folder / ANSWERS).mkdir()
    for model in judged.models:
        answers = [_answer(prompt, judged.completions[key, model]) for key, prompt in prompts.items()
                   if (key, model) in judged.completions]  # fmt: skip
        written.completions += write_rows(folder / ANSWERS / f"{file_name(model)}.jsonl", answers)
        rows = [_judgment(prompts[v.prompt], v, baseline) for v in verdicts if involves(v, model, prompts)]
        if rows and model != baseline:
            place = folder / JUDGMENTS / file_name(rows[0]["judge"])
            place.mkdir(parents=True, exist_ok=True)
            written.verdicts += write_rows(place / f"{file_name(model)}.jsonl", rows)
    written.prompts = len(prompts)


def _other_fields(prompt: StoredPrompt) -> dict[str, Any]:
    """The checklist, and the fields of the imported file that the format does not define."""
    checklist = {"checklist": list(prompt.checklist)} if prompt.checklist else {}
    return checklist | {
        name: value for name, value in prompt.extra.items() if name not in ("uid", "category", "prompt")
    }


def _answer(prompt: StoredPrompt, completion: StoredCompletion) -> dict[str, Any]:
    conversation = [dict(message) for message in prompt.messages]
    answer = {"role": "assistant", "content": {"answer": completion.text}}
    return {
        "uid": prompt.key,
        "ans_id": str(completion.id),
        "model": completion.model,
        "messages": [*conversation, answer],
    }


def _judgment(prompt: StoredPrompt, verdict: SetVerdict, baseline: str | None) -> dict[str, Any]:
    """Two games, with the baseline as A in the first; a verdict in one order is the first game only."""
    model = verdict.model_b if verdict.model_a == baseline else verdict.model_a
    winners = verdict.orders if len(verdict.orders) == 2 else (verdict.winner,)
    # orders come with model_a as A first; the file wants the baseline as A first
    given = winners if verdict.model_a == baseline or len(winners) == 1 else winners[::-1]
    leads = [_lead(winner, model == verdict.model_a, verdict.strength) for winner in given]
    games: list[dict[str, str] | None] = [{"score": LABELS[-leads[0]]}]
    games.append({"score": LABELS[leads[1]]} if len(leads) == 2 else None)
    return {
        "uid": prompt.key,
        "category": prompt.category,
        "judge": verdict.source.removeprefix(JUDGE),
        "model": model,
        "baseline": baseline,
        "games": games,
        "reason": verdict.reason,
    }


def _lead(winner: str, first: bool, strength: int) -> int:
    """The lead of the model over the baseline: 2 for much better, negative for a loss."""
    if winner not in ("model_a", "model_b"):
        return 0
    size = 2 if strength == 2 else 1
    return size if (winner == "model_a") == first else -size
