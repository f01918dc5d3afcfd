"""Records of reviews: a judge's verdicts and scores as LLMuses and evalscope (until July 2025) wrote them.

pair      {question_id, question, category, model_a, model_b, win, [scores, output_a, output_b, review_text]}
swapped   {…, win_1, win_2, [review_text_1, review_text_2]}    both orders, in terms of model_a and model_b
single    {question_id, question, category, model, score, [review_text]}
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arena.prompt_sets.categories import CategoryMapping
from arena.prompt_sets.completion_formats import NewCompletion, checked_name
from arena.prompt_sets.formats import FORMATS, checked_prompt, naming, writable
from arena.prompt_sets.records import BadPromptFile, Record
from arena.prompt_sets.tables import placed_records
from arena.store.prompts import NewPrompt

WINNERS = ("model_a", "model_b", "tie")
UNREAD = "unknown"  # the winner of a reply that could not be read
UNREAD_SCORE = -1  # the score of one


@dataclass(frozen=True)
class Review:
    """One record: a pair with the winners of its orders, or one model with a score. Without either it was not read."""

    place: str
    prompt: NewPrompt
    models: tuple[str, ...]  # two of a pair, one of a single review
    winners: tuple[str, ...]
    score: float | None
    reason: str
    outputs: tuple[str, ...]  # the models' completions, if the record has them

    @property
    def read(self) -> bool:
        return bool(self.winners) or self.score is not None

    @property
    def completions(self) -> list[NewCompletion]:
        """The completions of the record, to be stored with it."""
        return [
            NewCompletion(self.place, self.prompt.key, self.prompt, model, (text,))
            for model, text in zip(self.models, self.outputs, strict=False)
        ]


def read_reviews(path: Path, categories: CategoryMapping) -> list[Review]:
    """The reviews of a file, in its order. Raises `BadPromptFile` naming the line."""
    reviews = []
    for place, record in placed_records(path):
        with naming(place, "reviews", "review"):
            reviews.append(_review(record, place, categories))
    return reviews


def _review(record: Record, place: str, categories: CategoryMapping) -> Review:
    fields = {"question_id": record["question_id"], "text": record["question"], "category": record.get("category")}
    prompt = categories.prompt(FORMATS["llmuses"].read(fields))
    single = "model" in record
    models = [record["model"]] if single else [record["model_a"], record["model_b"]]
    winners = () if single else _winners(record)
    score = _score(record["score"]) if single else None
    names = tuple(checked_name(_text(model, "model")) for model in models)
    if len(set(names)) != len(names):
        raise ValueError(f"the model {names[0]!r} is on both sides. A verdict is on two models.")
    texts = [record.get("review_text"), record.get("review_text_1"), record.get("review_text_2")]
    if not any(texts) and "scores" in record:
        texts = [f"scores {' and '.join(map(str, record['scores']))}"]
    reason = "\n\n".join(writable(str(text), "review_text") for text in texts if text)
    outputs = [record[name] for name in ("output_a", "output_b") if name in record]
    if outputs and len(outputs) != len(names):
        raise ValueError("output_a or output_b is missing. Give both, or none.")
    written = tuple(_text(output, "output") for output in outputs)
    return Review(place, checked_prompt(prompt), names, winners, score, reason, written)


def _winners(record: Record) -> tuple[str, ...]:
    """The winner of each order that was judged; none if a reply was not read."""
    given = [record["win"]] if "win" in record else [record["win_1"], record["win_2"]]
    for winner in given:
        if winner not in (*WINNERS, UNREAD):
            raise ValueError(
                f"the winner is {str(winner)[:40]!r}. Expected one of: {', '.join((*WINNERS, UNREAD))}."
            )
    return () if UNREAD in given else tuple(given)


def _score(value: Any) -> float | None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise ValueError(f"the score is {str(value)[:40]!r}. Expected a number.")
    return None if value == UNREAD_SCORE else float(value)


def _text(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{what} is {str(value)[:40]!r}. Expected text.")
    return writable(value, what)


def both_orders(reviews: Sequence[Review]) -> list[Review]:
    """The reviews with two records of one pair, one in each order, as one. Raises `BadPromptFile` for others twice."""
    pairs: dict[tuple[str, ...], Review] = {}
    for review in reviews:
        key = (review.prompt.key, *sorted(review.models))
        if (first := pairs.get(key)) is None:
            pairs[key] = review
        elif (
            first.models == review.models[::-1] != review.models
            and max(map(len, (first.winners, review.winners))) < 2
        ):
            pairs[key] = _joined(first, review)
        else:
            names = " and ".join(review.models)
            raise BadPromptFile(
                f"{review.place}: a second review of {names} on {review.prompt.key!r}. Keep one, or one for each order."
            )
    return list(pairs.values())


def _joined(first: Review, second: Review) -> Review:
    """Two orders of one pair, in terms of the first record's sides; unread if either is."""
    mirrored = {"model_a": "model_b", "model_b": "model_a", "tie": "tie"}
    winners = (*first.winners, *(mirrored[winner] for winner in second.winners))
    reason = "\n\n".join(filter(None, (first.reason, second.reason)))
    return Review(
        first.place, first.prompt, first.models, winners if len(winners) == 2 else (), None, reason, first.outputs
    )
