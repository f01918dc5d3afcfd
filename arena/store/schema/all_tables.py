"""Every table of this version, those that others refer to first."""

from __future__ import annotations

from sqlalchemy import Table
from sqlmodel import SQLModel

from arena.store import explanations  # noqa: F401  (fills the metadata, as the next line does)
from arena.store.schema import (  # noqa: F401
    accounts,
    attack_costs,
    battle_features,
    battles,
    benchmarks,
    checks,
    clusters,
    controls,
    hidden_battles,
    images,
    judging,
    ledger,
    model_states,
    moderation,
    reviews,
    set_aside,
    sign_in,
    site_texts,
    usage,
    vote_states,
    voters,
)

METADATA = SQLModel.metadata


def all_tables() -> list[Table]:
    return METADATA.sorted_tables
