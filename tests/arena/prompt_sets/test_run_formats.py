"""Samples as other harnesses log them: two models' files of one task are judged pairwise."""

from __future__ import annotations

import importlib.util
import json
import re

import pytest

from arena.prompt_sets.completion_import import CompletionFiles, import_completions
from arena.prompt_sets.records import BadPromptFile
from arena.store.prompts import completions_of, prompt_sets, prompts_of

HAS_INSPECT = importlib.util.find_spec("inspect_ai") is not None
TIME = "2026-11-27T10-11-12.131415"
CHAT = json.dumps([{"role": "system", "content": "Be brief."}, {"role": "user", "content": "1+1?"}])
STOP = {"until": ["\n"], "do_sample": False}


def sample(number: int, reply: str, filter_: str = "strict-match", context="1+1?", **more) -> dict:
    """As lm-evaluation-harness 0.4.9 writes it."""
    return {
        "doc_id": number, "doc": {"question": "1+1?", "answer": "#### 2"}, "target": "2",
        "arguments": {"gen_args_0": {"arg_0": context, "arg_1": STOP}}, "resps": [[reply]],
        "filtered_resps": ["2"], "filter": filter_, "metrics": ["exact_match"], "doc_hash": "d", "prompt_hash": "p",
        "target_hash": "t", "exact_match": 1.0, **more,
    }  # fmt: skip


def prediction(index: int, reply, model: str = "m", **more) -> dict:
    """As evalscope 1.14 writes it."""
    message = {"id": "a1", "content": reply, "source": "generate", "role": "assistant", "tool_calls": None}
    return {
        "index": index, "model": model, "agent_trace": None, "metadata": {"source": "general"},
        "model_output": {"model": model, "choices": [{"message": message, "stop_reason": "stop"}], "usage": None},
        "messages": [{"id": "u1", "content": "Be brief.", "role": "system"},
                     {"id": "u2", "content": f"Ask {index}?", "role": "user"}, message], **more,
    }  # fmt: skip


def instance(number: int, model: str, **more) -> dict:
    """As the converters of Every Eval Ever write it."""
    return {
        "schema_version": "0.3.0", "evaluation_id": "e", "model_id": model, "evaluation_name": "sums",
        "sample_id": f"s{number}", "interaction_type": "single_turn", "answer_attribution": [],
        "input": {"raw": f"{number}+1?", "reference": ["2"]}, "output": {"raw": ["Two."]},
        "evaluation": {"score": 1.0, "is_correct": True}, "metadata": None, **more,
    }  # fmt: skip


def written(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), encoding="utf-8")
    return path


def lm_eval_run(folder, model: str, rows):
    results = {"model_name": model, "results": {}}
    written(folder / f"results_{TIME}.json", [results])
    return written(folder / f"samples_gsm8k_cot_{TIME}.jsonl", rows)


def content(database, name):
    with database.read() as session:
        completions = {place: row.text for place, row in completions_of(session, name).items()}
        return {prompt.key: prompt for prompt in prompts_of(session, name)}, completions


def test_two_runs_of_lm_eval_become_one_set(database, tmp_path):
    """The model is named in the results, and each sample has a record for each filter."""
    files = [
        lm_eval_run(tmp_path / model, f"org/{model}", [
            row for n in range(2) for row in (sample(n, f"{model} {n}"), sample(n, f"{model} {n}", "flexible-extract"))
        ])
        for model in ("x", "y")
    ]  # fmt: skip
    done = import_completions(database, CompletionFiles(files))
    assert (done.prompts, done.formats, done.added, done.there) == (
        "gsm8k_cot", ("lm_eval",), {"org/x": 2, "org/y": 2}, 0,
    )  # fmt: skip
    prompts, completions = content(database, "gsm8k_cot")
    prompt = prompts["gsm8k_cot/0"]
    assert (prompt.messages[0]["content"], prompt.reference, prompt.category) == ("1+1?", "2", "gsm8k_cot")
    assert completions["gsm8k_cot/1", "org/y"] == "y 1"


@pytest.mark.parametrize("context", [CHAT, [CHAT]])
def test_messages_of_a_chat_model_are_messages(sqlite, tmp_path, context):
    file = written(tmp_path / "samples.jsonl", [sample(0, "2", context=context)])
    import_completions(sqlite, CompletionFiles([file], model="m"))
    [prompt] = content(sqlite, "samples")[0].values()
    assert list(map(dict, prompt.messages)) == json.loads(CHAT)


def test_arguments_as_lists_and_a_text_that_begins_like_json_are_read(sqlite, tmp_path):
    row = sample(0, "2", arguments=[["[{1, 2}]: sorted?", STOP]], resps=[["first", "second"]])
    import_completions(sqlite, CompletionFiles([written(tmp_path / "samples.jsonl", [row])], model="m"))
    prompts, completions = content(sqlite, "samples")
    assert [prompt.messages[0]["content"] for prompt in prompts.values()] == ["[{1, 2}]: sorted?"]
    assert list(completions.values()) == ["first"]


def test_predictions_of_evalscope_are_read_without_reasoning(database, tmp_path):
    parts = [{"type": "reasoning", "reasoning": "hm"}, {"type": "text", "text": "Yes."}]
    none = {"model": "y", "choices": [], "error": "timeout"}
    files = [
        written(tmp_path / rows[0]["model"] / "general_qa_main.jsonl", rows)
        for rows in (
            [prediction(0, parts, "x"), prediction(1, "No.", "x")],
            [prediction(0, "A", "y"), prediction(1, "", "y", model_output=none)],
        )
    ]
    done = import_completions(database, CompletionFiles(files))
    assert (done.formats, done.added, done.without) == (("evalscope",), {"x": 2, "y": 1}, 1)
    prompts, completions = content(database, "general_qa_main")
    assert completions["general_qa_main/0", "x"] == "Yes."
    assert [m["content"] for m in prompts["general_qa_main/1"].messages] == ["Be brief.", "Ask 1?"]


def test_instances_of_every_eval_ever_are_read(database, tmp_path):
    rows = [instance(n, model) for model in ("org/x", "org/y") for n in range(2)]
    done = import_completions(database, CompletionFiles([written(tmp_path / "sums.jsonl", rows)]))
    assert (done.formats, done.added) == (("every_eval_ever",), {"org/x": 2, "org/y": 2})
    prompts, completions = content(database, "sums")
    assert (prompts["s1"].reference, completions["s1", "org/y"]) == ("2", "Two.")


LIKELY = sample(1, "", arguments={"gen_args_0": {"arg_0": "1+1?", "arg_1": " 2"}}, resps=[["-1.5", "True"]])
PICTURE = [{"type": "image", "image": "…"}]
GOOD = sample(0, "2")
WRONG = [
    ([GOOD, LIKELY], r":2: the record has log-probabilities, and no completion"),
    ([GOOD, {**GOOD, "doc_id": 1, "resps": [[3]]}], r":2: the completion is '3'. Expected text"),
    ([GOOD, {**GOOD, "doc_id": 1, "arguments": 3}], r":2: not a completion of lm_eval"),
    ([GOOD, {**GOOD, "doc_id": 1, "arguments": {"gen_args_0": {"arg_0": 3}}}], r":2: the context is '3'. Expected text"),
    ([GOOD, {**GOOD, "resps": [["other"]]}], r":2: m has another completion of 'samples/0'"),
    ([GOOD, {**GOOD, "doc_id": 1, "resps": [["a"], ["b"]]}], r":2: 2 turns of the model, and the prompt"),
    ([prediction(0, "Yes."), prediction(1, PICTURE)], r":2: a message has a part of the type 'image'. Only texts"),
    ([prediction(0, "Yes."), {"index": 1}], r":2: no field 'model_output'"),
    ([instance(0, "m"), instance(1, "m", input={})], r":2: no field 'reference'"),
    ([{**GOOD, "resps": [[]]}], r": no sample has a completion. Import a run"),
]  # fmt: skip


@pytest.mark.parametrize(("rows", "message"), WRONG)
def test_a_wrong_sample_names_its_line_and_nothing_is_imported(sqlite, tmp_path, rows, message):
    file = written(tmp_path / "samples.jsonl", rows)
    with pytest.raises(BadPromptFile, match=re.escape(str(file)) + message):
        import_completions(sqlite, CompletionFiles([file], model="m"))
    with sqlite.read() as session:
        assert prompt_sets(session) == []


def test_samples_without_results_need_the_models_name(sqlite, tmp_path):
    file = written(tmp_path / f"samples_t_{TIME}.jsonl", [GOOD])
    with pytest.raises(BadPromptFile, match=r"names no model. Add --model NAME"):
        import_completions(sqlite, CompletionFiles([file]))
    written(tmp_path / f"results_{TIME}.json", [{"results": {}}])
    with pytest.raises(BadPromptFile, match=rf"results_{TIME}.json: no model_name .* Add --model NAME"):
        import_completions(sqlite, CompletionFiles([file]))
    assert import_completions(sqlite, CompletionFiles([file], model="m")).added == {"m": 1}


def test_a_prompt_whose_category_does_not_fit_its_column_is_refused(sqlite, tmp_path):
    """PostgreSQL would refuse it, with an error that names no line."""
    row = {"prompt": "Hi?", "completion": "Yes.", "model": "m", "category": "c" * 61}
    with pytest.raises(BadPromptFile, match=r"f.jsonl:1: the category 'c+' has 61 characters. Use up to 60"):
        import_completions(sqlite, CompletionFiles([written(tmp_path / "f.jsonl", [row])]))


def inspect_log(path, samples, model="openai/x", **more):
    from inspect_ai.log import EvalConfig, EvalDataset, EvalLog, EvalSpec, write_eval_log

    spec = EvalSpec(
        created="2026-11-27T10:11:12+00:00",
        task="sums",
        dataset=EvalDataset(),
        model=model,
        config=EvalConfig(),
    )
    write_eval_log(EvalLog(status="success", eval=spec, samples=samples, **more), str(path))
    return path


@pytest.mark.skipif(not HAS_INSPECT, reason="needs the extra 'inspect'")
def test_a_log_of_inspect_is_read_by_its_own_reader(database, tmp_path):
    from inspect_ai.log import EvalSample
    from inspect_ai.model import (
        ChatMessageAssistant,
        ChatMessageSystem,
        ChatMessageUser,
        ContentReasoning,
        ContentText,
        ModelOutput,
    )
    from inspect_ai.scorer import Score

    thought = [ContentReasoning(reasoning="hm"), ContentText(text="Four.")]
    samples = [
        EvalSample(id=1, epoch=1, input="1+1?", target="2", output=ModelOutput.from_content("x", "Two."),
                   scores={"match": Score(value="C")}, metadata={"category": "easy"}),
        EvalSample(id=1, epoch=2, input="1+1?", target="2", output=ModelOutput.from_content("x", "2")),
        EvalSample(id="b", epoch=1, input=[ChatMessageSystem(content="Brief."), ChatMessageUser(content="2+2?")],
                   target=["4", "four"], output=ModelOutput(model="x"), messages=[ChatMessageAssistant(content="…")]),
        EvalSample(id="c", epoch=1, input=[ChatMessageSystem(content="Brief."), ChatMessageUser(content="2+2?")],
                   target=["4", "four"], output=ModelOutput.from_content("x", thought)),
    ]  # fmt: skip
    file = inspect_log(tmp_path / "2026-11-27T10-11-12-00-00_sums_abcDEF123.eval", samples)
    done = import_completions(database, CompletionFiles([file]))
    assert (done.prompts, done.formats, done.added, done.without) == ("sums", ("inspect",), {"openai/x": 2}, 1)
    prompts, completions = content(database, "sums")
    assert completions == {("1", "openai/x"): "Two.", ("c", "openai/x"): "Four."}
    assert [(p.category, p.reference) for p in prompts.values()] == [("easy", "2"), ("sums", "4\n\nfour")]
    assert [m["role"] for m in prompts["c"].messages] == ["system", "user"]


@pytest.mark.skipif(not HAS_INSPECT, reason="needs the extra 'inspect'")
def test_a_log_as_json_is_read_when_the_format_is_given(sqlite, tmp_path):
    from inspect_ai.log import EvalSample
    from inspect_ai.model import ModelOutput

    sample = EvalSample(id=1, epoch=1, input="1+1?", target="2", output=ModelOutput.from_content("x", "Two."))
    file = inspect_log(tmp_path / "log.json", [sample])
    assert import_completions(sqlite, CompletionFiles([file], "inspect")).added == {"openai/x": 1}


@pytest.mark.skipif(not HAS_INSPECT, reason="needs the extra 'inspect'")
def test_a_model_of_this_arena_has_its_own_name_in_a_log_of_its_run(sqlite, tmp_path):
    from inspect_ai.log import EvalSample
    from inspect_ai.model import ModelOutput

    sample = EvalSample(id=1, epoch=1, input="1+1?", target="2", output=ModelOutput.from_content("x", "Two."))
    file = inspect_log(tmp_path / "log.eval", [sample], model="arena/org/x")
    assert import_completions(sqlite, CompletionFiles([file])).added == {"org/x": 1}


@pytest.mark.skipif(not HAS_INSPECT, reason="needs the extra 'inspect'")
def test_a_broken_log_is_named(sqlite, tmp_path):
    file = tmp_path / "log.eval"
    for data in (b"", b"PK nothing", b"{}"):
        file.write_bytes(data)
        with pytest.raises(BadPromptFile, match=r"log.eval: cannot be read as a log of inspect_ai"):
            import_completions(sqlite, CompletionFiles([file]))
    with pytest.raises(BadPromptFile, match=r"none.eval: no such file"):
        import_completions(sqlite, CompletionFiles([tmp_path / "none.eval"]))


def asked(key: str, text: str, model: str) -> dict:
    return {"id": key, "prompt": text, "completion": f"{model}: {text}", "model": model}


def test_models_that_completed_one_text_under_two_ids_completed_one_prompt(sqlite, tmp_path):
    """As two harnesses number the same data set. Nothing could be judged pairwise otherwise."""
    questions = ["1+1?", "2+2?", "3+3?"]
    files = [
        written(tmp_path / "x.jsonl", [asked(str(n), text, "x") for n, text in enumerate(questions, 1)]),
        written(tmp_path / "y.jsonl", [asked(f"sums/{n}", text, "y") for n, text in enumerate(questions)]),
        written(
            tmp_path / "z.jsonl", [asked(str(n), text, "z") for n, text in enumerate(questions)]
        ),  # ids of x moved
    ]
    done = import_completions(sqlite, CompletionFiles(files), "at once")
    assert (done.new_prompts, done.added) == (3, {"x": 3, "y": 3, "z": 3})
    for file in files:
        import_completions(sqlite, CompletionFiles([file]), "in turn")
    prompts, completions = content(sqlite, "at once")
    assert (prompts.keys(), completions) == (content(sqlite, "in turn")[0].keys(), content(sqlite, "in turn")[1])
    for (key, model), text in completions.items():
        assert text == f"{model}: {prompts[key].messages[0]['content']}"


def test_a_text_that_one_model_has_twice_stays_two_prompts(sqlite, tmp_path):
    files = [
        written(tmp_path / "x.jsonl", [asked("a", "1+1?", "x"), asked("b", "1+1?", "x")]),
        written(tmp_path / "y.jsonl", [asked("a", "1+1?", "y"), asked("c", "1+1?", "y")]),
    ]
    assert import_completions(sqlite, CompletionFiles(files), "set").new_prompts == 3
    assert content(sqlite, "set")[1].keys() == {("a", "x"), ("b", "x"), ("a", "y"), ("c", "y")}


def test_an_id_with_another_text_that_no_prompt_has_is_an_error(sqlite, tmp_path):
    files = [
        written(tmp_path / "x.jsonl", [asked("1", "1+1?", "x")]),
        written(tmp_path / "y.jsonl", [asked("1", "2+2?", "y")]),
    ]
    with pytest.raises(BadPromptFile, match="the id '1' has another prompt in an earlier record"):
        import_completions(sqlite, CompletionFiles(files), "set")
    import_completions(sqlite, CompletionFiles(files[:1]), "set")
    with pytest.raises(BadPromptFile, match="the prompt '1' of the set 'set' has another text"):
        import_completions(sqlite, CompletionFiles(files[1:]), "set")
