"""Explaining a judge whose weights are here: a random network of two layers, loaded as the operator's would be."""

from __future__ import annotations

from dataclasses import replace

import pytest

from arena.config import EXPLANATION_REPLIES, OpenAISettings, Settings, TransformersSettings, reply_cache_path
from arena.errors import ConfigError
from arena.explaining.explain import explain, find_stored
from arena.explaining.request import ExplainConfig, method_names, requests
from arena.store import Database
from tests.support.voted_battles import add_voted_battle

pytestmark = pytest.mark.slow

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")
tokenizers = pytest.importorskip("tokenizers")

TEXT = "Which is better? Question: why? A: because it is so. B: - one - two Say A or B. not sure. The sun rises"
TEMPLATE = "Question: {question} A: {answer_a} B: {answer_b} Say A or B."
CHAT = "{% for message in messages %}{{ message['content'] }}{% endfor %} :"


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    """A folder with a Llama of random weights that reads 256 tokens."""
    folder = tmp_path_factory.mktemp("weights")
    words = dict.fromkeys(
        ["<unk>", "<end>", *TEXT.replace(".", " . ").replace("?", " ? ").replace(":", " : ").split()]
    )
    vocabulary = {word: number for number, word in enumerate([*words, *(f" {word}" for word in words)])}
    made = tokenizers.Tokenizer(tokenizers.models.WordLevel(vocabulary, unk_token="<unk>"))
    pattern = tokenizers.Regex(r" ?[A-Za-z]+| ?[^\sA-Za-z]|\s")
    made.pre_tokenizer = tokenizers.pre_tokenizers.Split(pattern, "isolated")
    tokenizer = transformers.PreTrainedTokenizerFast(tokenizer_object=made, unk_token="<unk>", eos_token="<end>")
    tokenizer.chat_template = CHAT
    tokenizer.save_pretrained(folder)
    torch.manual_seed(3)
    config = transformers.LlamaConfig(
        vocab_size=len(vocabulary), hidden_size=32, intermediate_size=48, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=256, initializer_range=0.3,
    )  # fmt: skip
    transformers.LlamaForCausalLM(config).save_pretrained(folder)
    return folder


@pytest.fixture
def place(tmp_path, weights):
    local = TransformersSettings(name="local", endpoint="transformers", source=str(weights), enabled=False)
    remote = OpenAISettings(name="remote", endpoint="openai", url="http://127.0.0.1:9/v1", enabled=False)
    settings = Settings(database_url=f"sqlite:///{tmp_path / 'arena.db'}", models=(local, remote))
    database = Database(settings.database_url)
    database.make_ready()
    yield settings, database
    database.close()


def request_of(database, settings, battle, judge, method="screen", **options):
    """The request of one method."""
    (request,) = requests(database, settings, ExplainConfig(battle, judge, (method,), **options))
    return request


def quiet(*_):
    pass


def asked(place, method, a="because it is so.", b="- one - two"):
    settings, database = place
    number = add_voted_battle(database, "why?", a, b, "model_a")
    return settings, database, request_of(database, settings, str(number), "local", method, template=TEMPLATE)


@pytest.mark.parametrize("method", method_names())
def test_every_kind_of_method_explains_words_heads_and_flow(place, method):
    settings, database, wanted = asked(place, method)
    found = explain(database, settings, wanted, quiet)
    assert [word.text for word in found.words] == [
        "why?",
        "because",
        " it",
        " is",
        " so.",
        "-",
        " one",
        " -",
        " two",
    ]
    assert any(word.score for word in found.words)
    assert found.verdict.content == pytest.approx((found.verdict.orders[0] - found.verdict.orders[1]) / 2)
    assert (len(found.heads), len(found.heads[0])) == (2, 4)
    assert found.flow.nodes[-1] == "the verdict"
    assert find_stored(database, wanted) == found
    unsigned = "this method has no sign" in " ".join(found.notes)
    assert unsigned == (method in ("saliency", "rollout", "flow"))
    assert (found.faithfulness.sensitivity is not None) == (method in ("saliency", "input_x_gradient", "attn_lrp"))
    shown = "".join(b + w.text for b, w in zip(found.between, found.words, strict=False)) + found.between[-1]
    assert shown == TEMPLATE.format(question="why?", answer_a="because it is so.", answer_b="- one - two") + " :"


def test_a_replaced_word_is_what_the_network_says_of_the_replaced_text(place, weights):
    from interp import CausalLM, Prompt

    settings, database, wanted = asked(place, "occlusion")
    found = explain(database, settings, wanted, quiet).replacement
    lm = CausalLM.load(weights)
    texts = ["why?", "because", "it", "is", "so.", "-", "one", "-", "two"]
    for unit, before, after in found.replaced:
        assert texts[unit] == before
        texts[unit] = after
    question, a, b = texts[0], " ".join(texts[1:5]), " ".join(texts[5:])

    def contrast(first, second):
        text = TEMPLATE.format(question=question, answer_a=first, answer_b=second) + " :"
        return lm.contrast(Prompt.of((None, text))).value

    assert found.after == pytest.approx((contrast(a, b) - contrast(b, a)) / 2, abs=1e-4)


@pytest.mark.parametrize("method", ["screen", "integrated_gradients"])
def test_a_models_own_answer_hangs_on_the_words_of_its_prompt(place, weights, method):
    from interp import CausalLM, Prompt

    settings, database = place
    number = str(add_voted_battle(database, "why? The sun rises", "because it is so.", "- one - two", "model_a"))
    wanted = request_of(database, settings, number, "local", method, about="a")
    found = explain(database, settings, wanted, quiet)
    assert [word.text for word in found.words] == ["why?", " The", " sun", " rises"]
    lm = CausalLM.load(weights)
    with_prompt, without = (
        lm.answer(Prompt.of((None, text)), "because it is so.").value for text in ("why? The sun rises :", " :")
    )
    assert found.answer.gain == pytest.approx(with_prompt - without, abs=1e-4)
    assert len(found.answer.samples) == 4
    assert "".join(one.text for one in found.answer.tokens) == "because it is so."
    assert any("plain wrote this answer" in note for note in found.notes)
    assert found.verdict is None
    assert find_stored(database, wanted) == found
    assert find_stored(database, request_of(database, settings, number, "local", method)) is None


def test_heads_are_measured_exactly_where_that_is_asked(place):
    settings, database, wanted = asked(place, "screen")
    quick = explain(database, settings, wanted, quiet)
    exact = explain(database, settings, replace(wanted, heads="ablation"), quiet)
    assert (quick.heads_by, exact.heads_by) == ("gradient", "ablation")
    assert exact.heads != quick.heads


def test_what_flow_costs_is_said_before_it_is_begun(place):
    settings, database, wanted = asked(place, "flow")
    said = []
    explain(database, settings, wanted, lambda stage, *_: said.append(stage))
    assert any("9 maximum flows over" in stage and "s an order" in stage for stage in said)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (
            {"judge": None, "about": "a"},
            "--judge: plain, which wrote answer A, is not in the settings.*with local weights: local",
        ),
        ({"judge": "remote", "about": "b"}, "gives no probability of a given text.*as the judge: local"),
        ({"judge": "local", "about": "c"}, "--answer: 'c' is not a side of the battle. Give a or b"),
    ],
)
def test_an_answer_that_cannot_be_explained_says_why(place, more, says):
    settings, database = place
    number = str(add_voted_battle(database, "why?", "because.", "- one", "model_a"))
    with pytest.raises(ConfigError, match=says):
        request_of(database, settings, number, **more)


def test_an_empty_answer_has_nothing_to_attribute(place):
    settings, database = place
    number = str(add_voted_battle(database, "why?", "", "- one", "model_b"))
    with pytest.raises(ConfigError, match="answer A of plain is empty"):
        explain(database, settings, request_of(database, settings, number, "local", about="a"), quiet)


def test_hidden_states_are_grouped_and_probed_over_battles(place):
    pytest.importorskip("sklearn")
    from arena.explaining.concepts import concept_report
    from arena.serving.model_clients import configured
    from arena.store.verdicts import votes_on_record

    settings, database = place
    for number in range(16):
        question = f"why? {'The sun ' * (number % 4)}{'rises ' * (number % 5)}"
        a, b = ("because it is so.", "- one - two")[:: 1 if number % 2 else -1]
        add_voted_battle(database, question, a, b, "model_a" if number % 3 else "model_b")
    with database.read() as session:
        votes = votes_on_record(session)
    found = concept_report(database, configured(settings)["local"], votes, 100, quiet)
    assert found["battles"] == 16
    assert sum(group["size"] for group in found["concepts"]["groups"]) <= 16
    assert found["probe"]["verdict"]
    with pytest.raises(ConfigError, match="its weights are not available"):
        concept_report(database, configured(settings)["remote"], votes, 100, quiet)


def test_occlusion_through_the_store_is_what_the_network_says(place, weights):
    from interp import CausalLM, Prompt

    settings, database, wanted = asked(place, "occlusion")
    found = explain(database, settings, wanted, quiet)
    lm = CausalLM.load(weights)

    def contrast(a, b):
        text = TEMPLATE.format(question="why?", answer_a=a, answer_b=b) + " :"
        return lm.contrast(Prompt.of((None, text))).value

    whole = (contrast("because it is so.", "- one - two") - contrast("- one - two", "because it is so.")) / 2
    without = (contrast("because it is", "- one - two") - contrast("- one - two", "because it is")) / 2
    assert found.verdict.content == pytest.approx(whole, abs=1e-4)
    assert found.words[4].score == pytest.approx(whole - without, abs=1e-4)


def test_a_second_explanation_runs_the_network_only_for_new_values(place):
    settings, database, wanted = asked(place, "occlusion")
    explain(database, settings, wanted, quiet)
    reply_cache = reply_cache_path(settings, name=EXPLANATION_REPLIES)
    before = reply_cache.read_text()
    explain(database, settings, wanted, quiet)
    assert reply_cache.read_text() == before


def test_a_prompt_over_the_limit_names_both_numbers(place):
    settings, database, wanted = asked(place, "screen", a="because it is so. " * 80)
    with pytest.raises(
        ConfigError, match=r"local: \d+ tokens, but local reads up to 256\. Shorten the prompt or a completion"
    ):
        explain(database, settings, wanted, quiet)


def test_a_method_that_needs_weights_is_refused_to_a_judge_without(place):
    settings, database = place
    number = add_voted_battle(database, "why?", "because.", "- one", "model_a")
    with pytest.raises(
        ConfigError, match="attn_lrp needs the weights of remote, which is reached through 'openai'"
    ):
        request_of(database, settings, str(number), "remote", "attn_lrp")


def test_a_template_without_an_answer_is_named(place):
    settings, database = place
    number = add_voted_battle(database, "why?", "because.", "- one", "model_a")
    wanted = request_of(
        database, settings, str(number), "local", "screen", template="only {question} and {answer_a}"
    )
    with pytest.raises(ConfigError, match=r"no field \{answer_b\}"):
        explain(database, settings, wanted, quiet)
