"""Runs in the shared schema of Every Eval Ever have what it requires, and come back equal."""

from __future__ import annotations

import hashlib
import json
import uuid

import pytest

from arena.exchange.export_runs import export_runs
from arena.prompt_sets.completion_import import CompletionFiles, import_completions
from arena.store.prompts import add_completion, add_prompt_set, completions_of, prompts_of
from arena.store.verdicts import add_score
from judges import Score
from tests.support.arenas import new_file
from tests.support.sample_runs import MODELS, PROMPTS, content, files


@pytest.fixture
def scored(judged_set):
    """The set with only prompts that have scores."""
    with judged_set.write() as session:
        add_prompt_set(session, "scored", "test", "1" * 64, PROMPTS[:2])
        for prompt in prompts_of(session, "scored"):
            for model in MODELS:
                add_completion(session, prompt.id, model, f"{model} ✓", earlier=["An oak."] * (prompt.turns - 1))
        for completion in completions_of(session, "scored").values():
            add_score(session, "judge:j", "d", completion.id, Score(5.0, "so so"))
    return judged_set


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
def test_every_eval_ever_has_each_required_field(judged_set, benchmark_runs, tmp_path, given):
    export_runs(benchmark_runs, tmp_path / "out", "every_eval_ever", **given)
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


def test_every_eval_ever_says_which_samples_are_right_and_what_is_known_of_the_error(benchmark_runs, tmp_path):
    export_runs(benchmark_runs, tmp_path / "out", "every_eval_ever", runs="1")
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
