"""The options of judge runs, each defined once; a command lists those that it takes."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from arena.cli.agreement import Against, Reference
from arena.cli.options import AsFormat, Config, DatabaseURL, Format
from arena.cli.tracking import Mlflow, Wandb


class Order(StrEnum):
    both = "both"
    balanced = "balanced"


class Combine(StrEnum):
    mean = "mean"
    median = "median"
    majority = "majority"


class Unshared(StrEnum):
    send = "send"
    skip = "skip"


def _option(kind: Any, name: str, help_text: str) -> Any:
    return Annotated[kind, typer.Option(f"--{name.replace('_', '-')}", help=help_text)]


NEEDED = {
    "prompts": (str, "Prompt set, as listed by `arena prompts list`."),
    "baseline": (str, "Model to compare all others with."),
}
OPTIONAL = {  # None by default
    "judge": (str, "Judge model."),
    "panel": (str, "Comma-separated judges whose verdicts are combined."),
    "quorum": (int, "Judges of the panel that need a verdict; default: all."),
    "models": (str, "Comma-separated models; default: all with completions."),
    "battles": (int, "Up to N battles, where the ratings are least certain; default: all."),
    "protocol": (
        str,
        "Judge protocol: arena, token, alpaca_eval, arena_hard, mt_bench, prometheus, wildbench or reward.",
    ),
    "template": (Path, "File with a judge prompt, your own or a published one."),
    "template_prompt": (str, "Name of one prompt of an MT-bench template file; default: by turn and reference."),
    "rubric": (Path, "YAML file with criteria of your own."),
    "criterion": (str, "The criterion to judge by, in one sentence."),
    "samples": (int, "Replies to each request, whose mean is the verdict; default: 1."),
    "budget": (float, "USD limit."),
    "concurrency": (int, "Concurrent calls."),
    "timeout": (float, "Seconds for the whole run, after which no call is begun."),
    "call_timeout": (float, "Seconds for each call."),
    "limit": (int, "Only the first N prompts, or battles."),
    "control_pairs": (int, "Control pairs with a known verdict, of each of three kinds."),
    "completion_rate": (float, "Share of cases that need a verdict before any is published."),
    "thinking_budget": (int, "Tokens for thinking before the verdict."),
    "name": (str, "Name of the judge on the board."),
    "group": (int, "Completions ranked in one request, 3 to 10; default: 4."),
    "rotations": (int, "Orders in which each group is shown; default: 2."),
    "writer": (str, "Model that rewrites the instructions; default: the judge."),
    "reply_cache": (Path, "File of saved replies; default: next to the database."),
}
OPTIONS: dict[str, tuple[Any, Any]] = {
    **{name: (_option(kind, name, text), inspect.Parameter.empty) for name, (kind, text) in NEEDED.items()},
    **{name: (_option(kind | None, name, text), None) for name, (kind, text) in OPTIONAL.items()},
    "file": (
        Annotated[
            Path,
            typer.Argument(metavar="FILE", help="TOML or YAML file with mode, prompts, judge and other options."),
        ],
        inspect.Parameter.empty,
    ),
    "order": (
        _option(Order, "order", "Show every pair in both orders, or balanced with a share in both."),
        Order.both,
    ),
    "combine": (_option(Combine, "combine", "How the verdicts of a panel become one."), Combine.mean),
    "unshared": (
        _option(
            Unshared | None,
            "unshared",
            "Battles that their voters did not share, for a judge on another machine; default: ask.",
        ),
        None,
    ),
    "against": (Against, Reference.human),
    "out": (
        _option(Path | None, "out", "Folder of both prompts and the report; default: aligned-JUDGE."),
        None,
    ),
    "batch_out": (
        _option(Path | None, "batch_out", "Write the requests as an OpenAI Batch file; make no calls."),
        None,
    ),
    "batch_in": (
        _option(Path | None, "batch_in", "Read the results of a batch first; call for the rest."),
        None,
    ),
    "report": (
        _option(
            Path | None, "report", "Write the run with all its samples to an HTML file that needs no network."
        ),
        None,
    ),
    "wandb": (Wandb, None),
    "mlflow": (Mlflow, None),
    "dry_run": (
        Annotated[bool, typer.Option("--dry-run", help="Print a forecast; make no calls.")],
        False,
    ),
    "as_format": (AsFormat, Format.TABLE),
    "config": (Config, None),
    "db": (DatabaseURL, None),
}
BATCH = ("batch_out", "batch_in", "report", "wandb", "mlflow")
PLACE = ("dry_run", "as_format", "config", "db")  # where and how, and nothing about the evaluation
ALWAYS = (
    "models", "protocol", "template", "template_prompt", "rubric", "criterion", "samples", "budget", "concurrency",
    "timeout", "call_timeout", "limit", "completion_rate", "thinking_budget", "reply_cache", *PLACE,
)  # fmt: skip

Command = Callable[..., None]


def takes(*names: str) -> Callable[[Command], Command]:
    """A decorator that gives a command with keyword arguments the options `names`, as Typer reads them."""

    def decorated(command: Command) -> Command:
        options = {name: OPTIONS[name] for name in names}
        command.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [
                inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=kind, default=default)
                for name, (kind, default) in options.items()
            ]
        )
        command.__annotations__ = {name: kind for name, (kind, _) in options.items()}
        return command

    return decorated


def names(text: str | None) -> tuple[str, ...] | None:
    """Comma-separated names; None if not given."""
    return None if text is None else tuple(name.strip() for name in text.split(",") if name.strip())
