"""Make the table of speed in docs/judges.md: verdicts per second, ours and the peers', from a fake judge.

    python reproduce/judges.py --rounds 3

    latency      the judge replies after a fixed delay; the limit is concurrent calls / delay
    rate         the judge replies to a limited number of calls per second, else 429 with Retry-After
    reply cache  100,000 verdicts of ours: the share of the time that the reply cache takes, and memory

Each contender runs in a process of its own against a server of its own, in turn; the median of the rounds counts.
alpaca_eval comes from the extra `judge-peers`; it gets as many threads as we get concurrent calls, and its cache is
on, as our reply cache is. Arena-Hard's runner is no package, so its method is restated from its description: a pool
of threads, a new client for each call, three attempts ten seconds apart for a rate limit, no other error caught.
A peer that is not installed has its error in its row.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

HERE = Path(__file__).resolve()
# Files in this folder are named like packages: the folder above takes its place on the path.
sys.path[0] = str(HERE.parents[1])
TEXT = "word " * 400  # about as long as two completions in a judge's prompt
AE_CONFIG = "weighted_alpaca_eval_gpt4_turbo"


@contextlib.contextmanager
def server(delay: float, rate: float | None) -> Iterator[str]:
    command = [sys.executable, str(HERE.with_name("judge_server.py")), "--delay", str(delay)]
    if rate:
        command += ["--rate", str(rate)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        yield process.stdout.readline().strip()
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def arena(url: str, calls: int, at_once: int, rate: float | None, figures: dict) -> int:
    from arena.endpoints.openai import OpenAI
    from arena.engine import Call, Engine, ModelClient, ReplyCache, Status, address

    def requests() -> Iterator[Call]:
        for number in range(calls):
            messages = [{"role": "user", "content": f"{number} {TEXT}"}]
            body = {"model": "fake", "messages": messages, "max_tokens": 1, "logprobs": True, "top_logprobs": 5}
            yield Call(address({"url": url}, body), "fake", body)

    async def run(reply_cache: ReplyCache) -> int:
        endpoint = OpenAI(url + "/v1", "fake")
        target = ModelClient(endpoint, {}, at_once, requests_per_minute=rate * 60 if rate else None)
        engine, read = Engine({"fake": target}, reply_cache), 0
        async for result in engine.run(requests()):
            read += result.status is Status.OK
            if read == calls // 10:
                figures["MiB_at_a_tenth"] = memory()
        await endpoint.close()
        return read

    with (
        tempfile.TemporaryDirectory() as folder,
        timed(ReplyCache(Path(folder) / "replies"), figures) as reply_cache,
    ):
        return asyncio.run(run(reply_cache))


@contextlib.contextmanager
def timed(reply_cache, figures: dict):
    """The reply cache, which adds the seconds that it took to `figures` at the end."""
    seconds = 0.0
    append, reply = reply_cache.append, reply_cache.reply

    def measured(method):
        def call(*given):
            nonlocal seconds
            began = time.perf_counter()
            try:
                return method(*given)
            finally:
                seconds += time.perf_counter() - began

        return call

    reply_cache.append, reply_cache.reply = measured(append), measured(reply)
    with reply_cache:
        yield reply_cache
    figures["cache_seconds"] = seconds


def alpaca_eval(url: str, calls: int, at_once: int, _rate: float | None, _figures: dict) -> int:
    os.environ |= {"OPENAI_API_KEY": "none", "OPENAI_API_KEYS": "none", "OPENAI_API_BASE": url + "/v1"}
    import logging

    from alpaca_eval.annotators import PairwiseAnnotator

    logging.disable(logging.WARNING)
    outputs = [
        [{"instruction": f"{number}", "output": f"{side} {TEXT[:1000]}"} for number in range(calls)]
        for side in "ab"
    ]
    with tempfile.TemporaryDirectory() as folder:
        annotator = PairwiseAnnotator(annotators_config=AE_CONFIG, caching_path=f"{folder}/cache.json")
        for processor in annotator.annotators.values():
            processor.completions_kwargs["num_procs"] = at_once
        rows = annotator.annotate_head2head(*outputs)
    return sum(row["preference"] is not None and row["preference"] >= 1 for row in rows)


def arena_hard(url: str, calls: int, at_once: int, _rate: float | None, _figures: dict) -> int:
    from concurrent.futures import ThreadPoolExecutor

    import openai

    def judge(number: int) -> int:
        client = openai.OpenAI(base_url=url + "/v1", api_key="none", max_retries=0)
        for _ in range(3):
            try:
                messages = [{"role": "user", "content": f"{number} {TEXT}"}]
                client.chat.completions.create(model="fake", messages=messages, max_tokens=1)
                return 1
            except openai.RateLimitError:
                time.sleep(10)
        return 0

    with ThreadPoolExecutor(at_once) as pool:
        return sum(pool.map(judge, range(calls)))


CONTENDERS = {"arena": arena, "alpaca_eval": alpaca_eval, "arena-hard's way": arena_hard}


NEEDS = {
    "arena": ["arena.engine", "arena.endpoints.openai", "arena.endpoints.poster", "aiohttp"],
    "alpaca_eval": ["alpaca_eval.annotators"],
    "arena-hard's way": ["openai"],
}


def memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def contend(name: str, calls: int, at_once: int, delay: float, rate: float | None) -> dict:
    """One contender in this process; imports are not timed."""
    for module in NEEDS[name]:
        __import__(module)
    figures: dict = {}
    with server(delay, rate) as url:
        began, used = time.perf_counter(), time.process_time()
        read = CONTENDERS[name](url, calls, at_once, rate, figures)
        seconds = time.perf_counter() - began
    return {
        **figures,
        "verdicts": read,
        "seconds": seconds,
        "per_second": read / seconds,
        "cpu_ms": 1000 * (time.process_time() - used) / calls,
        "MiB": memory(),
    }


def in_own_process(name: str, **task) -> dict:
    command = [sys.executable, str(HERE), "--one", json.dumps({"name": name, **task})]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        return {"error": done.stderr.strip().splitlines()[-1][:100]}
    return json.loads(done.stdout.strip().splitlines()[-1])


def table(title: str, task: dict, limit: float, rounds: int) -> None:
    print(f"\n{title}; the limit is {limit:.0f} verdicts per second\n")
    print("| | verdicts/s | of the limit | ours is | read | CPU ms per call | peak MiB |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    results = {name: [] for name in CONTENDERS}
    for _ in range(rounds):
        for name, runs in results.items():
            runs.append(in_own_process(name, **task))
    ours = statistics.median(run["per_second"] for run in results["arena"])
    for name, runs in results.items():
        if errors := [run["error"] for run in runs if "error" in run]:
            print(f"| {name} | {errors[0]} | | | | | |")
            continue
        speed, cpu, mib = (statistics.median(run[key] for run in runs) for key in ("per_second", "cpu_ms", "MiB"))
        read = min(run["verdicts"] for run in runs)
        cells = [f"{speed:.1f}", f"{speed / limit:.1%}", f"{ours / speed:.1f}×", f"{read} of {task['calls']}"]
        print(f"| {name} | {' | '.join(cells)} | {cpu:.2f} | {mib:.0f} |")
    share = statistics.median(run["cache_seconds"] / run["seconds"] for run in results["arena"])
    print(f"\nOur reply cache took {share:.2%} of the time.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    parser.add_argument("--rounds", type=int, default=3, help="runs of each contender")
    parser.add_argument(
        "--verdicts", type=int, default=100_000, help="verdicts of the reply-cache run; 0 skips it"
    )
    given = parser.parse_args()
    if given.one:
        print(json.dumps(contend(**json.loads(given.one))))
        return
    latency = {"calls": 3000, "at_once": 64, "delay": 0.2, "rate": None}
    table("3,000 verdicts, 64 concurrent calls, 0.2 s each", latency, 64 / 0.2, given.rounds)
    limited = {"calls": 1000, "at_once": 32, "delay": 0.1, "rate": 40.0}
    table("1,000 verdicts, at most 40 a second", limited, 40.0, given.rounds)
    if given.verdicts:
        run = in_own_process("arena", calls=given.verdicts, at_once=512, delay=0.2, rate=None)
        share = run["cache_seconds"] / run["seconds"]
        print(f"\n{run['verdicts']:,} verdicts in {run['seconds']:.0f} s, {share:.2%} of it in the reply cache;")
        print(f"peak memory {run['MiB_at_a_tenth']:.0f} MiB after a tenth, {run['MiB']:.0f} MiB at the end")


if __name__ == "__main__":
    main()
