"""A task file as a task: samples from rows, the requests of lm-evaluation-harness, and its scores."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from arena.benchmarking.lm_eval import prompts
from arena.benchmarking.lm_eval.metrics import choice_values, corpus, exact_match
from arena.benchmarking.lm_eval.sources import sources
from arena.benchmarking.lm_eval.table_types import typed
from arena.benchmarking.lm_eval.task_file import CHOICE, GENERATE, LOGLIKELIHOOD, ROLLING, TaskFile, read_task_file
from arena.errors import ConfigError
from benchmarks.choice import label
from benchmarks.data import location
from benchmarks.errors import BadData
from benchmarks.generation import before
from benchmarks.language_modelling import PERPLEXITIES
from benchmarks.replies import EMPTY, chat, words
from benchmarks.task import (
    Outcome,
    Reply,
    Request,
    RequestType,
    Row,
    Sample,
    Task,
    dimensions,
    failed,
    scored,
    unparsed,
)

SUFFIXES = (".yaml", ".yml")
OWN = "fewshot_config"  # `_file` of examples that are in the task file itself


def task_from_yaml(path: Path) -> LmEvalTask:
    """The task of a YAML file. Raises `ConfigError`, which names the key and the cure."""
    file = read_task_file(path)
    given, notes = sources(file)
    every = [source for of_role in given.values() for source in of_role]
    generates = file.output_type == GENERATE
    names = [
        f"{metric.name}{_suffix(file, number)}" for number in range(len(file.filters)) for metric in file.metrics
    ]
    main = file.metrics[0]
    together = corpus(file.metrics, PERPLEXITIES)
    return LmEvalTask(
        name=file.name,
        dimension=_dimension(file),
        metric=names[0],
        licence="the data's own",
        sources=given,
        description=f"lm-evaluation-harness task, {file.output_type}",
        request_types=(RequestType.GENERATE if generates else RequestType.LOGLIKELIHOOD,),
        shots=file.examples.count,
        first_n=file.examples.first_n,
        bounds=((0.0, 2.0) if main.name == "brier_score" else (0.0, 1.0)) if main.name not in together else None,
        higher_is_better=main.higher_is_better,
        corpus=together,
        examples=[{**row, "_file": OWN, "_line": n} for n, row in enumerate(file.examples.rows, 1)],
        definition={key: repr(value) for key, value in file.values.items()},
        one_more=file.examples.split == file.values.get("test_split") and not file.examples.rows,
        notes=(*file.notes, *notes),
        qualified=len({source.file for source in every}) > len({Path(source.file).name for source in every}),
        file=file,
    )


def _suffix(file: TaskFile, number: int) -> str:
    """What follows a metric's name: the filter's, except for a single one."""
    return f",{file.filters[number].name}" if len(file.filters) > 1 else ""


def _dimension(file: TaskFile) -> str:
    """That of `metadata: {dimension: …}`, else by the output type. Raises `ConfigError`."""
    metadata = file.values.get("metadata")
    given = metadata.get("dimension") if isinstance(metadata, Mapping) else None
    if given is None:
        return "language modelling" if file.output_type in (LOGLIKELIHOOD, ROLLING) else "knowledge"
    if given not in dimensions():
        raise ConfigError(
            f"{file.path}: metadata.dimension: {given!r} is unknown. Use one of: {', '.join(dimensions())}."
        )
    return str(given)


@dataclass(frozen=True, kw_only=True)
class LmEvalTask(Task):
    """A task of lm-evaluation-harness. `notes` are for the user, about keys without effect."""

    file: TaskFile
    notes: Sequence[str] = field(default=())
    qualified: bool = False  # ids name the folder of a file too, since two files have one name

    def samples(self, rows: Sequence[Row]) -> list[Sample]:
        columns = dict.fromkeys(name for row in rows for name in row if not _marks(name))
        docs = typed([{name: row.get(name) for name in columns} for row in rows], str(rows[0].get("_path", "")))
        return [self._sample(row, doc) for row, doc in zip(rows, docs, strict=True)]

    def _sample(self, row: Row, doc: Mapping[str, Any]) -> Sample:
        folder = f"{Path(row['_path']).parent.name}/" if self.qualified and "_path" in row else ""
        name, fields = f"{folder}{row['_file']}/{row['_line']}", {"doc": doc}
        if row["_file"] == OWN:
            return Sample(id=name, fields=fields)
        try:
            if self.file.output_type == CHOICE:
                golds = prompts.golds_of(self.file.format, doc)
                choices = tuple(prompts.choices_of(self.file.format, doc))
                return Sample(
                    id=name, fields=fields, choices=choices, target=golds[0] if len(golds) == 1 else golds
                )
            return Sample(id=name, fields=fields, target=self._accepted(doc))
        except BadData as problem:
            raise BadData(f"{location(row)}: {problem}") from problem

    def _accepted(self, doc: Mapping[str, Any]) -> Any:
        """The right text, or a list of several."""
        target, choices = prompts.target_of(self.file.format, doc), prompts.choices_of(self.file.format, doc)
        if choices and isinstance(target, int):
            return choices[target]
        return [str(each) for each in target] if isinstance(target, list | tuple) else str(target)

    def requests(self, sample: Sample, shots: Sequence[Sample], request_type: RequestType) -> Sequence[Request]:
        doc = sample.fields["doc"]
        examples = [shot.fields["doc"] for shot in shots]
        if self.file.output_type == ROLLING:
            return [{"text": str(sample.target)}]
        if self.file.output_type == CHOICE:
            return self._choice_requests(sample, doc, examples)
        context = prompts.context(self.file, doc, examples, prompts.question(self.file.format, doc))
        if self.file.output_type == LOGLIKELIHOOD:
            return [{"context": context, "continuation": str(sample.target)}]
        sampling = self.file.sampling
        body = {**chat(context, sampling.max_tokens, sampling.until, sampling.temperature), **sampling.more}
        if self.file.repeats == 1:
            return [body]
        return [{**body, "seed": number} for number in range(self.file.repeats)]

    def _choice_requests(
        self, sample: Sample, doc: Mapping[str, Any], examples: Sequence[Mapping[str, Any]]
    ) -> list[Request]:
        """A continuation for each choice after the question, or one after each choice as the question."""
        form, delimiter = self.file.format, self.file.format.target_delimiter
        text = prompts.text_of(form, doc)
        if isinstance(text, int):
            continuation = f"{delimiter}{prompts.target_of(form, doc)}"
            contexts = [prompts.context(self.file, doc, examples, choice) for choice in sample.choices]
            pairs = [(context, continuation) for context in contexts]
        else:
            context = prompts.context(self.file, doc, examples, text)
            pairs = [(context, f"{delimiter}{choice}") for choice in sample.choices]
        if any(metric.name == "acc_mutual_info" for metric in self.file.metrics):
            pairs += [("", f"{delimiter}{choice}") for choice in sample.choices]
        return [{"context": context, "continuation": continuation} for context, continuation in pairs]

    def score(self, sample: Sample, replies: Sequence[Reply | None], request_type: RequestType) -> Outcome:
        there = [reply for reply in replies if reply is not None]
        if not there or len(there) < len(replies):
            return failed()
        if self.file.output_type == CHOICE:
            return self._scored_choices(sample, there)
        if self.file.output_type == GENERATE:
            return self._scored_texts(sample, there)
        values = {"logprob": float(there[0]["logprob"])}
        if self.file.output_type == ROLLING:
            text = str(sample.target)
            values |= {"words": float(len(re.split(r"\s+", text))), "bytes": float(len(text.encode()))}
            return scored(values | {"tokens": float(there[0]["tokens"])})
        if any(metric.name == "acc" for metric in self.file.metrics):
            values["acc"] = float(bool(there[0]["greedy"]))
        return scored(values, str(sample.target) if there[0]["greedy"] else "another text")

    def _scored_choices(self, sample: Sample, replies: Sequence[Reply]) -> Outcome:
        count = len(sample.choices)
        golds = sample.target if isinstance(sample.target, list) else [sample.target]
        logprobs = [float(reply["logprob"]) for reply in replies]
        greedy = [bool(reply["greedy"]) for reply in replies]
        values = choice_values(sample.choices, golds, logprobs[:count], greedy[:count], logprobs[count:])
        wanted = {metric.name for metric in self.file.metrics}
        kept = {name: value for name, value in values.items() if name in wanted or name.startswith("_")}
        return scored(kept, label(int(values["_chosen"])))

    def _scored_texts(self, sample: Sample, replies: Sequence[Reply]) -> Outcome:
        texts = []
        for reply in replies:
            text = words(reply, truncated=True)
            if isinstance(text, Outcome):
                if text.reason != EMPTY:
                    return text
                text = ""  # a text like any other there
            texts.append(before(text, self.file.sampling.until))
        accepted = sample.target if isinstance(sample.target, list) else [sample.target]
        values, answers = {}, []
        for number, chain in enumerate(self.file.filters):
            answers.append(chain.apply(texts, sample.fields["doc"]))
            for metric in self.file.metrics:
                name = f"{metric.name}{_suffix(self.file, number)}"
                values[name] = exact_match(answers[-1], accepted, metric.options)
        shown = answers[0] if isinstance(answers[0], str) else ", ".join(map(str, answers[0]))
        if shown in self.file.filters[0].fallbacks and not values[self.metric]:
            published = {name: value for name, value in values.items() if name != self.metric}
            return unparsed(f"the filter {self.file.filters[0].name} found nothing", shown, published)
        return scored(values, shown)


def _marks(name: str) -> bool:
    """Whether a column is the reader's own, about where a row stands."""
    return name in ("_file", "_line", "_path")
