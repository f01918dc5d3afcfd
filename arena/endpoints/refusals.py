"""What the words of a refusal say: whether the prompt is its cause, and which setting cures it."""

from __future__ import annotations

import re

from arena.endpoints.parameters import REMOVED_BY_FALSE

OF_PROMPT = re.compile(
    r"content.{0,20}(?:filter|polic|management)|safety|moderat|harm|flagged|inappropriate|sensitive|inspection|prohibited|"
    r"context.{0,10}(?:length|window|size)|maximum context|too long|too many tokens|敏感|违规|不合规",
    re.IGNORECASE,
)
IDENTIFIER = re.compile(r"\b(?=\w*\d)[\w-]{8,}")  # of a request or a time: it differs from call to call
CHECK = "Check `url`, `model` and `parameters` of the model in arena.toml."
CURES = (
    (
        r"could not finish the message|output limit was reached",
        "Raise the limit: --thinking-budget N for a judge, or `parameters = {max_completion_tokens = N}`.",
    ),
    (r"answered 402|quota|billing|credit|balance|insufficient", "Check the account at the provider."),
    (r"answered 404|model.{0,80}(?:not found|does not exist|not exist)", "Check `url` and `model` in arena.toml."),
    (r"system.{0,10}(?:role|message|prompt)", "Remove `system_prompt` of the model in arena.toml."),
    (r"image", "Set `images = false` for the model in arena.toml."),
)


def is_of_prompt(detail: str) -> bool:
    """Whether the refusal is about the text or the length of this prompt, so that another prompt may pass."""
    return OF_PROMPT.search(detail) is not None


def without_identifiers(detail: str) -> str:
    """The words of a refusal, the same for two calls that are refused for the same reason."""
    return IDENTIFIER.sub("…", detail)


def cure(detail: str) -> str:
    """The setting that cures this refusal, as a sentence; empty for one of the prompt."""
    if is_of_prompt(detail):
        return ""
    for pattern, advice in CURES:
        if re.search(pattern, detail, re.IGNORECASE):
            return advice
    for name in sorted(REMOVED_BY_FALSE, key=len, reverse=True):
        if re.search(rf"(?<!\w){name}(?!\w)", detail):
            return f"Set `parameters = {{{name} = false}}` for the model in arena.toml, or give a value that it takes."
    return CHECK
