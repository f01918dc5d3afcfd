"""`/`: the battle page. Handlers translate: widget values in, one use case called, widget updates out."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import gradio as gr

from arena.battles.battles import BattleRefused, Battles
from arena.battles.refusals import INTERRUPTED
from arena.battles.views import BattleView, vote_text
from arena.rules.prompt_limits import PromptRejected
from arena.store.schema.battles import BattleStatus
from arena.web.battle_widgets import ASK, NEW, Widgets, lay_out, notice
from arena.web.chat_markdown import as_markdown
from arena.web.client_address import address_of_request
from arena.web.followers import Follower, Followers
from arena.web.open_streams import OpenStreams
from arena.web.outages import shown_on_outage
from arena.web.session import COOKIE, voter_of

Updates = dict[Any, Any]

BATTLE_HEADER = "x-arena-battle"
WRITING = "▍"  # the cursor after an unfinished completion

CHOOSE = "Which answer is better? You can vote, or continue the conversation."
RUNNING = "Both models are writing. You can vote before they finish."
FAILED = "One of the two models failed, so this battle does not count. Please start a new battle."
CLOSED = "This battle was closed without a vote. Please start a new battle."
ASK_NEW_BATTLE = "Start a new battle"
NOT_SENT = (
    "Your prompt was not sent: the arena cannot save anything at the moment. "
    "Your prompt is kept; send it again in a few seconds."
)
NOT_COUNTED = (
    "Your vote is not counted yet: the arena cannot save anything at the moment. "
    "Vote again in a few seconds; a repeated vote counts once."
)
NOT_SAVED = "Nothing was changed: the arena cannot save anything at the moment. Try again in a few seconds."
NOT_LOADED = "The arena cannot load your battle at the moment. Reload the page in a few seconds; nothing is lost."
NO_COOKIE = "Your browser blocks the cookie that identifies your votes. Allow cookies for this page and reload it."


def build(battles: Battles, streams: OpenStreams) -> None:
    """Add the page to the current Blocks."""
    widgets = lay_out()
    page = Page(battles, widgets, streams)
    outputs = widgets.all()
    waiting: dict[str, Any] = {"show_progress": "hidden", "concurrency_limit": None}
    send, regenerate = page.or_notice(page.send, NOT_SENT), page.or_notice(page.regenerate, NOT_SAVED)
    new_battle, share = page.or_notice(page.new_battle, NOT_SAVED), page.or_notice(page.share, NOT_SAVED)
    resume = page.or_notice(page.resume, NOT_LOADED)
    gr.on(
        [widgets.prompt.submit, widgets.send.click], send, [widgets.prompt, widgets.battle_id], outputs,
        api_name="send", **waiting,
    )  # fmt: skip
    for winner, button in widgets.votes.items():
        button.click(
            page.or_notice(page.vote_handler(winner), NOT_COUNTED),
            [widgets.battle_id],
            outputs,
            api_name=f"vote_{winner}",
            **waiting,
        )
    widgets.regenerate.click(regenerate, [widgets.battle_id], outputs, api_name="regenerate", **waiting)
    # "new_round" is an address: it stays
    widgets.new_battle.click(new_battle, [widgets.battle_id], outputs, api_name="new_round", **waiting)
    widgets.share.input(share, [widgets.share, widgets.battle_id], outputs, api_name="share", **waiting)
    widgets.readiness.tick(page.check_readiness, [widgets.battle_id], outputs, api_visibility="private", **waiting)
    context = gr.context.Context.root_block
    assert context is not None
    context.load(resume, [widgets.battle_id], outputs, api_name="resume", **waiting)


@dataclass(frozen=True)
class Page:
    """The handlers."""

    battles: Battles
    widgets: Widgets
    streams: OpenStreams
    followers: Followers = field(default_factory=Followers)

    def or_notice(self, handler: Callable[..., Any], text: str) -> Callable[..., Any]:
        """The handler; when the database is out, the page shows `text` and stays as it is."""
        return shown_on_outage(handler, lambda: self._notice(text, "warning"))

    async def send(self, prompt: str, battle_id: str, request: gr.Request) -> AsyncIterator[Updates]:
        """Send the first prompt of a battle, or the next one."""
        voter = _voter(request)
        try:
            if voter is None:
                raise BattleRefused(NO_COOKIE, code="no_session")
            if battle_id:
                view = await self.battles.continue_(voter, battle_id, prompt, address_of_request(request))
            else:
                view = await self.battles.begin(voter, prompt, address_of_request(request))
        except (PromptRejected, BattleRefused) as refusal:
            yield self._notice(str(refusal), "warning")
            return
        shown = self._render(view)
        shown[self.widgets.prompt]["value"] = ""
        yield shown
        async for updates in self._follow(voter, view.public_id, request):
            yield updates

    async def regenerate(self, battle_id: str, request: gr.Request) -> AsyncIterator[Updates]:
        """Run both models again on the last prompt."""
        voter = _voter(request) or ""
        try:
            view = await self.battles.regenerate(voter, battle_id, address_of_request(request))
        except BattleRefused as refusal:
            yield self._notice(str(refusal), "warning")
            return
        yield self._render(view)
        async for updates in self._follow(voter, battle_id, request):
            yield updates

    def vote_handler(self, winner: str) -> Any:
        """The handler of one vote button."""

        async def vote(battle_id: str, request: gr.Request) -> Updates:
            voter = _voter(request) or ""
            try:
                address = address_of_request(request)
                return self._render(await self.battles.vote(voter, battle_id, winner, address, final=True))
            except BattleRefused as refusal:
                view = await self.battles.view(voter, battle_id)
                shown = self._render(view) if view else {}
                return shown | self._notice(str(refusal), "warning")

        return vote

    async def share(self, agreed: bool, battle_id: str, request: gr.Request) -> Updates:
        try:
            return self._render(await self.battles.share(_voter(request) or "", battle_id, agreed))
        except BattleRefused as refusal:
            return self._notice(str(refusal), "warning")

    async def new_battle(self, battle_id: str, request: gr.Request) -> Updates:
        await self.battles.leave(_voter(request) or "", battle_id)
        shown = self._empty()
        shown[self.widgets.prompt]["value"] = ""
        return shown

    async def resume(self, battle_id: str, request: gr.Request) -> AsyncIterator[Updates]:
        """Continue the battle of this tab when its page is loaded, or offer a new one."""
        voter = _voter(request)
        battle_id = battle_id or request.headers.get(BATTLE_HEADER, "")  # set by arena.js
        view = await self.battles.view(voter, battle_id) if voter and battle_id else None
        if voter is None or view is None:
            yield self._empty()
            return
        yield self._render(view)
        if view.status is BattleStatus.RUNNING:
            async for updates in self._follow(voter, battle_id, request):
                yield updates

    def check_readiness(self, battle_id: str) -> Any:
        """Show the progress of loading models until a battle can start."""
        return gr.skip() if battle_id else self._empty()

    def _follow(self, voter: str, battle_id: str, request: gr.Request) -> AsyncIterator[Updates]:
        """Frames of the running turn. After a vote in the meantime, the page of the vote is the last one."""
        frames: AsyncIterator[Updates] = self.or_notice(self._paced, NOT_LOADED)(voter, battle_id, request)
        return frames  # during an outage of the database the turn itself goes on

    async def _paced(self, voter: str, battle_id: str, request: gr.Request) -> AsyncIterator[Updates]:
        with self.followers.following(voter, battle_id, request.session_hash or "") as follower:
            async for updates in self._frames(voter, battle_id, follower):
                shown = time.monotonic()
                yield updates
                await asyncio.sleep(self.followers.pause(time.monotonic() - shown))

    async def _frames(self, voter: str, battle_id: str, follower: Follower) -> AsyncIterator[Updates]:
        shown_votes = False
        is_read = partial(self.streams.is_read, follower.session)
        async for view in self.battles.watch(voter, battle_id, is_read, follower.is_wanted):
            if view.status is BattleStatus.RUNNING:
                updates = self._chats(view)
                if view.can_vote and not shown_votes:
                    updates, shown_votes = updates | self._buttons(view), True
                yield updates
            elif view.status is BattleStatus.ABANDONED:  # its voter left it for a new one
                yield self._empty()
            elif view.status is not BattleStatus.OPEN or not view.stopped_early:
                yield self._render(view)  # open and cut short: a vote is in progress and will render the page

    def _render(self, view: BattleView) -> Updates:
        """Updates of the whole page for one state of a battle."""
        w = self.widgets
        text, kind = _notice_of(view)
        closed = view.status in (BattleStatus.FAILED, BattleStatus.ABANDONED, BattleStatus.VOTED)
        return {
            **self._chats(view),
            **self._buttons(view),
            **self._notice(text, kind, view.public_id),
            w.prompt: gr.update(interactive=not closed, placeholder=ASK_NEW_BATTLE if closed else ASK),
            w.send: gr.update(interactive=view.can_continue),
            w.regenerate: gr.update(interactive=view.status is BattleStatus.OPEN),
            w.new_battle: gr.update(interactive=True, variant="primary" if closed else "secondary"),
            w.share: gr.update(visible=view.status is BattleStatus.VOTED, value=view.shared),
            w.battle_id: view.public_id,
            w.readiness: gr.update(active=False),
        }

    def _empty(self) -> Updates:
        """Updates of the page before a battle, with the reason if none can start."""
        w = self.widgets
        obstacle = self.battles.why_no_battle()
        return {
            w.chat_a: gr.update(value=[], label="Model A"),
            w.chat_b: gr.update(value=[], label="Model B"),
            **{button: gr.update(interactive=False) for button in w.votes.values()},
            **self._notice(obstacle or NEW, "waiting" if obstacle else "plain", ""),
            w.prompt: gr.update(interactive=True, placeholder=ASK),
            w.send: gr.update(interactive=obstacle is None),
            w.regenerate: gr.update(interactive=False),
            w.new_battle: gr.update(interactive=False, variant="secondary"),
            w.share: gr.update(visible=False, value=False),
            w.battle_id: "",
            w.readiness: gr.update(active=obstacle is not None),
        }

    def _chats(self, view: BattleView) -> Updates:
        running = view.status is BattleStatus.RUNNING
        a = _messages([(e.prompt, e.completion_a) for e in view.exchanges], running)
        b = _messages([(e.prompt, e.completion_b) for e in view.exchanges], running)
        return {
            self.widgets.chat_a: gr.update(value=a, label=_label("Model A", view.model_a)),
            self.widgets.chat_b: gr.update(value=b, label=_label("Model B", view.model_b)),
        }

    def _buttons(self, view: BattleView) -> Updates:
        return {
            button: gr.update(
                interactive=view.can_vote, variant="primary" if view.winner == winner else "secondary"
            )
            for winner, button in self.widgets.votes.items()
        }

    def _notice(self, text: str, kind: str, battle: str | None = None) -> Updates:
        return {self.widgets.notice: notice(text, kind, battle)}


def _messages(exchanges: list[tuple[str, str]], running: bool) -> list[dict[str, str]]:
    messages = []
    for number, (prompt, completion) in enumerate(exchanges, start=1):
        unfinished = running and number == len(exchanges)
        shown = as_markdown(completion) + (WRITING if unfinished else "")
        messages.append({"role": "user", "content": as_markdown(prompt)})
        messages.append({"role": "assistant", "content": shown or "*(nothing)*"})
    return messages


def _label(side: str, model: str | None) -> str:
    return f"{side}: {model}" if model else side


def _notice_of(view: BattleView) -> tuple[str, str]:
    """The text of the notice for a battle, and its kind."""
    if view.status is BattleStatus.VOTED:
        cut = " The answers were cut short by your vote." if view.stopped_early else ""
        vote = f"Your vote: {vote_text(view.winner)}."
        return f"{vote} A was {view.model_a}, B was {view.model_b}.{cut} Thank you!", "reveal"
    if view.status is BattleStatus.RUNNING:
        return RUNNING, "plain"
    if view.status is BattleStatus.FAILED:
        return FAILED, "warning"
    if view.status is BattleStatus.ABANDONED:
        return CLOSED, "warning"
    if view.interrupted:
        return INTERRUPTED, "warning"
    return CHOOSE, "plain"


def _voter(request: gr.Request) -> str | None:
    return voter_of(request.cookies.get(COOKIE))
