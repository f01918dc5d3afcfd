"""A reward model in this process: a sequence classifier with one number, as a judge without words.

Its reply to a conversation that ends with an assistant's message has no text but a `score`, the reward. Needs the
extra `local`; torch is imported when the endpoint starts.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from dataclasses import KW_ONLY, dataclass
from typing import TYPE_CHECKING

from arena.endpoints.batch_queue import BatchedEndpoint, Outcome, batch_outcomes
from arena.endpoints.endpoint import EndpointError, Failure, Finish, Reply, Request
from arena.endpoints.generation_plan import read_messages

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass
class Reward(BatchedEndpoint):
    """Serves the classifier at `source`: a directory, or a hub id with a pinned `revision`.

    A conversation longer than the model's context is refused, never cut: the end is what is judged.
    """

    source: str
    _: KW_ONLY
    revision: str | None = None
    dtype: str = "auto"
    device: str | None = None
    threads: int = 1
    chat_template: str | None = None

    async def stream(self, request: Request) -> AsyncGenerator[str | Finish]:
        raise EndpointError(
            Failure.REFUSED, "A reward model writes no text. Use it as a judge with --protocol reward."
        )
        yield ""

    def _load(self) -> Scorer:
        try:
            from arena.endpoints.checkpoint import load_classifier

            network, tokenizer = load_classifier(self.source, self.revision, self.dtype, self.device)
        except ImportError as cause:
            detail = f"The extra 'local' is missing ({cause}). Run `pip install 'arena[local]'`."
            raise EndpointError(Failure.UNUSABLE, detail) from cause
        if self.chat_template is not None:
            tokenizer.chat_template = self.chat_template
        return Scorer(network, tokenizer, self.threads)


class Scorer:
    """Rewards of conversations, several at once."""

    def __init__(self, network: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, threads: int) -> None:
        self._network, self._tokenizer, self._threads = network, tokenizer, threads
        length = getattr(network.config.get_text_config(), "max_position_embeddings", None)
        self._context = min(filter(None, (length, tokenizer.model_max_length))) - _skipped_positions(network)

    def answer(self, requests: Sequence[Request]) -> list[Outcome]:
        """A reply or an error for each request. Blocks."""
        return batch_outcomes(requests, self._tokens, self._replies)

    def close(self) -> None:
        """Nothing but memory, which goes with this object."""

    def _replies(self, prompts: Sequence[list[int]]) -> list[Reply]:
        return [_reply(score, len(tokens)) for tokens, score in zip(prompts, self._scores(prompts), strict=True)]

    def _tokens(self, request: Request) -> list[int]:
        from jinja2 import TemplateError

        messages = read_messages(request)
        if self._tokenizer.chat_template is None:
            raise EndpointError(Failure.REFUSED, "The reward model has no chat template. Configure chat_template.")
        try:
            text = self._tokenizer.apply_chat_template(messages, tokenize=False)
        except (TemplateError, TypeError, KeyError) as cause:
            raise EndpointError(
                Failure.REFUSED, f"The chat template rejects these messages ({cause}). Change chat_template."
            ) from cause
        tokens = list(self._tokenizer(text, add_special_tokens=False)["input_ids"])
        if not tokens:
            raise EndpointError(Failure.REFUSED, "The conversation has no tokens. Write something to judge.")
        if len(tokens) > self._context:
            raise EndpointError(
                Failure.REFUSED,
                f"The conversation has {len(tokens)} tokens and the context is {self._context}. Shorten it.",
            )
        return tokens

    def _scores(self, prompts: Sequence[list[int]]) -> list[float]:
        """The classifier's one logit of each, padded on the right: it reads the last token that is no padding."""
        import torch

        torch.set_num_threads(self._threads)
        width = max(map(len, prompts))
        pad = self._network.config.pad_token_id
        ids = torch.full((len(prompts), width), pad)
        mask = torch.zeros_like(ids)
        for row, tokens in enumerate(prompts):
            ids[row, : len(tokens)] = torch.tensor(tokens)
            mask[row, : len(tokens)] = 1
        device = self._network.device
        with torch.inference_mode():
            logits = self._network(input_ids=ids.to(device), attention_mask=mask.to(device)).logits
        return [float(value) for value in logits[:, 0].float()]


def _skipped_positions(network: PreTrainedModel) -> int:
    """The positions that no token gets: RoBERTa and MPNet begin to count behind the place of their padding."""
    places = [part for name, part in network.named_modules() if name.endswith("position_embeddings")]
    padding = [getattr(part, "padding_idx", None) for part in places]
    return max((at + 1 for at in padding if at is not None), default=0)


def _reply(score: float, tokens: int) -> Reply:
    message = {"role": "assistant", "content": ""}
    return {
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "score": score,
        "usage": {"prompt_tokens": tokens, "completion_tokens": 0},
    }
