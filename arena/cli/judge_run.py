"""`arena judge single|baseline|pairwise|run`: the options of a judge run, its progress and its board."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from arena.cli.answer import tell_failures
from arena.cli.options import AsFormat, Config, DatabaseURL, Format, opened, write_csv, write_json
from arena.cli.progress import watched

if TYPE_CHECKING:
    from arena.engine import Answered, Engine, Journal
    from arena.judging.evaluate import Prepared
    from arena.judging.evaluation import Evaluation
    from arena.judging.results import Found


class Order(StrEnum):
    both = "both"
    balanced = "balanced"


Prompts = Annotated[str, typer.Option("--prompts", help="Prompt set, as `arena prompts list` names it.")]
JudgeName = Annotated[str | None, typer.Option("--judge", help="The model that judges.")]
Panel = Annotated[str | None, typer.Option(help="Several judges as one, parted by commas.")]
Models = Annotated[str | None, typer.Option(help="Models, parted by commas; all that have answered if left out.")]
OrderOption = Annotated[Order, typer.Option(help="Every pair in both orders, or balanced with a share in both.")]
SchemeOption = Annotated[
    str | None, typer.Option(help="arena, token, alpaca_eval, arena_hard, mt_bench or wildbench.")
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
    from arena.engine import Journal, JournalError
    from arena.errors import ConfigError
    from arena.judging import evaluate, run
    from judges.errors import JudgesError

    with opened(config, db) as (database, settings):
        prepared = evaluate.prepare(database, settings, told)
        _tell_gaps(prepared)
        try:
            with Journal(evaluate.journal_path(settings, told.journal)) as journal:
                expected = run.forecast(prepared.cases(), prepared.asked, journal)
                if dry_run:
                    _print_forecast(expected, prepared, as_format)
                    return
                engine = _ask(prepared, journal, expected.requests)
                found = evaluate.read(prepared, journal)
                refused = evaluate.refusal(prepared, found)
                new = 0 if refused else evaluate.publish(database, prepared, journal)
        except (JournalError, JudgesError) as problem:
            raise ConfigError(str(problem)) from problem
    report = _report(prepared, found, engine, refused, new)
    _print(report, as_format)
    if refused:
        raise typer.Exit(1)


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


def _report(prepared: Prepared, found: Found, engine: Engine, refused: str | None, new: int) -> dict[str, Any]:
    from arena.judging import evaluate
    from judges.coverage import coverage

    flips, both = found.flips()
    return {
        "mode": prepared.evaluation.mode,
        "judge": prepared.source,
        "prompts": prepared.evaluation.prompts,
        "models": evaluate.rows(prepared, found),
        "cases": found.cases,
        "judged": len(found.judged),
        "unread": dict(found.unread),
        "coverage": coverage(len(found.judged), found.cases),
        "published": refused is None,
        "why_not": refused,
        "new": new,
        "orders": {"asked_in_both": both, "flipped": flips, "flip_rate": flips / both if both else None},
        "canaries": [vars(one) for one in found.canary_report()],
        "requests": engine.tally.to_dict(),
        "examples": {status.value: detail for status, detail in engine.tally.details.items()},
        "cost": engine.budget.spent if any(one.price for one in prepared.asked.values()) else None,
    }


def _tell_gaps(prepared: Prepared) -> None:
    from arena.judging.plan import missing

    if prepared.evaluation.mode == "battles":
        return
    console = Console(stderr=True, soft_wrap=True, highlight=False)
    for model, count in missing(prepared.prompts, prepared.completions, prepared.models).items():
        console.print(
            f"{model} has no completion for {count:,} of {len(prepared.prompts):,} prompts", style="yellow"
        )


def _print_forecast(expected: Any, prepared: Prepared, as_format: Format) -> None:
    if as_format is Format.JSON:
        write_json(vars(expected))
        return
    cost = "unknown: the judge has no price in the settings" if expected.cost is None else f"${expected.cost:.2f}"
    console = Console(highlight=False)
    console.print(f"{expected.cases:,} cases of {len(prepared.models)} models by {prepared.source}")
    console.print(f"{expected.requests:,} requests, {expected.in_journal:,} of them answered in the journal")
    console.print(
        f"at most {expected.prompt_tokens:,} prompt and {expected.completion_tokens:,} completion tokens"
    )
    console.print(f"at most {cost}" if expected.cost is not None else cost)
    if expected.example:
        console.rule("one request")
        console.print(expected.example, markup=False)


def _print(report: dict[str, Any], as_format: Format) -> None:
    if as_format is Format.JSON:
        write_json(report)
        return
    if as_format is Format.CSV:
        write_csv(report["models"])
    elif report["models"]:
        Console().print(_table(report))
    _tell(report, Console(stderr=True, soft_wrap=True, highlight=False))


def _tell(report: dict[str, Any], console: Console) -> None:
    asked = report["requests"]
    console.print(
        f"{report['judged']:,} of {report['cases']:,} cases judged; {asked['calls']:,} calls made, "
        f"{asked['from_journal']:,} replies from the journal"
        + (f", ${report['cost']:.2f}" if report["cost"] is not None else "")
    )
    tell_failures(asked["failed"], report["examples"], console)
    orders = report["orders"]
    if orders["asked_in_both"]:
        console.print(f"the order alone decided {orders['flipped']:,} of {orders['asked_in_both']:,} pairs")
    for canary in report["canaries"]:
        if canary["failed"] or canary["unread"]:
            console.print(
                f"canary {canary['kind']}: failed {canary['failed']} of {canary['judged']}, "
                f"{canary['unread']} without a readable verdict; do not trust this judge blindly",
                style="red",
            )
    if report["published"]:
        console.print(f"{report['new']:,} new verdicts of {report['judge']} are in the store", markup=False)
    else:
        console.print(f"not published: {report['why_not']}", style="bold red")
        console.print("type the same command again: only what has no reply is asked")


def _table(report: dict[str, Any]) -> Table:
    """The columns that the mode's rows have, figures to one decimal."""
    table = Table(title=f"{report['mode']} · {report['judge']} · {report['prompts']}")
    shown = ("rank", "model", "rating", "score", "win_rate", "lower", "upper", "battles", "judged", "n_wins",
             "n_draws", "n_total", "wins", "losses", "ties")  # fmt: skip
    names = [name for name in shown if name in report["models"][0]]
    for name in names:
        table.add_column(name.removeprefix("n_").replace("_", " "), justify="left" if name == "model" else "right")
    for row in report["models"]:
        table.add_row(*(_cell(row[name]) for name in names))
    return table


def _cell(value: Any) -> Text:
    if value is None:
        return Text("–")
    return Text(f"{value:.2f}" if isinstance(value, float) else str(value))
