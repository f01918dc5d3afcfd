"""A prompt, labels and completions as the tokens of one model: one tokenization with offsets."""

from __future__ import annotations

from typing import Any

from interp.errors import BadPrompt, LabelNotOneToken, PromptTooLong
from interp.extras import torch
from interp.prompt import Prompt, Unit


class PromptTokens:
    """What a model's tokenizer makes of texts. `special_tokens`: it adds some around a prompt."""

    special_tokens = False
    tokenizer: Any
    config: Any
    name: str

    @property
    def limit(self) -> int | None:
        """Tokens that the model can read."""
        return getattr(self.config, "max_position_embeddings", None)

    def tokens(self, prompt: Prompt) -> tuple[torch.Tensor, tuple[Unit, ...]]:
        """(tokens,) ids and the stretch of the text that each stands for.

        The text is taken as it is: special tokens that it spells are read. None are added but for an encoder, which was
        trained with them; they are template. Raises BadPrompt for an empty text, PromptTooLong.
        """
        encoded = self.tokenizer(
            prompt.text,
            add_special_tokens=self.special_tokens,
            return_offsets_mapping=True,
            return_special_tokens_mask=True,
        )
        ids, offsets = encoded["input_ids"], encoded["offset_mapping"]
        if not prompt.text:
            raise BadPrompt("The prompt is empty. Give a text with at least one token.")
        self._fits(len(ids))
        added = encoded["special_tokens_mask"] if self.special_tokens else [0] * len(ids)
        pairs = zip(offsets, added, strict=True)
        return torch.tensor(ids), tuple(_unit(prompt, start, end, bool(mark)) for (start, end), mark in pairs)

    def completion_ids(self, prompt: Prompt, ids: torch.Tensor, completion: str) -> tuple[list[int], list[int]]:
        """The tokens of a completion behind the prompt's `ids`, and where each begins in it. Raises BadPrompt."""
        encoded = self.tokenizer(prompt.text + completion, add_special_tokens=False, return_offsets_mapping=True)
        every, offsets = encoded["input_ids"], encoded["offset_mapping"][len(ids) :]
        if every[: len(ids)] != ids.tolist():
            raise BadPrompt(
                f"a token reaches from the prompt ({prompt.text[-10:]!r}) into the completion "
                f"({completion[:10]!r}). Move spaces at the end of the prompt to the completion."
            )
        return every[len(ids) :], [start - len(prompt.text) for start, _ in offsets]

    def spellings(self, prompt: Prompt, ids: torch.Tensor, label: str) -> list[int]:
        """Ids of the tokens that are `label`, bare or with a space, alone or as the prompt's next token."""
        if not label.strip():
            raise LabelNotOneToken(f"label {label!r} is blank. Use labels such as A and B.")
        candidates: list[int] = []
        for spelled in (label, f" {label}"):
            alone = self.tokenizer(spelled, add_special_tokens=False)["input_ids"]
            there = self.tokenizer(prompt.text + spelled, add_special_tokens=False)["input_ids"]
            candidates += alone if len(alone) == 1 else []
            candidates += there[-1:] if there[:-1] == ids.tolist() else []
        spellings = [token for token in dict.fromkeys(candidates) if token != self.tokenizer.unk_token_id]
        if not spellings:
            pieces = self.tokenizer.tokenize(label, add_special_tokens=False)
            raise LabelNotOneToken(
                f"label {label!r} is {len(pieces)} tokens for this model ({' '.join(pieces)}). Use labels "
                "that are one token, such as A and B."
            )
        return spellings

    def _fits(self, tokens: int) -> None:
        if self.limit is not None and tokens > self.limit:
            raise PromptTooLong(
                f"{tokens} tokens, but {self.name} reads up to {self.limit}. Shorten the prompt or a completion."
            )


def _unit(prompt: Prompt, start: int, end: int, added: bool) -> Unit:
    if added and start == end:
        return Unit("", start, end)
    text = prompt.text[start:end]
    anchor = start + len(text) - len(text.lstrip())
    return Unit(text, start, end, prompt.segment_at(min(anchor, max(end - 1, start))))
