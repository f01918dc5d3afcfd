"""The arena under attack: `arena serve` in a process and a folder of its own, with secrets to find."""

from __future__ import annotations

import os
import re
import secrets
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from reproduce.arena_process import NO_VOTE_CHECKS, url_when_open

STARTING = 180.0  # seconds that an arena may take to open
MODELS = ("canary-alpha", "canary-beta")  # names that no visitor may read before the vote
CONFIG = "\n".join(
    f'[[models]]\nname = "{name}"\nendpoint = "scripted"\nstyle = "{style}"\ndelay = 0.005\n'
    for name, style in zip(MODELS, ("plain", "lists"), strict=True)
)


@dataclass(frozen=True)
class Target:
    """A running arena. `secret` is in `folder/secret.txt`, in its settings and in its environment."""

    url: str
    folder: Path
    secret: str
    process: subprocess.Popen[bytes]

    @property
    def log(self) -> str:
        return (self.folder / "log.txt").read_text(encoding="utf-8", errors="replace")

    def megabytes(self) -> float:
        """The resident memory of the server."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        return int(re.findall(r"VmRSS:\s+(\d+)", status)[0]) / 1024

    def visitor(self, **options: object) -> httpx.Client:
        """A client with a cookie jar of its own, as a browser has one."""
        return httpx.Client(base_url=self.url, timeout=20, trust_env=False, **options)  # type: ignore[arg-type]


@contextmanager
def target(config: str = CONFIG, tables: str = "") -> Iterator[Target]:
    """A new arena with an empty database; `tables` are more settings, `config` the models."""
    with tempfile.TemporaryDirectory(prefix="arena-attacks-") as name:
        folder, secret = Path(name), f"secret-{secrets.token_hex(12)}"
        (folder / "secret.txt").write_text(secret, encoding="utf-8")
        (folder / "arena.toml").write_text(f"# {secret}\n{tables}\n{config}", encoding="utf-8")
        with (folder / "log.txt").open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "arena", "serve", "--port", "0"], cwd=folder, stdout=log, stderr=log,
                env=os.environ | NO_VOTE_CHECKS | {"COLUMNS": "200", "EXAMPLE_API_KEY": secret, "TMPDIR": name},
            )  # fmt: skip
        try:
            url = url_when_open(folder / "log.txt", lambda: process.poll() is None, STARTING)
            yield Target(url, folder, secret, process)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(60)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
