"""Run the same tasks on the same weights through lm-evaluation-harness and through Arena.

    python reproduce/benchmarks.py --model DIR --data FOLDER [--peer-python PYTHON] [--out FILE]

Each side runs in its own process, one after the other, with one thread and float32. Per-sample choices are compared,
not only means. `--peer-python` is an interpreter with lm_eval (extra `bench-peers`); default: this one. Seconds
exclude loading the weights and include prompts, tokens and scores. `cpu` is the processor time of the process, which
other work on the machine does not change.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve()
# This file has the name of a package that it imports: Python must not find it first.
sys.path[:] = [path for path in sys.path if Path(path).resolve() != HERE.parent]
SUBJECTS = ("anatomy", "virology", "world_religions")
SETTINGS = {  # task: (samples, shots); samples of each subject for mmlu
    "arc_easy": (60, 0),
    "hellaswag": (30, 0),
    "mmlu": (8, 5),
    "gsm8k": (4, 5),
}
BOTH = ("acc", "acc_norm")
METRICS = {"arc_easy": BOTH, "hellaswag": BOTH, "mmlu": ("acc",), "gsm8k": ("flexible",)}
BATCH = 8


def main() -> None:
    options = parser().parse_args()
    if options.side:
        result = {"peer": peer, "own": own}[options.side](options)
        result["peak_megabytes"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        options.out.write_text(json.dumps(result))
        return
    sides = {}
    for side, python in (("peer", options.peer_python), ("own", sys.executable)):
        with tempfile.NamedTemporaryFile(suffix=".json") as out:
            command = [python, __file__, "--side", side, "--model", options.model, "--data", options.data,
                       "--out", out.name, "--tasks", *options.tasks]  # fmt: skip
            environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
            subprocess.run([str(part) for part in command], check=True, env=environment)
            sides[side] = json.loads(Path(out.name).read_text())
    report = compared(sides)
    print(json.dumps(report, indent=2))
    if options.out:
        options.out.write_text(json.dumps(report, indent=2))


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--model", type=Path, required=True, help="a directory with weights")
    made.add_argument("--data", type=Path, required=True, help="the folder with the benchmarks' files")
    made.add_argument("--peer-python", default=sys.executable)
    made.add_argument("--tasks", nargs="+", default=list(SETTINGS))
    made.add_argument("--out", type=Path)
    made.add_argument("--side", choices=("peer", "own"), help=argparse.SUPPRESS)
    return made


def compared(sides: dict) -> dict:
    """Throughput, means, and the number of samples on which the two sides differ."""
    rows = []
    for task in sides["own"]["tasks"]:
        peers, mine = sides["peer"]["tasks"][task], sides["own"]["tasks"][task]
        for metric in METRICS[task]:
            theirs, ours = peers["values"][metric], mine["values"][metric]
            rows.append(
                {
                    "task": task,
                    "metric": metric,
                    "samples": len(ours),
                    "peer": sum(theirs) / len(theirs),
                    "own": sum(ours) / len(ours),
                    "samples_that_differ": sum(a != b for a, b in zip(theirs, ours, strict=True)),
                    "largest_log_probability_gap": gap(peers.get("logprobs"), mine.get("logprobs")),
                    "peer_samples_per_second": len(theirs) / peers["seconds"],
                    "own_samples_per_second": len(ours) / mine["seconds"],
                    "speed_up": peers["seconds"] / mine["seconds"],
                    "peer_cpu_seconds": peers["cpu"],
                    "own_cpu_seconds": mine["cpu"],
                    "speed_up_cpu": peers["cpu"] / mine["cpu"],
                }
            )
    return {
        "rows": rows,
        "peak_megabytes": {side: sides[side]["peak_megabytes"] for side in ("peer", "own")},
        "versions": {side: sides[side]["versions"] for side in ("peer", "own")},
        "settings": SETTINGS,
    }


def gap(theirs: list | None, ours: list | None) -> float | None:
    if theirs is None or ours is None:
        return None
    return max(
        abs(a - b) for their, our in zip(theirs, ours, strict=True) for a, b in zip(their, our, strict=True)
    )


# Arena's side


def own(options: argparse.Namespace) -> dict:
    from arena.config import TransformersSettings
    from arena.serving.model_clients import model_client

    settings = TransformersSettings(
        name="small", endpoint="transformers", source=str(options.model), dtype="float32", max_batch=BATCH
    )
    client = model_client(settings)
    tasks = asyncio.run(own_tasks(options, settings, client))
    return {"tasks": tasks, "versions": versions()}


async def own_tasks(options: argparse.Namespace, settings, client) -> dict:
    await client.endpoint.start()
    tasks = {name: await own_task(name, options.data, settings, client) for name in options.tasks}
    await client.endpoint.close()
    return tasks


async def own_task(name: str, data: Path, settings, client) -> dict:
    from arena.benchmarking.evaluated_models import evaluated_models
    from arena.benchmarking.requests import build_requests
    from arena.benchmarking.run import run_calls
    from arena.benchmarking.scores import score
    from arena.benchmarking.selection import SelectionOptions, select
    from arena.benchmarking.task_specs import task_specs
    from arena.engine import Engine, ReplyCache, RetryPolicy
    from benchmarks.data import DataSources

    count, shots = SETTINGS[name]
    word = f"mmlu:{','.join(SUBJECTS)}" if name == "mmlu" else name
    selected = select(
        task_specs([word])[0], DataSources(data, hub=False), SelectionOptions(count, shots, 0, "lm-eval")
    )
    [model] = await evaluated_models(selected.task, [settings], {"small": client}, None)
    with tempfile.TemporaryDirectory() as folder, ReplyCache(Path(folder) / "journal.jsonl") as reply_cache:
        engine = Engine({"small": model.client}, reply_cache, retry_policy=RetryPolicy(call_timeout=3600))
        began, cpu = time.monotonic(), time.process_time()
        requests = build_requests(selected, [model])
        failures, _ = await run_calls(engine, selected.task, requests, lambda _: None)
        result = score(selected.task, model, requests["small"], reply_cache, failures)
        seconds, cpu = time.monotonic() - began, time.process_time() - cpu
        logprobs = None
        if name != "gsm8k":
            logprobs = [
                [reply_cache.reply(key)["logprob"] for key in request.keys] for request in requests["small"]
            ]
    values = {
        metric: [outcome.metrics.get(metric, 0.0) for outcome in result.outcomes] for metric in METRICS[name]
    }
    return {"seconds": seconds, "cpu": cpu, "values": values, "logprobs": logprobs}


# The harness's side


def peer(options: argparse.Namespace) -> dict:
    import lm_eval
    import torch
    from lm_eval.models.huggingface import HFLM
    from lm_eval.tasks import TaskManager

    torch.set_num_threads(1)
    model = HFLM(pretrained=str(options.model), dtype="float32", device="cpu", batch_size=BATCH)
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        names = peer_configs(Path(folder), options.data)
        manager = TaskManager(include_path=folder, include_defaults=False)
        for task in options.tasks:
            count, shots = SETTINGS[task]
            began, cpu = time.monotonic(), time.process_time()
            result = lm_eval.simple_evaluate(
                model, tasks=names[task], num_fewshot=shots, limit=count, task_manager=manager, log_samples=True,
                bootstrap_iters=0, apply_chat_template=task == "gsm8k",
            )  # fmt: skip
            seconds, cpu = time.monotonic() - began, time.process_time() - cpu
            samples = [one for name in names[task] for one in peer_samples(result["samples"][name])]
            found[task] = {"seconds": seconds, "cpu": cpu, **peer_values(task, samples)}
    return {"tasks": found, "versions": versions()}


def peer_samples(samples: list) -> list:
    """The answers of one task in the order of its documents, of the flexible filter where there are several."""
    kept = [one for one in samples if one.get("filter", "none") in ("none", "flexible-extract")]
    return sorted(kept, key=lambda one: one["doc_id"])


def peer_values(task: str, samples: list) -> dict:
    if task == "gsm8k":
        return {"values": {"flexible": [float(one["exact_match"]) for one in samples]}}
    logprobs = [[float(value) for value, _ in one["filtered_resps"]] for one in samples]
    return {
        "values": {metric: [float(one[metric]) for one in samples] for metric in METRICS[task]},
        "logprobs": logprobs,
    }


def peer_configs(folder: Path, data: Path) -> dict[str, list[str]]:
    """The harness's own task definitions over local files instead of the hub."""
    choice = "output_type: multiple_choice\nmetric_list:\n  - metric: acc\n  - metric: acc_norm\n"
    write(
        folder,
        "arc_easy",
        data / "arc/ARC-Easy-test.jsonl",
        choice
        + 'doc_to_text: "Question: {{question}}\\nAnswer:"\ndoc_to_target: gold\ndoc_to_choice: "{{choices}}"\n',
    )
    (folder / "sentences.py").write_text("from lm_eval.tasks.hellaswag.utils import process_docs\n")
    write(
        folder,
        "hellaswag",
        unpacked(folder, data / "hellaswag/hellaswag_val.jsonl.gz"),
        choice + 'process_docs: !function sentences.process_docs\ndoc_to_text: "{{query}}"\n'
        'doc_to_target: "{{label}}"\ndoc_to_choice: "choices"\n',
    )
    tests, dev = lines(data / "mmlu/mmlu_test.jsonl.gz"), lines(data / "mmlu/mmlu_dev.jsonl")
    for subject in SUBJECTS:
        files = {}
        for split, rows in (("test", tests), ("dev", dev)):
            files[split] = folder / f"{subject}_{split}.jsonl"
            files[split].write_text("".join(json.dumps(row) + "\n" for row in rows if row["subject"] == subject))
        about = subject.replace("_", " ")
        write(
            folder,
            f"mmlu_{subject}",
            files["test"],
            choice
            + 'doc_to_text: "{{question.strip()}}\\nA. {{choices[0]}}\\nB. {{choices[1]}}\\nC. {{choices[2]}}\\n'
            'D. {{choices[3]}}\\nAnswer:"\ndoc_to_choice: ["A", "B", "C", "D"]\ndoc_to_target: answer\n'
            "fewshot_config:\n  sampler: first_n\n"
            f'description: "The following are multiple choice questions (with answers) about {about}.\\n\\n"\n',
            files["dev"],
        )
    write(folder, "gsm8k", data / "gsm8k/test.jsonl", GSM8K, data / "gsm8k/train.jsonl")
    return {task: [task] for task in SETTINGS if task != "mmlu"} | {"mmlu": [f"mmlu_{one}" for one in SUBJECTS]}


GSM8K = r"""output_type: generate_until
doc_to_text: "Question: {{question}}\nAnswer:"
doc_to_target: "{{answer}}"
metric_list:
  - metric: exact_match
    ignore_case: true
    ignore_punctuation: false
    regexes_to_ignore: [",", "\\$", "(?s).*#### ", "\\.$"]
generation_kwargs:
  until: ["Question:", "</s>", "<|im_end|>"]
  do_sample: false
  temperature: 0.0
filter_list:
  - name: flexible-extract
    filter:
      - function: regex
        group_select: -1
        regex_pattern: "(-?[$0-9.,]{2,})|(-?[0-9]+)"
      - function: take_first
"""


def write(folder: Path, task: str, test: Path, text: str, shots: Path | None = None) -> None:
    head = (
        f"task: {task}\ndataset_path: json\ntest_split: test\ndataset_kwargs:\n  data_files:\n    test: {test}\n"
    )
    if shots:
        head += f"    train: {shots}\n"
        head += "fewshot_split: train\n"
    (folder / f"{task}.yaml").write_text(head + text)


def unpacked(folder: Path, file: Path) -> Path:
    made = folder / file.name.removesuffix(".gz")
    made.write_bytes(gzip.decompress(file.read_bytes()))
    return made


def lines(file: Path) -> list[dict]:
    content = file.read_bytes()
    text = (gzip.decompress(content) if file.suffix == ".gz" else content).decode()
    return [json.loads(line) for line in text.split("\n") if line]


def versions() -> dict[str, str]:
    from importlib.metadata import PackageNotFoundError, version

    found = {}
    for name in ("torch", "transformers", "lm_eval", "arena"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


if __name__ == "__main__":
    main()
