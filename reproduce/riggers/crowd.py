"""The honest voters of a plan: tastes, habits, sessions, prompts, speeds of reading, shared addresses, a news day."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from arena.rules.suggested_prompts import suggested_prompts
from reproduce.riggers.population import (
    DAY,
    DAYS,
    HONEST,
    LOG_NU,
    MODELS,
    NEVER,
    VOTES,
    Accounts,
    Floats,
    Numbers,
    Plan,
    strengths,
)

UNIVERSITY, COMPANY = 60, 25  # accounts behind one address each
NEWS, NEWS_DAY, FOND = (
    80,
    17.0,
    0.25,
)  # accounts that follow one link, and the logits that they share for one model
PACE = 60.0  # characters of both completions a second at the median: most text is skimmed
SUGGESTED, POPULAR, FAVOURITE = 0.2, 0.08, 0.4  # shares of prompts; the favourite of those who have one
FAVOURITES = 0.08  # voters who come back to one prompt of their own
POPULAR_PROMPTS = tuple(f"How many letters are in the word number {n}?" for n in range(30))


def crowd(seed: int, voters: int = HONEST, votes: int = VOTES) -> Plan:
    """About `votes` battles of honest `voters`, without any rigger."""
    rng = np.random.default_rng([18, seed])
    many = _many(rng, voters, votes)
    account = np.repeat(np.arange(voters), many)
    accounts = _accounts(rng, voters)
    time = _times(rng, many)
    suggested, prompt = _prompts(rng, account, voters)
    own, of_vote = rng.normal(0, 0.4, voters)[account], rng.normal(0, 0.45, len(account))
    plan = Plan(
        accounts, account, time, PACE * np.exp(own + of_vote), rng.random(len(account)),
        np.full(len(account), -1), prompt, suggested, {}, strengths(),
    )  # fmt: skip
    return plan.ordered()


def _many(rng: np.random.Generator, voters: int, votes: int) -> Numbers:
    """(voters,): the votes of each; most have few, some have hundreds."""
    weight = np.minimum(np.exp(rng.normal(0, 1.1, voters)), 15)
    return np.maximum(1, np.round(weight / weight.sum() * votes)).astype(np.int64)


def _accounts(rng: np.random.Generator, voters: int) -> Accounts:
    taste = rng.normal(0, 1, (voters, MODELS)) * rng.uniform(0, 1, (voters, 1))
    taste[-NEWS:, int(rng.integers(MODELS))] += FOND
    address = np.array([f"home {n}" for n in range(voters)])
    address[:UNIVERSITY] = "university"
    address[UNIVERSITY : UNIVERSITY + COMPANY] = "company"
    log_nu = np.where(rng.random(voters) < 0.05, NEVER, rng.normal(LOG_NU, 0.5, voters))
    side = np.clip(rng.normal(0, 0.2, voters), -0.6, 0.6)
    return Accounts(np.full(voters, "honest", dtype="U24"), address.astype("U24"), taste, side, log_nu)


def _times(rng: np.random.Generator, many: Numbers) -> Floats:
    """The time of each battle: sessions of up to ten, more by day than by night; the last accounts come on one day."""
    parts = []
    for number, count in enumerate(many.tolist()):
        news = number >= len(many) - NEWS
        sessions = -(-count // 10)
        day = rng.integers(0, DAYS, sessions) if not news else np.full(sessions, int(NEWS_DAY))
        hour = rng.normal(15, 3.5, sessions) if not news else rng.normal(12, 1.0, sessions)
        start = day * DAY + (hour % 24) * 3600
        gaps = rng.exponential(45, count) + 20
        since = np.concatenate([np.cumsum(gaps[at : at + 10]) for at in range(0, count, 10)])
        parts.append(np.repeat(start, 10)[:count] + since)
    return np.concatenate(parts)


def _prompts(
    rng: np.random.Generator, account: Numbers, voters: int
) -> tuple[NDArray[np.bool_], NDArray[np.str_]]:
    """Which prompts are suggested ones, and the prompts."""
    presets = [prompt for prompts in suggested_prompts().values() for prompt in prompts]
    draw = rng.random(len(account))
    favourite = (rng.random(voters) < FAVOURITES)[account] & (rng.random(len(account)) < FAVOURITE)
    prompt = np.array([f"Question {n} of visitor {v}?" for n, v in enumerate(account.tolist())], dtype="U240")
    suggested = (draw < SUGGESTED) & ~favourite
    popular = (draw > 1 - POPULAR) & ~favourite
    prompt[suggested] = rng.choice(np.array(presets, dtype="U240"), int(suggested.sum()))
    prompt[popular] = rng.choice(np.array(POPULAR_PROMPTS), int(popular.sum()))
    prompt[favourite] = [f"The usual question of visitor {v}?" for v in account[favourite].tolist()]
    return suggested, prompt
