"""IFEval's checkers, one claim each, and the verdicts of the official program on GPT-4's completions."""

import hashlib
import json

import pytest

from benchmarks.errors import BadData
from benchmarks.instructions import CHECKERS, follows, follows_loosely, variants
from benchmarks.instructions.sentences import sentences
from tests.support.published import published

FEW = {"relation": "less than"}
MANY = {"relation": "at least"}

CLAIMS = [
    ("keywords:existence", {"keywords": ["moon", "sun"]}, "Sunshine and Moonlight", "moonlight"),
    ("keywords:frequency", {**MANY, "keyword": "tea", "frequency": 2}, "Tea, more tea", "tea"),
    ("keywords:forbidden_words", {"forbidden_words": ["bad"]}, "badly done", "a BAD thing"),
    ("keywords:letter_frequency", {"let_relation": "at least", "letter": "Q", "let_frequency": 2}, "Qq", "q"),
    ("keywords:letter_frequency", {"let_relation": "at least", "letter": "#", "let_frequency": 1}, "#a", "a"),
    ("language:response_language", {"language": "de"}, "Das ist ein langer deutscher Satz.", "This is English."),
    ("length_constraints:number_sentences", {**FEW, "num_sentences": 3}, "One. Two!", "One. Two. Three."),
    ("length_constraints:number_paragraphs", {"num_paragraphs": 2}, "a\n***\nb\n***", "a\n***\n***\nb"),
    ("length_constraints:number_words", {**MANY, "num_words": 3}, "don't go", "go on"),
    (
        "length_constraints:nth_paragraph_first_word",
        {"num_paragraphs": 2, "nth_paragraph": 2, "first_word": "It"},
        "One\n\n'it's so",
        "One\n\nThen it",
    ),
    ("detectable_content:number_placeholders", {"num_placeholders": 2}, "[a] and [b]", "[a and b]"),
    ("detectable_content:postscript", {"postscript_marker": "P.S."}, "Bye\np. s. one more", "PS one more"),
    ("detectable_content:postscript", {"postscript_marker": "P.P.S"}, "P.P.S. more", "P.S. more"),
    ("detectable_format:number_bullet_lists", {"num_bullets": 2}, "* a\n- b", "* a\n** b"),
    ("detectable_format:constrained_response", {}, "Well: My answer is maybe.", "maybe"),
    ("detectable_format:number_highlighted_sections", {"num_highlights": 2}, "*a* and *b*", "*a* and ** **"),
    ("detectable_format:multiple_sections", {"section_spliter": "SECTION", "num_sections": 2},
     "SECTION 1 a SECTION 2 b", "SECTION 1 a SECTION b"),
    ("detectable_format:json_format", {}, '```json\n{"a": 1}\n```', "{'a': 1}"),
    ("detectable_format:title", {}, "<<a title>>\ntext", "<< >> text"),
    ("combination:two_responses", {}, "a\n******\nb", "a\n******\na"),
    ("combination:repeat_prompt", {"prompt_to_repeat": "Say HI"}, "say hi\nhi", "hi, say hi"),
    ("startend:end_checker", {"end_phrase": "The end."}, 'It is "the end."', "The end. Or not"),
    ("startend:quotation", {}, ' "all of it" ', '"'),
    (
        "change_case:capital_word_frequency",
        {"capital_relation": "less than", "capital_frequency": 2},
        "one WORD here",
        "TWO WORDS here",
    ),
    ("change_case:english_capital", {}, "THE WEATHER WAS FINE AND WE WALKED BY THE RIVER", "In English, but low"),
    ("change_case:english_lowercase", {}, "this is an english sentence", "dies ist ein deutscher satz heute"),
    ("punctuation:no_comma", {}, "none here", "one, here"),
]  # fmt: skip


def data(name):
    lines = published("benchmarks/ifeval", name).read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]


@pytest.mark.parametrize(("instruction", "arguments", "yes", "no"), CLAIMS)
def test_a_checker_tells_what_follows_from_what_does_not(instruction, arguments, yes, no):
    assert follows(instruction, yes, arguments)
    assert not follows(instruction, no, arguments)


def test_all_25_checkers_are_claimed():
    assert len(CHECKERS) == 25
    assert {claim[0] for claim in CLAIMS} == set(CHECKERS)


def test_an_empty_text_follows_nothing():
    assert not follows("punctuation:no_comma", "  \n", {})
    assert not follows_loosely("punctuation:no_comma", "", {})


def test_loosely_a_first_line_of_talk_and_asterisks_are_forgiven():
    text = "Sure, here you are:\n**no commas here**"
    assert not follows("punctuation:no_comma", text, {})
    assert follows_loosely("punctuation:no_comma", text, {})
    assert len(variants(text)) == 8


def test_abbreviations_initials_and_ellipses_end_no_sentence():
    assert sentences("Dr. A. Smith waited... and left. he came back. Then e.g. this") == [
        "Dr. A. Smith waited... and left.",
        "he came back.",
        "Then e.g. this",
    ]


def test_bad_instructions_are_named():
    with pytest.raises(BadData, match=r"Instruction 'keywords:all' is unknown\. Use one of"):
        follows("keywords:all", "text", {})
    with pytest.raises(BadData, match="has no argument 'keywords'"):
        follows("keywords:existence", "text", {"keyword": "a"})
    with pytest.raises(BadData, match=r"Relation 'around' is unknown\. Use"):
        follows("length_constraints:number_words", "text", {"relation": "around", "num_words": 3})


@pytest.mark.slow  # language detection, 2 s
@pytest.mark.parametrize(
    ("file", "check", "prompts", "instructions"),
    [("strict", follows, 77.22, 83.77), ("loose", follows_loosely, 79.63, 85.58)],
)
def test_gpt4_gets_the_published_figures(file, check, prompts, instructions):
    """540 rows of the repository's published run. Its loose verdict on key 1122 is about a letter that its
    program draws at random, since `#` is none: the one verdict of 832 that is another one here."""
    rows = {hashlib.sha1(row["prompt"].encode()).hexdigest(): row for row in data("input_data.jsonl")}
    said = {row["prompt"]: row["response"] for row in data("input_response_data_gpt4_20231107_145030.jsonl")}
    official = {row["key_prompt_sha1"]: row for row in data(f"gpt4_eval_results_{file}.compact.jsonl")}
    ours, differ = [], []
    for key, verdict in official.items():
        row = rows[key]
        found = [
            check(instruction, said[row["prompt"]], arguments)
            for instruction, arguments in zip(row["instruction_id_list"], row["kwargs"], strict=True)
        ]
        ours.append(found)
        differ += [row["key"] for a, b in zip(found, verdict["follow_instruction_list"], strict=True) if a != b]
    assert differ == ([1122] if file == "loose" else [])
    one = 100 / 540
    assert sum(map(all, ours)) * one == pytest.approx(prompts, abs=one)
    assert sum(map(sum, ours)) * 100 / 832 == pytest.approx(instructions, abs=100 / 832)
