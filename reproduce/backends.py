"""Run the same tasks on the same weights through several backends and with every request type.

    python reproduce/backends.py --model DIR --data FOLDER [--vllm-python PYTHON] [--gguf FILE] [--out FILE]

Backends: transformers, vLLM in process, vLLM's OpenAI-compatible server (both with `--vllm-python`, an interpreter
with vLLM and Arena), and llama.cpp's OpenAI-compatible server (`--gguf`, the quantised file that DIR was converted
from). Each runs in its own process with float32 and one thread. Every sample is compared with transformers; the exit
code is 1 if a difference exceeds `TOLERANCES`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

HERE = Path(__file__).resolve()
# Another file of this folder has the name of a package that this one imports: Python must not find it first.
sys.path[:] = [path for path in sys.path if Path(path).resolve() != HERE.parent]

REFERENCE = "transformers"
TASKS = {"arc_easy": (32, 0), "mmlu:anatomy,virology": (16, 2), "gsm8k": (6, 0)}  # task: (samples, shots)
REQUEST_TYPES = {
    "arc_easy": ("loglikelihood",),
    "mmlu": ("loglikelihood", "first_token", "generate"),
    "gsm8k": ("generate",),
}
METRIC = {"arc_easy": "acc", "mmlu": "acc", "gsm8k": "flexible"}
MAX_TOKENS = 96  # of a generated answer: enough to see where two texts diverge
TOLERANCES = {  # against transformers, same weights in float32
    "loglikelihood": {"log_probability": 0.001, "choices_that_differ": 0.0},
    "first_token": {"choices_that_differ": 0.0},
    "generate": {
        "accuracy": 0.17
    },  # one sample of six: greedy texts diverge where two tokens are almost equally likely
}
QUANTISED = "llama_cpp"  # quantised arithmetic, so its differences are reported without a tolerance
SERVER_PATIENCE = 600.0  # seconds for vLLM's server to come up


def main() -> None:
    options = parser().parse_args()
    if options.side:
        options.out.write_text(json.dumps(asyncio.run(side(options))))
        return
    found = {}
    for name, python in backends(options):
        with serving(name, options) as url, tempfile.NamedTemporaryFile(suffix=".json") as out:
            command = [python, __file__, "--side", name, "--model", options.model, "--data", options.data,
                       "--out", out.name, "--served", options.served, *(["--gguf", options.gguf] if options.gguf else []),
                       *(["--server", url] if url else []), "--tasks", *options.tasks]  # fmt: skip
            subprocess.run([str(part) for part in command], check=True, env=quiet())
            found[name] = json.loads(Path(out.name).read_text())
    report = {"backends": compared(found), "rungs": ladder(found), "settings": TASKS, "tolerances": TOLERANCES}
    print(json.dumps(report, indent=2))
    if options.out:
        options.out.write_text(json.dumps(report, indent=2))
    if bad := [row for row in report["backends"] if row["outside"]]:
        sys.exit(f"{len(bad)} comparisons are outside the tolerances: {bad}")


def parser() -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    made.add_argument("--model", type=Path, required=True, help="a directory with weights and a chat template")
    made.add_argument("--data", type=Path, required=True, help="the folder with the benchmarks' files")
    made.add_argument("--vllm-python", help="an interpreter that has vLLM and Arena")
    made.add_argument("--gguf", type=Path, help="the GGUF file that the directory was made of")
    made.add_argument("--server", help="the URL of a vLLM server that serves the directory already")
    made.add_argument("--served", default="small", help="what that server calls it")
    made.add_argument("--tasks", nargs="+", default=list(TASKS))
    made.add_argument("--out", type=Path)
    made.add_argument("--side", help=argparse.SUPPRESS)
    return made


def backends(options: argparse.Namespace) -> list[tuple[str, str]]:
    found = [(REFERENCE, sys.executable)]
    if options.vllm_python:
        found += [("vllm_server", sys.executable), ("vllm", options.vllm_python)]
    if options.gguf:
        found.append((QUANTISED, sys.executable))
    return found


def quiet() -> dict[str, str]:
    return {
        **os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1",
        "VLLM_CPU_KVCACHE_SPACE": "1", "PYTHONPATH": str(HERE.parents[1]),
    }  # fmt: skip


@contextmanager
def serving(name: str, options: argparse.Namespace) -> Iterator[str | None]:
    """The URL of vLLM's server, started and ended here unless one was named; None for the other backends."""
    if name != "vllm_server" or options.server:
        yield options.server if name == "vllm_server" else None
        return
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [options.vllm_python, "-m", "vllm.entrypoints.openai.api_server", "--model", options.model,
               "--served-model-name", options.served, "--dtype", "float32", "--max-model-len", 2048, "--max-num-seqs", 16,
               "--enforce-eager", "--host", "127.0.0.1", "--port", port]  # fmt: skip
    with tempfile.TemporaryFile() as log:
        server = subprocess.Popen([str(part) for part in command], env=quiet(), stdout=log, stderr=log)
        try:
            wait_for(f"http://127.0.0.1:{port}/health", server)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            server.terminate()
            server.wait()


def wait_for(url: str, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + SERVER_PATIENCE
    while server.poll() is None and time.monotonic() < end:
        try:
            if httpx.get(url, trust_env=False).status_code == 200:
                return
        except httpx.TransportError:
            time.sleep(1)
    sys.exit(f"vLLM's server did not come up within {SERVER_PATIENCE:.0f} s (exit code {server.poll()})")


# One backend


def settings_of(options: argparse.Namespace):
    from arena.config import LlamaCppSettings, OpenAISettings, TransformersSettings, VllmSettings

    source = str(options.model)
    made = {
        REFERENCE: lambda: TransformersSettings(
            name="small", endpoint="transformers", source=source, dtype="float32"
        ),
        "vllm": lambda: VllmSettings(
            name="small", endpoint="vllm", source=source, dtype="float32", options={"max_model_len": 2048,
            "enforce_eager": True, "max_num_seqs": 16},
        ),
        "vllm_server": lambda: OpenAISettings(
            name="small", endpoint="openai", url=options.server, model=options.served, read_timeout=900
        ),
        QUANTISED: lambda: LlamaCppSettings(name="small", endpoint="llama_cpp", path=options.gguf),
    }  # fmt: skip
    return made[options.side]()


async def side(options: argparse.Namespace) -> dict:
    from arena.serving.model_clients import model_client

    settings = settings_of(options)
    client = model_client(settings)
    await client.endpoint.start()
    results = {}
    for task in options.tasks:
        for request_type in REQUEST_TYPES[task.partition(":")[0]]:
            if options.side == QUANTISED and request_type == "loglikelihood":
                continue  # it gives no log-probabilities of a prompt
            results[f"{task} {request_type}"] = await task_result(
                task, request_type, options.data, settings, client
            )
    await client.endpoint.close()
    return results


async def task_result(word: str, request_type: str, data: Path, settings, client) -> dict:
    from arena.benchmarking.evaluated_models import evaluated_models
    from arena.benchmarking.requests import build_requests
    from arena.benchmarking.run import run_calls
    from arena.benchmarking.scores import score
    from arena.benchmarking.selection import SelectionOptions, select
    from arena.benchmarking.task_specs import task_specs
    from arena.engine import Engine, ReplyCache, RetryPolicy
    from benchmarks.data import DataSources
    from benchmarks.task import RequestType

    count, shots = TASKS[word]
    selected = select(task_specs([word])[0], DataSources(data, hub=False), SelectionOptions(count, shots))
    [model] = await evaluated_models(selected.task, [settings], {"small": client}, RequestType(request_type))
    with tempfile.TemporaryDirectory() as folder, ReplyCache(Path(folder) / "journal.jsonl") as reply_cache:
        engine = Engine({"small": model.client}, reply_cache, retry_policy=RetryPolicy(call_timeout=3600))
        began = time.monotonic()
        requests = build_requests(selected, [model], MAX_TOKENS)
        failures, _ = await run_calls(engine, selected.task, requests, lambda _: None)
        result = score(selected.task, model, requests["small"], reply_cache, failures)
        seconds = time.monotonic() - began
        replies = [reply_cache.reply(key) for request in requests["small"] for key in request.keys]
    if failures:
        sys.exit(
            f"{settings.endpoint}: {word} by {request_type}: {len(failures)} requests failed: {set(failures.values())}"
        )
    metric = METRIC[word.partition(":")[0]]
    return {
        "answers": [outcome.answer if outcome.is_scored else "" for outcome in result.outcomes],
        "values": [outcome.metrics.get(metric, 0.0) for outcome in result.outcomes],
        "logprobs": [reply["logprob"] for reply in replies if "logprob" in reply],
        "texts": result.replies,
        "seconds": seconds,
    }


# Comparisons


def compared(found: dict) -> list[dict]:
    """Every backend against transformers, by task and request type."""
    rows = []
    for backend in found:
        for key, mine in found[backend].items():
            if backend != REFERENCE:
                rows.append(row_of(backend, key, mine, found[REFERENCE][key]))
    return rows


def row_of(backend: str, key: str, mine: dict, theirs: dict) -> dict:
    task, request_type = key.split()
    gaps = [abs(a - b) for a, b in zip(mine["logprobs"], theirs["logprobs"], strict=True)]
    differ = [a != b for a, b in zip(mine["answers"], theirs["answers"], strict=True)]
    row = {
        "backend": backend,
        "task": task,
        "rung": request_type,
        "samples": len(differ),
        "accuracy_transformers": sum(theirs["values"]) / len(differ),
        "accuracy": sum(mine["values"]) / len(differ),
        "choices_that_differ": sum(differ),
        "largest_log_probability_gap": max(gaps) if gaps else None,
        "texts_equal": sum(a == b for a, b in zip(mine["texts"], theirs["texts"], strict=True))
        if not gaps
        else None,
        "seconds": mine["seconds"],
    }
    return row | {"outside": [] if backend == QUANTISED else outside(row)}


def outside(row: dict) -> list[str]:
    measured = {
        "log_probability": row["largest_log_probability_gap"] or 0.0,
        "choices_that_differ": row["choices_that_differ"] / row["samples"],
        "accuracy": abs(row["accuracy"] - row["accuracy_transformers"]),
    }
    return [name for name, most in TOLERANCES[row["rung"]].items() if measured[name] > most]


def ladder(found: dict) -> list[dict]:
    """For each backend the request types of one task, and on how many samples two of them agree."""
    rows = []
    for backend, tasks in found.items():
        asked = {key.split()[1]: one for key, one in tasks.items() if key.startswith("mmlu")}
        for request_type, one in asked.items():
            same = {
                other: sum(a == b for a, b in zip(one["answers"], asked[other]["answers"], strict=True))
                for other in asked if other != request_type
            }  # fmt: skip
            unread = sum(not answer for answer in one["answers"])
            accuracy = sum(one["values"]) / len(one["values"])
            rows.append({"backend": backend, "rung": request_type, "samples": len(one["values"]), "accuracy": accuracy,
                         "unparsed": unread, "same_choice": same})  # fmt: skip
    return rows


if __name__ == "__main__":
    main()
