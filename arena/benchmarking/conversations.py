"""What a load test sends: conversations of random words, of a prompt file, or of a recorded trace."""

from __future__ import annotations

import json
import math
import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from arena.config.given_files import BadLine, json_lines, plain_file
from arena.errors import ConfigError

# Words of every tokenizer's vocabulary. Prompts differ from the first word on, so that no server caches them.
WORDS = (
    "time year people way day man thing woman life child world school state family student group country problem "
    "hand part place case week company system program question work government number night point home water room "
    "mother area money story fact month lot right study book eye job word business issue side kind head house"
)
VOCABULARY = WORDS.split()
LENGTHS = re.compile(r"(\d+)(?:-(\d+))?|normal:(\d+(?:\.\d+)?):(\d+(?:\.\d+)?)")


@dataclass(frozen=True)
class Lengths:
    """A distribution of whole numbers of at least 1: from `low` to `high` with equal chances, or normal with `deviation`."""

    low: float
    high: float
    deviation: float | None = None  # then `low` is the mean, and `high` too

    @classmethod
    def parse(cls, text: str | int, option: str) -> Lengths:
        """Of `128`, `64-256` or `normal:128:32` (mean and standard deviation). Raises `ConfigError`."""
        found = LENGTHS.fullmatch(str(text).strip())
        if found is None:
            raise ConfigError(
                f"{option} {str(text)!r} is not valid. Give a number (128), a range (64-256) or a normal distribution "
                "with mean and standard deviation (normal:128:32)."
            )
        low, high, mean, deviation = found.groups()
        if mean is not None:
            lengths = cls(float(mean), float(mean), float(deviation))
        else:
            lengths = cls(float(low), float(high or low))
        if lengths.low < 1 or lengths.high < lengths.low:
            raise ConfigError(f"{option} {str(text)!r} is not valid. Lengths are at least 1, and a range rises.")
        return lengths

    def draw(self, rng: random.Random) -> int:
        if self.deviation is not None:
            return max(1, round(rng.gauss(self.low, self.deviation)))
        return rng.randint(int(self.low), int(self.high))


@dataclass(frozen=True)
class Conversation:
    """The prompts of one conversation, in turn, and the token limit of each completion."""

    prompts: tuple[str, ...]
    max_tokens: tuple[int, ...]


@dataclass(frozen=True)
class Trace:
    """A record of arrivals: the seconds from its start at which each request is due, and the lengths of each one.

    `lengths` has the words of the prompt and the token limit of the completion.
    """

    times: tuple[float, ...]
    lengths: tuple[tuple[int, int], ...]

    def conversations(self, count: int, repeats: int, seed: int | str) -> list[Conversation]:
        """The first `count` requests of the record, `repeats` times, each time with other random words."""
        rng = random.Random(seed)  # noqa: S311
        return [
            Conversation((_text(f"{seed}-{repeat}-{number}", words, rng),), (tokens,))
            for repeat in range(repeats)
            for number, (words, tokens) in enumerate(self.lengths[:count])
        ]


@dataclass(frozen=True)
class Content:
    """How the texts of a load test are made: of `dataset`, the prompts of each conversation, or of random words.

    `turns` is the number of prompts in a conversation of random words.
    """

    words: Lengths = field(default_factory=lambda: Lengths(128, 128))
    max_tokens: Lengths = field(default_factory=lambda: Lengths(128, 128))
    turns: int = 1
    dataset: tuple[tuple[str, ...], ...] | None = None

    def __post_init__(self) -> None:
        if self.turns < 1:
            raise ConfigError(f"--turns is {self.turns}. Give at least 1.")
        if self.dataset is not None and self.turns > 1:
            raise ConfigError(
                "--turns is for random prompts: a data set has turns of its own. Remove one of them."
            )


def conversations(count: int, content: Content, seed: int | str) -> list[Conversation]:
    """`count` conversations; those of a data set in random order, repeated once all were used.

    Random texts begin with the seed, so that those of two seeds share no prefix.
    """
    rng = random.Random(seed)  # noqa: S311  (texts, no secrets)
    if content.dataset is not None:
        drawn: list[tuple[str, ...]] = []
        while len(drawn) < count:
            drawn += rng.sample(content.dataset, len(content.dataset))
        chosen = drawn[:count]
    else:
        chosen = [
            tuple(_text(f"{seed}-{number}-{turn}", content.words.draw(rng), rng) for turn in range(content.turns))
            for number in range(count)
        ]
    return [Conversation(texts, tuple(content.max_tokens.draw(rng) for _ in texts)) for texts in chosen]


def _text(start: str, words: int, rng: random.Random) -> str:
    return f"{start}: write a story with these words: {' '.join(rng.choices(VOCABULARY, k=words))}"


def read_trace(path: Path) -> Trace:
    """A trace of JSON lines: `timestamp` in milliseconds, `input_length` and `output_length` in tokens, as Mooncake's.

    Prompts have as many random words as the record has input tokens. Raises `ConfigError` naming the line.
    """
    made = []
    for place, record in _records(path):
        time, words, tokens = (
            _number(record, name, place) for name in ("timestamp", "input_length", "output_length")
        )
        made.append((time / 1000, (max(1, round(words)), max(1, round(tokens)))))
    if not made:
        raise ConfigError(f"{path} is empty. Give a line for each request.")
    made.sort(key=lambda one: one[0])
    return Trace(tuple(time for time, _ in made), tuple(lengths for _, lengths in made))


def _records(path: Path) -> Sequence[tuple[str, Mapping[str, Any]]]:
    """Each line that is no blank one, with its place. Raises `ConfigError`."""
    try:
        text = plain_file(path).read_text("utf-8-sig")
    except (OSError, UnicodeError) as error:
        raise ConfigError(f"{path} cannot be read: {error}. Give a file of JSON lines.") from error
    found = []
    try:
        for number, record in json_lines(text):
            if not isinstance(record, dict):
                raise ConfigError(f"{path}:{number}: not a JSON object. Give a JSON object a line.")
            found.append((f"{path}:{number}", record))
    except BadLine as error:
        raise ConfigError(
            f"{path}:{error.number}: not JSON ({error.reason}). Give a JSON object a line."
        ) from error
    return found


def _number(record: Mapping[str, Any], name: str, place: str) -> float:
    value = record.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
        shown = json.dumps(value, default=str)
        raise ConfigError(f"{place}: {name} is {shown}. A trace needs a number of at least 0.")
    return float(value)


def same_texts(made: Sequence[Conversation]) -> int:
    """How many conversations begin like an earlier one, so that a server may have them cached."""
    return len(made) - len({conversation.prompts[0] for conversation in made})
