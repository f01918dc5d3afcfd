"""Task files of lm-evaluation-harness: what it found, sample by sample, and what is refused."""

import json
from pathlib import Path

import pytest

from arena.benchmarking.lm_eval.task import task_from_yaml
from arena.benchmarking.selection import SelectionOptions, select
from arena.benchmarking.task_specs import task_specs
from arena.errors import ConfigError
from benchmarks.data import DataSources
from benchmarks.errors import BadData
from benchmarks.report import report
from benchmarks.task import RequestType, Status

FOLDER = Path(__file__).parent / "lm_eval_tasks"
# made by lm_eval 0.4.13 with SmolLM2 135M: reproduce/lm_eval_files.py --files … --record …
RECORDED = json.loads((FOLDER / "recorded.json").read_text(encoding="utf-8"))


def selected(path, **options):
    return select(task_specs([str(path)])[0], DataSources(hub=False), SelectionOptions(**options))


def text(content):
    return {"choices": [{"message": {"content": content}, "finish_reason": "length"}]}


def replies(recorded):
    """The recorded replies in the shape of an endpoint's."""
    if recorded["replies"]:
        return [text(content) for content in recorded["replies"]]
    pairs = zip(recorded["logprobs"], recorded["greedy"], strict=True)
    return [{"logprob": logprob, "greedy": greedy, "tokens": 1} for logprob, greedy in pairs]


@pytest.mark.parametrize("name", RECORDED)
def test_requests_answers_and_metrics_of_every_sample_are_those_of_lm_eval(name):
    chosen = selected(FOLDER / f"{name}.yaml")
    task, examples = chosen.task, chosen.examples()
    [request_type] = task.request_types
    assert len(chosen.samples) == len(RECORDED[name])
    for sample, recorded in zip(chosen.samples, RECORDED[name], strict=True):
        built = task.requests(sample, examples(sample), request_type)
        if request_type is RequestType.GENERATE:
            pairs = [[body["messages"][0]["content"], ""] for body in built]
            filtered = [chain.apply(recorded["replies"], sample.fields["doc"]) for chain in task.file.filters]
            assert filtered == recorded["answers"]
        else:
            pairs = [[body["context"], body["continuation"]] for body in built]
        assert pairs == recorded["requests"]
        outcome = task.score(sample, replies(recorded), request_type)
        values = {name: value for name, value in outcome.metrics.items() if not name.startswith("_")}
        values.pop("logprob", None)
        if outcome.status is Status.UNPARSED:
            values[task.metric] = 0.0  # the worst value counts
        assert values == pytest.approx(recorded["metrics"], abs=1e-6)


def test_a_table_of_all_recorded_samples_has_the_aggregates():
    chosen = selected(FOLDER / "last_word.yaml")
    found = [
        chosen.task.score(sample, replies(recorded), RequestType.LOGLIKELIHOOD)
        for sample, recorded in zip(chosen.samples, RECORDED["last_word"], strict=True)
    ]
    made = report(chosen.task, chosen.samples, found)
    mean = sum(recorded["logprobs"][0] for recorded in RECORDED["last_word"]) / len(found)
    assert made.value == pytest.approx(2.718281828459045**-mean)


@pytest.fixture
def task_file(tmp_path):
    """A function that writes a task file of these keys, over those of a small task, and gives its path."""
    (tmp_path / "rows.jsonl").write_text(
        '{"q": "one?", "a": "1", "options": ["1", "2"]}\n{"q": "two?", "a": "2", "options": ["1", "2"]}\n'
    )
    base = {
        "task": "small",
        "dataset_path": "json",
        "dataset_kwargs": {"data_files": {"test": "rows.jsonl"}},
        "test_split": "test",
        "output_type": "generate_until",
        "doc_to_text": "{{q}}",
        "doc_to_target": "{{a}}",
    }

    def write(text="", **keys):
        lines = [f"{key}: {json.dumps(value)}" for key, value in {**base, **keys}.items() if value is not ...]
        path = tmp_path / "small.yaml"
        path.write_text("\n".join([*lines, text]) + "\n")
        return path

    return write


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        (
            {"text": "process_docs: !function utils.rows"},
            "process_docs: !function utils.rows is not run.*data_files",
        ),
        (
            {"doc_to_text": ..., "text": "doc_to_text: !function utils.ask"},
            "doc_to_text: !function utils.ask is not run",
        ),
        ({"process_results": "x"}, "process_results: it is not supported"),
        ({"doc_to_imgae": "x"}, "doc_to_imgae: this key is unknown"),
        ({"output_type": "ranking"}, "output_type: 'ranking' is unknown"),
        ({"task": ["a", "b"]}, "this is a group"),
        ({"doc_to_target": ...}, "doc_to_target: it is missing"),
        ({"output_type": "multiple_choice"}, "doc_to_choice: it is missing"),
        ({"metric_list": [{"metric": "bleu"}]}, "metric_list: bleu of generate_until is not supported"),
        ({"metric_list": [{"metric": "exact_match", "strip": True}]}, "exact_match has no option 'strip'"),
        ({"metric_list": [{"metric": "exact_match", "aggregation": "median"}]}, "exact_match by median"),
        ({"metric_list": [{"metric": "exact_match", "higher_is_better": False}]}, "higher_is_better must be true"),
        ({"generation_kwargs": {"num_beams": 4}}, "num_beams is not supported"),
        ({"generation_kwargs": {"do_sample": True}}, "do_sample has no temperature"),
        ({"filter_list": [{"name": "x", "filter": [{"function": "custom"}]}]}, "'custom' is not supported"),
        (
            {"filter_list": [{"name": "x", "filter": [{"function": "regex", "pattern": "x"}]}]},
            "regex has no option 'pattern'",
        ),
        (
            {"filter_list": [{"filter": [{"function": "take_first"}, {"function": "lowercase"}]}]},
            "lowercase stands after take_first",
        ),
        ({"filter_list": [{"name": "x", "filter": []}]}, "it has no steps"),
        ({"fewshot_config": {"sampler": "balanced"}}, "'balanced' is unknown"),
        ({"fewshot_config": {"shuffle": True}}, "shuffle is unknown"),
        ({"fewshot_config": {"process_docs": "x"}}, "fewshot_config.process_docs"),
        ({"test_split": ...}, "test_split: it is missing"),
        ({"fewshot_split": "dev", "num_fewshot": 1}, "data_files has no split 'dev'"),
        ({"dataset_kwargs": {"data_files": {"test": "gone.jsonl"}}}, "gone.jsonl not found"),
        ({"dataset_kwargs": {"data_files": {"test": "https://x.org/a.jsonl"}}}, "is an address"),
        ({"dataset_kwargs": {"data_files": {"test": "small.yaml"}}}, "type is not supported"),
        ({"dataset_kwargs": {}}, "data_files is missing"),
        ({"dataset_kwargs": {"data_files": "rows.jsonl", "field": "x"}}, "field is not supported"),
        ({"dataset_path": "some/where"}, "'some/where' reads no files"),
        ({"dataset_path": "some/where", "dataset_kwargs": {"streaming": True}}, "streaming is not supported"),
        ({"metadata": {"dimension": "cooking"}}, "'cooking' is unknown"),
        ({"include": "gone.yaml"}, "gone.yaml: File not found"),
        ({"include": "small.yaml"}, "The file includes itself"),
        ({"text": "a: ["}, "The file is not YAML"),
        ({"output_type": "loglikelihood", "generation_kwargs": {"until": ["x"]}}, "generates nothing"),
    ],
)
def test_what_would_change_a_result_is_an_error_that_names_it(task_file, keys, problem):
    with pytest.raises(ConfigError, match=problem):
        task_from_yaml(task_file(**keys))


def test_keys_without_effect_are_named_in_a_note(task_file):
    task = task_from_yaml(task_file(tag="mine", task_alias="Small"))
    assert len(task.notes) == 1
    assert task.notes[0].endswith("without effect here: tag, task_alias.")


def test_a_file_that_is_no_mapping_or_missing_is_an_error(tmp_path):
    (tmp_path / "list.yaml").write_text("- task: x\n")
    with pytest.raises(ConfigError, match="not a mapping"):
        task_specs([str(tmp_path / "list.yaml")])
    with pytest.raises(ConfigError, match="File not found"):
        task_specs([str(tmp_path / "none.yaml")])


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        (
            {"doc_to_target": "{{missing}}"},
            "rows.jsonl:1: The template.*'missing' is undefined.*the row has: q, a, options",
        ),
        ({"doc_to_target": "{{ q.__class__.__mro__ }}"}, "cannot be rendered"),
        ({"output_type": "multiple_choice", "doc_to_choice": "{{q}}"}, "renders as 'one\\?', which is no list"),
        (
            {"output_type": "multiple_choice", "doc_to_choice": "{{options}}", "doc_to_target": "{{q}}"},
            "is none of the 2",
        ),
        ({"output_type": "multiple_choice", "doc_to_choice": [1, 2]}, "Let it be a list of texts"),
    ],
)
def test_a_row_that_does_not_fit_is_named_with_its_line(task_file, keys, problem):
    with pytest.raises(ConfigError, match=problem):
        selected(task_file(**keys))


def test_the_definition_and_the_data_are_part_of_a_runs_settings(task_file):
    from arena.benchmarking.results import settings_of

    first = settings_of(selected(task_file()), None)
    assert first == settings_of(selected(task_file()), None)
    assert first["compat"] == "lm-eval"
    assert first != settings_of(selected(task_file(doc_to_text="Q: {{q}}")), None)
    path = task_file()
    (path.parent / "rows.jsonl").write_text('{"q": "three?", "a": "3", "options": ["1"]}\n')
    assert first != settings_of(selected(path), None)


def test_parquet_and_text_without_types_are_read(task_file):
    pyarrow = pytest.importorskip("pyarrow")
    from pyarrow import parquet

    path = task_file(dataset_path="parquet", dataset_kwargs={"data_files": {"test": "rows.parquet"}})
    parquet.write_table(pyarrow.table({"q": ["one?"], "a": ["1"]}), path.parent / "rows.parquet")
    assert [sample.target for sample in selected(path).samples] == ["1"]
    (path.parent / "rows.parquet").write_bytes(b"no table")
    with pytest.raises(ConfigError, match="The file is not Parquet"):
        selected(path)


def test_numbers_of_a_csv_are_numbers_as_in_lm_eval(task_file):
    path = task_file(
        dataset_path="csv",
        dataset_kwargs={"data_files": {"test": "rows.csv"}},
        output_type="multiple_choice",
        doc_to_choice=["no", "yes"],
        doc_to_target="label",
    )
    (path.parent / "rows.csv").write_text("q,label\nwell?,1\nill?,0\n")
    assert [sample.target for sample in selected(path).samples] == [1, 0]


def test_several_right_choices_count_each_and_several_completions_are_voted_on(task_file):
    several = {"output_type": "multiple_choice", "doc_to_choice": ["a", "b", "c"], "doc_to_target": "{{[0, 2]}}"}
    chosen = selected(task_file(**several))
    given = [{"logprob": value, "greedy": False, "tokens": 1} for value in (-9.0, -5.0, -1.0)]
    outcome = chosen.task.score(chosen.samples[0], given, RequestType.LOGLIKELIHOOD)
    assert outcome.metrics["acc"] == 1.0
    vote = [{"name": "vote", "filter": [{"function": "majority_vote"}, {"function": "take_first"}]}]
    sampled = {"generation_kwargs": {"do_sample": True, "temperature": 0.5}, "repeats": 3, "filter_list": vote}
    chosen = selected(task_file(**sampled))
    bodies = chosen.task.requests(chosen.samples[0], (), RequestType.GENERATE)
    assert [(body["seed"], body["temperature"]) for body in bodies] == [(0, 0.5), (1, 0.5), (2, 0.5)]
    outcome = chosen.task.score(chosen.samples[0], [text("2"), text("1"), text("1")], RequestType.GENERATE)
    assert (outcome.answer, outcome.metrics["exact_match"]) == ("1", 1.0)
    assert (
        chosen.task.score(chosen.samples[0], [text("2"), None, None], RequestType.GENERATE).status is Status.FAILED
    )


def test_filters_with_options_say_what_a_sample_lacks(task_file):
    chain = [{"name": "x", "filter": [{"function": "take_first_k", "k": 2}]}]
    chosen = selected(task_file(filter_list=chain))
    with pytest.raises(BadData, match="has 1 completions"):
        chosen.task.score(chosen.samples[0], [text("1")], RequestType.GENERATE)
    chain = [{"name": "x", "filter": [{"function": "multi_choice_regex"}, {"function": "take_first"}]}]
    chosen = selected(task_file(filter_list=chain))
    with pytest.raises(BadData, match="needs a column `choices`"):
        chosen.task.score(chosen.samples[0], [text("1")], RequestType.GENERATE)


@pytest.mark.parametrize(
    ("reply", "answer"),
    [
        ("I say (B).", "(B)"),
        ("It is green apple", "(B)"),
        ("apple", "(A)"),
        ("Answer: C", "(C)"),
        ("Hm", "[invalid]"),
    ],
)
def test_multi_choice_regex_reads_a_letter_the_words_of_a_choice_or_a_bare_letter(reply, answer):
    from arena.benchmarking.lm_eval.filters import ChoicePattern

    step = ChoicePattern(regex_pattern=r"(\([A-Z]\))", ignore_case=True, ignore_punctuation=True)
    assert step([reply], {"choices": ["Apple", "Green apple", "Pear!"]}) == [answer]


@pytest.mark.service
def test_a_run_takes_a_task_file_by_its_path_and_tells_the_notes(task_file, tmp_path):
    from arena.benchmarking.config import BenchmarkConfig
    from arena.benchmarking.events import Noted
    from arena.benchmarking.run import run_benchmarks
    from arena.config import ScriptedSettings, Settings
    from arena.store import Database

    path = task_file(tag="mine", generation_kwargs={"until": ["."]})
    model = ScriptedSettings(name="sure", endpoint="scripted", replies=("2. Or 1.",), delay=0)
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'bench.db'}", models=[model])
    database = Database(settings.database_url)
    database.make_ready()
    events = []
    [run] = run_benchmarks(database, settings, BenchmarkConfig([str(path)], ["sure"]), None, events.append).runs
    database.close()
    assert run.report.metrics == {"exact_match": 0.5}
    assert [event.reason for event in events if isinstance(event, Noted)] == [f"{path}: without effect here: tag."]


def test_examples_are_drawn_again_where_a_set_has_the_sample_twice():
    """As lm-evaluation-harness 0.4.13: one more is drawn, and copies of the sample do not leave too few."""
    import random

    from benchmarks import few_shot
    from benchmarks.task import Sample

    pool = [Sample(id=str(number), fields={"q": "same" if number < 4 else str(number)}) for number in range(6)]
    stream = random.Random(few_shot.LM_EVAL_SEED)
    drawn = stream.sample(pool, 3)
    others = [example for example in drawn if example.fields != pool[0].fields]
    assert len(others) < 2
    again = stream.sample(pool[4:], 2)
    assert few_shot.lm_eval(pool, 2, from_test=True)(pool[0]) == again
