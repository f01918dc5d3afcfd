"""The load tests that `reproduce/load_tests.py` compares, each run by its own command: ours, guidellm and evalscope perf."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

MODEL = "timed"
PROMPT = "write a story"


class ToolFailed(Exception):
    """The command of a tool failed, with the end of what it said."""


@dataclass(frozen=True)
class Wanted:
    """What a tool is to do: `requests` requests for `tokens` tokens, `concurrency` at once, at the server's address."""

    address: str
    concurrency: int
    requests: int
    tokens: int
    folder: Path  # empty, for the tool's files
    patience: float  # seconds


@dataclass(frozen=True)
class Means:
    """What a tool measured, in seconds and output tokens per second; None where it has no such number."""

    ttft: float | None
    tpot: float | None
    itl: float | None
    e2e: float | None
    throughput: float | None


@dataclass(frozen=True)
class Peer:
    """Another load test: its package, its command, and how to measure with that command."""

    package: str
    command: str
    measure: Callable[[Path, Wanted], Means]

    def measures_in(self, environment: Path) -> Callable[[Wanted], Means]:
        return lambda wanted: self.measure(environment / "bin" / self.command, wanted)


def installed(environment: Path | None, peer: Peer) -> str | None:
    """The version of the peer in a virtual environment; None if it is not there."""
    if environment is None or not (environment / "bin" / peer.command).is_file():
        return None
    asked = f"import importlib.metadata as m; print(m.version({peer.package!r}))"
    ran = subprocess.run(
        [environment / "bin" / "python", "-c", asked], capture_output=True, text=True, check=False
    )
    return ran.stdout.strip() or None


def arena(wanted: Wanted) -> Means:
    """`arena speed`, without warm-up: the record of the server has all requests."""
    settings = wanted.folder / "arena.toml"
    settings.write_text(
        f'[[models]]\nname = "{MODEL}"\nendpoint = "openai"\nurl = "{wanted.address}/v1"\nmodel = "{MODEL}"\n'
    )
    said = _run(
        [
            sys.executable, "-m", "arena", "speed", MODEL, "--config", settings, "--format", "json", "--warmup", "0",
            "--repeats", "1", "--concurrency", wanted.concurrency, "--requests", wanted.requests,
            "--max-tokens", wanted.tokens, "--prompt-words", "8",
        ],
        wanted,
    )  # fmt: skip
    found = json.loads(said)["vllm"]
    names = ("mean_ttft_ms", "mean_tpot_ms", "mean_itl_ms", "mean_e2el_ms")
    return Means(*(found[name] / 1000 for name in names), found["output_throughput"])


def guidellm(command: Path, wanted: Wanted) -> Means:
    """guidellm's `concurrent` profile. Its own TPOT divides by all tokens, so its ITL, which does not, stands for both."""
    prompts = wanted.folder / "prompts.jsonl"
    line = json.dumps({"prompt": PROMPT, "output_tokens_count": wanted.tokens})
    prompts.write_text(f"{line}\n" * wanted.requests)
    result = wanted.folder / "result.json"
    _run(
        [
            command, "run", "--disable-console",
            "--backend", f"kind=openai_http,target={wanted.address},model={MODEL},request_format=/v1/chat/completions",
            "--profile", f"kind=concurrent,streams={wanted.concurrency}",
            "--constraint", f"kind=max_requests,count={wanted.requests}",
            "--data", f"kind=json_file,path={prompts}",
            "--output", f"kind=json,path={result}",
        ],
        wanted,
    )  # fmt: skip
    found = json.loads(result.read_text())["benchmarks"][0]["metrics"]
    value = {name: found[name]["successful"]["mean"] for name in (
        "time_to_first_token_ms", "inter_token_latency_ms", "request_latency", "output_tokens_per_second",
    )}  # fmt: skip
    gap = value["inter_token_latency_ms"] / 1000
    ttft = value["time_to_first_token_ms"] / 1000
    return Means(ttft, gap, gap, value["request_latency"], value["output_tokens_per_second"])


def evalscope(command: Path, wanted: Wanted) -> Means:
    """`evalscope perf` with one prompt, without its trial request."""
    prompts = wanted.folder / "prompts.txt"
    prompts.write_text(f"{PROMPT}\n" * wanted.requests)
    _run(
        [
            command, "perf", "--url", f"{wanted.address}/v1/chat/completions", "--api", "openai", "--model", MODEL,
            "--parallel", wanted.concurrency, "--number", wanted.requests, "--max-tokens", wanted.tokens,
            "--dataset", "line_by_line", "--dataset-path", prompts, "--no-test-connection", "--stream",
            "--outputs-dir", wanted.folder / "out", "--no-timestamp",
        ],
        wanted,
    )  # fmt: skip
    [summary] = (wanted.folder / "out").rglob("benchmark_summary.json")
    found = json.loads(summary.read_text())

    def seconds(name: str) -> float | None:
        return None if found.get(f"Avg {name} (ms)") is None else found[f"Avg {name} (ms)"] / 1000

    latency, throughput = found.get("Avg Latency (s)"), found.get("Output Throughput (tok/s)")
    return Means(seconds("TTFT"), seconds("TPOT"), seconds("ITL"), latency, throughput)


PEERS = (Peer("guidellm", "guidellm", guidellm), Peer("evalscope", "evalscope", evalscope))


def _run(command: Sequence[Any], wanted: Wanted) -> str:
    """What the command printed. Raises `ToolFailed`."""
    words = [str(word) for word in command]
    try:
        done = subprocess.run(
            words,
            capture_output=True,
            text=True,
            check=False,
            timeout=wanted.patience,
            cwd=wanted.folder,
            env=_environment(),
        )
    except subprocess.TimeoutExpired:
        raise ToolFailed(f"{words[0]} was not done after {wanted.patience:g} s") from None
    if done.returncode:
        raise ToolFailed(f"{Path(words[0]).name} failed: {(done.stderr or done.stdout).strip()[-300:]}")
    return done.stdout


def _environment() -> Mapping[str, str]:
    """That of this process without proxies, so that no tool leaves the machine."""
    kept = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return {**kept, "HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
