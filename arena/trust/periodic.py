"""The checks of stored votes while the arena serves: in a process of their own, after new votes only."""

from __future__ import annotations

import asyncio
import logging
import multiprocessing
import os
from multiprocessing.connection import Connection

from arena.errors import WorkFailed
from arena.store import Database
from arena.store.trust_votes import trust_votes, votes_version
from arena.trust.checks import Finding, findings, hold_findings

log = logging.getLogger(__name__)

NICENESS = 10  # of the process: votes and streams come first


class TrustChecks:
    """The checks of one server. Of several servers each finds the same, and a vote is held once."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._version: tuple[int, int] | None = None

    async def run(self) -> int:
        """Quarantine what the tests prove, if there are new votes or releases; returns the number of votes held.

        Call it every few minutes.
        """
        version = await asyncio.to_thread(self._read_version)
        if version == self._version:
            return 0
        found = await _apart(self.database.url)
        changed = await asyncio.to_thread(hold_findings, self.database, found) if found else 0
        self._version = version
        if changed:
            reasons = ", ".join(sorted({str(finding.reason) for finding in found}))
            log.warning(
                "%d votes are quarantined (%s). `arena trust check --dry-run` has the evidence.", changed, reasons
            )
        return changed

    def _read_version(self) -> tuple[int, int]:
        with self.database.read() as session:
            return votes_version(session)


async def _apart(url: str) -> list[Finding]:
    """What the tests find, computed in another process, which ends with the task. Raises `WorkFailed`."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    process = context.Process(target=_work, args=(url, sender), daemon=True)
    await asyncio.to_thread(process.start)
    sender.close()
    try:
        return await asyncio.to_thread(_received, receiver)
    finally:
        process.terminate()  # of a cancelled task; otherwise it has ended
        await asyncio.shield(asyncio.to_thread(process.join))


def _received(receiver: Connection) -> list[Finding]:
    try:
        result: list[Finding] | str = receiver.recv()
    except EOFError as error:
        raise WorkFailed("The process that checks voters ended unexpectedly. It is run again later.") from error
    if isinstance(result, str):
        raise WorkFailed(f"The check of voters failed: {result}. It is run again later.")
    return result


def _work(url: str, sender: Connection) -> None:
    """The other process."""
    os.nice(NICENESS)
    try:
        sender.send(found_in(url))
    except Exception as error:  # noqa: BLE001  (the top of a process: the server logs it)
        sender.send(f"{type(error).__name__}: {error}")


def found_in(url: str) -> list[Finding]:
    """What the tests find in a database."""
    database = Database(url)
    try:
        with database.patient() as patient, patient.read() as session:
            votes = trust_votes(session)
    finally:
        database.close()
    return findings(votes)
