"""Import of a judge's reviews from another tool: stored verdicts and scores of a named judge."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from arena.errors import ConfigError
from arena.prompt_sets.added_completions import Places, add_completions
from arena.prompt_sets.categories import read_categories
from arena.prompt_sets.prompt_sets import digest, name_of
from arena.prompt_sets.records import BadPromptFile
from arena.prompt_sets.review_records import Review, both_orders, read_reviews
from arena.rules.votes import JUDGE
from arena.store import Database, Session
from arena.store.prompt_set_verdicts import scores_of_set, verdicts_of_set
from arena.store.prompts import (
    NewPrompt,
    StoredCompletion,
    StoredPrompt,
    add_prompt_set,
    completions_of,
    find_prompt_set,
    prompts_of,
)
from arena.store.verdicts import NewVerdict, OtherConfig, add_score, add_verdicts
from judges import Score
from judges.judge import PREFERENCES

# in place of the configuration of a judge run, which an import does not know
CONFIG_HASH = hashlib.sha256(b"imported reviews").hexdigest()

Completions = Mapping[tuple[str, str], StoredCompletion]


@dataclass(frozen=True)
class ImportedReviews:
    """The verdicts and scores that were added, those that were there, and reviews whose reply was not read."""

    prompts: str
    judge: str
    verdicts: int
    scores: int
    there: int
    unread: int
    completions: int


def import_reviews(
    database: Database, path: Path, judge: str, name: str | None = None, categories: Path | None = None
) -> ImportedReviews:
    """Import all reviews of a file, or none, as those of `judge:JUDGE` on the prompt set `name`.

    A record with the models' outputs adds them; otherwise the set must have their completions. Raises `BadPromptFile`
    naming the line, and `ConfigError`.
    """
    reviews = both_orders(read_reviews(path, read_categories(categories)))
    chosen, source = name or name_of(path), f"{JUDGE}{judge.removeprefix(JUDGE)}"
    given = [completion for review in reviews for completion in review.completions]
    with database.write() as session:
        if find_prompt_set(session, chosen) is None:
            prompts = _prompts(reviews)
            add_prompt_set(session, chosen, str(path), digest(prompts), prompts)
        added = add_completions(session, chosen, str(path), given)
        batch = _Batch(
            chosen, source, Places(chosen, prompts_of(session, chosen)), completions_of(session, chosen)
        )
        counts = batch.add(session, reviews)
    unread = sum(not review.read for review in reviews)
    return ImportedReviews(chosen, source.removeprefix(JUDGE), *counts, unread, sum(added.by_model.values()))


def _prompts(reviews: Sequence[Review]) -> list[NewPrompt]:
    """The prompts of the reviews. Raises `BadPromptFile` for two under one id."""
    prompts: dict[str, NewPrompt] = {}
    for review in reviews:
        if prompts.setdefault(review.prompt.key, review.prompt) != review.prompt:
            raise BadPromptFile(
                f"{review.place}: the id {review.prompt.key!r} has another question in an earlier record. Give each "
                "question its own id."
            )
    return list(prompts.values())


@dataclass(frozen=True)
class _Batch:
    """The prompt set and the judge that reviews are added to."""

    name: str
    source: str
    places: Places
    completions: Completions

    def add(self, session: Session, reviews: Sequence[Review]) -> tuple[int, int, int]:
        """The numbers of verdicts and scores added, and of those that were there. Raises `BadPromptFile`."""
        stored: dict[tuple[str, ...], str | float] = {
            (row.prompt, row.model_a, row.model_b): row.winner
            for row in verdicts_of_set(session, self.name)
            if row.source == self.source
        }
        stored |= {
            (row.prompt, row.model): row.score
            for row in scores_of_set(session, self.name)
            if row.source == self.source
        }
        verdicts = singles = there = 0
        for review in (review for review in reviews if review.read):
            prompt = self.places.find(review.place, review.prompt.key, review.prompt)
            before = stored.get((prompt.key, *review.models))
            if before is not None:
                self._check_same(review, before)
                there += 1
            elif review.winners:
                verdicts += self._add_verdict(session, review, prompt)
            else:
                singles += self._add_score(session, review, prompt)
        return verdicts, singles, there

    def _check_same(self, review: Review, before: str | float) -> None:
        given = _winner(review) if review.winners else review.score
        if given != before:
            raise BadPromptFile(
                f"{review.place}: {self.source} has another verdict on {' and '.join(review.models)} here ({before}). "
                "Verdicts are not changed: choose another --judge or --prompts."
            )

    def _add_verdict(self, session: Session, review: Review, prompt: StoredPrompt) -> int:
        a, b = (self._completion(review, prompt, model) for model in review.models)
        winner = _winner(review)
        preference = sum(PREFERENCES[each] for each in review.winners) / len(review.winners)
        orders = review.winners if len(review.winners) == 2 else ()
        verdict = NewVerdict(prompt, a, b, winner, preference, 1, orders, review.reason)
        try:
            return add_verdicts(session, self.source, CONFIG_HASH, [verdict])
        except OtherConfig as problem:
            raise _other_config(self.source) from problem

    def _add_score(self, session: Session, review: Review, prompt: StoredPrompt) -> int:
        completion = self._completion(review, prompt, review.models[0])
        try:
            return add_score(
                session, self.source, CONFIG_HASH, completion.id, Score(review.score or 0.0, review.reason)
            )
        except OtherConfig as problem:
            raise _other_config(self.source) from problem

    def _completion(self, review: Review, prompt: StoredPrompt, model: str) -> StoredCompletion:
        completion = self.completions.get((prompt.key, model))
        if completion is None:
            raise BadPromptFile(
                f"{review.place}: {model} has no completion of {prompt.key!r} in {self.name!r}. Run `arena completions "
                f"import FILE… --prompts {self.name}` with the answers that were judged, then import the reviews again."
            )
        return completion


def _winner(review: Review) -> str:
    """The winner of all orders; a tie if they differ, as in evalscope."""
    return review.winners[0] if len(set(review.winners)) == 1 else "tie"


def _other_config(source: str) -> ConfigError:
    return ConfigError(
        f"{source} has verdicts on these prompts from a judge run here. Choose another name with --judge."
    )
