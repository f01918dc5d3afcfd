"""A transformers network with its tokenizer: one tokenization with offsets, runs and logits."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any, Self

from interp.errors import BadOption, BadPrompt, LabelNotOneToken, NoWeights, PromptTooLong, UnsupportedModel
from interp.extras import torch, transformers
from interp.prompt import Prompt, Unit

DTYPES = ("float32", "bfloat16", "float16")
CLOSE = 1e-3  # logits: our unembedding of a few rows against the model's own, in float32


class Transformer:
    """A transformers network and its fast tokenizer.

    Parameters are frozen (`requires_grad` off): gradients go to embeddings alone. `batch_tokens` bounds the
    tokens in one forward pass without gradients, and thereby its memory. Raises UnsupportedModel for a
    tokenizer without offsets, or a network that changes its logits in a way unknown here.
    """

    def __init__(self, network: Any, tokenizer: Any, *, name: str | None = None, batch_tokens: int = 512) -> None:
        if not getattr(tokenizer, "is_fast", False):
            raise UnsupportedModel(f"{type(tokenizer).__name__} has no offsets of tokens. Use a fast tokenizer.")
        self.network = network.eval().requires_grad_(False)
        self.tokenizer = tokenizer
        self.batch_tokens = batch_tokens
        self.name = name or str(getattr(network.config, "_name_or_path", "")) or type(network).__name__
        self.config = network.config.get_text_config()
        self.decoder = network.get_decoder()
        takes = inspect.signature(self.decoder.forward).parameters
        self._cache_argument = "cache" if "cache" in takes else "past_key_values"  # before transformers 5.24
        self._check_logits()

    @classmethod
    def load(cls, source: str | Path, *, dtype: str = "float32", device: str = "cpu", **options: Any) -> Self:
        """From a directory with weights or a GGUF file on this disk; float32, for near ties are below bfloat16.

        Raises NoWeights when there are none, BadOption for another dtype, and OSError or ValueError as
        transformers does.
        """
        if dtype not in DTYPES:
            raise BadOption(f"dtype {dtype!r}. Expected one of: {', '.join(DTYPES)}.")
        place = Path(source).expanduser()
        if not place.exists():
            raise NoWeights(
                f"{str(source)!r} is not a file or directory. Gradients, attention and relevance need the model's "
                "weights on this disk. For a model behind an API, use occlusion or Shapley values."
            )
        gguf = {"gguf_file": place.name} if place.suffix == ".gguf" else {}
        folder = place.parent if gguf else place
        if not gguf and not any([*folder.glob("*.safetensors"), *folder.glob("*.bin")]):
            raise NoWeights(f"{folder} has no *.safetensors or *.bin. Point to the directory with the weights.")
        tokenizer = transformers.AutoTokenizer.from_pretrained(
            folder, **gguf
        )  # a folder, or a revision in the options  # nosec B615
        network = transformers.AutoModelForCausalLM.from_pretrained(  # a folder, or a revision in the options  # nosec B615
            folder, dtype=getattr(torch, dtype), trust_remote_code=False, **gguf
        )
        return cls(network.to(device), tokenizer, name=place.stem if gguf else place.name, **options)

    @property
    def dtype(self) -> str:
        return str(self.network.dtype).removeprefix("torch.")

    @property
    def limit(self) -> int | None:
        """Tokens that the model can read."""
        return getattr(self.config, "max_position_embeddings", None)

    @property
    def layers(self) -> Any:
        """The decoder's layers, first one first. Raises UnsupportedModel when they are kept elsewhere."""
        layers = getattr(self.decoder, "layers", None)
        if layers is None:
            raise UnsupportedModel(
                f"{type(self.decoder).__name__} has no list `layers`. Attention, relevance and heads are "
                "read from Llama-like and Gemma-like decoders."
            )
        return layers

    def embed(self, ids: torch.Tensor) -> torch.Tensor:
        """(tokens, width) of ids (tokens,)."""
        with torch.no_grad():
            return self.network.get_input_embeddings()(ids.to(self.network.device))

    def run(self, embeddings: torch.Tensor, past: Any = None) -> Any:
        """The decoder's output on embeddings (rows, tokens, width) behind the cache `past`, which it extends."""
        return self.decoder(inputs_embeds=embeddings, use_cache=past is not None, **{self._cache_argument: past})

    def cache(self, embeddings: torch.Tensor) -> Any:
        """The keys and values of all layers after a run on embeddings (rows, tokens, width)."""
        cache = transformers.DynamicCache()
        self.run(embeddings, past=cache)
        return cache

    def logits(self, hidden: torch.Tensor, rows: torch.Tensor | None = None) -> torch.Tensor:
        """Logits (..., rows) of normed hidden states (..., width): of some rows, or of the whole vocabulary."""
        head = self.network.get_output_embeddings()
        weight, bias = head.weight, getattr(head, "bias", None)
        if rows is not None:
            weight, bias = weight[rows], None if bias is None else bias[rows]
        logits = torch.nn.functional.linear(hidden, weight, bias)
        cap = getattr(self.config, "final_logit_softcapping", None)
        return torch.tanh(logits / cap) * cap if cap else logits

    def tokens(self, prompt: Prompt) -> tuple[torch.Tensor, tuple[Unit, ...]]:
        """(tokens,) ids and the stretch of the text that each stands for.

        The text is taken as it is: special tokens that it spells are read, none are added. Raises BadPrompt
        for an empty text, PromptTooLong.
        """
        encoded = self.tokenizer(prompt.text, add_special_tokens=False, return_offsets_mapping=True)
        ids, offsets = encoded["input_ids"], encoded["offset_mapping"]
        if not ids:
            raise BadPrompt("The prompt is empty. Give a text with at least one token.")
        self._fits(len(ids))
        return torch.tensor(ids), tuple(_unit(prompt, start, end) for start, end in offsets)

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

    def _check_logits(self) -> None:
        with torch.no_grad():
            ids = torch.arange(1, 4, device=self.network.device)[None]
            ours = self.logits(self.decoder(input_ids=ids, use_cache=False).last_hidden_state)
            theirs = self.network(input_ids=ids, use_cache=False).logits
        reach = float(theirs.abs().max())
        if not torch.allclose(ours.float(), theirs.float(), atol=CLOSE * max(1.0, reach), rtol=CLOSE):
            raise UnsupportedModel(
                f"{type(self.network).__name__} changes its logits after the unembedding. Use a black-box method."
            )


def _unit(prompt: Prompt, start: int, end: int) -> Unit:
    text = prompt.text[start:end]
    anchor = start + len(text) - len(text.lstrip())
    return Unit(text, start, end, prompt.segment_at(min(anchor, max(end - 1, start))))
