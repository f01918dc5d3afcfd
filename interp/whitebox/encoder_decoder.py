"""An encoder-decoder such as T5 or BART: the encoder reads the prompt, the decoder writes behind its start token.

The prompt is read in both directions, so every text is run whole. Perturbation and gradients explain it; attention,
relevance and heads are read from decoders alone.
"""

from __future__ import annotations

from typing import Any

from interp.errors import UnsupportedModel
from interp.extras import torch
from interp.prompt import Prompt
from interp.whitebox import network_checks
from interp.whitebox.causal_lm import CausalLM
from interp.whitebox.network_checks import with_padding


class EncoderDecoder(CausalLM):
    """A network whose first written token, or whose log-probability of a completion, is explained."""

    network_class = "AutoModelForSeq2SeqLM"
    special_tokens = True

    def _prepare(self) -> None:
        self.decoder = self.network.get_decoder()
        self._scale = None
        ids = network_checks.probe(self.network)

        def theirs() -> torch.Tensor:
            return self.network(input_ids=ids, decoder_input_ids=self._start[None], use_cache=False).logits[:, -1:]

        self._find_embedding_scale(ids, theirs)

    @property
    def layers(self) -> Any:
        raise UnsupportedModel(
            f"{type(self.network).__name__} is an encoder-decoder. Attention, relevance and heads are read from decoders "
            "alone. Use gradients or a black-box method."
        )

    @property
    def shares_prefix(self) -> bool:
        """False: what stands later changes the states of what stands before."""
        return False

    @property
    def _start(self) -> torch.Tensor:
        """(tokens,): what the decoder has written before the first token of a completion."""
        config = self.network.generation_config
        forced = config.forced_bos_token_id
        start = [self.network.config.decoder_start_token_id, *([] if forced is None else [forced])]
        return torch.tensor(start, device=self.network.device)

    def ends(
        self, embeddings: torch.Tensor, lengths: torch.Tensor, suffix: torch.Tensor, past: Any = None
    ) -> torch.Tensor:
        """(rows, 1 + suffix, vocabulary): logits behind the decoder's start and behind each token of `suffix`."""
        written = torch.cat([self._start, suffix.to(self._start)]).expand(len(embeddings), -1)
        network = with_padding(self.network, embeddings, lengths)
        return network(decoder_input_ids=written, use_cache=False).logits[:, len(self._start) - 1 :]

    def completion_ids(self, prompt: Prompt, ids: torch.Tensor, completion: str) -> tuple[list[int], list[int]]:
        """The tokens of a completion and where each begins in it; the prompt's are not before them."""
        encoded = self.tokenizer(completion, add_special_tokens=False, return_offsets_mapping=True)
        return encoded["input_ids"], [start for start, _ in encoded["offset_mapping"]]
