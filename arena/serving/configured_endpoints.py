"""The endpoint that the settings of a model describe."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from arena.config import (
    AnyModel,
    LlamaCppSettings,
    OpenAISettings,
    RewardSettings,
    ScriptedSettings,
    TransformersSettings,
    VllmSettings,
    api_key,
)
from arena.endpoints import Endpoint
from arena.endpoints.scripted import Scripted
from arena.errors import ConfigError

log = logging.getLogger(__name__)


def make_endpoint(settings: AnyModel, report: Callable[[str], None] = log.debug) -> Endpoint:
    """The endpoint that these settings describe, not started. Raises `ConfigError`."""
    if isinstance(settings, ScriptedSettings):
        replies = [reply if isinstance(reply, str) else reply.model_dump() for reply in settings.replies]
        return Scripted(replies, settings.style, settings.delay, settings.fault)
    if isinstance(settings, OpenAISettings):
        return _openai(settings)
    if isinstance(settings, LlamaCppSettings):
        return _llama_cpp(settings, report)
    if isinstance(settings, VllmSettings):
        return _vllm(settings)
    if isinstance(settings, RewardSettings):
        return _reward(settings)
    return _transformers(settings)


def _vllm(settings: VllmSettings) -> Endpoint:
    from arena.endpoints.vllm import Vllm

    return Vllm(
        settings.source,
        revision=settings.revision,
        dtype=settings.dtype,
        max_batch=settings.max_batch,
        chat_template=settings.chat_template,
        options=settings.options,
    )


def _reward(settings: RewardSettings) -> Endpoint:
    from arena.endpoints.reward import Reward

    return Reward(
        settings.source,
        revision=settings.revision,
        dtype=settings.dtype,
        device=settings.device,
        threads=settings.threads or 1,
        max_batch=settings.max_batch or Reward.max_batch,
        chat_template=settings.chat_template,
    )


def _openai(settings: OpenAISettings) -> Endpoint:
    from arena.endpoints.openai import OpenAI

    return OpenAI(
        settings.url,
        settings.model or settings.name,
        key=api_key(settings.api_key_env),
        connect_timeout=settings.connect_timeout,
        read_timeout=settings.read_timeout,
        retries=settings.retries,
        api=settings.api,
    )


def _llama_cpp(settings: LlamaCppSettings, report: Callable[[str], None]) -> Endpoint:
    from arena.endpoints.llama_cpp import LlamaCpp
    from arena.serving.downloads import KNOWN, fetch

    if settings.weights is not None and settings.weights not in KNOWN:
        raise ConfigError(
            f"{settings.name}: weights {settings.weights!r} are unknown. Use one of: {', '.join(KNOWN)}."
        )
    if settings.path is not None and not settings.path.is_file():
        raise ConfigError(f"{settings.name}: no such file: {settings.path}. Give `path` a GGUF file.")

    async def find() -> str:
        if settings.path is not None:
            return str(settings.path)
        return str(await asyncio.to_thread(fetch, KNOWN[settings.weights or ""], report))

    return LlamaCpp(
        find,
        alias=settings.name,
        chat_template=settings.chat_template,
        threads=settings.threads or 1,
        context=settings.context,
        parallel=settings.parallel,
        report=report,
        api=settings.api,
    )


def _transformers(settings: TransformersSettings) -> Endpoint:
    from arena.endpoints.transformers import Transformers

    return Transformers(
        settings.source,
        revision=settings.revision,
        dtype=settings.dtype,
        device=settings.device,
        threads=settings.threads or 1,
        max_batch=settings.max_batch,
        chat_template=settings.chat_template,
        api=settings.api,
    )
