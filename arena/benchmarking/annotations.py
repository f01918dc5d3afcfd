"""A run's replies with what their words do not tell, found out for all samples together before they are scored."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from arena.benchmarking.annotators import looked_up
from arena.benchmarking.run import EvaluatedModel, body
from arena.benchmarking.selection import Chosen
from arena.engine import ReplyCache
from arena.serving import model_clients
from benchmarks.annotations import AnnotatedTask, Annotator
from benchmarks.task import Reply, Sample


def with_annotations(
    chosen: Chosen,
    taking: Sequence[EvaluatedModel],
    max_tokens: int | None,
    reply_cache: ReplyCache,
    ask: Annotator | None,
) -> Chosen:
    """`chosen` with a task that knows everything about the journal's replies; itself where it needs nothing."""
    if ask is None or not isinstance(chosen.task, AnnotatedTask):
        return chosen
    return replace(chosen, task=looked_up(chosen.task, replies(chosen, taking, max_tokens, reply_cache), ask))


def replies(
    chosen: Chosen, taking: Sequence[EvaluatedModel], max_tokens: int | None, reply_cache: ReplyCache
) -> Iterator[tuple[Sample, Reply]]:
    """Every reply that came, with its sample."""
    examples = chosen.examples()
    for sample in chosen.samples:
        shots = examples(sample)
        for player in taking:
            for request in chosen.task.requests(sample, shots, player.request_type):
                key = model_clients.key(player.target.identity, body(player, request, max_tokens))
                if (reply := reply_cache.reply(key)) is not None:
                    yield sample, reply
