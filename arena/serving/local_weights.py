"""The weights of a configured model, for white-box methods."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from arena.config import AnyModel, LlamaCppSettings, TransformersSettings
from arena.errors import ConfigError
from arena.rules.messages import gettext_noop
from arena.serving import model_clients
from arena.serving.downloads import KNOWN, cache_folder
from interp import InterpError

if TYPE_CHECKING:
    from interp import CausalLM


SAMPLED = 1 << 20  # bytes of either end of a file that identify it


def has_weights(judge: AnyModel) -> bool:
    """True if transformers can load the weights of this model here."""
    return isinstance(judge, TransformersSettings | LlamaCppSettings)


def can_load() -> bool:
    """True if the libraries that read weights are installed: the extra 'local'."""
    return all(find_spec(name) is not None for name in ("torch", "transformers"))


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def identity(judge: AnyModel) -> dict[str, Any]:
    """The settings that may change what a judge says, the same for every spelling of the same weights.

    A relative path, a link, a copy and the name of known weights are one file: it is identified by its content.
    """
    fields = model_clients.identity(judge)
    place = _place(judge)
    if place is None:
        return fields
    for spelling in ("endpoint", "path", "weights", "source", "size", "modified", "sha256", "dtype", "revision"):
        fields.pop(spelling, None)
    files = [place] if place.is_file() else sorted(file for file in place.iterdir() if file.is_file())
    fields["weights"] = [_digest(file) for file in files]
    return fields


def _place(judge: AnyModel) -> Path | None:
    """The file or folder of the weights, None for those of a hub and for known ones that are not fetched yet."""
    if isinstance(judge, LlamaCppSettings):
        known = KNOWN.get(judge.weights or "")
        place = judge.path or (cache_folder() / known.file if known else None)
    else:
        place = Path(judge.source) if isinstance(judge, TransformersSettings) else None
    return place if place is not None and place.exists() else None


def _digest(file: Path) -> str:
    """A digest of the size, the beginning and the end of a file: weights of gigabytes are not read for their name."""
    size = file.stat().st_size
    digest = hashlib.sha256(str(size).encode())
    with file.open("rb") as content:
        digest.update(content.read(SAMPLED))
        content.seek(max(0, size - SAMPLED))
        digest.update(content.read())
    return digest.hexdigest()


def load(judge: AnyModel, report: Callable[[str], None]) -> CausalLM:
    """The weights of a judge, in float32: near ties are below what bfloat16 can tell. Raises `ConfigError`."""
    from arena.endpoints import EndpointError

    if not isinstance(judge, TransformersSettings | LlamaCppSettings):
        raise ConfigError(f"{judge.name} is reached through {judge.endpoint!r}: its weights are not here")
    source, revision, device = _source(judge, report)
    try:
        report(gettext_noop("loading torch"))
        import torch
        import transformers

        from arena.endpoints.checkpoint import load as load_weights
        from interp import CausalLM, EncoderDecoder
    except ImportError as problem:
        detail = f"explaining from weights needs the extra 'local': pip install 'arena[local]' ({problem})"
        raise ConfigError(detail) from problem
    try:
        torch.set_num_threads(judge.threads or cores())
        transformers.utils.logging.disable_progress_bar()  # `report` shows the progress
        report(gettext_noop("loading weights"))
        network, tokenizer = load_weights(source, None, revision, "float32", device, None, encoder_decoders=True)
        if judge.chat_template is not None:
            tokenizer.chat_template = judge.chat_template
        make = EncoderDecoder if network.config.is_encoder_decoder else CausalLM
        return make(network, tokenizer, name=judge.name)
    except (EndpointError, InterpError) as problem:
        raise ConfigError(f"{judge.name}: {problem}") from problem


def _source(
    judge: TransformersSettings | LlamaCppSettings, report: Callable[[str], None]
) -> tuple[str, str | None, str | None]:
    if isinstance(judge, TransformersSettings):
        return judge.source, judge.revision, judge.device
    if judge.path is not None:
        if not judge.path.is_file():
            raise ConfigError(f"{judge.name}: no such file: {judge.path}. Give `path` a GGUF file.")
        return str(judge.path), None, None
    from arena.endpoints import EndpointError
    from arena.serving.downloads import fetch

    if judge.weights not in KNOWN:
        raise ConfigError(f"{judge.name}: weights {judge.weights!r} are unknown. Use one of: {', '.join(KNOWN)}.")
    try:
        return str(fetch(KNOWN[judge.weights], report)), None, None
    except EndpointError as problem:
        raise ConfigError(f"{judge.name}: {problem}") from problem
