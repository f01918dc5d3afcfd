"""Reviewers, and disputed battles for them."""

from __future__ import annotations

from sqlmodel import col, select

from arena.store import Database
from arena.store.schema.accounts import Account
from arena.store.schema.battles import Battle, Vote
from arena.store.votes import add_vote
from tests.support.ballots import ballot

WAYS = ("model_a", "model_b")


def add_reviewers(database: Database, *names: str, role: str = "reviewer") -> list[int]:
    """Accounts with these names; their ids."""
    with database.write() as session:
        accounts = [Account(name=name, role=role) for name in names]
        session.add_all(accounts)
        session.flush()
        return [account.id or 0 for account in accounts]


def disputed_battles(
    database: Database, many: int, *, shared: bool = True, voter: str = "voter", start: int = 0
) -> list[int]:
    """Battles on which a judge contradicts the voter, with the texts of numbers from `start`; their ids."""
    battles = []
    for number in range(start, start + many):
        texts = (f"Left words {number}.", f"Right words {number}.")
        vote = ballot(
            database, "amber", "birch", WAYS[number % 2], voter=f"{voter}-{number}", prompt=f"Prompt {number}?",
            texts=texts, shared=shared,
        )  # fmt: skip
        with database.write() as session:
            battle = session.get_one(Vote, vote).battle_id
            add_vote(session, battle, "judge:j", "judge:j", WAYS[1 - number % 2], stopped_early=False)
        battles.append(battle)
    return battles


def public_id(database: Database, battle: int) -> str:
    """The public id of a battle."""
    with database.read() as session:
        return session.exec(select(Battle.public_id).where(col(Battle.id) == battle)).one()
