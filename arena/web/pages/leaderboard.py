"""The leaderboard page: ratings with intervals, as a table with a picture in it."""

from __future__ import annotations

import html
from collections.abc import Sequence
from typing import Any

import gradio as gr

from arena.leaderboard import Published, publish
from arena.store import Database
from arena.store.votes import vote_count

REFRESH_EVERY = 2.0  # seconds; a look costs one sum over the pair counts

EXPLANATION = (
    "Bradley–Terry ratings from blind votes, on the Elo scale: 400 points are odds of ten to one. "
    "The bar is the 95 % interval. A rank counts only models that are better beyond doubt (95 %), "
    "so several models may share one."
)


def build(database: Database) -> None:
    """Put the page into the current Blocks."""
    page = Page(database)
    gr.HTML('<h1 class="title">Leaderboard</h1>', padding=False)
    board = gr.HTML(elem_id="board", padding=False)
    gr.HTML(
        f'<p class="hint">{EXPLANATION} The same as JSON: '
        '<a href="/api/v1/leaderboard" target="_blank">/api/v1/leaderboard</a>.</p>',
        padding=False,
    )
    seen = gr.State(-1)
    quiet: dict[str, Any] = {
        "show_progress": "hidden",
        "concurrency_limit": None,
        "api_visibility": "private",
    }
    timer = gr.Timer(REFRESH_EVERY)
    timer.tick(page.refresh, [seen], [board, seen], **quiet)
    context = gr.context.Context.root_block
    assert context is not None
    context.load(page.refresh, [seen], [board, seen], **quiet)


class Page:
    """The handlers."""

    def __init__(self, database: Database) -> None:
        self.database = database

    def refresh(self, seen: int) -> tuple[Any, Any]:
        """The table when votes have come since `seen`, nothing otherwise."""
        with self.database.read() as session:
            votes = vote_count(session)
            if votes == seen:
                return gr.skip(), gr.skip()
            return table(publish(session)), votes


def table(published: Published) -> str:
    """The leaderboard as an HTML table."""
    rows = published.board.rows
    if not rows:
        return '<div class="notice plain">No models are registered yet.</div>'
    low, high = _range([row.lower for row in rows], [row.upper for row in rows])
    body = "".join(_row(row, low, high) for row in rows)
    votes = f"{published.board.battles:,} vote{'' if published.board.battles == 1 else 's'}"
    return (
        f'<p class="hint">{votes} by people, as of {published.as_of:%Y-%m-%d %H:%M:%S} UTC</p>'
        '<div class="scroll"><table class="board"><thead><tr><th scope="col">Rank</th>'
        '<th scope="col" class="name">Model</th><th scope="col">Rating</th>'
        '<th scope="col" class="wide">95 % interval</th>'
        f'<th scope="col" class="chart"><span class="ends"><i>{low:.0f}</i><i>{high:.0f}</i></span></th>'
        '<th scope="col">Battles</th>'
        '<th scope="col" class="wide">Won</th><th scope="col" class="wide">Lost</th>'
        '<th scope="col" class="wide">Tied</th><th scope="col" class="wide">Both bad</th></tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _row(row: Any, low: float, high: float) -> str:
    def at(rating: float) -> float:
        return 100 * (rating - low) / (high - low)

    rank = f"{row.rank}" if row.rank_low == row.rank_high else f"{row.rank} ({row.rank_low}–{row.rank_high})"
    mark = ' <span class="provisional">provisional</span>' if row.provisional else ""
    picture = (
        f'<span class="axis" role="img" aria-label="{row.rating:.0f}, from {row.lower:.0f} to {row.upper:.0f}">'
        f'<span class="mean" style="left:{at(1000):.1f}%"></span>'
        f'<span class="span" style="left:{at(row.lower):.1f}%;width:{at(row.upper) - at(row.lower):.1f}%"></span>'
        f'<span class="dot" style="left:{at(row.rating):.1f}%"></span></span>'
    )
    counts = "".join(f'<td class="wide">{n}</td>' for n in (row.wins, row.losses, row.ties, row.both_bad))
    return (
        f'<tr><td class="rank">{rank}</td><th scope="row" class="name">{html.escape(row.model)}{mark}</th>'
        f'<td>{row.rating:.0f}</td><td class="wide">{row.lower:.0f} – {row.upper:.0f}</td>'
        f'<td class="chart">{picture}</td><td class="battles">{row.battles}</td>{counts}</tr>'
    )


def _range(lower: Sequence[float], upper: Sequence[float]) -> tuple[float, float]:
    """Round ends of an axis that holds every interval and the mean of 1000."""
    low, high = min(*lower, 1000.0), max(*upper, 1000.0)
    return 50 * (low // 50), 50 * (high // 50 + 1)
