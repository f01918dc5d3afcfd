"""An endpoint in this process: any causal language model that Hugging Face transformers can load.

Needs the extra `local`. torch is imported when the endpoint starts, never before.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import KW_ONLY, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from arena.endpoints.endpoint import Completion, EndpointError, Failure, Finish, Reply, Request, reply
from arena.endpoints.failures import typed_failures
from arena.endpoints.generation_plan import Planner, Sampling
from arena.endpoints.outbox import Events, Outbox, at_the_end
from arena.endpoints.raw_completions import CHAT, Api
from arena.endpoints.startup import CrashCount, StartLock

if TYPE_CHECKING:
    from transformers import GenerationConfig, PreTrainedModel, PreTrainedTokenizerBase

    from arena.endpoints.batcher import Batcher
    from arena.endpoints.log_likelihood import LogLikelihoodWorker
    from arena.endpoints.row_batch import Row

# GGUF files and some configurations name one end-of-text token; chat models end a turn with another one.
END_OF_TURN = ("<|im_end|>", "<|eot_id|>", "<|end|>", "<|endoftext|>", "<end_of_turn>", "<turn|>")


@dataclass(frozen=True)
class Loaded:
    """The weights in memory and how requests to them are read."""

    network: PreTrainedModel
    planner: Planner


@dataclass
class Transformers:
    """Serves the model at `source`: a directory, a .gguf file, or a hub id with a pinned `revision`.

    `file` names a GGUF file inside `source`. `dtype` is `auto`, `float32`, `bfloat16` or `float16`; `device`
    is a torch device (by default, the GPU if there is one), or `auto` to spread over all. `threads` are
    CPU threads: on a shared machine two are slower than one. At most `max_batch` completions are written at
    once (by default 8 on a CPU, and up to 128 on a GPU as its memory allows), others wait. `max_context` is
    in tokens, prompt and completion together.

    `chat_template` is a Jinja text that replaces the model's own; it writes `{{ bos_token }}` itself where
    the model wants one. A base model needs it, and often `stop` strings that end every completion; or it continues
    the text of one message (`api` = `completions`), and needs none. A GGUF file is converted once into `cache_dir`.

    Fields missing in a request are taken from the model's generation_config.
    """

    source: str
    _: KW_ONLY
    file: str | None = None
    revision: str | None = None
    dtype: str = "auto"
    device: str | None = None
    threads: int = 1
    max_batch: int | None = None
    max_context: int | None = None
    chat_template: str | None = None
    stop: Sequence[str] = ()
    cache_dir: Path | None = None
    api: Api = CHAT
    _batcher: Batcher | None = field(default=None, init=False, repr=False)
    _loaded: Loaded | None = field(default=None, init=False, repr=False)
    _worker: LogLikelihoodWorker | None = field(default=None, init=False, repr=False)
    _outbox: Outbox | None = field(default=None, init=False, repr=False)
    _lock: StartLock = field(default_factory=StartLock, init=False, repr=False)
    _crashes: CrashCount = field(default_factory=CrashCount, init=False, repr=False)

    async def start(self) -> None:
        """Load the weights once, in a thread; a model whose thread broke gets a new thread. Idempotent.

        Raises `EndpointError`.
        """
        with typed_failures(self.source):
            await self._start()

    async def _start(self) -> None:
        async with self._lock.starting():
            crash = self._batcher.ended if self._batcher else None
            if crash is not None and (failure := self._crashes.failure(crash.detail)).failure is Failure.UNUSABLE:
                raise failure
            if self._loaded is None:
                self._loaded = await asyncio.to_thread(self._load)
            if self._batcher is None or crash is not None:
                self._batcher = self._new_batcher(self._loaded)
                self._batcher.start()

    async def stream(self, request: Request) -> AsyncGenerator[str | Finish]:
        """Text deltas, then one `Finish`. Closing the generator frees the row before the next token."""
        if request.get("logprobs"):
            raise EndpointError(
                Failure.REFUSED, "logprobs are not supported in a stream. Request a whole completion."
            )
        row, events = self._submitted(request)
        async with aclosing(_events(row, events)) as read:
            async for event in read:
                yield event

    async def answer(self, request: Request) -> Reply:
        """A whole completion, with the log-probabilities of the request.

        Besides chat, the log-likelihood of given text (`benchmarks.task` has the form).
        """
        await self.start()
        if "continuation" in request or "text" in request:
            return await self._log_likelihood(request)
        row, events = self._submitted(request, whole=True)
        pieces, finish = [], Finish("stop")
        async with aclosing(_events(row, events)) as read:
            async for event in read:
                if isinstance(event, Finish):
                    finish = event
                    self._crashes.reset()
                else:
                    pieces.append(event)
        body = reply(Completion("".join(pieces), finish))
        if request.get("logprobs"):
            body["choices"][0]["logprobs"] = {"content": row.logprobs}
        return body

    async def _log_likelihood(self, request: Request) -> Reply:
        if self._loaded is None:
            raise EndpointError(Failure.BROKEN, "the endpoint was closed")
        if self._worker is None:
            from arena.endpoints.log_likelihood import LogLikelihoodWorker

            self._worker = LogLikelihoodWorker(self._loaded.network, self._loaded.planner, self.threads)
        return await asyncio.wrap_future(self._worker.submit(request))

    def _submitted(self, request: Request, *, whole: bool = False) -> tuple[Row, Events]:
        """The row of a request and its events; with `whole`, its text comes at its end."""
        if self._batcher is None:
            raise EndpointError(Failure.NOT_READY, f"{self.source} is not loaded. Call start() first.")
        from arena.endpoints.row_batch import Row

        loop = asyncio.get_running_loop()
        if self._outbox is None or self._outbox.loop is not loop:
            self._outbox = Outbox(loop)
        events: Events = asyncio.Queue()
        send = self._outbox.sender(events)
        row = Row(request, at_the_end(send) if whole else send)
        self._batcher.submit(row)
        return row, events

    async def close(self) -> None:
        """End the thread and give back the memory. Streams that still run fail. Idempotent."""
        async with self._lock.closing():
            batcher, self._batcher = self._batcher, None
            worker, self._worker = self._worker, None
            self._loaded = None
        for thread in (batcher, worker):
            if thread is not None:
                await asyncio.to_thread(thread.close)

    def _load(self) -> Loaded:
        try:
            import jinja2  # noqa: F401  # chat templates; transformers itself can do without

            from arena.endpoints.batch_model import check_network
            from arena.endpoints.checkpoint import load

            options = (self.file, self.revision, self.dtype, self.device, self.cache_dir)
            network, tokenizer = load(self.source, *options)
            check_network(network)
        except ImportError as cause:
            detail = f"The extra 'local' is missing ({cause}). Run `pip install 'arena[local]'`."
            raise EndpointError(Failure.UNUSABLE, detail) from cause
        return Loaded(network, self._planner(network, tokenizer))

    def _new_batcher(self, loaded: Loaded) -> Batcher:
        from arena.endpoints.batcher import Batcher

        return Batcher(loaded.network, loaded.planner.plan, self.max_batch, self.threads)

    def _planner(self, network: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> Planner:
        if self.chat_template is not None:
            tokenizer.chat_template = self.chat_template
        if self.api == CHAT and not tokenizer.chat_template:
            raise EndpointError(
                Failure.UNUSABLE,
                f"{self.source} has no chat template, which base models lack. "
                'Configure chat_template, a Jinja text that turns messages into a prompt, or api = "completions".',
            )
        length = getattr(network.config.get_text_config(), "max_position_embeddings", None)
        context = min(filter(None, (self.max_context, length)), default=None)
        if context is None:
            detail = f"{self.source} has no context length in its configuration. Configure max_context."
            raise EndpointError(Failure.UNUSABLE, detail)
        generation = network.generation_config
        ends = end_tokens(generation, tokenizer)
        return Planner(tokenizer, context, ends, default_sampling(generation), tuple(self.stop), self.api)


async def _events(row: Row, events: Events) -> AsyncGenerator[str | Finish]:
    """The events of a row in the batch; closing the generator cancels the row."""
    try:
        while True:
            event = await events.get()
            if isinstance(event, EndpointError):
                raise event
            yield event
            if isinstance(event, Finish):
                return
    finally:
        row.cancelled = True


def end_tokens(generation: GenerationConfig, tokenizer: PreTrainedTokenizerBase) -> frozenset[int]:
    """The tokens that end a completion: the configured ones, the tokenizer's, and those of chat formats."""
    configured = generation.eos_token_id
    listed = configured if isinstance(configured, list) else [configured]
    added = tokenizer.get_added_vocab()
    of_formats = [added.get(name) for name in END_OF_TURN]
    return frozenset(token for token in (*listed, tokenizer.eos_token_id, *of_formats) if token is not None)


def default_sampling(generation: GenerationConfig) -> Sampling:
    """The sampling of the generation config, as in vLLM; plain sampling without one."""
    if not generation.do_sample:
        return Sampling(repetition_penalty=generation.repetition_penalty or 1.0)
    return Sampling(
        temperature=generation.temperature or 1.0,
        top_p=generation.top_p or 1.0,
        top_k=generation.top_k or 0,
        repetition_penalty=generation.repetition_penalty or 1.0,
    )
