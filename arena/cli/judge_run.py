"""`arena judge single|baseline|pairwise|run`: the options of a judge run, its progress and its board."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arena.cli.judge_report import report, show, show_forecast, tell_gaps
from arena.cli.options import AsFormat, Config, DatabaseURL, Format, opened
from arena.cli.progress import watched

if TYPE_CHECKING:
    from arena.config import Settings
    from arena.engine import Answered, Engine, Journal
    from arena.judging.evaluate import Prepared
    from arena.judging.evaluation import Evaluation
    from arena.store import Database


class Order(StrEnum):
    both = "both"
    balanced = "balanced"


Prompts = Annotated[str, typer.Option("--prompts", help="Prompt set, as `arena prompts list` names it.")]
JudgeName = Annotated[str | None, typer.Option("--judge", help="The model that judges.")]
Panel = Annotated[str | None, typer.Option(help="Several judges as one, parted by commas.")]
Models = Annotated[str | None, typer.Option(help="Models, parted by commas; all that have answered if left out.")]
OrderOption = Annotated[Order, typer.Option(help="Every pair in both orders, or balanced with a share in both.")]
SchemeOption = Annotated[
    str | None, typer.Option(help="arena, token, alpaca_eval, arena_hard, mt_bench, wildbench or reward.")
]
TemplateFile = Annotated[Path | None, typer.Option("--template", help="A prompt of your own or a published one.")]
TemplatePrompt = Annotated[str | None, typer.Option(help="Which prompt of an MT-bench template file.")]
BudgetOption = Annotated[float | None, typer.Option("--budget", help="USD that may be spent.")]
Concurrency = Annotated[int | None, typer.Option(help="Calls at once.")]
Limit = Annotated[int | None, typer.Option(help="Only the first so many prompts.")]
Canaries = Annotated[int | None, typer.Option(help="Pairs with a known verdict, of each of three kinds.")]
Coverage = Annotated[float | None, typer.Option(help="Share that needs a verdict; below it nothing is kept.")]
Thinking = Annotated[int | None, typer.Option("--thinking-budget", help="Tokens a judge may think first.")]
Name = Annotated[str | None, typer.Option(help="What the judge is called on the board.")]
JournalFile = Annotated[Path | None, typer.Option("--journal", help="Where replies are kept.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be asked, and ask nothing.")]


def single(
    prompts: Prompts,
    judge: JudgeName = None,
    panel: Panel = None,
    models: Models = None,
    scheme: SchemeOption = None,
    template: TemplateFile = None,
    template_prompt: TemplatePrompt = None,
    budget: BudgetOption = None,
    concurrency: Concurrency = None,
    limit: Limit = None,
    coverage: Coverage = None,
    thinking_budget: Thinking = None,
    name: Name = None,
    journal: JournalFile = None,
    dry_run: DryRun = False,
    as_format: AsFormat = Format.TABLE,
    config: Config = None,
    db: DatabaseURL = None,
) -> None:
    """Score each completion from 1 to 10."""
    _options("single", dict(locals()))


def baseline(
    prompts: Prompts,
    against: Annotated[str, typer.Option("--baseline", help="The model that all are compared with.")],
    judge: JudgeName = None,
    panel: Panel = None,
    models: Models = None,
    order: OrderOption = Order.both,
    scheme: SchemeOption = None,
    template: TemplateFile = None,
    template_prompt: TemplatePrompt = None,
    budget: BudgetOption = None,
    concurrency: Concurrency = None,
    limit: Limit = None,
    canaries: Canaries = None,
    coverage: Coverage = None,
    thinking_budget: Thinking = None,
    name: Name = None,
    journal: JournalFile = None,
    dry_run: DryRun = False,
    as_format: AsFormat = Format.TABLE,
    config: Config = None,
    db: DatabaseURL = None,
) -> None:
    """Compare every model with one baseline."""
    given = dict(locals())
    given["baseline"] = given.pop("against")
    _options("baseline", given)


def pairwise(
    prompts: Prompts,
    judge: JudgeName = None,
    panel: Panel = None,
    models: Models = None,
    battles: Annotated[
        int | None, typer.Option(help="So many battles, where the ratings are least certain; all if left out.")
    ] = None,
    order: OrderOption = Order.both,
    scheme: SchemeOption = None,
    template: TemplateFile = None,
    template_prompt: TemplatePrompt = None,
    budget: BudgetOption = None,
    concurrency: Concurrency = None,
    limit: Limit = None,
    canaries: Canaries = None,
    coverage: Coverage = None,
    thinking_budget: Thinking = None,
    name: Name = None,
    journal: JournalFile = None,
    dry_run: DryRun = False,
    as_format: AsFormat = Format.TABLE,
    config: Config = None,
    db: DatabaseURL = None,
) -> None:
    """Compare all models with one another."""
    _options("pairwise", dict(locals()))


def battles(
    judge: JudgeName = None,
    panel: Panel = None,
    models: Models = None,
    order: OrderOption = Order.both,
    scheme: SchemeOption = None,
    template: TemplateFile = None,
    template_prompt: TemplatePrompt = None,
    budget: BudgetOption = None,
    concurrency: Concurrency = None,
    limit: Annotated[int | None, typer.Option(help="Only the first so many battles.")] = None,
    canaries: Canaries = None,
    coverage: Coverage = None,
    thinking_budget: Thinking = None,
    name: Name = None,
    journal: JournalFile = None,
    dry_run: DryRun = False,
    as_format: AsFormat = Format.TABLE,
    config: Config = None,
    db: DatabaseURL = None,
) -> None:
    """Judge the battles that people have voted on, for `arena agreement` and `arena disputed`."""
    _options("battles", dict(locals()))


def run(
    file: Annotated[Path, typer.Argument(metavar="FILE.toml", help="mode, prompts, judge and the other options.")],
    dry_run: DryRun = False,
    as_format: AsFormat = Format.TABLE,
    config: Config = None,
    db: DatabaseURL = None,
) -> None:
    """Do what a TOML file says; its keys are the options' names, and `mode`."""
    from arena.judging.evaluation import read_evaluation

    _do(read_evaluation(file), dry_run, as_format, config, db)


def _options(mode: str, given: dict[str, Any]) -> None:
    """The options of a command as an evaluation."""
    from arena.judging.evaluation import evaluation

    place = [given.pop(name) for name in ("dry_run", "as_format", "config", "db")]
    for names in ("panel", "models"):
        if given[names] is not None:
            given[names] = tuple(name.strip() for name in given[names].split(",") if name.strip())
    if "order" in given:
        given["order"] = given["order"].value
    _do(evaluation(mode=mode, **given), *place)


def _do(told: Evaluation, dry_run: bool, as_format: Format, config: Path | None, db: str | None) -> None:
    with opened(config, db) as (database, settings):
        told_back = carried_out(told, dry_run, as_format, database, settings)
    if told_back is None:
        return
    show(told_back, as_format)
    if not told_back["published"]:
        raise typer.Exit(1)


def carried_out(
    told: Evaluation, dry_run: bool, as_format: Format, database: Database, settings: Settings
) -> dict[str, Any] | None:
    """Ask, read and publish; the report, or None after a dry run, whose forecast is printed."""
    from arena.engine import Journal, JournalError
    from arena.errors import ConfigError
    from arena.judging import evaluate, run
    from judges.errors import JudgesError

    prepared = evaluate.prepare(database, settings, told)
    tell_gaps(prepared)
    try:
        with Journal(evaluate.journal_path(settings, told.journal)) as journal:
            expected = run.forecast(prepared.cases(), prepared.asked, journal)
            if dry_run:
                show_forecast(expected, prepared, as_format)
                return None
            engine = _ask(prepared, journal, expected.requests)
            found = evaluate.read(prepared, journal)
            refused = evaluate.refusal(prepared, found)
            new = 0 if refused else evaluate.publish(database, prepared, journal)
    except (JournalError, JudgesError) as problem:
        raise ConfigError(str(problem)) from problem
    return report(prepared, found, engine, refused, new)


def _ask(prepared: Prepared, journal: Journal, requests: int) -> Engine:
    from arena.engine import Budget, Engine, Patience
    from arena.judging.run import ask_all

    told = prepared.evaluation
    engine = Engine(prepared.asked, journal, Budget(told.budget), Patience(run_timeout=told.timeout))

    async def work(seen: Callable[[Answered], None]) -> None:
        try:
            await ask_all(engine, prepared.cases(), prepared.asked, seen)
        finally:
            for target in prepared.asked.values():
                await target.endpoint.close()

    watched(engine, work, requests)
    return engine
