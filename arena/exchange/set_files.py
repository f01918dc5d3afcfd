"""The files of the public benchmarks, written from a judged set."""

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
# the lead of the model shown as A: 2 is much better
LABELS = {2: "A>>B", 1: "A>B", 0: "A=B", -1: "B>A", -2: "B>>A"}


def alpaca_eval(
    folder: Path, one: JudgedSet, baseline: str | None, said: Sequence[SetVerdict], done: Written
) -> None:
    prompts = _single_turns(one, done)
    for model in one.models:
        (folder / file_name(model)).mkdir()
        outputs = [
            {
                "dataset": prompt.category,
                "instruction": _instruction(prompt),
                "output": one.completions[key, model].text,
                "generator": model,
            }
            for key, prompt in prompts.items()
            if (key, model) in one.completions
        ]
        write_json(folder / file_name(model) / "model_outputs.json", outputs)
        done.completions += len(outputs)
        rows = [_annotation(one, prompts[v.prompt], v, baseline) for v in said if _about(v, model, prompts)]
        if rows and model != baseline:
            write_json(folder / file_name(model) / "annotations.json", rows)
            done.verdicts += len(rows)
    done.prompts = len(prompts)


def _annotation(one: JudgedSet, prompt: StoredPrompt, said: SetVerdict, baseline: str | None) -> dict[str, Any]:
    model = said.model_b if said.model_a == baseline else said.model_a
    preference = said.preference if said.model_a == model else 1 - said.preference
    return {
        "instruction": _instruction(prompt),
        "output_1": one.completions[prompt.key, str(baseline)].text,
        "generator_1": baseline,
        "output_2": one.completions[prompt.key, model].text,
        "generator_2": model,
        "dataset": prompt.category,
        "annotator": said.source.removeprefix(JUDGE),
        "preference": 1 + preference,
        "reason": said.reason,
    }


def arena_hard(
    folder: Path, one: JudgedSet, baseline: str | None, said: Sequence[SetVerdict], done: Written
) -> None:
    prompts = _single_turns(one, done)
    write_rows(
        folder / "question.jsonl",
        (
            {"uid": key, "category": prompt.category, "prompt": _instruction(prompt), **_besides(prompt)}
            for key, prompt in prompts.items()
        ),
    )
    (folder / ANSWERS).mkdir()
    for model in one.models:
        answers = [_hard_answer(prompt, one.completions[key, model]) for key, prompt in prompts.items()
                   if (key, model) in one.completions]  # fmt: skip
        done.completions += write_rows(folder / ANSWERS / f"{file_name(model)}.jsonl", answers)
        rows = [_judgment(prompts[v.prompt], v, baseline) for v in said if _about(v, model, prompts)]
        if rows and model != baseline:
            place = folder / JUDGMENTS / file_name(rows[0]["judge"])
            place.mkdir(parents=True, exist_ok=True)
            done.verdicts += write_rows(place / f"{file_name(model)}.jsonl", rows)
    done.prompts = len(prompts)


def _besides(prompt: StoredPrompt) -> dict[str, Any]:
    """What the file that brought the prompt had, but for what the format itself says."""
    return {name: value for name, value in prompt.extra.items() if name not in ("uid", "category", "prompt")}


def _hard_answer(prompt: StoredPrompt, completion: StoredCompletion) -> dict[str, Any]:
    said = [dict(message) for message in prompt.messages]
    answer = {"role": "assistant", "content": {"answer": completion.text}}
    return {
        "uid": prompt.key,
        "ans_id": str(completion.id),
        "model": completion.model,
        "messages": [*said, answer],
    }


def _judgment(prompt: StoredPrompt, said: SetVerdict, baseline: str | None) -> dict[str, Any]:
    """Two games, the baseline shown as A in the first. A verdict that was asked once is the first game alone."""
    model = said.model_b if said.model_a == baseline else said.model_a
    winners = said.orders if len(said.orders) == 2 else (said.winner,)
    # orders come with model_a as A first; the file wants the baseline as A first
    given = winners if said.model_a == baseline or len(winners) == 1 else winners[::-1]
    leads = [_lead(winner, model == said.model_a, said.strength) for winner in given]
    games: list[dict[str, str] | None] = [{"score": LABELS[-leads[0]]}]
    games.append({"score": LABELS[leads[1]]} if len(leads) == 2 else None)
    return {
        "uid": prompt.key,
        "category": prompt.category,
        "judge": said.source.removeprefix(JUDGE),
        "model": model,
        "baseline": baseline,
        "games": games,
        "reason": said.reason,
    }


def _lead(winner: str, first: bool, strength: int) -> int:
    """Of the model over the baseline: 2 for much better, less than 0 where it lost."""
    if winner not in ("model_a", "model_b"):
        return 0
    size = 2 if strength == 2 else 1
    return size if (winner == "model_a") == first else -size


def mt_bench(folder: Path, one: JudgedSet, judge: str | None, done: Written) -> None:
    prompts = {key: prompt for key, prompt in one.prompts.items() if prompt.turns == len(prompt.messages) <= 2}
    _note_left_out(len(one.prompts) - len(prompts), "mt_bench has one turn or two of the user alone", done)
    write_rows(folder / "question.jsonl", map(_question, prompts.values()))
    (folder / ANSWERS).mkdir()
    for model in one.models:
        rows = [
            _answer(prompt, one.completions[key, model])
            for key, prompt in prompts.items()
            if (key, model) in one.completions
        ]
        done.completions += write_rows(folder / ANSWERS / f"{file_name(model)}.jsonl", rows)
    sources = [score.source for score in one.scores] + [verdict.source for verdict in one.verdicts]
    chosen = choose_judge(sources, judge)
    if chosen is not None:
        (folder / JUDGMENTS).mkdir()
        name = folder / JUDGMENTS / file_name(chosen.removeprefix(JUDGE))
        scores = [
            row
            for s in one.scores
            if s.source == chosen and s.prompt in prompts
            for row in _scores(prompts[s.prompt], s)
        ]
        pairs = [_pair(prompts[v.prompt], v) for v in one.verdicts if v.source == chosen and v.prompt in prompts]
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


def _scores(prompt: StoredPrompt, said: SetScore) -> list[dict[str, Any]]:
    """A row a turn that was judged; a judge that scores the last completion alone judges the last turn.

    Without `judgment`: the score that was read counts, not what another parser reads in the judge's words.
    """
    by_turn = enumerate(said.turns, 1) if said.turns else [(prompt.turns, said.score)]
    return [_score(said, turn, score) for turn, score in by_turn]


def _score(said: SetScore, turn: int, score: float) -> dict[str, Any]:
    return {
        "question_id": said.prompt,
        "model": said.model,
        "judge": [said.source.removeprefix(JUDGE), "single"],
        "score": score,
        "turn": turn,
        "tstamp": said.created_at.timestamp(),
        "reason": said.reason,
    }


def _pair(prompt: StoredPrompt, said: SetVerdict) -> dict[str, Any]:
    """A verdict that was asked in one order counts as both: the format has no row of one game."""
    sides = {"model_a": "model_1", "model_b": "model_2", "tie": "tie"}
    first, second = said.orders if len(said.orders) == 2 else (said.winner, said.winner)
    return {
        "question_id": prompt.key,
        "model_1": said.model_a,
        "model_2": said.model_b,
        "g1_winner": sides[first],
        "g2_winner": sides[second],
        "judge": [said.source.removeprefix(JUDGE), "pair"],
        "turn": prompt.turns,
        "reason": said.reason,
    }


def openai_batch(folder: Path, one: JudgedSet, bodies: Mapping[str, Body], done: Written) -> None:
    prompts = {key: prompt for key, prompt in one.prompts.items() if prompt.turns == 1}
    _note_left_out(
        len(one.prompts) - len(prompts), "a batch asks once, and these have turns to answer first", done
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


def _about(said: SetVerdict, model: str, prompts: Mapping[str, StoredPrompt]) -> bool:
    return model in (said.model_a, said.model_b) and said.prompt in prompts


def _single_turns(one: JudgedSet, done: Written) -> dict[str, StoredPrompt]:
    prompts = {key: prompt for key, prompt in one.prompts.items() if len(prompt.messages) == 1}
    _note_left_out(len(one.prompts) - len(prompts), "the format has single prompts, no conversations", done)
    return prompts


def _instruction(prompt: StoredPrompt) -> str:
    return str(prompt.messages[-1]["content"])


def _note_left_out(number: int, why: str, done: Written) -> None:
    if number:
        done.notes.append(f"{number} prompts left out: {why}")
