"""Numbers that others have published about their own files, reproduced from these files alone."""

import json

import pytest

from arena.store.schema.benchmarks import BenchmarkOutcome
from arena.store.text_columns import fitted
from benchmarks import few_shot
from benchmarks.data import DataSources, read_file, rows, task_rows
from benchmarks.extract import mmlu_pro_letter
from benchmarks.task import RequestType
from benchmarks.tasks import shipped


def chat_reply(text):
    return {"choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]}


def samples_of(name, folder, role="test"):
    task = shipped()[name]
    return task.samples(rows(task.sources[role], DataSources(folder, hub=False)))


GSM8K = {"6b_finetuning": 21.68, "6b_verification": 39.04, "175b_finetuning": 34.72, "175b_verification": 56.25}


@pytest.mark.parametrize(("column", "percent"), GSM8K.items())
def test_gsm8k_agrees_with_every_published_verdict(benchmark_data, column, percent):
    task, samples = shipped()["gsm8k"], samples_of("gsm8k", benchmark_data)
    published = read_file(benchmark_data / "gsm8k/example_model_solutions.jsonl")
    found = [
        task.score(sample, [chat_reply(row[column]["solution"])], RequestType.GENERATE).metrics["flexible"] == 1.0
        for sample, row in zip(samples, published, strict=True)
    ]
    assert found == [row[column]["is_correct"] for row in published]
    assert round(100 * sum(found) / len(found), 2) == percent


BBH = [
    ("date_understanding", 87.2),
    ("dyck_languages", 56.8),
    ("sports_understanding", 97.6),
    ("word_sorting", 40.4),
]


@pytest.mark.parametrize(("subject", "percent"), BBH)
def test_bbh_gives_the_authors_accuracy_on_their_own_outputs(benchmark_data, subject, percent):
    folder = benchmark_data / "bbh/code-davinci-002-cot"
    file = folder / f"{subject}_few_shot_template_0-255000.json"
    if not file.is_file():
        pytest.skip(f"{file.name} is not in the data")
    task = shipped()["bbh"]
    task = task.prepare(task_rows(task, DataSources(benchmark_data, hub=False)))
    samples = [one for one in samples_of("bbh", benchmark_data) if one.subject == subject]
    outputs = json.loads(file.read_text(encoding="utf-8"))["outputs"]
    asked = [task.requests(sample, (), RequestType.GENERATE)[0]["messages"][0]["content"] for sample in samples]
    assert asked == [one["input"] for one in outputs]
    scores = [
        task.score(sample, [chat_reply(one["prediction"])], RequestType.GENERATE).metrics.get("exact_match", 0.0)
        for sample, one in zip(samples, outputs, strict=True)
    ]
    assert round(100 * sum(scores) / len(scores), 1) == percent


def test_mmlu_pro_letters_differ_from_the_published_ones_only_where_those_are_guesses(benchmark_data):
    published = read_file(benchmark_data / "mmlu_pro/llama-3.1-8b-instruct_outputs.sample.jsonl")
    letters = [mmlu_pro_letter(row["output"]) for row in published]
    assert len(letters) == 1003
    assert sum(letter == row["pred"] for letter, row in zip(letters, published, strict=True)) == 952
    assert all(letter is None for letter, row in zip(letters, published, strict=True) if letter != row["pred"])


REQUESTS = [
    ("arc_challenge_olmes", "arc_challenge__test_rc_5shot", 80),
    ("arc_challenge_olmes_mc", "arc_challenge__test_mc_5shot", 40),
    ("arc_easy_olmes", "arc_easy__test_rc_5shot", 80),
    ("hellaswag_olmes", "hellaswag__val_rc_5shot", 80),
]


def test_every_published_request_file_is_compared(benchmark_data):
    there = {path.name for path in (benchmark_data / "olmes_golden_requests").glob("*.jsonl")}
    assert there == {f"{file}.first10docs.jsonl" for _, file, _ in REQUESTS}


@pytest.mark.parametrize(("name", "file", "count"), REQUESTS)
def test_requests_are_the_published_ones_to_the_character(benchmark_data, name, file, count):
    published = [
        (row["request"]["context"], row["request"]["continuation"])
        for row in read_file(benchmark_data / f"olmes_golden_requests/{file}.first10docs.jsonl")
    ]
    task = shipped()[name]
    pool = samples_of(name, benchmark_data, "shots") if task.curated else []
    examples = few_shot.curated(pool, task.curated)
    made = [
        (request["context"], request["continuation"])
        for sample in samples_of(name, benchmark_data)[:10]
        for request in task.requests(sample, examples(sample), RequestType.LOGLIKELIHOOD)
    ]
    assert len(made) == count
    assert sorted(made) == sorted(published)


def test_the_minerva_prompt_is_the_published_one(benchmark_data):
    task = shipped()["math_500"]
    task = task.prepare(task_rows(task, DataSources(benchmark_data, hub=False)))
    [request] = task.requests(samples_of("math_500", benchmark_data)[0], (), RequestType.GENERATE)
    published = (benchmark_data / "math/minerva_4shot_context.txt").read_text(encoding="utf-8")
    assert request["messages"][0]["content"] == published


def test_mmlu_prompt_has_five_examples_of_its_subject_in_order(benchmark_data):
    task = shipped()["mmlu"]
    dev = samples_of("mmlu", benchmark_data, "shots")
    sample = next(one for one in samples_of("mmlu", benchmark_data) if one.subject == "virology")
    requests = task.requests(sample, few_shot.first_n(dev, 5)(sample), RequestType.LOGLIKELIHOOD)
    assert [request["continuation"] for request in requests] == [" A", " B", " C", " D"]
    context = requests[0]["context"]
    assert context.startswith("The following are multiple choice questions (with answers) about virology.\n\n")
    assert context.endswith("\nAnswer:")
    blocks = context.split("\n\n")[1:]
    expected = [one for one in dev if one.subject == "virology"]
    assert [block.split("\nA. ")[0] for block in blocks[:5]] == [
        one.fields["question"].strip() for one in expected
    ]
    assert [block[-2:] for block in blocks[:5]] == [f" {'ABCD'[one.target]}" for one in expected]


COUNTS = {
    "mmlu": (14042, 57), "mmlu_pro": (12032, 14), "ceval": (1346, 52), "arc_easy": (2376, 1),
    "arc_challenge": (1172, 1), "hellaswag": (10042, 1), "truthfulqa_mc1": (817, 38), "triviaqa": (7993, 1),
    "nq_open": (3610, 1), "gsm8k": (1319, 1), "math": (5000, 7), "math_500": (500, 1), "bbh": (6511, 27),
    "arc_agi_1": (400, 1), "arc_agi_2": (120, 1),
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize("name", COUNTS)
def test_every_sample_is_there_with_an_id_of_its_own(benchmark_data, name):
    samples = samples_of(name, benchmark_data)
    assert (len(samples), len({one.subject for one in samples})) == COUNTS[name]
    assert len({one.id for one in samples}) == len(samples)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(shipped()))
def test_every_task_asks_something_about_its_first_sample(benchmark_data, name):
    task = shipped()[name]
    data_sources = DataSources(benchmark_data, hub=False)
    if any(source.sha256 is None for sources in task.sources.values() for source in sources):
        pytest.skip("the user's own file")
    extra = {
        role: rows(files, data_sources) for role, files in task.sources.items() if role not in ("test", "shots")
    }
    task = task.prepare(extra)
    sample = task.samples(rows(task.sources["test"], data_sources))[0]
    for request_type in task.request_types:
        requests = task.requests(sample, (), request_type)
        assert requests
        failed = task.score(sample, [None] * len(requests), request_type)
        assert failed.status == "failed"


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(shipped()))
def test_the_rows_of_every_task_fit_the_schema(benchmark_data, name):
    task = shipped()[name]
    if any(
        source.sha256 is None for role, sources in task.sources.items() if role != "shots" for source in sources
    ):
        pytest.skip("the user's own file")
    data_sources = DataSources(benchmark_data, hub=False)
    roles = {
        role: rows(files, data_sources) for role, files in task.sources.items() if role not in ("test", "shots")
    }
    samples = task.prepare(roles).samples(rows(task.sources["test"], data_sources))
    columns = BenchmarkOutcome.__table__.columns
    for column, names in {"sample": {one.id for one in samples}, "cluster": {one.cluster for one in samples},
                          "subject": {one.subject for one in samples}}.items():  # fmt: skip
        kept = {fitted(value, columns[column].type.length) for value in names}
        assert len(kept) == len(names)
        assert max(map(len, kept)) <= columns[column].type.length
