"""`arena models list|enable|pause|retire|weight|boost|release|reload|log`: the models of a running arena."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from arena.cli.operator_options import Act, By, Reason, operator_command, person, printable
from arena.cli.options import AsFormat, Config, DatabaseURL, Format, for_programs, opened
from arena.cli.tables import print_rows
from arena.cli.terminal import Console
from arena.errors import ConfigError
from arena.rules.model_states import ModelAction, ModelControl
from arena.rules.roles import Actor

if TYPE_CHECKING:
    from arena.config import AnyModel, Settings
    from arena.store import Session

Name = Annotated[str, typer.Argument(metavar="MODEL", help="Name of the model in the settings file.")]
RetiredReason = Annotated[
    str, typer.Option("--reason", "--why", help="Reason, which readers see on the page of the model.")
]
Weight = Annotated[
    float | None,
    typer.Argument(min=0, help="How often it is drawn, relative to the others; leave it out to use the file's."),
]
Votes = Annotated[
    int | None,
    typer.Argument(
        min=0, help="Votes on the model at which the boost ends; leave it out to use sampling.newcomer_votes."
    ),
]


def list_(as_format: AsFormat = Format.TABLE, config: Config = None, db: DatabaseURL = None) -> None:
    """List the models of the settings file with their states, weights and boosts."""
    from arena.store.model_states import controls

    with opened(config, db) as (database, settings), database.read() as session:
        set_, votes = controls(session), _votes(session)
        rows = [_row(model, set_.get(model.name, ModelControl()), settings, votes) for model in settings.models]
    if not for_programs({"models": rows}, as_format, rows):
        print_rows(rows, f"{len(rows)} models")


@operator_command
def enable(act: Act, model: Name, reason: Reason) -> None:
    """Draw a model for new battles, on every server within two seconds."""
    _change(act, ModelAction.ENABLE, model, reason)


@operator_command
def pause(act: Act, model: Name, reason: Reason) -> None:
    """Draw a model no more until it is enabled again. Its running battles end normally."""
    _change(act, ModelAction.PAUSE, model, reason)


@operator_command
def retire(act: Act, model: Name, reason: RetiredReason) -> None:
    """Draw a model no more. Its votes and its place on the boards stay, marked as retired."""
    _change(act, ModelAction.RETIRE, model, reason)


@operator_command
def weight(act: Act, model: Name, value: Weight = None, reason: Reason = "not given") -> None:
    """Set how often a model is drawn, relative to the others."""
    _change(act, ModelAction.WEIGHT, model, reason, value)


@operator_command
def boost(act: Act, model: Name, votes: Votes = None, reason: Reason = "not given") -> None:
    """Draw a model more often until it has so many votes in all; 0 ends a boost.

    Its weight is multiplied by sampling.newcomer_boost (2 by default). One that has as many votes already is not boosted.
    """
    _change(act, ModelAction.BOOST, model, reason, votes)


@operator_command
def release(act: Act, model: Name, reason: RetiredReason) -> None:
    """Show a private model under its name. Its rating begins with the votes after this one."""
    _change(act, ModelAction.RELEASE, model, reason)


def reload(
    by: By = None, as_format: AsFormat = Format.TABLE, config: Config = None, db: DatabaseURL = None
) -> None:
    """Have every running server read the models of its settings file again.

    The file is checked first. A server that cannot use its own keeps its models, and `arena models log` has the error.
    """
    from arena.accounts.audit import record
    from arena.store.model_states import note

    with opened(config, db) as (database, settings):
        if not settings.models:
            raise ConfigError("no models are configured. Add a [[models]] table for each to arena.toml.")
        with database.write() as session:
            note(session, "", ModelAction.RELOAD, reason="the settings file has changed", by=(who := person(by)))
            record(session, Actor.terminal(who), "model.reload")
    names = [model.name for model in settings.models]
    if not for_programs({"action": "reload", "models": names}, as_format, [{"model": name} for name in names]):
        Console().print(f"Running servers read their settings file again, with {len(names)} models here.")


def log(as_format: AsFormat = Format.TABLE, config: Config = None, db: DatabaseURL = None) -> None:
    """Print every change to a model and every outage of an endpoint, the newest first."""
    from arena.store.model_states import changes

    with opened(config, db) as (database, _), database.read() as session:
        rows = [
            {
                "at": row.at.isoformat(timespec="seconds"),
                "model": row.name,
                "action": row.action,
                "value": row.value,
                "reason": row.reason,
                "by": row.by,
            }
            for row in changes(session)
        ]
    if not for_programs({"log": rows}, as_format, rows):
        print_rows(rows, f"{len(rows):,} entries")


COMMANDS: dict[str, Callable[..., None]] = {
    "list": list_,
    "enable": enable,
    "pause": pause,
    "retire": retire,
    "weight": weight,
    "boost": boost,
    "release": release,
    "reload": reload,
    "log": log,
}


def _change(act: Act, action: ModelAction, name: str, reason: str, value: float | None = None) -> None:
    """Change one model, and print what is set for it before and after."""
    from arena.accounts.audit import record
    from arena.store.model_states import change, controls

    words = {"reason": printable("--reason", reason), "by": act.person}
    with opened(act.config, act.db) as (database, settings):
        model = _named(settings, name, action)

        def changed(session: Session) -> dict[str, Any]:
            before = controls(session).get(name, ModelControl())
            after = change(session, name, action, value=value, **words)
            details = {} if value is None else {"value": value}
            record(session, Actor.terminal(words["by"]), f"model.{action}", name, reason=reason, details=details)
            votes = _votes(session)
            rows = {"before": before, "after": after}
            result = {key: _row(model, control, settings, votes) for key, control in rows.items()}
            if act.dry_run:
                session.rollback()
            return result

        with database.write() as session:
            result = changed(session)
    before, after = result["before"], result["after"]
    rows = [
        {"setting": key, "before": before[key], "after": after[key]} for key in after if before[key] != after[key]
    ]
    if not for_programs({"model": name, "action": action, "dry_run": act.dry_run, **result}, act.as_format, rows):
        print_rows(rows, f"{name} {'would change' if act.dry_run else 'has changed'}")
        if action is ModelAction.BOOST:
            Console().print(_boosted(after, settings))


def _boosted(row: dict[str, Any], settings: Settings) -> str:
    """What a boost does now."""
    if not row["boost_votes"]:
        return "No boost: its weight counts once."
    until, times = f"{row['boost_votes']:,} votes", f"{settings.sampling.newcomer_boost:g}"
    if row["votes"] >= row["boost_votes"]:
        return f"No boost: it has {row['votes']:,} votes, and the boost ends at {until}. Give a larger number."
    return f"Its weight counts {times} times until it has {until}; it has {row['votes']:,}."


def _votes(session: Session) -> Mapping[str, int]:
    """The votes of people on each model, by its name in battles."""
    from arena.battles.sampling import votes_by_model
    from arena.store.votes_so_far import votes_of_people

    return votes_by_model(votes_of_people(session))


def _named(settings: Settings, name: str, action: ModelAction) -> AnyModel:
    """The model of the settings file with this name, which the action may change. Raises `ConfigError`."""
    names = [model.name for model in settings.models]
    if name not in names:
        near = difflib.get_close_matches(name, names, n=1)
        advice = f"Did you mean {near[0]}?" if near else f"Use one of: {', '.join(names) or 'none'}."
        raise ConfigError(f"No model {name!r} is in the settings file. {advice}")
    model = settings.models[names.index(name)]
    if action is ModelAction.ENABLE and model.endpoint == "reward":
        raise ConfigError(f"{name} is a reward model, which writes no text. Choose another model for battles.")
    return model


def _row(model: AnyModel, control: ModelControl, settings: Settings, votes: Mapping[str, int]) -> dict[str, Any]:
    """The settings in force: those of an operator, and else those of the file."""
    from arena.serving.model_states import state_of
    from arena.store.schema.battles import now

    return {
        "model": model.name,
        "state": state_of(model, control, now().date()).value,
        "since": control.since.isoformat(timespec="seconds") if control.since else None,
        "reason": control.reason,
        "by": control.by,
        "weight": model.weight if control.weight is None else control.weight,
        "votes": votes.get(control.code if control.private and control.code else model.name, 0),
        "boost_votes": (settings.sampling.newcomer_votes if control.boost_votes is None else control.boost_votes),
        "private": control.private or (model.private and control.code is None),
        "code": control.code,
    }
