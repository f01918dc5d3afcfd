"""The command line; what a command needs is imported when it runs, so that `--help` is quick.

Results go to standard output, progress and messages to standard error.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import cache
from io import TextIOWrapper

import typer
from rich.markup import escape

from arena.cli import (
    accounts,
    agreement,
    answer,
    attack_cost,
    audit,
    bench,
    completions,
    db,
    demo,
    disputed,
    explain,
    export,
    import_,
    judge,
    leaderboard,
    models,
    moved,
    prompts,
    rate,
    reports,
    review,
    seal,
    serve,
    speed,
    tag,
    trust,
    verify,
    view,
    voters,
    votes,
)
from arena.cli.renamed_options import RenamingGroup
from arena.cli.terminal import Console
from arena.config.given_files import UNWRITABLE
from arena.errors import ConfigError, DatabaseError, InputError, WorkFailed

app = typer.Typer(
    cls=RenamingGroup,
    help="A self-hosted arena for language models: blind votes, honest ratings, one leaderboard.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
LONGEST = 4_000  # characters of an error
PANELS: dict[str, dict[str, Callable[..., None] | typer.Typer]] = {
    "The arena": {
        "demo": demo.demo,
        "serve": serve.serve,
        "models": models.app,
        "reports": reports.reports,
        "accounts": accounts.app,
        "db": db.app,
    },
    "Ratings": {
        "leaderboard": leaderboard.leaderboard,
        "rate": rate.rate,
        "moved": moved.moved,
        "voters": voters.voters,
        "votes": votes.app,
        "trust": trust.app,
        "attack-cost": attack_cost.attack_cost,
        "tag": tag.tag,
    },
    "Judges": {
        "prompts": prompts.app,
        "completions": completions.app,
        "answer": answer.answer,
        "judge": judge.app,
        "agreement": agreement.agreement,
        "disputed": disputed.disputed,
        "review": review.app,
        "explain": explain.explain,
    },
    "Benchmarks": {"bench": bench.app, "speed": speed.speed, "audit": audit.audit},
    "Runs": {"view": view.view},
    "Data": {"export": export.export, "import": import_.import_, "seal": seal.seal, "verify": verify.verify},
}
for panel, commands in PANELS.items():
    for name, command in commands.items():
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name, rich_help_panel=panel)
        else:
            app.command(name, rich_help_panel=panel)(command)


@cache
def _command() -> Callable[[], None]:
    """The commands as Typer builds them from all functions, in a twentieth of a second."""
    return typer.main.get_command(app)


def main() -> None:
    """Run a command; what the user can mend is told without a traceback.

    Exit codes: 2 for wrong use, which is a wrong option, setting, file or database; 1 for work that failed.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(
            stream, TextIOWrapper
        ):  # in JSON, the escape of half a surrogate pair is what JSON has for it
            stream.reconfigure(errors="backslashreplace")
    try:
        _check_arguments(sys.argv[1:])
        _command()()
    except (ConfigError, InputError, DatabaseError, WorkFailed) as error:
        _tell(error)
        sys.exit(1 if isinstance(error, WorkFailed) else 2)


def _check_arguments(arguments: Sequence[str]) -> None:
    """Raises `ConfigError` for an argument with bytes that are no UTF-8: no database and no JSON file holds it."""
    if bad := next((text for text in arguments if UNWRITABLE.search(text)), None):
        raise ConfigError(
            f"{bad[:80]!r} is not UTF-8 text. Use another value, or rename the file (the terminal may use another encoding)."
        )


def _tell(error: Exception) -> None:
    Console(stderr=True, soft_wrap=True).print(f"[bold red]error:[/] {escape(_shortened(error))}", highlight=False)


def _shortened(error: Exception) -> str:
    """The text of an error; a long one, which repeats a file that is no text, without its middle."""
    text = str(error)
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]} … {text[-LONGEST // 4 :]}"
