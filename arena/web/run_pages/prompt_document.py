"""A prompt set as a document: every model's completion of each prompt, and what all judges said of them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from arena.rules.votes import JUDGE, OVERALL
from arena.store import Session
from arena.store.prompt_set_verdicts import SetScore, SetVerdict, scores_of_set, verdicts_of_set
from arena.store.prompts import StoredCompletion, StoredPrompt, completions_of, prompts_of
from arena.web.run_pages.document import (
    Board,
    Cell,
    Completion,
    Filter,
    Mark,
    Message,
    Order,
    Row,
    RunDocument,
    ShownSample,
    ShownVerdict,
)


def prompt_document(session: Session, name: str) -> RunDocument:
    """The prompts of a set. Raises `UnknownPromptSet`."""
    prompts, completions = prompts_of(session, name), completions_of(session, name)
    verdicts, scores = verdicts_of_set(session, name), scores_of_set(session, name)
    models = sorted({model for _, model in completions})
    categories = [category for category, _ in Counter(prompt.category for prompt in prompts).most_common()]
    by_prompt: dict[str, list[SetVerdict]] = defaultdict(list)
    scores_by_prompt: dict[str, list[SetScore]] = defaultdict(list)
    for verdict in verdicts:
        by_prompt[verdict.prompt].append(verdict)
    for score in scores:
        scores_by_prompt[score.prompt].append(score)
    samples = [
        _sample(prompt, completions, by_prompt[prompt.key], scores_by_prompt[prompt.key], models, categories)
        for prompt in prompts
    ]
    return RunDocument(
        kind="Prompt set",
        title=name,
        made_at=datetime.now(UTC),
        facts=[
            (
                "Prompts",
                Cell(f"{len(prompts):,}"),
                f"{len(categories):,} categories" if len(categories) > 1 else "",
            ),
            ("Models", Cell(f"{len(models):,}"), f"{len(completions):,} completions"),
            ("Verdicts", Cell(f"{len(verdicts):,}", "judged"), f"and {len(scores):,} scores"),
        ],
        boards=[*_models(samples, models), *_judges(verdicts, scores)],
        settings=(),
        requests=(),
        samples=samples,
        filters=_filters(categories),
    )


def _filters(categories: Sequence[str]) -> list[Filter]:
    """The categories, if there are several, and what may be wrong."""
    own = [Filter(f"category-{number}", category) for number, category in enumerate(categories)]
    return [
        *(own if len(own) > 1 else ()),
        Filter("disagreement", "orders disagree"),
        Filter("judges-differ", "judges differ"),
        Filter("missing", "without a completion of some model"),
    ]


def _sample(
    prompt: StoredPrompt,
    completions: Mapping[tuple[str, str], StoredCompletion],
    verdicts: Sequence[SetVerdict],
    scores: Sequence[SetScore],
    models: Sequence[str],
    categories: Sequence[str],
) -> ShownSample:
    own = {model: completions[prompt.key, model] for model in models if (prompt.key, model) in completions}
    tags = {f"category-{categories.index(prompt.category)}"}
    tags |= {f"model-{models.index(model)}" for model in own} | ({"missing"} if len(own) < len(models) else set())
    tags |= {"judged"} if verdicts or scores else set()
    tags |= {_slug(row.source) for row in verdicts} | {_slug(row.source) for row in scores}
    if any(len(set(verdict.orders)) > 1 for verdict in verdicts):
        tags.add("disagreement")
    winners: dict[tuple[str, str], set[str]] = defaultdict(set)
    for verdict in verdicts:
        winners[verdict.model_a, verdict.model_b].add(verdict.winner)
    if any(len(named) > 1 for named in winners.values()):
        tags.add("judges-differ")
    marks = [("disagreement", "orders disagree"), ("judges-differ", "judges differ")]
    return ShownSample(
        prompt.key,
        "" if prompt.category == OVERALL else prompt.category,
        [Message(str(message["role"]), str(message["content"])) for message in prompt.messages],
        [Completion(model, one.text, one.earlier, _scores(model, scores)) for model, one in own.items()],
        [*map(_verdict, verdicts), *(_reason(score) for score in scores if score.reason)],
        prompt.reference or "",
        [Mark(text, "warning") for tag, text in marks if tag in tags],
        frozenset(tags),
        "Reference",
    )


def _scores(model: str, scores: Sequence[SetScore]) -> list[Mark]:
    return [
        Mark(f"{score.source.removeprefix(JUDGE)} {score.score:g}") for score in scores if score.model == model
    ]


def _reason(score: SetScore) -> ShownVerdict:
    return ShownVerdict(f"{score.source} on {score.model}", Mark(f"score {score.score:g}"), (), score.reason)


def _verdict(verdict: SetVerdict) -> ShownVerdict:
    names = {"model_a": verdict.model_a, "model_b": verdict.model_b}
    shown = (verdict.model_a, verdict.model_b)
    orders = [
        Order(f"{first} shown first", Mark(names.get(winner, winner)), ())
        for first, winner in zip(shown, verdict.orders, strict=False)
    ]
    title = f"{verdict.source}: {verdict.model_a} against {verdict.model_b}"
    return ShownVerdict(title, Mark(names.get(verdict.winner, verdict.winner)), orders, verdict.reason)


def _models(samples: Sequence[ShownSample], models: Sequence[str]) -> list[Board]:
    """The number of completions of each model."""
    rows = []
    for number, model in enumerate(models):
        tag = f"model-{number}"
        lengths = [len(one.text) for sample in samples for one in sample.completions if one.model == model]
        count = f"{sum(tag in sample.tags for sample in samples):,}"
        rows.append(Row(Cell(model, tag), [Cell(count, tag), Cell(f"{sum(lengths) / max(1, len(lengths)):,.0f}")]))
    return [Board("Models", ["model", "completions", "mean characters"], rows)] if rows else []


def _judges(verdicts: Sequence[SetVerdict], scores: Sequence[SetScore]) -> list[Board]:
    """The number of verdicts and scores of each judge."""
    counts = Counter(row.source for row in verdicts), Counter(row.source for row in scores)
    names = list(dict.fromkeys([*counts[0], *counts[1]]))
    rows = [
        Row(Cell(name, _slug(name)), [Cell(f"{count[name]:,}", _slug(name)) for count in counts]) for name in names
    ]
    return [Board("Judges", ["judge", "verdicts", "scores"], rows)] if rows else []


def _slug(name: str) -> str:
    """A judge's name as a tag."""
    return "judge-" + "".join(letter if letter.isalnum() else f"-{ord(letter):x}-" for letter in name)
