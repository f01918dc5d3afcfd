"""The bundled SmolLM2 as a judge: what random networks cannot show."""

import numpy as np
import pytest

from arena.serving.downloads import KNOWN, cache_folder, is_fetched
from interp.prompt import Prompt
from interp.whitebox.attention import layers, rolled
from interp.whitebox.causal_lm import CausalLM
from interp.whitebox.gradients import integrated_gradients
from interp.whitebox.relevance import cp_lrp
from tests.support.small_models import torch

pytestmark = pytest.mark.slow


def test_smollm2_is_explained():
    weights = KNOWN["smollm2-135m-instruct"]
    if not is_fetched(weights):
        pytest.skip("no weights of SmolLM2; type: arena demo --fetch-only")
    lm = CausalLM.load(cache_folder() / weights.file)
    prompt = Prompt.of(
        (None, "<|im_start|>user\nWhat is the capital of Australia?\nA: "),
        ("completion_a", "It is Sydney."),
        (None, "\nB: "),
        ("completion_b", "It is Canberra."),
        (None, "\nWhich is right, A or B?<|im_end|>\n<|im_start|>assistant\nAnswer:"),
    )
    target = lm.contrast(prompt, "A", "B")
    assert 0.2 < lm.label_mass(target, "A", "B") < 1

    found = integrated_gradients(target)
    assert found.total() == pytest.approx(found.parameters["change"], abs=1e-3)
    exact = integrated_gradients(target, tolerance=1e-6, max_steps=65).scores
    assert np.abs(found.scores - exact).sum() <= 0.3 * np.abs(exact).sum()
    assert not found.scores[~target.content].any()

    conserved = cp_lrp(lm.contrast(prompt, "Yes", "No"))
    assert conserved.delta < 0.5  # two spellings each: the log-sum-exp is not linear

    top = target.reading_row(len(target.units))
    plain, without = (rolled(layers(target, sink), top) for sink in ("keep", "drop"))
    assert float(plain[0]) > 0.95  # thirty layers leave nothing but the sink
    assert float(without[0]) < 0.05
    assert torch.isclose(without.sum(), torch.tensor(1.0), atol=1e-3)
