"""Changes of the suggested prompts of one language. Each function returns new prompts, and refuses what cannot be shown."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping

from arena.rules.messages import TranslatableError
from arena.rules.suggested_prompts import folded, suggested_prompts

Prompts = Mapping[str, tuple[str, ...]]  # by category, in the order of the page

MOST = 50  # prompts of a category
LONGEST = 2_000  # characters of a prompt
CATEGORIES = tuple(suggested_prompts())


class PromptsRefused(TranslatableError):
    """Prompts that cannot be suggested; nothing changed."""


def add(prompts: Prompts, category: str, text: str) -> Prompts:
    """With one more prompt, the last of its category. Raises `PromptsRefused`."""
    return _with(prompts, category, (*_of(prompts, category), text))


def change(prompts: Prompts, category: str, place: int, text: str) -> Prompts:
    """With another text at a place, which counts from 0. Raises `PromptsRefused`."""
    _at(prompts, category, place)
    return _with(prompts, category, (*prompts[category][:place], text, *prompts[category][place + 1 :]))


def retire(prompts: Prompts, category: str, place: int) -> Prompts:
    """Without the prompt at a place. Raises `PromptsRefused`."""
    _at(prompts, category, place)
    return _with(prompts, category, (*prompts[category][:place], *prompts[category][place + 1 :]))


def move(prompts: Prompts, category: str, place: int, *, up: bool) -> Prompts:
    """With the prompt at a place before its neighbour or after it. Raises `PromptsRefused` at an end."""
    text, to = _at(prompts, category, place), place - 1 if up else place + 1
    _at(prompts, category, to)
    others = [*prompts[category][:place], *prompts[category][place + 1 :]]
    others.insert(to, text)
    return _with(prompts, category, tuple(others))


def text_at(prompts: Prompts, category: str, place: int) -> str:
    """The prompt at a place. Raises `PromptsRefused`."""
    return _at(prompts, category, place)


def checked(prompts: Prompts) -> Prompts:
    """The prompts with plain line ends, in the order of the categories. Raises `PromptsRefused`."""
    known = {category: tuple(map(plain_text, prompts.get(category, ()))) for category in CATEGORIES}
    for category in prompts:
        _of(prompts, category)
    seen: set[str] = set()
    for texts in known.values():
        if len(texts) > MOST:
            raise PromptsRefused("A topic has at most {most} prompts. Retire one first.", most=MOST)
        for text in texts:
            if not 0 < len(text) <= LONGEST:
                raise PromptsRefused("A prompt has 1 to {most:,} characters. Change its length.", most=LONGEST)
            if folded(text) in seen:
                raise PromptsRefused("This prompt is suggested already: {prompt}", prompt=text[:80])
            seen.add(folded(text))
    return known


def plain_text(text: str) -> str:
    """A text with plain line ends and nothing around it. Raises `PromptsRefused` for characters that control a terminal."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n").strip()
    if any(unicodedata.category(character) in ("Cc", "Cs") and character not in "\n\t" for character in plain):
        raise PromptsRefused("The text has control characters. Remove them.")
    return plain


def as_json(prompts: Prompts) -> str:
    """The prompts as they are stored."""
    return json.dumps({category: list(texts) for category, texts in prompts.items()}, ensure_ascii=False)


def from_json(text: str) -> Prompts:
    """What `as_json` wrote."""
    return {category: tuple(texts) for category, texts in json.loads(text).items()}


def _of(prompts: Prompts, category: str) -> tuple[str, ...]:
    if category not in CATEGORIES:
        raise PromptsRefused("There is no topic {topic!r}. Choose one of the list.", topic=category[:40])
    return prompts.get(category, ())


def _at(prompts: Prompts, category: str, place: int) -> str:
    texts = _of(prompts, category)
    if not 0 <= place < len(texts):
        raise PromptsRefused("There is no prompt at this place. Look at the list again.")
    return texts[place]


def _with(prompts: Prompts, category: str, texts: tuple[str, ...]) -> Prompts:
    return checked({**prompts, category: texts})
