"""`arena serve` in a process of its own, forked from one that has imported everything; for drills and tests."""

from __future__ import annotations

import multiprocessing
import os
import re
import sys
import time
from collections.abc import Callable, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path

import httpx

STARTING = 180  # seconds an arena may take to open
LOG = "log.txt"
# Drills and attacks vote at once and on one prompt, and load the machine; reproduce/rigging.py tests these checks.
CHECKS = ("READING_SPEED", "SAME_PROMPT_VOTES", "SUGGESTED_PROMPT_VOTES", "LAG_SECONDS")
NO_VOTE_CHECKS = {f"ARENA_LIMITS__{name}": "0" for name in CHECKS}

_forks = multiprocessing.get_context("forkserver")
_forks.set_forkserver_preload(["arena.web.app", "arena.cli", "uvicorn"])  # imported once, not at every start


def fork(folder: Path, arguments: Sequence[str]) -> BaseProcess:
    """The started process of `arena serve` as if typed in `folder`, with an empty log there."""
    (folder / LOG).write_bytes(b"")
    process = _forks.Process(target=_serve, args=(folder, arguments), daemon=True)
    process.start()
    return process


def url_when_open(log: Path, is_alive: Callable[[], bool], seconds: float = STARTING) -> str:
    """The address of an arena, as soon as it answers. Raises `RuntimeError` with its log."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and is_alive():
        address = re.search(r"open at (http://\S+)", _text(log))
        if address and _answers(address.group(1)):
            return address.group(1)
        time.sleep(0.02)
    raise RuntimeError(f"The arena did not open. Its log:\n{_text(log)}")


def _serve(folder: Path, arguments: Sequence[str]) -> None:
    os.setsid()
    os.chdir(folder)
    os.environ |= NO_VOTE_CHECKS | {
        "COLUMNS": "200",
        "GRADIO_ANALYTICS_ENABLED": "False",
        "GRADIO_TEMP_DIR": str(folder / "gradio"),
    }
    log = os.open(LOG, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(log, 1)
    os.dup2(log, 2)
    sys.stdout, sys.stderr = os.fdopen(1, "w", buffering=1), os.fdopen(2, "w", buffering=1)
    sys.argv = ["arena", "serve", *arguments]
    from arena.cli import main

    main()


def _text(log: Path) -> str:
    return log.read_text(encoding="utf-8", errors="replace")


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/healthz", trust_env=False, timeout=5).status_code == 200
    except httpx.HTTPError:
        return False
