"""A receipt in a file, checked without the arena."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from arena.exchange.files import BadExport, read_json
from arena.rules.receipt_checks import receipt_problems
from arena.rules.signed_heads import public_key


@dataclass(frozen=True)
class CheckedReceipt:
    """What a receipt proves: its vote is in the seal with this hash, unless there are problems."""

    vote: object
    seal: str | None
    problems: tuple[str, ...]
    not_covered: tuple[str, ...]


def check_receipt_file(
    path: Path, key: str | None = None, head: str | None = None, *, in_export: bool = False
) -> CheckedReceipt:
    """The receipt of a file, checked; `in_export` if its seal is looked for in an export as well.

    Raises `BadExport` for a file that is no receipt, `ConfigError` for a key that is none.
    """
    public = None if key is None else public_key(key)
    try:
        given = read_json(path)
        problems = tuple(receipt_problems(given, public, head))
        seal = given.get("seal")
        digest = None if seal is None else str(seal["sha256"])
        not_covered = tuple(_not_covered(given, is_known=bool(key or head or in_export)))
        return CheckedReceipt(given["vote"], digest, problems, not_covered)
    except OSError as problem:
        raise BadExport(
            f"{path} cannot be read ({problem.strerror}). Give a receipt that the arena gave."
        ) from problem
    except (LookupError, TypeError, AttributeError, ValueError, RecursionError) as problem:
        raise BadExport(
            f"{path} is no receipt: {repr(problem)[:200]}. Give what /api/v1/receipts returned."
        ) from problem


def _not_covered(given: Mapping[str, Any], *, is_known: bool) -> Iterator[str]:
    if "content" not in given:
        yield "what the vote says: compare its leaf with the one that the voter got, or add the voter's content"
    if not is_known:
        yield "who made the seal: pass --key or --head from another source, or the folder of an export"
    if "state" in given:
        yield f"its state ({given['state']}), which can change: the set_aside of a later seal has what counts then"
