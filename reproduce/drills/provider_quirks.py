"""Judge runs in all three modes against a server with the oddities of real providers.

python -m reproduce.drills.provider_quirks

For each quirk and mode: cases with the right verdict, with a wrong one, and without one, and the calls made for each
request. A wrong verdict, a traceback, a verdict where the reply leaves doubt, none where it leaves no doubt, or a
second call for a reply that can be read is a failure (exit code 1).
"""

from __future__ import annotations

import json
import logging
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from arena.config import Settings, read_settings
from arena.judging import calls
from arena.judging.config import JudgeRunConfig
from arena.judging.plan import Case
from arena.judging.preparation import prepare
from arena.judging.run import open_judge_run
from arena.prompt_sets.completions import CompletionsConfig, write_completions
from arena.prompt_sets.prompt_sets import import_prompts
from arena.store import Database, open_database
from judges import Unparsable, Verdict
from reproduce.drills.quirk_bodies import MODES
from reproduce.drills.quirk_refusals import ALL_QUIRKS as QUIRKS
from reproduce.drills.quirk_server import BAD, GOOD, QuirkServer, quirk_server

PROMPTS = 1
AT_ONCE = 8  # runs: most of them wait for the pause before another try
MODEL = '[[models]]\nname = "{name}"\nendpoint = "scripted"\ndelay = 0\nreplies = ["{text}"]\n'
JUDGE = (
    '[[models]]\nname = "judge-{number}"\nendpoint = "openai"\nenabled = false\nurl = "{url}"\nread_timeout = 2\n'
)


@dataclass(frozen=True)
class Outcome:
    """The cases of one run; `calls` per request."""

    quirk: int
    mode: str
    right: int = 0
    wrong: int = 0
    unread: int = 0
    calls: float = 0.0
    traceback: str = ""

    @property
    def problem(self) -> str:
        """What failed, or nothing."""
        quirk = QUIRKS[self.quirk]
        if self.traceback:
            return f"a traceback: {self.traceback}"
        if self.wrong:
            return "a wrong verdict"
        if self.mode not in quirk.reads:
            return "a verdict where there is doubt" if self.right else ""
        return "a verdict is unread" if self.unread else "paid twice" if self.calls > 1 else ""


def settings_file(folder: Path, server: QuirkServer) -> Path:
    models = [MODEL.format(name=name, text=f"It is {text}.") for name, text in (("good", GOOD), ("bad", BAD))]
    judges = [JUDGE.format(number=n, url=server.model_url(n)) for n in range(len(QUIRKS))]
    path = folder / "arena.toml"
    path.write_text("\n".join([*models, *judges]), encoding="utf-8")
    return path


def is_right(case: Case, result: object) -> bool:
    """Whether the better model wins, or has the high score and the worse one the low score."""
    if isinstance(result, Verdict):
        return result.winner == ("model_a" if case.a.model == "good" else "model_b")
    score = getattr(result, "score", 0.0)
    return bool(score == 9) if case.a.model == "good" else bool(score == 2)


def outcome(
    database: Database, settings: Settings, folder: Path, quirk: int, mode: str, served: QuirkServer
) -> Outcome:
    """One run, and what it made of its replies."""
    before = served.calls[quirk]
    config = JudgeRunConfig(
        mode=mode, prompts="quirks", judge=f"judge-{quirk}", name=f"{mode}-{quirk}",
        baseline="bad" if mode == "baseline" else None, control_pairs=0, completion_rate=0,
        reply_cache=folder / f"{mode}-{quirk}.jsonl",
    )  # fmt: skip
    try:
        with open_judge_run(database, prepare(database, settings, config)) as run:
            run.run()
            results = list(calls.results(run.planned, run.session.reply_cache))
            requests = sum(len(row.keys) for row in run.planned)
    # The subject of the drill: whatever a reply raises is a failure of this run and not of the drill.
    except Exception as error:  # noqa: BLE001
        return Outcome(quirk, mode, traceback=repr(error))
    read = [(case, result) for case, result in results if not isinstance(result, Unparsable)]
    right = sum(is_right(case, result) for case, result in read)
    made = (served.calls[quirk] - before) / requests
    return Outcome(quirk, mode, right, len(read) - right, len(results) - len(read), made)


def outcomes(quirks: Sequence[int], folder: Path) -> list[Outcome]:
    """The outcome of each quirk in each mode."""
    prompts = [{"id": f"p{n}", "prompt": f"Question {n}?"} for n in range(PROMPTS)]
    path = folder / "quirks.jsonl"
    path.write_text("\n".join(map(json.dumps, prompts)), encoding="utf-8")
    with quirk_server() as served, open_database(f"sqlite:///{folder / 'arena.db'}") as database:
        settings = read_settings(settings_file(folder, served))
        import_prompts(database, str(path))
        completions = CompletionsConfig("quirks", ["good", "bad"], reply_cache=folder / "completions.jsonl")
        write_completions(database, settings, completions)

        def both(quirk: int) -> list[Outcome]:  # one after the other: the server counts the calls of a quirk
            return [outcome(database, settings, folder, quirk, mode, served) for mode in MODES]

        with ThreadPoolExecutor(AT_ONCE) as threads:
            return [found for pair in threads.map(both, quirks) for found in pair]


def main() -> int:
    logging.basicConfig(level=logging.ERROR, stream=sys.stderr)
    with tempfile.TemporaryDirectory(prefix="arena-quirks-") as folder:
        found = outcomes(range(len(QUIRKS)), Path(folder))
    sys.stdout.write("| quirk | mode | right | wrong | without a verdict | calls for each request |\n")
    sys.stdout.write("| --- | --- | ---: | ---: | ---: | ---: |\n")
    for row in found:
        counts = f"{row.right} | {row.wrong} | {row.unread} | {row.calls:g}"
        sys.stdout.write(f"| {QUIRKS[row.quirk].name} | {row.mode} | {counts} | {row.problem}\n")
    failed = sum(bool(row.problem) for row in found)
    sys.stdout.write(
        f"{len(QUIRKS)} quirks, {len(found)} runs, {sum(row.right for row in found)} right verdicts, "
        f"{sum(row.wrong for row in found)} wrong, {sum(row.unread for row in found)} cases without one, {failed} failures\n"
    )
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
