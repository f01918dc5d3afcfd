"""A server that is told to stop: visitors that hold it up, and turns that begin when nobody would end them."""

from __future__ import annotations

import signal
import time
from contextlib import ExitStack

import httpx

from reproduce.attacks.outcome import Outcome, outcome
from reproduce.attacks.page import Page
from reproduce.attacks.target import Target

VISITORS = 20
TIME_TO_STOP = 45.0  # seconds: the default of `web.drain_seconds`, the time to save texts, and a slow machine


def streams_that_hold_up_a_stop(target: Target) -> Outcome:
    """Visitors keep their event streams open, in battles and without one, while the server gets SIGTERM."""
    with ExitStack() as stack:
        for number in range(VISITORS):
            http = stack.enter_context(target.visitor())
            page = Page(http)
            if number % 2:
                page.join(page.events["send"], ["Hello?", ""])
            address = f"/gradio_api/queue/data?session_hash={page.session}"
            stack.enter_context(http.stream("GET", address))
        seconds = _stopped(target)
    late = f"the server still ran after {TIME_TO_STOP:.0f} s" if seconds is None else None
    return outcome("streams that hold up a stop", [late] * VISITORS)


def battles_of_a_stopping_server(target: Target) -> Outcome:
    """Prompts that are sent after SIGTERM while a turn still runs: none may begin a battle."""
    tries: list[str | None] = []
    with target.visitor() as http, target.visitor() as other:
        first, second = Page(http), Page(other)
        first.join(first.events["send"], ["Hello? " * 200, ""])
        target.process.send_signal(signal.SIGTERM)
        time.sleep(0.2)  # the signal is handled
        for _ in range(VISITORS):
            try:
                reply = second.call(second.events["send"], ["Hello?", ""])
            except httpx.HTTPError:  # the server has ended
                reply = ""
            tries.append("a battle began" if "Both models are writing" in reply else None)
    _stopped(target)
    return outcome("battles of a stopping server", tries)


def _stopped(target: Target) -> float | None:
    """Seconds from SIGTERM to the end of the server; None if it did not end in time."""
    target.process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    while target.process.poll() is None and time.monotonic() - began < TIME_TO_STOP:
        time.sleep(0.1)
    return None if target.process.poll() is None else time.monotonic() - began
