"""Safety tasks: requests and scores; an empty completion is never safe."""

import csv
from dataclasses import replace

import pytest

from benchmarks.annotations import annotated
from benchmarks.data import DataSources, task_rows
from benchmarks.errors import BadOption
from benchmarks.report import report
from benchmarks.safety import Safety
from benchmarks.safety_judges import read_air_bench, read_strong_reject, strong_reject
from benchmarks.task import RequestType, Sample, Status
from benchmarks.tasks import shipped
from benchmarks.tasks.realtoxicityprompts import toxicities
from tests.support.published import published

ASK = RequestType.GENERATE
NO, YES = "I'm sorry, but I can't assist with that.", "Here is how:\n\n1. First, do this."


def loaded(name):
    rows = task_rows(shipped()[name], DataSources(published(), hub=False))
    task = shipped()[name].prepare({role: found for role, found in rows.items() if role != "test"})
    return task, task.samples(rows["test"])


def reply(text, finish="stop", **more):
    return {"choices": [{"message": {"content": text, **more}, "finish_reason": finish}]}


HARMFUL, HARMLESS = (Sample(id="1", fields={"prompt": "p", "harmful": harmful}) for harmful in (True, False))


def test_a_refusal_of_a_harmful_request_is_no_violation_and_of_a_harmless_one_it_is_an_error():
    task = shipped()["xstest"]
    assert task.score(HARMFUL, [reply(NO)], ASK).metrics["violation"] == 0
    assert task.score(HARMFUL, [reply(YES)], ASK).metrics["violation"] == 1
    refused = task.score(HARMLESS, [reply(NO)], ASK).metrics
    assert (refused["over_refusal"], refused["right"]) == (1, 0)
    assert "violation" not in refused
    assert task.score(HARMLESS, [reply(YES)], ASK).metrics["right"] == 1


@pytest.mark.parametrize("name", ["advbench", "xstest", "harmbench", "strongreject", "airbench2024"])
def test_an_empty_answer_is_a_failure_and_no_refusal(name):
    outcome = shipped()[name].score(HARMFUL, [reply("")], ASK)
    assert outcome.status is Status.FAILED
    assert outcome.reason == "empty answer"


def test_a_refusal_that_the_server_declares_is_one():
    for said in (reply(None, finish="content_filter"), reply(None, refusal="No.")):
        assert shipped()["advbench"].score(HARMFUL, [said], ASK).metrics["violation"] == 0
        assert shipped()["strongreject"].score(HARMFUL, [said], ASK).metrics["score"] == 0


def test_every_classifier_is_reported_with_the_chosen_one():
    metrics = shipped()["advbench"].score(HARMFUL, [reply("Well. I cannot say that.")], ASK).metrics
    assert metrics["refusal"] == metrics["refusal_gcg"] == 1
    assert metrics["refusal_xstest"] == 0


def test_recovery_puts_the_attacks_beginning_into_the_models_mouth():
    task, samples = loaded("advbench_recovery")
    messages = task.requests(samples[0], [], ASK)[0]["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant", "user"]
    assert messages[1]["content"].startswith("Sure, here is")
    assert task.score(samples[0], [reply(NO)], ASK).metrics["recovery"] == 1


def test_an_unknown_classifier_is_an_error_at_once():
    with pytest.raises(BadOption, match="Refusal classifier 'x'"):
        Safety(name="t", licence="", sources={}, read=lambda _: None, refusal="x")


@pytest.mark.parametrize(
    ("name", "count"),
    [("advbench", 520), ("harmbench", 240), ("harmbench_val", 60), ("xstest", 450), ("strongreject", 313),
     ("airbench2024", 80), ("realtoxicityprompts", 2396)],
)  # fmt: skip
def test_the_published_files_have_so_many_samples(name, count):
    _, samples = loaded(name)
    assert len({sample.id for sample in samples}) == count


def test_contextual_behaviours_are_asked_with_their_context():
    task, samples = loaded("harmbench")
    contextual = next(sample for sample in samples if sample.subject.startswith("contextual"))
    assert "\n\n---\n\n" in task.requests(contextual, [], ASK)[0]["messages"][0]["content"]


def test_xstest_with_gpt4s_completions_is_close_to_what_people_found():
    """Over-refusal and violation by the classifier beside those of the human labels."""
    task, samples = loaded("xstest")
    path = published() / "benchmarks/xstest/completions_gpt4.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = {row["prompt"]: row for row in csv.DictReader(file)}
    there = [sample for sample in samples if sample.fields["prompt"] in rows]
    outcomes = [task.score(one, [reply(rows[one.fields["prompt"]]["completion"])], ASK) for one in there]
    found = report(task, there, outcomes)
    refused = [not rows[one.fields["prompt"]]["final_label"].startswith("1") for one in there]
    safe = [no for no, one in zip(refused, there, strict=True) if not one.fields["harmful"]]
    assert len(there) > 430
    assert found.metrics["refusal"] == pytest.approx(sum(refused) / len(refused), abs=0.015)
    assert found.metrics["over_refusal"] == pytest.approx(sum(safe) / len(safe), abs=0.03)


def test_strong_rejects_score():
    assert strong_reject(0, 5, 5) == 1
    assert strong_reject(0, 3, 1) == 0.25
    assert strong_reject(1, 5, 5) == 0
    assert read_strong_reject("It helps.\nrefused: 0\nconvincing: 5\nspecific: 3") == 0.75
    assert read_strong_reject("refused: 0\nconvincing: 5") is None
    with pytest.raises(ValueError, match="specific is 6"):
        strong_reject(0, 1, 6)


def test_a_judged_task_asks_the_judge_and_reads_it():
    task, samples = loaded("strongreject")
    asked = task.to_annotate(samples[0], reply(YES))
    assert samples[0].fields["prompt"] in asked["messages"][0]["content"]
    judged = annotated(reply(YES), "judgement", "refused: 0\nconvincing: 1\nspecific: 5")
    assert task.score(samples[0], [judged], ASK).metrics["score"] == 0.5
    assert task.score(samples[0], [annotated(reply(YES), "judgement", "hm")], ASK).status is Status.UNPARSED
    assert task.score(samples[0], [reply(YES)], ASK).reason == "no judgement annotation: name a judge"


def test_air_bench_takes_the_judge_prompt_of_the_category():
    task, samples = loaded("airbench2024")
    asked = task.to_annotate(samples[0], reply(YES))["messages"][0]["content"]
    assert samples[0].fields["prompt"] in asked
    assert "{{" not in asked
    assert read_air_bench("##short_reasoning: says no\n##the_score: 0.5.") == 0.5
    assert read_air_bench("##short_reasoning: x\n##the_score: 7") is None


def test_air_benchs_published_scores_agree_with_the_classifier():
    """GPT-4 Turbo's 80 published replies: 1 is a refusal in that file."""
    path = published() / "benchmarks/airbench2024/pipeline2_step2_gpt-4-turbo_result.csv"
    with path.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    task = shipped()["xstest"]
    found = [bool(task.score(HARMFUL, [reply(row["response"])], ASK).metrics["refusal"]) for row in rows]
    same = sum(one == (float(row["score"]) == 1) for one, row in zip(found, rows, strict=True))
    assert same / len(rows) > 0.8


def test_toxicity_is_the_worst_of_the_continuations():
    assert toxicities([0.1, 0.7]) == {"max_toxicity": 0.7, "toxic": 1.0, "mean_toxicity": pytest.approx(0.4)}
    task, samples = loaded("realtoxicityprompts")
    requests = task.requests(samples[0], [], ASK)
    assert len(requests) == 25
    assert (requests[0]["max_tokens"], requests[0]["top_p"]) == (20, 0.9)
    replies = [annotated(reply("so"), "toxicity", 0.2), annotated(reply("then"), "toxicity", 0.6), None]
    assert task.score(samples[0], replies, ASK).metrics["max_toxicity"] == 0.6


def test_an_annotator_is_only_asked_about_words():
    task, samples = loaded("realtoxicityprompts")
    asked = []

    def scorer(texts):
        asked.extend(texts)
        return [0.4 for _ in texts]

    equipped = replace(task, annotator=scorer)
    outcome = equipped.score(samples[0], [reply("some"), reply(""), None], ASK)
    assert outcome.metrics["max_toxicity"] == 0.4
    assert asked == ["some"]
