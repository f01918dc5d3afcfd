"""Judged sets and benchmark runs go out in the formats of other harnesses and come back equal."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import sys

import pytest

from arena.errors import ConfigError
from arena.exchange.export_runs import export_runs
from arena.prompt_sets.completion_import import CompletionFiles, import_completions
from arena.prompt_sets.records import BadPromptFile
from arena.store.benchmarks import keep_run
from arena.store.prompts import NewPrompt, add_completion, add_prompt_set, completions_of, prompts_of
from arena.store.verdicts import add_score
from judges import Score
from tests.support.arenas import new_file
from tests.support.sample_runs import MODELS, PROMPTS, RUN, content, files, outcome, user
from tests.support.typed import Typed

HAS_INSPECT = importlib.util.find_spec("inspect_ai") is not None
INSPECT = pytest.param("inspect", marks=pytest.mark.skipif(not HAS_INSPECT, reason="needs the extra 'inspect'"))
FORMATS = ("lm_eval", "evalscope", INSPECT)


@pytest.mark.parametrize("format_", FORMATS)
def test_a_judged_set_comes_back_equal(judged_set, tmp_path, format_):
    """Each shape of prompt: a reference and a checklist, two turns, a system message, a conversation."""
    done = export_runs(judged_set, tmp_path / "out", format_, prompts="set")
    assert (done.prompts, done.completions, done.verdicts, done.notes) == (4, 8, 6, [])
    other = new_file(tmp_path / "other.db")
    name = "set" if format_ == "evalscope" else None  # its files have the name of a category too
    read = import_completions(other, CompletionFiles(files(tmp_path / "out")), name)
    assert (read.prompts, read.formats, read.added, read.without) == (
        "set",
        (format_,),
        dict.fromkeys(MODELS, 4),
        0,
    )
    assert content(other) == content(judged_set)
    again = import_completions(other, CompletionFiles(files(tmp_path / "out")), name)
    other.close()
    assert (again.total, again.there) == (0, 8)


@pytest.mark.parametrize("format_", FORMATS)
def test_completions_of_a_benchmark_run_can_be_judged(benchmark_runs, tmp_path, format_):
    done = export_runs(benchmark_runs, tmp_path / "out", format_, runs="1")
    assert (done.prompts, done.completions, done.verdicts) == (3, 2, 1)
    assert "1 samples have no text" in done.notes[0]
    read = import_completions(benchmark_runs, CompletionFiles(files(tmp_path / "out")), "sums")
    assert (read.added, read.without) == ({"org/m": 2}, 1)
    prompts, written = content(benchmark_runs, "sums")
    assert written == {("s0", "org/m"): ("It is 42.",), ("s1", "org/m"): ("Who knows?",)}
    assert [row[:3] + row[4:5] for row in prompts] == [
        [f"s{n}", user(f"Question {n}?"), "sums", "42"] for n in range(2)
    ]


@pytest.mark.parametrize("format_", FORMATS)
def test_a_run_by_log_probabilities_has_nothing_to_judge(benchmark_runs, tmp_path, format_):
    export_runs(benchmark_runs, tmp_path / "out", format_, runs="2")
    with pytest.raises(BadPromptFile, match="no sample has a completion"):
        import_completions(benchmark_runs, CompletionFiles(files(tmp_path / "out")), "likely")


def test_lm_eval_files_have_the_fields_and_hashes_of_its_own(benchmark_runs, tmp_path):
    export_runs(benchmark_runs, tmp_path / "out", "lm_eval", runs="all")
    folder = tmp_path / "out" / "org__m"
    (samples,) = folder.glob("samples_gsm8k_*.jsonl")
    results = json.loads(folder.joinpath(samples.name.replace("samples_gsm8k", "results")[:-1]).read_text())
    rows = [json.loads(line) for line in samples.read_text().splitlines()]
    assert [row["resps"] for row in rows] == [[["It is 42."]], [["Who knows?"]], [[]]]
    assert [row["filtered_resps"] for row in rows] == [["42"], ["Who knows?"], []]
    assert [(row["metrics"], row.get("acc")) for row in rows] == [(["acc", "strict"], 1.0), ([], None), ([], None)]
    assert rows[0]["arguments"]["gen_args_0"]["arg_0"] == "Question 0?"
    assert rows[0]["target_hash"] == hashlib.sha256(b"42").hexdigest()
    values = results["results"]["gsm8k"]
    assert (values["acc,none"], values["acc_stderr,none"], values["strict_stderr,none"]) == (1 / 3, 0.27, "N/A")
    assert (results["model_name"], results["n-shot"], results["n-samples"]["gsm8k"]["effective"]) == (
        "org/m",
        {"gsm8k": 5},
        3,
    )
    hashes = "".join(row["doc_hash"] + row["prompt_hash"] + row["target_hash"] for row in rows)
    assert results["task_hashes"] == {"gsm8k": hashlib.sha256(hashes.encode()).hexdigest()}


def test_a_judges_scores_and_verdicts_are_values_of_the_samples(judged_set, tmp_path):
    export_runs(judged_set, tmp_path / "out", "lm_eval", prompts="set")
    by_model = {}
    for file in files(tmp_path / "out"):
        by_model[file.parent.name] = [json.loads(line) for line in file.read_text().splitlines()]
    assert [row.get("score") for row in by_model["org__good"]] == [7.0, 8.0, 9.0, None]
    assert [row.get("win_rate") for row in by_model["org__good"]] == [1.0, 0.5, 0.0, None]
    assert [row.get("win_rate") for row in by_model["base"]] == [0.0, 0.5, 1.0, None]
    assert by_model["base"][0]["verdicts"] == [
        {"opponent": "org/good", "win": 0.0, "preference": 0.1, "reason": "said so"}
    ]
    (results,) = (tmp_path / "out" / "org__good").glob("results_*.json")
    values = json.loads(results.read_text())["results"]["set"]
    assert (values["score,none"], values["win_rate,none"]) == (8.0, 0.5)
    assert values["score_stderr,none"] == pytest.approx(1 / 3**0.5)


def test_evalscope_reads_predictions_reviews_and_the_report(benchmark_runs, tmp_path):
    export_runs(benchmark_runs, tmp_path / "out", "evalscope", runs="1")
    out = tmp_path / "out"
    (predictions,), (reviews,) = (
        list(out.glob(f"{kind}/org__m/gsm8k_sums.jsonl")) for kind in ("predictions", "reviews")
    )
    rows = [json.loads(line) for line in predictions.read_text().splitlines()]
    assert [row["index"] for row in rows] == [0, 1, 2]
    assert [len(row["model_output"]["choices"]) for row in rows] == [1, 1, 0]
    assert rows[0]["messages"][-1] == {"role": "assistant", "content": "It is 42."}
    [review] = [json.loads(line) for line in reviews.read_text().splitlines()]
    score = review["sample_score"]["score"]
    assert (score["value"], score["main_score_name"]) == ({"acc": 1.0, "strict": 0.0}, "acc")
    assert (score["extracted_prediction"], review["target"], review["index"]) == ("42", "42", 0)
    report = json.loads((out / "reports/org__m/gsm8k.json").read_text())
    metric = report["metrics"][0]
    assert (report["score"], metric["name"], metric["score"], metric["num"]) == (1 / 3, "acc", 1 / 3, 2)


def test_a_judges_score_has_a_name_that_evalscope_accepts(judged_set, tmp_path):
    export_runs(judged_set, tmp_path / "out", "evalscope", prompts="set")
    report = json.loads((tmp_path / "out/reports/org__good/set.json").read_text())
    assert [(metric["name"], metric["score"]) for metric in report["metrics"]] == [
        ("judge_score", 8.0),
        ("win_rate", 0.5),
    ]
    subsets = report["metrics"][0]["categories"][0]["subsets"]
    assert {subset["name"]: (subset["score"], subset["num"]) for subset in subsets} == {
        "misc": (8.0, 2),
        "writing": (8.0, 1),
    }
    row = json.loads((tmp_path / "out/reviews/org__good/set_misc.jsonl").read_text().splitlines()[0])
    assert row["sample_score"]["score"]["value"] == {"judge_score": 7.0, "win_rate": 1.0}


@pytest.mark.skipif(not HAS_INSPECT, reason="needs the extra 'inspect'")
def test_a_log_of_inspect_has_scores_means_and_errors_of_failed_calls_alone(benchmark_runs, tmp_path):
    from inspect_ai.log import read_eval_log

    export_runs(benchmark_runs, tmp_path / "out", "inspect", runs="all")
    logs = {log.eval.model: log for log in map(read_eval_log, map(str, files(tmp_path / "out")))}
    log = logs["org/m"]
    assert (log.status, log.eval.task, log.eval.metadata["shots"]) == ("success", "gsm8k", 5)
    values = {name: metric.value for name, metric in log.results.scores[0].metrics.items()}
    assert values == {"mean": 1 / 3, "stderr": 0.27, "lower": 0.06, "upper": 0.79}
    assert (log.results.scores[0].scored_samples, log.results.scores[0].unscored_samples) == (1, 2)
    assert [(sample.id, sample.scores.get("acc")) for sample in log.samples[1:]] == [("s1", None), ("s2", None)]
    assert (log.samples[0].scores["acc"].value, log.samples[0].scores["acc"].answer) == (1.0, "42")
    assert [sample.error and sample.error.message for sample in log.samples] == [None, None, "timeout"]
    assert [sample.error for sample in logs["other"].samples] == [None]


def test_a_second_run_of_a_task_keeps_files_of_its_own(benchmark_runs, tmp_path):
    with benchmark_runs.write() as session:
        keep_run(
            session,
            "org/m",
            {**RUN, "config_hash": "again"},
            [outcome(0, "scored", "Yes.", metrics='{"acc": 0.0}')],
        )
    for format_, pattern in (("lm_eval", "org__m/samples_*"), ("evalscope", "predictions/org__m/*")):
        export_runs(benchmark_runs, tmp_path / format_, format_, runs="1,3")
        assert len(list((tmp_path / format_).glob(pattern))) == 2


@pytest.mark.parametrize("format_", [*FORMATS, "every_eval_ever"])
def test_names_that_are_paths_stay_in_the_folder_and_names_alike_stay_apart(sqlite, tmp_path, format_):
    names = ("..", "../up", "a/b", "a__b", ".hidden", "C:\\x")
    with sqlite.write() as session:
        prompts = [
            NewPrompt(str(n), user(f"{n}?"), category) for n, category in enumerate(("../up", "x/y", "x__y"))
        ]
        add_prompt_set(session, "../set", "test", "0" * 64, prompts)
        for prompt in prompts_of(session, "../set"):
            for name in names:
                add_completion(session, prompt.id, name, f"{name} {prompt.key}")
        for completion in completions_of(session, "../set").values():
            add_score(session, "judge:j", "d", completion.id, Score(5.0, ""))
    outer = tmp_path / "outer"
    export_runs(sqlite, outer / "out", format_, prompts="../set")
    assert [path.name for path in outer.iterdir()] == ["out"]
    other = new_file(tmp_path / "other.db")
    read = import_completions(other, CompletionFiles(files(outer / "out")), "set")
    after = content(other, "set")[1]
    other.close()
    assert (read.total, after) == (18, content(sqlite, "../set")[1])


def test_inspect_needs_its_package(judged_set, tmp_path, monkeypatch):
    for name in ("inspect_ai", "inspect_ai.log"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ConfigError, match=r"needs the extra 'inspect'.*pip install 'arena\[inspect\]'"):
        export_runs(judged_set, tmp_path / "out", "inspect", prompts="set")
    log = tmp_path / "log.eval"
    log.write_bytes(b"")
    with pytest.raises(BadPromptFile, match=r"log.eval: a log of inspect_ai needs the extra 'inspect'"):
        import_completions(judged_set, CompletionFiles([log]))
    assert not (tmp_path / "out").exists()


def test_what_there_is_to_choose_from_is_reported(benchmark_runs, tmp_path):
    def refused(**given) -> str:
        with pytest.raises(ConfigError) as message:
            export_runs(benchmark_runs, tmp_path / "out", "lm_eval", **given)
        return str(message.value)

    assert "needs either --prompts SET or --runs" in refused()
    assert "Benchmark run 7 not found. Runs: 1, 2." in refused(runs="7")
    assert "Give comma-separated run numbers" in refused(runs="x")
    assert "--judge is for --prompts" in refused(runs="1", judge="j")
    assert "Prompt set 'none' not found" in refused(prompts="none")
    with benchmark_runs.write() as session:
        add_prompt_set(session, "empty", "t", "1" * 64, PROMPTS[:1])
    assert "No model has completions of 'empty'" in refused(prompts="empty")
    assert not (tmp_path / "out").exists()


def test_the_command(benchmark_runs, tmp_path, monkeypatch, capsys):
    arena = Typed(monkeypatch, capsys)
    done = arena("export", "--format", "lm_eval", "--runs", "1", "--out", "a", folder=tmp_path)
    assert (done.returncode, "3 prompts, 2 completions, 1 scored samples" in done.stderr) == (0, True)
    assert [file.parent.name for file in files(tmp_path / "a")] == ["org__m"]
    wrong = arena("export", "--format", "mt_bench", "--runs", "1", "--out", "x", folder=tmp_path)
    assert (wrong.returncode, "--runs is for --format lm_eval" in wrong.stderr) == (2, True)
