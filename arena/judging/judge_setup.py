"""The judge of a run: its protocol, its template and the hash of its configuration."""

from __future__ import annotations

import hashlib
import json
from typing import Any

from arena.config.given_files import plain_file
from arena.errors import ConfigError
from arena.judging.config import JudgeRunConfig
from judges import Judge, PairwiseJudge, SingleJudge, panel, single_panel
from judges.errors import JudgesError
from judges.reward import RewardJudge
from judges.template import ByItem, mt_bench_template, mt_bench_templates

DEFAULT_PROTOCOL = {"single": "wildbench", "baseline": "token", "pairwise": "arena", "battles": "arena"}
MT_BENCH_FILE = ".jsonl"  # suffix of the file of MT-bench's judge prompts, which its own protocol reads
REWARD = "reward"  # the protocol of judges that return a number and no text


def judge_of(config: JudgeRunConfig) -> Judge[Any, Any]:
    """The judge or panel of the run, in one order. Raises `ConfigError`."""
    protocol, text = protocol_of(config), _template(config)
    if protocol == REWARD:
        return _reward(config)
    kind = SingleJudge if config.mode == "single" else PairwiseJudge
    try:
        judges: list[Any] = [
            kind(name, protocol, text, thinking_budget=config.thinking_budget) for name in config.judges
        ]
        if len(judges) == 1:
            return judges[0]  # type: ignore[no-any-return]
        return single_panel(judges) if config.mode == "single" else panel(judges)
    except JudgesError as problem:
        raise ConfigError(str(problem)) from problem


def _reward(config: JudgeRunConfig) -> Judge[Any, Any]:
    if config.mode == "single":
        raise ConfigError(
            "--protocol reward compares completions, as its scores have no common scale. Use another mode than single."
        )
    if config.template is not None:
        raise ConfigError(
            "--protocol reward takes no template, as a reward model reads the conversation itself. Remove --template."
        )
    judges = [RewardJudge(name) for name in config.judges]
    return judges[0] if len(judges) == 1 else panel(judges)


def config_hash(config: JudgeRunConfig) -> str:
    """Digest of the judge's configuration; different configurations are different judges."""
    order = None if config.mode == "single" else config.order
    text = _template(config)
    template = list(vars(text).values()) if isinstance(text, ByItem) else text
    content = [config.judges, protocol_of(config), template, config.thinking_budget, order]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def protocol_of(config: JudgeRunConfig) -> str:
    """The protocol of the config, else the default of its template or mode."""
    if config.protocol is not None:
        return config.protocol
    if config.template is not None and config.template.suffix == MT_BENCH_FILE:
        return "mt_bench"
    return DEFAULT_PROTOCOL[config.mode]


def _template(config: JudgeRunConfig) -> str | ByItem | None:
    path = config.template
    if path is None:
        return None
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
