"""The labelled sentences of `name_sentences.jsonl`, and the models that are served while they are masked."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

SENTENCES = Path(__file__).with_name("name_sentences.jsonl")

# One model of each of the families that the sentences use; Falcon, Grok, Granite and Phi are not served.
MODELS = (
    "HuggingFaceTB/SmolLM2-135M-Instruct",
    "gemma-3-270m-it",
    "gemini-2.5-flash",
    "Qwen/Qwen2.5-0.5B-Instruct",
    "meta-llama/Llama-3.2-1B-Instruct",
    "mistralai/Mistral-7B-Instruct-v0.3",
    "deepseek-chat",
    "gpt-4o-mini",
    "o1-mini",
    "claude-3-5-haiku",
    "01-ai/Yi-1.5-6B-Chat",
    "moonshotai/Kimi-K2",
    "zai-org/GLM-4.5",
    "ernie-4.5",
    "doubao-1.5-pro",
)


@dataclass(frozen=True)
class Sentence:
    """A text with the substrings that must be masked, in order."""

    text: str
    language: str
    kind: str
    masked: tuple[str, ...]
    held_out: bool

    @property
    def spans(self) -> list[tuple[int, int]]:
        spans, end = [], 0
        for name in self.masked:
            start = self.text.index(name, end)
            end = start + len(name)
            spans.append((start, end))
        return spans


def sentences(path: Path = SENTENCES) -> Sequence[Sentence]:
    rows = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    return [Sentence(**{**row, "masked": tuple(row["masked"])}) for row in rows]
