"""Seconds and memory of the local models' work on an accelerator, ours and the peers', on the same weights.

    python reproduce/gpu.py [--shapes 1b,8b] [--only attn_lrp,completions] [--out FILE]
    python reproduce/gpu.py --shapes tiny --device cpu

Weights are random, in the shapes of Llama-3.2-1B and of an 8B model, drawn on the device in bfloat16 (on a CPU in
float32); the judge prompt has 315 words in 434 tokens. Nothing is downloaded. A peer runs with the batch size that is
best for it, and with the attention that torch chooses by itself. Every row is warmed up, then measured three times
(median), or once if it is slow. `ratio` is the peer's time over ours; memory is the peak above the weights. A row that
fails is printed and the others run. Peers come from the extra `interp-peers` (captum and lxt).
"""

from __future__ import annotations

import argparse
import asyncio
import copy
import gc
import json
import statistics
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from functools import cached_property, partial
from pathlib import Path

HERE = Path(__file__).resolve()
# Scripts of this folder are called like packages they need: Python must not find them first.
sys.path[:] = [str(HERE.parents[1]), *(path for path in sys.path if Path(path).resolve() != HERE.parent)]
sys.path.append(str(HERE.parent / "peers"))

import device_peers as peers  # noqa: E402
import numpy as np  # noqa: E402
import random_models  # noqa: E402
import torch  # noqa: E402
import transformers  # noqa: E402

import interp  # noqa: E402
from arena.endpoints.endpoint import Reply, Request  # noqa: E402
from arena.endpoints.transformers import Loaded, Transformers  # noqa: E402
from interp.whitebox.fused_norms import own_norms  # noqa: E402

SLOW = 4.0  # seconds: runs that together take longer are not repeated, but for the warm-up
STEPS = (8, 12, 16, 24, 32, 50, 100)  # of captum, until its error is ours


@dataclass(frozen=True)
class Size:
    """The amount of work. `batches` are the batch sizes tried for peers."""

    words: int = 315
    tokens: int = 434
    completions: int = 64
    written: int = 128
    requests: int = 400
    header: int = 240
    batches: tuple[int, ...] = (32, 64, 128)
    gradients: tuple[int, ...] = (8, 16, 32)


SMALL = Size(40, 90, 6, 12, 24, 40, (8, 16), (4, 8))


@dataclass
class Row:
    """One measurement: seconds, or tokens and requests a second where `unit` says so. GiB above the weights."""

    name: str
    ours: float
    peer: float | None = None
    target: float | None = None
    unit: str = "s"
    note: str = ""
    gib: float | None = None
    peer_gib: float | None = None
    failure: str | None = None
    seconds: float = field(default=0.0)  # that the whole row took

    @property
    def ratio(self) -> float | None:
        if not self.peer:
            return None
        return self.peer / self.ours if self.unit == "s" else self.ours / self.peer


class Ready(Transformers):
    """The endpoint with a network that is in memory."""

    lm: interp.CausalLM

    def _load(self) -> Loaded:
        return Loaded(self.lm.network, self._planner(self.lm.network, self.lm.tokenizer))


class Bench:
    """One model on one device, and what is measured on it."""

    def __init__(self, shape: str, device: str, size: Size, dtype: torch.dtype) -> None:
        self.shape, self.device, self.size = shape, device, size
        self.lm = random_models.causal_lm(shape, device, dtype)
        self.prompt = random_models.judge_prompt(size.words, size.tokens)
        self.endpoint = Ready("random")
        self.endpoint.lm = self.lm
        self._loop = asyncio.Runner()
        found = len(self.target().units), len(self.prompt.words)
        assert found == (size.tokens, size.words), found

    def answers(self, requests: list[Request]) -> list[Reply]:
        """The replies of the endpoint to requests that arrive together."""

        async def together() -> list[Reply]:
            return await asyncio.gather(*(self.endpoint.answer(request) for request in requests))

        with own_norms(self.lm.network):  # `CausalLM` has replaced them, and an endpoint does not
            return self._loop.run(together())

    def close(self) -> None:
        self._loop.run(self.endpoint.close())
        self._loop.close()

    def target(self):
        """A new one each time, since it remembers what was computed."""
        target = self.lm.contrast(self.prompt)
        _ = target.embeddings
        return target

    def timed(self, work: Callable, repeats: int = 3):
        """(median seconds, peak GiB above what was allocated, last result); the first run is warm-up."""
        seconds, result, before = [], None, self._reset_peak()
        while len(seconds) <= repeats and (len(seconds) < 2 or sum(seconds) < SLOW):
            target = self.target()
            self.wait()
            began = time.perf_counter()
            result = work(target)
            self.wait()
            seconds.append(time.perf_counter() - began)
        return statistics.median(seconds[1:]), self._peak(before), result

    def best(self, work: Callable, batches: tuple[int, ...]):
        """(seconds, GiB, result, batch) of the batch size that is fastest; one that is out of memory is skipped."""
        tried = {}
        for at_once in batches:
            try:
                tried[at_once] = self.timed(lambda target, n=at_once: work(target, n), 1)[0]
            except torch.OutOfMemoryError:
                self.free()
        fastest = min(tried, key=tried.__getitem__)
        return (*self.timed(lambda target: work(target, fastest)), fastest)

    @cached_property
    def integral(self):
        """Integrated gradients by 129 gradients in float32, (tokens,)."""
        lm = interp.CausalLM(copy.deepcopy(self.lm.network).float(), self.lm.tokenizer)
        return interp.integrated_gradients(lm.contrast(self.prompt), tolerance=1e-9, max_steps=129).scores

    def wait(self) -> None:
        if self.device != "cpu":
            torch.accelerator.synchronize()

    def free(self) -> None:
        gc.collect()
        if self.device.startswith("cuda"):
            torch.cuda.empty_cache()

    def _reset_peak(self) -> int:
        if not self.device.startswith("cuda"):
            return 0
        torch.cuda.reset_peak_memory_stats()
        return torch.cuda.memory_allocated()

    def _peak(self, before: int) -> float | None:
        return (torch.cuda.max_memory_allocated() - before) / 2**30 if self.device.startswith("cuda") else None

    def black_box(self, name: str, target):
        return interp.black_box_method(name).scores(target.masked(), interp.words_of(target.prompt))


def occlusion(bench: Bench) -> Row:
    ours, gib, _ = bench.timed(partial(bench.black_box, "occlusion"))
    peer, peer_gib, _, at_once = bench.best(peers.captum_ablation, bench.size.batches)
    return Row("occlusion", ours, peer, 3.0, "s", f"captum ablation, {at_once} a pass", gib, peer_gib)


def owen(bench: Bench) -> Row:
    ours, gib, result = bench.timed(partial(bench.black_box, "owen"))
    peer, peer_gib, _, at_once = bench.best(peers.captum_ablation, bench.size.batches)
    calls = result.parameters["calls"]
    note = f"captum ablation, {at_once} a pass, scaled to {calls} masks"
    return Row("Owen values", ours, peer * calls / (bench.size.words + 1), 3.0, "s", note, gib, peer_gib)


def gradients(bench: Bench, tolerance: float = 0.3) -> Row:
    """Ours to a tolerance; captum with the fewest steps whose scores are as near to those of 129 gradients."""
    exact = bench.integral

    def error(scores) -> float:
        return float(np.abs(scores - exact).sum() / np.abs(exact).sum())

    ours, gib, result = bench.timed(partial(interp.integrated_gradients, tolerance=tolerance))
    for steps in STEPS:
        off = error(peers.captum_gradients(bench.target(), steps, bench.size.gradients[0]))
        if off <= error(result.scores):
            break
    run = bench.best(lambda target, n: peers.captum_gradients(target, steps, n), bench.size.gradients)
    note = (
        f"ours {result.parameters['steps']} gradients, off by {error(result.scores):.1%}; "
        f"captum {steps}, off by {off:.1%}, {run[3]} a pass"
    )
    return Row(f"integrated gradients to {tolerance:.0%}", ours, run[0], 2.0, "s", note, gib, run[1])


def gradients_33(bench: Bench) -> Row:
    ours, gib, _ = bench.timed(partial(interp.integrated_gradients, tolerance=1e-9, max_steps=33))
    run = bench.best(lambda target, n: peers.captum_gradients(target, 33, n), bench.size.gradients)
    return Row("33 gradients", ours, run[0], 2.0, "s", f"captum 33 steps, {run[3]} a pass", gib, run[1])


def attn_lrp(bench: Bench) -> Row:
    ours, gib, result = bench.timed(interp.attn_lrp)
    with peers.lxt_patched():
        peer, peer_gib, theirs = bench.timed(peers.lxt_relevance)
    apart = float(np.abs(result.scores - theirs).max() / np.abs(theirs).max())
    return Row("AttnLRP", ours, peer, 1.0, "s", f"lxt; apart by {apart:.1%} of the largest", gib, peer_gib)


def chats(bench: Bench, **sampling) -> list[Request]:
    size = bench.size
    texts = [
        random_models.text(size.header // 6 + at * size.header // size.completions, at)
        for at in range(size.completions)
    ]
    common = {"max_tokens": size.written, **sampling}
    return [{"messages": [{"role": "user", "content": text}], **common} for text in texts]


def completions(bench: Bench, name: str = "completions, greedy", **sampling) -> Row:
    requests = chats(bench, **(sampling or {"temperature": 0}))
    texts = [request["messages"][0]["content"] for request in requests]
    ours, gib, replies = bench.timed(lambda _: bench.answers(requests))
    given = {"do_sample": True, "top_k": 0, **sampling} if sampling else {}
    given.pop("seed", None)
    network, tokenizer = bench.lm.network, bench.lm.tokenizer
    peer, peer_gib, theirs = bench.timed(
        lambda _: peers.generated(network, tokenizer, texts, bench.size.written, **given)
    )
    written = bench.size.completions * bench.size.written
    mine = [reply["choices"][0]["message"]["content"] for reply in replies]
    same = sum(a == b for a, b in zip(mine, theirs, strict=True))
    note = f"generate, one batch of {len(texts)}" + ("" if sampling else f"; {same} of {len(texts)} texts equal")
    return Row(name, written / ours, written / peer, 0.8, "tokens/s", note, gib, peer_gib)


def sampled(bench: Bench) -> Row:
    name = "completions, sampled with penalty"
    return completions(bench, name, temperature=0.7, top_p=0.95, repetition_penalty=1.1, seed=1)


def equal_text(bench: Bench) -> Row:
    """Greedy texts of a small float32 network while rows join and leave, beside `generate`."""
    small = Bench("tiny", bench.device, SMALL, torch.float32)
    requests = [
        {**request, "max_tokens": 3 + 7 * at % 10} for at, request in enumerate(4 * chats(small, temperature=0))
    ]
    mine = [reply["choices"][0]["message"]["content"] for reply in small.answers(requests)]
    texts = [request["messages"][0]["content"] for request in requests]
    theirs = [
        peers.generated(small.lm.network, small.lm.tokenizer, [text], request["max_tokens"])[0]
        for text, request in zip(texts, requests, strict=True)
    ]
    small.close()
    same = sum(a == b for a, b in zip(mine, theirs, strict=True))
    return Row("equal texts", same, len(texts), 1.0, "texts", "float32, rows join and leave; generate one by one")


def likelihoods(bench: Bench, shared: bool) -> Row:
    """Questions with four choices behind a shared header, or texts that share nothing."""
    size = bench.size
    pairs = []
    for number in range(size.requests):
        seed = 1000 + number
        context = random_models.text(size.header // 6 + 7 * number % size.header, seed)
        if shared:
            context = random_models.text(size.header, 7) + random_models.text(size.header // 6, seed // 4)
        pairs.append((context, random_models.text(6, 9000 + number)))
    requests = [{"context": context, "continuation": continuation} for context, continuation in pairs]
    ours, gib, replies = bench.timed(lambda _: bench.answers(requests))
    network, tokenizer = bench.lm.network, bench.lm.tokenizer
    peer, peer_gib, theirs = bench.timed(lambda _: peers.padded_log_likelihoods(network, tokenizer, pairs))
    apart = max(abs(reply["logprob"] - value) for reply, value in zip(replies, theirs, strict=True))
    name = "log-likelihoods, shared header" if shared else "log-likelihoods, nothing shared"
    note = f"padded batches of {peers.EVALUATED}; apart by at most {apart:.2f}"
    return Row(
        name, len(pairs) / ours, len(pairs) / peer, 3.0 if shared else 1.0, "requests/s", note, gib, peer_gib
    )


ROWS: dict[str, Callable[[Bench], Row]] = {
    "equal_text": equal_text,
    "completions": completions,
    "sampled": sampled,
    "occlusion": occlusion,
    "owen": owen,
    "gradients": gradients,
    "gradients_5": partial(gradients, tolerance=0.05),
    "gradients_33": gradients_33,
    "attn_lrp": attn_lrp,
    "shared": partial(likelihoods, shared=True),
    "unshared": partial(likelihoods, shared=False),
}
OF_LARGE = ("gradients_33", "occlusion", "attn_lrp")  # the 8B shape takes the rows that its size changes


def line(row: Row) -> str:
    if row.failure:
        return f"| {row.name} | failed: {row.failure} | | | | | | |"
    places = 3 if row.unit == "s" else 0
    shown = [f"{row.ours:.{places}f} {row.unit}", f"{row.peer:.{places}f}" if row.peer else "–"]
    shown += [f"{value:.2f}" if value is not None else "–" for value in (row.ratio, row.target)]
    shown += [f"{value:.1f}" if value is not None else "–" for value in (row.gib, row.peer_gib)]
    return f"| {row.name} | {' | '.join(shown)} | {row.note} |"


def measured(bench: Bench, name: str) -> Row:
    began = time.perf_counter()
    try:
        row = ROWS[name](bench)
    # A row that cannot be measured must not end the run of the others.
    except Exception as cause:  # noqa: BLE001
        traceback.print_exc()
        row = Row(name, float("nan"), failure=f"{type(cause).__name__}: {cause}".splitlines()[0][:200])
    bench.free()
    row.name = f"{row.name}, {bench.shape}"
    row.seconds = time.perf_counter() - began
    return row


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--shapes", default="1b,8b", help="comma-separated: tiny, 1b, 8b")
    parser.add_argument("--only", help=f"comma-separated rows: {', '.join(ROWS)}")
    parser.add_argument("--limit", type=float, default=290.0, help="seconds after which no further row is started")
    parser.add_argument("--out", type=Path, help="save the rows as JSON, after each of them")
    given = parser.parse_args()
    if given.device == "cpu":
        torch.set_num_threads(1)
    began, rows = time.perf_counter(), []
    card = torch.cuda.get_device_name() if given.device.startswith("cuda") else given.device
    print(f"{card}, torch {torch.__version__}, transformers {transformers.__version__}\n", flush=True)
    print(
        "| work | ours | peer | ratio | target | GiB | peer's GiB | |\n| --- | --- | --- | --- | --- | --- | --- | --- |"
    )
    dtype = torch.float32 if given.device == "cpu" else torch.bfloat16
    for shape in given.shapes.split(","):
        bench = Bench(shape, given.device, SMALL if shape == "tiny" else Size(), dtype)
        names = given.only.split(",") if given.only else [*(OF_LARGE if shape == "8b" else ROWS)]
        for name in names:
            if time.perf_counter() - began > given.limit:
                print(f"| {name}, {shape} | not run: {given.limit:.0f} s are over | | | | | | |", flush=True)
                continue
            rows.append(measured(bench, name))
            print(line(rows[-1]), flush=True)
            if given.out:
                saved = [{**asdict(row), "ratio": row.ratio} for row in rows]
                given.out.write_text(json.dumps({"card": card, "rows": saved}, indent=1))
        bench.close()
        del bench
        gc.collect()
    print(f"\n{time.perf_counter() - began:.0f} s in all")


if __name__ == "__main__":
    main()
