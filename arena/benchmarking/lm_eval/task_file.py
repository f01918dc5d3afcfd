"""The keys of a task file, checked: what they mean here, and which of them mean nothing."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arena.benchmarking.lm_eval.filters import WITH_OPTIONS, WITHOUT_OPTIONS, Filter, Step, first
from arena.benchmarking.lm_eval.generation import Sampling, read_sampling
from arena.benchmarking.lm_eval.metrics import DEFAULT_METRICS, Metric, read_metric
from arena.benchmarking.lm_eval.yaml_file import Function, read_yaml
from arena.errors import ConfigError

CHOICE, GENERATE, LOGLIKELIHOOD, ROLLING = (
    "multiple_choice",
    "generate_until",
    "loglikelihood",
    "loglikelihood_rolling",
)
FORMATS = ("doc_to_text", "doc_to_target", "doc_to_choice", "gen_prefix", "target_delimiter", "fewshot_delimiter")
READ = frozenset({
    *FORMATS, "task", "dataset_path", "dataset_name", "dataset_kwargs", "training_split", "validation_split", "test_split",
    "fewshot_split", "fewshot_config", "num_fewshot", "description", "output_type", "generation_kwargs", "repeats",
    "filter_list", "metric_list", "metadata",
})  # fmt: skip
# keys that change no request and no score, here or there
IDLE = frozenset({
    "tag", "group", "task_alias", "group_alias", "should_decontaminate", "doc_to_decontamination_query", "unsafe_code",
})  # fmt: skip
REFUSED = {
    "process_docs": "Write the rows as this function would into a file, and name it in dataset_kwargs: {data_files: …}",
    "process_results": "Use metric_list and filter_list, or write the task as a Python file",
    "custom_dataset": "Write its rows into a file, and name it in dataset_kwargs: {data_files: …}",
    "use_prompt": "Write the prompt's template as doc_to_text and doc_to_target",
    "doc_to_image": "Write the task as a Python file, whose messages may have images",
    "doc_to_audio": "Remove it: no audio is sent",
    "class": "Write the task as a Python file",
}
EXAMPLES = frozenset({*FORMATS, "sampler", "split", "samples", "process_docs"})
SAMPLERS = ("default", "first_n")


@dataclass(frozen=True)
class Format:
    """How a row becomes text: templates or names of columns, and what stands between the parts."""

    text: Any
    target: Any
    choice: Any
    prefix: str | None
    target_delimiter: str
    example_delimiter: str


@dataclass(frozen=True)
class Examples:
    """The few-shot examples: their number and format, and where they come from."""

    count: int
    format: Format
    first_n: bool
    split: str | None
    rows: Sequence[Mapping[str, Any]]  # in the task file itself


@dataclass(frozen=True)
class TaskFile:
    """A task file. `values` are all its keys, those of included files too."""

    path: Path
    name: str
    values: Mapping[str, Any]
    output_type: str
    format: Format
    examples: Examples
    description: str
    filters: Sequence[Filter]
    metrics: Sequence[Metric]
    sampling: Sampling
    repeats: int
    notes: Sequence[str]


def read_task_file(path: Path) -> TaskFile:
    """The checked file. Raises `ConfigError`, which names the key and the cure."""
    values = {key: value for key, value in read_yaml(path).items() if value is not None}
    notes = _checked_keys(path, values)
    kind = values.get("output_type", GENERATE)
    if kind not in DEFAULT_METRICS:
        raise _wrong(path, "output_type", f"{kind!r} is unknown. Use one of: {', '.join(DEFAULT_METRICS)}")
    used = _format(values)
    if used.target is None or (kind == CHOICE and used.choice is None):
        missing = "doc_to_target" if used.target is None else "doc_to_choice"
        raise _wrong(path, missing, "it is missing. Add it: a column's name or a template")
    return TaskFile(
        path,
        str(values.get("task") or path.stem),
        values,
        kind,
        used,
        _examples(path, values, used),
        str(values.get("description", "")),
        _filters(path, values, kind),
        _metrics(path, values, kind),
        _sampling(path, values, kind),
        int(values.get("repeats", 1)),
        notes,
    )


def _wrong(path: Path, key: str, problem: str) -> ConfigError:
    return ConfigError(f"{path}: {key}: {problem}.")


def _checked_keys(path: Path, values: Mapping[str, Any]) -> list[str]:
    """A note about the keys that mean nothing here. Raises `ConfigError` for those that would change a result."""
    if isinstance(values.get("task"), list):
        raise _wrong(path, "task", "it lists tasks, so this is a group. Name the tasks' own files instead")
    for key, cure in REFUSED.items():
        if key in values:
            what = (
                f"{_spelled(values[key])} is not run"
                if isinstance(values[key], Function)
                else "it is not supported"
            )
            raise _wrong(path, key, f"{what}. {cure}")
    for place, function in _functions("", values):
        raise _wrong(
            path,
            place,
            f"{_spelled(function)} is not run, for it is code of the file's author. Write a Jinja2 template, or put "
            "what it makes into a column of the data",
        )
    unknown = sorted(set(values) - READ - IDLE)
    if unknown:
        raise _wrong(path, unknown[0], "this key is unknown. Correct or remove it")
    idle = sorted(set(values) & IDLE)
    return [f"{path}: without effect here: {', '.join(idle)}."] if idle else []


def _spelled(value: Any) -> str:
    return f"!function {value.name}" if isinstance(value, Function) else repr(value)


def _functions(place: str, value: Any) -> Sequence[tuple[str, Function]]:
    if isinstance(value, Function):
        return [(place, value)]
    inner: Sequence[tuple[str, Any]] = []
    if isinstance(value, Mapping):
        inner = [(f"{place}.{key}" if place else str(key), entry) for key, entry in value.items()]
    elif isinstance(value, list):
        inner = [(f"{place}[{number}]", entry) for number, entry in enumerate(value)]
    return [named for name, entry in inner for named in _functions(name, entry)]


def _format(values: Mapping[str, Any]) -> Format:
    return Format(
        values.get("doc_to_text", ""),
        values.get("doc_to_target"),
        values.get("doc_to_choice"),
        values.get("gen_prefix"),
        str(values.get("target_delimiter", " ")),
        str(values.get("fewshot_delimiter", "\n\n")),
    )


def _examples(path: Path, values: Mapping[str, Any], used: Format) -> Examples:
    own = values.get("fewshot_config") or {}
    if not isinstance(own, Mapping) or (unknown := sorted(set(own) - EXAMPLES)):
        named = unknown[0] if isinstance(own, Mapping) else repr(own)
        raise _wrong(path, "fewshot_config", f"{named} is unknown. Use: {', '.join(sorted(EXAMPLES))}")
    if "process_docs" in own:
        raise _wrong(path, "fewshot_config.process_docs", f"it is not supported. {REFUSED['process_docs']}")
    sampler = own.get("sampler", "default")
    if sampler not in SAMPLERS:
        raise _wrong(path, "fewshot_config.sampler", f"{sampler!r} is unknown. Use one of: {', '.join(SAMPLERS)}")
    given = {key: own[key] for key in FORMATS if key in own}
    split = own.get("split") or values.get("fewshot_split")
    rows = [] if split else list(own.get("samples") or [])
    count = int(values.get("num_fewshot", 0))
    made = _format({**values, **given}) if given else used
    return Examples(count, made, sampler == "first_n", split, rows)


def _filters(path: Path, values: Mapping[str, Any], kind: str) -> list[Filter]:
    given = values.get("filter_list")
    if not given:
        return [Filter("none", [first])]
    made = [_filter(path, number, entry) for number, entry in enumerate(given)]
    if kind != GENERATE and any(list(one.steps) != [first] for one in made):
        raise _wrong(path, "filter_list", f"{kind} has no texts to filter. Remove it")
    return made


def _filter(path: Path, number: int, entry: Mapping[str, Any]) -> Filter:
    steps: list[Step] = []
    fallbacks: list[str] = []
    place = f"filter_list[{number}]"
    for given in entry.get("filter", ()):
        name = given.get("function")
        if steps and steps[-1] is first:
            raise _wrong(path, place, f"{name} stands after take_first. Put take_first last")
        options = {key: value for key, value in given.items() if key != "function"}
        if name not in WITHOUT_OPTIONS and name not in WITH_OPTIONS:
            known = ", ".join([*WITHOUT_OPTIONS, *WITH_OPTIONS])
            raise _wrong(path, place, f"the function {name!r} is not supported. Use: {known}")
        allowed = set(inspect.signature(WITH_OPTIONS[name]).parameters) if name in WITH_OPTIONS else set()
        if unknown := sorted(set(options) - allowed):
            raise _wrong(path, place, f"{name} has no option {unknown[0]!r}. Correct or remove it")
        step = WITH_OPTIONS[name](**options) if name in WITH_OPTIONS else WITHOUT_OPTIONS[name]
        steps.append(step)
        fallbacks += [step.fallback] if hasattr(step, "fallback") else []
    if not steps:
        raise _wrong(path, place, "it has no steps. Add `filter: [{function: take_first}]`")
    return Filter(str(entry.get("name", number)), steps, fallbacks)


def _metrics(path: Path, values: Mapping[str, Any], kind: str) -> list[Metric]:
    given = values.get("metric_list") or [{"metric": name} for name in DEFAULT_METRICS[kind]]
    try:
        return [read_metric(kind, entry) for entry in given]
    except ValueError as problem:
        raise _wrong(path, "metric_list", str(problem)) from problem


def _sampling(path: Path, values: Mapping[str, Any], kind: str) -> Sampling:
    given = values.get("generation_kwargs")
    if given and kind != GENERATE:
        raise _wrong(path, "generation_kwargs", f"{kind} generates nothing. Remove it")
    try:
        return read_sampling(given or {}, str(values.get("fewshot_delimiter", "\n\n")))
    except ValueError as problem:
        raise _wrong(path, "generation_kwargs", str(problem)) from problem
