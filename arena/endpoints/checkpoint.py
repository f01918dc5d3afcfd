"""Finding and loading the weights of a causal language model: a directory, a GGUF file, or a hub id."""

from __future__ import annotations

import hashlib
import logging
import os
import tempfile
from pathlib import Path
from typing import Any

import torch
import transformers
from platformdirs import user_cache_path

from arena.endpoints.endpoint import EndpointError, Failure

CONVERSION = 1  # count up when the conversion changes, and old directories are no longer found

logger = logging.getLogger(__name__)


def load(
    source: str, file: str | None, revision: str | None, dtype: str, device: str | None, cache: Path | None
) -> tuple[Any, Any]:
    """The network, ready for inference, and its tokenizer. Raises `EndpointError`."""
    try:
        place = locate(source, file, revision)
        if place.endswith(".gguf"):
            place, revision = str(converted(Path(place), cache or user_cache_path("arena") / "converted")), None
        # Code that comes with weights is never run; left open, the question would be asked on the terminal.
        options: dict[str, Any] = {"revision": revision or "main", "trust_remote_code": False}
        tokenizer = transformers.AutoTokenizer.from_pretrained(place, **options)
        where = device or ("cuda" if torch.cuda.is_available() else "cpu")
        network = transformers.AutoModelForCausalLM.from_pretrained(
            place, dtype=working_dtype(dtype, where), device_map=where, **options
        )
    # OSError: a file or the hub is missing. ValueError: not a causal model, or an unknown architecture.
    except (OSError, ValueError, ImportError) as cause:
        raise EndpointError(Failure.NOT_READY, f"cannot load {source!r}: {_advice(source, cause)}") from cause
    return network.eval(), tokenizer
