"""Votes as rows of the public arena format, screened, with prompts that come often marked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import Any

import numpy as np

from arena.exchange.board_numbers import ESCAPED, STYLE
from arena.rules.languages import language
from arena.rules.pii import PIIRedactor
from arena.rules.seals import SealedVote, pseudonym
from arena.store import Session
from arena.store.conversations import Behind, Message, behind, prompts_said, reasons
from arena.store.ledger import PAGE, ledger_key, sealed_votes
from arena.store.votes import battles_of_votes

# What the public arena does (blog of 2024-05-17): the one prompt in a thousand that comes most often is cut down
# to as many as the 99.9th percentile of prompts. Below this many nothing is cut: in a small arena the percentile
# means nothing.
PERCENTILE, FEWEST = 99.9, 10
LETTERS = 10_000  # of a prompt that tell it from others


@dataclass
class Repeats:
    """How often each prompt was voted on, and how many of them a de-duplicated set keeps."""

    counts: Counter[str | None] = field(default_factory=Counter)
    seen: Counter[str | None] = field(default_factory=Counter)

    @property
    def most(self) -> int:
        times = [number for prompt, number in self.counts.items() if prompt is not None]
        return max(FEWEST, int(np.percentile(times, PERCENTILE))) if times else FEWEST

    def tag(self, prompt: str | None, most: int) -> dict[str, bool]:
        """`sampled` rows are the de-duplicated set: the first ones of each prompt."""
        if prompt is None:
            return {"high_freq": False, "sampled": True}
        self.seen[prompt] += 1
        return {"high_freq": self.counts[prompt] > most, "sampled": self.seen[prompt] <= most}


def arena_rows(
    session: Session, screen: PIIRedactor, seal_of: Sequence[tuple[int, int]] = (), *, show_judged: bool = True
) -> Iterator[dict[str, Any]]:
    """One row a vote, in order. `seal_of` has (last vote, number) of each seal; see `behind` for the rest."""
    key = ledger_key(session)
    repeats = _repeats(session, key)
    most = repeats.most
    places = iter([*seal_of, (None, None)])
    last, number = next(places)
    for page in batched(sealed_votes(session), PAGE // 10):
        battle_of = battles_of_votes(session, [vote.vote for vote in page])
        known = behind(session, sorted(set(battle_of.values())), show_judged=show_judged)
        said = reasons(session, [vote.vote for vote in page])
        for vote in page:
            while last is not None and vote.vote > last:
                last, number = next(places)
            about = known[battle_of[vote.vote]]
            prompt = _prompt_id(key, about.prompt)
            yield {
                **_row(vote, about, screen),
                "prompt_id": prompt,
                "dedup_tag": repeats.tag(prompt, most),
                **_judged(said.get(vote.vote), about, screen),
                "seal": number,
                "leaf": vote.leaf().hex()[:16],
            }


def _row(vote: SealedVote, about: Behind, screen: PIIRedactor) -> dict[str, Any]:
    spoken = language(about.prompt)
    return {
        "question_id": vote.battle,
        "vote": vote.vote,
        "model_a": vote.model_a,
        "model_b": vote.model_b,
        "winner": ESCAPED.get(vote.winner, vote.winner),
        "source": vote.source,
        "voter": vote.voter,
        "anony": True,  # every vote here is given before the names are told
        "turn": about.turns,
        "language": spoken.capitalize() if spoken else None,
        "categories": list(about.categories),
        "tstamp": datetime.fromisoformat(vote.created_at).timestamp(),
        "timestamp": vote.created_at,
        "stopped_early": vote.stopped_early,
        "leaked": vote.leaked,
        "pair_probability": about.pair_probability,
        "conversation_a": _screened(about.conversation_a, screen) if about.open else None,
        "conversation_b": _screened(about.conversation_b, screen) if about.open else None,
        **{name: about.style.get(name) for name in STYLE},
    }


def _screened(talk: Sequence[Message], screen: PIIRedactor) -> list[dict[str, str]]:
    return [{"role": one["role"], "content": screen(one["content"])} for one in talk]


def _judged(said: tuple[str, float] | None, about: Behind, screen: PIIRedactor) -> dict[str, Any]:
    """A judge's reason may quote the conversation: it is published where that is."""
    reason, preference = said or (None, None)
    return {"preference": preference, "reason": screen(reason) if reason and about.open else None}


def _prompt_id(key: bytes, prompt: str) -> str | None:
    """The same prompt has the same id; one that is not known has none.

    Keyed, so that nobody can try whether a guessed prompt was asked.
    """
    if not prompt:
        return None
    return pseudonym(key, f"prompt:{' '.join(prompt[:LETTERS].split()).casefold()}")


def _repeats(session: Session, key: bytes) -> Repeats:
    repeats = Repeats()
    for page in batched(sealed_votes(session), PAGE // 10):
        battle_of = battles_of_votes(session, [vote.vote for vote in page])
        prompts = prompts_said(session, sorted(set(battle_of.values())))
        repeats.counts.update(_prompt_id(key, prompts[battle_of[vote.vote]]) for vote in page)
    return repeats


def batched(votes: Iterator[SealedVote], size: int) -> Iterator[list[SealedVote]]:
    """Some at a time, for the databases limit what one statement may ask."""
    while some := list(islice(votes, size)):
        yield some
