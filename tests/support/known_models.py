"""Models whose answer is known: f is a function of the sum of the embeddings, so each token's part is known."""

from types import SimpleNamespace

from interp.whitebox.causal_lm import CausalLM
from interp.whitebox.target import Target, Term
from tests.support.small_models import judged, model, torch


class SumLM(CausalLM):
    """Each position's state is the sum of the embeddings up to it; no layers, no positions."""

    def states(self, embeddings, past=None):
        states = embeddings.cumsum(1)
        if past is not None:
            states = states + past.layers[0].keys[:, 0, -1:]
        return states

    def cache(self, embeddings):
        return SimpleNamespace(layers=[_dynamic(embeddings.cumsum(1)[:, None])])


def _dynamic(states):
    from transformers.cache_utils import DynamicLayer

    layer = DynamicLayer()
    layer.update(states, states)
    return layer


def summed(function, prompt=None, direction=None):
    """The target `function(direction . sum of embeddings)` and the direction (width,)."""
    lm = SumLM(model().network, model().tokenizer, name="sum")
    prompt = prompt or judged()
    ids, units = lm.tokens(prompt)
    if direction is None:
        direction = torch.linspace(-1, 1, 32)
    term = Term(ids[:0], lambda hidden: function(hidden[:, -1] @ direction))
    return Target(lm, prompt, units, ids, "known", (term,)), direction
