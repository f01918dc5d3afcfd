"""The weights of a configured model, for white-box methods."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING

from arena.config import AnyModel, LlamaCppSettings, TransformersSettings
from arena.errors import ConfigError
from arena.messages import gettext_noop
from interp import InterpError

if TYPE_CHECKING:
    from interp import CausalLM


def has_weights(judge: AnyModel) -> bool:
    """True if transformers can load the weights of this model here."""
    return isinstance(judge, TransformersSettings | LlamaCppSettings)


def can_load() -> bool:
    """True if the libraries that read weights are installed: the extra 'local'."""
    return all(find_spec(name) is not None for name in ("torch", "transformers"))


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
        from interp import CausalLM
    except ImportError as problem:
        detail = f"explaining from weights needs the extra 'local': pip install 'arena[local]' ({problem})"
        raise ConfigError(detail) from problem
    try:
        torch.set_num_threads(judge.threads)
        transformers.utils.logging.disable_progress_bar()  # `report` shows the progress
        report(gettext_noop("loading weights"))
        network, tokenizer = load_weights(source, None, revision, "float32", device, None)
        if judge.chat_template is not None:
            tokenizer.chat_template = judge.chat_template
        return CausalLM(network, tokenizer, name=judge.name)
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
    from arena.serving.downloads import KNOWN, fetch

    if judge.weights not in KNOWN:
        raise ConfigError(f"{judge.name}: weights {judge.weights!r} are unknown. Use one of: {', '.join(KNOWN)}.")
    try:
        return str(fetch(KNOWN[judge.weights], report)), None, None
    except EndpointError as problem:
        raise ConfigError(f"{judge.name}: {problem}") from problem
