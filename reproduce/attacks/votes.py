"""Votes that must not count, and names that must not be seen before the vote."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import httpx

from reproduce.attacks.outcome import Outcome, outcome
from reproduce.attacks.page import Page
from reproduce.attacks.target import MODELS, Target

WINNERS = ("model_a", "model_b", "tie", "both_bad")
RACING = 16  # votes at once on one battle
PUBLIC = ("/leaderboard", "/battles", "/models", "/api/v1/battles", "/api/v1/leaderboard", "/healthz", "/readyz")


def votes_of_others(target: Target) -> Outcome:
    """Votes of a second visitor, and of one with a made-up cookie, on the battle of the first."""
    with target.visitor() as http, target.visitor() as other:
        page, stranger = Page(http), Page(other)
        battle = begin(page)
        for winner in WINNERS:
            stranger.vote(battle, winner)
        other.cookies.clear()
        for value in ("", "x", "0" * 43, "../../etc/passwd", "a" * 4000):
            other.cookies.set("arena_session", value)
            stranger.vote(battle, "tie")
        counted = votes(http)
        page.vote(battle, "tie")  # its owner's: the battle was there to be voted on
        if votes(http) != 1:
            raise RuntimeError("The owner's vote did not count, so the tries of others prove nothing.")
    return outcome("votes on another visitor's battle", ["counted" if n < counted else None for n in range(9)])


def racing_votes(target: Target) -> Outcome:
    """Many different votes at once on each of ten battles: more than one counted is a success of the attack."""
    tries: list[str | None] = []
    with target.visitor() as http:
        page = Page(http)
        for number in range(10):
            battle = begin(page)
            with ThreadPoolExecutor(RACING) as pool:
                list(pool.map(lambda n, b=battle: page.vote(b, WINNERS[n % 4]), range(RACING)))  # type: ignore[misc]
            extra = votes(http) - (number + 1)
            if extra < 0:
                raise RuntimeError(f"No vote on battle {number + 1} counted.")
            tries += ["counted twice" if n < extra else None for n in range(RACING)]
    return outcome("racing votes on one battle", tries)


def names_before_the_vote(target: Target) -> Outcome:
    """Every byte that a visitor receives until both models have written, and every public page."""
    tries: list[str | None] = []
    with target.visitor() as http:
        page = Page(http)
        before = {path: _named(http.get(path).text) for path in ("/", "/api/v1/arena", "/openapi.json")}
        tries += [f"{path} names a model" if named else None for path, named in before.items()]
        for prompt in ("Who are you?", "Tell me a story."):
            received = page.ask(prompt)
            tries.append("the stream names a model" if _named(received) else None)
        battle = begin(page)
        for path in (*PUBLIC, f"/battles/{battle}", f"/api/v1/battles/{battle}"):
            text = http.get(path).text
            tries.append(f"{path} links {battle}" if battle in text and _named(text) else None)
    return outcome("names before the vote", tries)


def begin(page: Page) -> str:
    """The id of a new battle, both of whose models have written."""
    return page.answered("Name three colours.")


def votes(http: httpx.Client) -> int:
    """The votes that the public record holds."""
    reply = http.get("/api/v1/leaderboard").raise_for_status().json()
    return int(reply["votes"])


def _named(text: str) -> bool:
    return any(name in text or json.dumps(name) in text for name in MODELS)
