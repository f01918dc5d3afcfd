"""The options of judge runs, each written once; a command says which of them it takes."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

import typer

from arena.cli.options import AsFormat, Config, DatabaseURL, Format


class Order(StrEnum):
    both = "both"
    balanced = "balanced"


def _option(kind: Any, name: str, told: str) -> Any:
    return Annotated[kind, typer.Option(f"--{name.replace('_', '-')}", help=told)]


NEEDED = {
    "prompts": (str, "Prompt set, as `arena prompts list` names it."),
    "baseline": (str, "The model that all are compared with."),
}
LEFT_OUT = {  # None where they are left out
    "judge": (str, "The model that judges."),
    "panel": (str, "Several judges as one, parted by commas."),
    "models": (str, "Models, parted by commas; all that have answered if left out."),
    "battles": (int, "So many battles, where the ratings are least certain; all if left out."),
    "protocol": (
        str,
        "How it is asked and read: arena, token, alpaca_eval, arena_hard, mt_bench, wildbench or reward.",
    ),
    "template": (Path, "A prompt of your own or a published one."),
    "template_prompt": (str, "One prompt of an MT-bench template file, for all; else by turn and reference."),
    "budget": (float, "USD that may be spent."),
    "concurrency": (int, "Calls at once."),
    "timeout": (float, "Seconds for the whole run, after which no call is begun."),
    "call_timeout": (float, "Seconds for each call."),
    "limit": (int, "Only the first so many prompts, or battles."),
    "control_pairs": (int, "Pairs with a known verdict, of each of three kinds."),
    "completion_rate": (float, "Share that needs a verdict; below it nothing is kept."),
    "thinking_budget": (int, "Tokens a judge may think first."),
    "name": (str, "What the judge is called on the board."),
    "reply_cache": (Path, "Where replies are kept."),
}
OPTIONS: dict[str, tuple[Any, Any]] = {
    **{name: (_option(kind, name, told), inspect.Parameter.empty) for name, (kind, told) in NEEDED.items()},
    **{name: (_option(kind | None, name, told), None) for name, (kind, told) in LEFT_OUT.items()},
    "file": (
        Annotated[Path, typer.Argument(metavar="FILE.toml", help="mode, prompts, judge and the other options.")],
        inspect.Parameter.empty,
    ),
    "order": (_option(Order, "order", "Every pair in both orders, or balanced with a share in both."), Order.both),
    "batch_out": (
        _option(Path | None, "batch_out", "Write an OpenAI Batch file of what is to be asked; ask nothing."),
        None,
    ),
    "batch_in": (
        _option(Path | None, "batch_in", "Take a batch's results first, then ask for what they lack."),
        None,
    ),
    "dry_run": (
        Annotated[bool, typer.Option("--dry-run", help="Say what would be asked, and ask nothing.")],
        False,
    ),
    "as_format": (AsFormat, Format.TABLE),
    "config": (Config, None),
    "db": (DatabaseURL, None),
}
BATCH = ("batch_out", "batch_in")
PLACE = ("dry_run", "as_format", "config", "db")  # where and how, and nothing about the evaluation
ALWAYS = (
    "models", "protocol", "template", "template_prompt", "budget", "concurrency", "timeout", "call_timeout", "limit",
    "completion_rate", "thinking_budget", "reply_cache", *PLACE,
)  # fmt: skip

Command = Callable[..., None]


def takes(*names: str) -> Callable[[Command], Command]:
    """Gives a command that is called with keywords the options `names`, as Typer reads them."""

    def decorated(command: Command) -> Command:
        some = {name: OPTIONS[name] for name in names}
        command.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
            [
                inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=kind, default=default)
                for name, (kind, default) in some.items()
            ]
        )
        command.__annotations__ = {name: kind for name, (kind, _) in some.items()}
        return command

    return decorated


def names(text: str | None) -> tuple[str, ...] | None:
    """Comma-separated names; None if not given."""
    return None if text is None else tuple(name.strip() for name in text.split(",") if name.strip())
