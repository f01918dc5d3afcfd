"""Runs for experiment trackers: the numbers of their results, and the tables and samples of their documents."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from arena.benchmarking.load import LoadTestConfig
from arena.exchange.tracked_run import TrackedRun, TrackedTable
from arena.web.run_pages.document import Board, RunDocument, ShownSample, shortened
from arena.web.run_pages.file import html
from arena.web.run_pages.speed import load_settings
from benchmarks.timing import Timing

VALUES = ("rating", "score", "win_rate")
BOUNDS = ("lower", "upper")


def tracked_judge_run(document: RunDocument, result: Mapping[str, Any]) -> TrackedRun:
    """A judge run. Conversations of people stay here: of a run on them only the numbers are sent."""
    scores: dict[str, float | None] = {
        "cases": result["cases"], "judged": result["judged"], "coverage": result["coverage"], "cost": result["cost"],
        "calls": result["requests"]["calls"], "flip_rate": result["orders"]["flip_rate"],
    }  # fmt: skip
    for row in (*result["models"], *result["criteria"]):
        name = next(value for value in VALUES if value in row)
        place = "/".join(filter(None, (row.get("criterion"), name, row["model"])))
        scores |= {place: row[name]} | {f"{place}/{bound}": row.get(bound) for bound in BOUNDS}
        scores |= {f"{name}/{row['model']}/{judge}": value for judge, value in row.get("judges", {}).items()}
    config = {"mode": result["mode"], "judge": result["judge"], **dict(document.settings)}
    name = f"{result['mode']} {document.title}"
    return _tracked("judge", name, config, scores, document, private=not result["prompts"])


def tracked_bench_runs(document: RunDocument, rows: Sequence[Mapping[str, Any]]) -> TrackedRun:
    """The runs of one `arena bench run`; `rows` are what it prints."""
    scores: dict[str, float | None] = {}
    for row in rows:
        place = f"{row['task']}/{row['model']}"
        scores[f"{place}/{row['metric']}"] = row["value"]
        names = (*BOUNDS, "worst", "best", "scored", "unparsed", "failed", "cost", "seconds")
        scores |= {f"{place}/{name}": row.get(name) for name in names}
    costs = [row["cost"] for row in rows if row.get("cost") is not None]
    scores["cost"] = sum(costs) if costs else None
    models = ", ".join(dict.fromkeys(row["model"] for row in rows))
    return _tracked("bench", document.title, {"models": models, **dict(document.settings)}, scores, document)


def tracked_load(
    model: str,
    config: LoadTestConfig,
    report: Mapping[str, Any],
    latencies: Sequence[Mapping[str, Any]],
    repeats: Sequence[Sequence[Timing]],
    page: str,
) -> TrackedRun:
    """A load test: `report` is what `arena speed --format json` prints, `latencies` what `--format csv` does."""
    scores: dict[str, float | None] = {
        key: value for key, value in report["vllm"].items() if isinstance(value, int | float)
    }
    for row in latencies:
        name = row["latency_ms"]
        scores |= {f"{name}_ms/{key}": value for key, value in row.items() if isinstance(value, int | float)}
    tables = [
        TrackedTable("latencies", list(latencies[0]), [list(row.values()) for row in latencies]),
        _requests(repeats),
    ]
    return TrackedRun("speed", f"load test of {model}", _load_config(model, config), scores, tables, page)


def tracked_sweep(
    model: str, config: LoadTestConfig, highest: float | None, loads: Sequence[Mapping[str, Any]], page: str
) -> TrackedRun:
    """A sweep: `loads` are the rows that `--format csv` prints, and `highest` is the highest load within the objectives."""
    columns = list(dict.fromkeys(key for row in loads for key in row))
    table = TrackedTable("loads", columns, [[_plain(row.get(key)) for key in columns] for row in loads])
    settings = _load_config(model, config)
    return TrackedRun("speed", f"load sweep of {model}", settings, {"highest": highest}, [table], page)


def _load_config(model: str, config: LoadTestConfig) -> dict[str, str]:
    return {"model": model, **dict(load_settings(config))}


def _requests(repeats: Sequence[Sequence[Timing]]) -> TrackedTable:
    """The table of samples of a load test: one row a request, in seconds."""
    columns = ["repeat", "turn", "scheduled", "ttft", "tpot", "e2e", "prompt_tokens", "output_tokens", "error"]
    rows: list[list[str | float | None]] = []
    for number, run in enumerate(repeats, 1):
        start = min((timing.scheduled for timing in run), default=0.0)
        rows += [
            [number, one.turn, one.scheduled - start, one.ttft, one.tpot, one.e2e, one.prompt_tokens, one.output_tokens,
             one.error or ""]
            for one in run
        ]  # fmt: skip
    return TrackedTable("requests", columns, rows)


def _plain(value: Any) -> str | float | None:
    return value if value is None or isinstance(value, int | float) else str(value)


def _tracked(
    kind: str, name: str, config: Mapping[str, str], scores: Mapping[str, float | None], document: RunDocument, *,
    private: bool = False,
) -> TrackedRun:  # fmt: skip
    tables = [_board(board) for board in document.boards]
    if private:
        return TrackedRun(kind, name, config, scores, tables)
    return TrackedRun(kind, name, config, scores, [*tables, samples_table(document)], html(document))


def _board(board: Board) -> TrackedTable:
    rows = [[row.name.text, *(cell.text for cell in row.cells)] for row in board.rows]
    return TrackedTable(table_name(board.title), [column or "name" for column in board.columns], rows)


def samples_table(document: RunDocument) -> TrackedTable:
    """One row a sample: its prompt, the completion of each model, and what was said of them."""
    models = list(dict.fromkeys(one.model for sample in document.samples for one in sample.completions))
    columns = [
        "sample",
        "category",
        "prompt",
        "target",
        "marks",
        *(f"completion of {model}" for model in models),
        "verdicts",
    ]
    return TrackedTable("samples", columns, [_sample(sample, models) for sample in document.samples])


def _sample(sample: ShownSample, models: Sequence[str]) -> list[str]:
    texts = {one.model: shortened(one.text) for one in sample.completions}
    said = []
    for verdict in sample.verdicts:
        values = verdict.values.rows if verdict.values is not None else ()
        by = "; ".join(" ".join(filter(None, (row.name.text, row.cells[1].text))) for row in values)
        said.append(f"{verdict.title}: {verdict.result.text}" + (f" ({by})" if by else ""))
    return [
        sample.name, sample.category, "\n\n".join(f"{one.role}: {shortened(one.text)}" for one in sample.messages),
        sample.target, ", ".join(mark.text for mark in sample.marks), *(texts.get(model, "") for model in models),
        "\n".join(said),
    ]  # fmt: skip


def table_name(title: str) -> str:
    """The name of a table, which is a file name too.

    >>> table_name("Costs and times")
    'costs_and_times'
    """
    return re.sub(r"[^a-z0-9]+", "_", title.lower()).strip("_")[:80] or "table"
