"""Names of a file's own fields for those that are imported, from options `--map prompt=question`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from arena.errors import ConfigError
from arena.prompt_sets.records import BadPromptFile, Record

PROMPT_FIELDS = ("prompt", "messages", "id", "category", "checklist", "reference")
COMPLETION_FIELDS = ("completion", "model", "prompt", "messages", "id", "category", "reference")


def parse_mapping(options: Sequence[str], fields: Sequence[str]) -> dict[str, str]:
    """The source of each field, from options FIELD=SOURCE. Raises `ConfigError`.

    >>> parse_mapping(["prompt=question", "completion=choices.0.text"], COMPLETION_FIELDS)
    {'prompt': 'question', 'completion': 'choices.0.text'}
    """
    mapping: dict[str, str] = {}
    for option in options:
        field, _, source = option.partition("=")
        if field not in fields or not source:
            raise ConfigError(f"--map {option} is invalid. Write FIELD=SOURCE with one of: {', '.join(fields)}.")
        if field in mapping:
            raise ConfigError(f"--map {field} is given twice. Give each field one source.")
        mapping[field] = source
    return mapping


def mapped(record: Record, mapping: Mapping[str, str], place: str) -> dict[str, Any]:
    """The record under the names of the plain format; its other fields stay. Raises `BadPromptFile`.

    A dot leads into an object or a list: `choices.0.message.content`.
    """
    named = {field: _value(record, field, source, place) for field, source in mapping.items()}
    taken = {*PROMPT_FIELDS, *COMPLETION_FIELDS, "key", *(source.partition(".")[0] for source in mapping.values())}
    return {**{name: value for name, value in record.items() if name not in taken}, **named}


def _value(record: Record, field: str, source: str, place: str) -> Any:
    if source in record:
        return record[source]
    value: Any = record
    for part in source.split("."):
        try:
            value = value[int(part)] if isinstance(value, list) else value[part]
        except (LookupError, TypeError, ValueError):
            raise BadPromptFile(
                f"{place}: no field {source!r} for --map {field}={source}. The record has: {', '.join(record)}."
            ) from None
    return value
