"""The prompts that this version suggests, by category. Battles that begin with one are marked.

An operator may suggest others (`arena/store/site_texts.py`).
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_name("suggested_prompts.json")


@cache
def suggested_prompts(language: str = "en") -> Mapping[str, tuple[str, ...]]:
    """The prompts of a language by category; English ones for a language without."""
    languages = json.loads(FILE.read_text(encoding="utf-8"))
    chosen = languages.get(language) or languages.get(language.replace("-", "_")) or languages["en"]
    return {category: tuple(prompts) for category, prompts in chosen.items()}


def is_suggested(prompt: str) -> bool:
    """Whether this version suggests the prompt in any language. Spaces, letter case and width make no difference."""
    return folded(prompt) in _all()


@cache
def _all() -> frozenset[str]:
    languages = json.loads(FILE.read_text(encoding="utf-8"))
    return frozenset(
        folded(prompt) for chosen in languages.values() for prompts in chosen.values() for prompt in prompts
    )


def folded(prompt: str) -> str:
    """A prompt without differences of spaces, letter case and the width of characters."""
    return " ".join(unicodedata.normalize("NFKC", prompt).split()).casefold()
