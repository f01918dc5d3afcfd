"""A model's inner state at the place where its next token is told, for concepts and probes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from interp.errors import BadOption
from interp.extras import torch
from interp.masks import Floats

if TYPE_CHECKING:
    from interp.whitebox.target import Target

DEPTH = 2 / 3  # of the layers: what the text is about is settled there, and the next token not yet


def hidden_state(target: Target, depth: float = DEPTH) -> Floats:
    """(width,): the residual behind the prompt's last token after this share of the layers."""
    if not 0 < depth <= 1:
        raise BadOption(f"depth {depth:g}; expected above 0, at most 1")
    layers = target.lm.layers
    found: list[torch.Tensor] = []

    def keep(_module: Any, _inputs: Any, output: Any) -> None:
        found.append((output[0] if isinstance(output, tuple) else output)[0, len(target.units) - 1])

    handle = layers[max(1, round(depth * len(layers))) - 1].register_forward_hook(keep)
    try:
        with torch.no_grad():
            target.lm.run(target.embeddings[None])
    finally:
        handle.remove()
    return np.asarray(found[0].double().cpu().numpy())
