"""`arena judge score`: published boards from stored verdicts, and what it says of files it cannot read."""

import csv
import io
import json
import shutil

import pytest

from arena.judging.published.scores import PROTOCOLS
from tests.support.published import published
from tests.support.typed import typed


def stored(*path):
    return published("judges", *path)


def run(*words):
    return typed("judge", "score", *words)


def board(*words):
    result = run(*words, "--format", "json")
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def refused(*words):
    result = run(*words)
    assert result.returncode == 2, result.stderr
    assert not result.stdout
    return result.stderr


def written(path, *records):
    lines = path.suffix == ".jsonl"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(map(json.dumps, records)) if lines else json.dumps(list(records)), encoding="utf-8")
    return path


def by_model(rows, name):
    return {row["model"]: row[name] for row in rows}


# --- published boards


@pytest.mark.slow
def test_alpaca_eval_gives_the_published_board():
    models = ["NullModel", "claude-2", "gpt4_gamed", "alpaca-7b", "gemma-2b-it", "gpt4_1106_preview"]
    baseline = stored("alpaca_eval", "gpt4_1106_preview")
    rows = board("alpaca_eval", *(stored("alpaca_eval", m) for m in models), "--baseline", baseline)
    assert list(rows[0]) == [
        "model", "win_rate", "standard_error", "n_wins", "n_draws", "n_total",
        "length_controlled_winrate", "lc_standard_error",
    ]  # fmt: skip
    with stored("alpaca_eval", "expected_leaderboard.csv").open(newline="") as file:
        expected = {row[""]: row for row in csv.DictReader(file)}
    assert by_model(rows, "model").keys() == set(models)
    for row in rows:
        line = expected[row["model"]]
        assert row["win_rate"] == pytest.approx(float(line["win_rate"]), abs=1e-9)
        assert row["standard_error"] == pytest.approx(float(line["standard_error"]), abs=1e-9)
        assert [row[n] for n in ("n_wins", "n_draws", "n_total")] == [
            int(line[n]) for n in ("n_wins", "n_draws", "n_total")
        ]
        assert row["length_controlled_winrate"] == pytest.approx(
            float(line["length_controlled_winrate"]), abs=0.15
        )


def test_arena_hard_gives_the_published_ratings():
    rows = board("arena_hard", stored("arena_hard", "arena_hard_battles.jsonl"))
    assert list(rows[0]) == ["model", "rating", "lower", "upper", "judged", "unparsed"]
    assert by_model(rows, "rating") == pytest.approx(
        {
            "claude-3-5-sonnet-20240620": 1357.85,
            "gpt-4o": 1327.53,
            "gpt-4o-mini": 1241.45,
            "claude-3-opus-20240229": 1199.98,
            "claude-3-haiku-20240307": 1000,
        },
        abs=0.005,
    )
    assert all(row["lower"] < row["rating"] < row["upper"] for row in rows[:-1])
    rated = [stored("arena_hard", "single_rating", f"{m}.jsonl") for m in ("claude-1", "gpt-3.5-turbo")]
    assert by_model(board("arena_hard", *rated), "rating") == pytest.approx(
        {"claude-1": 6.2248, "gpt-3.5-turbo": 6.7592}, abs=5e-5
    )
    assert by_model(board("arena_hard", *rated), "unparsed") == {"claude-1": 2, "gpt-3.5-turbo": 1}


def test_wildbench_gives_the_published_scores():
    rows = board(
        "wildbench", *(stored("wildbench", "score.v2", f"{m}.json") for m in ("gemma-2b-it", "reka-edge"))
    )
    assert list(rows[0]) == [
        "model", "score", "adjusted_score", "task_macro_score", "task_categorized_scores", "total",
    ]  # fmt: skip
    expected = json.loads(stored("wildbench", "expected_score.json").read_text())
    assert [row["model"] for row in rows] == ["reka-edge", "gemma-2b-it"]
    for row in rows:
        for name in ("score", "adjusted_score", "total"):
            assert row[name] == expected[row["model"]][name]


GPT4 = {"gpt4": 0.85625, "claude": 0.70859375, "vicuna-13b": 0.3484375, "gpt35": 0.3421875, "bard": 0.24453125}
PEOPLE = {"gpt4": 0.821875, "claude": 0.6890625, "vicuna-13b": 0.3890625, "gpt35": 0.3140625, "bard": 0.2859375}


def test_prd_gives_the_published_win_rates():
    rows = board("prd", stored("prd", "vicuna80"))
    assert list(rows[0]) == ["judge", "model", "win_rate", "judged"]
    assert by_model([row for row in rows if row["judge"] == "gpt4"], "win_rate") == GPT4
    assert by_model([row for row in rows if row["judge"] == "human"], "win_rate") == PEOPLE
    assert by_model(board("prd", stored("prd", "vicuna80", "ratings-human")), "win_rate") == PEOPLE


def test_peers_that_score_better_weigh_more():
    rows = board("prd", stored("prd", "vicuna80"), "--peer")
    peer = [row for row in rows if row["judge"] == "peer"]
    assert [row["model"] for row in peer] == ["gpt4", "claude", "vicuna-13b", "gpt35", "bard"]
    weights = {row["model"]: row["weight"] for row in peer if row["weight"] is not None}
    assert set(weights) == {"gpt4", "gpt35", "vicuna-13b"}
    assert sum(weights.values()) == pytest.approx(1)
    assert weights["gpt4"] > 0.7


def test_a_judges_folder_may_have_any_name(tmp_path):
    shutil.copytree(stored("prd", "vicuna80", "ratings-gpt4"), tmp_path / "verdicts")
    assert by_model(board("prd", tmp_path / "verdicts"), "win_rate") == GPT4


def test_two_files_of_one_pair_are_noted(tmp_path):
    for name in ("answer_a-vs-answer_b-j-reviewer.jsonl", "answer-a-vs-answer-b-j-reviewer.jsonl"):
        (tmp_path / "ratings-j").mkdir(exist_ok=True)
        (tmp_path / "ratings-j" / name).write_text('{"question_id": 1, "score": 1}')
    scored = PROTOCOLS["prd"]([tmp_path])
    assert [(row["model"], row["judged"]) for row in scored.rows] == [("a", 1), ("b", 1)]
    assert "2 files of a against b" in scored.notes[0]
    assert PROTOCOLS["prd"]([tmp_path, tmp_path / "ratings-j"]).rows == scored.rows


# --- made by hand


def alpaca_folder(path, preferences=(1.0, 2.0, 1.5), outputs=None):
    rows = [
        {"instruction": f"i{i}", "output_1": "base", "output_2": "mine", "generator_1": "b", "preference": p}
        for i, p in enumerate(preferences)
    ]
    written(path / "annotations.json", *rows)
    written(
        path / "model_outputs.json", *[{"instruction": f"i{i}", "output": "mine"} for i in range(outputs or 3)]
    )
    return path


def test_without_difficulties_there_is_no_length_control_and_it_says_what_is_missing(tmp_path):
    result = run(
        "alpaca_eval", alpaca_folder(tmp_path / "m", (1.0, 2.0, 1.5, None), outputs=6), "--format", "json"
    )
    (row,) = json.loads(result.stdout)
    assert (row["win_rate"], row["n_total"], row["length_controlled_winrate"]) == (50, 3, None)
    assert "no length control without" in result.stderr
    assert "ae_instruction_difficulty.csv" in result.stderr
    assert "1 without a readable verdict, not scored" in result.stderr
    assert "4 of 6 outputs were judged" in result.stderr


def with_difficulties(home, table=None, sums="# sums\n0.1 0.2 0.3 0.4\n", versions="i0"):
    import hashlib

    keys = [hashlib.sha1(f"i{i}".encode()).hexdigest()[:12] for i in range(3)]
    lines = [f"{i},{key},{i / 2}" for i, key in enumerate(keys)]
    default = "\n".join(["index,instruction_sha1_12,instruction_difficulty", *lines])
    (home / "ae_instruction_difficulty.csv").write_text(table or default)
    (home / "ae_gamed_suffstats.txt").write_text(sums)
    for name in ("b", "b_verbose", "b_concise"):
        written(
            home / name / "model_outputs.json", {"instruction": "i0" if name == "b" else versions, "output": name}
        )
    return home


def test_an_instruction_without_a_difficulty_leaves_length_control_out(tmp_path):
    folder = alpaca_folder(with_difficulties(tmp_path) / "m", (1.0, 2.0, 1.5, 1.0))
    result = run("alpaca_eval", folder)
    assert result.returncode == 0
    assert "1 of 4 instructions have no difficulty" in result.stderr


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        ({"table": "a,b\n1,2"}, "Expected columns instruction_sha1_12"),
        ({"sums": "1 2 3"}, "3 numbers. Expected four"),
        ({"sums": "1 2 3 x"}, "Expected four numbers"),
        ({"versions": "elsewhere"}, "instruction 'elsewhere' is missing in"),
    ],
)
def test_broken_inputs_of_length_control_are_named(tmp_path, broken, problem):
    folder = alpaca_folder(with_difficulties(tmp_path, **broken) / "m")
    assert problem in refused("alpaca_eval", folder)


def test_tasks_come_from_a_file_of_prompts(tmp_path):
    prompts = written(tmp_path / "bench.jsonl", {"id": "p", "primary_tag": "Math", "secondary_tags": []})
    row = {"session_id": "p", "model_test": "lab/m", "score": "8", "model_output": "x"}
    scores = written(tmp_path / "m.json", row, {**row, "session_id": "q", "score": None})
    (line,) = board("wildbench", scores, prompts)
    assert line["task_categorized_scores"] == {"Math & Data Analysis": 6}
    assert line["total"] == 1
    assert "Add a file of scores" in refused("wildbench", prompts)
    assert "tag 'x'" in refused(
        "wildbench", written(tmp_path / "b.jsonl", {"primary_tag": "x", "secondary_tags": []})
    )


def game(uid, first, second):
    return {"uid": uid, "model": "m", "baseline": "b", "games": [{"score": first}, {"score": second}]}


def test_labelled_games_give_a_win_rate_with_an_interval_by_prompt(tmp_path):
    file = written(
        tmp_path / "j.jsonl", game("q1", "B>>A", "A>B"), game("q2", "A>B", "B>A"), game("q3", "??", "A=B")
    )
    (row,) = board("arena_hard", file)
    assert row["win_rate"] == pytest.approx(100 * (3 + 1 + 0.5) / 7)
    assert row["lower"] < row["win_rate"] < row["upper"]
    assert (row["judged"], row["unparsed"]) == (5, 1)
    (alone,) = board("arena_hard", written(tmp_path / "one.jsonl", game("q1", "A>B", "A>B")))
    assert alone["lower"] is None


def battle(a, b, winner, question="q"):
    return {"model_a": a, "model_b": b, "winner": winner, "question_id": question}


def test_a_baseline_that_does_not_stand_first_everywhere_is_named_by_hand(tmp_path):
    rows = [battle("x", "y", "model_a", 1), battle("y", "x", "model_a", 2), battle("x", "y", "tie", 3)]
    file = written(tmp_path / "b.jsonl", *rows)
    assert "Choose the baseline with --baseline MODEL" in refused("arena_hard", file)
    assert by_model(board("arena_hard", file, "--baseline", "y"), "rating") == pytest.approx(
        {"x": 1000, "y": 1000}
    )
    assert "'z' is not among" in refused("arena_hard", file, "--baseline", "z")


def test_order_of_rows_changes_no_rating(tmp_path):
    lines = stored("arena_hard", "arena_hard_battles.jsonl").read_text().splitlines()
    (tmp_path / "r.jsonl").write_text("\n".join(reversed(lines)))
    once = board("arena_hard", stored("arena_hard", "arena_hard_battles.jsonl"))
    assert by_model(board("arena_hard", tmp_path / "r.jsonl"), "rating") == pytest.approx(by_model(once, "rating"))


def test_mt_bench_gives_scores_by_turn(tmp_path):
    rows = [
        {"question_id": 1, "model": "m", "turn": turn, "judgment": text, "score": -1}
        for turn, text in ((1, "[[8]]"), (2, "[[5]] or [[9]]"))
    ]
    (row,) = board("mt_bench", written(tmp_path / "s.jsonl", *rows))
    assert row == {
        "model": "m", "score": 8, "first_turn": 8, "second_turn": None, "judged": 1, "unparsed": 1,
    }  # fmt: skip


def test_csv_and_table_show_the_same_rows(tmp_path):
    prompts = written(tmp_path / "bench.jsonl", {"id": "p", "primary_tag": "Math", "secondary_tags": []})
    row = {"session_id": "p", "model_test": "lab/m", "score": "8", "model_output": "x"}
    file = written(tmp_path / "m.json", row)
    (line,) = csv.DictReader(io.StringIO(run("wildbench", file, prompts, "--format", "csv").stdout))
    assert (line["model"], line["score"]) == ("m", "8.0")
    assert json.loads(line["task_categorized_scores"]) == {"Math & Data Analysis": 6}
    assert "8.0000" in run("wildbench", file).stdout


def test_a_model_that_won_everything_has_no_rating_and_stands_last(tmp_path):
    rows = [battle("b", "x", "model_b"), battle("b", "y", "model_a"), battle("b", "y", "model_b")]
    lines = board("arena_hard", written(tmp_path / "b.jsonl", *rows))
    assert [(line["model"], line["rating"]) for line in lines if line["rating"] is None] == [("x", None)]
    assert lines[-1]["model"] == "x"


def test_a_models_name_may_hold_a_slash(tmp_path):
    rows = [battle("lab/b", "x", "model_a"), battle("x", "lab/b", "model_a")]
    lines = board("arena_hard", written(tmp_path / "b.jsonl", *rows), "--baseline", "lab/b")
    assert by_model(lines, "rating") == pytest.approx({"lab/b": 1000, "x": 1000})


def test_a_broken_row_in_the_second_file_names_that_file(tmp_path):
    good = {"question_id": 1, "model": "m", "turn": 1, "score": 8}
    files = [written(tmp_path / "1.jsonl", good), written(tmp_path / "2.jsonl", {**good, "turn": 3})]
    assert f"{files[1]}: row 0: turn 3" in refused("mt_bench", *files)
    files[1] = written(tmp_path / "2.jsonl", {**good, "turn": 2, "score": 4})
    (row,) = board("mt_bench", *files)
    assert (row["score"], row["judged"]) == (6, 2)


# --- what cannot be read


@pytest.mark.parametrize(
    ("protocol", "text", "problem"),
    [
        ("wildbench", "", "the file has no verdicts"),
        ("wildbench", "[]", "the file has no verdicts"),
        ("wildbench", '[{"a": 1},\n{"b": ', "line 2: "),
        ("wildbench", "[1]", "row 0 is not an object. Expected one object"),
        ("mt_bench", '{"a": 1}\n{"b"', "line 2: "),
        ("mt_bench", "7", "line 1 is not an object. Expected one JSON object"),
        ("mt_bench", '{"question_id": 1}', "row 0: no turn. Its fields are: question_id"),
        ("mt_bench", '{"question_id": 1, "turn": 3, "model": "m"}', "row 0: turn 3"),
        ("wildbench", '{"judgment": "[[7]]", "turn": 1}', "Run `arena judge score mt_bench"),
        ("arena_hard", '{"session_id": "p", "model_test": "m"}', "Run `arena judge score wildbench"),
        ("arena_hard", '{"winner": "tie"}', "row 0: no model_a"),
        ("arena_hard", json.dumps(battle("a", "b", "nobody")), "winner 'nobody'"),
        ("arena_hard", json.dumps(battle("a", ["b"], "tie")), "row 0: model_b is ['b']. Expected text."),
    ],
)
def test_a_file_of_another_protocol_is_named_in_the_error(tmp_path, protocol, text, problem):
    file = tmp_path / "file.json"
    file.write_text(text)
    message = refused(protocol, file)
    assert message.startswith(f"error: {file}: ")
    assert problem in message


def test_annotations_against_another_baseline_are_not_scored_with_this_one(tmp_path):
    other = {"instruction": "i0", "output": "x", "generator": "someone"}
    written(tmp_path / "someone" / "model_outputs.json", other)
    folder = alpaca_folder(tmp_path / "m")
    message = refused("alpaca_eval", folder, "--baseline", tmp_path / "someone")
    assert "annotations.json: row 0: judged against b. Give the folder of b as --baseline." in message


def test_missing_files_and_folders_are_errors(tmp_path):
    assert "cannot be read (No such file" in refused("wildbench", tmp_path / "none.json")
    assert "no such folder. Give a folder with model_outputs.json" in refused("alpaca_eval", tmp_path / "none")
    assert "no such folder. Give a folder of files" in refused("prd", tmp_path / "none")
    assert "model_outputs.json: cannot be read (No such file" in refused("alpaca_eval", tmp_path)
    assert "no comparisons to score. Give a folder of files answer_X-vs-answer_Y" in refused("prd", tmp_path)
    (tmp_path / "latin.json").write_bytes(b"\xff\xfe")
    assert "not UTF-8" in refused("mt_bench", tmp_path / "latin.json")


def test_bad_preferences_and_scores_name_file_and_row(tmp_path):
    assert "annotations.json: row 1: preference 7" in refused(
        "alpaca_eval", alpaca_folder(tmp_path / "m", (1.0, 7))
    )
    written(tmp_path / "p" / "answer_x-vs-answer_y-j-reviewer.jsonl", {"question_id": 1, "score": "best"})
    assert "row 0: score 'best'" in refused("prd", tmp_path / "p")
    written(tmp_path / "q" / "x.jsonl", {"question_id": 1, "score": 1})
    assert "the file name does not name the models" in refused("prd", tmp_path / "q")


def test_wrong_use_is_exit_code_2(tmp_path):
    assert "--peer needs the protocol prd" in refused("wildbench", tmp_path, "--peer")
    assert "--baseline needs the protocol alpaca_eval or arena_hard" in refused("prd", tmp_path, "--baseline", "x")
    refused("chess", tmp_path)


def test_peer_without_a_judge_among_the_models_is_reported(tmp_path):
    written(tmp_path / "ratings-j" / "answer_x-vs-answer_y-j-reviewer.jsonl", {"question_id": 1, "score": 1})
    problem = "No judge is one of the models. Give a judge that is; the judges are: j"
    assert problem in refused("prd", tmp_path, "--peer")


def test_pairs_of_wildbench_give_a_reward_with_and_without_the_length_penalty(tmp_path):
    def row(winner, extent, size):
        outputs = {"mine": "m" * size, "gpt-4-turbo-2024-04-09": "g" * 10}
        return {"session_id": "s", "model_A": "mine", "model_B": "gpt-4-turbo-2024-04-09", "winner": winner,
                "extent": extent, "model_outputs": outputs}  # fmt: skip

    pairs = [row("mine", 2, 900), row("mine", 1, 900), row("tie", 0, 9), row("gpt-4-turbo-2024-04-09", 1, 9)]
    (found,) = board("wildbench", written(tmp_path / "pairs.jsonl", *pairs))
    assert (found["model"], found["reference"]) == ("mine", "gpt-4-turbo-2024-04-09")
    assert found["reward"] == pytest.approx(100 * (1 + 0.5 - 0.5) / 4)
    assert found["reward_500"] == pytest.approx(100 * (1 - 0.5) / 4)
    pairs[2]["model_A"] = "other"
    assert "row 2" in refused("wildbench", written(tmp_path / "mixed.jsonl", *pairs))


def test_pairs_of_mt_bench_give_win_rates(tmp_path):
    rows = [{"question_id": n, "model_1": "x", "model_2": "y", "g1_winner": "model_1", "g2_winner": second}
            for n, second in enumerate(["model_1", "tie", "error"])]  # fmt: skip
    x, y = board("mt_bench", written(tmp_path / "pairs.jsonl", *rows))
    assert (x["model"], x["win_rate"], x["unparsed"]) == ("x", 0.75, 1)
    assert y["win_rate"] == 0.25
