"""Publication of a judge run: verdicts become votes, scores become scores."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Any

from arena.errors import ConfigError
from arena.judging import judge_setup, plan
from arena.judging.preparation import PreparedRun
from arena.store import Database, Session
from arena.store.verdicts import NewVerdict, OtherConfig, add_score, add_verdicts
from judges import Unparsable

BATCH = 200  # verdicts per transaction: the page stays writable meanwhile


def publish(database: Database, prepared: PreparedRun, results: Iterable[tuple[plan.Case, Any]]) -> int:
    """Save the readable verdicts as votes, or the scores, and return how many are new. Control pairs are not saved.

    Raises `ConfigError` if the judge has judged these battles with another configuration.
    """
    added = 0
    readable = (
        (case, result)
        for case, result in results
        if case.control_pair is None and not isinstance(result, Unparsable)
    )
    try:
        while batch := list(itertools.islice(readable, BATCH)):
            with database.write() as session:
                added += _add(session, prepared, batch)
    except OtherConfig as problem:
        raise ConfigError(f"{problem}. Choose another name with --name.") from problem
    return added


def _add(session: Session, prepared: PreparedRun, batch: Sequence[tuple[plan.Case, Any]]) -> int:
    source, digest = prepared.source, judge_setup.config_hash(prepared.config)
    if prepared.config.mode == "single":
        return sum(add_score(session, source, digest, case.a.id, score) for case, score in batch)
    votes = [_vote(case, verdict, prepared.config.mode == "battles") for case, verdict in batch]
    return add_verdicts(session, source, digest, votes)


def _vote(case: plan.Case, verdict: Any, fought: bool) -> NewVerdict:
    assert case.b is not None
    return NewVerdict(
        case.prompt,
        case.a,
        case.b,
        verdict.winner,
        verdict.preference,
        verdict.strength,
        verdict.orders,
        verdict.reason,
        battle=case.a.id if fought else None,
        criteria=verdict.criteria,
    )
