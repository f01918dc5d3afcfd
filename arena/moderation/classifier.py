"""A text classifier in this process through transformers (extra `local`): its labels are the categories."""

from __future__ import annotations

import asyncio
import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from arena.endpoints.endpoint import EndpointError, Failure
from arena.errors import ConfigError
from arena.rules.text_checks import Scores

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

WINDOW = 512  # tokens that are read at once, where the model can: longer texts are read in windows
MULTI_LABEL = "multi_label_classification"


def check_installed(source: str) -> None:
    """Raises `ConfigError` for a missing extra or folder, before the arena opens."""
    if not all(importlib.util.find_spec(name) for name in ("torch", "transformers")):
        raise ConfigError(
            'moderation.backend = "transformers" needs the extra `local`. Run `pip install "arena[local]"`.'
        )
    if not (Path(source).expanduser() / "config.json").is_file():
        raise ConfigError(
            f"moderation.source: {source!r} is not a folder with a model (config.json). "
            "Download a text classifier, and name its folder."
        )


@dataclass
class Classifier:
    """The classifier in a folder. Independent labels (sigmoid) where it was trained so or has one label, else softmax."""

    source: str
    device: str | None = None
    threads: int = 1
    max_batch: int = 16
    timeout: float = 30.0
    _loaded: tuple[PreTrainedModel, PreTrainedTokenizerBase] | None = field(default=None, repr=False)
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock, repr=False)

    @property
    def name(self) -> str:
        return f"transformers:{Path(self.source).name}"

    async def start(self) -> None:
        async with self._lock:
            if self._loaded is None:
                try:
                    self._loaded = await asyncio.to_thread(self._load)
                except EndpointError as error:
                    raise ConfigError(f"moderation.source: {error.detail}. Choose a text classifier.") from error

    async def close(self) -> None:
        self._loaded = None

    async def score(self, texts: Sequence[str]) -> list[Scores]:
        """One call of the network at a time; the others wait, as long as the timeout allows."""
        try:
            async with asyncio.timeout(self.timeout), self._lock:
                return await asyncio.to_thread(self._scored, list(texts))
        except TimeoutError:
            raise EndpointError(Failure.TIMEOUT, f"the classifier took more than {self.timeout:g} s") from None
        except (RuntimeError, ValueError, IndexError) as error:  # of torch: memory, a token that the weights lack
            raise EndpointError(Failure.BROKEN, f"{type(error).__name__}: {error}") from error

    def _load(self) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
        from arena.endpoints.checkpoint import load_text_classifier

        network, tokenizer = load_text_classifier(self.source, self.device)
        if not getattr(tokenizer, "is_fast", False):
            detail = (
                f"cannot load {self.source!r}: its tokenizer has no tokenizer.json, so long texts cannot be cut"
            )
            raise EndpointError(Failure.UNUSABLE, detail)
        return network, tokenizer

    def _scored(self, texts: list[str]) -> list[Scores]:
        if self._loaded is None:
            raise EndpointError(Failure.NOT_READY, "the classifier is not loaded")
        network, tokenizer = self._loaded
        length = getattr(network.config, "max_position_embeddings", None) or tokenizer.model_max_length
        most = min(int(length), int(tokenizer.model_max_length), WINDOW)
        cut = tokenizer(texts, truncation=True, max_length=most, stride=most // 8, return_overflowing_tokens=True)
        owners = cut["overflow_to_sample_mapping"]
        rows = self._rows(network, tokenizer, [{"input_ids": ids} for ids in cut["input_ids"]])
        labels = [str(network.config.id2label[number]) for number in range(network.config.num_labels)]
        best = [dict.fromkeys(labels, 0.0) for _ in texts]
        for owner, row in zip(owners, rows, strict=True):
            for label, score in zip(labels, row, strict=True):
                best[owner][label] = max(best[owner][label], score)
        return [Scores(scores, frozenset(name for name in scores if scores[name] >= 0.5)) for scores in best]

    def _rows(
        self, network: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, windows: list[dict[str, list[int]]]
    ) -> list[list[float]]:
        """The scores of each window, several at once."""
        import torch

        torch.set_num_threads(self.threads)
        independent = network.config.problem_type == MULTI_LABEL or network.config.num_labels == 1
        rows: list[list[float]] = []
        for start in range(0, len(windows), self.max_batch):
            batch = tokenizer.pad(windows[start : start + self.max_batch], return_tensors="pt")
            with torch.inference_mode():
                logits = network(**batch.to(network.device)).logits.float()
            rows += (logits.sigmoid() if independent else logits.softmax(-1)).tolist()
        return rows
