"""Few-shot examples: the solved samples before each sample.

By default they are drawn for each sample from its own seed, so that a sample's prompt does not depend
on the order of the set, a limit or the machine. `lm_eval` is the stream of lm-evaluation-harness.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable, Sequence

from benchmarks.errors import BadOption
from benchmarks.task import Sample

LM_EVAL_SEED = 1234  # of lm-evaluation-harness's few-shot stream

Shots = Callable[[Sample], Sequence[Sample]]


def first_n(pool: Sequence[Sample], count: int) -> Shots:
    """The first `count` of the sample's subject, in order. Raises `BadOption` when there are fewer."""
    subjects = by_subject(pool)

    def shots(sample: Sample) -> Sequence[Sample]:
        there = [example for example in subjects.get(sample.subject, pool) if not _same(example, sample)]
        return _enough(there, count, sample)[:count]

    return shots


def curated(pool: Sequence[Sample], ids: Sequence[str]) -> Shots:
    """The same examples for every sample. Raises `BadOption` for an id that the pool does not have."""
    by_id = {example.id: example for example in pool}
    if missing := [name for name in ids if name not in by_id]:
        raise BadOption(f"The few-shot example {missing[0]!r} is not in the data. Download the task's own file.")
    chosen = [by_id[name] for name in ids]
    return lambda _: chosen


def per_sample(whole: Sequence[Sample], count: int, task: str, seed: int) -> Shots:
    """Examples drawn by a generator with seed SHA-256 of (seed, task, sample id), without the sample itself.

    From the sample's own subject where the pool has it.
    """
    subjects = by_subject(whole)

    def shots(sample: Sample) -> Sequence[Sample]:
        pool = subjects.get(sample.subject, whole)
        digest = hashlib.sha256(f"{seed}\n{task}\n{sample.id}".encode()).digest()
        stream = random.Random(digest)  # noqa: S311  (a seed that anybody can make again)
        drawn = stream.sample(pool, min(count + 1, len(pool)))
        others = [example for example in drawn if not _same(example, sample)]
        if len(others) < count:  # the set has the sample more than once, or is too small
            others = [example for example in pool if not _same(example, sample)]
            others = stream.sample(_enough(others, count, sample), count)
        return others[:count]

    return shots


def lm_eval(pool: Sequence[Sample], count: int, *, from_test: bool) -> Shots:
    """The stream of lm-evaluation-harness 0.4.13: one generator that advances sample by sample.

    Call it once for each sample and in the order of the set. Where the pool is the test set itself one more is
    drawn and the sample removed, as there; if the set has the sample more than once, they are drawn from the others.
    """
    stream = random.Random(LM_EVAL_SEED)  # noqa: S311  (the published stream)

    def shots(sample: Sample) -> Sequence[Sample]:
        if count == 0:
            return ()
        _enough(pool, count, sample)
        if not from_test:
            return stream.sample(list(pool), count)
        others = [example for example in stream.sample(list(pool), count + 1) if not _same(example, sample)][
            :count
        ]
        if len(others) < count:
            rest = [example for example in pool if not _same(example, sample)]
            others = stream.sample(_enough(rest, count, sample), count)
        return others

    return shots


def by_subject(pool: Sequence[Sample]) -> dict[str, list[Sample]]:
    groups: dict[str, list[Sample]] = {}
    for example in pool:
        groups.setdefault(example.subject, []).append(example)
    return groups


def _same(example: Sample, sample: Sample) -> bool:
    return example.id == sample.id or example.fields == sample.fields


def _enough(there: Sequence[Sample], count: int, sample: Sample) -> Sequence[Sample]:
    if len(there) < count:
        of = f" for subject {sample.subject!r}" if sample.subject else ""
        most = len(there)
        raise BadOption(f"--shots {count}: There are {most} examples{of}. Give --shots {most} or fewer.")
    return there
