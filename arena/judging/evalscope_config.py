"""Configurations of evalscope's arena (`cfg_single.yaml`, `cfg_pairwise_baseline.yaml`, `cfg_arena.yaml`; LLMuses before).

Read for what they mean here: a file of questions, files of answers, and a judge run over them. Each other key is in the
notes, with what to use in its place.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arena.errors import ConfigError
from arena.judging.config import JudgeRunConfig, config_of

SECTIONS = ("answers_gen", "reviews_gen")
MODES = {"single": "single", "pairwise_baseline": "baseline", "pairwise": "pairwise"}
ORDERS = {"swap_position": "both", "randomize_order": "balanced", None: "balanced"}
PARSER = "lmsys_parser"  # reads the verdicts of MT-bench
USED = {
    "": ("question_file", "questions_file", "answers_gen", "reviews_gen", "rating_gen"),
    "answers_gen.*": ("enable", "output_file"),
    "reviews_gen": (
        "enable", "reviewer", "target_answers", "baseline_file", "reference_file", "prompt_file",
    ),
    "reviews_gen.reviewer": ("args",),
    "reviews_gen.reviewer.args": ("model", "mode", "position_bias_mitigation", "fn_completion_parser"),
    "rating_gen": ("baseline_model",),
}  # fmt: skip
INSTEAD = {
    "answers_gen.*": "models are described in arena.toml, and `arena answer` has them complete prompts",
    "reviews_gen.reviewer": "the judge is described in arena.toml",
    "reviews_gen.reviewer.args": "set it in the judge's `parameters` in arena.toml",
    "reviews_gen": "verdicts are in the database and replies in the reply cache",
    "rating_gen": "run `arena leaderboard --source judge:NAME` for ratings",
}


@dataclass(frozen=True)
class Answers:
    """The answers of one model: in a file, or in the database under the model's name if there is no file."""

    file: Path | None
    model: str = ""


@dataclass(frozen=True)
class EvalscopeRun:
    """What a configuration asks for."""

    questions: Path
    references: Path | None
    answers: tuple[Answers, ...]
    baseline: Answers | None
    options: Mapping[str, Any]  # of the judge run, besides prompts, models and baseline
    notes: tuple[str, ...]  # on keys without a meaning here

    def judge_run(self, prompts: str, models: list[str], baseline: str | None) -> JudgeRunConfig:
        """The judge run over imported answers. Raises `ConfigError`."""
        return config_of(**self.options, prompts=prompts, models=tuple(models), baseline=baseline)


def is_evalscope(keys: Mapping[str, Any]) -> bool:
    """Whether the keys of a run file are those of evalscope's arena."""
    return any(section in keys for section in SECTIONS)


def read_evalscope(path: Path, keys: Mapping[str, Any]) -> EvalscopeRun:
    """The run that a configuration describes. Raises `ConfigError` naming the file and the key."""
    config = _Config(path, keys)
    reviews, ratings = config.table("reviews_gen"), config.table("rating_gen")
    args = config.table("reviews_gen.reviewer.args")
    if reviews.get("enable") is False:
        raise ConfigError(f"{path}: reviews_gen.enable is false, so there is nothing to judge. Set it to true.")
    mode = MODES.get(str(args.get("mode") or "pairwise"))
    given = args.get("position_bias_mitigation")
    order = None if given is None else str(given)
    if mode is None:
        raise ConfigError(f"{path}: mode {args['mode']!r} is unknown. Use one of: {', '.join(MODES)}.")
    if order not in ORDERS:
        raise ConfigError(
            f"{path}: position_bias_mitigation {order!r} is unknown. Use one of: swap_position, randomize_order, null."
        )
    notes = [*config.notes(), *_notes(config, mode)]
    options: dict[str, Any] = {"mode": mode, "judge": str(args.get("model") or "gpt-4"), "protocol": "mt_bench"}
    if mode != "single":
        options |= {"order": ORDERS[order]} | ({"double": 0} if ORDERS[order] == "balanced" else {})
    template = reviews.get("prompt_file")
    if template and (found := config.find(template)):
        options["template"] = found
    elif template:
        notes.append(f"reviews_gen.prompt_file: {template} not found; the protocol mt_bench has its own wording")
    baseline = None
    if mode == "baseline":
        file, name = reviews.get("baseline_file"), ratings.get("baseline_model")
        if not file and not name:
            raise ConfigError(f"{path}: the mode pairwise_baseline needs reviews_gen.baseline_file. Add it.")
        baseline = Answers(config.find(file) if file else None, str(name or Path(str(file)).stem))
    question = config.keys.get("question_file") or config.keys.get("questions_file")
    reference = reviews.get("reference_file")
    return EvalscopeRun(
        config.existing("question_file", question),
        config.existing("reviews_gen.reference_file", reference) if reference else None,
        tuple(_answers(config, reviews.get("target_answers"))),
        baseline,
        options,
        tuple(notes),
    )


def _notes(config: _Config, mode: str) -> Iterator[str]:
    """Notes on values that are read in another way here."""
    args = config.table("reviews_gen.reviewer.args")
    parser = args.get("fn_completion_parser") or PARSER
    if parser != PARSER:
        yield f"fn_completion_parser: {parser} is not known here; replies are read as those of MT-bench"
    if mode != "single" and args.get("position_bias_mitigation") is None:
        yield "position_bias_mitigation: null shows each pair once; which model is first is spread evenly here"


def _answers(config: _Config, targets: Any) -> Iterator[Answers]:
    """The answers to judge: the target files, or else those of every enabled model."""
    models = config.table("answers_gen")
    if odd := [name for name in models if not isinstance(name, str)]:
        raise ConfigError(f"{config.path}: answers_gen: the name {odd[0]!r} is no text. Put it in quotes.")
    by_file = {str(config.table(f"answers_gen.{name}").get("output_file")): name for name in models}
    off = {name for name in models if config.table(f"answers_gen.{name}").get("enable") is False}
    if targets is None:
        targets = [file for file, name in by_file.items() if name not in off]
    elif not isinstance(targets, list):
        raise ConfigError(f"{config.path}: reviews_gen.target_answers is not a list. Give a list of files.")
    for target in map(str, targets):
        name = by_file.get(target)
        if found := config.find(target):
            yield Answers(found, name or "")
        elif name is None:
            config.existing("reviews_gen.target_answers", target)
        elif name not in off:
            yield Answers(None, name)


class _Config:
    """The keys of a configuration and the place of its files."""

    def __init__(self, path: Path, keys: Mapping[str, Any]) -> None:
        self.path, self.keys = path, keys

    def table(self, name: str) -> Mapping[str, Any]:
        """The table of a dotted name; empty if it is not given. Raises `ConfigError` for another value."""
        value: Any = self.keys
        section, _, model = name.partition(".") if name.startswith("answers_gen.") else ("", "", "")
        for part in (section, model) if section else name.split("."):
            value = value.get(part)
            if value is None:
                return {}
            if not isinstance(value, dict):
                raise ConfigError(f"{self.path}: {name} is {value!r:.40}. Expected keys with values.")
        return value  # type: ignore[no-any-return]

    def find(self, name: Any) -> Path | None:
        """The file of a name: from here, or from a folder above the configuration, where evalscope's own lie."""
        folders = [Path(), *self.path.resolve().parents]
        return next((folder / str(name) for folder in folders if (folder / str(name)).is_file()), None)

    def existing(self, key: str, name: Any) -> Path:
        if name and (found := self.find(name)):
            return found
        what = f"{name} not found, here or in a folder above the file" if name else "it is missing"
        raise ConfigError(f"{self.path}: {key}: {what}. Give the path of the file.")

    def notes(self) -> Iterator[str]:
        """The keys without a meaning here, table by table."""
        for table, used in USED.items():
            names = [f"answers_gen.{name}" for name in self.table("answers_gen")] if "*" in table else [table]
            given = {key: None for name in names for key in (self.table(name) if name else self.keys)}
            if table == "rating_gen":
                given.pop("enable", None)
            if unused := [f"{table}.{key}".lstrip(".") for key in given if key not in used]:
                yield f"{', '.join(unused)}: no meaning here; {INSTEAD.get(table, 'remove it')}"
