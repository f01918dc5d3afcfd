"""Multiple choice by three request types, generation, few-shot examples, reports: what holds whatever the data."""

import math
import random
from dataclasses import replace

import pytest

from benchmarks import few_shot
from benchmarks.choice import MultipleChoice, by_letter, lettered, own_choice
from benchmarks.errors import BadData, BadOption
from benchmarks.extract import after_the_answer_is, last_boxed, last_number, strict_number
from benchmarks.generation import Generation
from benchmarks.known_files import own
from benchmarks.letters import choice_letter
from benchmarks.report import report
from benchmarks.safety import Safety
from benchmarks.task import RequestType, Sample, failed, scored, unparsed
from benchmarks.tasks import shipped
from benchmarks.tasks.mmlu import GROUPS

CHOICE = MultipleChoice(
    name="kitchen",
    dimension="knowledge",
    licence="mine",
    sources={"test": [own("kitchen.jsonl", "question", "choices", "answer")]},
    read=own_choice,
    prompt=lambda sample: f"{lettered(sample)}\nAnswer:",
    options=by_letter,
)
EGG = own_choice({"id": "egg", "question": "How long?", "choices": ["one", "four", "nine"], "answer": "B"})


def log_likelihoods(*values):
    return [{"logprob": value, "greedy": False, "tokens": 1} for value in values]


def said(text, finish="stop"):
    return [{"choices": [{"message": {"content": text}, "finish_reason": finish}]}]


def candidates(**found):
    tops = [{"token": token, "logprob": math.log(share)} for token, share in found.items()]
    content = [{"token": tops[0]["token"], "logprob": 0.0, "top_logprobs": tops}]
    return [
        {"choices": [{"message": {"content": ""}, "finish_reason": "length", "logprobs": {"content": content}}]}
    ]


def test_the_three_request_types_agree_where_the_model_is_sure():
    request_types = {
        RequestType.LOGLIKELIHOOD: log_likelihoods(-5.0, -0.1, -4.0),
        RequestType.FIRST_TOKEN: candidates(B=0.9, A=0.05),
        RequestType.GENERATE: said("Four minutes it is.\nAnswer: B"),
    }
    for request_type, replies in request_types.items():
        outcome = CHOICE.score(EGG, replies, request_type)
        assert (outcome.answer, outcome.metrics["acc"]) == ("B", 1.0)


def test_a_tie_goes_to_the_first_choice():
    assert CHOICE.score(EGG, log_likelihoods(-1.0, -1.0, -1.0), RequestType.LOGLIKELIHOOD).answer == "A"


def test_tokens_of_one_letter_are_added():
    reply = candidates(**{"A": 0.4, "B": 0.3, " B": 0.25})
    assert CHOICE.score(EGG, reply, RequestType.FIRST_TOKEN).answer == "B"


def test_a_candidate_without_a_log_probability_is_left_out():
    reply = candidates(A=0.3, B=0.4)
    reply[0]["choices"][0]["logprobs"]["content"][0]["top_logprobs"][0]["logprob"] = None
    assert CHOICE.score(EGG, reply, RequestType.FIRST_TOKEN).answer == "B"


def test_a_letter_is_never_guessed():
    assert CHOICE.score(EGG, candidates(The=0.9), RequestType.FIRST_TOKEN).status == "unparsed"
    assert CHOICE.score(EGG, said("I cannot say."), RequestType.GENERATE).status == "unparsed"
    assert CHOICE.score(EGG, said("Answer: B", "length"), RequestType.GENERATE).reason == "truncated"
    assert CHOICE.score(EGG, [None], RequestType.GENERATE).status == "failed"


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("Answer: B", "B"), ("the answer is (C).", "C"), ("**Answer: a**", "A"), ("B", "B"), ("B. four", "B"),
        (r"so \boxed{C}", "C"), ("four", "B"), ("答案是B", "B"), ("Answer: A. No, the answer is B", "B"),
        ("An egg takes long", None), ("The answer is a long story", None), ("D", None), ("", None),
    ],
)  # fmt: skip
def test_letters_are_read_from_text(text, letter):
    assert choice_letter(text, EGG.choices) == letter


def test_other_answers_are_read_from_text():
    assert strict_number("72 - 3\n#### 1,069") == "1,069"
    assert last_number("It is 3, no: $1,200 for 4.5") == "4.5"
    assert after_the_answer_is("So the answer is } ] >.") == "} ] >"
    assert after_the_answer_is("I am lost.") is None
    assert last_boxed(r"x = \boxed{\frac{1}{2}} and") == r"\frac{1}{2}"
    assert last_boxed(r"\boxed{never closed") is None


@pytest.mark.parametrize("answer", ["D", 3, "-1", "x"])
def test_an_answer_that_is_no_choice_names_the_row(answer):
    row = {"question": "?", "choices": ["a", "b", "c"], "answer": answer, "_path": "k.jsonl", "_line": 7}
    with pytest.raises(BadData, match=r"k\.jsonl:7: answer .* Give an index from 0 or a letter up to C"):
        own_choice(row)


COUNT = Generation(
    name="count",
    dimension="reasoning",
    metric="exact_match",
    licence="mine",
    sources={},
    read=own_choice,
    prompt=lambda sample: str(sample.fields["question"]),
    score_text=lambda sample, text: scored({"exact_match": float(text.strip() == sample.target)}, text.strip()),
    stop=("\n\n",),
)
SEVEN = Sample("seven", {"question": "3 + 4 ="}, target="7")


def test_a_text_counts_up_to_its_stop_and_only_if_it_is_whole():
    assert COUNT.score(SEVEN, said("7\n\nNext"), RequestType.GENERATE).metrics == {"exact_match": 1.0}
    assert COUNT.score(SEVEN, said("7", "length"), RequestType.GENERATE).reason == "truncated"
    assert COUNT.as_lm_eval().score(SEVEN, said("7", "length"), RequestType.GENERATE).is_scored
    assert COUNT.score(SEVEN, said("<think>7 or 8</think>7"), RequestType.GENERATE).metrics["exact_match"] == 1.0
    assert COUNT.score(SEVEN, said("<think>7 or 8"), RequestType.GENERATE).reason == "truncated"


def test_the_majority_of_several_solutions_counts():
    import dataclasses

    often = dataclasses.replace(COUNT, repeats=3, temperature=0.7)
    assert [body["seed"] for body in often.requests(SEVEN, (), RequestType.GENERATE)] == [0, 1, 2]
    outcome = often.score(SEVEN, said("7") + said("8") + said("7"), RequestType.GENERATE)
    assert outcome.answer == "7"
    assert outcome.metrics == pytest.approx({"exact_match": 1.0, "agreement": 2 / 3, "single": 2 / 3})


POOL = [Sample(f"p{n}", {"question": n}) for n in range(30)]


def test_examples_of_a_sample_depend_on_nothing_but_the_sample():
    shots = few_shot.per_sample(POOL, 5, "count", 0)
    alone = shots(SEVEN)
    shots(POOL[0])
    assert shots(SEVEN) == alone == few_shot.per_sample(POOL, 5, "count", 0)(SEVEN)
    assert few_shot.per_sample(POOL, 5, "count", 1)(SEVEN) != alone
    assert all(POOL[3] not in few_shot.per_sample(POOL, 29, "count", seed)(POOL[3]) for seed in range(5))


def test_lm_eval_examples_are_its_advancing_stream():
    shots, stream = few_shot.lm_eval(POOL, 4, from_test=False), random.Random(1234)
    assert [shots(POOL[0]), shots(POOL[1])] == [stream.sample(POOL, 4), stream.sample(POOL, 4)]


def test_too_many_examples_are_an_error():
    with pytest.raises(BadOption, match=r"--shots 40: There are 30 examples\. Give --shots 30 or fewer"):
        few_shot.per_sample(POOL, 40, "count", 0)(SEVEN)


def test_unparsed_counts_as_wrong_and_failed_as_nothing():
    samples = [Sample(str(n)) for n in range(4)]
    outcomes = [scored({"acc": 1.0}), scored({"acc": 0.0}), unparsed("no letter"), failed("timeout")]
    found = report(CHOICE, samples, outcomes)
    assert (found.scored, found.unparsed, found.failed) == (2, 1, 1)
    assert found.value == pytest.approx(1 / 3)
    assert (found.worst, found.best, found.scored_only) == (0.25, 0.75, 0.5)
    assert found.reasons == {"no letter": 1, "timeout": 1}


def test_without_a_reply_there_is_no_value():
    found = report(CHOICE, [SEVEN], [failed("timeout")])
    assert (found.value, found.lower, found.worst, found.best) == (None, None, 0.0, 1.0)


def letters(*answers):
    """Outcomes of a model that chose these letters, in order, where B is right."""
    return [CHOICE.score(EGG, said(f"Answer: {letter}"), RequestType.GENERATE) for letter in answers]


def test_who_likes_one_letter_too_well_has_a_macro_f1_below_the_accuracy():
    nine = replace(EGG, id="nine", target=2)
    outcomes = [*letters("B", "B"), CHOICE.score(nine, said("Answer: B"), RequestType.GENERATE)]
    message = report(CHOICE, [EGG, EGG, nine], outcomes)
    assert message.metrics["acc"] == pytest.approx(2 / 3)
    assert message.metrics["macro_f1"] == pytest.approx(0.4)  # 2·2/(2·2+1) of B and nothing of C
    assert not any(name.startswith("_") for name in message.metrics)


def test_subjects_weigh_the_same_in_the_mean_over_subjects():
    samples = [replace(EGG, subject=subject) for subject in ("eggs", "eggs", "eggs", "teas")]
    message = report(CHOICE, samples, letters("B", "B", "B", "A"))
    assert (message.value, message.metrics["acc_by_subject"]) == (0.75, 0.5)


def test_mmlus_groups_hold_every_subject_once():
    every = [subject for subjects in GROUPS.values() for subject in subjects]
    assert (len(every), len(set(every))) == (57, 57)
    task = shipped()["mmlu"]
    samples = [replace(EGG, subject="virology"), replace(EGG, subject="anatomy")]
    message = report(
        task, samples, [task.score(EGG, log_likelihoods(0.0, 1.0, 0.0), RequestType.LOGLIKELIHOOD)] * 2
    )
    assert (message.metrics["acc_other"], message.metrics["acc_stem"]) == (1.0, 1.0)
    assert "acc_humanities" not in message.metrics


def test_a_task_file_for_0_1_still_works_with_its_rungs():
    with pytest.warns(FutureWarning, match=r"`rungs` is deprecated\. Use `request_types`"):
        from benchmarks.task import Rung
    with pytest.warns(FutureWarning, match=r"old: `rungs` is deprecated"):
        task = Safety(
            name="old",
            dimension="safety",
            licence="mine",
            sources={},
            read=lambda _: None,
            rungs=(Rung.FIRST_TOKEN, "generate"),
        )
    assert task.request_types == (RequestType.FIRST_TOKEN, RequestType.GENERATE)
    assert replace(task, name="new").request_types == task.request_types
    with pytest.raises(ImportError, match="nothing"):
        from benchmarks.task import nothing  # noqa: F401
