"""What operators set for models, read from the store by every server, and outages of endpoints written to it.

One reader for all requests: a poll is one query for the number of the last change.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from arena.config import AnyModel
from arena.errors import ConfigError
from arena.rules.model_states import ARENA, ModelAction, ModelControl
from arena.serving.availability import LONGEST_GAP, Availability
from arena.serving.live_models import LiveModels
from arena.serving.models import ServedModel
from arena.store import Database, Session, model_states
from arena.store.models import register_models, unregistered
from arena.store.schema.battles import now

log = logging.getLogger(__name__)

LONGEST = 2_000  # characters of a reason in the log
NO_FILE = "This arena runs without a settings file, so there is nothing to read again. Start it with arena serve."


@dataclass(frozen=True)
class _News:
    """What a poll found: the number of the last change, what is set, and whether to read the settings file again."""

    version: int
    controls: Mapping[str, ModelControl]
    reload: bool


class ModelWatch:
    """Follows the changes of operators, for one server. One event loop."""

    def __init__(self, database: Database, live: LiveModels, server: str) -> None:
        self._database, self._live, self._server = database, live, server
        self._version = 0
        self._outages: dict[str, int] = {}  # failed trials of the suspended models, as they are in the store

    async def enter(self) -> None:
        """Give private models their codes, register all, and apply what operators have set."""
        try:
            await asyncio.to_thread(self._hide, self._live.configured)
        except ConfigError as problem:
            log.error("A private model is not served: %s", problem)
        news = await asyncio.to_thread(self._read, -1)
        if news is not None:
            await self._apply(news.version, news.controls)
            self._live.leave_out_retired()

    async def follow(self) -> bool:
        """Apply changes since the last call, and write outages; returns whether models may have new names."""
        news = await asyncio.to_thread(self._read, self._version)
        if news is not None:
            if news.reload:
                await self.reload()
            await self._apply(news.version, news.controls)
        self._live.try_suspended()
        await self._write_outages()
        await self._live.close_former()
        return news is not None

    async def reload(self) -> str | None:
        """Serve the models of the settings file as it is now; returns why nothing has changed, or None."""
        if (read := self._live.serving.read) is None:
            return NO_FILE
        try:
            configured = await asyncio.to_thread(read)
            if not configured:
                raise ConfigError("no models are configured. Add a [[models]] table for each to arena.toml.")
            replaced = self._live.replaced(configured)
            await asyncio.to_thread(self._hide, configured)
        except ConfigError as problem:
            log.error("The settings file cannot be used, and the models stay as they are: %s", problem)
            await self._note("", ModelAction.REFUSED, str(problem))
            return str(problem)
        self._live.use(configured, replaced)
        log.info("Read the models of the settings file again: %d.", len(configured))
        if (news := await asyncio.to_thread(self._read, -1)) is not None:
            await self._apply(news.version, news.controls)
        return None

    async def _apply(self, version: int, controls: Mapping[str, ModelControl]) -> None:
        self._version = version
        for name, problem in self._live.apply(controls, version):
            log.error("%s cannot be served: %s", name, problem)
            await self._note(name, ModelAction.REFUSED, problem)
        await asyncio.to_thread(self._register)

    def _read(self, version: int) -> _News | None:
        with self._database.read() as session:
            latest = model_states.version(session)
            if latest == version:
                return None
            changes = model_states.changes(session, "", after=version) if version >= 0 else ()
            reload = any(change.action == ModelAction.RELOAD for change in changes)
            return _News(latest, model_states.controls(session), reload)

    def _hide(self, configured: Sequence[AnyModel]) -> None:
        """Give codes to private models that have none. Raises `ConfigError` for those that are in battles by name."""
        new = {
            model.name: model.facts.organisation
            for model in configured
            if model.private and self._live.control(model.name).code is None
        }
        if new:
            self._in_transaction(lambda session: model_states.hide(session, new, ARENA))

    def _register(self) -> None:
        names = list(self._live.serving.models)
        with self._database.read() as session:
            if not unregistered(session, names):
                return
        with self._database.write() as session:
            register_models(session, names)

    async def _write_outages(self) -> None:
        """Write what has changed of the suspended models since the last call."""
        suspended = {model.name: model for model in self._live.suspended()}
        begun = [name for name in suspended if name not in self._outages]
        ended = [name for name in self._outages if name not in suspended]
        tried = [name for name, model in suspended.items() if self._outages.get(name) != _trials(model)]
        if not (tried or ended):
            return
        known = {name: suspended[name].availability for name in tried}

        def write(session: Session) -> None:
            for name in begun:
                reason = suspended[name].availability.last_failure
                model_states.note(session, name, ModelAction.OUTAGE, reason=reason[:LONGEST], by=ARENA)
            for name in ended:
                model_states.note(session, name, ModelAction.RETURN, reason="its endpoint answers", by=ARENA)
                model_states.end_outage(session, name, self._server)
            for name, availability in known.items():
                model_states.set_outage(
                    session,
                    name,
                    self._server,
                    reason=availability.last_failure[:LONGEST],
                    tries=availability.trials,
                    next_try=_next_try(availability),
                )

        await asyncio.to_thread(self._in_transaction, write)
        self._outages = {name: _trials(model) for name, model in suspended.items()}

    async def _note(self, name: str, action: ModelAction, reason: str) -> None:
        await asyncio.to_thread(
            self._in_transaction,
            lambda session: model_states.note(session, name, action, reason=reason[:LONGEST], by=ARENA),
        )

    def _in_transaction(self, work: Callable[[Session], object]) -> None:
        with self._database.write() as session:
            work(session)


def _trials(model: ServedModel) -> int:
    return model.availability.trials


def _next_try(availability: Availability) -> datetime:
    return now() + timedelta(seconds=min(availability.seconds_to_trial, LONGEST_GAP))
