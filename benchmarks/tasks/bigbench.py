"""BIG-bench's JSON tasks (Srivastava et al. 2022, arXiv:2206.04615), with the prompts that their files describe.

`bigbench_mc` compares log-likelihoods of choices, `bigbench_text` compares written answers, `named` makes a task of any
folder of the authors' repository. `multiple_choice_grade` is the score that the file gives the chosen choice, which may be a
fraction or the same for several; `acc` counts any choice with the highest one. `normalised` puts every subject on the
scale where chance, the mean score of the choices, is 0 and the best is 100, and takes the mean over subjects.
"""

import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from pathlib import Path

from benchmarks.choice import ACCURACIES, CHOSEN, MultipleChoice
from benchmarks.data import read_file
from benchmarks.errors import BadData
from benchmarks.generation import Generation
from benchmarks.known_files import known, known_files, own
from benchmarks.metrics import normalised
from benchmarks.similarity import bleu, rouge
from benchmarks.task import Metrics, Outcome, Reply, Request, RequestType, Row, Sample, Source, Task, scored

GRADE = "multiple_choice_grade"
DEFAULTS = {
    "example_input_prefix": "\nQ: ", "example_output_prefix": "\nA: ", "choice_prefix": "\n  choice: ",
    "task_prefix": "", "few_shot_example_separator": "\n",
}  # fmt: skip
CHOICE_TASKS = {
    "code_line_description", "conceptual_combinations", "emoji_movie", "formal_fallacies_syllogisms_negation",
    "known_unknowns", "logical_deduction", "misconceptions_russian", "novel_concepts", "strategyqa",
    "symbol_interpretation",
}  # fmt: skip
TEXT_TASKS = {"auto_debugging", "conlang_translation", "operators", "repeat_copy_logic"}


def sources(names: set[str]) -> list[Source]:
    files = [file for file in known_files().values() if file.file.startswith("bigbench/") and file.rows > 0]
    return [known(file.file, "name", "examples", "metrics") for file in files if file.file.split("/")[1] in names]


def subject(row: Row) -> str:
    """The folders below `bigbench`: `emoji_movie`, `logical_deduction/five_objects`."""
    parts = Path(row["_path"]).parent.parts
    if "bigbench" not in parts:
        return str(row["name"])
    last = len(parts) - parts[::-1].index("bigbench")
    return "/".join(parts[last:]).removeprefix("benchmark_tasks/")


def fields(row: Row, text: str, number: int) -> dict[str, str]:
    settings = {name: str(row.get(name, default)) for name, default in DEFAULTS.items()}
    read_by = {"regex": str(row.get("output_regex", "")), "stop": str(row.get("stop_string", ""))}
    return settings | {"question": text, "number": str(number), **read_by}


def prompt(sample: Sample) -> str:
    place = sample.fields
    shown = "".join(f"{place['choice_prefix']}{choice}" for choice in place.get("appended", ()))
    return f"{place['example_input_prefix']}{place['question']}{shown}{place['example_output_prefix']}"


def header(sample: Sample) -> str:
    return str(sample.fields["task_prefix"])


def by_subject(metric: str, low: Callable[[Sample], float]) -> Callable[[Sequence[tuple[Sample, Metrics]]], float]:
    """The mean over subjects of the normalised mean score, with the subject's mean chance as the low end."""

    def together(pairs: Sequence[tuple[Sample, Metrics]]) -> float:
        subjects: dict[str, list[tuple[float, float]]] = {}
        for sample, metrics in pairs:
            subjects.setdefault(sample.subject, []).append((metrics[metric], low(sample)))
        means = [[sum(side) / len(side) for side in zip(*members, strict=True)] for members in subjects.values()]
        return sum(normalised(value, chance, 1.0) for value, chance in means) / len(means)

    return together


@dataclass(frozen=True, kw_only=True)
class BigBenchChoice(MultipleChoice):
    def samples(self, rows: Sequence[Row]) -> list[Sample]:
        return [chosen(row, number) for row in rows for number in range(len(row["examples"]))]

    def context(self, sample: Sample, shots: Sequence[Sample]) -> str:
        between = str(sample.fields["few_shot_example_separator"])
        solved = [f"{prompt(shot)}{shot.choices[shot.target]}" for shot in shots]
        return header(sample) + between.join([*solved, prompt(sample)])

    def score(self, sample: Sample, replies: Sequence[Reply | None], request_type: RequestType) -> Outcome:
        outcome = super().score(sample, replies, request_type)
        if not outcome.is_scored:
            return outcome
        grades = sample.fields["scores"]
        grade = float(grades[int(outcome.metrics[CHOSEN])])
        best = float(grade == max(grades))
        accuracies = {name: best for name in ("acc",) if name in outcome.metrics}
        return replace(outcome, metrics={**outcome.metrics, **accuracies, GRADE: grade})


def chosen(row: Row, number: int) -> Sample:
    """The choices in an order drawn for each example, with the score of each."""
    example = row["examples"][number]
    scores: Mapping[str, float] = example["target_scores"]
    choices = list(scores)
    digest = sha256(f"{row['_path']}\n{number}".split("bigbench")[-1].encode()).digest()
    random.Random(digest).shuffle(choices)  # noqa: S311  (a reproducible seed)
    described = fields(row, example["input"], number)
    appended = {"appended": tuple(choices)} if row.get("append_choices_to_input", True) else {}
    return Sample(
        id=f"{subject(row)}/{number}",
        fields={**described, **appended, "scores": tuple(float(scores[choice]) for choice in choices)},
        choices=tuple(choices),
        target=max(range(len(choices)), key=lambda at: scores[choices[at]]),
        subject=subject(row),
    )


@dataclass(frozen=True, kw_only=True)
class BigBenchText(Generation):
    def samples(self, rows: Sequence[Row]) -> list[Sample]:
        return [written(row, number) for row in rows for number in range(len(row["examples"]))]

    def requests(self, sample: Sample, shots: Sequence[Sample], request_type: RequestType) -> Sequence[Request]:
        """As of any text, with the file's own separator between the examples."""
        between = str(sample.fields["few_shot_example_separator"])
        return super(BigBenchText, replace(self, between=between)).requests(sample, shots, request_type)


def written(row: Row, number: int) -> Sample:
    example = row["examples"][number]
    targets = example["target"] if isinstance(example["target"], list) else [example["target"]]
    return Sample(
        id=f"{subject(row)}/{number}",
        fields=fields(row, example["input"], number),
        target=tuple(str(target) for target in targets),
        subject=subject(row),
    )


def score_text(sample: Sample, text: str) -> Outcome:
    """Exact match after the file's own `stop_string` and `output_regex`, and the similarity to the nearest target."""
    answer = text.strip()
    if stop := sample.fields["stop"]:
        answer = answer.partition(stop)[0].strip()
    if (pattern := sample.fields["regex"]) and (match := re.search(pattern, answer)):
        answer = match.group(1) if match.groups() else match.group(0)
    return scored(
        {
            "exact_str_match": float(answer in {target.strip() for target in sample.target}),
            "bleu": max(bleu(answer, target) for target in sample.target),
            "rougeLsum": max(rouge(answer, target)["rougeLsum"] for target in sample.target),
        },
        answer,
    )


TASKS = (
    BigBenchChoice(
        name="bigbench_mc",
        dimension="reasoning",
        description="BIG-bench JSON tasks, multiple choice",
        licence="Apache-2.0",
        sources={"test": sources(CHOICE_TASKS)},
        read=lambda row: chosen(row, 0),
        prompt=prompt,
        header=header,
        delimiter="",
        metric=GRADE,
        counted=ACCURACIES,
        corpus={
            "normalised": by_subject(GRADE, lambda sample: sum(sample.fields["scores"]) / len(sample.choices))
        },
    ),
    BigBenchText(
        name="bigbench_text",
        dimension="reasoning",
        metric="exact_str_match",
        description="BIG-bench JSON tasks, written answers",
        licence="Apache-2.0",
        sources={"test": sources(TEXT_TASKS)},
        read=lambda row: written(row, 0),
        prompt=prompt,
        header=header,
        solution=lambda sample: str(sample.target[0]),
        delimiter="",
        between="",
        score_text=score_text,
        max_tokens=128,
        stop=("\n\n",),
        read_truncated=True,
        corpus={"normalised": by_subject("exact_str_match", lambda _: 0.0)},
    ),
)

FOLDERS = ("bigbench", "bigbench/benchmark_tasks", "benchmark_tasks")  # ours, and those of the authors' repository


def named(name: str, folder: Path | None) -> Task:
    """The task of `bigbench/NAME`, with its subtasks as subjects. Raises `BadData`."""
    files = task_files(name, folder)
    read = [row for file in files for row in read_file(file)]
    rows_with_samples = [(file, row) for file, row in zip(files, read, strict=True) if row.get("examples")]
    if not rows_with_samples:
        raise BadData(f"bigbench/{name}: No task.json with examples. Tasks written as programs are not supported.")
    has_scores = all("target_scores" in example for _, row in rows_with_samples for example in row["examples"])
    model = TASKS[0] if has_scores else TASKS[1]
    sources = [_source(file) for file, _ in rows_with_samples]
    about = str(rows_with_samples[0][1].get("description", ""))
    return replace(model, name=f"bigbench/{name}", description=about, sources={"test": sources})


def _source(file: Path) -> Source:
    """The file with its present SHA-256, so that runs on other versions of it are told apart."""
    digest = sha256(file.read_bytes()).hexdigest()
    return replace(own(str(file.resolve()), "name", "examples"), sha256=digest)


def task_files(name: str, folder: Path | None) -> list[Path]:
    """The files of a task and its subtasks below the data folder. Raises `BadData`."""
    if folder is None:
        raise BadData(f"bigbench/{name}: No data folder is set. Set ARENA_DATA_DIR to it, or give --data.")
    places = [folder / level / below / name for level in ("", "benchmarks") for below in FOLDERS]
    inside = [place for place in places if name and ".." not in Path(name).parts and place.is_dir()]
    files = sorted(inside[0].rglob("task.json")) if inside else []
    if not files:
        raise BadData(
            f"bigbench/{name}: No task.json below {folder}. Copy the task's folder from google/BIG-bench to "
            f"{folder / 'bigbench' / name}."
        )
    return files
