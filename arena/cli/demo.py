"""`arena demo`: run the web application with models that need no settings."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from enum import StrEnum
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated

import typer

from arena.cli.options import DatabaseURL, overrides
from arena.cli.serve import Host, Port, console, run, use_one_thread_for_algebra
from arena.errors import ConfigError

if TYPE_CHECKING:
    from arena.config import AnyModel


class Models(StrEnum):
    EMBEDDED = "embedded"
    SCRIPTED = "scripted"


class Embedded(StrEnum):
    GEMMA = "gemma"
    SMOLLM = "smollm"


def demo(
    models: Annotated[
        Models,
        typer.Option(
            help="Models to serve. embedded: two small real models. scripted: test models without weights."
        ),
    ] = Models.EMBEDDED,
    without: Annotated[list[Embedded] | None, typer.Option(help="Exclude a model.", show_default=False)] = None,
    discover: Annotated[
        bool, typer.Option(help="Add models that Ollama, LM Studio, llama.cpp or vLLM serve on this machine.")
    ] = True,
    fetch_only: Annotated[
        bool, typer.Option("--fetch-only", help="Download and verify the weights, then exit.")
    ] = False,
    host: Host = None,
    port: Port = None,
    db: DatabaseURL = None,
) -> None:
    """Run the arena with two small local models. Needs no API key, GPU or account."""
    use_one_thread_for_algebra()
    from arena.config import read_settings

    settings = read_settings(None, overrides(web__host=host, web__port=port, database_url=db))
    chosen = _models_to_serve(models, without or [], discover and not fetch_only, needed=not fetch_only)
    if fetch_only:
        _fetch(chosen)
    else:
        run(settings.model_copy(update={"models": chosen}))


def _models_to_serve(which: Models, without: list[Embedded], discover: bool, needed: bool) -> tuple[AnyModel, ...]:
    """The models to serve; with `needed`, llama.cpp must be installed for the embedded ones. Raises `ConfigError`."""
    from arena.serving.bundled import SCRIPTED, embedded, find_local_servers, terms_of, without_extra

    if which is Models.SCRIPTED:
        return SCRIPTED
    local = asyncio.run(find_local_servers()) if discover else ()
    for model in local:
        console.print(f"found {model.name} at {model.url}", highlight=False, markup=False)
    if needed and find_spec("xllamacpp") is None:
        return without_extra(local)
    chosen = embedded(without)
    for terms in terms_of(chosen):
        console.print(f"[bold]Terms.[/] {terms}", soft_wrap=True, highlight=False)
    names = {model.name.casefold() for model in chosen}
    return (*chosen, *(model for model in local if model.name.casefold() not in names))


def _fetch(models: Sequence[AnyModel]) -> None:
    """Download weights, with a status line each. Raises `ConfigError` when a source is missing."""
    from arena.config import LlamaCppSettings
    from arena.endpoints import EndpointError
    from arena.serving.downloads import KNOWN, fetch

    for model in models:
        if not isinstance(model, LlamaCppSettings) or model.weights is None:
            continue
        with console.status(model.name) as status:
            try:
                path = fetch(KNOWN[model.weights], status.update)
            except EndpointError as error:
                raise ConfigError(error.detail) from error
        console.print(f"{model.name}: {path}", highlight=False, soft_wrap=True)
