"""A classifier of texts: a reward model, or an encoder such as BERT with labels.

f(x) = logit(label) - logit(against),     or the one logit of a reward model
"""

from __future__ import annotations

from typing import Any

from interp.errors import BadOption, UnsupportedModel
from interp.extras import torch
from interp.prompt import Prompt
from interp.whitebox import network_checks
from interp.whitebox.network_checks import FOREIGN_CACHE, with_padding
from interp.whitebox.target import Target, Term
from interp.whitebox.transformer import Transformer

Label = int | str


class Classifier(Transformer):
    """A network that scores a whole text.

    A decoder with a head on its last token keeps prefixes, and has attention, relevance and heads. An encoder reads in
    both directions: perturbation and gradients explain it, and its tokenizer's special tokens are added to the prompt.
    """

    network_class = "AutoModelForSequenceClassification"

    def _prepare(self) -> None:
        self._whole = not self._reads_last_token()
        self.special_tokens = self._whole
        if self._whole:
            self._scale = None
            ids = network_checks.probe(self.network)
            self._find_embedding_scale(ids, lambda: self.network(input_ids=ids).logits[:, None])

    def _reads_last_token(self) -> bool:
        """True where the head on the last token's state of a decoder gives the network's own logits."""
        if not hasattr(self.network, "score"):
            return False
        ids = network_checks.probe(self.network)
        try:
            self._prepare_decoder()
            with torch.no_grad():
                ours = self.network.score(self.states(self.embed(ids[0])[None])[:, -1])
                return network_checks.close(ours, self.network(input_ids=ids, use_cache=False).logits)
        except (UnsupportedModel, *FOREIGN_CACHE):
            return False

    def score(self, prompt: Prompt, label: Label | None = None, against: Label | None = None) -> Target:
        """The logit of a label, less that of another one; without labels the one logit of a reward model.

        Labels are numbers or names of the network. Raises BadOption, PromptTooLong, BadPrompt.
        """
        ids, units = self.tokens(prompt)
        names = self.labels
        if label is None and len(names) > 1:
            raise BadOption(f"no label. Expected one of: {', '.join(names)}.")
        first, second = self._number(label), self._number(against)
        name = "reward" if first is None else f"logit({names[first]})"
        name += "" if second is None else f" - logit({names[second]})"

        def read(states: torch.Tensor) -> torch.Tensor:
            logits = self.logits(states[:, -1])
            return logits[:, first or 0] - (0 if second is None else logits[:, second])

        return Target(self, prompt, units, ids, name, (Term(ids[:0], read),))

    @property
    def limit(self) -> int | None:
        """Tokens that the model can read. RoBERTa begins to count behind the place of its padding."""
        limit = super().limit
        places = [part for name, part in self.network.named_modules() if name.endswith("position_embeddings")]
        skipped = [part.padding_idx + 1 for part in places if getattr(part, "padding_idx", None) is not None]
        return limit - max(skipped) if limit and skipped else limit

    @property
    def labels(self) -> list[str]:
        """Names of the labels, in the order of the logits."""
        return [str(name) for _, name in sorted(self.network.config.id2label.items())]

    def _number(self, label: Label | None) -> int | None:
        if label is None:
            return None
        names = self.labels
        if label in names:
            return names.index(str(label))
        if isinstance(label, int) and 0 <= label < len(names):
            return label
        raise BadOption(f"label {label!r}. Expected one of: {', '.join(names)}.")

    @property
    def layers(self) -> Any:
        """A decoder's layers. Raises UnsupportedModel for an encoder."""
        if self._whole:
            raise UnsupportedModel(
                f"{type(self.network).__name__} reads text in both directions. Attention, relevance and heads are read "
                "from decoders alone. Use gradients or a black-box method."
            )
        return super().layers

    @property
    def shares_prefix(self) -> bool:
        """True for a decoder whose keys and values can be kept."""
        return not self._whole and super().shares_prefix

    def ends(
        self, embeddings: torch.Tensor, lengths: torch.Tensor, suffix: torch.Tensor, past: Any = None
    ) -> torch.Tensor:
        """(rows, 1, ...): the state of each row's last token; of an encoder the logits (rows, 1, labels)."""
        if not self._whole:
            return super().ends(embeddings, lengths, suffix, past)
        return with_padding(self.network, embeddings, lengths)().logits[:, None]

    def logits(self, states: torch.Tensor, rows: torch.Tensor | None = None) -> torch.Tensor:
        """Logits (..., labels) of states."""
        logits = states if self._whole else self.network.score(states)
        return logits if rows is None else logits[..., rows]
