"""Rigging drills: 30 models, 1,000 honest voters with taste and habits, 20,000 votes in a month, and riggers among them.

    python reproduce/rigging.py --seeds 20             each attack by itself, its votes straight into the checks
    python reproduce/rigging.py --seeds 20 --no-limits the same without limits, so that the checks stand alone
    python reproduce/rigging.py --seeds 5 --together   all attacks at once, checked on each of 30 days
    python reproduce/rigging.py --http                 all attacks at once over HTTP against `arena serve`

Prints for each attack how many of its tries became votes, which of these were held, the votes until an account was
caught, and the place of the target by honest votes alone, with all votes, and with those that count; then the honest
voters and votes that were held, by reason. `reproduce/riggers/` describes who votes how.
"""

# ruff: noqa: E402 - the path is set before the imports that look at it

from __future__ import annotations

import argparse
import sys
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

# Files in this folder are named like packages: the folder above takes its place on the path.
sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np
from rich.console import Console
from rich.table import Table

from arena.config import LimitSettings
from arena.store import Database
from arena.store.held_votes import EVERY_HELD
from arena.store.quarantine import held
from arena.trust.checks import Finding, findings
from reproduce.riggers.attacks import ATTACKS, attack
from reproduce.riggers.crowd import crowd
from reproduce.riggers.in_columns import Votes
from reproduce.riggers.outcome import Places, accounts_of, admitted, held_by_checks, places, trust_columns
from reproduce.riggers.population import HONEST, VOTES, Plan


@dataclass(frozen=True)
class Result:
    """One attack of one seed: tries, votes, those held at the vote and in all, accounts caught of all, the places."""

    tries: int
    votes: int
    at_the_vote: int
    held: int
    caught: int
    accounts: int
    reached: tuple[int, ...]
    places: Places | None
    honest_voters: int
    honest_votes: int
    honest_share: float


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=3, help="simulated months of each attack")
    parser.add_argument("--attacks", nargs="*", default=["none", *ATTACKS], help="which ones")
    parser.add_argument("--no-limits", action="store_true", help="refuse nothing")
    parser.add_argument("--http", action="store_true", help="against `arena serve`, one month with all attacks")
    parser.add_argument("--together", action="store_true", help="all attacks at once, checked again and again")
    parser.add_argument("--checks", type=int, default=30, help="with --together: checks in the month")
    parser.add_argument("--voters", type=int, default=HONEST, help="honest ones")
    parser.add_argument("--votes", type=int, default=VOTES, help="of the honest voters")
    options = parser.parse_args()
    if options.http:
        _over_http(options)
        return
    limits = None if options.no_limits else LimitSettings()
    if options.together:
        _together(options, limits)
        return
    reasons: Counter[str] = Counter()
    results: dict[str, list[Result]] = defaultdict(list)
    for seed in range(options.seeds):
        honest = crowd(seed, options.voters, options.votes)
        for name in options.attacks:
            plan = honest if name == "none" else honest.joined(attack(name, seed))
            votes, at_the_vote = admitted(plan, seed, limits)
            found = findings(trust_columns(votes))
            results[name].append(_result(name, plan, votes, at_the_vote, found))
            if name == "none":
                reasons += _honest_reasons(votes, at_the_vote, found)
        print(f"seed {seed} done", file=sys.stderr, flush=True)
    print_results(results)
    total = options.seeds * options.voters
    for reason, voters in sorted(reasons.items()):
        print(
            f"Without an attack: {voters} of {total} honest voters held for {reason} ({100 * voters / total:.2f} %)."
        )


def _result(name: str, plan: Plan, votes: Votes, at_the_vote: np.ndarray, found: Sequence[Finding]) -> Result:
    checked = held_by_checks(votes, list(found))
    whole = at_the_vote | checked
    mine, honest = votes.kind == name, votes.kind == "honest"
    caught = accounts_of(votes, mine & checked)
    target = plan.targets.get(name)
    return Result(
        tries=int((plan.kind == name).sum()),
        votes=int(mine.sum()),
        at_the_vote=int((mine & at_the_vote).sum()),
        held=int((mine & whole).sum()),
        caught=len(caught),
        accounts=int((plan.accounts.kind == name).sum()),
        reached=tuple(one.reached for one in found if one.reached and one.voters[0].startswith(name)),
        places=None if target is None else places(votes, whole, name, target),
        honest_voters=len(accounts_of(votes, honest & checked)),
        honest_votes=int((honest & whole).sum()),
        honest_share=float((honest & whole).sum() / honest.sum()),
    )


def _honest_reasons(votes: Votes, at_the_vote: np.ndarray, found: Sequence[Finding]) -> Counter[str]:
    """The honest voters held, by reason."""
    counted = Counter({"a check at the vote": len(accounts_of(votes, at_the_vote))})
    for one in found:
        counted[str(one.reason)] += sum(voter.startswith("honest") for voter in one.voters)
    return counted


def print_results(results: dict[str, list[Result]]) -> None:
    columns = ("attack", "tries", "votes", "held at the vote", "held in all", "accounts caught", "caught after",
               "place honest", "unchecked", "checked", "shift left", "honest voters held", "honest votes held")  # fmt: skip
    table = Table(*columns, title="means over the seeds; places as medians")
    for name, rows in results.items():
        after = [vote for row in rows for vote in row.reached]
        table.add_row(
            name,
            *(
                f"{np.mean([getattr(row, key) for row in rows]):.0f}"
                for key in ("tries", "votes", "at_the_vote", "held")
            ),
            f"{np.mean([row.caught for row in rows]):.1f} of {rows[0].accounts}",
            f"{np.median(after):.0f} votes" if after else "–",
            *_shown_places([row.places for row in rows if row.places]),
            f"{np.mean([row.honest_voters for row in rows]):.1f}",
            f"{100 * np.mean([row.honest_share for row in rows]):.2f} %",
        )
    Console(width=190).print(table)


def _shown_places(all_places: Sequence[Places]) -> list[str]:
    if not all_places:
        return ["–"] * 4
    medians = [
        f"{np.median([getattr(place, key) for place in all_places]):g}"
        for key in ("honest", "unchecked", "checked")
    ]
    shifts = [abs(place.checked - place.honest) for place in all_places]
    return [*medians, f"{np.mean(shifts):.1f}, at most {max(shifts)}"]


def _together(options: argparse.Namespace, limits: LimitSettings | None) -> None:
    from reproduce.riggers.together import month, print_months

    attacks = [name for name in options.attacks if name != "none"]
    months = []
    for seed in range(options.seeds):
        months.append(month(seed, attacks, options.voters, options.votes, limits, options.checks))
        print(f"seed {seed} done: {100 * months[-1].share:.2f} %", file=sys.stderr, flush=True)
    print_months(months)


def _over_http(options: argparse.Namespace) -> None:
    from reproduce.riggers.over_http import Visitors, arena

    plan = crowd(0, options.voters, options.votes)
    for name in options.attacks:
        plan = plan if name == "none" else plan.joined(attack(name, 0))
    with arena(limits=not options.no_limits) as (url, clock, folder):
        played = Visitors(url, clock, plan).play()
        votes = played.votes(plan)
        database = Database(f"sqlite:///{folder / 'arena.db'}")
        with database.read() as session:
            rows = held(session, EVERY_HELD, limit=None)
        database.close()
    print(f"{len(plan)} tries, {len(votes)} votes in {played.seconds:.0f} s")
    print("refused:", {f"{kind}: {code}": number for (kind, code), number in sorted(played.refused.items())})
    place = {battle: n for n, battle in enumerate(played.battles)}
    is_held = np.zeros(len(votes), dtype=bool)
    by_kind: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        n = place[row.battle]
        is_held[n] = True
        by_kind[str(votes.kind[n])][row.reason] += 1
    table = Table(
        "kind", "votes", "held", "reasons", "accounts with a held vote", "place honest, unchecked, checked"
    )
    for kind in dict.fromkeys(votes.kind.tolist()):
        mine = votes.kind == kind
        accounts = f"{len(accounts_of(votes, mine & is_held))} of {len(accounts_of(votes, mine))}"
        target = plan.targets.get(kind)
        shown = "–" if target is None else str(tuple(vars(places(votes, is_held, kind, target)).values()))
        reasons = ", ".join(f"{reason} {number}" for reason, number in by_kind[kind].most_common())
        table.add_row(kind, str(mine.sum()), str((mine & is_held).sum()), reasons, accounts, shown)
    Console(width=190).print(table)


if __name__ == "__main__":
    main()
