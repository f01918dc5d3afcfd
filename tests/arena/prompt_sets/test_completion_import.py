"""Completions of other tools: every format is read, all files or none, and twice is once."""

from __future__ import annotations

import json
import re
import sys

import pytest

from arena.errors import ConfigError
from arena.exchange.export_prompt_set import export_set
from arena.prompt_sets.completion_import import CompletionFiles, import_completions
from arena.prompt_sets.mapping import COMPLETION_FIELDS, PROMPT_FIELDS, parse_mapping
from arena.prompt_sets.prompt_sets import HowToRead, OnHub, import_prompts
from arena.prompt_sets.records import BadPromptFile
from arena.store.prompts import NewPrompt, add_completion, add_prompt_set, completions_of, prompt_sets, prompts_of
from tests.support.arenas import new_file
from tests.support.published import published

HI = [{"role": "user", "content": "Hi?"}]
MODELS = ("base", "org/good")
RECORDS = [
    ("wildbench", {"session_id": "x", "chat_history": ["Hi?"], "model_input": "<s>Hi?", "output": ["Yes."],
                   "generator": "m", "primary_tag": "Math", "configs": {}}),
    ("arena_hard", {"uid": "x", "ans_id": "1", "model": "m",
                    "messages": [*HI, {"role": "assistant", "content": {"answer": "Yes."}}]}),
    ("alpaca_eval", {"instruction": "Hi?", "output": "Yes.", "generator": "m", "dataset": "koala"}),
    ("llmuses", {"question_id": 1, "text": "Hi?", "category": "generic", "answer": "Yes.", "model_id": "m"}),
    ("general_qa", {"query": "Hi?", "response": "Yes.", "model": "m"}),
    ("plain", {"prompt": "Hi?", "completion": "Yes.", "model": "m", "seconds": 3}),
    ("plain", {"id": 4, "messages": HI, "completion": ["Yes."], "generator": "m"}),
]  # fmt: skip


def written(path, rows):
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    return path


def stored(database, name):
    with database.read() as session:
        return {
            (place, (*row.earlier, row.text)) for place, row in completions_of(session, name).items()
        }, prompts_of(session, name)


@pytest.mark.parametrize(("name", "record"), RECORDS)
def test_a_file_with_prompts_becomes_a_set_with_completions(database, tmp_path, name, record):
    file = written(tmp_path / "file.jsonl", [record])
    done = import_completions(database, CompletionFiles([file]))
    assert (done.prompts, done.formats, done.added, done.there, done.new_prompts) == (
        "file",
        (name,),
        {"m": 1},
        0,
        1,
    )
    completions, [prompt] = stored(database, "file")
    assert [dict(message) for message in prompt.messages] == HI
    assert completions == {((prompt.key, "m"), ("Yes.",))}
    again = import_completions(database, CompletionFiles([file]))
    assert (again.added, again.there, again.new_prompts) == ({}, 1, 0)


@pytest.mark.parametrize("format_", ["mt_bench", "arena_hard"])
def test_what_is_exported_comes_back_equal(database, tmp_path, format_):
    """Prompts and completions of both exports, imported into an empty arena."""
    sqlite = new_file(tmp_path / "other.db")
    turns = 2 if format_ == "mt_bench" else 1
    prompts = [
        NewPrompt(f"k{n}", tuple({"role": "user", "content": f"Ask {n}.{turn}, über alles?"} for turn in range(turns)),
                  "misc", ("is kind", "is short"))
        for n in range(3)
    ]  # fmt: skip
    with database.write() as session:
        add_prompt_set(session, "set", "test", "0" * 64, prompts)
        for prompt in prompts_of(session, "set"):
            for model in MODELS:
                earlier = ["first"] * (turns - 1)
                add_completion(session, prompt.id, model, f"{model} on\n {prompt.key} 世界", earlier=earlier)
    export_set(database, tmp_path / "out", format_, "set")
    answers = sorted((tmp_path / "out" / "model_answer").glob("*.jsonl"))
    import_prompts(sqlite, str(tmp_path / "out" / "question.jsonl"), name="set")
    done = import_completions(sqlite, CompletionFiles(answers), "set")
    assert (done.formats, done.added) == (("fastchat" if turns == 2 else format_,), dict.fromkeys(MODELS, 3))
    before, after = stored(database, "set"), stored(sqlite, "set")
    sqlite.close()
    assert after[0] == before[0]
    facts = ("key", "messages", "category", "checklist", "reference", "extra")
    assert [[getattr(p, f) for f in facts] for p in after[1]] == [
        [getattr(p, f) for f in facts] for p in before[1]
    ]


def test_real_answers_of_fastchat_belong_to_their_questions(sqlite):
    """Vicuna-80: the questions as LLMuses writes them, and the answers of five models."""
    folder = published("judges", "prd", "vicuna80")
    [questions] = import_prompts(sqlite, str(folder / "prompts" / "vicuna_questions.jsonl"), name="v")
    assert (questions.format, questions.prompts) == ("llmuses", 80)
    files = sorted((folder / "generations").glob("*.jsonl"))
    done = import_completions(sqlite, CompletionFiles(files), "v")
    assert (done.formats, done.total, set(done.added.values())) == (("vicuna",), 400, {80})


def test_one_file_holds_several_models_and_several_files_are_one_import(database, tmp_path):
    rows = [{"q": f"Q{n}?", "a": {"text": f"{m} {n}"}, "who": m} for m in ("x", "y") for n in range(3)]
    file = written(tmp_path / "runs.jsonl", rows)
    mapping = parse_mapping(["prompt=q", "completion=a.text", "model=who"], COMPLETION_FIELDS)
    done = import_completions(database, CompletionFiles([file], mapping=mapping))
    assert (done.formats, done.added, done.new_prompts) == (("mapped",), {"x": 3, "y": 3}, 3)
    third = written(tmp_path / "z.jsonl", [{"query": f"Q{n}?", "response": ""} for n in range(3)])
    added = import_completions(database, CompletionFiles([third], model="z"), "runs")
    assert (added.added, added.empty, added.new_prompts) == ({"z": 3}, 3, 0)
    with pytest.raises(ConfigError, match="Add --prompts SET"):
        import_completions(database, CompletionFiles([file, third]))


GOOD = {"prompt": "Hi?", "completion": "Yes.", "model": "m", "id": "a"}
WRONG = [
    ([{"question": "Hi?", "answer": "Yes."}], {}, "the first record has question, answer. Name the fields, such as --map"),
    ([GOOD, {**GOOD, "id": "b", "completion": 3}], {}, "bad.jsonl:2: the completion is '3'. Expected text."),
    ([GOOD, {**GOOD, "id": "b", "completion": "a\0"}], {}, r"bad.jsonl:2: the completion has '\x00'"),
    ([GOOD, {"prompt": "Ho?", "completion": "Yes."}], {}, "bad.jsonl:2: the record names no model. Add --model"),
    ([GOOD, {"prompt": "Ho?", "model": "m"}], {}, "bad.jsonl:2: no field 'completion'. Completions of plain need it"),
    ([GOOD, {"completion": "Yes.", "model": "m"}], {}, "bad.jsonl:2: the record has no prompt, messages or id"),
    ([GOOD, {**GOOD, "completion": "No."}], {}, "bad.jsonl:2: m has another completion of 'a'"),
    ([GOOD, {**GOOD, "prompt": "Ho?"}], {}, "bad.jsonl:2: the id 'a' has another prompt in an earlier record"),
    ([GOOD, {**GOOD, "model": "m" * 121}], {}, "bad.jsonl:2: the model 'mmm"),
    ([GOOD, {**GOOD, "id": "b", "completion": ["a", "b"]}], {}, "bad.jsonl:2: 2 turns of the model, and the prompt"),
    ([GOOD], {"mapping": {"completion": "output"}}, "no field 'output' for --map completion=output. The record has"),
    ([GOOD], {"format": "odd"}, "Format 'odd' is unknown"),
    ([GOOD], {"format": "wildbench"}, "bad.jsonl:1: no field 'session_id'. Completions of wildbench need it"),
    ([{"question_id": 1, "choices": 3, "model_id": "m"}], {}, "bad.jsonl:1: not a completion of fastchat"),
    ([{"question_id": 1, "choices": [{"turns": []}], "model_id": "m"}], {}, "the record has no completion"),
    ([{"question_id": 1, "choices": [{"turns": ["a"]}], "model_id": "m"}], {}, "there is no prompt set 'bad'"),
    ([{"session_id": "s", "generator": "m", "output": ["a", "b"]}], {}, "output has 2 texts. Expected one."),
    ([{"uid": "s", "model": "m", "messages": HI}], {}, "the last message is the user's. Expected the model's."),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "options", "problem"), WRONG)
def test_a_bad_file_names_its_line_and_nothing_is_imported(sqlite, tmp_path, rows, options, problem):
    good = written(tmp_path / "good.jsonl", [{**GOOD, "id": "first"}])
    bad = written(tmp_path / "bad.jsonl", rows)
    with pytest.raises(BadPromptFile) as caught:
        import_completions(sqlite, CompletionFiles([bad], **options))
    assert problem in str(caught.value)
    if not options:
        with pytest.raises(BadPromptFile):
            import_completions(sqlite, CompletionFiles([good, bad]), "both")
    with sqlite.read() as session:
        assert prompt_sets(session) == []


def test_completions_of_other_prompts_are_refused(sqlite, tmp_path):
    import_completions(sqlite, CompletionFiles([written(tmp_path / "s.jsonl", [GOOD])]))
    for record, problem in (
        ({**GOOD, "prompt": "Another?"}, "the prompt 'a' of the set 's' has another text"),
        ({**GOOD, "prompt": "Another?", "id": "b"}, "no prompt 'b' in the set 's'"),
        ({"prompt": "Another?", "completion": "Yes.", "model": "n"}, "no prompt 'Another?' in the set 's'"),
    ):
        with pytest.raises(BadPromptFile, match=re.escape(problem)):
            import_completions(sqlite, CompletionFiles([written(tmp_path / "o.jsonl", [record])]), "s")
    without_id = {"prompt": " Hi? ", "completion": "No.", "model": "n"}
    assert (
        import_completions(sqlite, CompletionFiles([written(tmp_path / "o.jsonl", [without_id])]), "s").total == 1
    )


def test_wrong_options_are_named(sqlite, tmp_path):
    for options, problem in ((["prompt"], "is invalid"), (["mood=x"], "is invalid"), (["id=a", "id=b"], "twice")):
        with pytest.raises(ConfigError, match=problem):
            parse_mapping(options, PROMPT_FIELDS)
    with pytest.raises(ConfigError, match="--model"):
        import_completions(sqlite, CompletionFiles([written(tmp_path / "s.jsonl", [GOOD])], model="m" * 121))


def test_prompts_with_fields_of_their_own(sqlite, tmp_path):
    file = written(tmp_path / "q.jsonl", [{"question": {"text": "Hi?"}, "topic": "t", "n": 1, "gold": "Yes."}])
    how = HowToRead(
        mapping=parse_mapping(["prompt=question.text", "category=topic", "reference=gold"], PROMPT_FIELDS)
    )
    [done] = import_prompts(sqlite, str(file), how=how)
    _, [prompt] = stored(sqlite, "q")
    assert (done.format, prompt.category, prompt.reference, prompt.extra) == ("mapped", "t", "Yes.", {"n": 1})


def test_several_prompt_files_are_all_imported_or_none(sqlite, tmp_path):
    good, bad = written(tmp_path / "g.jsonl", [{"prompt": "Hi?"}]), written(tmp_path / "b.jsonl", [{"x": 1}])
    with pytest.raises(BadPromptFile, match="the first record has x"):
        import_prompts(sqlite, str(good), str(bad))
    with pytest.raises(BadPromptFile, match="--name is for one set"):
        import_prompts(sqlite, str(good), str(bad), name="n")
    with sqlite.read() as session:
        assert prompt_sets(session) == []
    assert [done.name for done in import_prompts(sqlite, str(good), "starter")] == ["g", "starter"]


def test_parquet_and_folders_of_datasets(sqlite, tmp_path):
    datasets = pytest.importorskip("datasets")
    rows = [{"prompt": "Hi?", "completion": "Yes.", "model": "m", "note": None}, {**GOOD, "note": "x"}]
    table = datasets.Dataset.from_list(rows[:1])
    table.to_parquet(str(tmp_path / "one.parquet"))
    table.save_to_disk(str(tmp_path / "saved"))
    both = datasets.DatasetDict({"train": table, "test": table})
    both.save_to_disk(str(tmp_path / "splits"))
    (tmp_path / "clone" / "data").mkdir(parents=True)
    for split in ("train", "test"):
        table.to_parquet(str(tmp_path / "clone" / "data" / f"{split}-00000-of-00001.parquet"))
    for name in ("one.parquet", "saved"):
        assert import_completions(sqlite, CompletionFiles([tmp_path / name])).total == 1
    for name in ("splits", "clone"):
        with pytest.raises(BadPromptFile, match="Use --split with one of: test, train"):
            import_completions(sqlite, CompletionFiles([tmp_path / name]))
        with pytest.raises(BadPromptFile, match="no split 'dev'"):
            import_completions(sqlite, CompletionFiles([tmp_path / name], split="dev"))
        assert import_completions(sqlite, CompletionFiles([tmp_path / name], split="test")).total == 1
        assert import_prompts(
            sqlite, str(tmp_path / name), name=f"p{name}", how=HowToRead(hub=OnHub(split="test"))
        )
    (tmp_path / "bad.parquet").write_text("nothing of ours")
    with pytest.raises(BadPromptFile, match="cannot be read as Parquet"):
        import_completions(sqlite, CompletionFiles([tmp_path / "bad.parquet"]))
    (tmp_path / "saved" / "state.json").write_text("{")
    with pytest.raises(BadPromptFile, match="cannot load this folder"):
        import_completions(sqlite, CompletionFiles([tmp_path / "saved"]))


def test_a_missing_package_is_named_with_its_extra(sqlite, tmp_path, monkeypatch):
    (tmp_path / "saved").mkdir()
    (tmp_path / "saved" / "dataset_info.json").write_text("{}")
    (tmp_path / "one.parquet").write_text("")
    for module, name, extra in (("datasets", "saved", "hub"), ("pyarrow.parquet", "one.parquet", "parquet")):
        monkeypatch.setitem(sys.modules, module, None)
        with pytest.raises(BadPromptFile, match=rf"Run `pip install 'arena\[{extra}\]'`"):
            import_completions(sqlite, CompletionFiles([tmp_path / name]))
