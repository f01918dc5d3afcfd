"""Run YAML tasks of lm-evaluation-harness through it and through Arena on the same weights and rows; compare each sample.

    python reproduce/lm_eval_files.py --model DIR --peer-python PYTHON (--files FOLDER | --data FOLDER) [--record FILE]

`--data` has the benchmarks' files: seven tasks that ship with the harness, of different shapes, are run on rows of them.
`--files` has task files of one's own, which are run as they are (such as `tests/arena/benchmarking/lm_eval_tasks`). Arena
reads the very files that the harness reads. For each sample these must be equal: the texts of all requests, the filtered
answer and all metrics; log-likelihoods may differ by 1e-4. The exit code is 1 if anything differs. `--record` writes what
the harness found, for the tests. `--peer-python` is an interpreter with lm_eval (extra `bench-peers`).
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve()
sys.path[:] = [path for path in sys.path if Path(path).resolve() != HERE.parent]
LARGEST_GAP = 1e-4  # of log-likelihoods: the order of float32 sums differs
LIMIT = 6  # samples of each shipped task
TOKENS = 12  # of a completion: two cores write them twice
SHIPPED = {  # task: where its file is, its keys that are replaced besides those of the data
    "arc_easy": ("arc/arc_easy.yaml", {"num_fewshot": 3}),
    "gsm8k": ("gsm8k/gsm8k.yaml", {"generation_kwargs": {"until": ["Question:", "</s>"], "max_gen_toks": TOKENS}}),
    "lambada_openai": ("lambada/lambada_openai.yaml", {}),
    "mmlu_anatomy": ("mmlu/default/mmlu_anatomy.yaml", {"num_fewshot": 5}),
    "bbh_cot_fewshot_boolean_expressions": (
        "bbh/cot_fewshot/boolean_expressions.yaml",
        {"generation_kwargs": {"until": ["Q", "\n\n"], "max_gen_toks": TOKENS}},
    ),
    "triviaqa": (
        "triviaqa/default.yaml",
        {"generation_kwargs": {"until": ["\n", ".", ","], "max_gen_toks": TOKENS}},
    ),
    "nq_open": (
        "nq_open/nq_open.yaml",
        {"num_fewshot": 2, "generation_kwargs": {"until": ["\n", ".", ","], "max_gen_toks": TOKENS}},
    ),
}


def main() -> None:
    options = parser().parse_args()
    options.model = options.model.resolve()
    options.files = options.files.resolve() if options.files else None
    if options.side:
        options.out.write_text(json.dumps({"peer": peer, "own": own}[options.side](options)))
        return
    with tempfile.TemporaryDirectory() as folder:
        files = options.files or shipped(Path(folder), options)
        sides = {}
        for side, python in (("peer", options.peer_python), ("own", sys.executable)):
            out = Path(folder) / f"{side}.json"
            command = [python, __file__, "--side", side, "--model", options.model, "--files", files, "--out", out,
                       "--peer-python", python, "--limit", options.limit]  # fmt: skip
            environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
            subprocess.run([str(part) for part in command], check=True, env=environment, cwd=files)
            sides[side] = json.loads(out.read_text())
    rows = [compared(task, sides["peer"][task], sides["own"][task]) for task in sides["peer"]]
    print(json.dumps(rows, indent=2))
    if options.out:
        options.out.write_text(json.dumps(rows, indent=2))
    if options.record:
        options.record.write_text(json.dumps(sides["peer"], indent=1, ensure_ascii=False) + "\n")
    sys.exit(any(row["samples_that_differ"] for row in rows))


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--model", type=Path, required=True, help="a directory with weights")
    made.add_argument("--peer-python", required=True)
    made.add_argument("--files", type=Path, help="a folder with task files")
    made.add_argument("--data", type=Path, help="the folder with the benchmarks' files")
    made.add_argument("--limit", type=int, default=LIMIT, help="samples of each task")
    made.add_argument("--out", type=Path)
    made.add_argument("--record", type=Path)
    made.add_argument("--side", choices=("peer", "own"), help=argparse.SUPPRESS)
    return made


def task_files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.glob("*.yaml") if not path.name.startswith("_"))


def compared(task: str, theirs: list[dict[str, Any]], ours: list[dict[str, Any]]) -> dict[str, Any]:
    """How many samples differ, in what, and the largest difference of log-likelihoods."""
    assert len(theirs) == len(ours), (task, len(theirs), len(ours))
    different: dict[str, int] = {"requests": 0, "answers": 0, "metrics": 0, "log-likelihoods": 0}
    gap, samples = 0.0, 0
    for their, our in zip(theirs, ours, strict=True):
        gaps = [abs(a - b) for a, b in zip(their["logprobs"], our["logprobs"], strict=True)]
        gap = max([gap, *gaps])
        found = {
            "requests": their["requests"] != our["requests"],
            "answers": their["answers"] != our["answers"],
            "metrics": not close(their["metrics"], our["metrics"]),
            "log-likelihoods": max(gaps, default=0.0) > LARGEST_GAP,
        }
        for name, differs in found.items():
            different[name] += differs
        samples += any(found.values())
    return {
        "task": task,
        "samples": len(ours),
        "samples_that_differ": samples,
        "different": different,
        "largest_log_likelihood_gap": gap,
    }


def close(theirs: dict[str, float], ours: dict[str, float]) -> bool:
    return theirs.keys() == ours.keys() and all(abs(theirs[name] - ours[name]) <= LARGEST_GAP for name in theirs)


# Arena's side


def own(options: argparse.Namespace) -> dict[str, Any]:
    from arena.config import TransformersSettings
    from arena.serving.model_clients import model_client

    settings = TransformersSettings(
        name="small", endpoint="transformers", source=str(options.model), dtype="float32", api="completions"
    )
    return asyncio.run(own_tasks(options, settings, model_client(settings)))


async def own_tasks(options: argparse.Namespace, settings: Any, client: Any) -> dict[str, Any]:
    from arena.benchmarking.task_specs import task_specs

    await client.endpoint.start()
    specs = [task_specs([str(path)])[0] for path in task_files(options.files)]
    tasks = {spec.task.name: await own_task(spec, settings, client, options.limit) for spec in specs}
    await client.endpoint.close()
    return tasks


async def own_task(spec: Any, settings: Any, client: Any, limit: int) -> list[dict[str, Any]]:
    from arena.benchmarking.evaluated_models import evaluated_models
    from arena.benchmarking.requests import build_requests
    from arena.benchmarking.run import run_calls
    from arena.benchmarking.scores import score
    from arena.benchmarking.selection import SelectionOptions, select
    from arena.engine import Engine, ReplyCache, RetryPolicy
    from benchmarks.data import DataSources

    selected = select(spec, DataSources(hub=False), SelectionOptions(limit))
    [model] = await evaluated_models(selected.task, [settings], {"small": client}, None)
    with tempfile.TemporaryDirectory() as folder, ReplyCache(Path(folder) / "journal.jsonl") as cache:
        engine = Engine({"small": model.client}, cache, retry_policy=RetryPolicy(call_timeout=3600))
        requests = build_requests(selected, [model])
        failures, _ = await run_calls(engine, selected.task, requests, lambda _: None)
        result = score(selected.task, model, requests["small"], cache, failures)
        return [
            own_sample(selected.task, request, [cache.reply(key) for key in request.keys], outcome)
            for request, outcome in zip(requests["small"], result.outcomes, strict=True)
        ]


def own_sample(task: Any, request: Any, replies: list[Any], outcome: Any) -> dict[str, Any]:
    bodies = request.bodies
    generated = "messages" in bodies[0]
    texts = [(body["messages"][0]["content"], "") for body in bodies] if generated else [
        (body.get("context", ""), body.get("continuation", body.get("text"))) for body in bodies
    ]  # fmt: skip
    names = [f"{metric.name}" for metric in task.file.metrics]
    metrics = {task.metric: 0.0, **outcome.metrics}
    per_sample = {
        name: metrics[name] for name in metrics if not name.startswith("_") and name.split(",")[0] in names
    }
    if "perplexity" in names:
        per_sample.pop("perplexity", None)
    return {
        "requests": texts,
        "replies": [reply["choices"][0]["message"]["content"] for reply in replies] if generated else [],
        "logprobs": [] if generated else [reply["logprob"] for reply in replies],
        "greedy": [] if generated else [reply["greedy"] for reply in replies],
        "answers": own_answers(task, request, replies) if generated else [],
        "metrics": per_sample,
    }


def own_answers(task: Any, request: Any, replies: list[Any]) -> list[Any]:
    from benchmarks.generation import before

    texts = [before(reply["choices"][0]["message"]["content"], task.file.sampling.until) for reply in replies]
    return [chain.apply(texts, request.sample.fields["doc"]) for chain in task.file.filters]


# The harness's side


def peer(options: argparse.Namespace) -> dict[str, Any]:
    import lm_eval
    import torch
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager

    torch.set_num_threads(1)
    model = HFLM(pretrained=str(options.model), dtype="float32", device="cpu", batch_size=1)
    manager = TaskManager(include_path=str(options.files), include_defaults=False)
    found = {}
    for path in task_files(options.files):
        [name] = [
            line.split(":", 1)[1].strip() for line in path.read_text().splitlines() if line.startswith("task:")
        ]
        result = lm_eval.simple_evaluate(
            model, tasks=[name], limit=options.limit, task_manager=manager, log_samples=True, bootstrap_iters=0
        )
        found[name] = peer_samples(result["samples"][name])
    return found


def peer_samples(logged: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """One entry for each document, with the answers and metrics of all its filters."""
    filters = list(dict.fromkeys(entry["filter"] for entry in logged))
    by_document: dict[int, list[dict[str, Any]]] = {}
    for entry in logged:
        by_document.setdefault(entry["doc_id"], []).append(entry)
    return [peer_sample(entries, filters) for _, entries in sorted(by_document.items())]


def peer_sample(entries: list[dict[str, Any]], filters: list[str]) -> dict[str, Any]:
    first = entries[0]
    arguments = [list(pair) for pair in first["arguments"]]
    generated = isinstance(arguments[0][-1], dict)
    texts = [(pair[0], "") if generated else (pair[0] if len(pair) > 1 else "", pair[-1]) for pair in arguments]
    metrics = {}
    for entry in entries:
        suffix = f",{entry['filter']}" if len(filters) > 1 else ""
        metrics |= {f"{name}{suffix}": value_of(entry[name]) for name in entry["metrics"] if name != "perplexity"}
    pairs = [] if generated else [response[0] for response in first["resps"]]
    return {
        "requests": texts,
        "replies": [text for response in first["resps"] for text in response] if generated else [],
        "logprobs": [float(pair[0]) for pair in pairs],
        "greedy": [str(pair[1]) == "True" for pair in pairs],
        "answers": [entry["filtered_resps"][0] for entry in entries] if generated else [],
        "metrics": metrics,
    }


def value_of(logged: Any) -> float:
    """A sample's value; of the Brier score the harness keeps the right choice and the shares of all."""
    if not isinstance(logged, tuple | list):
        return float(logged)
    gold, shares = logged
    return float(sum((share - (number == gold)) ** 2 for number, share in enumerate(shares)))


# Shipped tasks on rows of local files


def shipped(folder: Path, options: argparse.Namespace) -> Path:
    """A folder with a file for each shipped task: it includes the harness's own, and names local rows."""
    where = "import lm_eval.tasks; print(lm_eval.tasks.__path__[0])"
    base = Path(
        subprocess.run(
            [options.peer_python, "-c", where], check=True, capture_output=True, text=True
        ).stdout.strip()
    )
    tasks = folder / "tasks"
    tasks.mkdir()
    for name, (file, replaced) in SHIPPED.items():
        splits = rows_of(name, options.data)
        files = {}
        for split, rows in splits.items():
            files[split] = str(folder / f"{name}_{split}.jsonl")
            Path(files[split]).write_text("".join(json.dumps(row) + "\n" for row in rows))
        keys = {"include": str(base / file), "dataset_path": "json", "dataset_name": None,
                "dataset_kwargs": {"data_files": files}, **replaced}  # fmt: skip
        lines = [f"{key}: {json.dumps(value)}" for key, value in keys.items()]
        (tasks / f"{name}.yaml").write_text("\n".join([f"task: {name}", *lines]) + "\n")
    return tasks


def rows_of(name: str, data: Path) -> dict[str, list[dict[str, Any]]]:
    """The rows of a task by split, in the columns of its dataset on the hub."""
    if name == "arc_easy":
        rows = [
            {
                "question": row["question"],
                "choices": {"text": row["choices"], "label": list("ABCDE")[: len(row["choices"])]},
                "answerKey": "ABCDE"[row["gold"]],
            }
            for row in lines(data / "arc/ARC-Easy-test.jsonl")[:40]
        ]
        return {"test": rows[:LIMIT], "validation": rows[LIMIT:20], "train": rows[20:]}
    if name == "gsm8k":
        rows = lines(data / "gsm8k/test.jsonl")
        return {"test": rows[:LIMIT], "train": rows[LIMIT:40]}
    if name == "lambada_openai":
        rows = lines(data / "lambada/lambada_openai_test.jsonl")[:LIMIT]
        return {"test": [{"text": f"{row['query']} {row['answers_text'][0]}"} for row in rows]}
    if name == "mmlu_anatomy":
        files = {"test": "mmlu/mmlu_test.jsonl.gz", "dev": "mmlu/mmlu_dev.jsonl"}
        return {
            split: [row for row in lines(data / file) if row["subject"] == "anatomy"][:20]
            for split, file in files.items()
        }
    if name == "triviaqa":
        rows = lines(data / "triviaqa/rc_wikipedia_nocontext_val.jsonl.gz")[:20]
        kept = [{"question": row["question"], "answer": {"aliases": row["aliases"]}} for row in rows]
        return {"validation": kept[:LIMIT], "train": kept[LIMIT:]}
    if name == "nq_open":
        rows = lines(data / "nq_open/nq_open_val.jsonl")[:20]
        return {"validation": rows[:LIMIT], "train": rows[LIMIT:]}
    return {"test": json.loads((data / "bbh/boolean_expressions.json").read_text())["examples"][:LIMIT]}


def lines(path: Path) -> list[dict[str, Any]]:
    raw = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    return [json.loads(line) for line in raw.decode().split("\n") if line.strip()]


if __name__ == "__main__":
    main()
