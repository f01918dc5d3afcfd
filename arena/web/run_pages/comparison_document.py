"""Two judge runs compared sample by sample."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime

from arena.judging.samples import CaseDetails
from arena.web.run_pages.document import Board, Cell, Filter, Row, RunDocument
from arena.web.run_pages.judge_samples import JudgeSamples
from arena.web.run_pages.judge_tables import percent
from judges import Score, Unparsable, Verdict

FILTERS = (
    Filter("differs", "the runs differ"),
    Filter("same", "the runs agree"),
    Filter("one", "judged in one run only"),
    Filter("disagreement", "orders disagree"),
    Filter("unparsed", "unparsed"),
)
Key = tuple[str, str, str]
OUTCOMES = {"model_a": "first model", "tie": "tie", "model_b": "second model", "none": "no verdict"}


def comparison_document(
    names: tuple[str, str], first: Iterable[CaseDetails], second: Iterable[CaseDetails]
) -> RunDocument:
    """The cases of two runs together. Control pairs are left out, as each run has its own."""
    runs = [{_key(case): case for case in run if case.case.control_pair is None} for run in (first, second)]
    keys = list(dict.fromkeys([*runs[0], *runs[1]]))
    samples = JudgeSamples(sorted({model for _, *models in keys for model in models if model}))
    pairs, agreements = Counter[tuple[str, str]](), Counter[str]()
    for key in keys:
        both = [run.get(key) for run in runs]
        outcome = _outcomes(both[0], both[1])
        agreement = _agreement(outcome, both[0], both[1])
        pairs[outcome] += 1
        agreements[agreement] += 1
        for name, case in zip(names, both, strict=True):
            if case is not None:
                samples.add(case, f"{name}: ", {agreement, f"{outcome[0]}-then-{outcome[1]}"})
    judged = agreements["same"] + agreements["differs"]
    return RunDocument(
        kind="Two judge runs",
        title=f"{names[0]} and {names[1]}",
        made_at=datetime.now(UTC),
        facts=[
            ("Judged in both", Cell(f"{judged:,}"), f"of {len(keys):,} cases"),
            (
                "The same",
                Cell(f"{agreements['same']:,}", "same"),
                percent(agreements["same"] / judged if judged else None),
            ),
            ("Different", Cell(f"{agreements['differs']:,}", "differs"), ""),
        ],
        boards=[_board(names, pairs)] if pairs else [],
        settings=(),
        requests=(),
        samples=samples.shown(),
        filters=FILTERS,
    )


def _key(details: CaseDetails) -> Key:
    case = details.case
    return case.prompt.key, case.a.model, case.b.model if case.b else ""


def _outcomes(first: CaseDetails | None, second: CaseDetails | None) -> tuple[str, str]:
    """The outcomes of a case in both runs: winners, or of scores how the second compares with the first."""
    a, b = (case.result if case is not None else None for case in (first, second))
    if isinstance(a, Score) and isinstance(b, Score):
        return "score", "equal" if a.score == b.score else "higher" if b.score > a.score else "lower"
    return _winner(a), _winner(b)


def _winner(result: object) -> str:
    return result.winner if isinstance(result, Verdict) else "score" if isinstance(result, Score) else "none"


def _agreement(outcome: tuple[str, str], first: CaseDetails | None, second: CaseDetails | None) -> str:
    """A tag: whether two runs agree on a case."""
    judged = [case is not None and not isinstance(case.result, Unparsable) for case in (first, second)]
    if not all(judged):
        return "one" if any(judged) else "none"
    return "same" if outcome[0] == outcome[1] or outcome[1] == "equal" else "differs"


def _short(name: str) -> str:
    """The number of a run without its judge."""
    return name.partition(" (")[0]


def _board(names: tuple[str, str], pairs: Counter[tuple[str, str]]) -> Board:
    """How often each outcome of the first run met each of the second."""
    if any(first == "score" or second == "score" for first, second in pairs):
        row = [Cell(f"{pairs['score', name]:,}", f"score-then-{name}") for name in ("lower", "equal", "higher")]
        return Board(
            "Scores", ["", "lower", "equal", "higher"], [Row(Cell(f"{names[1]}, against {names[0]}"), row)]
        )
    rows = [
        Row(Cell(text), [Cell(f"{pairs[first, second]:,}", f"{first}-then-{second}") for second in OUTCOMES])
        for first, text in OUTCOMES.items()
    ]
    columns = [f"{_short(names[0])} ↓ {_short(names[1])} →", *OUTCOMES.values()]
    note = "The first model of a pair is the first in the alphabet."
    return Board("Verdicts", columns, rows, note=note)
