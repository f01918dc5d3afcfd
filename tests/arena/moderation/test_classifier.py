"""A text classifier from a folder: its labels are the categories, and length and batches do not change the scores."""

from __future__ import annotations

import asyncio
import importlib.util
import json
from random import Random

import pytest

from arena.config import ModerationSettings
from arena.errors import ConfigError
from arena.moderation.checks import text_checks

pytestmark = pytest.mark.slow

torch = pytest.importorskip("torch")
transformers = pytest.importorskip("transformers")

WORDS = ["[UNK]", "[PAD]", "[CLS]", "[SEP]", "bomb", "tree", "lewd", "a", "name"]
LABELS = {0: "violence", 1: "sexual"}
WINDOW = 32  # tokens


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A small network with random weights, which reads 32 tokens at once."""
    path = tmp_path_factory.mktemp("classifier")
    vocabulary = path / "vocab.txt"
    vocabulary.write_text("\n".join(WORDS), encoding="utf-8")
    tokenizer = transformers.BertTokenizerFast(str(vocabulary), model_max_length=WINDOW)
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=len(WORDS), hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16,
        max_position_embeddings=WINDOW, num_labels=2, id2label=LABELS, label2id={name: n for n, name in LABELS.items()},
        problem_type="multi_label_classification", initializer_range=1.0,
    )  # fmt: skip
    transformers.BertForSequenceClassification(config).save_pretrained(path)
    tokenizer.save_pretrained(path)
    return path


def settings(folder, **more):
    return ModerationSettings(
        **{"backend": "transformers", "source": str(folder), "prompt": {"*": "block"}, "timeout": 60, **more}
    )


async def test_the_labels_are_the_categories_and_a_text_scores_alone_as_among_others(folder):
    checks = text_checks(settings(folder, max_batch=2))
    await checks.checker.start()
    texts = ["name a tree", "a bomb", "a lewd tree", "tree " * 20, "bomb"]
    together = await checks.checker.score(texts)
    alone = [(await checks.checker.score([text]))[0] for text in texts]
    for one, other in zip(together, alone, strict=True):
        assert one.scores == pytest.approx(other.scores, abs=1e-5)
        assert one.scores.keys() == {"violence", "sexual"}
        assert one.flagged == {name for name, score in one.scores.items() if score >= 0.5}
    (result,) = await checks.check([("prompt", "a bomb")])
    assert result.backend == f"transformers:{folder.name}"
    await checks.checker.close()


async def test_a_long_text_has_the_highest_score_of_its_windows_wherever_it_stands(folder):
    checks = text_checks(settings(folder, max_batch=4))
    await checks.checker.start()
    words = Random(1).choices(["tree", "a", "name"], k=200) + ["bomb", "lewd"] * 10
    room, step = WINDOW - 2, WINDOW - 2 - WINDOW // 8  # two tokens are special, an eighth is read twice
    starts = range(0, len(words) - WINDOW // 8, step)
    windows = await checks.checker.score([" ".join(words[start : start + room]) for start in starts])
    (whole,) = await checks.checker.score([" ".join(words)])
    for name, score in whole.scores.items():
        assert score == pytest.approx(max(window.scores[name] for window in windows), abs=1e-5)
    assert len(windows) > 5
    await checks.checker.close()


async def test_the_event_loop_goes_on_meanwhile(folder):
    checks = text_checks(settings(folder))
    await checks.checker.start()
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0.001)

    ticking = asyncio.create_task(tick())
    await asyncio.gather(*(checks.check([("prompt", "tree " * 4_000)]) for _ in range(5)))
    ticking.cancel()
    assert ticks > 5
    await checks.checker.close()


async def test_a_label_that_the_classifier_lacks_is_not_passed(folder):
    checks = text_checks(settings(folder, prompt={"hate": "block"}))
    await checks.checker.start()
    (result,) = await checks.check([("prompt", "a tree")])
    assert result.failure == "no score for hate"
    await checks.checker.close()


def test_a_missing_folder_is_an_error_before_the_arena_opens(tmp_path):
    with pytest.raises(ConfigError, match="not a folder with a model"):
        text_checks(settings(tmp_path))


def test_a_missing_extra_names_itself(folder, monkeypatch):
    known = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "torch" else known(name))
    with pytest.raises(ConfigError, match=r"pip install \"arena\[local\]\""):
        text_checks(settings(folder))


async def test_damaged_weights_are_an_error_before_the_arena_opens(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "bert"}), encoding="utf-8")
    checks = text_checks(settings(tmp_path))
    with pytest.raises(ConfigError, match="Choose a text classifier"):
        await checks.checker.start()
