"""A causal language model with its weights, and the targets that can be explained.

    contrast  f(x) = logsumexp_{a in A} w_a . h - logsumexp_{b in B} w_b . h

h the normed last hidden state, w rows of the unembedding, A and B the spellings of two labels that are single
tokens ("A", " A"). It is log p(A) - log p(B) without projecting on the vocabulary.
"""

from __future__ import annotations

from collections.abc import Callable

from interp.errors import EmptyCompletion, LabelNotOneToken
from interp.extras import torch
from interp.prompt import Prompt
from interp.whitebox.target import Target, Term
from interp.whitebox.transformer import Transformer


class CausalLM(Transformer):
    """A network whose next token, or whose log-probability of a completion, is explained."""

    def contrast(self, prompt: Prompt, first: str = "A", second: str = "B") -> Target:
        """logit(first) - logit(second) of the next token. Positive: the model prefers `first`.

        Raises LabelNotOneToken, PromptTooLong, BadPrompt.
        """
        ids, units = self.tokens(prompt)
        a, b = self.spellings(prompt, ids, first), self.spellings(prompt, ids, second)
        if set(a) & set(b):
            raise LabelNotOneToken(f"labels {first!r} and {second!r} share a token. Use labels such as A and B.")
        read = self._contrast(torch.tensor([*a, *b]), len(a))
        name = f"logit({first}) - logit({second})"
        return Target(self, prompt, units, ids, name, (Term(ids[:0], read),))

    def label_mass(self, target: Target, *labels: str) -> float:
        """The probability that the next token is one of the labels; near 1 when the model plays by the rules."""
        rows = [row for label in labels for row in self.spellings(target.prompt, target.ids, label)]
        with torch.no_grad():
            lengths = torch.tensor([len(target.units)])
            last = self.ends(target.embeddings[None], lengths, target.ids[:0])[0, -1]
            return float(torch.softmax(self.logits(last).float(), -1)[rows].sum())

    def answer(
        self,
        prompt: Prompt,
        completion: str,
        *,
        span: tuple[int, int] | None = None,
        against: str | None = None,
    ) -> Target:
        """log p(completion | prompt), the sum over its tokens, or over those that begin in `span` (characters).

        `against` is another completion whose log-probability is subtracted. Raises EmptyCompletion,
        PromptTooLong, and BadPrompt when a token reaches from the prompt into the completion.
        """
        ids, units = self.tokens(prompt)
        terms = [self._completion(prompt, ids, completion, span, 1.0)]
        name = "log p(completion)" if span is None else f"log p(completion[{span[0]}:{span[1]}])"
        if against is not None:
            terms.append(self._completion(prompt, ids, against, None, -1.0))
            name += " - log p(other completion)"
        return Target(self, prompt, units, ids, name, tuple(terms))

    def _completion(
        self, prompt: Prompt, ids: torch.Tensor, completion: str, span: tuple[int, int] | None, sign: float
    ) -> Term:
        tokens, begins = self.completion_ids(prompt, ids, completion)
        low, high = span or (0, len(completion))
        chosen = [number for number, begin in enumerate(begins) if low <= begin < high]
        if not chosen:
            where = "" if span is None else f" between characters {low} and {high}"
            raise EmptyCompletion(
                f"completion {completion[:40]!r} has no token{where}. Give a completion or a span with at least one token."
            )
        self._fits(len(ids) + chosen[-1])
        tail = torch.tensor(tokens[: chosen[-1] + 1])
        return Term(tail[:-1], self._log_probability(tail, torch.tensor(chosen)), sign)

    def _contrast(self, rows: torch.Tensor, firsts: int) -> Callable[[torch.Tensor], torch.Tensor]:
        def read(hidden: torch.Tensor) -> torch.Tensor:
            logits = self.logits(hidden[:, -1], rows.to(hidden.device))
            return torch.logsumexp(logits[:, :firsts], -1) - torch.logsumexp(logits[:, firsts:], -1)

        return read

    def _log_probability(self, tail: torch.Tensor, chosen: torch.Tensor) -> Callable[[torch.Tensor], torch.Tensor]:
        def read(hidden: torch.Tensor) -> torch.Tensor:
            at, targets = chosen.to(hidden.device), tail[chosen].to(hidden.device)
            rows = [torch.log_softmax(self.logits(row[at]).float(), -1) for row in hidden]
            return torch.stack([row.gather(-1, targets[:, None]).sum() for row in rows])

        return read
