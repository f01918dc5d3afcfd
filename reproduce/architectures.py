"""Which attribution works with which architecture: random networks of two layers, from transformers' configurations.

Prints the table of docs/attribution.md. Each cell was run and compared: perturbed texts with texts that are run alone,
integrated gradients with the change of f, relevance with f where it is conserved. Run `python reproduce/architectures.py`.
"""

from __future__ import annotations

import logging
import sys
import warnings
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from interp import Prompt, UnsupportedModel
from reproduce.tiny_networks import (
    CLASSIFIER,
    CLASSIFIERS,
    DECODERS,
    ENCODER_DECODER,
    ENCODER_DECODERS,
    Architecture,
)

TEXT = "which answer is better why it bright first the sun a star second moon cold and not Reply aye nay"
REFUSALS = {  # the shared words of a refusal, and its short name
    "in both directions": "both ways",
    "is an encoder-decoder": "both ways",
    "does not work by attention alone": "not attention alone",
    "shows no attention weights": "not attention alone",
    "is not known": "no rule",
    "is not conserved": "no rule",
    "is not one linear map": "no rule",
    "has neither": "no rule",
    "does not read embeddings": "no embeddings",
}
METHODS = ("perturbation", "gradients", "AttnLRP", "rollout, flow, Chefer", "heads")


def main() -> None:
    warnings.simplefilter("ignore")
    logging.disable(logging.WARNING)
    worst: dict[str, float] = defaultdict(float)
    refused: dict[str, str] = {}
    print(f"| model type | for example | {' | '.join(METHODS)} |\n| --- | --- |{' --- |' * len(METHODS)}")
    tables = (*DECODERS, *ENCODER_DECODERS, *CLASSIFIERS)
    for architecture in tables:
        row = cells(architecture, worst, refused)
        name = architecture.model_type + {CLASSIFIER: ", classifier"}.get(architecture.kind, "")
        print(f"| {name} | {architecture.known_as} | {' | '.join(row)} |", flush=True)
    print(f"\n{len(tables)} architectures. The largest difference, of numbers near 1:")
    for check, difference in worst.items():
        print(f"* {check}: {difference:.0e}")
    print("\nA refusal of each kind:")
    for name, message in refused.items():
        print(f"* {name}: {message}")


def cells(architecture: Architecture, worst: dict[str, float], refused: dict[str, str]) -> list[str]:
    """What each of METHODS does with an architecture: what was run, or the short name of the refusal."""
    try:
        target = target_of(architecture)
    except UnsupportedModel as refusal:
        return [short(refusal, refused)] * len(METHODS)

    def cell(run: Callable[[Any, dict[str, float]], str]) -> str:
        try:
            return run(target, worst)
        except UnsupportedModel as refusal:
            return short(refusal, refused)

    return [cell(run) for run in (perturbation, gradients, relevance, attention, heads)]


def target_of(architecture: Architecture) -> Any:
    """The verdict of a language model, or the score of a classifier."""
    from interp import CausalLM, Classifier, EncoderDecoder

    network, tokenizer = architecture.build(), whole_words()
    if architecture.kind == CLASSIFIER:
        return Classifier(network, tokenizer).score(prompt(), 0)
    make = EncoderDecoder if architecture.kind == ENCODER_DECODER else CausalLM
    return make(network, tokenizer).contrast(prompt(), "aye", "nay")


def prompt() -> Prompt:
    return Prompt.of(
        (None, "which answer is better"),
        ("prompt", " why is it bright"),
        (None, " first"),
        ("completion_a", " the sun is a bright star"),
        (None, " second"),
        ("completion_b", " the moon is cold and not a star"),
        (None, " Reply"),
    )


def whole_words() -> Any:
    import tokenizers
    import transformers

    words = TEXT.split()
    spelled = ["<unk>", "<end>", *words, *(f" {word}" for word in words[:-2])]
    vocabulary = {word: number for number, word in enumerate(spelled)}
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="<unk>"))
    made.pre_tokenizer = tokenizers.pre_tokenizers.Split(tokenizers.Regex(" ?[A-Za-z]+"), "isolated")
    return transformers.PreTrainedTokenizerFast(tokenizer_object=made, unk_token="<unk>", eos_token="<end>")


def perturbation(target: Any, worst: dict[str, float]) -> str:
    import torch

    kept = np.random.default_rng(0).random((8, len(target.units))) < 0.7
    kept[:, -1] = True
    alone = [target.of(target.embeddings[torch.tensor(np.flatnonzero(row))][None]).item() for row in kept]
    note(worst, "a perturbed text against the same text alone", np.abs(target.kept(kept) - alone).max())
    return "shared" if target.lm.shares_prefix else "yes"


def gradients(target: Any, worst: dict[str, float]) -> str:
    from interp import integrated_gradients

    found = integrated_gradients(target, tolerance=0.9)
    note(
        worst,
        "the sum of integrated gradients against f(E) - f(B)",
        abs(found.total() - found.parameters["change"]),
    )
    return "yes"


def relevance(target: Any, worst: dict[str, float]) -> str:
    from interp import attn_lrp, cp_lrp

    attn_lrp(target)
    if not any(
        name in dict(target.lm.decoder.named_modules()) for name in ("wpe", "embed_positions", "positions_embed")
    ):
        note(worst, "the sum of CP-LRP against f, without learned positions", cp_lrp(target).delta)
    return "yes"


def attention(target: Any, worst: dict[str, float]) -> str:
    from interp import flow, flow_graph, rollout
    from interp.whitebox.attention import layers

    for matrix in layers(target, "keep"):
        note(worst, "a row of attention against 1", float((matrix.sum(1) - 1).abs().max()))
    rollout(target)
    flow(target, target.prompt.sentences)
    flow_graph(target)
    return "yes"


def heads(target: Any, _: dict[str, float]) -> str:
    from interp import ablation_importance, gradient_importance

    ablation_importance(target)
    gradient_importance(target)
    return "yes"


def note(worst: dict[str, float], check: str, difference: float) -> None:
    worst[check] = max(worst[check], float(difference))


def short(refusal: UnsupportedModel, refused: dict[str, str]) -> str:
    """The short name of a refusal, whose first message is kept."""
    name = next(name for words, name in REFUSALS.items() if words in str(refusal))
    refused.setdefault(name, str(refusal))
    return name


if __name__ == "__main__":
    main()
