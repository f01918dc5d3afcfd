"""Published scores beside the runs on the page of benchmark runs, with what differs."""

from __future__ import annotations

from arena.store.benchmarks import keep_run
from arena.web.run_pages.bench_document import bench_document
from arena.web.run_pages.file import html

RUN = {
    "task": "gsm8k_cot", "dimension": "reasoning", "settings": "s", "config_hash": "c", "request_type": "generate",
    "options": {"shots": 0}, "metric": "exact_match", "value": 0.125, "lower": 0.1, "upper": 0.15, "scored": 2,
    "metrics": {"exact_match": 0.125, "strict": 0.1}, "subjects": {},
}  # fmt: skip
ROWS = [{"number": n, "sample": str(n), "status": "scored", "metrics": '{"exact_match": 1.0}'} for n in range(2)]


def boards(database, *runs):
    """The boards of published scores of stored runs by title, and their page."""
    with database.write() as session:
        numbers = [keep_run(session, model, {**RUN, **more}, ROWS).number for model, more in runs]
    with database.read() as session:
        document = bench_document(session, numbers)
    found = {board.title: board for board in document.boards if board.title.startswith("Published")}
    return found, html(document)


def row(board, model):
    [row] = [row for row in board.rows if row.name.text == model]
    return dict(zip(board.columns[1:], (cell.text for cell in row.cells), strict=True))


def test_a_published_score_stands_beside_the_runs_with_its_setting_and_source(database):
    found, page = boards(database, ("mine", {}))
    [board] = found.values()
    shown = row(board, "Llama 2 7B")
    assert shown["published"] == "14.6%"
    assert shown["mine"] == "12.5% (10.0 – 15.0)"
    assert shown["setting"] == "exact_match, 8 shots, base, generate"
    assert shown["different here"] == ""
    assert shown["source"] == "arXiv:2307.09288"
    assert "arXiv:2307.09288" in page


def test_what_differs_is_said_for_each_run(database):
    part = {"config_hash": "d", "settings": "t", "options": {"shots": 0, "limit": 20}}
    found, _ = boards(database, ("mine", {}), ("other", part))
    [board] = found.values()
    assert row(board, "Llama 2 7B")["different here"] == "other: a part of the samples"


def test_a_metric_of_another_name_is_marked_and_sample_items_have_no_published_scores(database):
    loose = {"task": "ifeval", "metric": "prompt_strict", "metrics": {"prompt_strict": 0.5, "prompt_loose": 0.6}}
    found, _ = boards(database, ("mine", {**loose, "value": 0.5}), ("two", {"task": "gsm8k_cot-sample"}))
    [(title, board)] = found.items()
    assert title == "Published scores: ifeval"
    assert row(board, "Llama 3.1 8B Instruct")["mine"] == "50.0% (10.0 – 15.0)"
    assert row(board, "Llama 3.1 8B Instruct")["different here"] == "another metric"
    of_gpt = [[cell.text for cell in one.cells] for one in board.rows if one.name.text == "GPT-4"]
    assert sorted(cells[1] for cells in of_gpt) == ["50.0% (10.0 – 15.0)", "60.0%"]
