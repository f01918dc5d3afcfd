"""A judge run as a document: its board, and each prompt with all completions and the verdicts of both orders."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from arena.judging.calls import PlannedCase, calls
from arena.judging.judge_setup import protocol_of
from arena.judging.preparation import PreparedRun
from arena.judging.samples import CaseDetails
from arena.web.run_pages.document import Board, Cell, Filter, Mark, Message, Row, RunDocument, ShownSample
from arena.web.run_pages.judge_criteria import (
    JUDGES_DISAGREE,
    criteria_board,
    criterion_filters,
    judges_board,
)
from arena.web.run_pages.judge_samples import JudgeSamples
from arena.web.run_pages.judge_tables import Calls, percent

INTERVAL = "95% interval"
# columns of the boards of all modes, in order, with their heads and decimals
COLUMNS = {
    "rank": ("rank", 0), "rating": ("rating", 0), "score": ("mean score", 2), "win_rate": ("win rate, %", 1),
    INTERVAL: (INTERVAL, 1), "length_controlled_winrate": ("at equal length, %", 1), "judged": ("judged", 0),
    "n_wins": ("wins", 0), "n_draws": ("draws", 0), "n_total": ("judged", 0), "wins": ("wins", 0),
    "losses": ("losses", 0), "ties": ("ties", 0),
}  # fmt: skip
TAGS = {
    "n_wins": "won", "wins": "won", "losses": "lost", "ties": "tied", "n_draws": "tied", "judged": "judged",
    "n_total": "judged",
}  # fmt: skip
FILTERS = (
    Filter("disagreement", "orders disagree"),
    Filter("unparsed", "unparsed"),
    Filter("failed", "without a reply"),
    Filter("retried", "retried"),
    Filter("control", "control pairs"),
)
PRIVATE = "These are conversations of people, who may not have shared them. Do not publish this page."
HIDDEN = ("mode", "reply_cache")  # settings that are shown elsewhere, or name a place on this machine


def judge_document(
    prepared: PreparedRun,
    planned: Sequence[PlannedCase],
    details: Iterable[CaseDetails],
    result: Mapping[str, Any],
    made_at: datetime | None = None,
) -> RunDocument:
    """The document of a run. `result` is `JudgeRunResult.to_dict()`."""
    rubric = prepared.rubric
    samples, made_calls = JudgeSamples(prepared.models, rubric), Calls()
    for case in details:
        samples.add(case)
        made_calls.add(case)
    shown = samples.shown()
    return RunDocument(
        kind=f"Judge run, {result['mode']}",
        title=_title(result),
        made_at=made_at or datetime.now(UTC),
        facts=_facts(result, made_calls),
        boards=[
            *_board(result, samples.models),
            *criteria_board(result, samples.models, rubric),
            *judges_board(result, samples.models),
            *made_calls.boards(),
            *_failures(result),
            *_control_pairs(result),
            *_by_category(shown, samples),
        ],
        settings=_settings(prepared),
        requests=_requests(prepared, planned),
        samples=shown,
        notices=_notices(result),
        filters=[*FILTERS, JUDGES_DISAGREE, *criterion_filters(rubric)],
        orders=samples.orders,
    )


def result_document(result: Mapping[str, Any], made_at: datetime, problem: str) -> RunDocument:
    """What the record of a run says without its samples, which cannot be read for the reason `problem`."""
    models = [row["model"] for row in result["models"]]
    return RunDocument(
        kind=f"Judge run, {result['mode']}",
        title=_title(result),
        made_at=made_at,
        facts=_facts(result, Calls()),
        boards=[
            *_board(result, models),
            *criteria_board(result, models, None),
            *judges_board(result, models),
            *_failures(result),
            *_control_pairs(result),
        ],
        settings=(),
        requests=(),
        samples=(),
        notices=[Mark(f"The samples cannot be shown. {problem}", "warning"), *_notices(result)],
    )


def _title(result: Mapping[str, Any]) -> str:
    return " · ".join((result["judge"], result["prompts"] or "battles of people"))


def _facts(result: Mapping[str, Any], made: Calls) -> list[tuple[str, Cell, str]]:
    orders, unread = result["orders"], sum(result["unread"].values())
    cost = made.cost if made.cost is not None else result["cost"]
    reasons = ", ".join(f"{number:,} {why}" for why, number in result["unread"].items())
    price = "no price in the settings" if cost is None else "all tries together"
    facts = [
        ("Judged", Cell(f"{result['judged']:,}", "judged"), f"of {result['cases']:,} cases"),
        ("Without a verdict", Cell(f"{unread:,}", "unjudged"), reasons),
        ("Calls", Cell(f"{made.number:,}"), f"{made.tries - made.number:,} more tries"),
        ("Cost", Cell("–" if cost is None else f"${cost:.2f}"), price),
    ]
    if orders["asked_in_both"]:
        more = f"of {orders['asked_in_both']:,} pairs, {percent(orders['flip_rate'])}"
        facts.insert(2, ("Orders disagree", Cell(f"{orders['flipped']:,}", "disagreement"), more))
    return facts


def _notices(result: Mapping[str, Any]) -> list[Mark]:
    notices = [] if result["prompts"] else [Mark(PRIVATE, "warning")]
    if not result["published"]:
        notices.append(Mark(f"The verdicts were not published: {result['why_not']}.", "danger"))
    for row in result["canaries"]:
        if row["failed"] or row["unread"]:
            text = f"Control pairs ({row['kind']}): {row['failed']} of {row['judged']} failed, {row['unread']} unread."
            notices.append(Mark(f"{text} Do not rely on this judge alone.", "danger"))
    if result["by_letter"]:
        text = f"{result['by_letter']:,} verdicts were read by the judge's letter, as its replies have no log-probabilities."
        notices.append(Mark(text, "warning"))
    return notices


def _board(result: Mapping[str, Any], models: Sequence[str]) -> list[Board]:
    rows = result["models"]
    if not rows:
        return []
    names = [name for name in COLUMNS if name in rows[0] or (name == INTERVAL and "lower" in rows[0])]
    main = next(name for name in ("rating", "win_rate", "score") if name in rows[0])
    decimals = COLUMNS[main][1]
    table = [
        Row(
            Cell(row["model"], f"model-{models.index(row['model'])}"),
            [_cell(row, name, decimals, models.index(row["model"])) for name in names],
            row[main], row.get("lower"), row.get("upper"),
        )
        for row in rows
    ]  # fmt: skip
    note = "Each number of wins, losses and ties leads to its samples."
    return [Board("Models", ["model", *(COLUMNS[name][0] for name in names)], table, COLUMNS[main][0], note)]


def _cell(row: Mapping[str, Any], name: str, decimals: int, model: int) -> Cell:
    if name == INTERVAL:
        limits = row["lower"], row["upper"]
        return Cell("–" if None in limits else " – ".join(f"{limit:.{decimals}f}" for limit in limits))
    value = row.get(name)
    if value is None:
        return Cell("–")
    text = f"{value:,.{COLUMNS[name][1]}f}" if isinstance(value, float) else f"{value:,}"
    return Cell(text, f"{TAGS[name]}-{model}" if name in TAGS else "")


def _failures(result: Mapping[str, Any]) -> list[Board]:
    """Calls that failed in this run, by kind, with one example each, and failed attempts on the way."""
    requests = result["requests"]
    kinds = list(dict.fromkeys([*requests["failed"], *requests["failed_attempts"]]))
    rows = [
        Row(
            Cell(kind.replace("_", " "), f"status-{kind}"),
            [
                Cell(f"{requests['failed'].get(kind, 0):,}"),
                Cell(f"{requests['failed_attempts'].get(kind, 0):,}"),
                Cell(result["examples"].get(kind, "–")[:200]),
            ],
        )
        for kind in kinds
    ]
    return [Board("Failures by kind", ["kind", "calls", "failed attempts", "example"], rows)] if rows else []


def _control_pairs(result: Mapping[str, Any]) -> list[Board]:
    rows = [
        Row(
            Cell(row["kind"], f"control-{row['kind']}"),
            [
                Cell(str(row[name]), f"control-{row['kind']}-{name}")
                for name in ("judged", "failed", "unread", "missing")
            ],
        )
        for row in result["canaries"]
    ]
    columns = ["kind", "judged", "failed", "unread", "no reply"]
    note = "Pairs with a known verdict, which test the judge. They count on no board."
    return [Board("Control pairs", columns, rows, note=note)] if rows else []


def _by_category(shown: Sequence[ShownSample], samples: JudgeSamples) -> list[Board]:
    """Prompts and wins of each category, where there are several. Control pairs are in none."""
    prompts = [sample for sample in shown if "control" not in sample.tags]
    numbers = Counter(sample.category for sample in prompts)
    if len(numbers) < 2:
        return []
    rows = [
        Row(
            Cell(name or "–", own := samples.category_tag(name)),
            [Cell(f"{number:,}", own), *_wins(prompts, own, len(samples.models))],
        )
        for name, number in numbers.most_common()
    ]
    note = "Wins count prompts with at least one win."
    return [
        Board(
            "Categories",
            ["category", "prompts", *(f"wins of {model}" for model in samples.models)],
            rows,
            "",
            note,
        )
    ]


def _wins(prompts: Sequence[ShownSample], category: str, models: int) -> list[Cell]:
    tags = [f"won-{number}-{category}" for number in range(models)]
    return [Cell(f"{sum(tag in sample.tags for sample in prompts):,}", tag) for tag in tags]


def _settings(prepared: PreparedRun) -> list[tuple[str, str]]:
    config = prepared.config
    given = {
        name: value for name, value in config.model_dump(mode="json").items() if value not in (None, "", [], ())
    }
    values = {**given, "protocol": protocol_of(config), "models": list(prepared.models)}
    texts = {
        name: ", ".join(map(str, value)) if isinstance(value, list) else str(value)
        for name, value in values.items()
    }
    return [(name.replace("_", " "), text) for name, text in texts.items() if name not in HIDDEN and text]


def _requests(prepared: PreparedRun, planned: Sequence[PlannedCase]) -> list[tuple[str, list[Message]]]:
    """Every request of the first case that needs a call, as it was sent."""
    first = next((row for row in planned if row.keys and row.case.control_pair is None), None)
    if first is None:
        return []
    requests = []
    for number, call in enumerate(calls([first], prepared.clients), 1):
        parameters = ", ".join(
            f"{name} = {value}" for name, value in call.body.items() if name not in ("messages", "model")
        )
        messages = [Message(str(m["role"]), str(m["content"])) for m in call.body.get("messages", ())]
        title = f"Request {number} of the first case, as sent to {call.model}"
        requests.append((title, [*messages, Message("parameters", parameters or "none")]))
    return requests
