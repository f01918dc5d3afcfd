"""Functions of a token as render rules of markdown-it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markdown_it.utils import EnvType


def render_by(parser: MarkdownIt, name: str, html: Callable[[Token, EnvType], str]) -> None:
    """Render the tokens of a type as `html(token, env)`. `env` lives as long as the text is rendered."""

    def rule(*arguments: Any) -> str:
        _, tokens, index, _, env = arguments
        return html(tokens[index], env)

    parser.add_render_rule(name, rule)
