"""The judge of a run: its protocol, its template and the hash of its configuration."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from arena.config.given_files import plain_file
from arena.config.run_files import YAML, read_run_file
from arena.errors import ConfigError
from arena.judging.config import JudgeRunConfig
from arena.judging.rubric_file import read_rubric
from judges import Judge, PairwiseJudge, SingleJudge, panel, single_panel
from judges.criterion import with_criterion
from judges.errors import JudgesError
from judges.repeats import repeated
from judges.reward import RewardJudge
from judges.rubric_judge import rubric_judge
from judges.template import ByItem, mt_bench_template, mt_bench_templates

DEFAULT_PROTOCOL = {"single": "wildbench", "baseline": "token", "pairwise": "arena", "battles": "arena"}
MT_BENCH_FILE = ".jsonl"  # suffix of the file of MT-bench's judge prompts, which its own protocol reads
RUBRIC = "rubric"  # the protocol of judges with criteria of one's own
REWARD = "reward"  # the protocol of judges that return a number and no text


def judge_of(config: JudgeRunConfig) -> Judge[Any, Any]:
    """The judge or panel of the run, in one order. Raises `ConfigError`."""
    protocol, text = protocol_of(config), _template(config)
    if protocol == REWARD:
        return _reward(config)
    if config.rubric is not None:
        return _with_rubric(config, config.rubric)
    kind = SingleJudge if config.mode == "single" else PairwiseJudge
    try:
        judges: list[Any] = [
            kind(name, protocol, text, thinking_budget=config.thinking_budget) for name in config.judges
        ]
        return _together(config, judges)
    except JudgesError as problem:
        raise ConfigError(str(problem)) from problem


def _together(config: JudgeRunConfig, judges: list[Any]) -> Judge[Any, Any]:
    """The only judge, or the panel of several, each with the run's criterion and number of samples."""
    if config.criterion is not None:
        judges = [with_criterion(judge, config.criterion) for judge in judges]
    judges = [repeated(judge, config.samples) for judge in judges]
    if len(judges) == 1:
        return judges[0]  # type: ignore[no-any-return]
    together = single_panel if config.mode == "single" else panel
    return together(judges, quorum=config.quorum, way=config.combine)


def _with_rubric(config: JudgeRunConfig, path: Path) -> Judge[Any, Any]:
    rubric, pairs = read_rubric(path), config.mode != "single"
    try:
        judges = [
            rubric_judge(name, rubric, pairs=pairs, thinking_budget=config.thinking_budget)
            for name in config.judges
        ]
        return _together(config, judges)
    except JudgesError as problem:
        raise ConfigError(f"--rubric {path}: {problem}") from problem


def _reward(config: JudgeRunConfig) -> Judge[Any, Any]:
    if config.mode == "single":
        raise ConfigError(
            "--protocol reward compares completions, as its scores have no common scale. Use another mode than single."
        )
    if config.template is not None:
        raise ConfigError(
            "--protocol reward takes no template, as a reward model reads the conversation itself. Remove --template."
        )
    if config.criterion is not None or config.samples > 1:
        raise ConfigError(
            "--protocol reward takes no instruction and replies the same. Remove --criterion and --samples."
        )
    judges = [RewardJudge(name) for name in config.judges]
    return judges[0] if len(judges) == 1 else panel(judges, quorum=config.quorum, way=config.combine)


def config_hash(config: JudgeRunConfig) -> str:
    """Digest of the judge's configuration; different configurations are different judges."""
    order = None if config.mode == "single" else config.order
    text = _template(config)
    template = list(vars(text).values()) if isinstance(text, ByItem) else text
    content: list[Any] = [config.judges, protocol_of(config), template, config.thinking_budget, order]
    if config.rubric is not None:
        content.append(repr(read_rubric(config.rubric)))
    if config.criterion is not None:
        content.append(["criterion", config.criterion])
    if config.samples > 1:
        content.append(["samples", config.samples])
    if config.quorum is not None or config.combine != "mean":
        content.append(["panel", config.quorum, config.combine])
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def protocol_of(config: JudgeRunConfig) -> str:
    """The protocol of the config, else the default of its template or mode."""
    if config.rubric is not None:
        return RUBRIC
    if config.protocol is not None:
        return config.protocol
    if config.template is not None and config.template.suffix == MT_BENCH_FILE:
        return "mt_bench"
    if config.template is not None and config.template.suffix.lower() in YAML:
        return "arena_hard"
    return DEFAULT_PROTOCOL[config.mode]


def _arena_hard(path: Path) -> str:
    """The text of a configuration of Arena-Hard's judge, of v0.1 or v2. Raises `ConfigError`."""
    keys = read_run_file(path)
    system, prompt = keys.get("system_prompt"), keys.get("prompt_template")
    if isinstance(prompt, list) and len(prompt) == 1:  # v0.1: one for each turn
        prompt = prompt[0]
    if not isinstance(prompt, str):
        raise ConfigError(
            f"--template {path}: no prompt_template with one text. Give a judge configuration of Arena-Hard."
        )
    if not isinstance(system, str):
        raise ConfigError(
            f"--template {path}: no system_prompt, which Arena-Hard v2 has in its code, by category. Add it to the file."
        )
    return f"{system}\n=====\n{prompt}"


def _template(config: JudgeRunConfig) -> str | ByItem | None:
    """The text of `--template`, or those of MT-bench's file; None without it. Raises `ConfigError`."""
    path = config.template
    if path is None:
        return None
    if path.suffix.lower() in YAML:
        return _arena_hard(path)
    try:
        text = plain_file(path).read_text(encoding="utf-8")
        if path.suffix != MT_BENCH_FILE:
            return text
        if config.template_prompt is not None:
            return mt_bench_template(text.splitlines(), config.template_prompt)
        return mt_bench_templates(text.splitlines(), "single" if config.mode == "single" else "pair")
    except (OSError, UnicodeDecodeError) as problem:
        raise ConfigError(f"--template {path}: cannot be read ({problem}). Check the file.") from problem
    except JudgesError as problem:
        raise ConfigError(f"--template {path}: {problem}") from problem
