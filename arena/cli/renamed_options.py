"""Old spellings of options, which are accepted and not shown."""

from __future__ import annotations

from typing import Any

from typer.core import TyperGroup

RENAMED = {
    "--again": "--recompute",
    "--canaries": "--control-pairs",
    "--coverage": "--completion-rate",
    "--journal": "--reply-cache",
    "--rung": "--request-type",
    "--scheme": "--protocol",
    "--screen": "--redact",
    "--unchecked": "--no-verify-checksum",
}


class RenamingGroup(TyperGroup):
    """The group of all commands, which reads an old spelling of an option as the new one."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        return super().parse_args(ctx, [_respelled(argument) for argument in args])


def _respelled(argument: str) -> str:
    name, equals, value = argument.partition("=")
    return RENAMED.get(name, name) + equals + value
