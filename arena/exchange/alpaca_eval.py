"""A judged prompt set as files of AlpacaEval: outputs and annotations of each model."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from arena.exchange.files import write_json
from arena.exchange.prompt_set import JudgedSet, Written, file_name, instruction, involves, single_prompts
from arena.rules.votes import JUDGE
from arena.store.prompt_set_verdicts import SetVerdict
from arena.store.prompts import StoredPrompt


def write_alpaca_eval(
    folder: Path, judged: JudgedSet, baseline: str | None, verdicts: Sequence[SetVerdict], written: Written
) -> None:
    prompts = single_prompts(judged, written)
    for model in judged.models:
        (folder / file_name(model)).mkdir()
        outputs = [
            {
                "dataset": prompt.category,
                "instruction": instruction(prompt),
                "output": judged.completions[key, model].text,
                "generator": model,
            }
            for key, prompt in prompts.items()
            if (key, model) in judged.completions
        ]
        write_json(folder / file_name(model) / "model_outputs.json", outputs)
        written.completions += len(outputs)
        rows = [
            _annotation(judged, prompts[v.prompt], v, baseline) for v in verdicts if involves(v, model, prompts)
        ]
        if rows and model != baseline:
            write_json(folder / file_name(model) / "annotations.json", rows)
            written.verdicts += len(rows)
    written.prompts = len(prompts)


def _annotation(
    judged: JudgedSet, prompt: StoredPrompt, verdict: SetVerdict, baseline: str | None
) -> dict[str, Any]:
    model = verdict.model_b if verdict.model_a == baseline else verdict.model_a
    preference = verdict.preference if verdict.model_a == model else 1 - verdict.preference
    return {
        "instruction": instruction(prompt),
        "output_1": judged.completions[prompt.key, str(baseline)].text,
        "generator_1": baseline,
        "output_2": judged.completions[prompt.key, model].text,
        "generator_2": model,
        "dataset": prompt.category,
        "annotator": verdict.source.removeprefix(JUDGE),
        "preference": 1 + preference,
        "reason": verdict.reason,
    }
