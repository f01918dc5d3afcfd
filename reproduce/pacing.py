"""Make the figures of "Equal pacing" in docs/methods.md: do time and size before the vote tell the models apart?

    python reproduce/pacing.py --battles 200

Two models of clearly different pace and chunking write texts of the same lengths. A client records what the battle
page sends before the vote, and a classifier guesses from it which model is A. Needs scikit-learn (extra `concepts`).
"""

# ruff: noqa: E402 - the path is set before the imports that look at it

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import math
import random
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Files in this folder are named like packages: the folder above takes its place on the path.
sys.path[0] = str(Path(__file__).resolve().parents[1])

import numpy as np
from numpy.typing import NDArray

from arena.battles.pacing import TICK, Pacer, Supply
from reproduce.attacks.page import Page, counts
from reproduce.attacks.target import Target, target

VOTERS = 16  # at once
LENGTHS = (80, 600)  # characters; both models draw from these
# seconds to the first text, characters a second, characters a piece
MODELS = {"quick": (0.1, 250.0, (2, 6)), "steady": (0.6, 70.0, (10, 40))}
# characters a second: small models on two cores, the pair above, two hosted models, a hosted and a very slow one
PAIRS = ((100.0, 40.0), (250.0, 70.0), (400.0, 250.0), (400.0, 15.0))
TABLES = """[battles]
pacing = "{pacing}"
running_at_once = 1000
running_per_voter = 1000
[limits]
battles_per_address = 0
calls_per_minute = 0
lag_seconds = 0
"""
WORDS = ("one", "and", "the", "other", "were", "found", "where", "nobody", "looked", "before", "it", "was", "said")

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Frame:
    """What the client sees at one time: the characters of both sides, the bytes of the message."""

    seconds: float
    sides: tuple[int, int]
    size: int


@dataclass(frozen=True)
class Recording:
    """The frames of one battle before its vote, and whether the quick model is A."""

    frames: tuple[Frame, ...]
    quick_is_a: bool

    def growths(self, side: int) -> tuple[Array, Array]:
        """Times at which a side grew, and by how much."""
        steps = [(after.seconds, after.sides[side] - before.sides[side])
                 for before, after in zip(self.frames, self.frames[1:], strict=False)
                 if after.sides[side] > before.sides[side]]  # fmt: skip
        times, sizes = zip(*steps, strict=True) if steps else ((0.0,), (0,))
        return np.asarray(times, dtype=float), np.asarray(sizes, dtype=float)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--battles", type=int, default=200, help="battles for each setting; 0: only computed waits"
    )
    parser.add_argument("--voters", type=int, default=VOTERS, help="battles at once")
    parser.add_argument("--computed", type=int, default=0, help="battles computed without network, load and noise")
    options = parser.parse_args()
    print_computed_waits()
    if options.computed:
        print("\n| computed battles | accuracy | 95 % interval | chance |\n| --- | --- | --- | --- |")
        print(f"| {options.computed} | {accuracy_row([computed(n) for n in range(options.computed)], both)} |")
    if not options.battles:
        return
    recordings = {pacing: recorded(pacing, options.battles, options.voters) for pacing in ("off", "equal")}
    print("\n| pacing | features | accuracy | 95 % interval | chance |\n| --- | --- | --- | --- | --- |")
    for pacing, battles in recordings.items():
        for name, features in FEATURES.items():
            print(f"| {pacing} | {name} | {accuracy_row(battles, features)} |")
    print("\n| seconds from the prompt | off | equal | added, median | added, 95th percentile |")
    print("| --- | --- | --- | --- | --- |")
    for name, at in (("to the first text of both", first_text), ("to the end of both", end)):
        print(f"| {name} | {waits(recordings, at)} |")


def recorded(pacing: str, battles: int, voters: int) -> list[Recording]:
    """The recordings of so many battles in a new arena, in the order of their prompts."""
    with served() as url:
        models = "\n".join(f'[[models]]\nname = "{name}"\nendpoint = "openai"\nurl = "{url}"\n' for name in MODELS)
        with target(models, TABLES.format(pacing=pacing)) as arena, ThreadPoolExecutor(voters) as pool:
            return list(pool.map(lambda number: recording(arena, number), range(battles)))


def recording(arena: Target, number: int) -> Recording:
    """One battle from its prompt to its vote, as a browser receives it."""
    with arena.visitor() as http:
        page = Page(http)
        began = time.perf_counter()
        battle = page.begin(f"prompt {number}")
        frames, totals = [Frame(0.0, (0, 0), 0)], [0, 0]
        for name, data in page.events(battle, html=False):
            now = time.perf_counter() - began
            for side, letter in enumerate("ab" if name in ("text", "set") else ""):
                grown = len(data.get(letter, ""))
                totals[side] = grown if name == "set" else totals[side] + grown
            frames.append(Frame(now, (totals[0], totals[1]), len(json.dumps(data))))
        reply = page.vote(battle, "tie")
        if not counts(reply):
            raise RuntimeError(f"No vote on battle {number}: {reply.text[-500:]}")
        return Recording(tuple(frames), reply.json()["models"]["a"] == "quick")


def timing(recording: Recording) -> list[float]:
    """When the sides grew: first and last time, pauses, in all and where only the longer text grows."""
    features: list[float] = []
    for side in (0, 1):
        times, _ = recording.growths(side)
        gaps = np.diff(times) if len(times) > 1 else np.zeros(1)
        features += [times[0], times[-1], len(times), gaps.mean(), gaps.std(), gaps.max(), np.median(gaps)]
    half = len(features) // 2
    return [*features, *(a - b for a, b in zip(features[:half], features[half:], strict=True)), tail(recording)]


def sizes(recording: Recording) -> list[float]:
    """By how much the sides grew, without the times."""
    features: list[float] = []
    for side in (0, 1):
        _, grown = recording.growths(side)
        features += [grown[0], grown[-1], grown.mean(), grown.std(), grown.max(), np.median(grown), grown.sum()]
    half = len(features) // 2
    messages = [float(frame.size) for frame in recording.frames]
    return [
        *features, *(a - b for a, b in zip(features[:half], features[half:], strict=True)),
        float(np.mean(messages)), float(np.max(messages)),
    ]  # fmt: skip


def both(recording: Recording) -> list[float]:
    """Times and sizes, and characters a second."""
    return [*timing(recording), *sizes(recording), *(pace(*recording.growths(side)) for side in (0, 1))]


def tail(recording: Recording) -> float:
    """How the pace changes where only one side grows: log ratio to the pace before, with the sign of that side."""
    (times_a, sizes_a), (times_b, sizes_b) = (recording.growths(side) for side in (0, 1))
    sign, times, grown, border = (
        (1, times_a, sizes_a, times_b[-1]) if times_a[-1] > times_b[-1] else (-1, times_b, sizes_b, times_a[-1])
    )
    before, after = times <= border, times > border
    if before.sum() < 2 or after.sum() < 2:
        return 0.0
    return sign * math.log((pace(times[after], grown[after]) + 1) / (pace(times[before], grown[before]) + 1))


def pace(times: Array, grown: Array) -> float:
    """Characters a second after the first growth."""
    seconds = float(times[-1] - times[0])
    return float(grown[1:].sum()) / seconds if seconds > 0 else 0.0


FEATURES: dict[str, Callable[[Recording], list[float]]] = {"timing": timing, "sizes": sizes, "both": both}


def accuracy_row(battles: Sequence[Recording], features: Callable[[Recording], list[float]]) -> str:
    """Accuracy of a random forest in 10-fold cross-validation, its Wilson interval, and the larger class."""
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    rows = np.nan_to_num(np.array([features(battle) for battle in battles]))
    labels = np.array([battle.quick_is_a for battle in battles])
    folds = StratifiedKFold(min(10, int(min(labels.sum(), (~labels).sum()))), shuffle=True, random_state=0)
    guesses = cross_val_predict(RandomForestClassifier(500, random_state=0), rows, labels, cv=folds)
    share, count = float((guesses == labels).mean()), len(labels)
    low, high = wilson(share, count)
    return f"{share:.1%} | {low:.1%} to {high:.1%} | {max(labels.mean(), 1 - labels.mean()):.1%}"


def wilson(share: float, count: int, z: float = 1.96) -> tuple[float, float]:
    """The Wilson score interval of a share (Wilson 1927)."""
    middle = (share + z * z / (2 * count)) / (1 + z * z / count)
    half = z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count)) / (1 + z * z / count)
    return middle - half, middle + half


def first_text(recording: Recording) -> float:
    return float(max(recording.growths(side)[0][0] for side in (0, 1)))


def end(recording: Recording) -> float:
    return float(max(recording.growths(side)[0][-1] for side in (0, 1)))


def waits(recordings: dict[str, list[Recording]], at: Callable[[Recording], float]) -> str:
    """Medians of both settings, and the difference, prompt by prompt: the same prompt gives the same streams."""
    off, equal = (np.array([at(battle) for battle in recordings[pacing]]) for pacing in ("off", "equal"))
    added = equal - off
    return (
        f"{np.median(off):.1f} | {np.median(equal):.1f} | {np.median(added):.1f} | {np.quantile(added, 0.95):.1f}"
    )


def print_computed_waits() -> None:
    """The added waits of the pacer alone, for pairs of models on a machine without other work."""
    print("| characters a second | added to the first text, median | added to the end, median | 95th percentile |")
    print("| --- | --- | --- | --- |")
    for paces in PAIRS:
        first, last = zip(*(computed_wait(paces, random.Random(seed)) for seed in range(500)), strict=True)
        row = f"{np.median(first):.1f} s | {np.median(last):.1f} s | {np.quantile(last, 0.95):.1f} s"
        print(f"| {paces[0]:g} and {paces[1]:g} | {row} |")


def computed_wait(paces: tuple[float, float], draw: random.Random) -> tuple[float, float]:
    """Seconds that equal pacing adds to the first text of both and to the end of both."""
    lengths = [_length(draw) for _ in paces]
    starts = [draw.uniform(0.1, 1.0) for _ in paces]
    ends = [start + length / pace for start, length, pace in zip(starts, lengths, paces, strict=True)]
    pacer, ticks, first = Pacer(), 0, 0.0
    while not pacer.finished:
        ticks += 1
        now = ticks * TICK
        grown = [max(0, int((now - start) * pace)) for start, pace in zip(starts, paces, strict=True)]
        supplies = [Supply(min(has, length), has >= length) for has, length in zip(grown, lengths, strict=True)]
        pacer.advance(supplies)
        first = first or (now if pacer.released else 0.0)
    return first - max(starts), ticks * TICK - max(ends)


def computed(seed: int) -> Recording:
    """A battle with equal pacing as an observer without any noise would see it."""
    draw = random.Random(seed)
    names = sorted(MODELS, reverse=draw.random() < 0.5)
    events = [_pieces(name, draw) for name in names]
    pacer, frames, tick = Pacer(), [Frame(0.0, (0, 0), 0)], 0
    while not pacer.finished:
        tick += 1
        grown = [max((at for when, at in pieces if when <= tick * TICK), default=0) for pieces in events]
        pacer.advance([Supply(has, has == pieces[-1][1]) for has, pieces in zip(grown, events, strict=True)])
        shown = (min(pacer.released, grown[0]), min(pacer.released, grown[1]))
        if shown != frames[-1].sides:
            frames.append(Frame(tick * TICK, shown, sum(shown)))
    return Recording(tuple(frames), names[0] == "quick")


def _pieces(model: str, draw: random.Random) -> list[tuple[float, int]]:
    """When a model has written how many characters, as `_write` sends them."""
    first, characters_a_second, (fewest, most) = MODELS[model]
    length, now, at = _length(draw), first * draw.uniform(0.7, 1.3), 0
    pieces: list[tuple[float, int]] = []
    while at < length:
        size = draw.randint(fewest, most)
        now, at = now + size / characters_a_second * draw.uniform(0.6, 1.4), min(at + size, length)
        pieces.append((now, at))
    return pieces


def _length(draw: random.Random) -> int:
    return round(math.exp(draw.uniform(*map(math.log, LENGTHS))))


@contextmanager
def served() -> Iterator[str]:
    """The address of a server with both models, in a thread."""
    loop, started = asyncio.new_event_loop(), threading.Event()
    address: list[str] = []

    async def open_() -> None:
        server = await asyncio.start_server(_reply, "127.0.0.1", 0)
        address.append(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1")
        started.set()

    def work() -> None:
        loop.run_until_complete(open_())
        loop.run_forever()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    started.wait()
    try:
        yield address[0]
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


async def _reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One request: a completion, written as its model writes."""
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        length = re.search(rb"content-length: (\d+)", head.lower())
        body = json.loads(await reader.readexactly(int(length[1])) if length else b"{}")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n")
        if body:
            await _write(writer, body["model"], body["messages"][-1]["content"])
        await writer.drain()
    except (ConnectionError, asyncio.IncompleteReadError):
        pass  # the arena hung up
    finally:
        writer.close()


async def _write(writer: asyncio.StreamWriter, model: str, prompt: str) -> None:
    first, characters_a_second, (fewest, most) = MODELS[model]
    draw = random.Random(hashlib.sha256(f"{model}\n{prompt}".encode()).digest())
    text = ""
    length = _length(draw)
    while len(text) < length:
        text += draw.choice(WORDS) + " "
    await asyncio.sleep(first * draw.uniform(0.7, 1.3))
    at, due = 0, time.monotonic()
    while at < length:
        size = draw.randint(fewest, most)
        due += size / characters_a_second * draw.uniform(0.6, 1.4)
        await asyncio.sleep(max(0.0, due - time.monotonic()))
        _event(writer, {"delta": {"content": text[at : min(at + size, length)]}, "finish_reason": None})
        await writer.drain()
        at += size
    _event(writer, {"delta": {}, "finish_reason": "stop"})


def _event(writer: asyncio.StreamWriter, choice: dict[str, Any]) -> None:
    writer.write(f"data: {json.dumps({'choices': [choice]})}\n\n".encode())


if __name__ == "__main__":
    main()
