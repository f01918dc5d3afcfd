"""What can be wrong with a question to a model: one class a mistake, named for the mistake."""

from __future__ import annotations


class InterpError(ValueError):
    """A prompt, a model or an option that no attribution can be computed from."""


class BadOption(InterpError):
    """An option outside its range."""


class BadPrompt(InterpError):
    """A prompt without content, or with segments that do not fit its text."""


class PromptTooLong(InterpError):
    """More tokens than the model can read."""


class EmptyCompletion(InterpError):
    """A completion, or a span of one, without a token to attribute."""


class LabelNotOneToken(InterpError):
    """A verdict label that the tokenizer splits."""


class NoWeights(InterpError):
    """A model whose weights are not here: a name behind an API, or a folder without them."""


class UnsupportedModel(InterpError):
    """A network without the parts that a method needs."""


class BadDocument(InterpError):
    """An explanation document of a newer layout, or one without a part that it needs."""


class MissingExtra(ImportError):
    """torch or transformers is not installed."""
