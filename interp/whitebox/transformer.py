"""A transformers network with its tokenizer: one tokenization with offsets, runs and logits."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from interp.errors import BadOption, NoWeights, UnsupportedModel
from interp.extras import torch, transformers
from interp.whitebox import network_checks
from interp.whitebox.architecture import check_kind, decoder_of, layers_of
from interp.whitebox.fused_norms import fuse_norms
from interp.whitebox.last_layer import only_at, thin_parts
from interp.whitebox.pass_size import PassSize, attention_without_plans, pass_size
from interp.whitebox.prompt_tokens import PromptTokens

DTYPES = ("float32", "bfloat16", "float16")


class Transformer(PromptTokens):
    """A transformers network and its fast tokenizer.

    Parameters are frozen (`requires_grad` off): gradients go to embeddings alone. `batch_tokens` bounds the
    tokens in one forward pass without gradients, `gradient_tokens` those in one with gradients, and thereby the
    memory; by default both follow from the device (`interp.whitebox.pass_size`). What the network does is found out
    by running it (`interp.whitebox.network_checks`). Raises UnsupportedModel for a tokenizer without offsets, and for a
    network that reads text in both directions.
    """

    network_class = "AutoModelForCausalLM"

    def __init__(
        self,
        network: Any,
        tokenizer: Any,
        *,
        name: str | None = None,
        batch_tokens: int | None = None,
        gradient_tokens: int | None = None,
    ) -> None:
        if not getattr(tokenizer, "is_fast", False):
            raise UnsupportedModel(f"{type(tokenizer).__name__} has no offsets of tokens. Use a fast tokenizer.")
        self.network = network.eval().requires_grad_(False)
        self.tokenizer = tokenizer
        self.forward_size = pass_size("forward", network, batch_tokens)
        self.backward_size = pass_size("backward", network, gradient_tokens)
        self.name = name or str(getattr(network.config, "_name_or_path", "")) or type(network).__name__
        self.config = network.config.get_text_config()
        attention_without_plans()
        self._embedding_scale = 1.0
        self._scale: float | None = 1.0  # of logits; None where the network's own head is run
        self._prepare()

    def _prepare(self) -> None:
        self._prepare_decoder()
        self._read_head()

    def _prepare_decoder(self) -> None:
        """Find the decoder and what it does. Raises UnsupportedModel."""
        self.decoder = decoder_of(self.network)
        fuse_norms(self.decoder)
        self._embedding_scale = network_checks.embedding_scale(self.decoder, self.network)
        self._rounds = network_checks.rounds_over_passes(self)
        if self._rounds:
            self.forward_size, self.backward_size = PassSize(1), PassSize(1)

    @classmethod
    def load(cls, source: str | Path, *, dtype: str = "float32", device: str = "cpu", **options: Any) -> Self:
        """From a directory with weights or a GGUF file on this disk; float32, for near ties are below bfloat16.

        Raises NoWeights when there are none, UnsupportedModel for a network of another kind, BadOption for another dtype,
        and OSError or ValueError as transformers does.
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
        config = transformers.AutoConfig.from_pretrained(folder, trust_remote_code=False, **gguf)  # nosec B615
        check_kind(config, cls.network_class)
        maker = getattr(transformers, cls.network_class)
        network = maker.from_pretrained(  # a folder, or a revision in the options
            folder, dtype=getattr(torch, dtype), trust_remote_code=False, **gguf
        )
        return cls(network.to(device), tokenizer, name=place.stem if gguf else place.name, **options)

    @property
    def dtype(self) -> str:
        return str(self.network.dtype).removeprefix("torch.")

    @property
    def layers(self) -> Any:
        """The decoder's layers, first one first. Raises UnsupportedModel when they are kept elsewhere."""
        return layers_of(self.decoder)

    @cached_property
    def _thin_parts(self) -> list[Any]:
        return thin_parts(self)

    @property
    def linear_head(self) -> bool:
        """True if logits are a linear map of the decoder's last states, but for a cap on them."""
        return self._scale is not None

    @cached_property
    def shares_prefix(self) -> bool:
        """True if the keys and values of a text's beginning can be kept; recurrent networks read every text whole."""
        return not self._rounds and network_checks.shares_prefix(self)

    @cached_property
    def _has_gradient(self) -> bool:
        return network_checks.has_gradient(self)

    def check_gradient(self) -> None:
        """Raise UnsupportedModel for a network that passes no gradient to its embeddings."""
        if not self._has_gradient:
            raise UnsupportedModel(
                f"{type(self.network).__name__} passes no gradient to its embeddings, as networks packed into integers. "
                "Load the weights in float32, or use a black-box method."
            )

    def embed(self, ids: torch.Tensor) -> torch.Tensor:
        """(tokens, width) of ids (tokens,)."""
        with torch.no_grad():
            embeddings = self.network.get_input_embeddings()(ids.to(self.network.device))
            return embeddings if self._embedding_scale == 1 else embeddings * self._embedding_scale

    def run(self, embeddings: torch.Tensor, past: Any = None) -> Any:
        """The decoder's output on embeddings (rows, tokens, width) behind the cache `past`, which it extends."""
        return self._run(self.decoder, embeddings, past)

    def states(self, embeddings: torch.Tensor, past: Any = None) -> torch.Tensor:
        """(rows, tokens, ...): what `logits` reads at each token, the normed last hidden states as a rule."""
        if self._scale is None:
            return self._run(self.network, embeddings, past).logits
        return self.run(embeddings, past).last_hidden_state

    def ends(
        self, embeddings: torch.Tensor, lengths: torch.Tensor, suffix: torch.Tensor, past: Any = None
    ) -> torch.Tensor:
        """(rows, 1 + suffix, ...): the states at each row's last token and at those of `suffix` (ids) behind it.

        Rows of different `lengths` (rows,) are padded on the right: no real token can see the padding.
        """
        extra = len(suffix)
        if extra:
            padded = torch.nn.functional.pad(embeddings, (0, 0, 0, extra))
            tail, each = self.embed(suffix), zip(padded, lengths.tolist(), strict=True)
            embeddings = torch.stack([torch.cat([row[:n], tail, row[n + extra :]]) for row, n in each])
        at = (lengths[:, None] - 1 + torch.arange(extra + 1)).to(embeddings.device)
        with only_at(self._thin_parts, at):
            states = self.states(embeddings, past)
        return states[torch.arange(len(states), device=states.device)[:, None], at]

    def cache(self, embeddings: torch.Tensor) -> Any:
        """The keys and values of all layers after a run on embeddings (rows, tokens, width)."""
        cache = transformers.DynamicCache()
        self.run(embeddings, past=cache)
        return cache

    def logits(self, states: torch.Tensor, rows: torch.Tensor | None = None) -> torch.Tensor:
        """Logits (..., rows) of states (..., width): of some rows, or of the whole vocabulary."""
        if self._scale is None:
            return states if rows is None else states[..., rows]
        head = self.network.get_output_embeddings()
        weight, bias = head.weight, getattr(head, "bias", None)
        if rows is not None:
            weight, bias = weight[rows], None if bias is None else bias[rows]
        logits = torch.nn.functional.linear(states.to(weight.dtype), weight, bias)  # Mamba adds up in float32
        if self._scale != 1:
            logits = logits * self._scale
        cap = getattr(self.config, "final_logit_softcapping", None)
        return torch.tanh(logits / cap) * cap if cap else logits

    def _run(self, part: Any, embeddings: torch.Tensor, past: Any) -> Any:
        takes = inspect.signature(part.forward).parameters
        argument = "cache" if "cache" in takes else "past_key_values"  # before transformers 5.24
        given = {argument: past} if past is not None else {}
        # A copy: some networks scale the embeddings they are given in place.
        return part(inputs_embeds=embeddings.clone(), use_cache=past is not None, **given)

    def _find_embedding_scale(self, ids: torch.Tensor, by_ids: Callable[[], torch.Tensor]) -> None:
        """Find the scale at which embeddings give the numbers that ids (1, tokens) give. Raises UnsupportedModel."""
        lengths = torch.tensor([ids.shape[1]])
        try:
            with torch.no_grad():
                theirs = by_ids()
                for scale in network_checks.embedding_scales(self.network):
                    self._embedding_scale = scale
                    if network_checks.close(self.ends(self.embed(ids[0])[None], lengths, ids[0, :0]), theirs):
                        return
        except network_checks.FOREIGN_CACHE as error:
            raise network_checks.unlike_tokens(self.network) from error
        raise network_checks.unlike_tokens(self.network)

    def _read_head(self) -> None:
        """Find the scale at which our unembedding of a few rows gives the network's own logits, or else use its own."""
        ids = network_checks.probe(self.network)
        with torch.no_grad():
            theirs = self.network(input_ids=ids, use_cache=False).logits
            try:
                states = self.states(self.embed(ids[0])[None])
                for scale in network_checks.scales(self.config):
                    self._scale = scale
                    if network_checks.close(self.logits(states), theirs):
                        return
            except (AttributeError, TypeError):
                pass  # a head of several layers, or one that is packed into integers
            self._scale = None
