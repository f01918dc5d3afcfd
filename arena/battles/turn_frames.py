"""What followers of a turn get: at most three frames a second with both texts, then the battle from the store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass

from arena.battles.streaming import LiveTurn
from arena.rules.votes import Side
from judges.visible_text import has_visible_text

FRAME = 0.3  # seconds from one frame to the next: the page smooths, and each frame costs the server and the line
FRAMES = 250  # a second for all turns together: about a quarter of a core, the rest is for first words and votes
IDLE = 15.0  # seconds without news after which a follower gets a sign of life: proxies close silent streams


@dataclass(frozen=True, slots=True)
class Frame:
    """The released texts of a running turn, with all names masked."""

    turn: int
    attempt: int
    texts: Mapping[Side, str]
    can_vote: bool


def pause(turns: int) -> float:
    """Seconds from one frame of a turn to its next while so many turns run."""
    return max(FRAME, turns / FRAMES)


async def news_of(turn: LiveTurn, running: Callable[[], int] = lambda: 1) -> AsyncIterator[dict[Side, str] | None]:
    """The released texts when they are new, `None` after `IDLE` seconds without; ends when the turn is stored.

    `running` gives the number of turns that run now.
    """
    shown: dict[Side, str] | None = None
    while not turn.done.is_set():
        news = turn.news  # before the look: what comes after it sets this one
        texts = turn.released()
        if texts != shown:
            shown = texts
            yield texts
            await _rest(turn, texts, pause(running()))
        elif not await _set_within(news, IDLE):
            yield None


async def _rest(turn: LiveTurn, shown: Mapping[Side, str], seconds: float) -> None:
    """Wait until the next frame is due. The first words of a side end the wait, and so does the end of the turn."""
    silent = [side for side, text in shown.items() if not has_visible_text(text)]
    if not silent:
        await _set_within(turn.done, seconds)
        return
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            while not turn.done.is_set():
                news = turn.news
                if any(has_visible_text(turn.visible(side)) for side in silent):
                    return
                await news.wait()


async def _set_within(event: asyncio.Event, seconds: float) -> bool:
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
