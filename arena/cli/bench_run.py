"""`arena bench run`: its options, its progress and what it tells."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from enum import StrEnum
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from arena.cli import bench_tables
from arena.cli.options import AsFormat, Config, DatabaseURL, Format, opened, write_csv, write_json
from arena.cli.progress import print_failures, progress_bar

if TYPE_CHECKING:
    from arena.benchmarking.run import EvaluatedModel, Taken
    from arena.benchmarking.selection import Chosen, Named, Options
    from arena.engine import ModelClient, ReplyCache, RunResult
    from arena.store import Database
    from benchmarks.annotations import Annotator
    from benchmarks.data import DataSources


class Compat(StrEnum):
    lm_eval = "lm-eval"


class RequestTypeName(StrEnum):
    loglikelihood = "loglikelihood"
    first_token = "first_token"  # noqa: S105
    generate = "generate"


DataFolder = Annotated[
    Path | None, typer.Option("--data", help="The folder with the benchmarks' files; ARENA_DATA_DIR if left out.")
]
Unchecked = Annotated[bool, typer.Option("--no-verify-checksum", help="Take files whose sha256 is another one.")]
CALL_TIMEOUT = 3600.0  # seconds: a local model reads thousands of texts before it answers the last one


def run(
    tasks: Annotated[
        list[str], typer.Argument(metavar="TASK…", help="mmlu, mmlu:anatomy, dimension:NAME or my_task.py.")
    ],
    models: Annotated[str, typer.Option("--models", help="Models, parted by commas.")],
    limit: Annotated[int | None, typer.Option(min=1, help="So many samples, spread over all subjects.")] = None,
    shots: Annotated[int | None, typer.Option(min=0, help="Solved examples before each sample.")] = None,
    seed: Annotated[int, typer.Option(help="For the choice of samples and examples.")] = 0,
    repeats: Annotated[
        int | None, typer.Option(min=1, help="Completions of each sample: the majority counts, or pass@k.")
    ] = None,
    compat: Annotated[Compat | None, typer.Option(help="Choose and order as this harness does.")] = None,
    request_type: Annotated[
        RequestTypeName | None, typer.Option(help="This way to ask, and not the best that works.")
    ] = None,
    max_tokens: Annotated[int | None, typer.Option(min=1, help="Of each completion.")] = None,
    budget: Annotated[float | None, typer.Option(min=0, help="USD that may be spent on each task.")] = None,
    reply_cache: Annotated[Path | None, typer.Option(help="Where replies are kept; beside the database.")] = None,
    data: DataFolder = None,
    unchecked: Unchecked = False,
    offline: Annotated[bool, typer.Option("--offline", help="Never ask the hub for data.")] = False,
    as_format: AsFormat = Format.TABLE,
    judge: Annotated[
        str | None, typer.Option(help="A model that judges completions, for tasks that need it.")
    ] = None,
    config: Config = None,
    db: DatabaseURL = None,
) -> None:
    """Let models take tasks. What was answered before is not asked again."""
    from arena.benchmarking.annotators import judged_by
    from arena.benchmarking.selection import Options, data_folder, named
    from arena.config import reply_cache_path
    from arena.engine import ReplyCache
    from arena.errors import ConfigError
    from arena.serving import model_clients
    from benchmarks.data import DataSources
    from benchmarks.task import RequestType

    options = Options(limit, shots, seed, compat.value if compat else None, repeats)
    data_sources = DataSources(data_folder(data), hub=not offline, unchecked=unchecked)
    names = [name.strip() for name in models.split(",") if name.strip()]
    told: list[dict[str, Any]] = []
    with opened(config, db, create=True) as (database, settings):
        chosen_models = model_clients.chosen(model_clients.configured(settings), names, "--models")
        if budget is not None and (free := [one.name for one in chosen_models if one.price is None]):
            cure = "add price = {prompt = …, completion = …} to it"
            raise ConfigError(f"--budget: {free[0]} has no price; {cure}")
        asked = {model.name: model_clients.target(model) for model in chosen_models}
        try:
            with ReplyCache(reply_cache_path(settings, reply_cache)) as kept:
                judging = None
                if judge is not None:
                    (judging_model,) = model_clients.chosen(model_clients.configured(settings), [judge], "--judge")
                    judging = judged_by(judging_model, kept)
                wanted = named(tasks)
                for chosen in _readable(wanted, data_sources, options, judging):
                    bench = _Bench(database, kept, chosen, max_tokens, budget, judging)
                    told += bench.carry_out(
                        chosen_models,
                        asked,
                        RequestType(request_type) if request_type else None,
                        alone=len(wanted) == 1,
                    )
        finally:
            asyncio.run(_close(asked))
    _show(told, as_format)
    if any(row["interrupted"] or row["value"] is None for row in told):
        raise typer.Exit(1)


async def _close(asked: dict[str, ModelClient]) -> None:
    for target in asked.values():
        await target.endpoint.close()


def _readable(
    wanted: Sequence[Named], data_sources: DataSources, options: Options, judging: Annotator | None
) -> list[Chosen]:
    """Several tasks at once go on without those whose data or annotator is not there; a single one is an error."""
    from arena.benchmarking.annotators import equipped
    from arena.benchmarking.selection import choose
    from arena.errors import ConfigError

    console = Console(stderr=True, soft_wrap=True, highlight=False)
    found, problems = [], []
    for one in wanted:
        try:
            equipped(one.task, judging)  # told now, before anything is asked
            found.append(choose(one, data_sources, options))
        except ConfigError as problem:
            problems.append(str(problem))
    if problems and not found:
        raise ConfigError("\n".join(problems))
    for told in problems:
        console.print(f"[yellow]left out:[/] {escape(told)}")
    return found


class _Bench:
    """One task, taken by all models."""

    def __init__(
        self,
        database: Database,
        reply_cache: ReplyCache,
        chosen: Chosen,
        max_tokens: int | None,
        budget: float | None,
        judging: Annotator | None,
    ) -> None:
        self.database, self.reply_cache, self.chosen = database, reply_cache, chosen
        self.max_tokens, self.budget, self.judging = max_tokens, budget, judging
        self.console = Console(stderr=True, soft_wrap=True, highlight=False)

    def carry_out(
        self, models: Sequence[Any], asked: dict[str, ModelClient], forced: Any, *, alone: bool
    ) -> list[dict[str, Any]]:
        """Ask, score, keep; the rows that are told. A model that cannot take the task is left out, and is an error
        where the task stands alone.
        """
        from arena.benchmarking import run
        from arena.benchmarking.annotations import with_annotations
        from arena.benchmarking.annotators import annotator
        from arena.engine import RESUME_HINT
        from benchmarks.annotations import AnnotatedTask
        from benchmarks.errors import BenchmarkError

        taking = asyncio.run(run.players(self.chosen.task, models, asked, forced, self._leave_out(alone)))
        if not taking:
            return []
        self._announce(taking)
        ran = self._ask(taking)
        failures, seconds = ran.value or ({}, 0.0)
        try:
            task = self.chosen.task
            ask = annotator(task, self.judging) if isinstance(task, AnnotatedTask) else None
            chosen = with_annotations(self.chosen, taking, self.max_tokens, self.reply_cache, ask)
            taken = run.score(chosen, taking, self.max_tokens, self.reply_cache, failures)
        except BenchmarkError as problem:
            from arena.errors import ConfigError

            raise ConfigError(f"{self.chosen.task.name}: {problem}") from problem
        rows = [self._row(one, ran, seconds) for one in taken]
        print_failures(ran.tally.failed, ran.tally.examples, self.console)
        if ran.tally.failed:
            self.console.print(RESUME_HINT)
        return rows

    def _leave_out(self, alone: bool) -> Callable[[Exception], None]:
        def told(problem: Exception) -> None:
            if alone:
                raise problem
            self.console.print(f"[yellow]left out:[/] {escape(str(problem))}")

        return told

    def _announce(self, taking: Sequence[EvaluatedModel]) -> None:
        task = self.chosen.task
        count = f"{len(self.chosen.samples):,} samples, {self.chosen.shots} shots"
        self.console.print(f"[bold]{escape(task.name)}[/]: {count}")
        for player in taking:
            better = "; ".join(f"not {request_type}: {why}" for request_type, why in player.served.refused.items())
            self.console.print(
                escape(f"  {player.name}: {player.request_type}" + (f" ({better})" if better else ""))
            )

    def _ask(self, taking: Sequence[EvaluatedModel]) -> RunResult[tuple[dict[str, str], float]]:
        from arena.benchmarking.run import counted, run_calls
        from arena.config import TransformersSettings
        from arena.engine import RetryPolicy, Session

        return Session(self.reply_cache, progress_bar).run(
            {player.name: player.target for player in taking},
            lambda engine, seen: run_calls(engine, self.chosen, taking, self.max_tokens, seen),
            total=counted(self.chosen, taking),
            budget=self.budget,
            retry_policy=RetryPolicy(call_timeout=CALL_TIMEOUT),
            # the next task needs the weights of models in this process
            keep_open=[player.name for player in taking if isinstance(player.settings, TransformersSettings)],
        )

    def _row(self, taken: Taken, ran: RunResult[Any], seconds: float) -> dict[str, Any]:
        from arena.benchmarking.results import keep, reported

        found = reported(self.chosen, taken)
        fresh = seconds if ran.tally.calls and not ran.tally.replayed else None
        number = keep(self.database, self.chosen, taken, found, fresh, self.max_tokens)
        each = taken.per_correct(self.chosen.task)
        return {
            "run": number,
            "model": taken.player.name,
            **found.to_dict(),
            "rung": taken.player.request_type.value,
            "shots": self.chosen.shots,
            "seconds": fresh,
            "cost": taken.cost,
            "cost_per_correct": each.value if each else None,
            "cost_per_correct_lower": _finite(each.lower) if each else None,
            "cost_per_correct_upper": _finite(each.upper) if each else None,
            "prompt_tokens": taken.prompt_tokens,
            "completion_tokens": taken.completion_tokens,
            "calls": ran.tally.calls,
            "from_journal": ran.tally.replayed,
            "interrupted": bool(ran.stopped),
        }


def _finite(bound: float | None) -> float | None:
    """JSON knows no infinity."""
    return bound if bound is not None and isfinite(bound) else None


def _show(told: list[dict[str, Any]], as_format: Format) -> None:
    if as_format is Format.JSON:
        write_json(told)
    elif as_format is Format.CSV:
        write_csv([bench_tables.flat(row) for row in told])
    else:
        Console().print(bench_tables.results(told))
        bench_tables.tell_costs(told, Console(stderr=True, soft_wrap=True, highlight=False))
        bench_tables.tell_reasons(told, Console(stderr=True, soft_wrap=True, highlight=False))
