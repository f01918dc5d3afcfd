"""Two models' runs in two other harnesses, judged pairwise as docs/data.md shows, from the files to the leaderboard."""

from __future__ import annotations

import importlib.util
import json

import pytest

from tests.support.refusing_server import plain_reply, refusing_server
from tests.support.typed import Typed

pytestmark = pytest.mark.service
QUESTIONS = {"1+1?": "2", "2+3?": "5", "4+4?": "8", "3+3?": "6"}
TIME = "2026-11-27T10-11-12.131415"
SETTINGS = """
database_url = "sqlite:///runs.db"
[[models]]
name = "judge"
endpoint = "openai"
enabled = false
url = "{url}"
"""
INSPECT = pytest.param(
    "inspect",
    marks=pytest.mark.skipif(importlib.util.find_spec("inspect_ai") is None, reason="needs the extra 'inspect'"),
)


def lm_eval_run(folder):
    """Of the model `good`, as lm-evaluation-harness writes it: samples are numbered from 0."""
    folder.mkdir()
    (folder / f"results_{TIME}.json").write_text(json.dumps({"model_name": "org/good"}))
    rows = [
        {
            "doc_id": number, "doc": {"question": text, "answer": answer}, "target": answer, "filter": "none",
            "arguments": {"gen_args_0": {"arg_0": text, "arg_1": {"until": ["\n"]}}}, "resps": [[f"GOOD {answer}"]],
            "filtered_resps": [answer], "metrics": ["exact_match"], "exact_match": 1.0,
        }
        for number, (text, answer) in enumerate(QUESTIONS.items())
    ]  # fmt: skip
    file = folder / f"samples_sums_{TIME}.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def inspect_run(folder):
    """Of the model `poor`, as inspect_ai writes it: samples are numbered from 1."""
    from inspect_ai.log import EvalConfig, EvalDataset, EvalLog, EvalSample, EvalSpec, write_eval_log
    from inspect_ai.model import ModelOutput

    samples = [
        EvalSample(
            id=number,
            epoch=1,
            input=text,
            target=answer,
            output=ModelOutput.from_content("poor", f"POOR {answer}"),
        )
        for number, (text, answer) in enumerate(QUESTIONS.items(), 1)
    ]
    spec = EvalSpec(
        created="2026-11-27T10:11:12+00:00",
        task="sums",
        dataset=EvalDataset(),
        model="org/poor",
        config=EvalConfig(),
    )
    file = folder / "2026-11-27T10-11-12-00-00_sums_abcDEF123.eval"
    write_eval_log(EvalLog(status="success", eval=spec, samples=samples), str(file))
    return file


def evalscope_run(folder):
    """Of the model `poor`, as evalscope writes it: samples are numbered from 0 under another name."""
    rows = []
    for number, (text, answer) in enumerate(QUESTIONS.items()):
        reply = {"role": "assistant", "content": f"POOR {answer}"}
        output = {"model": "org/poor", "choices": [{"message": reply, "stop_reason": "stop"}]}
        messages = [{"role": "user", "content": text}, reply]
        rows.append(
            {"index": number, "model": "org/poor", "model_output": output, "messages": messages, "metadata": {}}
        )
    file = folder / "general_qa_main.jsonl"
    file.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return file


def better(body):
    """The verdict for the answer that says GOOD, wherever it stands."""
    asked = json.dumps(body["messages"])
    reply = plain_reply(body)
    reply["choices"][0]["message"]["content"] = f"[[{'A' if asked.index('GOOD') < asked.index('POOR') else 'B'}]]"
    return reply


@pytest.fixture
def typed(monkeypatch, capsys):
    return Typed(monkeypatch, capsys)


@pytest.mark.parametrize("other", [INSPECT, "evalscope"])
def test_two_runs_of_two_harnesses_are_judged_pairwise_from_their_files(typed, tmp_path, other):
    files = [
        lm_eval_run(tmp_path / "lm_eval"),
        {"inspect": inspect_run, "evalscope": evalscope_run}[other](tmp_path),
    ]
    with refusing_server(reply=better) as server:
        (tmp_path / "arena.toml").write_text(SETTINGS.format(url=server.url))
        imported = typed("completions", "import", *map(str, files), "--prompts", "sums", folder=tmp_path)
        assert imported.returncode == 0, imported.stderr
        assert "8 completions of 2 models on 4 new prompts" in imported.stderr
        of_set = ("--prompts", "sums", "--judge", "judge", "--control-pairs", "0")
        judged = typed("judge", "pairwise", *of_set, "--format", "json", folder=tmp_path)
        assert judged.returncode == 0, judged.stderr
    board = typed("leaderboard", "--source", "judge:judge", "--format", "json", folder=tmp_path)
    rows = {row["model"]: row for row in json.loads(board.stdout)["models"]}
    assert (rows["org/good"]["battles"], rows["org/poor"]["battles"]) == (4, 4)
    assert rows["org/good"]["rating"] > rows["org/poor"]["rating"]
