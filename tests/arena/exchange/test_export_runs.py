"""Judged sets and benchmark runs go out in the formats of other harnesses and come back equal."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import sys
import uuid

import pytest

from arena.errors import ConfigError
from arena.exchange.export_runs import export_runs
from arena.prompt_sets.completion_import import CompletionFiles, import_completions
from arena.prompt_sets.records import BadPromptFile
from arena.store.benchmarks import keep_run
from arena.store.prompts import NewPrompt, add_completion, add_prompt_set, completions_of, prompts_of
from arena.store.verdicts import NewVerdict, add_score, add_verdicts
from judges import Score
from tests.support.arenas import new_file
from tests.support.typed import Typed

MODELS = ("base", "org/good")
HAS_INSPECT = importlib.util.find_spec("inspect_ai") is not None
INSPECT = pytest.param("inspect", marks=pytest.mark.skipif(not HAS_INSPECT, reason="needs the extra 'inspect'"))
FORMATS = ("lm_eval", "evalscope", INSPECT)
FACTS = ("key", "messages", "category", "checklist", "reference", "extra")


def user(*texts: str) -> tuple[dict[str, str], ...]:
    return tuple({"role": "user", "content": text} for text in texts)


PROMPTS = [
    NewPrompt("k0", user("Why, über alles?"), "misc", ("is kind",), "Because."),
    NewPrompt("k1", user("Name a tree.", "And\nanother."), "writing", extra={"origin": "here"}),
    NewPrompt("k2", ({"role": "system", "content": "Be brief."}, *user("[{世界")), "misc"),
    NewPrompt("k3", (*user("Hi"), {"role": "assistant", "content": "Ho"}, *user("And?")), "talk"),
]


@pytest.fixture
def judged(sqlite):
    """Four prompts of every shape, two models, and one judge's scores and verdicts on three of them."""
    with sqlite.write() as session:
        add_prompt_set(session, "set", "test", "0" * 64, PROMPTS)
        stored = prompts_of(session, "set")
        for prompt in stored:
            for model in MODELS:
                earlier = ["An oak."] * (prompt.turns - 1)
                add_completion(session, prompt.id, model, f"{model} on\n {prompt.key} ✓", earlier=earlier)
        written = completions_of(session, "set")
        for number, prompt in enumerate(stored[:3]):
            a, b = (written[prompt.key, model] for model in MODELS)
            winner = ("model_b", "tie", "model_a")[number]
            verdict = NewVerdict(prompt, a, b, winner, (0.1, 0.5, 1.0)[number], 1, (winner, winner), "said so")
            add_verdicts(session, "judge:j", "d", [verdict])
            for completion, score in ((a, 4.0), (b, 7.0 + number)):
                add_score(session, "judge:j", "d", completion.id, Score(score, f"worth {score}"))
    return sqlite


RUN = {
    "task": "gsm8k", "dimension": "reasoning", "settings": "s", "config_hash": "c", "request_type": "generate",
    "options": {"shots": 5, "limit": 3}, "metric": "acc", "value": 1 / 3, "standard_error": 0.27, "lower": 0.06,
    "upper": 0.79, "scored": 1, "unparsed": 1, "failed": 1, "metrics": {"acc": 1 / 3, "strict": 0.0}, "subjects": {},
}  # fmt: skip


def outcome(number: int, status: str, reply: str, **more) -> dict:
    return {
        "number": number, "sample": f"s{number}", "subject": "sums", "cluster": "", "status": status, "metrics": "{}",
        "prompt": f"Question {number}?", "target": "42", "reply": reply, **more,
    }  # fmt: skip


@pytest.fixture
def benched(sqlite):
    """One run of three samples: right, unreadable, failed; and one by log-probabilities."""
    rows = [
        outcome(0, "scored", "It is 42.", answer="42", metrics='{"acc": 1.0, "strict": 0.0, "_length": 9.0}'),
        outcome(1, "unparsed", "Who knows?", reason="no number"),
        outcome(2, "failed", "", reason="timeout"),
    ]
    with sqlite.write() as session:
        keep_run(session, "org/m", RUN, rows)
        likely = {**RUN, "config_hash": "l", "request_type": "loglikelihood"}
        keep_run(session, "other", likely, [outcome(0, "scored", "", answer="A", metrics='{"acc": 0.0}')])
    return sqlite


def files(folder):
    """The files with samples: of Every Eval Ever, lm-eval, inspect and evalscope."""
    patterns = ("*_samples.jsonl", "samples_*.jsonl", "*.eval", "predictions/*/*.jsonl")
    return sorted(path for pattern in patterns for path in folder.rglob(pattern))


def content(database, name="set"):
    with database.read() as session:
        prompts = sorted(prompts_of(session, name), key=lambda prompt: prompt.key)
        written = {place: (*row.earlier, row.text) for place, row in completions_of(session, name).items()}
    return [[getattr(prompt, fact) for fact in FACTS] for prompt in prompts], written


@pytest.mark.parametrize("format_", FORMATS)
def test_a_judged_set_comes_back_equal(judged, tmp_path, format_):
    """Each shape of prompt: a reference and a checklist, two turns, a system message, a conversation."""
    done = export_runs(judged, tmp_path / "out", format_, prompts="set")
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
    assert content(other) == content(judged)
    again = import_completions(other, CompletionFiles(files(tmp_path / "out")), name)
    other.close()
    assert (again.total, again.there) == (0, 8)


@pytest.mark.parametrize("format_", FORMATS)
def test_completions_of_a_benchmark_run_can_be_judged(benched, tmp_path, format_):
    done = export_runs(benched, tmp_path / "out", format_, runs="1")
    assert (done.prompts, done.completions, done.verdicts) == (3, 2, 1)
    assert "1 samples have no text" in done.notes[0]
    read = import_completions(benched, CompletionFiles(files(tmp_path / "out")), "sums")
    assert (read.added, read.without) == ({"org/m": 2}, 1)
    prompts, written = content(benched, "sums")
    assert written == {("s0", "org/m"): ("It is 42.",), ("s1", "org/m"): ("Who knows?",)}
    assert [row[:3] + row[4:5] for row in prompts] == [
        [f"s{n}", user(f"Question {n}?"), "sums", "42"] for n in range(2)
    ]


@pytest.mark.parametrize("format_", FORMATS)
def test_a_run_by_log_probabilities_has_nothing_to_judge(benched, tmp_path, format_):
    export_runs(benched, tmp_path / "out", format_, runs="2")
    with pytest.raises(BadPromptFile, match="no sample has a completion"):
        import_completions(benched, CompletionFiles(files(tmp_path / "out")), "likely")


def test_lm_eval_files_have_the_fields_and_hashes_of_its_own(benched, tmp_path):
    export_runs(benched, tmp_path / "out", "lm_eval", runs="all")
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


def test_a_judges_scores_and_verdicts_are_values_of_the_samples(judged, tmp_path):
    export_runs(judged, tmp_path / "out", "lm_eval", prompts="set")
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


def test_evalscope_reads_predictions_reviews_and_the_report(benched, tmp_path):
    export_runs(benched, tmp_path / "out", "evalscope", runs="1")
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


def test_a_judges_score_has_a_name_that_evalscope_accepts(judged, tmp_path):
    export_runs(judged, tmp_path / "out", "evalscope", prompts="set")
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
def test_a_log_of_inspect_has_scores_means_and_errors_of_failed_calls_alone(benched, tmp_path):
    from inspect_ai.log import read_eval_log

    export_runs(benched, tmp_path / "out", "inspect", runs="all")
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


def test_a_second_run_of_a_task_keeps_files_of_its_own(benched, tmp_path):
    with benched.write() as session:
        keep_run(
            session,
            "org/m",
            {**RUN, "config_hash": "again"},
            [outcome(0, "scored", "Yes.", metrics='{"acc": 0.0}')],
        )
    for format_, pattern in (("lm_eval", "org__m/samples_*"), ("evalscope", "predictions/org__m/*")):
        export_runs(benched, tmp_path / format_, format_, runs="1,3")
        assert len(list((tmp_path / format_).glob(pattern))) == 2


@pytest.fixture
def scored(judged):
    """The set with only prompts that have scores."""
    with judged.write() as session:
        add_prompt_set(session, "scored", "test", "1" * 64, PROMPTS[:2])
        for prompt in prompts_of(session, "scored"):
            for model in MODELS:
                add_completion(session, prompt.id, model, f"{model} ✓", earlier=["An oak."] * (prompt.turns - 1))
        for completion in completions_of(session, "scored").values():
            add_score(session, "judge:j", "d", completion.id, Score(5.0, "so so"))
    return judged


def test_every_eval_ever_has_what_its_schema_requires_and_comes_back(scored, tmp_path):
    export_runs(scored, tmp_path / "out", "every_eval_ever", prompts="scored")
    for samples in files(tmp_path / "out"):
        name = samples.name.removesuffix("_samples.jsonl")
        assert uuid.UUID(name).version == 4
        run = json.loads(samples.with_name(f"{name}.json").read_text())
        details = run["detailed_evaluation_results"]
        assert (tmp_path / "out" / details["file_path"]) == samples
        assert details["checksum"] == hashlib.sha256(samples.read_bytes()).hexdigest()
        rows = [json.loads(line) for line in samples.read_text().splitlines()]
        assert {row["evaluation_id"] for row in rows} == {run["evaluation_id"]}
        known = {result["evaluation_result_id"] for result in run["evaluation_results"]}
        assert {row["evaluation_result_id"] for row in rows} == known
        assert [row["interaction_type"] for row in rows] == ["single_turn", "multi_turn"]
        judge = run["evaluation_results"][0]["metric_config"]["llm_scoring"]["judges"][0]["model_info"]["name"]
        assert (judge, run["schema_version"]) == ("j", "0.3.0")
    other = new_file(tmp_path / "other.db")
    read = import_completions(other, CompletionFiles(files(tmp_path / "out")))
    assert (read.prompts, read.formats, read.there) == ("scored", ("every_eval_ever",), 0)
    before, after = content(scored, "scored"), content(other, "scored")
    other.close()
    assert after == before


# the required fields of the schema, version 0.3.0, by object; an item of a list has the list's name
RUN_FIELDS = {
    "": "schema_version evaluation_id retrieved_timestamp source_metadata model_info eval_library evaluation_results",
    "source_metadata": "source_type source_organization_name evaluator_relationship",
    "model_info": "name id additional_details",
    "additional_details": "deployment_type model_availability",
    "eval_library": "name version",
    "evaluation_results": "evaluation_name source_data metric_config score_details",
    "source_data": "dataset_name source_type",
    "metric_config": "lower_is_better min_score max_score",  # the last two for continuous scores
    "llm_scoring": "judges input_prompt",
    "score_details": "score",
    "confidence_interval": "lower upper",
    "standard_error": "value",
    "detailed_evaluation_results": "format file_path",
}
SAMPLE_FIELDS = {
    "": "schema_version evaluation_id model_id evaluation_name sample_id interaction_type input answer_attribution "
    "evaluation",
    "input": "raw reference",
    "output": "raw",
    "messages": "turn_idx role",
    "answer_attribution": "turn_idx source extracted_value extraction_method is_terminal",
    "evaluation": "score is_correct",
}


def missing(value, required, name="", inside=""):
    """Paths of required fields that an object lacks."""
    if isinstance(value, list):
        return [path for item in value for path in missing(item, required, name, inside)]
    if not isinstance(value, dict):
        return []
    fields = "" if (name, inside) == ("additional_details", "generation_config") else required.get(name, "")
    absent = [f"{name}.{field}" for field in fields.split() if field not in value]
    return absent + [path for key, inner in value.items() for path in missing(inner, required, key, name)]


@pytest.mark.parametrize("given", [{"prompts": "set"}, {"runs": "all"}])
def test_every_eval_ever_has_each_required_field(judged, benched, tmp_path, given):
    export_runs(benched, tmp_path / "out", "every_eval_ever", **given)
    for samples in files(tmp_path / "out"):
        run = json.loads(samples.with_name(samples.name.replace("_samples.jsonl", ".json")).read_text())
        assert missing(run, RUN_FIELDS) == []
        for line in samples.read_text().splitlines():
            row = json.loads(line)
            assert missing(row, SAMPLE_FIELDS) == []
            assert ("output" in row) == (row["interaction_type"] == "single_turn") == ("messages" not in row)
            assert all(isinstance(value, str) for value in row["metadata"].values())


def test_a_run_without_scores_has_no_place_in_every_eval_ever(sqlite, tmp_path):
    with sqlite.write() as session:
        add_prompt_set(session, "set", "test", "0" * 64, PROMPTS[:1])
        add_completion(session, prompts_of(session, "set")[0].id, "m", "Yes.")
    done = export_runs(sqlite, tmp_path / "out", "every_eval_ever", prompts="set")
    assert done.notes == ["1 runs skipped: they have no scores, which the schema needs"]


def test_every_eval_ever_says_which_samples_are_right_and_what_is_known_of_the_error(benched, tmp_path):
    export_runs(benched, tmp_path / "out", "every_eval_ever", runs="1")
    (file,) = (path for path in tmp_path.rglob("*.json"))
    run = json.loads(file.read_text())
    assert file.parent == tmp_path / "out/data/gsm8k/org/m"
    details = {
        result["metric_config"]["metric_name"]: result["score_details"] for result in run["evaluation_results"]
    }
    assert details["acc"]["uncertainty"]["standard_error"] == {"value": 0.27}
    assert details["acc"]["uncertainty"]["confidence_interval"]["upper"] == 0.79
    rows = [json.loads(line) for line in files(tmp_path)[0].read_text().splitlines()]
    assert [(row["evaluation"]["score"], row["evaluation"]["is_correct"]) for row in rows] == [
        (1.0, True),
        (0.0, False),
    ]
    assert rows[0]["answer_attribution"][0]["extracted_value"] == "42"


def test_inspect_needs_its_package(judged, tmp_path, monkeypatch):
    for name in ("inspect_ai", "inspect_ai.log"):
        monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(ConfigError, match=r"needs the extra 'inspect'.*pip install 'arena\[inspect\]'"):
        export_runs(judged, tmp_path / "out", "inspect", prompts="set")
    log = tmp_path / "log.eval"
    log.write_bytes(b"")
    with pytest.raises(BadPromptFile, match=r"log.eval: a log of inspect_ai needs the extra 'inspect'"):
        import_completions(judged, CompletionFiles([log]))
    assert not (tmp_path / "out").exists()


def test_what_there_is_to_choose_from_is_reported(benched, tmp_path):
    def refused(**given) -> str:
        with pytest.raises(ConfigError) as message:
            export_runs(benched, tmp_path / "out", "lm_eval", **given)
        return str(message.value)

    assert "needs either --prompts SET or --runs" in refused()
    assert "Benchmark run 7 not found. Runs: 1, 2." in refused(runs="7")
    assert "Give comma-separated run numbers" in refused(runs="x")
    assert "--judge is for --prompts" in refused(runs="1", judge="j")
    assert "Prompt set 'none' not found" in refused(prompts="none")
    with benched.write() as session:
        add_prompt_set(session, "empty", "t", "1" * 64, PROMPTS[:1])
    assert "No model has completions of 'empty'" in refused(prompts="empty")
    assert not (tmp_path / "out").exists()


def test_the_command(benched, tmp_path, monkeypatch, capsys):
    arena = Typed(monkeypatch, capsys)
    done = arena("export", "--format", "lm_eval", "--runs", "1", "--out", "a", folder=tmp_path)
    assert (done.returncode, "3 prompts, 2 completions, 1 scored samples" in done.stderr) == (0, True)
    assert [file.parent.name for file in files(tmp_path / "a")] == ["org__m"]
    wrong = arena("export", "--format", "mt_bench", "--runs", "1", "--out", "x", folder=tmp_path)
    assert (wrong.returncode, "--runs is for --format lm_eval" in wrong.stderr) == (2, True)
