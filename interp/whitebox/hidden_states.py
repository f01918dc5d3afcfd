"""A model's hidden state at the position of its next token, for concepts and probes."""

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
    """(width,): the residual at the prompt's last token after this share of the layers. Raises BadOption."""
    if not 0 < depth <= 1:
        raise BadOption(f"depth {depth:g}. Expected above 0, at most 1.")
    layers = target.lm.layers
    states: list[torch.Tensor] = []

    def keep(_module: Any, _inputs: Any, output: Any) -> None:
        states.append((output[0] if isinstance(output, tuple | list) else output)[0, len(target.units) - 1])

    handle = layers[max(1, round(depth * len(layers))) - 1].register_forward_hook(keep)
    try:
        with torch.no_grad():
            target.lm.run(target.embeddings[None])
    finally:
        handle.remove()
    return np.asarray(states[0].double().cpu().numpy())
