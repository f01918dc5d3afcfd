"""The processes of a running PostgreSQL on this machine: stop, start, freeze."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from pathlib import Path

from sqlalchemy import text

from arena.store import Database
from reproduce.temporary_postgres import binaries


class PostgresProcess:
    """The server of a database. Ask for it while the server answers."""

    def __init__(self, database: Database) -> None:
        with database.read() as session:
            self.data = Path(session.execute(text("SHOW data_directory")).scalar_one())
        self._options = shlex.split((self.data / "postmaster.opts").read_text(encoding="utf-8"))[1:]
        self._programs = binaries() or Path()

    @property
    def pid(self) -> int:
        return int((self.data / "postmaster.pid").read_text(encoding="utf-8").splitlines()[0])

    def stop(self, mode: str) -> None:
        """Stop: `fast` ends the connections, `immediate` is a crash."""
        self._pg_ctl("-m", mode, "stop")

    def start(self) -> None:
        self._pg_ctl("-l", str(self.data.parent / "log"), "-o", shlex.join(self._options[2:]), "start")

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the server and the processes of its connections."""
        os.kill(self.pid, number)  # first: a stopped server takes no more connections
        for pid in _children(self.pid):
            os.kill(pid, number)

    def _pg_ctl(self, *arguments: str) -> None:
        user = {"user": "postgres"} if os.getuid() == 0 else {}
        command = [str(self._programs / "pg_ctl"), "-D", str(self.data), "-w", *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=self.data.parent, **user)


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]
