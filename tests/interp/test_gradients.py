"""Laws of gradient attributions, and models whose answer is known."""

import numpy as np
import pytest

from interp.errors import BadOption, BadPrompt
from interp.prompt import Prompt
from interp.whitebox.gradients import (
    baseline_vector,
    gradient_shap,
    input_x_gradient,
    integrated_gradients,
    saliency,
)
from interp.whitebox.path import Integral, Line
from tests.support.known_models import summed
from tests.support.small_models import judged, model, torch

pytestmark = pytest.mark.slow  # torch alone takes seconds to import


def parts_of(target, direction, baseline=None):
    start = 0 if baseline is None else baseline_vector(target, baseline)[0]
    return ((target.embeddings - start) @ direction).numpy()


def test_for_a_linear_model_every_signed_method_returns_the_tokens_parts():
    target, direction = summed(lambda total: 3 * total)
    every, content = 3 * parts_of(target, direction), target.content
    np.testing.assert_allclose(input_x_gradient(target).scores, every, atol=1e-4)
    expected = np.where(content, 3 * parts_of(target, direction, "\n"), 0)
    found = integrated_gradients(target, "\n")
    np.testing.assert_allclose(found.scores, expected, atol=1e-4)
    assert found.delta == pytest.approx(0, abs=1e-3)
    assert found.parameters["steps"] == 8  # the first look was enough
    assert found.parameters["error"] == pytest.approx(0, abs=1e-4)
    np.testing.assert_allclose(saliency(target).scores, 3 * float(direction.norm()), rtol=1e-5)


def test_gradient_shap_of_a_linear_model_is_the_distance_to_the_mean_baseline():
    target, direction = summed(lambda total: total)
    found = gradient_shap(target, samples=400)
    parts = parts_of(target, direction)
    expected = np.where(target.content, parts - parts[target.content].mean(), 0)
    np.testing.assert_allclose(found.scores, expected, atol=0.6)
    assert found.delta == pytest.approx(0, abs=1e-3)
    np.testing.assert_array_equal(gradient_shap(target, 3).scores, gradient_shap(target, 3).scores)


def test_what_stands_before_the_content_is_run_once_for_all_baselines(monkeypatch):
    target, _ = summed(lambda total: total)
    assert target.lm.shares_prefix
    lengths, cache = [], type(target.lm).cache
    monkeypatch.setattr(
        type(target.lm),
        "cache",
        lambda lm, embeddings: lengths.append(embeddings.shape[1]) or cache(lm, embeddings),
    )
    gradient_shap(target, samples=5)
    assert lengths == [target.first]


@pytest.mark.parametrize("kind", ["llama", "qwen3", "gemma3", "gpt2"])
def test_integrated_gradients_are_complete(kind):
    lm = model(kind)
    target = lm.contrast(judged())
    found = integrated_gradients(target, "\n", tolerance=0.01, max_steps=600)
    empty = torch.where(torch.tensor(target.content)[:, None], baseline_vector(target, "\n")[0], target.embeddings)
    change = target.value - target.of(empty[None]).item()
    assert found.parameters["change"] == pytest.approx(change, abs=1e-4)
    assert found.total() == pytest.approx(change, abs=1e-4)
    assert found.delta <= 0.01 * np.abs(found.scores).sum() + 1e-5
    assert not found.scores[~target.content].any()


def stepped(sharp):
    """A step of f on the way from empty lines, and each token's part of it."""
    line, direction = summed(lambda total: total)
    parts = np.where(line.content, parts_of(line, direction, "\n"), 0)
    target, _ = summed(lambda total: torch.tanh(sharp * (total - line.value + 0.3 * parts.sum())))
    return target, parts / parts.sum()


def test_steps_are_doubled_until_a_sharp_step_of_f_is_seen():
    target, parts = stepped(sharp=30)
    seen = []
    found = integrated_gradients(
        target, "\n", tolerance=0.01, max_steps=600, progress=lambda steps, error: seen.append([steps, error])
    )
    assert found.parameters["errors"][:-1] == seen
    assert [steps for steps, _ in found.parameters["errors"]][:3] == [8, 17, 33]
    assert found.parameters["error"] <= 0.01
    np.testing.assert_allclose(found.scores / found.scores.sum(), parts, atol=1e-3)


@pytest.mark.parametrize("kind", ["llama", "qwen3", "gemma3", "gpt2"])
def test_the_estimated_error_is_about_the_error(kind):
    """Against 129 gradients: a first look is allowed to be twice as far off as it says."""
    target = model(kind).contrast(judged())
    exact = integrated_gradients(target, tolerance=1e-9, max_steps=129)
    assert exact.parameters["steps"] == 129
    for tolerance in (0.3, 0.05):
        found = integrated_gradients(target, tolerance=tolerance)
        off = np.abs(found.scores - exact.scores).sum() / np.abs(exact.scores).sum()
        assert off <= 2 * tolerance, found.parameters["errors"]


def test_no_gradient_is_asked_for_twice():
    """8 and 9 and 16 places, all apart: a doubled rule keeps what it has."""
    target, _ = stepped(sharp=1)
    line = Line(target, baseline_vector(target, "\n")[0])
    asked, slopes = [], line.slopes
    line.slopes = lambda at: asked.extend(at.tolist()) or slopes(at)
    integral = Integral(line, *line.values(np.array([0.0, 1.0])).tolist())
    for steps in (8, 17, 33):
        assert integral.steps == len(set(asked)) == steps
        if steps < 33:
            assert integral.upcoming == {8: 17, 17: 33}[steps]
        integral.refine()


def test_an_integral_that_has_not_converged_is_reported():
    target, _ = summed(lambda total: 5 * torch.sin(40 * total))
    found = integrated_gradients(target, max_steps=12)
    assert found.parameters["steps"] == 8
    assert "do not rely on this" in found.notes[0]
    assert found.parameters["error"] > 0.3


def test_equal_tokens_have_equal_scores_where_positions_do_not_count():
    target, _ = summed(lambda total: torch.tanh(total), Prompt.of(("prompt", " sun moon sun star sun")))
    scores = integrated_gradients(target).scores
    assert scores[0] == pytest.approx(scores[2], abs=1e-6)
    assert scores[0] == pytest.approx(scores[4], abs=1e-6)


def test_planted_evidence_is_found():
    plain, _ = summed(torch.tanh)
    at = [unit.text for unit in plain.units].index(" cold")
    direction = torch.linalg.lstsq(
        plain.embeddings, torch.nn.functional.one_hot(torch.tensor(at), len(plain.units)).float()[:, None]
    ).solution[:, 0]
    target, _ = summed(torch.tanh, direction=direction)
    for method in (integrated_gradients, input_x_gradient):
        assert method(target).ranking()[0] == at, method.__name__


def test_swapping_the_labels_swaps_the_signs():
    lm = model()
    ab, ba = lm.contrast(judged(), "A", "B"), lm.contrast(judged(), "B", "A")
    np.testing.assert_allclose(input_x_gradient(ab).scores, -input_x_gradient(ba).scores, atol=1e-5)
    np.testing.assert_allclose(saliency(ab).scores, saliency(ba).scores, atol=1e-5)


def test_an_answer_is_attributed_to_the_prompt():
    lm = model()
    prompt = Prompt.of((None, "Reply"), ("prompt", " why is the sun bright ?"))
    target = lm.answer(prompt, " it is near .", against=" it sets .")
    found = integrated_gradients(target, max_steps=600)
    assert len(found.scores) == len(target.units)
    assert found.total() == pytest.approx(found.parameters["change"], abs=0.01 * np.abs(found.scores).sum())
    one, other = lm.answer(prompt, " it is near ."), lm.answer(prompt, " it sets .")
    expected = input_x_gradient(one).scores - input_x_gradient(other).scores
    np.testing.assert_allclose(input_x_gradient(target).scores, expected, atol=1e-4)


def test_parameters_get_no_gradients():
    target = model().contrast(judged())
    integrated_gradients(target, max_steps=12)
    assert all(parameter.grad is None for parameter in target.lm.network.parameters())


def test_options_out_of_range():
    target, _ = summed(lambda total: total)
    with pytest.raises(BadOption, match="samples 0"):
        gradient_shap(target, samples=0)
    with pytest.raises(BadOption, match="tolerance 0"):
        integrated_gradients(target, tolerance=0)
    with pytest.raises(BadOption, match=r"shape \(3,\). Expected \(32,\)"):
        integrated_gradients(target, torch.zeros(3))
    with pytest.raises(BadOption, match="has no token"):
        integrated_gradients(target, "")
    template, _ = summed(lambda total: total, Prompt.of((None, "why ?")))
    with pytest.raises(BadPrompt, match="no content"):
        integrated_gradients(template)
    assert integrated_gradients(target, "zero").parameters["baseline"] == "zero"
    assert integrated_gradients(target, torch.zeros(32)).parameters["baseline"] == "given vector"
