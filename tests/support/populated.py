"""An arena with a past: models of known strength, conversations, votes of people and of two judges."""

from __future__ import annotations

import math
from datetime import timedelta
from functools import cache
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from sqlalchemy import insert, update
from sqlmodel import Session, select

from arena.rules.votes import HUMAN, OVERALL
from arena.store import Database
from arena.store import battles as stored
from arena.store.models import register_models
from arena.store.schema.battles import Battle, BattleStatus, CompletionStatus, Model, PairCount, Vote, now
from arena.store.schema.benchmarks import BenchmarkRun
from arena.store.schema.judging import VerdictRow
from arena.store.stored_battles import Written
from arena.store.votes import add_vote
from tests.support.arenas import new_file

FAMILIES = ("aurora", "birch", "cobalt", "delta", "ember", "fjord", "granite", "harbor", "indigo", "juniper")
PROMPTS = (
    "Write a Python function that merges two sorted lists.",
    "Fix this SQL query: SELECT name FROM users WHERE id == 3",
    "Solve the equation 3x + 5 = 20 and show each step.",
    "A train leaves at 9 and covers 120 km per hour. How many kilometres has it covered by 11:30?",
    "Tell me a story about a lighthouse keeper who is afraid of the dark.",
    "Write a poem about rain on a tin roof.",
    "Name three rivers in exactly three words, without commas.",
    "Why is the sky blue?",
    "What should I cook tonight with rice, eggs and spinach?",
    "Warum ist der Himmel blau und nicht grün?",
)
JUDGES = {"judge:north": 0.9, "judge:south": 0.5}  # how much each makes of a difference in strength


def names_of(many: int) -> list[str]:
    """As many names as asked, all different, the first the strongest."""
    return [f"{FAMILIES[n % 10]}-{1 + n // 10}" + ("-instruct" if n % 3 == 0 else "") for n in range(many)]


def strength(number: int, many: int) -> float:
    """In logits; a model's place is its strength."""
    return 1.2 - 2.4 * number / max(1, many - 1)


def outcome(lead: float, random: Random) -> str:
    if random.random() < 0.2:
        return random.choice(["tie", "tie", "both_bad"])
    return "model_a" if random.random() < 1 / (1 + math.exp(-lead)) else "model_b"


def populated_file(path: Path, many: int, votes: int, tasks: bool = True) -> tuple[Database, list[str]]:
    """A new SQLite file with what `populate` makes, and the names of the models; one that was made before is copied."""
    path.write_bytes(_populated(many, votes, tasks))
    return Database(f"sqlite:///{path}"), names_of(many)


@cache
def _populated(many: int, votes: int, tasks: bool) -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "arena.db"
        database = new_file(path)
        populate(database, many, votes, tasks=tasks)
        database.overwrite_deleted()  # all of it is in the file, nothing in its log
        database.close()
        return path.read_bytes()


def populate(database: Database, many: int = 12, votes: int = 400, seed: int = 0, tasks: bool = True) -> list[str]:
    """Battles as the arena makes them, one transaction for all. Every third voter lets others read."""
    random, names = Random(seed), names_of(many)
    with database.write() as session:
        register_models(session, names)
        for number in range(votes):
            a, b = random.sample(range(many), 2)
            battle_id = _battle(session, names[a], names[b], number, random)
            lead = strength(a, many) - strength(b, many)
            add_vote(session, battle_id, HUMAN, f"voter {number % 40}", outcome(lead, random), stopped_early=False)
            session.get_one(Battle, battle_id).shared = number % 3 == 0
            for judge, taste in JUDGES.items():
                if number % 2 == 0:
                    _judged(session, battle_id, judge, outcome(lead * taste, random))
        _spread_over_days(session)
        if tasks:
            _benchmarked(session, names)
    return names


def _spread_over_days(session: Session, days: float = 30) -> None:
    """Votes as if given one after the other in the last days, models there before."""
    session.flush()
    numbers = session.exec(select(Vote.id).order_by(Vote.id)).all()
    start, step = now() - timedelta(days=days), timedelta(days=days) / len(numbers)
    rows = [{"id": number, "created_at": start + place * step} for place, number in enumerate(numbers)]
    session.execute(update(Vote), rows)
    session.execute(update(Model).values(created_at=start - timedelta(days=1)))


def _benchmarked(session: Session, names: list[str]) -> None:
    """Scores on two tasks: one that falls with the models' places and one that does not."""
    for name in names:
        place, number = names.index(name), session.exec(select(Model.id).where(Model.name == name)).one()
        for task, value in (("arc-easy", 0.9 - place / 50), ("bbq", 0.5 + (place * 7 % 5) / 20)):
            session.add(
                BenchmarkRun(model_id=number, task=task, dimension="knowledge", settings="s", config_hash=f"{task} {name}",
                             request_type="first", metric="accuracy", value=value, lower=value - 0.05, upper=value + 0.05,
                             scored=100, unparsed=0, failed=0)
            )  # fmt: skip


def _battle(session: Session, a: str, b: str, number: int, random: Random) -> int:
    battle = stored.add_battle(session, f"voter {number % 40}", a, b, 1.0)
    stored.add_turn(session, battle.id or 0, PROMPTS[number % len(PROMPTS)])
    session.flush()
    written = {
        "a": _written(
            f"# {a} says\n\n* one\n* two with `code`\n\n**Done.** " + "More words. " * random.randint(1, 30),
            random,
        ),
        "b": _written(f"{b} answers in a plain sentence. " + "And goes on. " * random.randint(1, 12), random),
    }
    stored.finish_turn(session, battle.id or 0, written, BattleStatus.OPEN)
    return battle.id or 0


def _written(text: str, random: Random) -> Written:
    first = random.uniform(0.1, 0.9)
    return Written(
        text, CompletionStatus.FINISHED, "stop", None, 20, len(text) // 4, first, first + random.uniform(1, 4)
    )


def _judged(session: Session, battle_id: int, judge: str, winner: str) -> None:
    add_vote(session, battle_id, judge, judge, winner, stopped_early=False)
    vote = session.exec(select(Vote).where(Vote.battle_id == battle_id, Vote.source == judge)).one()
    reason = "The first answer keeps to the question and shows its steps; the other repeats itself."
    preference = {"model_a": 0.8, "model_b": 0.15}.get(winner, 0.5)
    session.add(
        VerdictRow(vote_id=vote.id or 0, preference=preference, strength=1, orders=f"{winner},{winner}", reason=reason,
                   config_hash="d" * 64)
    )  # fmt: skip


def count_many(database: Database, many: int = 300, a_pair: int = 20, seed: int = 1) -> list[str]:
    """Pair counts of many models with no votes behind them: a large board in a second."""
    random, names = Random(seed), names_of(many)
    with database.write() as session:
        register_models(session, names)
        session.flush()
        ids = dict(session.exec(select(Model.name, Model.id)).all())
        rows = []
        for a in range(many):
            for b in random.sample(range(many), min(many, 40)):
                if a == b:
                    continue
                p = 1 / (1 + math.exp(strength(b, many) - strength(a, many)))
                wins = round(p * a_pair)
                row = {"wins": wins, "losses": a_pair - wins, "ties": 3, "both_bad": 1}
                rows.append({"model_a_id": ids[names[a]], "model_b_id": ids[names[b]], "category": OVERALL,
                             "source": HUMAN, **row})  # fmt: skip
        session.execute(insert(PairCount), rows)
    return names


def settings_of(names: list[str]) -> str:
    """Scripted models with facts and prices, as TOML; every fifth is without."""
    tables = []
    for number, name in enumerate(names):
        facts = "" if number % 5 == 4 else (
            f'price = {{prompt = {0.05 * (number + 1):.2f}, completion = {0.2 * (number + 1):.2f}}}\n'
            f'[models.facts]\norganisation = "{FAMILIES[number % 10].title()} Labs"\n'
            f'licence = "{("Apache-2.0", "MIT", "proprietary")[number % 3]}"\n'
            f'parameters = "{1 + 7 * (number % 9)}B"\ncontext = {8192 * (1 + number % 4)}\n'
            f'energy = {0.02 * (1 + number % 7):.2f}\nvariants_tested = {number % 3}\nlisted = 2025-1{number % 3}-01\n'
            f'released = 2025-0{1 + number % 9}-15\n'
        )  # fmt: skip
        tables.append(f'[[models]]\nname = "{name}"\nendpoint = "scripted"\ndelay = 0.0\n{facts}')
    return "\n".join(tables)
