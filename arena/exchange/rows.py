"""Votes as rows of the public arena format, with personal data redacted and frequent prompts marked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from typing import Any

import numpy as np

from arena.exchange.export_boards import ESCAPED, STYLE
from arena.rules.languages import language
from arena.rules.pii import PIIRedactor
from arena.rules.seals import SealedVote, pseudonym
from arena.rules.set_aside import on_private_model
from arena.store import Session
from arena.store.conversations import (
    BattleContent,
    battle_contents,
    reasons,
    suggested_prompts_of,
    user_prompts,
)
from arena.store.ledger import PAGE, ledger_key, sealed_votes
from arena.store.votes import battle_ids

# The rule of the public arena (blog of 2024-05-17): a prompt that occurs more often than the 99.9th percentile of
# prompts is cut down to that many votes. Below `FEWEST` nothing is cut: in a small arena the percentile means nothing.
PERCENTILE, FEWEST = 99.9, 10
LETTERS = 10_000  # of a prompt that identify it


@dataclass
class Repeats:
    """The number of votes of each prompt, and how many of them a de-duplicated set keeps.

    `suggested` are the prompts that the page suggests. They are counted without follow-ups and do not raise the limit.
    """

    counts: Counter[str | None] = field(default_factory=Counter)
    seen: Counter[str | None] = field(default_factory=Counter)
    suggested: set[str | None] = field(default_factory=set)

    @property
    def most(self) -> int:
        own = self.counts.keys() - self.suggested - {None}
        times = [self.counts[prompt] for prompt in own]
        return max(FEWEST, int(np.percentile(times, PERCENTILE))) if times else FEWEST

    def tag(self, prompt: str | None, most: int) -> dict[str, bool]:
        """`sampled` rows are the de-duplicated set: the first ones of each prompt."""
        if prompt is None:
            return {"high_freq": False, "sampled": True}
        self.seen[prompt] += 1
        return {"high_freq": self.counts[prompt] > most, "sampled": self.seen[prompt] <= most}


def arena_rows(
    session: Session, redact: PIIRedactor, seal_of: Sequence[tuple[int, int]] = (), *, show_judged: bool = True
) -> Iterator[dict[str, Any]]:
    """One row for each vote, in order.

    `seal_of` has (last vote, number) of each seal; `show_judged` is that of `battle_contents`.
    """
    key = ledger_key(session)
    repeats = _repeats(session, key)
    most = repeats.most
    places = iter([*seal_of, (None, None)])
    last, number = next(places)
    for page in batched(sealed_votes(session), PAGE // 10):
        battle_of = battle_ids(session, [vote.vote for vote in page])
        battles = battle_contents(session, sorted(set(battle_of.values())), show_judged=show_judged)
        suggested = suggested_prompts_of(session, sorted(set(battle_of.values())))
        verdicts = reasons(session, [vote.vote for vote in page])
        for vote in page:
            while last is not None and vote.vote > last:
                last, number = next(places)
            about = battles[battle_of[vote.vote]]
            if on_private_model(vote):
                about = replace(about, open=False)
            prompt = _prompt_id(key, about.prompt)
            repeated = _prompt_id(key, suggested[battle_of[vote.vote]]) if vote.suggested else prompt
            yield {
                **_row(vote, about, redact),
                "prompt_id": prompt,
                "prompt_cluster": vote.prompt,
                "dedup_tag": repeats.tag(repeated, most),
                **_judged(verdicts.get(vote.vote), about, redact),
                "seal": number,
                "leaf": vote.leaf().hex()[:16],
            }


def _row(vote: SealedVote, about: BattleContent, redact: PIIRedactor) -> dict[str, Any]:
    spoken = language(about.prompt)
    return {
        "question_id": vote.battle,
        "vote": vote.vote,
        "model_a": vote.model_a,
        "model_b": vote.model_b,
        "winner": ESCAPED.get(vote.winner, vote.winner),
        "source": vote.source,
        "voter": vote.voter,
        "anony": True,  # every vote here is given before the models are named
        "turn": about.turns,
        "language": spoken.capitalize() if spoken else None,
        "categories": list(about.categories),
        "tstamp": datetime.fromisoformat(vote.created_at).timestamp(),
        "timestamp": vote.created_at,
        "stopped_early": vote.stopped_early,
        "leaked": vote.leaked,
        "suggested": vote.suggested,
        "control": vote.control,
        "pair_probability": about.pair_probability,
        "conversation_a": redact.conversation(about.conversation_a) if about.open else None,
        "conversation_b": redact.conversation(about.conversation_b) if about.open else None,
        **{name: about.style.get(name) for name in STYLE},
    }


def _judged(verdict: tuple[str, float] | None, about: BattleContent, redact: PIIRedactor) -> dict[str, Any]:
    """The verdict; its reason may quote the conversation and is published where that is."""
    reason, preference = verdict or (None, None)
    return {"preference": preference, "reason": redact(reason) if reason and about.open else None}


def _prompt_id(key: bytes, prompt: str) -> str | None:
    """The id of a prompt, the same for the same text; None for an unknown one.

    It is keyed, to prevent tests of whether a guessed prompt was used.
    """
    if not prompt.strip():
        return None
    return pseudonym(key, f"prompt:{' '.join(prompt[:LETTERS].split()).casefold()}")


def _repeats(session: Session, key: bytes) -> Repeats:
    repeats = Repeats()
    for page in batched(sealed_votes(session), PAGE // 10):
        battle_of = battle_ids(session, [vote.vote for vote in page])
        battles = sorted(set(battle_of.values()))
        suggested = suggested_prompts_of(session, battles)
        prompts = user_prompts(session, battles) | suggested
        repeats.suggested |= {_prompt_id(key, prompt) for prompt in suggested.values()}
        repeats.counts.update(_prompt_id(key, prompts[battle_of[vote.vote]]) for vote in page)
    return repeats


def batched(votes: Iterator[SealedVote], size: int) -> Iterator[list[SealedVote]]:
    """The votes in lists of `size`: databases limit the parameters of a statement."""
    while batch := list(islice(votes, size)):
        yield batch
