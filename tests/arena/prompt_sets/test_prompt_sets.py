"""Prompt files: every format is read, every error names its place."""

from __future__ import annotations

import json

import pytest

from arena.prompt_sets.files import read_prompt_file, read_prompts
from arena.prompt_sets.hub import is_hub_id, read_hub_prompts
from arena.prompt_sets.prompt_sets import HowToRead, import_prompts, starter
from arena.prompt_sets.records import BadPromptFile
from arena.store.judgeable_battles import conversations
from arena.store.prompts import (
    NewPrompt,
    UnknownPromptSet,
    add_completion,
    add_prompt_set,
    completions_of,
    prompt_sets,
    prompts_of,
)
from arena.store.verdicts import NewVerdict, add_verdicts, votes_on_record

FORMATS = [
    ("plain", {"id": "x", "prompt": "Hi?", "checklist": ["kind"], "reference": "yes"}),
    ("plain", {"messages": [{"role": "user", "content": "Hi?"}]}),
    ("alpaca_eval", {"instruction": "Hi?", "dataset": "koala", "output": "Yes.", "generator": "m"}),
    ("arena_hard", {"uid": "x", "prompt": "Hi?", "category": "math"}),
    ("arena_hard", {"question_id": "x", "turns": [{"content": "Hi?"}], "cluster": "c"}),
    ("mt_bench", {"question_id": 81, "turns": ["First?", "Hi?"], "category": "math", "reference": ["a", "b"]}),
    ("wildbench", {"session_id": "x", "conversation_input": [{"role": "user", "content": "Hi?", "toxic": False}],
                   "checklist": ["c"], "primary_tag": "Math"}),
    ("llmuses", {"question_id": 1, "text": "Hi?", "category": "generic"}),
    ("general_qa", {"query": "Hi?", "response": "Yes.", "history": [["So?", "So."]], "system": "Be kind."}),
    ("openai_batch", {"custom_id": "x", "body": {"messages": [{"role": "user", "content": "Hi?"}]}}),
]  # fmt: skip


@pytest.mark.parametrize(("name", "record"), FORMATS)
def test_the_first_record_determines_the_format(name, record):
    for text in (json.dumps(record), json.dumps([record])):
        read = read_prompts(text, "file")
        assert read.format == ("arena_hard" if "turns" in record and "cluster" in record else name)
        assert read.prompts[0].messages[-1]["content"] == "Hi?"


def test_csv_has_the_same_columns():
    read = read_prompts('id,prompt,checklist\n1,"Hi, you?","a\nb"\n', "file.csv")
    assert read.prompts[0].messages[0]["content"] == "Hi, you?"
    assert read.prompts[0].checklist == ("a", "b")


WRONG = [
    ("", "the file is empty"),
    ('{"question": "Hi?"}', "no known format; the first record has question"),
    ('{"prompt": "Hi?"}\nnonsense', "file:2: not valid JSON"),
    ('{"prompt": "Hi?"}\n{"prompt": 3}', "file:2: prompt is '3'. Expected text."),
    ('{"prompt": "Hi?"}\n{"instruction": "Hi?"}', "file:2: no field 'prompt'. Records of plain need it."),
    ('{"id": "a", "prompt": "Hi?"}\n{"id": "a", "prompt": "Ho?"}', "file:2: 'a' appears twice. Give"),
    ('{"messages": [{"role": "assistant", "content": "Hi"}]}', "ends with the user's"),
    ('{"messages": [{"role": "robot", "content": "Hi"}]}', "role 'robot' is unknown. Expected"),
    ('{"prompt": "Hi?", "checklist": 3}', "checklist is '3'. Expected a list of texts."),
    ("[1]", "entry 1: '1' is not an object"),
    ("[1", "not valid JSON"),
    ('{"question_id": 1, "turns": 3, "category": "math"}', "file:1: not a record of mt_bench"),
    ('{"prompt": "Hi?", "checklist": "[1"}', "file:1: "),
    ('{"prompt": "Hi?", "id": "%s"}' % ("k" * 201), "file:1: the id 'kkk"),
    ('{"prompt": "Hi?", "category": "%s"}' % ("k" * 61), "has 61 characters. Use up to 60."),
    ('{"prompt": "Hi?", "id": "a\\u0000b"}', r"file:1: id has '\x00', which is not text. Remove it."),
    ('{"prompt": "Hi?", "mood": "\\ud800"}', r"file:1: extra has '\ud800', which is not text. Remove it."),
    ('{"messages": []}', "messages is not a list. Expected"),
    ('{"prompt": "a\\u0000b"}', r"file:1: prompt has '\x00', which is not text. Remove it."),
    ('{"prompt": "a\\ud800b"}', r"file:1: prompt has '\ud800', which is not text. Remove it."),
]


@pytest.mark.parametrize(("text", "problem"), WRONG)
def test_an_error_names_its_place(text, problem):
    with pytest.raises(BadPromptFile) as caught:
        read_prompts(text, "file")
    assert problem in str(caught.value)


def test_an_unreadable_file_is_an_error(tmp_path):
    with pytest.raises(BadPromptFile, match="no such file"):
        read_prompt_file(tmp_path / "none.jsonl")
    (tmp_path / "latin.jsonl").write_bytes(b'{"prompt": "\xe9"}')
    with pytest.raises(BadPromptFile, match="not UTF-8"):
        read_prompt_file(tmp_path / "latin.jsonl")
    with pytest.raises(BadPromptFile, match="Format 'odd' is unknown"):
        read_prompts('{"prompt": "Hi?"}', "file", "odd")


def test_the_starter_set_has_ten_prompts_in_each_of_eight_categories_with_checklists():
    prompts = starter().prompts
    categories = [prompt.category for prompt in prompts]
    assert len(prompts) == 80
    assert {categories.count(category) for category in categories} == {10}
    assert all(3 <= len(prompt.checklist) <= 5 for prompt in prompts)
    assert all(prompt.reference for prompt in prompts if prompt.category == "reasoning")


def test_an_import_is_whole_and_repeatable(database, tmp_path):
    file = tmp_path / "ae.json"
    rows = [{"instruction": f"Q{n}?", "output": f"A{n}", "generator": "m", "dataset": "d"} for n in range(3)]
    file.write_text(json.dumps(rows))
    [first] = import_prompts(database, str(file))
    assert (first.name, first.prompts, first.completions, first.new) == ("ae", 3, 3, True)
    [again] = import_prompts(database, str(file))
    assert (again.new, again.completions) == (False, 0)
    other = [{**row, "generator": "n", "output": "B"} for row in rows]
    file.write_text(json.dumps(other))
    assert import_prompts(database, str(file))[0].completions == 3
    file.write_text(json.dumps(rows[:2]))
    with pytest.raises(BadPromptFile, match="--name"):
        import_prompts(database, str(file))
    assert import_prompts(database, str(file), name="less")[0].prompts == 2
    with database.read() as session:
        assert [prompt.messages[0]["content"] for prompt in prompts_of(session, "ae")] == ["Q0?", "Q1?", "Q2?"]
        assert {model for _, model in completions_of(session, "ae")} == {"m", "n"}
        assert len(completions_of(session, "ae", ["m"])) == 3
        assert [(row.name, row.completions) for row in prompt_sets(session)] == [
            ("ae", {"m": 3, "n": 3}), ("less", {"m": 2}),
        ]  # fmt: skip
        with pytest.raises(UnknownPromptSet, match="Prompt sets: ae, less"):
            prompts_of(session, "none")


def test_mt_bench_answers_become_references_turn_by_turn(database, tmp_path):
    questions, answers = tmp_path / "question.jsonl", tmp_path / "gpt-4.jsonl"
    rows = [{"question_id": n, "category": "math", "turns": ["First?", "Second?"]} for n in (1, 2)]
    questions.write_text("\n".join(map(json.dumps, rows)))
    answers.write_text(json.dumps({"question_id": 2, "choices": [{"turns": ["one", "two"]}]}))
    import_prompts(database, str(questions), how=HowToRead(references=answers))
    with database.read() as session:
        without, having = prompts_of(session, "question")
    assert (without.reference, without.references) == (None, ())
    assert (having.reference, having.references) == ("one\n\ntwo", ("one", "two"))
    answers.write_text(json.dumps({"question_id": 7, "choices": [{"turns": ["one"]}]}))
    with pytest.raises(BadPromptFile, match="answers none of these prompts"):
        import_prompts(database, str(questions), how=HowToRead(references=answers))
    answers.write_text(json.dumps({"question_id": 2, "text": "one"}))
    with pytest.raises(BadPromptFile, match="not an MT-bench answer"):
        import_prompts(database, str(questions), how=HowToRead(references=answers))


def test_a_judged_conversation_is_read_with_all_the_turns_that_the_models_had(database):
    turns = tuple({"role": "user", "content": text} for text in ("First?", "Second?"))
    with database.write() as session:
        add_prompt_set(session, "talks", "file", "0", [NewPrompt("t", turns)])
        (prompt,) = prompts_of(session, "talks")
        for model in ("a", "b"):
            add_completion(session, prompt.id, model, f"{model} twice", earlier=[f"{model} once"])
        stored = completions_of(session, "talks")
        verdict = NewVerdict(prompt, stored["t", "a"], stored["t", "b"], "model_a", 1.0, 1, (), "because")
        assert add_verdicts(session, "judge:j", "design", [verdict]) == 1
        (battle,) = {vote.battle for vote in votes_on_record(session, ["judge:j"])}
        assert conversations(session, [battle])[battle] == [
            ("First?", "a once", "b once"), ("Second?", "a twice", "b twice"),
        ]  # fmt: skip


@pytest.fixture
def folder_of_rows(tmp_path):
    """A folder that `datasets` loads as it would load a set from the hub."""
    pytest.importorskip("datasets", reason="needs the extra 'hub'")
    rows = [{"id": f"p{n}", "prompt": f"Question {n}?", "category": "code" if n else None} for n in range(3)]
    (tmp_path / "test.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return tmp_path


def test_a_set_of_the_hub_is_read_through_datasets(folder_of_rows, monkeypatch):
    monkeypatch.setenv("HF_DATASETS_CACHE", str(folder_of_rows / "cache"))
    read = read_hub_prompts(str(folder_of_rows), None)
    assert read.format == "plain"
    assert [prompt.key for prompt in read.prompts] == ["p0", "p1", "p2"]
    assert [prompt.category for prompt in read.prompts] == ["overall", "code", "code"]
    with pytest.raises(BadPromptFile, match="cannot be loaded"):
        read_hub_prompts(str(folder_of_rows), None, split="nowhere")


def test_a_hub_id_needs_a_revision_and_a_path_is_none(tmp_path):
    assert is_hub_id("allenai/WildBench")
    assert not is_hub_id("folder/prompts.jsonl")
    assert not is_hub_id("starter")
    with pytest.raises(BadPromptFile, match="Use --revision COMMIT"):
        read_hub_prompts("allenai/WildBench", None)


def test_an_unreachable_hub_names_the_alternative(monkeypatch):
    datasets = pytest.importorskip("datasets", reason="needs the extra 'hub'")

    def unreachable(*_, **__):
        raise ConnectionError("Couldn't reach the hub")

    monkeypatch.setattr(datasets, "load_dataset", unreachable)
    with pytest.raises(BadPromptFile, match=r"Couldn't reach the hub.*arena prompts import FILE"):
        read_hub_prompts("allenai/WildBench", "0" * 40)
