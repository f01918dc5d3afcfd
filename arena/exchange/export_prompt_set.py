"""A prompt set with completions and verdicts in the formats of the public benchmarks.

    alpaca_eval   MODEL/model_outputs.json, MODEL/annotations.json        verdicts against one baseline
    arena_hard    question.jsonl, model_answer/MODEL.jsonl, model_judgment/JUDGE/MODEL.jsonl    the same
    mt_bench      question.jsonl, model_answer/MODEL.jsonl, model_judgment/JUDGE_single.jsonl   scores
    openai-batch  MODEL.jsonl                                             requests for another service

`arena judge score` reads the verdicts back to the same numbers, `arena prompts import` the prompts.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from arena.exchange.alpaca_eval import write_alpaca_eval
from arena.exchange.arena_hard import write_arena_hard
from arena.exchange.files import fresh_folder
from arena.exchange.mt_bench import write_mt_bench
from arena.exchange.openai_batch import write_openai_batch
from arena.exchange.prompt_set import Body, Written, against, read_set
from arena.store import Database


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
    """Write the prompt set `name`. `bodies` build the request of each model, for openai-batch.

    Raises `ConfigError` with the available choices.
    """
    with database.read() as session:
        judged = read_set(session, name)
    with fresh_folder(out, force) as folder:
        written = Written(out)
        if format == "openai-batch":
            write_openai_batch(folder, judged, bodies or {}, written)
        elif format == "mt_bench":
            write_mt_bench(folder, judged, judge, written)
        else:
            chosen, verdicts = against(judged, judge, baseline)
            write = write_alpaca_eval if format == "alpaca_eval" else write_arena_hard
            write(folder, judged, chosen, verdicts, written)
    return written
