"""`arena serve`: run the web application."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.markup import escape

from arena.cli.options import Config, DatabaseURL, overrides
from arena.cli.terminal import Console
from arena.errors import ConfigError

if TYPE_CHECKING:
    from arena.battles.battles import Battles
    from arena.config import AnyModel, Settings
    from arena.serving.models import Serving
    from arena.store import Database
    from arena.web.draining_server import DrainingServer

console = Console(stderr=True)

PROGRESS_EVERY = 0.5  # seconds
BACKLOG = 2048  # connections that may wait, as many as uvicorn lets


Host = Annotated[str | None, typer.Option(help="Address to listen on.", show_default="127.0.0.1")]
Port = Annotated[
    int | None,
    typer.Option(help="Port to listen on; 0 selects a free port.", min=0, max=65535, show_default="7860"),
]


def serve(config: Config = None, host: Host = None, port: Port = None, db: DatabaseURL = None) -> None:
    """Run the arena with the models of a settings file."""
    use_one_thread_for_algebra()
    from arena.config import read_settings

    given = overrides(web__host=host, web__port=port, database_url=db)
    settings = read_settings(config, given)
    if not settings.models:
        raise ConfigError(
            f"{config or 'arena.toml'}: models: is missing. Add a [[models]] table for each model, "
            "or run `arena demo`, which has two built-in models"
        )
    run(settings, lambda: read_settings(config, given).models)


def use_one_thread_for_algebra() -> None:
    """Limit OpenBLAS to one thread, before numpy is imported, unless the environment sets a number.

    The matrices of a board are small: on busy cores, waiting threads made a fit of 300 models three times slower.
    """
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")


def run(settings: Settings, read: Callable[[], tuple[AnyModel, ...]] | None = None) -> None:
    """Serve until SIGTERM or Ctrl-C; `read` reads the models of the settings file again.

    Raises `ConfigError` and `DatabaseError` before anything listens.
    """
    from arena.store import ConnectionLimits, Database

    _log_to_terminal()
    database = Database(settings.database_url, ConnectionLimits(**settings.database.model_dump()))
    database.lock()
    try:
        database.make_ready()
        listener = listen(settings.web.host, settings.web.port)
        with console.status("starting the arena"):
            import uvicorn

            from arena.serving.models import serve as serving_of
            from arena.web.app import create_app
            from arena.web.connections import Connections, protocol, raise_file_limit
            from arena.web.draining_server import DrainingServer
            from arena.web.hosts import served_hosts

            serving = serving_of(settings.models, read)
            web = settings.web.model_copy(update={"allowed_hosts": served_hosts(settings.web)})
            app = create_app(settings.model_copy(update={"web": web}), database, serving)
        _greet(database, listener)
        # An open page holds a stream for as long as it is open, so its end is not waited for.
        options: dict[str, Any] = {"log_level": "warning", "access_log": False, "timeout_graceful_shutdown": 1}
        # forwarded headers are believed from `web.trusted_proxies`, and uvicorn would believe local ones
        # h11 refuses headers above 64 KB; httptools, which uvicorn prefers where it is installed, has no limit
        limits = Connections(
            settings.limits.connections_per_address, raise_file_limit(), settings.web.trusted_proxies
        )
        uvicorn_settings = uvicorn.Config(app, http=protocol(limits), proxy_headers=False, **options)
        server = DrainingServer(uvicorn_settings, app.state.battles.drain, settings.web.drain_seconds)
        _freeze_objects()
        asyncio.run(_serve(server, listener, app.state.battles, database))
    finally:
        database.close()


def _freeze_objects() -> None:
    """Exempt what start-up made from garbage collection: a search through it stopped all streams for 0.25 s."""
    gc.collect()
    gc.freeze()


async def _serve(server: DrainingServer, listener: socket.socket, battles: Battles, database: Database) -> None:
    """Serve, with a status line for models that are still being downloaded or loaded."""
    showing = asyncio.create_task(_show_progress(battles.serving))
    _reload_on_hangup(battles)
    await server.serve(sockets=[listener])
    showing.cancel()
    database.close()
    server.raise_again()


def _reload_on_hangup(battles: Battles) -> None:
    """Read the models of the settings file again on SIGHUP, unless it means that the terminal was closed."""
    if hasattr(signal, "SIGHUP") and not (sys.stdin and sys.stdin.isatty()):
        reloads: set[asyncio.Task[str | None]] = set()

        def reload() -> None:
            task = asyncio.create_task(battles.reload_models())
            reloads.add(task)
            task.add_done_callback(reloads.discard)

        asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, reload)


async def _show_progress(serving: Serving) -> None:
    with console.status("loading models") as line:
        while waiting := serving.waiting():
            line.update(escape(" · ".join(f"{model.name}: {model.availability.progress}" for model in waiting)))
            await asyncio.sleep(PROGRESS_EVERY)


def listen(host: str, port: int) -> socket.socket:
    """Bind the port before the slow part, so that a port in use is reported at once."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise ConfigError(
            f"Cannot listen on {host}:{port} ({error.strerror}). Choose another --host or --port."
        ) from error
    return listener


def _greet(database: Database, listener: socket.socket) -> None:
    console.print(f"The arena is open at [bold]{opened_address(listener)}[/]", highlight=False)
    console.print(f"Votes are stored in {_place(database)}. Press Ctrl-C to stop the arena.", highlight=False)


def opened_address(listener: socket.socket) -> str:
    """The address of a bound socket, which takes connections from now on; they wait until a server accepts them."""
    listener.listen(BACKLOG)
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def _place(database: Database) -> str:
    file = database.file
    return str(Path(file).resolve()) if file else database.shown


def _log_to_terminal() -> None:
    from rich.logging import RichHandler

    logging.basicConfig(
        level=logging.INFO,
        format="%(message)s",
        handlers=[RichHandler(console=console, show_path=False, show_level=False)],
    )
    for chatty in ("httpx", "alembic", "huggingface_hub", "filelock"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    logging.getLogger("uvicorn.error").addFilter(_is_news)


def _is_news(record: logging.LogRecord) -> bool:
    """Whether a record is not about event streams of open pages, which end when the arena stops."""
    cut = record.exc_info is not None and record.exc_info[0] is asyncio.CancelledError
    return not cut and "graceful shutdown exceeded" not in record.getMessage()
