"""A prompt set as batches of requests for an OpenAI-compatible service, one file a model."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from arena.exchange.files import write_rows
from arena.exchange.judged_set import Body, JudgedSet, Written, file_name


def write_openai_batch(folder: Path, judged: JudgedSet, bodies: Mapping[str, Body], written: Written) -> None:
    prompts = {key: prompt for key, prompt in judged.prompts.items() if prompt.turns == 1}
    written.skip(
        len(judged.prompts) - len(prompts), "a batch has one call for each prompt, and these have several turns"
    )
    for model, body in bodies.items():
        write_rows(
            folder / f"{file_name(model)}.jsonl",
            (
                {
                    "custom_id": key,
                    "method": "POST",
                    "url": "/v1/chat/completions",
                    "body": body([dict(message) for message in prompt.messages]),
                }
                for key, prompt in prompts.items()
            ),
        )
    written.prompts = len(prompts)
