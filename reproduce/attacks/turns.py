"""A server that is told to stop: visitors that hold it up, and turns that begin when nobody would end them."""

from __future__ import annotations

import signal
import time
from contextlib import ExitStack

from reproduce.attacks.outcome import Outcome, outcome
from reproduce.attacks.page import BATTLES, Page
from reproduce.attacks.target import CONFIG, Target, target

VISITORS = 20
SLOW = CONFIG.replace("delay = 0.005", "delay = 1.0")  # a turn takes 20 s
TIME_TO_STOP = 45.0  # seconds: the default of `web.drain_seconds`, the time to save texts, and a slow machine


def streams_that_hold_up_a_stop(target: Target) -> Outcome:
    """Visitors keep their event streams open, in battles and without one, while the server gets SIGTERM."""
    with ExitStack() as stack:
        for number in range(VISITORS):
            http = stack.enter_context(target.visitor())
            battle = Page(http).begin("Hello?")
            address = f"{BATTLES}/{battle}/stream" if number % 2 else "/api/v1/feed.atom"
            stack.enter_context(http.stream("GET", address))
        seconds = _stopped(target)
    late = f"the server still ran after {TIME_TO_STOP:.0f} s" if seconds is None else None
    return outcome("streams that hold up a stop", [late] * VISITORS)


def battles_of_a_stopping_server(_target: Target) -> Outcome:
    """Prompts that are sent after SIGTERM while a turn still runs: none may begin a battle."""
    tries: list[str | None] = []
    with target(SLOW) as slow, slow.visitor() as http, slow.visitor() as other:
        first, second = Page(http), Page(other)
        first.begin("Hello?")
        time.sleep(1)  # the turn runs
        slow.process.send_signal(signal.SIGTERM)
        time.sleep(0.5)  # the signal is handled
        for _ in range(VISITORS):
            reply = second.ask("Hello?")
            tries.append("a battle began" if '"running"' in reply else None)
        if "about to restart" not in reply:
            raise RuntimeError(
                f"The server was not waiting for its turn, so the tries prove nothing: {reply[-200:]}"
            )
        _stopped(slow)
    return outcome("battles of a stopping server", tries)


def _stopped(target: Target) -> float | None:
    """Seconds from SIGTERM to the end of the server; None if it did not end in time."""
    target.process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    while target.process.poll() is None and time.monotonic() - began < TIME_TO_STOP:
        time.sleep(0.1)
    return None if target.process.poll() is None else time.monotonic() - began
