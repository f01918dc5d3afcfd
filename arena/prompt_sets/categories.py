"""Categories under the names of a file, such as `category_mapping.yaml` of LLMuses and evalscope.

Reasoning: ["logic", "reading comprehension"]
Other: ["*"]
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from arena.config.run_files import read_run_file
from arena.errors import ConfigError
from arena.prompt_sets.formats import checked_prompt
from arena.store.prompts import NewPrompt

EVERY = "*"  # the entry that stands for every other category


@dataclass(frozen=True)
class CategoryMapping:
    """The name of each category, and of every other one; without `rest` the others keep their own name."""

    where: str = ""
    names: Mapping[str, str] = field(default_factory=dict)
    rest: str | None = None

    def category(self, category: str) -> str:
        return self.names.get(category, self.rest or category)

    def prompt(self, prompt: NewPrompt) -> NewPrompt:
        """The prompt with its category's name. Raises `ConfigError` for a name that the column does not hold."""
        named = replace(prompt, category=self.category(prompt.category))
        if named.category == prompt.category:
            return prompt
        try:
            return checked_prompt(named)
        except ValueError as problem:
            raise ConfigError(f"{self.where}: {problem}") from problem


def read_categories(path: Path | None) -> CategoryMapping:
    """The mapping of a YAML file {name: [category, …]}; without a file one that changes nothing.

    The first name counts if a category has several, as in evalscope. Raises `ConfigError` naming the file.
    """
    if path is None:
        return CategoryMapping()
    names: dict[str, str] = {}
    rest = None
    for name, categories in read_run_file(path).items():
        if not isinstance(categories, list) or not all(isinstance(each, str) for each in categories):
            raise ConfigError(f"{path}: {name} is {str(categories)[:40]!r}. Expected a list of categories.")
        for category in categories:
            if category == EVERY:
                rest = rest or str(name)
            elif rest is None:
                names.setdefault(category, str(name))
    return CategoryMapping(str(path), names, rest)
