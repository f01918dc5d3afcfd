"""`arena judge align`: a judge's instructions rewritten from people's verdicts, with its held-out agreement."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.table import Table

from arena.cli.judge_options import names, takes
from arena.cli.options import for_programs, opened
from arena.cli.progress import progress_bar
from arena.cli.terminal import Console
from arena.errors import ConfigError

if TYPE_CHECKING:
    from arena.judging.alignment import Alignment
    from judges.alignment import Share

BEFORE, AFTER, REPORT = "before.md", "after.md", "report.json"


@takes(
    "judge", "writer", "against", "protocol", "template", "template_prompt", "models", "limit", "unshared", "budget",
    "concurrency", "timeout", "call_timeout", "completion_rate", "thinking_budget", "reply_cache", "out", "as_format",
    "config", "db",
)  # fmt: skip
def align(**given: Any) -> None:
    """Rewrite a judge's instructions from people's verdicts; print its agreement before and after, held out."""
    from arena.judging.alignment import align
    from arena.judging.config import config_of

    settings_file, db, as_format, out = (given.pop(name) for name in ("config", "db", "as_format", "out"))
    writer, against = given.pop("writer"), given.pop("against").value
    given["models"] = names(given["models"])
    config = config_of(mode="battles", order="both", control_pairs=0, **given)
    folder = out or Path(f"aligned-{config.judge}".replace("/", "_"))
    with opened(settings_file, db) as (database, settings):
        found = align(database, settings, config, writer=writer, against=against, progress=progress_bar)
    report = found.to_dict()
    _write(folder, found, report)
    if not for_programs(report, as_format, [_row(report)]):
        _print(found, folder)


def _write(folder: Path, found: Alignment, report: Mapping[str, Any]) -> None:
    """Write both prompts and the report. Raises `ConfigError` if the folder has other prompts or cannot be written."""
    texts = {BEFORE: found.before, AFTER: found.after}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, text in texts.items():
            if (path := folder / name).exists() and path.read_text(encoding="utf-8") != text:
                raise ConfigError(f"--out {folder}: {name} is another prompt. Choose another folder.")
        for name, text in {**texts, REPORT: json.dumps(report, indent=2, ensure_ascii=False) + "\n"}.items():
            (folder / name).write_text(text, encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise ConfigError(f"--out {folder}: cannot be written ({problem}). Choose another folder.") from problem


def _row(report: Mapping[str, Any]) -> dict[str, Any]:
    """The report with one value a column, without the prompts."""
    tables = {name: value for name, value in report.items() if isinstance(value, Mapping)}
    nested = {f"{name}_{key}": value for name, table in tables.items() for key, value in table.items()}
    left_out = {"before", "after", *tables}
    return {name: value for name, value in report.items() if name not in left_out} | nested


def _print(aligned: Alignment, folder: Path) -> None:
    found = aligned.found
    table = Table(
        title=f"alignment of {aligned.judge} by {aligned.writer}",
        caption=f"held out: {found.battles:,} battles over {found.prompts:,} prompts",
    )
    for column in ("", "agreement", "95 % interval"):
        table.add_column(column, justify="right" if column else "left")
    for name, share in (("before", found.before), ("after", found.after)):
        table.add_row(name, f"{share.value:.1%}", _interval(share))
    Console().print(table)
    console = Console(highlight=False, soft_wrap=True)
    console.print(
        f"gain {found.gain:+.1%} ({found.lower:+.1%} to {found.upper:+.1%}), one-sided p = {found.p_value:.3g}; "
        f"{found.better:,} battles better, {found.worse:,} worse"
    )
    if aligned.unread:
        console.print(f"{aligned.unread:,} battles without both verdicts are not compared")
    console.print(
        f"rewritten from {aligned.disagreements:,} disagreements among {aligned.trained:,} battles; {aligned.calls:,} calls"
        + (f", ${aligned.cost:.2f}" if aligned.cost is not None else "")
    )
    if aligned.shown:
        use = f"--protocol {aligned.protocol} --template {folder / AFTER} --name '{aligned.judge}#aligned'"
        console.print(f"Read {folder / AFTER}, then use it with: {use}", markup=False)
    else:
        console.print(
            f"The gain is not shown: it may be chance. Keep the present prompt ({folder / BEFORE}), or collect more votes.",
            style="yellow",
            markup=False,
        )


def _interval(share: Share) -> str:
    return "–" if share.lower is None or share.upper is None else f"{share.lower:.1%} – {share.upper:.1%}"
