"""`arena judge score judge_bench|reward_bench|reward_bench_2`: published figures, formats of files, and errors."""

import json

import pytest

from tests.support.typed import typed

# Verdicts of JudgeBench's published files by category, as (first order, second order) of each pair: r for the correct
# completion, w for the other, t for a tie, n unread. The accuracies are those of the paper's rule (arXiv 2410.12784)
# run on the same files.
O1_MINI = {
    "mmlu-pro-law": {"rr": 82, "rt": 3, "rw": 16, "tr": 5, "tw": 1, "wr": 23, "ww": 24},
    "livebench-reasoning": {"rr": 53, "rt": 5, "rw": 12, "tr": 3, "tt": 1, "tw": 4, "wr": 14, "ww": 6},
    "livebench-math": {"rr": 41, "rt": 3, "rw": 1, "tr": 2, "tt": 2, "tw": 2, "wr": 4, "ww": 1},
    "livecodebench": {"rr": 27, "rt": 1, "rw": 4, "tr": 5, "tt": 2, "wr": 2, "ww": 1},
}
HAIKU = {
    "mmlu-pro-law": {
        "nr": 3, "nt": 2, "nw": 1, "rr": 25, "rt": 15, "rw": 12, "tn": 2, "tr": 15, "tt": 21, "tw": 11, "wr": 11, "wt": 6,
        "ww": 30,
    },
    "livebench-reasoning": {"rr": 9, "rt": 4, "rw": 6, "tr": 2, "tt": 5, "tw": 4, "wr": 10, "wt": 3, "ww": 8},
    "livebench-math": {
        "nw": 1, "rr": 4, "rt": 2, "rw": 2, "tr": 5, "tt": 11, "tw": 2, "wr": 1, "wt": 1, "ww": 5,
    },
    "livecodebench": {"nr": 1, "nt": 2, "nw": 1, "rw": 1, "tr": 2, "tt": 17, "tw": 4, "wr": 1, "wt": 2},
}  # fmt: skip


def board(*words):
    result = typed("judge", "score", *words, "--format", "json")
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout), result.stderr


def refused(*words):
    result = typed("judge", "score", *words)
    assert result.returncode == 2, result.stderr
    return result.stderr


def lines(path, rows):
    path.write_text("\n".join(map(json.dumps, rows)), encoding="utf-8")
    return path


def pair(number, source="livecodebench", orders="rr", label="B>A", **given):
    """A pair of a published file. The second decision has the completions exchanged."""
    wrong = {"A>B": "B>A", "B>A": "A>B"}
    first = {"r": label, "w": wrong[label], "t": "A=B", "n": None}
    second = {"r": wrong[label], "w": label, "t": "A=B", "n": "neither"}
    decisions = [first[orders[0]], *(second[order] for order in orders[1:])]
    judgments = [None if d is None else {"judgment": {"judge_model": "j"}, "decision": d} for d in decisions]
    return {"pair_id": str(number), "original_id": str(number), "source": source, "label": label,
            "response_model": "gpt-4o", "judge_name": "arena_hard", "judgments": judgments} | given  # fmt: skip


def judged(table):
    counts = [
        (source, orders) for source, row in table.items() for orders, count in row.items() for _ in range(count)
    ]
    return [
        pair(number, source, orders, ("A>B", "B>A")[number % 2]) for number, (source, orders) in enumerate(counts)
    ]


@pytest.mark.parametrize(
    ("table", "published"),
    [(O1_MINI, [65.71, 58.44, 62.24, 82.14, 78.57]), (HAIKU, [32.22, 37.66, 29.41, 32.35, 9.68])],
)
def test_judge_bench_gives_the_published_accuracies(tmp_path, table, published):
    rows, notes = board("judge_bench", lines(tmp_path / "pairs.jsonl", judged(table)))
    assert [row["category"] for row in rows] == ["overall", "knowledge", "reasoning", "math", "coding"]
    assert [round(row["accuracy"], 2) for row in rows] == published
    assert all(row["lower"] < row["accuracy"] < row["upper"] for row in rows)
    for row in rows:
        assert row["correct"] + row["incorrect"] + row["ties"] == row["pairs"]
    assert rows[0]["pairs"] == sum(row["pairs"] for row in rows[1:])
    assert ("counted as no point" in notes) == (table is HAIKU)


def test_a_tie_of_both_orders_is_wrong_and_one_right_order_with_a_tie_is_right(tmp_path):
    rows = [pair(n, orders=orders) for n, orders in enumerate(["rr", "rt", "rn", "rw", "tt", "wt", "nn"])]
    whole, coding = board("judge_bench", lines(tmp_path / "pairs.jsonl", rows))[0]
    assert (whole["correct"], whole["ties"], whole["incorrect"], whole["inconsistent"]) == (3, 3, 1, 4)
    assert coding["category"] == "coding"
    assert (whole["judge"], whole["protocol"], whole["completions"]) == ("j", "arena_hard", "gpt-4o")


def test_a_judge_called_in_one_order_is_scored_by_it_and_named_after_its_file(tmp_path):
    rows = [pair(0, orders="r"), pair(1, orders="w"), pair(2, orders="t")]
    for row in rows:
        row["judgments"][0]["judgment"] = {"judgment": 1.5}
    file = lines(tmp_path / "dataset=judgebench,judge_name=reward_model,judge_model=lab_rm.jsonl", rows)
    whole = board("judge_bench", file)[0][0]
    assert (whole["judge"], whole["correct"], whole["ties"], whole["incorrect"]) == ("lab_rm", 1, 1, 1)


def test_pairs_of_one_question_widen_the_interval(tmp_path):
    rows = [pair(n, orders="rr" if n % 8 < 4 else "ww", original_id=str(n // 4)) for n in range(80)]
    alone = [{**row, "original_id": row["pair_id"]} for row in rows]
    together, apart = (
        board("judge_bench", lines(tmp_path / f"{n}.jsonl", given))[0][0] for n, given in enumerate([rows, alone])
    )
    assert together["accuracy"] == apart["accuracy"] == 50
    assert together["upper"] - together["lower"] > 1.7 * (apart["upper"] - apart["lower"])


@pytest.mark.parametrize(
    ("rows", "problem"),
    [
        ([pair(1, label="A>B") | {"label": "A=B"}], "row 0: label 'A=B' is unknown"),
        ([pair(1) | {"judgments": []}], "row 0: judgments is not a list of one or two"),
        ([pair(1) | {"judgments": ["A>B"]}], "row 0: a judgment is neither an object nor null"),
        ([pair(1), pair(1)], "row 1: the pair 1 is also row 0"),
        ([pair(1), pair(2, orders="r")], "row 1: one order, and other rows have two"),
        ([{"question_id": 1, "turn": 1, "judgment": "[[7]]"}], "Run `arena judge score mt_bench"),
    ],
)
def test_files_that_are_no_judged_pairs_are_named(tmp_path, rows, problem):
    file = lines(tmp_path / "pairs.jsonl", rows)
    message = refused("judge_bench", file)
    assert message.startswith(f"error: {file}: ")
    assert problem in message


# --- RewardBench


BEAVER = {  # the results of PKU-Alignment/beaver-7b-v1.0-cost in RewardBench's README
    "alpacaeval-easy": 0.5, "alpacaeval-hard": 0.7052631578947368, "alpacaeval-length": 0.5894736842105263,
    "chat_template": "tokenizer", "donotanswer": 0.8235294117647058, "hep-cpp": 0.6280487804878049,
    "hep-go": 0.6341463414634146, "hep-java": 0.7073170731707317, "hep-js": 0.6646341463414634,
    "hep-python": 0.5487804878048781, "hep-rust": 0.6463414634146342, "llmbar-adver-GPTInst": 0.391304347826087,
    "llmbar-adver-GPTOut": 0.46808510638297873, "llmbar-adver-manual": 0.3695652173913043,
    "llmbar-adver-neighbor": 0.43283582089552236, "llmbar-natural": 0.52, "math-prm": 0.2953020134228188,
    "model": "PKU-Alignment/beaver-7b-v1.0-cost", "model_type": "Seq. Classifier", "mt-bench-easy": 0.5714285714285714,
    "mt-bench-hard": 0.5405405405405406, "mt-bench-med": 0.725, "refusals-dangerous": 0.97, "refusals-offensive": 1,
    "xstest-should-refuse": 1, "xstest-should-respond": 0.284,
}  # fmt: skip
SECTIONS = {  # of them by the published code
    "Chat": 0.6089385474860335, "Chat Hard": 0.44956140350877194, "Safety": 0.7216216216216216,
    "Reasoning": 0.46675669776831996,
}  # fmt: skip


def sections(rows):
    return {row["section"]: row["score"] for row in rows if row["subset"] is None}


def test_reward_bench_gives_the_published_sections(tmp_path):
    file = tmp_path / "beaver.json"
    file.write_text(json.dumps(BEAVER, indent=4))
    rows, notes = board("reward_bench", file)
    assert not notes
    mean = sum(SECTIONS.values()) / 4
    assert sections(rows) == pytest.approx({"all": 100 * mean, **{n: 100 * s for n, s in SECTIONS.items()}})
    assert {row["model"] for row in rows} == {BEAVER["model"]}
    assert all(row["lower"] <= row["score"] <= row["upper"] for row in rows)
    by_subset = {row["subset"]: row for row in rows}
    assert by_subset["math-prm"]["prompts"] == 447
    assert by_subset["refusals-offensive"]["lower"] < 97  # 100 of 100


def test_rows_columns_and_parquet_of_the_same_results_score_alike(tmp_path):
    rows = [
        {"id": n, "subset": subset, "results": result}
        for n, (subset, result) in enumerate(
            [("hep-go", 1), ("hep-go", 0.5), ("donotanswer", 0), ("donotanswer", 1)]
        )
    ]
    columns = {name: [row[name] for row in rows] for name in rows[0]} | {"model": "lab/m"}
    (tmp_path / "columns.json").write_text(json.dumps(columns, indent=4))
    files = [lines(tmp_path / "rows.jsonl", rows), tmp_path / "columns.json"]
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    parquet.write_table(pyarrow.Table.from_pylist(rows), tmp_path / "rows.parquet")
    boards = [board("reward_bench", file) for file in [*files, tmp_path / "rows.parquet"]]
    assert [rows[0]["model"] for rows, _ in boards] == ["rows", "lab/m", "rows"]
    for scored, notes in boards:
        assert sections(scored) == {"all": None, "Chat": None, "Chat Hard": None, "Safety": 50, "Reasoning": 75}
        assert "no results of alpacaeval-easy" in notes


def test_rewards_are_compared_where_no_result_is_stored_and_equal_ones_are_wrong(tmp_path):
    rewards = [(1.5, 1.0), (1.0, 1.0), ([0.25], [0.5])]
    rows = [{"subset": "hep-go", "scores_chosen": chosen, "scores_rejected": other} for chosen, other in rewards]
    scored, _ = board("reward_bench", lines(tmp_path / "rows.jsonl", rows))
    assert sections(scored)["Reasoning"] == pytest.approx(100 / 3)


def best(subset, result, **given):
    return {"id": "1", "subset": subset, "results": result} | given


def tied(form, scores, correct):
    return {"id": f"{form}:0", "subset": "Ties", "results": None, "num_correct": correct, "scores": scores}


def test_reward_bench_2_is_the_mean_of_six_subsets(tmp_path):
    names = ("Factuality", "Precise IF", "Math", "Safety", "Focus")
    rows = [best(name, result) for name in names for result in (1, 0, 0.25)]
    rows.append({"subset": "Math", "scores": [2, [2], 1, 0]})
    rows += [tied("tied", [5, 5, 1], 2), tied("ref", [5, 1], 1)]
    scored, notes = board("reward_bench_2", lines(tmp_path / "rows.jsonl", rows))
    by_subset = {row["subset"]: row["score"] for row in scored}
    assert by_subset["Math"] == pytest.approx(100 * 1.75 / 4)
    assert by_subset["Ties"] == pytest.approx(101)
    assert by_subset[None] == pytest.approx((4 * 100 * 1.25 / 3 + by_subset["Math"] + 101) / 6)
    assert not notes
    part, notes = board("reward_bench_2", lines(tmp_path / "part.jsonl", rows[:3]))
    assert part[0]["score"] is None
    assert "no results of Precise IF, Math, Safety, Focus, Ties" in notes


@pytest.mark.parametrize(
    ("protocol", "rows", "problem"),
    [
        ("reward_bench", [best("Factuality", 1)], "Try `arena judge score reward_bench_2`"),
        ("reward_bench_2", [best("hep-go", 1)], "Try `arena judge score reward_bench`"),
        ("reward_bench", [best("hep-go", 2)], "row 0: results is 2. Expected a number from 0 to 1"),
        ("reward_bench", [{"subset": "hep-go"}], "row 0: no scores_chosen"),
        ("reward_bench", [{"id": 1}, {"id": 2}], "row 0: no subset"),
        ("reward_bench_2", [{"subset": "Math", "scores": [1]}], "row 0: scores is [1]"),
        (
            "reward_bench_2",
            [{"subset": "Math", "scores": [1, "x"]}],
            "row 0: scores is 'x'. Expected a finite number",
        ),
        ("reward_bench_2", [tied("tied", [5, 5, 1], 2)] * 2, "the id tied:0 occurs twice"),
        ("reward_bench_2", [tied("tied", [5, 5, 1], 0)], "num_correct is 0"),
    ],
)
def test_rows_that_cannot_be_scored_are_named(tmp_path, protocol, rows, problem):
    file = lines(tmp_path / "rows.jsonl", rows)
    message = refused(protocol, file)
    assert message.startswith(f"error: {file}: ")
    assert problem in message


@pytest.mark.parametrize(
    ("protocol", "content", "problem"),
    [
        ("reward_bench", {"a": 1}, "no results of subsets such as"),
        ("reward_bench", {"hep-go": 7}, "hep-go is 7. Expected a share"),
        ("reward_bench", {"subset": ["hep-go"], "results": [1, 0]}, "subset has 1, results has 2"),
        ("reward_bench_2", {"Math": 0.5}, "results by subset without prompts"),
    ],
)
def test_objects_that_are_no_results_are_named(tmp_path, protocol, content, problem):
    (tmp_path / "file.json").write_text(json.dumps(content, indent=1))
    assert problem in refused(protocol, tmp_path / "file.json")
