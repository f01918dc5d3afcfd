"""The command line; what a command needs is imported when it runs, so that `--help` is quick.

Results go to standard output, progress and messages to standard error.
"""

from __future__ import annotations

import sys

import typer
from rich.console import Console
from rich.markup import escape

from arena.cli import agreement, answer, audit, bench, db, judge, leaderboard, models, prompts, rate, serve, speed
from arena.errors import ConfigError, DatabaseError

app = typer.Typer(
    help="A self-hosted arena for language models: blind votes, honest ratings, one leaderboard.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("demo")(serve.demo)
app.command("serve")(serve.serve)
app.command("models")(models.models)
app.command("rate")(rate.rate)
app.command("leaderboard")(leaderboard.leaderboard)
app.command("answer")(answer.answer)
app.command("agreement")(agreement.agreement)
app.command("speed")(speed.speed)
app.command("audit")(audit.audit)
app.add_typer(prompts.app, name="prompts")
app.add_typer(judge.app, name="judge")
app.add_typer(bench.app, name="bench")
app.add_typer(db.app, name="db")


def main() -> None:
    """Run a command; what the user can mend is told without a traceback. Exit codes: 1 failed, 2 wrong use."""
    try:
        app()
    except ConfigError as error:
        _tell(error)
        sys.exit(2)
    except DatabaseError as error:
        _tell(error)
        sys.exit(1)


def _tell(error: Exception) -> None:
    Console(stderr=True, soft_wrap=True).print(f"[bold red]error:[/] {escape(str(error))}", highlight=False)
