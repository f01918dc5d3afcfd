"""Encoder-decoders and classifiers: perturbation and gradients exactly, the rest by a named refusal."""

import numpy as np
import pytest

from interp import (
    BadOption,
    CausalLM,
    Classifier,
    EncoderDecoder,
    Prompt,
    PromptTooLong,
    UnsupportedModel,
    attn_lrp,
    cp_lrp,
    gradient_importance,
    hidden_state,
    integrated_gradients,
    rollout,
    sample_completions,
    token_entropies,
)
from reproduce.tiny_networks import CLASSIFIERS, DECODERS, ENCODER_DECODERS, Architecture
from tests.support.small_models import judged, tokenizer, torch

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # torch alone takes seconds to import


def with_special_tokens():
    """The tokenizer of whole words with a token before and behind a text, as BERT's with [CLS] and [SEP]."""
    from tokenizers.processors import TemplateProcessing

    made = tokenizer()
    made._tokenizer.post_processor = TemplateProcessing(
        single="three $A three", special_tokens=[("three", made.get_vocab()["three"])]
    )
    return made


def of(table, model_type):
    return next(each for each in table if each.model_type == model_type)


def own_logits(lm, ids, **more):
    with torch.no_grad():
        return lm.network(input_ids=ids[None], **more).logits[0]


def perturbed_as_alone(target):
    kept = np.random.default_rng(0).random((8, len(target.units))) < 0.7
    kept[:, -1] = kept[0] = True
    alone = [target.of(target.embeddings[torch.tensor(np.flatnonzero(row))][None]).item() for row in kept]
    np.testing.assert_allclose(target.kept(kept), alone, atol=1e-4)


def complete(target):
    found = integrated_gradients(target, tolerance=0.9)
    assert found.total() == pytest.approx(found.parameters["change"], abs=1e-6)
    assert np.abs(found.scores).sum() > 0


@pytest.mark.parametrize("kind", [each.model_type for each in ENCODER_DECODERS])
def test_an_encoder_decoder_is_explained_by_its_own_first_token(kind):
    lm = EncoderDecoder(of(ENCODER_DECODERS, kind).build(), with_special_tokens(), name=kind)
    target = lm.contrast(judged(), "aye", "nay")
    start = torch.tensor([[lm.network.config.decoder_start_token_id]])
    logits, vocabulary = own_logits(lm, target.ids, decoder_input_ids=start)[-1], lm.tokenizer.get_vocab()
    assert target.value == pytest.approx(float(logits[vocabulary["aye"]] - logits[vocabulary["nay"]]), abs=1e-4)
    mass = torch.softmax(logits, -1)[[vocabulary["aye"], vocabulary["nay"]]].sum()
    assert lm.label_mass(target, "aye", "nay") == pytest.approx(float(mass), abs=1e-6)
    assert [unit.text for unit in target.units if unit.start == unit.end] == ["", ""]
    perturbed_as_alone(target)
    complete(target)
    for method in (rollout, attn_lrp, gradient_importance, hidden_state):
        with pytest.raises(UnsupportedModel, match="is an encoder-decoder"):
            method(target)


def test_a_completion_of_an_encoder_decoder_is_the_sum_of_its_log_probabilities():
    lm = EncoderDecoder(of(ENCODER_DECODERS, "t5").build(), with_special_tokens())
    target = lm.answer(judged(), " it is near .")
    ids = lm.tokenizer(" it is near .", add_special_tokens=False)["input_ids"]
    every = torch.log_softmax(own_logits(lm, target.ids, decoder_input_ids=torch.tensor([[0, *ids[:-1]]])), -1)
    assert target.value == pytest.approx(sum(float(every[at, token]) for at, token in enumerate(ids)), abs=1e-4)
    perturbed_as_alone(target)
    complete(target)
    entropies = token_entropies(target, " it is near .")
    assert [round(each.surprise * np.log(2), 3) for each in entropies] == [
        round(-float(every[at, token]), 3) for at, token in enumerate(ids)
    ]
    assert len(sample_completions(target, " it is near .", 2)) == 2


@pytest.mark.parametrize("kind", [each.model_type for each in CLASSIFIERS if each.model_type != "bart"])
def test_a_classifier_is_explained_by_its_own_logits(kind):
    lm = Classifier(of(CLASSIFIERS, kind).build(), with_special_tokens(), name=kind)
    one = lm.network.config.num_labels == 1
    target = lm.score(judged()) if one else lm.score(judged(), 0, against="LABEL_2")
    logits = own_logits(lm, target.ids)
    assert target.value == pytest.approx(float(logits[0] if one else logits[0] - logits[2]), abs=1e-4)
    assert target.name == ("reward" if one else "logit(LABEL_0) - logit(LABEL_2)")
    perturbed_as_alone(target)
    complete(target)


def test_a_reward_model_on_a_decoder_has_all_methods():
    lm = Classifier(of(CLASSIFIERS, "llama").build(), tokenizer())
    target = lm.score(judged())
    assert lm.shares_prefix
    assert cp_lrp(target).total() == pytest.approx(target.value, abs=1e-4)
    assert rollout(target).scores.sum() <= 1 + 1e-5
    assert gradient_importance(target).scores.any()


def test_an_encoder_has_no_attention_that_is_read():
    target = Classifier(of(CLASSIFIERS, "bert").build(), with_special_tokens()).score(judged(), 0)
    for method in (rollout, attn_lrp, gradient_importance, hidden_state):
        with pytest.raises(UnsupportedModel, match="reads text in both directions"):
            method(target)


def test_added_tokens_are_template_and_belong_to_no_word():
    prompt = Prompt.of(("prompt", "why is it bright ?"))
    target = Classifier(of(CLASSIFIERS, "bert").build(), with_special_tokens()).score(prompt, 0)
    assert [unit.segment for unit in target.units] == [None, *["prompt"] * 5, None]
    found = integrated_gradients(target, tolerance=0.9)
    assert found.by_word().scores == pytest.approx(found.scores[1:-1])
    assert found.scores[[0, -1]].tolist() == [0, 0]


def test_labels_that_a_classifier_does_not_have():
    lm = Classifier(of(CLASSIFIERS, "bert").build(), tokenizer())
    with pytest.raises(BadOption, match=r"no label\. Expected one of: LABEL_0, LABEL_1, LABEL_2"):
        lm.score(judged())
    with pytest.raises(BadOption, match=r"label 'good'\. Expected one of"):
        lm.score(judged(), "good")


@pytest.mark.parametrize(("kind", "most"), [("bert", 64), ("roberta", 63), ("mpnet", 62), ("llama", 64)])
def test_a_text_that_is_too_long_for_a_classifier_is_refused(kind, most):
    lm = Classifier(of(CLASSIFIERS, kind).build(), tokenizer())
    assert np.isfinite(lm.score(Prompt.of(("prompt", " sun" * most)), 0).value)
    with pytest.raises(PromptTooLong, match=f"reads up to {most}"):
        lm.score(Prompt.of(("prompt", " sun" * (most + 1))), 0)


def test_networks_of_another_kind_are_refused_by_name():
    bert = Architecture("bert", "BERT").build()
    with pytest.raises(UnsupportedModel, match="BertLMHeadModel reads text in both directions"):
        CausalLM(bert, tokenizer())
    with pytest.raises(UnsupportedModel, match="does not read embeddings as it reads their tokens"):
        Classifier(of(CLASSIFIERS, "bart").build(), tokenizer())


@pytest.mark.parametrize(
    ("architecture", "loader"),
    [
        (of(ENCODER_DECODERS, "t5"), EncoderDecoder),
        (of(CLASSIFIERS, "bert"), Classifier),
        (of(CLASSIFIERS, "qwen3"), Classifier),
        (of(DECODERS, "rwkv"), CausalLM),
    ],
)
def test_a_folder_is_loaded_as_what_it_was_trained_as(tmp_path, architecture, loader):
    architecture.build().save_pretrained(tmp_path)
    with_special_tokens().save_pretrained(tmp_path)
    assert loader.load(tmp_path).network.config.model_type == architecture.model_type
    for other in {CausalLM, Classifier, EncoderDecoder} - {loader}:
        with pytest.raises(UnsupportedModel, match=f"Load it with interp.{loader.__name__}"):
            other.load(tmp_path)


def test_networks_packed_into_integers_are_perturbed_and_have_no_gradient():
    network = torch.ao.quantization.quantize_dynamic(
        Architecture("llama", "").build(), {torch.nn.Linear}, dtype=torch.qint8
    )
    lm = CausalLM(network, tokenizer())
    target = lm.contrast(judged(), "aye", "nay")
    vocabulary, logits = lm.tokenizer.get_vocab(), own_logits(lm, target.ids)[-1]
    assert target.value == pytest.approx(float(logits[vocabulary["aye"]] - logits[vocabulary["nay"]]), abs=1e-5)
    perturbed_as_alone(target)
    for method in (integrated_gradients, attn_lrp, gradient_importance):
        with pytest.raises(UnsupportedModel, match="LlamaForCausalLM passes no gradient to its embeddings"):
            method(target)
