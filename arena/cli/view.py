"""`arena view`: runs and their samples as pages of this machine."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote

import typer

from arena.cli.options import Config, DatabaseURL, opened
from arena.cli.serve import listen, opened_address
from arena.cli.terminal import Console
from arena.errors import ConfigError

if TYPE_CHECKING:
    from arena.web.run_pages.view import Documents

LOOPBACK = "127.0.0.1"  # the pages show every text, and nobody signs in
PORT = 7861

Runs = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="RUN", help="judge/N or bench/N to begin with; several are compared.", show_default=False
    ),
]
Port = Annotated[int, typer.Option(help="Port to listen on; 0 selects a free port.", min=0, max=65535)]


def view(
    runs: Runs = None,
    port: Port = PORT,
    reply_cache: Annotated[
        Path | None, typer.Option(help="File of saved replies; default: next to the database.")
    ] = None,
    config: Config = None,
    db: DatabaseURL = None,
) -> None:
    """Show judge runs, benchmark runs and prompt sets with all their samples, on this machine only."""
    import uvicorn

    from arena.config import reply_cache_path
    from arena.web.run_pages.view import Documents
    from arena.web.run_pages.view_app import view_app

    with opened(config, db) as (database, settings):
        documents = Documents(database, settings, reply_cache_path(settings, reply_cache))
        place = _place(runs or [], documents)
        listener = listen(LOOPBACK, port)
        console = Console(stderr=True, highlight=False, soft_wrap=True)
        console.print(f"The runs are at {opened_address(listener)}{place}\nPress Ctrl-C to stop.", markup=False)
        server = uvicorn.Server(uvicorn.Config(view_app(documents), log_level="warning", access_log=False))
        with contextlib.suppress(KeyboardInterrupt):
            server.run(sockets=[listener])


def _place(runs: list[str], documents: Documents) -> str:
    """The path of the page of these runs. Raises `ConfigError` for a run that is not there."""
    from arena.web.run_pages.view import NoSuchPage

    if not runs:
        return "/"
    kinds, names = {run.partition("/")[0] for run in runs}, [run.partition("/")[2] for run in runs]
    if len(kinds) != 1:
        raise ConfigError(
            f"{' '.join(runs)}: a judge run and a benchmark run cannot be compared. Name runs of one kind."
        )
    [kind] = kinds
    if kind not in ("judge", "bench", "prompts"):
        raise ConfigError(f"{runs[0]}: is no run. Name it as judge/N, bench/N or prompts/SET.")
    kind, name = ("compare" if kind == "judge" and len(names) > 1 else kind), ",".join(names)
    try:
        documents.document(kind, name)
    except NoSuchPage as problem:
        raise ConfigError(str(problem)) from problem
    return f"/{kind}/{quote(name, safe=',/')}"
