"""Answers are read from free replies as people would read them, and published patterns stay beside them."""

import pytest

from benchmarks.data import read_file
from benchmarks.extract import last_number, mmlu_pro_letter
from benchmarks.letters import choice_letter
from benchmarks.math_answers import final_answer, same
from benchmarks.numbers import canonical, free_number
from benchmarks.replies import after_thinking, content_text
from benchmarks.short_answers import short_answer
from benchmarks.task import RequestType, Sample
from benchmarks.tasks import shipped
from reproduce.reply_reading import counts, labelled

PLANETS = ("Mars", "Jupiter", "Saturn", "Earth")
TEN = tuple("abcdefghij")


def chat_reply(text):
    return {"choices": [{"message": {"role": "assistant", "content": text}, "finish_reason": "stop"}]}


@pytest.mark.parametrize("held_out", [False, True])
def test_of_the_labelled_replies_none_is_read_wrong_and_under_one_per_cent_is_not_read(held_out):
    replies = [reply for reply in labelled() if reply["held_out"] is held_out]
    answered = sum(reply["right"] is not None for reply in replies)
    counted = counts(replies)
    assert counted["wrong"] == 0
    assert counted["unread"] < answered / 100


def test_the_labelled_replies_are_many_in_both_languages_and_a_third_is_held_out():
    replies = labelled()
    assert len(replies) >= 400
    assert {reply["language"] for reply in replies} == {"en", "zh"}
    assert sum(reply["language"] == "zh" for reply in replies) > 150
    assert sum(reply["held_out"] for reply in replies) > len(replies) / 3
    assert len({(reply["reply"], *reply.get("choices", ())) for reply in replies}) > len(replies) - 40


@pytest.mark.parametrize(
    ("text", "letter"),
    [
        ("故选：B", "B"), ("答案选B", "B"), ("**Answer**: B", "B"), ("B is the correct answer.", "B"),
        ("B\n\nExplanation: Jupiter is the largest.", "B"), ("Answer: Option B", "B"),
        ("A. is wrong. The best is C.", "C"), ("Answer: B or C", None), ("Answer: B, C", None), ("答案：AB", None),
        ("The answer is not B.", None), ("Answer: X", None), ("A planet orbits the Sun.", None),
        ("答案：（Ｂ）", "B"), ("A: Jupiter", "B"), ("Jupiter (B)", "B"),
        ("B. Jupiter\n\nQuestion: And now?\nAnswer: C", "B"),
        ("A. Mars\nB. Jupiter\nC. Saturn\nD. Earth", None), ("Is the answer B?", None),
        ("I do not think the answer is B.", None), ("Many people think the answer is A, but it is C.", "C"),
        ("Answer: C\n\nWait, that is wrong.", None), ("Which leaves B.", "B"), ("This is called B. Jupiter.", "B"),
        ("If B were larger, the answer would be B. The answer is C.", "C"),
        ("The closest answer is Jupiter, but this is not among the choices.", None),
    ],
)  # fmt: skip
def test_a_letter_is_read_as_people_read_it(text, letter):
    assert choice_letter(text, PLANETS) == letter


def test_i_and_a_are_words_too():
    assert choice_letter("So I, as a model, cannot say.", TEN) is None
    assert choice_letter("The answer is a matter of taste.", TEN) is None
    assert choice_letter("The answer is (I).", TEN) == "I"


@pytest.mark.parametrize(
    "text",
    [
        "<think>Answer: A?</think>Answer: B", "Answer: A?</think>Answer: B", "[THINK]Answer: A?[/THINK]Answer: B",
        "<reasoning>\nAnswer: A\n</reasoning>\nAnswer: B", "<thinking>A</thinking>\n<think>A</think>Answer: B",
        "<|channel|>analysis<|message|>Answer: A<|end|><|start|>assistant<|channel|>final<|message|>Answer: B<|return|>",
        "analysisAnswer: A?assistantfinalAnswer: B",
    ],
)  # fmt: skip
def test_thinking_is_not_read(text):
    assert choice_letter(after_thinking(text), PLANETS) == "B"


@pytest.mark.parametrize(
    "text",
    ["<think>Answer: B", "[THINK]Answer: B", "<|channel|>analysis<|message|>Answer: B", "<reasoning>Answer: B"],
)
def test_thinking_without_an_end_is_truncated(text):
    assert after_thinking(text).reason == "truncated"


def test_content_in_parts_is_its_text_without_the_thinking():
    parts = [{"type": "thinking", "thinking": "Answer: A"}, {"type": "text", "text": "Answer: "}, {"text": "B"}]
    assert content_text(parts) == "Answer: B"
    task = shipped()["mmlu"]
    sample = Sample("one", {"question": "?"}, choices=PLANETS, target=1)
    reply = chat_reply(parts)
    assert task.score(sample, [reply], RequestType.GENERATE).metrics["acc"] == 1.0


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("She earns $18.00.", "18"), ("**Answer: 18**\n\nOver 7 days it is 126.", "18"), ("\\boxed{1{,}000}", "1000"),
        ("The answer is −5.", "-5"), ("答案：１８", "18"), ("#### 18\n\nAll 16 eggs count.", "18"),
        ("Answer: 16 - 7 = 9 eggs. 9 × 2 = 18.", "18"), ("The answer is 3/2.", "1.5"),
        ("The answer is 2 million.", "2000000"),
        ("I cannot say.", None),
    ],
)  # fmt: skip
def test_a_number_is_read_in_one_spelling(text, number):
    assert free_number(text) == number


def test_numbers_have_one_spelling():
    assert [canonical(text) for text in ("1,000.50", "-.5", "1/3", "$0", "1/0")] == [
        "1000.5",
        "-0.5",
        "1/3",
        "0",
        None,
    ]


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("The answer is (A).", "(A)"), ("**(A)**", "(A)"), ("So the answer is **(A) 05/01/2021**.", "(A)"),
        ("So the answer is } ] >.", "} ] >"), ('So the answer is "no."', "no"), ("Answer: Let's think step by step.", None),
    ],
)  # fmt: skip
def test_a_short_answer_is_read(text, answer):
    assert short_answer(text) == answer


def test_the_base_of_a_number_is_part_of_it():
    assert same("100_2", "100_{2}")
    assert not same("100_2", "100")
    assert not same("100_2", "100_3")
    assert not same("100", "100_2")


def test_a_formula_is_read_after_a_statement():
    assert final_answer(r"So the length is $3$. The answer is $2\sqrt{3}$.") == r"2\sqrt{3}"
    assert final_answer("Answer: We have $x + 1 = 8$, so it follows that $x$ is seven and it is done.") is None
    assert same("5/6", r"\frac{5}{6}")


def test_published_patterns_are_kept_as_columns_of_their_own():
    sample = Sample("one", {"question": "?"}, choices=PLANETS, target=1)
    several = shipped()["mmlu"].score(sample, [chat_reply("Answer: B or C")], RequestType.GENERATE)
    assert (several.status, several.metrics) == ("unparsed", {"strict": 1.0})
    ours = shipped()["mmlu"].score(sample, [chat_reply("故选：B")], RequestType.GENERATE)
    assert (ours.metrics["acc"], ours.metrics["strict"]) == (1.0, 0.0)
    eighteen = Sample("two", {"question": "?"}, target="18")
    priced = shipped()["gsm8k"].score(eighteen, [chat_reply("It is $18.00")], RequestType.GENERATE).metrics
    assert (priced["exact_match"], priced["flexible"], priced["strict"]) == (1.0, 0.0, 0.0)
    option = Sample("three", {"input": "?"}, target="(A)")
    bold = shipped()["bbh"].score(option, [chat_reply("**(A)**")], RequestType.GENERATE).metrics
    assert (bold["exact_match"], bold["strict"]) == (1.0, 0.0)


def test_our_reader_agrees_with_published_verdicts(benchmark_data):
    published = read_file(benchmark_data / "gsm8k/example_model_solutions.jsonl")
    targets = [
        canonical(row["answer"].rpartition("#### ")[2]) for row in read_file(benchmark_data / "gsm8k/test.jsonl")
    ]
    for column in ("6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification"):
        assert [
            free_number(row[column]["solution"]) == target for row, target in zip(published, targets, strict=True)
        ] == [row[column]["is_correct"] for row in published]
        assert last_number(published[0][column]["solution"]) is not None


def test_letters_of_real_replies_differ_from_the_published_ones_only_after_a_correction(benchmark_data):
    rows = read_file(benchmark_data / "mmlu_pro/llama-3.1-8b-instruct_outputs.sample.jsonl")
    pairs = [
        (choice_letter(row["output"], [f"\0{n}" for n in range(10)]), mmlu_pro_letter(row["output"]))
        for row in rows
    ]
    assert sum(ours == theirs for ours, theirs in pairs) == 967
    assert sum(ours is not None and ours != theirs for ours, theirs in pairs) == 1  # "The answer is (G). … (B)."
