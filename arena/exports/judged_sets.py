"""A prompt set with completions and verdicts in the formats of the public benchmarks.

    alpaca_eval   MODEL/model_outputs.json, MODEL/annotations.json        verdicts against one baseline
    arena_hard    question.jsonl, model_answer/MODEL.jsonl, model_judgment/JUDGE/MODEL.jsonl    the same
    mt_bench      question.jsonl, model_answer/MODEL.jsonl, model_judgment/JUDGE_single.jsonl   scores
    openai-batch  MODEL.jsonl                                             requests, to be answered elsewhere

`arena judge score` reads the verdicts back to the same numbers, `arena prompts import` the prompts.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlmodel import Session

from arena.errors import ConfigError
from arena.exports.files import fresh_folder, write_json, write_rows
from arena.store import Database
from arena.store.prompts import StoredCompletion, StoredPrompt, UnknownPromptSet, completions_of, prompts_of
from arena.store.verdicts import SetScore, SetVerdict, scores_of_set, verdicts_of_set

Body = Callable[[Sequence[Mapping[str, str]]], dict[str, Any]]
JUDGE = "judge:"
ANSWERS, JUDGMENTS = "model_answer", "model_judgment"
# the lead of the model shown as A: 2 is much better
LABELS = {2: "A>>B", 1: "A>B", 0: "A=B", -1: "B>A", -2: "B>>A"}


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


def export_set(
    database: Database,
    out: Path,
    format: str,  # noqa: A002  (the option's name)
    name: str,
    *,
    judge: str | None = None,
    baseline: str | None = None,
    bodies: Mapping[str, Body] | None = None,
    force: bool = False,
) -> Written:
    """Write the prompt set `name`. `bodies` make the request of each model, for openai-batch.

    Raises `ConfigError` naming what there is to choose from.
    """
    with database.read() as session:
        one = _read(session, name)
    with fresh_folder(out, force) as folder:
        done = Written(out)
        if format == "openai-batch":
            _openai_batch(folder, one, bodies or {}, done)
        elif format == "mt_bench":
            _mt_bench(folder, one, judge, done)
        else:
            against, said = _against(one, judge, baseline)
            write = _alpaca_eval if format == "alpaca_eval" else _arena_hard
            write(folder, one, against, said, done)
    return done


def _read(session: Session, name: str) -> JudgedSet:
    try:
        prompts = {prompt.key: prompt for prompt in prompts_of(session, name)}
    except UnknownPromptSet as problem:
        raise ConfigError(f"--prompts: {problem}") from problem
    return JudgedSet(
        prompts, completions_of(session, name), verdicts_of_set(session, name), scores_of_set(session, name)
    )


def _alpaca_eval(
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


def _arena_hard(
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


def _mt_bench(folder: Path, one: JudgedSet, judge: str | None, done: Written) -> None:
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
    chosen = _judge([score.source for score in one.scores], judge)
    if chosen is not None:
        (folder / JUDGMENTS).mkdir()
        given = [s for s in one.scores if s.source == chosen and s.prompt in prompts]
        path = folder / JUDGMENTS / f"{file_name(chosen.removeprefix(JUDGE))}_single.jsonl"
        done.verdicts = write_rows(path, (_score(prompts[s.prompt], s) for s in given))
    done.prompts = len(prompts)


def _question(prompt: StoredPrompt) -> dict[str, Any]:
    turns = [message["content"] for message in prompt.messages]
    reference = {"reference": [prompt.reference]} if prompt.reference else {}
    return {"question_id": prompt.key, "category": prompt.category, "turns": turns, **reference}


def _answer(prompt: StoredPrompt, completion: StoredCompletion) -> dict[str, Any]:
    choices = [{"index": 0, "turns": [*completion.earlier, completion.text]}]
    return {
        "question_id": prompt.key,
        "answer_id": str(completion.id),
        "model_id": completion.model,
        "choices": choices,
    }


def _score(prompt: StoredPrompt, said: SetScore) -> dict[str, Any]:
    """Without `judgment`: the score that was read counts, not what another parser reads in the judge's words."""
    return {
        "question_id": prompt.key,
        "model": said.model,
        "judge": [said.source.removeprefix(JUDGE), "single"],
        "score": said.score,
        "turn": prompt.turns,
        "tstamp": said.created_at.timestamp(),
        "reason": said.reason,
    }


def _openai_batch(folder: Path, one: JudgedSet, bodies: Mapping[str, Body], done: Written) -> None:
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


def file_name(name: str) -> str:
    """A model's or judge's name as that of a file: a slash would be a folder."""
    return name.replace("/", "__").replace("\\", "__").lstrip(".") or "_"


def _against(one: JudgedSet, judge: str | None, baseline: str | None) -> tuple[str | None, list[SetVerdict]]:
    """The baseline, and the chosen judge's verdicts against it."""
    chosen = _judge([said.source for said in one.verdicts], judge)
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


def _judge(sources: Iterable[str], judge: str | None) -> str | None:
    """The judge asked for, or the only one; None where nobody has judged."""
    known = sorted({source.removeprefix(JUDGE) for source in sources})
    if judge is not None and judge.removeprefix(JUDGE) not in known:
        raise ConfigError(f"--judge: {judge!r} has not judged this set; judges: {', '.join(known) or 'none'}")
    if judge is None and len(known) > 1:
        raise ConfigError(f"several judges have judged this set; choose one with --judge: {', '.join(known)}")
    if not known:
        return None
    return f"{JUDGE}{(judge or known[0]).removeprefix(JUDGE)}"


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
