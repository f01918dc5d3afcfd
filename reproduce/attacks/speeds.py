"""Which model is the faster one, read before the vote: from stopped turns, and from the medians that pages show."""

from __future__ import annotations

import re
import time

import httpx

from reproduce.attacks.outcome import Outcome, outcome
from reproduce.attacks.page import Page
from reproduce.attacks.target import MODELS, Target, target

SECONDS = (0.002, 0.06, 0.12)  # between two words
NAMES = (*MODELS, "canary-gamma")
SPEEDS = "\n".join(
    f'[[models]]\nname = "{name}"\nendpoint = "scripted"\ndelay = {delay}\nreplies = ["{"word " * 200}"]\n'
    for name, delay in zip(NAMES, SECONDS, strict=True)
)
LIMITS = (
    "[battles]\nrunning_per_voter = 99\nundo_seconds = 0\n[limits]\nbattles_per_voter = 0\nturns_per_voter = 0"
)
MOMENTS = tuple(0.03 * step for step in range(1, 31))  # seconds from the prompt to the stop
MEDIAN = re.compile(r"[0-9.]+ s<|<dd>\d+</dd>")  # seconds to the first token, tokens per second


def stopped_turns(_: Target) -> Outcome:
    """Turns that are stopped at any moment: the faster model must not have left more text, on any page."""
    tries: list[str | None] = []
    with target(SPEEDS, LIMITS) as arena, arena.visitor() as http:
        page = Page(http)
        for moment in MOMENTS:
            battle = page.begin("Hello?")
            time.sleep(moment)
            stopped = page.send("POST", f"/{battle}/stop").raise_for_status().json()
            sides = stopped["turns"][-1]["completions"].values()
            tries.append(_difference([side["text"] for side in sides], f"stopped after {moment:.2f} s"))
        for battle in http.get("/api/v1/me/export").raise_for_status().json()["battles"]:
            texts = [completion["text"] for completion in battle["completions"]]
            tries.append(_difference(texts, "in the download"))
    return outcome("stopped turns that show the faster model", tries)


def medians_before_the_vote(_target: Target) -> Outcome:
    """The pages of models before and after an open battle, or one side of it again, while others vote."""
    tries: list[str | None] = []
    short = SPEEDS.replace("word " * 200, "word " * 20)
    with target(short, LIMITS) as arena, arena.visitor() as http, arena.visitor() as other:
        page, voter = Page(http), Page(other)
        for _ in range(3):
            _voted(voter)
            before = _medians(http)
            battle = page.answered("Name three colours.")
            tries += _changed(http, before, _voted(voter))
            page.send("POST", f"/{battle}/regenerate", side="a").raise_for_status()
            for _event in page.events(battle):
                pass
            tries += _changed(http, before, _voted(voter))
            page.send("POST", f"/{battle}/leave").raise_for_status()
    return outcome("medians that change before the vote", tries)


def _difference(texts: list[str], where: str) -> str | None:
    lengths = [len(text) for text in texts]
    return f"{lengths} characters {where}" if len(set(lengths)) > 1 else None


def _voted(voter: Page) -> set[str]:
    """A vote of somebody else, so that pages compute their figures again; returns the models of its battle."""
    battle = voter.answered("Name two colours.")
    return set(voter.vote(battle, "tie").raise_for_status().json()["models"].values())


def _medians(http: httpx.Client) -> dict[str, list[str]]:
    return {name: MEDIAN.findall(http.get(f"/models/{name}").raise_for_status().text) for name in NAMES}


def _changed(http: httpx.Client, before: dict[str, list[str]], voted: set[str]) -> list[str | None]:
    """A try for each model that the vote of the other visitor has not measured."""
    after = _medians(http)
    tries = [f"{name} is in the battle" if after[name] != before[name] else None for name in set(NAMES) - voted]
    before |= {name: after[name] for name in voted}
    return tries
