"""Run every attack against an arena that this script starts, and print a table: attack, tries, got through.

    python -m reproduce.attacks [--only WORD]

Exit code 1 if anything got through.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Sequence

from rich.console import Console
from rich.table import Table

from reproduce.attacks import (
    accounts,
    addresses,
    battle_abuse,
    battle_api,
    connections,
    control_battles,
    database,
    file_read,
    files,
    model_server,
    own_data,
    programs,
    routes,
    speeds,
    spending,
    turns,
    votes,
)
from reproduce.attacks.outcome import Attack, Outcome
from reproduce.attacks.target import target

ATTACKS: Sequence[Attack] = (
    file_read.file_as_input,
    file_read.file_routes,
    addresses.odd_parameters,
    files.unusable_files,
    files.formulas,
    programs.forged_verdicts,
    programs.memory_beyond_the_limit,
    programs.unreadable_programs,
    routes.unlisted_routes,
    routes.address_tricks,
    routes.malformed_bodies,
    routes.large_bodies,
    routes.pages_that_allow_eval,
    votes.votes_of_others,
    votes.racing_votes,
    votes.names_before_the_vote,
    battle_api.changes_from_other_pages,
    battle_api.forged_tokens,
    battle_api.battles_of_others,
    battle_api.odd_bodies,
    battle_abuse.odd_event_ids,
    battle_abuse.undone_votes,
    battle_abuse.votes_that_are_undone_for_ever,
    battle_abuse.flood_of_reports,
    battle_abuse.chosen_models,
    battle_abuse.oversize_prompts,
    battle_abuse.queue_of_gradio,
    turns.streams_that_hold_up_a_stop,
    turns.battles_of_a_stopping_server,
    database.moved_file,
    database.locked_file,
    speeds.stopped_turns,
    speeds.medians_before_the_vote,
    own_data.slow_downloads,
    own_data.racing_deletions,
    spending.made_up_voters,
    spending.more_than_an_address_may,
    spending.racing_battles,
    spending.unread_turns,
    spending.turns_that_are_stopped,
    spending.redirects,
    spending.flood,
    connections.half_sent_requests,
    connections.streams_of_one_turn,
    connections.ambiguous_heads,
    accounts.guessed_passwords,
    accounts.names_by_time,
    accounts.planted_sessions,
    accounts.forms_of_other_sites,
    accounts.higher_roles,
    accounts.stored_scripts,
    accounts.redirects_and_caches,
    accounts.changed_trail,
    control_battles.control_battles_told_apart,
    model_server.odd_replies,
    model_server.echoed_keys,
)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--only", default="", help="run the attacks whose function name contains this")
    only = parser.parse_args().only
    rows = []
    for attack in (attack for attack in ATTACKS if only in attack.__name__):
        rows.append(run(attack))
        row, seconds = rows[-1]  # printed now, since all of them take many minutes
        print(f"{row.attack}: {row.through} of {row.tries} got through, {seconds:.0f} s", file=sys.stderr)
    table = Table("attack", "tries", "got through", "seconds", "evidence")
    for row, seconds in rows:
        table.add_row(row.attack, str(row.tries), str(row.through), f"{seconds:.0f}", row.evidence)
    Console().print(table)
    return int(any(row.through for row, _ in rows))


def run(attack: Attack) -> tuple[Outcome, float]:
    """The outcome of one attack on an arena of its own, and its seconds."""
    with target() as arena:
        began = time.monotonic()
        return attack(arena), time.monotonic() - began


if __name__ == "__main__":
    sys.exit(main())
