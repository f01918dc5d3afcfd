"""The files of public benchmarks from a judged prompt set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from arena.exchange.files import write_json, write_rows
from arena.exchange.judged_set import Body, JudgedSet, Written, choose_judge, file_name
from arena.rules.votes import JUDGE
from arena.store.prompt_set_verdicts import SetScore, SetVerdict
from arena.store.prompts import StoredCompletion, StoredPrompt

ANSWERS, JUDGMENTS = "model_answer", "model_judgment"
# by the lead of the model shown as A; 2 is "much better"
LABELS = {2: "A>>B", 1: "A>B", 0: "A=B", -1: "B>A", -2: "B>>A"}


def alpaca_eval(
    folder: Path, judged: JudgedSet, baseline: str | None, verdicts: Sequence[SetVerdict], done: Written
) -> None:
    prompts = _single_turns(judged, done)
    for model in judged.models:
        (folder / file_name(model)).mkdir()
        outputs = [
            {
                "dataset": prompt.category,
                "instruction": _instruction(prompt),
                "output": judged.completions[key, model].text,
                "generator": model,
            }
            for key, prompt in prompts.items()
            if (key, model) in judged.completions
        ]
        write_json(folder / file_name(model) / "model_outputs.json", outputs)
        done.completions += len(outputs)
        rows = [_annotation(judged, prompts[v.prompt], v, baseline) for v in verdicts if _about(v, model, prompts)]
        if rows and model != baseline:
            write_json(folder / file_name(model) / "annotations.json", rows)
            done.verdicts += len(rows)
    done.prompts = len(prompts)


def _annotation(
    judged: JudgedSet, prompt: StoredPrompt, verdict: SetVerdict, baseline: str | None
) -> dict[str, Any]:
    model = verdict.model_b if verdict.model_a == baseline else verdict.model_a
    preference = verdict.preference if verdict.model_a == model else 1 - verdict.preference
    return {
        "instruction": _instruction(prompt),
        "output_1": judged.completions[prompt.key, str(baseline)].text,
        "generator_1": baseline,
        "output_2": judged.completions[prompt.key, model].text,
        "generator_2": model,
        "dataset": prompt.category,
        "annotator": verdict.source.removeprefix(JUDGE),
        "preference": 1 + preference,
        "reason": verdict.reason,
    }


def arena_hard(
    folder: Path, judged: JudgedSet, baseline: str | None, verdicts: Sequence[SetVerdict], done: Written
) -> None:
    prompts = _single_turns(judged, done)
    write_rows(
        folder / "question.jsonl",
        (
            {"uid": key, "category": prompt.category, "prompt": _instruction(prompt), **_besides(prompt)}
            for key, prompt in prompts.items()
        ),
    )
    (folder / ANSWERS).mkdir()
    for model in judged.models:
        answers = [_hard_answer(prompt, judged.completions[key, model]) for key, prompt in prompts.items()
                   if (key, model) in judged.completions]  # fmt: skip
        done.completions += write_rows(folder / ANSWERS / f"{file_name(model)}.jsonl", answers)
        rows = [_judgment(prompts[v.prompt], v, baseline) for v in verdicts if _about(v, model, prompts)]
        if rows and model != baseline:
            place = folder / JUDGMENTS / file_name(rows[0]["judge"])
            place.mkdir(parents=True, exist_ok=True)
            done.verdicts += write_rows(place / f"{file_name(model)}.jsonl", rows)
    done.prompts = len(prompts)


def _besides(prompt: StoredPrompt) -> dict[str, Any]:
    """The fields of the imported file that the format does not define."""
    return {name: value for name, value in prompt.extra.items() if name not in ("uid", "category", "prompt")}


def _hard_answer(prompt: StoredPrompt, completion: StoredCompletion) -> dict[str, Any]:
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


def mt_bench(folder: Path, judged: JudgedSet, judge: str | None, done: Written) -> None:
    prompts = {key: prompt for key, prompt in judged.prompts.items() if prompt.turns == len(prompt.messages) <= 2}
    _note_skipped(len(judged.prompts) - len(prompts), "mt_bench has prompts of one or two user turns", done)
    write_rows(folder / "question.jsonl", map(_question, prompts.values()))
    (folder / ANSWERS).mkdir()
    for model in judged.models:
        rows = [
            _answer(prompt, judged.completions[key, model])
            for key, prompt in prompts.items()
            if (key, model) in judged.completions
        ]
        done.completions += write_rows(folder / ANSWERS / f"{file_name(model)}.jsonl", rows)
    sources = [score.source for score in judged.scores] + [verdict.source for verdict in judged.verdicts]
    chosen = choose_judge(sources, judge)
    if chosen is not None:
        (folder / JUDGMENTS).mkdir()
        name = folder / JUDGMENTS / file_name(chosen.removeprefix(JUDGE))
        scores = [
            row
            for s in judged.scores
            if s.source == chosen and s.prompt in prompts
            for row in _scores(prompts[s.prompt], s)
        ]
        pairs = [
            _pair(prompts[v.prompt], v) for v in judged.verdicts if v.source == chosen and v.prompt in prompts
        ]
        for kind, rows in (("single", scores), ("pair", pairs)):
            if rows:
                done.verdicts += write_rows(name.with_name(f"{name.name}_{kind}.jsonl"), rows)
    done.prompts = len(prompts)


def _question(prompt: StoredPrompt) -> dict[str, Any]:
    turns = [message["content"] for message in prompt.messages]
    reference = {"reference": list(prompt.references) or [prompt.reference]} if prompt.reference else {}
    return {"question_id": prompt.key, "category": prompt.category, "turns": turns, **reference}


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


def openai_batch(folder: Path, judged: JudgedSet, bodies: Mapping[str, Body], done: Written) -> None:
    prompts = {key: prompt for key, prompt in judged.prompts.items() if prompt.turns == 1}
    _note_skipped(
        len(judged.prompts) - len(prompts),
        "a batch has one call for each prompt, and these have several turns",
        done,
    )
    for model, body in bodies.items():
        write_rows(
            folder / f"{file_name(model)}.jsonl",
            (
                {
                    "custom_id": key,
                    "method": "POST",
                    "url": "/v1/chat/completions",
                    "body": body([dict(message) for message in prompt.messages]),
                }
                for key, prompt in prompts.items()
            ),
        )
    done.prompts = len(prompts)


def _about(verdict: SetVerdict, model: str, prompts: Mapping[str, StoredPrompt]) -> bool:
    return model in (verdict.model_a, verdict.model_b) and verdict.prompt in prompts


def _single_turns(judged: JudgedSet, done: Written) -> dict[str, StoredPrompt]:
    prompts = {key: prompt for key, prompt in judged.prompts.items() if len(prompt.messages) == 1}
    _note_skipped(len(judged.prompts) - len(prompts), "the format has single prompts, not conversations", done)
    return prompts


def _instruction(prompt: StoredPrompt) -> str:
    return str(prompt.messages[-1]["content"])


def _note_skipped(number: int, reason: str, done: Written) -> None:
    if number:
        done.notes.append(f"{number} prompts skipped: {reason}")
