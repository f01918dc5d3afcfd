"""`arena attack-cost`: what rigged votes, accounts and hours move each model by one place."""

from __future__ import annotations

from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Annotated

import typer
from rich.table import Table
from rich.text import Text

from arena.cli.options import AsFormat, Config, DatabaseURL, Format, for_programs, opened
from arena.cli.terminal import Console

if TYPE_CHECKING:
    from arena.trust.attack_meter import AttackCost, AttackRow

Accuracy = Annotated[float, typer.Option(help="Probability that the attacker knows which side is which model.")]
Caught = Annotated[
    int | None,
    typer.Option(
        min=2, help="Votes after which an account is caught; by default those measured for each attacker."
    ),
]
Price = Annotated[
    float | None, typer.Option(min=0, help="USD; with any of the three, the cost has a sum of money.")
]


def attack_cost(
    accuracy: Accuracy = 0.95,
    caught_after: Caught = None,
    usd_per_account: Price = None,
    usd_per_battle: Price = None,
    usd_per_challenge: Price = None,
    save: Annotated[
        bool, typer.Option("--save", help="Store the result as that of today, as the server does.")
    ] = False,
    as_format: AsFormat = Format.TABLE,
    config: Config = None,
    db: DatabaseURL = None,
) -> None:
    """Compute what an attack costs at the present limits: to move each model by one place on the leaderboard.

    `target` votes in battles of one model alone, `omnipresent` in every battle for the side that helps more. Both stop each
    account before the voter test would flag it. Models that are not in arena.toml are in no battle, so they have no cost.
    """
    from arena.store.attack_costs import save_attack_cost
    from arena.store.schema.battles import now
    from arena.trust.attack_meter import CAUGHT_AFTER, Prices, terms_of
    from arena.trust.attack_meter import attack_cost as cost_of

    given = (usd_per_account, usd_per_battle, usd_per_challenge)
    prices = None if given == (None, None, None) else Prices(*(price or 0.0 for price in given))
    with opened(config, db) as (database, settings):
        terms = replace(terms_of(settings), accuracy=accuracy)
        if caught_after is not None:
            terms = replace(terms, caught_after=dict.fromkeys(CAUGHT_AFTER, caught_after))
        weights = {model.name: model.weight for model in settings.models if model.enabled}
        with database.read() as session:
            cost = cost_of(session, weights, terms, now(), prices)
        if save:
            with database.write() as session:
                save_attack_cost(session, cost.measured_at.date().isoformat(), cost.to_dict())
    if not for_programs(cost.to_dict(), as_format, [asdict(row) for row in cost.rows]):
        Console().print(_table(cost))


def _table(cost: AttackCost) -> Table:
    """The attack with the fewest battles for each model, up and down."""
    from arena.trust.attack_meter import cheapest

    terms = cost.terms
    caught = ", ".join(f"{number or 'never'} ({name})" for name, number in terms.caught_after.items())
    caption = (
        f"Detector right in {terms.accuracy:.0%}; accounts caught after {caught} votes; hours from one address."
    )
    table = Table(title=f"The cheapest attack on each place, {cost.votes:,} votes", caption=caption)
    for column in ("model", "place", "towards", "by", "votes", "battles", "accounts", "hours", "USD"):
        words = column in ("model", "towards", "by")
        table.add_column(column, justify="left" if words else "right")
    for row in cheapest(cost.rows):
        table.add_row(Text(row.model), str(row.place), row.direction, row.attacker, *_figures(row))
    return table


def _figures(row: AttackRow) -> tuple[str, ...]:
    hours = "–" if row.hours is None else f"{row.hours:,.1f}"
    usd = "–" if row.usd is None else f"{row.usd:,.2f}"
    return (f"{row.votes:,}", f"{row.battles:,}", f"{row.accounts:,}", hours, usd)
