"""A leaderboard as the page shows it: searched, filtered and sorted, with other boards next to it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

import ratings
from arena.config import Settings
from arena.leaderboards.cache import REST, ResultCache
from arena.leaderboards.history import moment, published_at
from arena.leaderboards.leaderboard import Published, publish_choice
from arena.leaderboards.model_facts import Facts, facts_of, retired_models
from arena.leaderboards.query import BOTH, SOURCES, BoardChoice, BoardRules, NoSuchBoard, rules_of
from arena.rules.messages import gettext_noop
from arena.rules.votes import HUMAN, OVERALL
from arena.serving.live_models import LiveModels
from arena.store.schema.battles import now
from arena.store.timings import timings
from arena.store.votes import counted_categories, counted_sources
from arena.web.board_columns import BoardRow, Column, in_order, shown
from arena.web.board_highlights import Highlights, highlights
from arena.web.board_query import BY_RATING, PRICES, SIZES, UNKNOWN_LICENCE, BoardQuery
from arena.web.locales import text_of
from arena.web.names import source_name

METHOD_NAMES = {
    "bt": "Bradley–Terry",
    "davidson": "Davidson",
    "davidson-strength": gettext_noop("Davidson, ties by strength"),
    "ability": gettext_noop("Abilities of voters"),
    "fresh": gettext_noop("Fresh votes"),
    "elo": "Elo",
}
NOTHING = Facts()
FACTS_REST = 50.0  # medians of thousands of completions barely move: at most 2 % of a core
UNRANKED = -1  # in place of the number of a band


@dataclass(frozen=True)
class BoardView:
    """The values of the template."""

    query: BoardQuery
    rows: list[BoardRow]
    columns: list[Column]
    low: float
    high: float
    votes: int
    models: int  # before search and filters
    retired: int  # of these
    highlights: Highlights | None
    voted_on: list[str]  # by name, before search and filters
    as_of: datetime | None
    filter: str  # of a past day
    coefficients: tuple[Any, ...]
    problem: str  # why there is no board
    beside_problems: list[str]
    notes: tuple[str, ...]
    sources: dict[str, str]
    categories: dict[str, int]
    licences: list[str]

    @property
    def bands(self) -> list[tuple[int, list[BoardRow]]]:
        """The rows by band, best first, and at the end those without a rank as `UNRANKED`.

        There is one group, of number 0, in place of bands where another order or one band holds all ranked rows.
        """
        if self.query.sort not in BY_RATING:
            return [(0, self.rows)]
        unranked = [row for row in self.rows if row.row.rank is None]
        ranked = [row for row in self.rows if row.row.rank is not None]
        if not ranked:
            return [(0, self.rows)]
        bands = [(band, list(rows)) for band, rows in groupby(ranked, lambda row: row.band)]
        bands = [(0, ranked)] if len(bands) < 2 else bands
        return [*bands, (UNRANKED, unranked)] if unranked else bands

    def bar(self, row: ratings.Row) -> tuple[str, str] | None:
        """The styles that place a row's interval and its rating on the axis; None where the interval is unknown."""
        if row.lower != row.lower:
            return None
        start = self.at(row.lower)
        return f"left:{start:.1f}%;width:{self.at(row.upper) - start:.1f}%", f"left:{self.at(row.rating):.1f}%"

    def at(self, rating: float) -> float:
        """Position of a rating between the ends of the axis, in percent."""
        return min(100.0, max(0.0, 100 * (rating - self.low) / (self.high - self.low)))


class CachedBoards:
    """The boards and model facts of the pages, cached between readers."""

    def __init__(self, cache: ResultCache, settings: Settings, live: LiveModels | None = None) -> None:
        self.cache = cache
        self._configured, self._live = settings, live

    @property
    def settings(self) -> Settings:
        """The settings, with what operators have set for models since."""
        return self._live.shown(self._configured) if self._live else self._configured

    @property
    def rules(self) -> BoardRules:
        return rules_of(self.settings)

    def published(self, choice: BoardChoice, at: str = "", rest: float = REST, least: float = 0.0) -> Published:
        """The current board, or the board of a past day with that day's filter; see `ResultCache`. Raises `NoSuchBoard`."""
        if at:
            day, version = moment(at), self.settings.ledger.filter
            return self.cache.get(
                (choice, day), lambda session: published_at(session, choice, day, version, self.rules)
            )
        return self.cache.get(
            choice, lambda session: publish_choice(session, choice, self.rules), rest=rest, least=least
        )

    def find(self, choice: BoardChoice, at: str = "", rest: float = REST, least: float = 0.0) -> Published | None:
        """The board, or None where people or judges have not voted yet, so that it does not exist."""
        try:
            return self.published(choice, at, rest, least)
        except NoSuchBoard:
            return None

    def facts(self, least: float = 0.0) -> dict[str, Facts]:
        """The facts of all models; their speeds are medians of a moment ago, or of up to `least` seconds ago."""
        return self.cache.get(
            ("facts", self._live.applied if self._live else 0),
            lambda session: facts_of(self.settings.models, timings(session)),
            rest=FACTS_REST,
            least=least,
        )

    def sources(self) -> dict[str, str]:
        """Label of each source of votes; `human` alone where no judge has voted."""
        sources = self.cache.get("sources", counted_sources)
        judges = [source for source in sources if source != HUMAN]
        if not judges:
            return {HUMAN: source_name(HUMAN)}
        return {source: source_name(source) for source in (*SOURCES, *judges)}

    def categories(self, source: str) -> dict[str, int]:
        """Number of votes in each category by a source, overall first."""
        voters = None if source in (BOTH, "all") else source
        votes = self.cache.get(("categories", voters), lambda session: counted_categories(session, voters))
        return {OVERALL: votes.get(OVERALL, 0)} | votes

    def rows(self, published: Published, others: dict[str, dict[str, Any]] | None = None) -> list[BoardRow]:
        """The rows of a board, best first, with the facts, and the rows of other boards by source and model."""
        board, facts = published.board, self.facts()
        retired = retired_models(self.settings.models, (row.model for row in board.rows), now().date())
        return [
            BoardRow(
                row,
                facts.get(row.model, NOTHING),
                band,
                row.model in retired,
                {source: beside[row.model] for source, beside in (others or {}).items() if row.model in beside},
            )
            for row, band in zip(board.rows, board.bands or (1,) * len(board.rows), strict=True)
        ]

    def view(self, query: BoardQuery) -> BoardView:
        """The board of a query, or a view with the reason why it does not exist."""
        published, problem = None, ""
        try:
            published = self.published(query.choice, query.at)
        except NoSuchBoard as reason:
            problem = text_of(reason)
        others, problems = self._others(query)
        facts = self.facts()
        rows = self.rows(published, others) if published else []
        low, high = _ends(rows)
        return BoardView(
            query=query,
            rows=in_order([row for row in rows if _wanted(row, query)], query.sort),
            columns=shown(rows, query.chosen_columns),
            low=low,
            high=high,
            votes=published.board.battles if published else 0,
            models=len(rows),
            retired=sum(row.retired for row in rows),
            highlights=highlights(rows),
            voted_on=sorted(row.row.model for row in rows if row.row.battles),
            as_of=published.as_of if published else None,
            filter=published.filter if published else "",
            coefficients=published.board.coefficients if published else (),
            problem=problem,
            beside_problems=problems,
            notes=published.notes if published else (),
            sources=self.sources(),
            categories=self.categories(query.source),
            licences=sorted({fact.licence or UNKNOWN_LICENCE for fact in facts.values()}),
        )

    def _others(self, query: BoardQuery) -> tuple[dict[str, dict[str, Any]], list[str]]:
        boards, problems = {}, []
        for source in query.others:
            try:
                board = self.published(BoardChoice(source, query.category), query.at).board
                boards[source] = {row.model: row for row in board.rows}
            except NoSuchBoard as reason:
                problems.append(text_of(reason))
        return boards, problems


def _wanted(row: BoardRow, query: BoardQuery) -> bool:
    facts = row.facts
    return (
        query.finds(row.row.model, facts.organisation)
        and not (row.retired and query.retired == "hide")
        and (not query.licence or query.licence == (facts.licence or UNKNOWN_LICENCE))
        and _below(facts.parameters, SIZES.get(query.size))
        and _below(facts.price, PRICES.get(query.price))
    )


def _below(value: float | None, limit: float | None) -> bool:
    """Whether a value passes a limit; an unknown value passes only without one."""
    return limit is None or (value is not None and value <= limit)


def _ends(rows: list[BoardRow]) -> tuple[float, float]:
    """Round ends of an axis that holds every interval and the mean of 1000.

    Provisional models are not considered: their wide intervals may exceed the axis.
    """
    firm = [row.row for row in rows if not row.row.provisional] or [row.row for row in rows]
    bounds = [x for row in firm for x in (row.rating, row.lower, row.upper) if abs(x) < float("inf")]  # nan fails
    low, high = min([*bounds, 1000.0]), max([*bounds, 1000.0])
    return 50 * (low // 50), 50 * (high // 50 + 1)
