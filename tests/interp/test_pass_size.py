"""The size of passes changes neither values nor gradients, follows the device, and survives a lack of memory."""

from functools import wraps

import numpy as np
import pytest

from interp.blackbox.perturbation import occlusion
from interp.whitebox.gradients import integrated_gradients
from tests.support.small_models import CausalLM, judged, model, torch

from interp.whitebox.pass_size import (  # isort: skip
    ON_CPU,
    ON_GPU,
    SHARE,
    PassSize,
    bytes_per_token,
    out_of_memory,
    pass_size,
)

pytestmark = pytest.mark.slow  # torch alone takes seconds to import


def sized(forward=None, backward=None):
    return CausalLM(model().network, model().tokenizer, batch_tokens=forward, gradient_tokens=backward)


@pytest.mark.parametrize("tokens", [1, 40, 100, 100_000])
def test_values_and_gradients_are_equal_at_every_pass_size(tokens):
    expected, found = model().contrast(judged()), sized(tokens, tokens).contrast(judged())
    words = len(judged().words)
    np.testing.assert_allclose(occlusion(found.masked(), words), occlusion(expected.masked(), words), atol=2e-5)
    one, other = (integrated_gradients(target, tolerance=0.01) for target in (expected, found))
    np.testing.assert_allclose(one.scores, other.scores, atol=2e-5)
    assert one.parameters["steps"] == other.parameters["steps"]


def test_a_prefix_that_is_not_worth_its_mask_is_run_again_with_the_same_result(monkeypatch):
    expected, found = model().contrast(judged()), sized().contrast(judged())
    for size in (found.lm.forward_size, found.lm.backward_size):
        monkeypatch.setattr(size, "prefix", 1.1)
    words = len(judged().words)
    np.testing.assert_allclose(occlusion(found.masked(), words), occlusion(expected.masked(), words), atol=2e-5)
    one, other = (integrated_gradients(target, tolerance=0.01) for target in (expected, found))
    np.testing.assert_allclose(one.scores, other.scores, atol=2e-5)
    assert "opening" not in vars(found)


def limited(lm, most, monkeypatch):
    """Passes of more than `most` tokens run out of memory; returns the sizes that were tried."""
    tried, run = [], lm.decoder.forward

    @wraps(run)  # its signature names the argument of the cache
    def forward(*args, inputs_embeds, **options):
        tried.append(inputs_embeds.shape[0] * inputs_embeds.shape[1])
        if tried[-1] > most:
            raise torch.OutOfMemoryError("CUDA out of memory")
        return run(*args, inputs_embeds=inputs_embeds, **options)

    monkeypatch.setattr(lm.decoder, "forward", forward)
    return tried


def test_a_pass_that_runs_out_of_memory_is_halved_and_the_size_is_remembered(monkeypatch):
    target, words = model().contrast(judged()), len(judged().words)
    expected = occlusion(target.masked(), words)
    paths = integrated_gradients(target, tolerance=0.01).scores
    lm = sized(100_000, 100_000)
    small = lm.contrast(judged())
    tried = limited(lm, 100, monkeypatch)
    np.testing.assert_allclose(occlusion(small.masked(), words), expected, atol=2e-5)
    np.testing.assert_allclose(integrated_gradients(small, tolerance=0.01).scores, paths, atol=2e-5)
    assert max(tried) > 100 >= lm.forward_size.tokens
    assert lm.backward_size.tokens <= 200  # halved from a pass that was too large
    tried.clear()
    occlusion(lm.contrast(judged()).masked(), words)
    assert max(tried) <= 100


def test_one_row_without_memory_and_other_errors_are_raised(monkeypatch):
    lm = sized()
    target = lm.contrast(judged())
    assert target.value
    limited(lm, 1, monkeypatch)
    with pytest.raises(torch.OutOfMemoryError):
        target.kept(np.ones((1, len(target.units)), dtype=bool))

    def broken(_items):
        raise RuntimeError("shapes do not match")

    with pytest.raises(RuntimeError, match="shapes do not match"):
        PassSize(10).run([1, 2], lambda _: 1, broken)
    assert out_of_memory(RuntimeError("DefaultCPUAllocator: can't allocate memory"))


def test_every_item_runs_once_in_passes_within_the_size():
    passes = []
    PassSize(12).run([3, 3, 5, 6, 20, 1], lambda item: item, lambda batch: passes.append(list(batch)))
    assert passes == [[3, 3], [5, 6], [20], [1]]


class Device:
    """A network on a GPU, as far as sizes look at it."""

    def __init__(self, kind="cuda"):
        self.device = torch.device(kind)
        self.dtype = torch.bfloat16
        self.config = model().network.config


@pytest.mark.parametrize("kind", ["forward", "backward"])
def test_the_size_follows_the_device_and_its_free_memory(kind, monkeypatch):
    assert pass_size(kind, Device("cpu")).tokens == ON_CPU[kind]
    assert pass_size(kind, Device("cpu"), 7).tokens == 7
    free = 0
    monkeypatch.setattr("torch.cuda.mem_get_info", lambda _device: (free, free))
    monkeypatch.setattr("torch.cuda.memory_reserved", lambda _device: 0)
    monkeypatch.setattr("torch.cuda.memory_allocated", lambda _device: 0)
    assert pass_size(kind, Device()).tokens == ON_CPU[kind]
    free = 1000 / SHARE * bytes_per_token(kind, Device())
    assert pass_size(kind, Device()).tokens == 1000
    free = 1 << 50
    assert pass_size(kind, Device()).tokens == ON_GPU[kind]
    assert pass_size(kind, Device("meta")).tokens == ON_GPU[kind]  # no way to measure
