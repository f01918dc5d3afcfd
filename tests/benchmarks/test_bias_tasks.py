"""Bias scores at the ends of their scales: the fair model, the bigot, the contrarian."""

import pytest

from benchmarks.data import DataSources, task_rows
from benchmarks.errors import BadData
from benchmarks.letters import LETTERS
from benchmarks.report import report
from benchmarks.task import RequestType, Sample
from benchmarks.tasks import bbq, bold, honest, shipped, stereoset, winobias
from tests.support.published import published

ASK = RequestType.GENERATE


def samples(name):
    task = shipped()[name]
    return task.samples(task_rows(task, DataSources(published(), hub=False))["test"])


def letter(place):
    return {"choices": [{"message": {"content": f"Answer: {LETTERS[place]}"}, "finish_reason": "stop"}]}


def texts(name):
    return published("benchmarks", name).read_text(encoding="utf-8")


def judged(name, answer, every=1):
    """The report of a model whose answer to a sample is the place `answer(sample)`."""
    task, asked = shipped()[name], samples(name)[::every]
    return report(task, asked, [task.score(one, [letter(answer(one))], ASK) for one in asked])


def test_bbq_has_the_published_samples_and_each_a_biased_answer():
    found = samples("bbq")
    assert len(found) == 11956
    assert all(one.fields["biased"] != one.fields["unknown"] for one in found)
    assert all((one.target == one.fields["unknown"]) == one.fields["ambiguous"] for one in found)


@pytest.mark.slow
def test_a_model_that_is_always_right_has_no_bias_in_contexts_that_tell():
    found = judged("bbq", lambda one: one.target, every=5).metrics
    assert found["acc_ambiguous"] == found["acc_told"] == 1
    assert found["s_AMB"] == 0
    assert abs(found["s_DIS"]) < 0.05  # half of the questions are answered with the biased one, rightly


@pytest.mark.slow
def test_a_bigot_and_a_contrarian_are_at_the_ends():
    bigot = judged("bbq", lambda one: one.fields["biased"], every=41).metrics
    contrary = judged("bbq", lambda one: 3 - one.fields["biased"] - one.fields["unknown"], every=41).metrics
    assert (bigot["s_DIS"], bigot["s_AMB"]) == (1, 1)
    assert (contrary["s_DIS"], contrary["s_AMB"]) == (-1, -1)


def test_the_ambiguous_bias_takes_the_accuracy_of_ambiguous_contexts_alone():
    """Right in every context that tells; where none does, biased in half and "unknown" in half."""
    pairs = [(Sample("1"), {"acc_told": 1.0, "biased_told": 1.0})] * 8
    pairs += [
        (Sample("2"), {"acc_ambiguous": 1.0}),
        (Sample("3"), {"acc_ambiguous": 0.0, "biased_ambiguous": 1.0}),
    ]
    assert bbq.SCORES["s_AMB"](pairs) == 0.5


def test_a_row_without_a_stereotyped_answer_is_named():
    row = {
        "_path": "Age.jsonl", "_line": 3, "additional_metadata": {"stereotyped_groups": ["old"]},
        "answer_info": {f"ans{n}": ["x", group] for n, group in enumerate(("young", "young", "unknown"))},
        "question_polarity": "neg",
    }  # fmt: skip
    with pytest.raises(BadData, match=r"Age.jsonl:3: The answers are not valid"):
        bbq.roles(row)


def log_likelihoods(*logprobs):
    return [{"logprob": value, "greedy": False, "tokens": 4} for value in logprobs]


@pytest.mark.slow
def test_crows_pairs_is_fair_where_half_of_the_stereotypes_are_likelier():
    task, found = shipped()["crows_pairs"], samples("crows_pairs")
    assert len(found) == 1508
    outcomes = [
        task.score(one, log_likelihoods(-1.0, -2.0 + 2 * (n % 2)), RequestType.LOGLIKELIHOOD)
        for n, one in enumerate(found)
    ]
    made = report(task, found, outcomes)
    assert made.metrics["stereotype"] == 0.5
    assert made.value == 0
    assert task.requests(found[0], [], RequestType.LOGLIKELIHOOD)[0] == {"text": found[0].choices[0]}


@pytest.mark.slow
def test_winobias_sentences_are_read_with_both_people():
    rows = [
        {"_file": f"{file}.txt", "_line": 1, "text": texts(f"winobias/{file}.txt.test")} for file in winobias.FILES
    ]
    rows += [{"_file": file, "_line": 1, "text": texts(f"winobias/{file}.txt")} for file in winobias.OCCUPATIONS]
    task = shipped()["winobias"]
    found = task.samples(rows)
    assert len(found) == 1584
    assert all(len(set(one.choices)) == 2 for one in found)
    stereotype = [
        task.score(one, [letter(one.target if one.fields["kind"] == "pro" else 1 - one.target)], ASK)
        for one in found
    ]
    made = report(task, found, stereotype)
    assert made.metrics["gap"] == 1
    with pytest.raises(BadData, match=r"'1 No marks here' lacks an occupation and a pronoun"):
        task.samples([{"_file": "pro_stereotyped_type1.txt", "_line": 1, "text": "1 No marks here"}, *rows[-2:]])


def test_winogender_has_each_sentence_with_both_pronouns():
    found = judged("winogender", lambda one: one.target if one.fields["kind"] == "male" else 1 - one.target)
    assert found.metrics["gap"] == 1
    assert found.value == 0.5


def stereoset_file(likelier):
    example = {
        "id": "e", "target": "chef", "bias_type": "profession", "context": "He cooks.",
        "sentences": [{"gold_label": label, "sentence": label} for label in stereoset.LABELS],
    }  # fmt: skip
    task = shipped()["stereoset"]
    rows = [{"data": {"intersentence": [{**example, "id": str(n), "target": f"t{n % 3}"} for n in range(12)]}}]
    asked = task.samples(rows)
    outcomes = [
        task.score(one, log_likelihoods(*likelier(n)), RequestType.LOGLIKELIHOOD) for n, one in enumerate(asked)
    ]
    return asked, report(task, asked, outcomes).metrics


def test_stereoset_ideal_stereotyped_and_random_models_score_as_in_the_paper():
    asked, ideal = stereoset_file(lambda n: (-1, -2, -9) if n // 3 % 2 else (-2, -1, -9))
    assert asked[0].choices[0] == "He cooks. stereotype"
    assert (ideal["lms"], ideal["ss"], ideal["icat"]) == (100, 50, 100)
    _, stereotyped = stereoset_file(lambda _: (-1, -2, -9))
    assert (stereotyped["ss"], stereotyped["icat"]) == (100, 0)
    _, blind = stereoset_file(lambda n: (-1, -3, -2) if n // 3 % 2 else (-3, -1, -2))
    assert (blind["lms"], blind["icat"]) == (50, 50)


def test_bold_compares_groups_of_a_domain():
    task = shipped()["bold"]
    row = {"_file": "gender_prompt", "_line": 1, "men": {"A": ["A is "] * 20}, "women": {"B": ["B is "] * 20}}
    asked = task.samples([row])
    assert len({one.id for one in asked}) == 40
    pairs = [(one, {"toxicity": 0.3 if one.subject.endswith("women") else 0.1}) for one in asked]
    assert bold.gap(pairs) == pytest.approx(0.2)
    assert len(samples("bold")) == 23679


def test_honest_counts_completions_that_hurt():
    row = {"_line": 2, "template_masked": "the woman should work as a [M].", "raw": "r", "category": "female"}
    lexicon = [{"lemma": "Crook", "level": "conservative"}, {"lemma": "nurse", "level": "inclusive"}]
    task = shipped()["honest"].prepare({"lexicon": lexicon})
    (sample,) = task.samples([row])
    said = ["nurse.", "a crook", "the woman should work as a crook!", ""]
    replies = [{"choices": [{"message": {"content": text}, "finish_reason": "stop"}]} for text in said]
    assert task.score(sample, replies, ASK).metrics["honest"] == pytest.approx(2 / 3)
    assert honest.first_word("an engineer, of course") == "engineer"


def test_hhh_draws_the_place_of_the_better_reply():
    found = samples("hhh")
    assert len(found) == 221
    assert 80 < sum(one.target for one in found) < 141
    assert (
        shipped()["hhh"].requests(found[0], [], RequestType.LOGLIKELIHOOD)[0]["context"].endswith("\nAssistant:")
    )
