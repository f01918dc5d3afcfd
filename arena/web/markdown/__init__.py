"""The one renderer of prompts and completions: HTML that can neither run nor fetch anything."""

from arena.web.markdown.growing import GrowingHtml, Shown
from arena.web.markdown.rendered_texts import RenderedTexts, markdown, prompt_markdown

__all__ = ["GrowingHtml", "RenderedTexts", "Shown", "markdown", "prompt_markdown"]
