"""The events of a battle for one client: new text of its last turn, and each change of its state."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable

from arena.battles.battles import Battles
from arena.battles.turn_frames import Frame
from arena.battles.views import BattleView
from arena.store.schema.battles import BattleStatus
from arena.web.v1.battle_replies import state_document
from arena.web.v1.event_stream import HEARTBEAT, event
from arena.web.v1.turn_writers import TurnWriter


async def battle_events(
    battles: Battles, voter: str, view: BattleView, writer: TurnWriter, is_read: Callable[[], bool]
) -> AsyncGenerator[str]:
    """Events until no turn of the battle runs. `view` is its present state.

    Without `end` as the last one the server stops: the client comes back, and another server continues.
    """
    shown = state_document(view)
    yield event("state", shown, writer.id)
    async for news in battles.follow(voter, view.public_id, is_read):
        if news is None:
            yield HEARTBEAT
            continue
        frame, latest = await _read(battles, voter, view, news, shown["can_vote"])
        text = writer.write(frame, growing=view.status is BattleStatus.RUNNING)
        if latest is not view and (state := state_document(latest)) != shown:
            shown = state
            text += event("state", state, writer.id)
        view = latest
        if text:
            yield text
    if view.status is not BattleStatus.RUNNING:
        yield event("end", {}, writer.id)


async def _read(
    battles: Battles, voter: str, view: BattleView, news: Frame | BattleView, can_vote: bool
) -> tuple[Frame, BattleView]:
    """The texts and the state of what has come. A frame that changes the state is the reason to look at it."""
    if isinstance(news, BattleView):
        last = news.exchanges[-1].completions
        texts = {side: shown.text for side, shown in last.items()}
        return Frame(news.turn, news.attempt, texts, news.can_vote), news
    if news.can_vote != can_vote:
        view = await battles.view(voter, view.public_id) or view
    return news, view
