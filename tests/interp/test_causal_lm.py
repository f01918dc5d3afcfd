"""One tokenisation, targets without a vocabulary, values with a shared prefix."""

import numpy as np
import pytest

from interp.errors import BadOption, BadPrompt, EmptyCompletion, LabelNotOneToken, NoWeights, PromptTooLong
from interp.prompt import Prompt
from interp.whitebox.causal_lm import CausalLM
from tests.support.small_models import judged, model, torch

pytestmark = pytest.mark.slow  # torch alone takes seconds to import


def logits(lm, text):
    ids = lm.tokenizer(text, return_tensors="pt", add_special_tokens=False)["input_ids"]
    with torch.no_grad():
        return lm.network(ids).logits[0]


@pytest.mark.parametrize("kind", ["llama", "qwen3", "gemma3", "gpt2"])
def test_contrast_is_the_models_own_log_odds_over_spellings(kind):
    lm = model(kind)
    target = lm.contrast(judged(), "A", "B")
    last = logits(lm, judged().text)[-1]
    vocabulary = lm.tokenizer.get_vocab()
    a, b = (torch.logsumexp(last[[vocabulary[x], vocabulary[f" {x}"]]], -1) for x in "AB")
    assert target.value == pytest.approx(float(a - b), abs=1e-5)
    mass = torch.softmax(last, -1)[[vocabulary[x] for x in ("A", " A", "B", " B")]].sum()
    assert lm.label_mass(target, "A", "B") == pytest.approx(float(mass), abs=1e-6)


def test_units_spell_the_text_and_know_their_segment():
    target = model().contrast(judged())
    assert "".join(unit.text for unit in target.units) == judged().text
    assert {unit.segment for unit in target.units} == {None, "prompt", "completion_a", "completion_b"}
    assert "".join(u.text for u in target.units if u.segment == "completion_a") == " the sun is a bright star ."


@pytest.mark.parametrize("kind", ["llama", "qwen3", "gemma3", "gpt2"])
def test_a_masked_value_is_the_value_of_the_shorter_prompt(kind):
    lm = model(kind)
    target = lm.contrast(judged())
    generator = np.random.default_rng(0)
    kept = generator.random((12, len(target.units))) < 0.7
    kept[:, -1] = True
    kept[0], kept[1] = True, True
    kept[1, -3:] = False  # the last token read is then another one
    found = target.kept(kept)
    for row, value in zip(kept, found, strict=True):
        alone = target.of(target.embeddings[torch.tensor(np.flatnonzero(row))][None])
        assert value == pytest.approx(alone.item(), abs=2e-5)
    assert found[0] == pytest.approx(target.value, abs=2e-5)


def test_batches_of_any_size_give_the_same_values():
    target = model().contrast(judged())
    kept = np.random.default_rng(1).random((9, len(target.units))) < 0.5
    expected = target.kept(kept)
    small = CausalLM(model().network, model().tokenizer, batch_tokens=1).contrast(judged())
    np.testing.assert_allclose(small.kept(kept), expected, atol=2e-5)


def test_a_mask_over_words_deletes_their_tokens():
    target = model().contrast(judged())
    value = target.masked()
    words = [word.text.strip() for word in judged().words]
    mask = np.ones((1, len(words)), dtype=bool)
    mask[0, words.index("cold")] = False
    shorter = judged(second="the moon is and not a star .")
    assert value(mask)[0] == pytest.approx(model().contrast(shorter).value, abs=2e-5)
    with pytest.raises(BadOption, match="a mask over 2 units"):
        value(np.ones((1, 2), dtype=bool))


def test_deleting_everything_is_refused():
    target = model().contrast(judged())
    with pytest.raises(BadOption, match="leaves the model nothing to read"):
        target.kept(np.zeros((1, len(target.units)), dtype=bool))


def test_an_answer_is_the_sum_of_its_log_probabilities():
    lm, prompt, said = model(), Prompt.of(("prompt", "why is the sun bright ?")), " it is near ."
    every = torch.log_softmax(logits(lm, prompt.text + said), -1)
    ids = lm.tokenizer(said, add_special_tokens=False)["input_ids"]
    each = [float(every[at, token]) for at, token in enumerate(ids, start=len(every) - len(ids) - 1)]
    assert lm.answer(prompt, said).value == pytest.approx(sum(each), abs=1e-5)
    assert lm.answer(prompt, said, span=(3, 11)).value == pytest.approx(each[1] + each[2], abs=1e-5)
    other = lm.answer(prompt, " yes").value
    assert lm.answer(prompt, said, against=" yes").value == pytest.approx(sum(each) - other, abs=1e-5)
    halved = lm.answer(prompt, said).masked()(np.array([[True, True, False, True, True, True]]))
    shorter = lm.answer(Prompt.of(("prompt", "why is sun bright ?")), said).value
    assert halved[0] == pytest.approx(shorter, abs=1e-5)


def test_questions_that_cannot_be_asked_say_why():
    lm = model()
    with pytest.raises(PromptTooLong, match="80 tokens, but random llama reads up to 64"):
        lm.contrast(Prompt.of(("prompt", " sun" * 80)))
    with pytest.raises(PromptTooLong, match="reads up to 64"):
        lm.answer(Prompt.of(("prompt", " sun" * 60)), " moon" * 10)
    with pytest.raises(EmptyCompletion, match="has no token"):
        lm.answer(judged(), "")
    with pytest.raises(EmptyCompletion, match="between characters 90 and 99"):
        lm.answer(judged(), " yes", span=(90, 99))
    with pytest.raises(LabelNotOneToken, match="'sun moon' is 2 tokens"):
        lm.contrast(judged(), "sun moon", "B")
    with pytest.raises(LabelNotOneToken, match="share a token"):
        lm.contrast(judged(), "A", "A")
    with pytest.raises(LabelNotOneToken, match="blank"):
        lm.contrast(judged(), " ", "A")
    with pytest.raises(BadPrompt, match="The prompt is empty"):
        lm.contrast(Prompt.of(("prompt", "")))
    with pytest.raises(BadPrompt, match="Move spaces at the end of the prompt"):
        lm.answer(Prompt.of(("prompt", "why ? ")), "yes")


def test_models_without_weights_are_reported(tmp_path):
    with pytest.raises(NoWeights, match="'gpt-4o' is not a file or directory"):
        CausalLM.load("gpt-4o")
    with pytest.raises(NoWeights, match=r"has no \*\.safetensors"):
        CausalLM.load(tmp_path)
    with pytest.raises(BadOption, match=r"dtype 'fp8'\. Expected one of: float32, bfloat16, float16"):
        CausalLM.load(tmp_path, dtype="fp8")


def test_a_saved_model_is_loaded_frozen(tmp_path):
    lm = model()
    lm.network.save_pretrained(tmp_path / "tiny")
    lm.tokenizer.save_pretrained(tmp_path / "tiny")
    again = CausalLM.load(tmp_path / "tiny")
    assert (again.name, again.dtype, again.limit) == ("tiny", "float32", 64)
    assert again.contrast(judged()).value == pytest.approx(lm.contrast(judged()).value, abs=1e-5)
    assert not any(parameter.requires_grad for parameter in again.network.parameters())
