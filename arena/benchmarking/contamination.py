"""The contamination card of one model and one task: signs that the test set was in the training data."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from arena.benchmarking.evaluated_models import client_for
from arena.benchmarking.model_replies import model_replies
from arena.benchmarking.selection import SelectionOptions, data_folder, select
from arena.benchmarking.task_specs import task_specs
from arena.config import AnyModel, Settings, reply_cache_path
from arena.config.given_files import plain_file
from arena.endpoints import EndpointError
from arena.engine import CallSession, ModelClient, Progress, open_session
from arena.errors import ConfigError, WorkFailed
from arena.serving import model_clients
from arena.serving.capabilities import best_request_type
from benchmarks.contamination import (
    SHARE,
    WORDS,
    against_control,
    canary_known,
    canary_request,
    exchangeability,
    min_k,
    orders,
    overlap,
)
from benchmarks.data import DataSources, check_columns, read_file
from benchmarks.errors import BenchmarkError
from benchmarks.known_files import own
from benchmarks.replies import words
from benchmarks.task import Outcome, Reply, Request, RequestType, Sample, Task

JOINED = "\n\n"
OVERLAPPING = 0.7  # the share of n-grams at which GPT-3 and PaLM call a sample contaminated


@dataclass(frozen=True)
class AuditConfig:
    """One model, one task and the tests to run. The order test needs a file in its published order."""

    model: str
    task: str  # as on the command line: `mmlu` or `mmlu:anatomy`
    order: bool = True
    shards: int = 10
    permutations: int = 5
    seed: int = 0
    min_k: bool = False
    control: Path | None = None  # JSONL of paraphrases, `id` and `text`; implies `min_k`
    canary: str | None = None
    corpus: Sequence[Path] = ()  # text files that samples are looked for in
    limit: int | None = None  # the first samples only
    data_sources: DataSources | None = None  # ARENA_DATA_DIR and the hub if None
    reply_cache: Path | None = None  # next to the database if None


@dataclass(frozen=True)
class ContaminationCard:
    """The results of the tests that were run; None for the others."""

    model: str
    task: str
    samples: int
    overlap: Mapping[str, Any] | None = None
    canary: Mapping[str, Any] | None = None
    order: Mapping[str, Any] | None = None
    min_k: Mapping[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        return {name: value for name, value in asdict(self).items() if value is not None}


def audit(settings: Settings, config: AuditConfig, progress: Progress | None = None) -> ContaminationCard:
    """Run the tests of `config`. Call it outside any event loop. Raises `ConfigError`, `WorkFailed`."""
    [model] = model_clients.chosen(model_clients.configured(settings), [config.model], "MODEL")
    data_sources = config.data_sources or DataSources(data_folder(None))
    selected = select(task_specs([config.task], data_sources.folder)[0], data_sources, SelectionOptions(shots=0))
    task, samples = selected.task, selected.samples[: config.limit]  # the first ones, in the published order
    try:
        with open_session(reply_cache_path(settings, config.reply_cache), progress) as session:
            return ContaminationCard(
                config.model,
                task.name,
                len(samples),
                corpus_overlap(task, samples, _texts(config.corpus)) if config.corpus else None,
                canary_completion(session, model, config.canary) if config.canary is not None else None,
                order_test(session, model, task, samples, config) if config.order else None,
                min_k_test(session, model, task, samples, _paraphrases(config.control))
                if config.min_k or config.control is not None
                else None,
            )
    except BenchmarkError as problem:
        raise ConfigError(str(problem)) from problem


def sample_text(task: Task, sample: Sample) -> str:
    """A sample's question as its task words it, without few-shot examples."""
    request = task.requests(sample, (), task.request_types[0])[0]
    if "messages" in request:
        return str(request["messages"][-1]["content"])
    return str(request.get("text") or request["context"])


def corpus_overlap(
    task: Task, samples: Sequence[Sample], corpus: Iterable[str], size: int = WORDS
) -> dict[str, Any]:
    """The shares of the samples' n-grams that are in a corpus, and the samples with the largest shares."""
    shares = overlap([sample_text(task, sample) for sample in samples], corpus, size)
    worst = sorted(zip(shares, (sample.id for sample in samples), strict=True), reverse=True)[:10]
    return {
        "words": size,
        "mean": float(shares.mean()),
        "any": float((shares > 0).mean()),
        "most": float((shares > OVERLAPPING).mean()),
        "worst": {name: float(share) for share, name in worst if share > 0},
    }


def order_test(
    session: CallSession, model: AnyModel, task: Task, samples: Sequence[Sample], config: AuditConfig
) -> dict[str, Any]:
    """The sharded exchangeability test. Raises `ConfigError`, `WorkFailed`."""
    texts = [sample_text(task, sample) for sample in samples]
    shards = orders(len(texts), config.shards, config.permutations, config.seed)
    requests = [{"text": JOINED.join(texts[place] for place in order)} for shard in shards for order in shard]
    logprobs = [float(reply["logprob"]) for reply in _loglikelihoods(session, model, requests)]
    each = config.permutations + 1
    rows = [logprobs[start : start + each] for start in range(0, len(logprobs), each)]
    test = exchangeability([row[0] for row in rows], [row[1:] for row in rows])
    return {**asdict(test), "permutations": config.permutations, "samples": len(texts)}


def min_k_test(
    session: CallSession, model: AnyModel, task: Task, samples: Sequence[Sample], paraphrases: Mapping[str, str]
) -> dict[str, Any]:
    """Min-K % of the samples' texts; with `paraphrases` (by sample id) also the paired test against theirs.

    Raises `ConfigError`, `WorkFailed`.
    """
    paired = [sample for sample in samples if sample.id in paraphrases] if paraphrases else list(samples)
    if len(paired) < 2:
        raise ConfigError(
            f"--control: The file has paraphrases of {len(paired)} of the samples. Give at least two, by `id`."
        )
    scores = _min_k(session, model, [sample_text(task, sample) for sample in paired])
    result: dict[str, Any] = {"share": SHARE, "samples": len(scores), "mean": sum(scores) / len(scores)}
    if paraphrases:
        controls = _min_k(session, model, [paraphrases[sample.id] for sample in paired])
        result |= asdict(against_control(scores, controls))
    return result


def canary_completion(session: CallSession, model: AnyModel, canary: str) -> dict[str, Any]:
    """The model's continuation of the first part of a canary string, and whether it is the rest of it."""
    [reply] = _replies(session, model, [canary_request(canary)], RequestType.GENERATE)
    text = words(reply, truncated=True)
    return {
        "known": None if isinstance(text, Outcome) else canary_known(text, canary),
        "completion": text.reason if isinstance(text, Outcome) else text,
    }


def _min_k(session: CallSession, model: AnyModel, texts: Sequence[str]) -> list[float]:
    requests = [{"text": text, "token_logprobs": True} for text in texts]
    return [min_k(reply["token_logprobs"]) for reply in _loglikelihoods(session, model, requests)]


def _loglikelihoods(session: CallSession, model: AnyModel, requests: Sequence[Request]) -> list[Reply]:
    """A reply to each request. Raises `WorkFailed` if one is missing."""
    replies = _replies(session, model, requests, RequestType.LOGLIKELIHOOD)
    whole = [reply for reply in replies if reply is not None]
    if len(whole) < len(replies):
        missing = len(replies) - len(whole)
        raise WorkFailed(f"{model.name}: {missing} of {len(replies)} texts have no reply. Re-run the command.")
    return whole


def _replies(
    session: CallSession, model: AnyModel, requests: Sequence[Request], request_type: RequestType
) -> list[Reply | None]:
    client = model_clients.model_client(model)
    asyncio.run(_check(model, client, request_type))
    if request_type is RequestType.LOGLIKELIHOOD:
        client = client_for(model, client, RequestType.LOGLIKELIHOOD)
    return model_replies(session, model, client, requests, check=lambda _: None)


async def _check(model: AnyModel, client: ModelClient, request_type: RequestType) -> None:
    """Raises `ConfigError` or `WorkFailed` if the endpoint does not serve this request type."""
    try:
        await best_request_type(model, client.endpoint, [request_type])
    except EndpointError as error:
        await client.endpoint.close()
        raise model_clients.no_answer(model.name, error) from error


def _texts(files: Sequence[Path]) -> Iterator[str]:
    """The text of each file. Raises `ConfigError`."""
    for file in files:
        try:
            yield plain_file(file).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(
                f"--corpus {file}: The file cannot be read ({error}). Give UTF-8 text files."
            ) from error


def _paraphrases(file: Path | None) -> dict[str, str]:
    """Texts by sample id. Raises `BadData`."""
    if file is None:
        return {}
    rows = read_file(file)
    check_columns(rows, own(str(file), "id", "text"))
    return {str(row["id"]): str(row["text"]) for row in rows}
