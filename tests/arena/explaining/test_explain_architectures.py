"""Judges that are no Llama: a recurrent network and an encoder-decoder are explained, or refuse by name."""

from __future__ import annotations

from dataclasses import replace

import pytest

pytest.importorskip("torch")

from arena.config import Settings, TransformersSettings
from arena.errors import ConfigError
from arena.explaining.explain import explain
from arena.explaining.request import ExplainConfig, requests
from arena.store import Database
from reproduce.tiny_networks import DECODERS, ENCODER_DECODERS
from tests.support.small_models import tokenizer
from tests.support.voted_battles import add_voted_battle

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]  # torch alone takes seconds to import

TEMPLATE = "{question} first : {answer_a} second : {answer_b} Reply"
CHAT = "{% for message in messages %}{{ message['content'] }}{% endfor %} :"


@pytest.fixture
def explained(tmp_path):
    database = Database(f"sqlite:///{tmp_path / 'arena.db'}")
    database.make_ready()
    number = add_voted_battle(database, "why is it bright ?", "the sun is a star", "the moon is cold", "model_a")

    def explained(model_type, method):
        (architecture,) = (each for each in (*DECODERS, *ENCODER_DECODERS) if each.model_type == model_type)
        words = tokenizer()
        words.chat_template = CHAT
        sizes = {**architecture.sizes, "max_position_embeddings": 256, "architectures": None}
        replace(architecture, sizes=sizes).build().save_pretrained(tmp_path / "weights")
        words.save_pretrained(tmp_path / "weights")
        judge = TransformersSettings(
            name="local", endpoint="transformers", source=str(tmp_path / "weights"), enabled=False
        )
        settings = Settings(database_url=f"sqlite:///{tmp_path / 'arena.db'}", models=(judge,))
        config = ExplainConfig(str(number), "local", (method,), template=TEMPLATE)
        (wanted,) = requests(database, settings, config)
        return explain(database, settings, wanted, lambda *_: None)

    yield explained
    database.close()


@pytest.mark.parametrize("model_type", ["t5", "mamba", "qwen3_next", "gpt_neox"])
@pytest.mark.parametrize("method", ["screen", "integrated_gradients"])
def test_perturbation_and_gradients_explain_any_judge(explained, model_type, method):
    found = explained(model_type, method)
    assert [word.text for word in found.words][:2] == ["why", " is"]
    assert any(word.score for word in found.words)
    assert (found.flow is not None) == bool(found.heads) == (model_type == "gpt_neox")


@pytest.mark.parametrize(
    ("model_type", "reason"), [("t5", "is an encoder-decoder"), ("mamba", "does not work by attention alone")]
)
def test_a_method_that_a_judge_does_not_support_names_the_reason(explained, model_type, reason):
    with pytest.raises(ConfigError, match=reason):
        explained(model_type, "rollout")
