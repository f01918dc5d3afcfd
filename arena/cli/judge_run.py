"""`arena judge single|baseline|pairwise|run`: the options of a judge run, its progress and its board."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from arena.cli.batch import with_batch
from arena.cli.judge_options import ALWAYS, BATCH, PLACE, takes, words
from arena.cli.judge_report import report, show, show_forecast, tell_gaps
from arena.cli.options import Format, opened
from arena.cli.progress import progress_bar

if TYPE_CHECKING:
    from arena.config import Settings
    from arena.engine import RunResult, Session
    from arena.judging.config import JudgeRunConfig
    from arena.judging.run import Prepared
    from arena.store import Database


@takes("prompts", "judge", "panel", "name", *BATCH, *ALWAYS)
def single(**given: Any) -> None:
    """Score each completion from 1 to 10."""
    _options("single", given)


@takes("prompts", "baseline", "judge", "panel", "name", "order", "control_pairs", *BATCH, *ALWAYS)
def baseline(**given: Any) -> None:
    """Compare every model with one baseline, by the log-probabilities of the judge's verdict where it has them."""
    _options("baseline", given)


@takes("prompts", "judge", "panel", "name", "battles", "order", "control_pairs", *BATCH, *ALWAYS)
def pairwise(**given: Any) -> None:
    """Compare all models with one another."""
    _options("pairwise", given)


@takes("judge", "panel", "name", "order", "control_pairs", *BATCH, *ALWAYS)
def battles(**given: Any) -> None:
    """Judge the battles that people have voted on, for `arena agreement` and `arena disputed`."""
    _options("battles", given)


@takes("file", *BATCH, *PLACE)
def run(**given: Any) -> None:
    """Do what a TOML file says; its keys are the options' names, and `mode`."""
    from arena.judging.config import read_config

    _do(read_config(given.pop("file")), **given)


def _options(mode: str, given: dict[str, Any]) -> None:
    """The options of a command as an evaluation."""
    from arena.judging.config import config_of

    place = {name: given.pop(name) for name in (*BATCH, *PLACE)}
    given |= {"panel": words(given["panel"]), "models": words(given["models"])}
    _do(config_of(mode=mode, **given), **place)


def _do(
    told: JudgeRunConfig,
    *,
    dry_run: bool,
    as_format: Format,
    config: Path | None,
    db: str | None,
    batch_out: Path | None,
    batch_in: Path | None,
) -> None:
    batch = Batch(batch_out, batch_in)
    with opened(config, db) as (database, settings):
        told_back = carried_out(told, dry_run, as_format, database, settings, batch)
    if told_back is None:
        return
    show(told_back, as_format)
    if not told_back["published"]:
        raise typer.Exit(1)


@dataclass(frozen=True)
class Batch:
    """Files of an OpenAI-compatible Batch endpoint: requests that go out, results that come in."""

    out: Path | None = None
    into: Path | None = None


def carried_out(
    told: JudgeRunConfig,
    dry_run: bool,
    as_format: Format,
    database: Database,
    settings: Settings,
    batch: Batch = Batch(),
) -> dict[str, Any] | None:
    """Ask, read and publish; the report, or None where nothing is asked: a dry run, whose forecast is printed, or
    requests written to a file.
    """
    from arena.config import reply_cache_path
    from arena.engine import open_session
    from arena.errors import ConfigError
    from arena.judging import calls as run
    from arena.judging import run as evaluate
    from judges.errors import JudgesError

    prepared = evaluate.prepare(database, settings, told)
    tell_gaps(prepared)
    try:
        with open_session(reply_cache_path(settings, told.reply_cache), progress_bar) as session:
            reply_cache = session.reply_cache
            if batch.into is not None or batch.out is not None:
                with_batch(
                    reply_cache,
                    prepared.asked,
                    lambda: run.calls(prepared.cases(), prepared.asked),
                    batch.into,
                    batch.out,
                )
            if batch.out is not None:
                return None
            expected = run.forecast(prepared.cases(), prepared.asked, reply_cache)
            if dry_run:
                show_forecast(expected, prepared, as_format)
                return None
            ran = _ask(prepared, session, expected.requests)
            found = evaluate.read(prepared, reply_cache)
            refused = evaluate.refusal(prepared, found)
            new = 0 if refused else evaluate.publish(database, prepared, reply_cache)
    except JudgesError as problem:
        raise ConfigError(str(problem)) from problem
    return report(prepared, found, ran, refused, new)


def _ask(prepared: Prepared, session: Session, requests: int) -> RunResult[None]:
    from arena.engine import RetryPolicy
    from arena.judging.calls import run_calls

    told = prepared.config
    policy = RetryPolicy(run_timeout=told.timeout)
    if told.call_timeout is not None:
        policy = replace(policy, call_timeout=told.call_timeout)
    return session.run(
        prepared.asked,
        lambda engine, seen: run_calls(engine, prepared.cases(), prepared.asked, seen),
        total=requests,
        budget=told.budget,
        retry_policy=policy,
    )
