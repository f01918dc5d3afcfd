"""Who chose in an imported row: a person, known or not, or a judge."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any

from arena.errors import ConfigError
from arena.exchange.formats.battle_columns import given
from arena.rules.seals import FORMER, pseudonym
from arena.rules.votes import HUMAN, JUDGE

# Names of the voter in public files: people first, then sessions, which are of one person.
VOTERS = (
    "voter", "judge_hash", "judge", "worker", "annotator", "visitor_id", "user_id",
    "evaluation_session_id", "session_id", "session_hash",
)  # fmt: skip
PEOPLE = ("people", "person", HUMAN)
# Names in a column `judge` that are a model's and no person's, such as MT-bench's "gpt4_pair".
MODEL = re.compile(
    r"(gpt|claude|gemini|llama|mistral|mixtral|qwen|deepseek|command|grok)[\w.:/-]*\d[\w.:/-]*|o[134](-[\w.-]+)?",
    re.IGNORECASE,
)
LONGEST = 120  # characters of a source
LONGEST_VOTER = 64
ADDRESS = re.compile(r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?![\d.])|[^\s@]@[^\s@]")  # of IPv4, of mail
SEPARATORS = re.compile(r"[\s,;\"'<>()\[\]{}/|=]+")  # around addresses of IPv6


def source_option(text: str | None) -> str | None:
    """The source that `--source` means: people, or the name of a judge. Raises ConfigError for a name too long."""
    if text is None or text in PEOPLE:
        return None if text is None else HUMAN
    name = text.removeprefix(JUDGE).strip()
    if not _is_name(JUDGE + name):
        raise ConfigError(
            f"--source {text[:40]!r} is no name of a judge. Give people, or a name of up to 100 characters."
        )
    return JUDGE + name


def _is_name(source: str) -> bool:
    """Whether a judge's source has a name that pages and terminals show as it is."""
    return source.isprintable() and len(JUDGE) < len(source) <= LONGEST


def source_of(row: Mapping[str, Any], default: str | None) -> str:
    """The source of a row: its own, the model in its column `judge`, the default, or people.

    Raises ValueError for a source of its own that is neither people nor a judge.
    """
    own = given(row.get("source"))
    source = _judge(row.get("judge")) or default or HUMAN if own is None else own
    if source != HUMAN and not (isinstance(source, str) and source.startswith(JUDGE) and _is_name(source)):
        raise ValueError(
            f"source {str(source)[:40]!r} is unknown. Use human, or judge:NAME with up to 100 characters."
        )
    return str(source)


def _judge(value: object) -> str | None:
    """The source of a judge in a column `judge`: MT-bench's lists of a model and a prompt, or the name of a model."""
    if isinstance(value, list | tuple) and value and isinstance(value[0], str):
        return JUDGE + value[0]
    return JUDGE + value if isinstance(value, str) and MODEL.fullmatch(value) else None


def voter_of(row: Mapping[str, Any], source: str, key: bytes) -> str:
    """The voter of a row, or the source for a judge's vote and where the row names nobody.

    A voter that has an address of the net or of mail in it is stored as its pseudonym under `key`: the database holds no
    addresses. So is one that is written as the store writes deleted voters.
    """
    named = named_voter(row)
    if source != HUMAN or named is None:
        return source
    return (pseudonym(key, named) if _is_address(named) or named.startswith(FORMER) else named)[:LONGEST_VOTER]


def named_voter(row: Mapping[str, Any]) -> str | None:
    """The voter as the row names it."""
    return next((str(row[name]) for name in VOTERS if given(row.get(name)) is not None), None)


def _is_address(text: str) -> bool:
    """Whether an address is in a text, in brackets, with a port or among others too."""
    return bool(ADDRESS.search(text)) or any(map(_is_ip, SEPARATORS.split(text.removeprefix("arena_user_"))))


def _is_ip(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
