"""Configurations of evalscope's arena run as they are, and each key without a meaning here is named."""

from __future__ import annotations

import json

import pytest

from arena.config.run_files import read_run_file
from arena.errors import ConfigError
from arena.judging.evalscope_config import Answers, is_evalscope, read_evalscope
from tests.support.faulty_judge import FaultyJudge
from tests.support.typed import Typed

SETTINGS = """
[[models]]
name = "gpt-4"
endpoint = "openai"
enabled = false
url = "{url}"

[[models]]
name = "scorer"
endpoint = "scripted"
enabled = false
replies = ["Short and right. Rating: [[7]]"]
delay = 0
"""
MODEL = """
  {name}:
    model_id_or_path: hub/{name}
    revision: v1.0
    precision: torch.float16
    enable: {enable}
    template_type: default-generation
    generation_config: {{do_sample: true, max_new_tokens: 256, top_k: 20}}
    output_file: registry/data/answers/answer_{name}.jsonl
"""
SHAPE = """
question_file: registry/data/question.jsonl
answers_gen:
{models}
reviews_gen:
  enable: true
  reviewer:
    ref: package.reviewer:AutoReviewerGpt4
    args:
      max_tokens: 1024
      temperature: 0.2
      fn_completion_parser: lmsys_parser
{args}
  reference_file:
  prompt_file: registry/data/prompt_template/{prompts}.jsonl
  review_file: registry/data/reviews/review.jsonl
  cache_file: registry/data/reviews/review.jsonl
{targets}
rating_gen:
  enable: true
  metrics: ['{metric}']
  report_file: registry/data/reports/rating.csv
{ratings}
"""
TARGETS = (
    "  target_answers: [registry/data/answers/answer_x.jsonl,\n    registry/data/answers/answer_idle.jsonl]\n"
)
CONFIGS = {
    "cfg_single.yaml": {
        "args": "      model: scorer\n      mode: single", "targets": TARGETS, "metric": "score", "ratings": "",
    },
    "cfg_pairwise_baseline.yaml": {
        "args": "      model: gpt-4\n      mode: pairwise_baseline\n      position_bias_mitigation: swap_position",
        "targets": f"{TARGETS}  baseline_file: registry/data/answers/answer_davinci.jsonl",
        "metric": "pairwise", "ratings": "  baseline_model: davinci",
    },
    "cfg_arena.yaml": {
        "args": "      mode: pairwise\n      position_bias_mitigation: NULL", "targets": "  target_answers: NULL",
        "metric": "elo", "ratings": "",
    },
}  # fmt: skip
ANSWERED = ("x", "y", "davinci")


def checkout(folder, url=""):
    """A folder as evalscope's: configurations, questions and answers under `registry`."""
    (folder / "registry" / "config").mkdir(parents=True)
    (folder / "registry" / "data" / "answers").mkdir(parents=True)
    (folder / "arena.toml").write_text(SETTINGS.format(url=url))
    rows = [{"question_id": n, "text": f"Question {n}?", "category": "generic"} for n in range(10)]
    (folder / "registry/data/question.jsonl").write_text("\n".join(map(json.dumps, rows)))
    for name in ANSWERED:
        answers = [{**row, "model_id": name, "metadata": {}, "answer": f"{name} {row['text']}"} for row in rows]
        (folder / f"registry/data/answers/answer_{name}.jsonl").write_text("\n".join(map(json.dumps, answers)))
    models = "".join(
        MODEL.format(name=name, enable=enable)
        for name, enable in (("x", "true"), ("y", "true"), ("idle", "false"))
    )
    for name, parts in CONFIGS.items():
        text = SHAPE.format(models=models, prompts="lmsys_v2", **parts)
        (folder / "registry" / "config" / name).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("name", "mode", "models"),
    [
        ("cfg_single.yaml", "single", {"x"}),
        ("cfg_pairwise_baseline.yaml", "baseline", {"x", "davinci"}),
        ("cfg_arena.yaml", "pairwise", {"x", "y"}),
    ],
)
def test_the_three_configs_run_as_they_are_and_twice(monkeypatch, capsys, tmp_path, name, mode, models):
    typed = Typed(monkeypatch, capsys)
    with FaultyJudge() as judge:
        folder = checkout(tmp_path, judge.url)
        words = ("judge", "run", f"registry/config/{name}", "--format", "json")
        done = typed(*words, folder=folder)
        again = typed(*words, folder=folder)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert (result["mode"], result["published"]) == (mode, True)
    named = {row["model"] for row in result["models"]}
    assert named == models - ({"davinci"} if mode == "baseline" else set())
    for key in (
        "answers_gen.*.model_id_or_path",
        "reviews_gen.cache_file",
        "rating_gen.metrics",
        "args.temperature",
    ):
        assert key in done.stderr
    assert "lmsys_v2.jsonl not found; the protocol mt_bench has its own wording" in done.stderr
    assert json.loads(again.stdout)["models"] == result["models"]


def read(folder, name, old="", new=""):
    path = folder / "registry" / "config" / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    return read_evalscope(path, read_run_file(path))


def test_each_key_with_a_meaning_is_read(tmp_path):
    run = read(checkout(tmp_path), "cfg_pairwise_baseline.yaml")
    assert [answers.file.name for answers in run.answers] == ["answer_x.jsonl"]
    assert (run.baseline.file.name, run.references) == ("answer_davinci.jsonl", None)
    config = run.judge_run("question", ["x"], "davinci")
    assert (config.mode, config.judge, config.order, config.protocol) == ("baseline", "gpt-4", "both", "mt_bench")
    every = read(tmp_path, "cfg_arena.yaml", "target_answers: NULL", "target_answers:")
    assert (every.options["order"], every.options["double"], every.options["judge"]) == ("balanced", 0, "gpt-4")
    assert "which model is first is spread evenly here" in "\n".join(every.notes)
    (tmp_path / "registry/data/answers/answer_y.jsonl").unlink()
    assert read(tmp_path, "cfg_arena.yaml").answers[1] == Answers(None, "y")
    (tmp_path / "registry/data/prompt_template").mkdir()
    (tmp_path / "registry/data/prompt_template/lmsys_v2.jsonl").write_text("{}")
    assert read(tmp_path, "cfg_arena.yaml").options["template"].name == "lmsys_v2.jsonl"


def test_a_model_without_answers_anywhere_is_named_with_the_command(monkeypatch, capsys, tmp_path):
    folder = checkout(tmp_path, "http://127.0.0.1:9/v1")
    (folder / "registry/data/answers/answer_y.jsonl").unlink()
    done = Typed(monkeypatch, capsys)("judge", "run", "registry/config/cfg_arena.yaml", folder=folder)
    assert done.returncode == 2
    assert (
        "'y' has no completions for 'question'. Run `arena answer --prompts question --models y`." in done.stderr
    )


@pytest.mark.parametrize(
    ("name", "old", "new", "problem"),
    [
        ("cfg_single.yaml", "mode: single", "mode: odd", "mode 'odd' is unknown. Use one of: single, pairwise_baseline"),
        ("cfg_single.yaml", "reviews_gen:\n  enable: true", "reviews_gen:\n  enable: false", "nothing to judge"),
        ("cfg_arena.yaml", "mitigation: NULL", "mitigation: odd", "position_bias_mitigation 'odd' is unknown"),
        ("cfg_arena.yaml", "question.jsonl", "none.jsonl", "question_file: registry/data/none.jsonl not found"),
        ("cfg_arena.yaml", "question_file: registry/data/question.jsonl", "", "question_file: it is missing"),
        ("cfg_single.yaml", "[registry/data/answers/answer_x", "[registry/none", "target_answers: registry/none.jsonl not"),
        ("cfg_arena.yaml", "target_answers: NULL", "target_answers: x.jsonl", "target_answers is not a list"),
        ("cfg_arena.yaml", "reference_file:", "reference_file: none.jsonl", "reviews_gen.reference_file: none.jsonl not"),
        ("cfg_arena.yaml", "  idle:\n", "  off:\n", "answers_gen: the name False is no text. Put it in quotes."),
        ("cfg_single.yaml", "mode: single", "mode: pairwise_baseline", "needs reviews_gen.baseline_file. Add it."),
        ("cfg_arena.yaml", "rating_gen:", "rating_gen: 3\nother:", "rating_gen is 3. Expected keys with values."),
    ],
)  # fmt: skip
def test_a_config_that_cannot_run_says_why(tmp_path, name, old, new, problem):
    folder = checkout(tmp_path)
    with pytest.raises(ConfigError) as caught:
        read(folder, name, old, new)
    assert problem in str(caught.value)
    assert name in str(caught.value)


def test_unknown_keys_and_parsers_are_noted(tmp_path):
    run = read(
        checkout(tmp_path), "cfg_single.yaml", "fn_completion_parser: lmsys_parser", "fn_completion_parser: odd"
    )
    assert "fn_completion_parser: odd is not known here; replies are read as those of MT-bench" in run.notes
    run = read(tmp_path, "cfg_single.yaml", "rating_gen:", "colour: 3\nrating_gen:")
    assert "colour: no meaning here; remove it" in run.notes
    assert is_evalscope({"reviews_gen": {}})
    assert not is_evalscope({"mode": "single"})
