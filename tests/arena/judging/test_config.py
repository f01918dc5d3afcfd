"""Judge runs as options, TOML files and YAML files describe them."""

from __future__ import annotations

from pathlib import Path

import pytest

from arena.errors import ConfigError
from arena.judging.config import config_of, read_config
from arena.judging.judge_setup import judge_of, protocol_of
from judges import Pair

RUN = 'mode = "pairwise"\nprompts = "set"\njudge = "judge"\n'


def written(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "run.toml"
    file.write_text(text)
    return file


@pytest.mark.parametrize(
    ("old", "new", "value"),
    [
        ("scheme", "protocol", '"token"'),
        ("canaries", "control_pairs", "1"),
        ("coverage", "completion_rate", "0.5"),
        ("journal", "reply_cache", '"replies.jsonl"'),
    ],
)
def test_a_run_file_of_version_0_1_means_the_same(tmp_path, old, new, value):
    before = read_config(written(tmp_path, f"{RUN}{old} = {value}\n"))
    after = read_config(written(tmp_path, f"{RUN}{new} = {value}\n"))
    assert before == after != read_config(written(tmp_path, RUN))


def test_a_file_and_options_with_the_same_words_are_the_same_run(tmp_path):
    assert read_config(written(tmp_path, RUN)) == config_of(
        mode="pairwise", prompts="set", judge="judge", panel=None
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ('mode = "pairwise"\nprompts = "set"\n', "exactly one of --judge J and --panel"),
        ('mode = "pairwise"\njudge = "j"\n', "Use --prompts SET in every mode but battles"),
        ('mode = "baseline"\nprompts = "set"\njudge = "j"\n', "Use --baseline MODEL in the mode baseline"),
        ('mode = "single"\nprompts = "set"\njudge = "j"\nbattles = 3\n', "--battles in the mode pairwise only"),
        ('mode = "single"\nprompts = "set"\npanel = ["j"]\n', "at least two judges"),
        (RUN + "colour = 1\n", "unknown key colour. Use some of: mode, prompts"),
        (RUN + "completion_rate = 2\n", "completion_rate: Input should be less than or equal to 1"),
        ("mode =", "cannot be read as TOML"),
    ],
)
def test_a_run_that_makes_no_sense_is_refused(tmp_path, text, message):
    with pytest.raises(ConfigError, match=message):
        read_config(written(tmp_path, text))


def yaml_file(tmp_path: Path, text: str, name: str = "run.yaml") -> Path:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    return file


def test_yaml_and_toml_with_the_same_keys_are_the_same_run(tmp_path):
    toml = f'{RUN}models = ["a", "b"]\nbudget = 5\ntimeout = 1.5\nreply_cache = "é.jsonl"\n'
    text = "mode: pairwise\nprompts: set\njudge: judge\nmodels: [a, b]\nbudget: 5\ntimeout: 1.5\nreply_cache: é.jsonl\n"
    expected = read_config(written(tmp_path, toml))
    for name in ("run.yaml", "run.yml", "RUN.YAML"):
        assert read_config(yaml_file(tmp_path, text, name)) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("mode: pairwise\nprompts: set\n", "exactly one of --judge J and --panel"),
        ("mode: pairwise\nprompts: set\njudge: j\ncolour: 1\n", "unknown key colour. Use some of: mode, prompts"),
        ("mode: pairwise\nprompts: set\njudge: j\ncompletion_rate: 2\n", "less than or equal to 1"),
        ("mode: pairwise\nmode: single\n", "cannot be read as YAML .*the key 'mode' is there twice.* line 1"),
        ("mode: [", "run.yaml: cannot be read as YAML .*line 1"),
        ("- mode", "expected keys with values, such as `mode: pairwise`"),
        ("", "expected keys with values"),
        ("1: 2", "expected keys with values"),
        (
            "mode: !!python/object/apply:os.system ['true']",
            "cannot be read as YAML .*could not determine a constructor",
        ),
        ("? [mode]\n: 1\n", "cannot be read as YAML"),
    ],
)
def test_a_yaml_run_that_makes_no_sense_is_refused(tmp_path, text, message):
    with pytest.raises(ConfigError, match=message):
        read_config(yaml_file(tmp_path, text))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(ConfigError, match=r"none\.toml: no such file"):
        read_config(tmp_path / "none.toml")


ARENA_HARD = "temperature: 0\n{system}prompt_template: {prompt}\n"
PROMPT = '"<|User Prompt|>\\n{question_1}\\n{answer_1}\\n{answer_2}"'


@pytest.mark.parametrize("prompt", [PROMPT, f"[{PROMPT}]"])
def test_a_judge_configuration_of_arena_hard_is_a_template_of_its_protocol(tmp_path, prompt):
    text = ARENA_HARD.format(system="system_prompt: Judge.\n", prompt=prompt)
    config = config_of(
        mode="baseline", prompts="set", judge="j", baseline="b", template=yaml_file(tmp_path, text, "judge.yaml")
    )
    assert protocol_of(config) == "arena_hard"
    [request] = judge_of(config).requests(Pair("p", ({"role": "user", "content": "Why?"},), "m", "x", "n", "y"))
    assert [message["content"] for message in request["messages"]] == ["Judge.", "<|User Prompt|>\nWhy?\nx\ny"]


@pytest.mark.parametrize(
    ("system", "prompt", "message"),
    [
        ("", PROMPT, "no system_prompt, which Arena-Hard v2 has in its code"),
        ("system_prompt: x\n", f"[{PROMPT}, {PROMPT}]", "no prompt_template with one text"),
    ],
)
def test_a_judge_configuration_without_one_prompt_is_refused(tmp_path, system, prompt, message):
    path = yaml_file(tmp_path, ARENA_HARD.format(system=system, prompt=prompt), "judge.yaml")
    config = config_of(mode="baseline", prompts="set", judge="j", baseline="b", template=path)
    with pytest.raises(ConfigError, match=message):
        judge_of(config)
