"""vLLM in this process, for batches: requests go to `LLM.chat` in batches, and vLLM reuses common prefixes.

The log-likelihood of given texts comes from vLLM's log-probabilities of a prompt.

Needs the extra `vllm`. For a page that streams, run vLLM's own server and reach it with the endpoint `openai`.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import KW_ONLY, dataclass, field
from typing import Any

from arena.endpoints.alternatives import alternatives_per_token
from arena.endpoints.batch_queue import BatchedEndpoint, Outcome, batch_outcomes
from arena.endpoints.echo import is_log_likelihood
from arena.endpoints.endpoint import Completion, EndpointError, Failure, Finish, Reply, Request, Usage, reply
from arena.endpoints.generation_plan import read_messages, read_stop
from arena.endpoints.vllm_log_likelihood import log_likelihoods

# what vLLM's SamplingParams call the same
SAMPLING = (
    "temperature", "top_p", "top_k", "min_p", "seed", "repetition_penalty", "presence_penalty",
    "frequency_penalty",
)  # fmt: skip
ENDED = ("EngineDeadError",)  # by name: vLLM keeps it in a private module; no later call would be answered
UNSERVED = ("tools", "functions", "logit_bias")


@dataclass
class Vllm(BatchedEndpoint):
    """Serves `source`, a directory or a hub id with a pinned `revision`.

    `options` go to vLLM's `LLM` as they are: tensor_parallel_size, max_model_len, distributed_executor_backend and
    so on. At most `max_batch` requests are given to it at once.
    """

    source: str
    _: KW_ONLY
    revision: str | None = None
    dtype: str = "auto"
    max_batch: int = 256
    chat_template: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    async def stream(self, request: Request) -> AsyncGenerator[str | Finish]:
        """The whole completion in one piece, because `LLM.chat` does not stream."""
        body = await self.answer(request)
        choice = body["choices"][0]
        yield choice["message"]["content"]
        used = body["usage"]
        yield Finish(choice["finish_reason"], Usage(used["prompt_tokens"], used["completion_tokens"]))

    def _load(self) -> Chat:
        try:
            import vllm
            from vllm.sampling_params import StructuredOutputsParams
        except ImportError as cause:
            detail = f"The extra 'vllm' is missing ({cause}). Run `pip install 'arena[vllm]'`."
            raise EndpointError(Failure.UNUSABLE, detail) from cause
        options = {"enable_prefix_caching": True, "revision": self.revision, "dtype": self.dtype, **self.options}
        try:
            engine = vllm.LLM(self.source, **options)
        except (OSError, ValueError, RuntimeError) as cause:
            reason = " ".join(str(cause).split())
            raise EndpointError(Failure.UNUSABLE, f"vLLM cannot load {self.source!r}: {reason}") from cause
        return Chat(engine, vllm.SamplingParams, StructuredOutputsParams, self.chat_template)


class Chat:
    """Requests in, replies out, through one `LLM.chat` call."""

    def __init__(self, engine: Any, sampling: Any, structured: Any, chat_template: str | None) -> None:
        self._engine, self._sampling, self._structured = engine, sampling, structured
        self._template = chat_template

    def answer(self, requests: Sequence[Request]) -> list[Outcome]:
        """A reply or an error for each request; texts go to vLLM in one call, chats in another. Blocks."""
        texts = [request for request in requests if is_log_likelihood(request)]
        chats = [request for request in requests if not is_log_likelihood(request)]
        with _engine_errors():
            scored = iter(log_likelihoods(self._engine, self._sampling, texts) if texts else [])
            replies = iter(batch_outcomes(chats, self._read, self._chat))
        return [next(scored if is_log_likelihood(request) else replies) for request in requests]

    def close(self) -> None:
        """End vLLM's own processes, which would else stay until this one ends."""
        core = getattr(getattr(self._engine, "llm_engine", None), "engine_core", None)
        if core is not None:
            core.shutdown()

    def _read(self, request: Request) -> tuple[list[dict[str, str]], Any]:
        return read_messages(request), self._parameters(request)

    def _chat(self, prepared: Sequence[tuple[list[dict[str, str]], Any]]) -> list[Reply]:
        outputs = self._engine.chat(
            [messages for messages, _ in prepared],
            [parameters for _, parameters in prepared],
            chat_template=self._template,
            use_tqdm=False,
        )
        return [_reply(output) for output in outputs]

    def _parameters(self, request: Request) -> Any:
        for name in UNSERVED:
            if request.get(name):
                raise EndpointError(
                    Failure.REFUSED, f"{name} is not supported by vLLM in process. Use its server."
                )
        given = {name: request[name] for name in SAMPLING if request.get(name) is not None}
        match (request.get("response_format") or {}).get("type", "text"):
            case "json_object":
                given["structured_outputs"] = self._structured(json_object=True)
            case "json_schema":
                given["structured_outputs"] = self._structured(
                    json=request["response_format"]["json_schema"]["schema"]
                )
            case "text":
                pass
            case other:
                raise EndpointError(
                    Failure.REFUSED, f"response_format {other!r} is unknown. Expected json_object or json_schema."
                )
        limit = request.get("max_completion_tokens") or request.get("max_tokens")
        try:
            return self._sampling(
                **given, max_tokens=limit, stop=list(read_stop(request)), logprobs=alternatives_per_token(request)
            )
        except (TypeError, ValueError) as cause:
            raise EndpointError(Failure.REFUSED, str(cause)) from cause


@contextmanager
def _engine_errors() -> Iterator[None]:
    """A context that turns the error of a dead engine into a permanent failure."""
    try:
        yield
    except Exception as cause:
        if type(cause).__name__ not in ENDED:
            raise
        detail = f"vLLM's engine has ended ({cause}). See its log for the reason."
        raise EndpointError(Failure.UNUSABLE, detail) from cause


def _reply(output: Any) -> Reply:
    """The output of vLLM as the body that a server would send."""
    (written,) = output.outputs
    used = Usage(len(output.prompt_token_ids), len(written.token_ids))
    body = reply(Completion(written.text, Finish(written.finish_reason or "stop", used)))
    if written.logprobs is not None:
        tokens = zip(written.token_ids, written.logprobs, strict=True)
        body["choices"][0]["logprobs"] = {"content": [_entry(token, others) for token, others in tokens]}
    return body


def _entry(token: int, others: Mapping[int, Any]) -> dict[str, Any]:
    """One token with its alternatives, likeliest first."""
    ranked = sorted(others.values(), key=lambda entry: -entry.logprob)
    named = [{"token": entry.decoded_token or "", "logprob": float(entry.logprob)} for entry in ranked]
    chosen = others[token]
    return {"token": chosen.decoded_token or "", "logprob": float(chosen.logprob), "top_logprobs": named}
