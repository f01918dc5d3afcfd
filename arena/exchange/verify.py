"""`arena verify`: seals and published numbers computed again from an export, and every difference."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from arena.errors import ConfigError
from arena.exchange.archive import opened_export
from arena.exchange.board_comparison import (
    Row,
    board_key,
    board_name,
    by_key,
    differences,
    older_differences,
    repeated,
)
from arena.exchange.chain_check import chain_problems
from arena.exchange.columns import FIXED, OPEN, column_problems
from arena.exchange.consistency import battles_file, rewritten
from arena.exchange.dated_seals import check_timestamp
from arena.exchange.export_boards import ExportBoards, vote_of
from arena.exchange.files import MANIFEST, SET_ASIDE, BadExport, read_json, read_rows
from arena.exchange.findings import Findings
from arena.exchange.folder import FORMAT
from arena.exchange.grouped_counts import GroupedCounts, Statements
from arena.exchange.manifest_check import count_problems, file_problems
from arena.exchange.sealed_batch import SealedBatch
from arena.exchange.signature_check import check_signature
from arena.leaderboards.vote_counts import board_in_seal
from arena.leaderboards.vote_filters import EVERY, find_filter
from arena.rules.model_states import is_private
from arena.rules.seals import SealedVote
from arena.rules.set_aside import AsideVotes
from arena.rules.signed_heads import public_key
from arena.rules.vote_states import HELD


def verify(
    path: Path,
    head: str | None = None,
    report: Callable[[int], None] | None = None,
    *,
    key: str | None = None,
    against: Path | None = None,
    timestamp: Path | None = None,
    explorer: str | None = None,
) -> Findings:
    """The findings on an export. `head` is the hash of one of its seals, `key` the arena's public key, both from
    another source; `against` is an older export that this one must continue, `timestamp` a proof for one of its seals,
    and `explorer` an Esplora server that shows the blocks of the proof.

    Needs no database. Raises `BadExport` for a folder that is not an export, `ConfigError` for a key that is none.
    """
    public = None if key is None else public_key(key)
    with opened_export(path) as folder, _described(path):
        manifest = read_json(folder / MANIFEST)
        if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
            raise BadExport(
                f"{path}: {MANIFEST} is not of format {FORMAT}. Export again with this version of Arena."
            )
        findings = Findings()
        findings.problems += file_problems(folder, manifest)
        check = _Check(folder, manifest, findings)
        check.run(battles_file(folder), head, report)
        check_signature(findings, folder, check.chain, public)
        if against is not None:
            findings.problems += _rewritten(against, folder)
        if timestamp is not None:
            check_timestamp(findings, check.chain, timestamp, explorer)
    return findings


def _rewritten(older: Path, newer: Path) -> list[str]:
    with opened_export(older) as folder, _described(older):
        return list(rewritten(folder, newer))


@contextmanager
def _described(path: Path) -> Iterator[None]:
    """Whatever a file of the export makes Python raise, as a `BadExport` that names the export."""
    try:
        yield
    except FileNotFoundError as problem:
        raise BadExport(f"{path}: {Path(problem.filename).name} is missing. Export again.") from problem
    except OSError as problem:
        raise BadExport(f"{path}: {problem.strerror or problem} ({problem.filename}). Export again.") from problem
    except UnicodeDecodeError as problem:
        raise BadExport(f"{path}: a file is not UTF-8 text (byte {problem.start}). Export again.") from problem
    except (LookupError, TypeError, AttributeError, ValueError, ArithmeticError, RecursionError) as problem:
        raise BadExport(
            f"{path}: a row has a missing or invalid field: {repr(problem)[:200]}. Export again."
        ) from problem


class _Check:
    """One pass over the votes; each seal is checked after its last vote."""

    def __init__(self, folder: Path, manifest: Row, findings: Findings) -> None:
        self.folder, self.manifest, self.findings = folder, manifest, findings
        self.listed = list(read_rows(folder / "models.jsonl"))
        names = dict.fromkeys(str(row["model"]) for row in self.listed)
        self.models = [name for name in names if not is_private(name)]  # those that boards have
        self.chain = list(read_rows(folder / "seals.jsonl"))
        versions = dict.fromkeys(row["filter"] for row in self.chain)
        self.filters = {}
        for version in versions:
            try:
                self.filters[version] = find_filter(version)
            except ConfigError as problem:
                self.add_problem(f"seals.jsonl: {problem}")
        listed_aside = SET_ASIDE in manifest["files"]
        self.aside = list(read_rows(folder / SET_ASIDE)) if listed_aside else []
        statements = Statements(row.get("set_aside") or () for row in self.chain)
        self.counts = {version: GroupedCounts(statements) for version in self.filters}
        self.is_counted = {version: rule.start() for version, rule in self.filters.items()}
        last = self.chain[-1]["filter"] if self.chain else EVERY
        self.boards = ExportBoards(self.filters.get(last, find_filter(EVERY)), AsideVotes(self.aside))
        self.older_boards = self.older_seals = self.with_text = 0
        self.has_clusters = False  # exports from before 0.3 have no column of them

    def add_problem(self, problem: str) -> None:
        self.findings.problems.append(problem)

    def run(self, battles: Path, head: str | None, report: Callable[[int], None] | None) -> None:
        self._links(head)
        self._models()
        open_seals = iter(self.chain)
        current, batch = next(open_seals, None), SealedBatch()
        last = 0
        for row in read_rows(battles):
            vote = vote_of(row)
            if vote.vote <= last:
                self.add_problem(
                    f"vote {vote.vote}: comes after vote {last}; votes are in the order of their numbers"
                )
            while current is not None and vote.vote > current["last_vote"]:
                self._close(current, batch)
                current, batch = next(open_seals, None), SealedBatch()
            last = vote.vote
            self._take(vote, row, batch, current)
            self.findings.votes += 1
            if report is not None:
                report(self.findings.votes)
        while current is not None:
            self._close(current, batch)
            current, batch = next(open_seals, None), SealedBatch()
        boards = self._published()
        rows = {"seals.jsonl": len(self.chain), "models.jsonl": len(self.listed), "boards.json": boards}
        counted = {**rows, SET_ASIDE: len(self.aside), "with_text": self.with_text}
        self.findings.problems += count_problems(self.manifest, self.findings, counted)
        self.findings.not_covered += self._not_covered()

    def _models(self) -> None:
        for model in repeated(row["model"] for row in self.listed):
            self.add_problem(f"models.jsonl: {model} is there twice")
        for row in self.listed:
            if set(row) != {"model", "created_at"}:
                self.add_problem(f"models.jsonl: {row['model']}: keys are {', '.join(sorted(row))}")

    def _take(self, vote: SealedVote, row: Row, batch: SealedBatch, seal: Row | None) -> None:
        for text in column_problems(row, vote, seal["number"] if seal else None):
            self.add_problem(f"vote {vote.vote} ({vote.battle}): {text}")
        self.with_text += row.get("conversation_a") is not None
        self.has_clusters |= "prompt_cluster" in row
        if seal is not None:
            batch.add(vote, row)
        else:
            self.findings.unsealed += 1
        for version, is_counted in self.is_counted.items():
            if is_counted(vote):
                self.counts[version].add(vote)
        self.boards.add(vote, row)

    def _links(self, head: str | None) -> None:
        self.findings.problems += chain_problems(self.chain)
        self.findings.head = self.chain[-1]["sha256"] if self.chain else None
        if self.findings.head != self.manifest.get("head"):
            self.add_problem(f"{MANIFEST}: head is not the hash of the last seal")
        if head is not None and head not in [row["sha256"] for row in self.chain]:
            self.add_problem(f"no seal has the hash {head}; the last one is {self.findings.head}")

    def _close(self, row: Row, batch: SealedBatch) -> None:
        name = f"seal {row['number']}"
        self.findings.seals += 1
        self.findings.problems += [f"{name}: {text}" for text in batch.problems(row)]
        self.older_seals += row.get("columns") is None
        if row["filter"] in self.counts:
            self._sealed_boards(name, row)

    def _sealed_boards(self, name: str, row: Row) -> None:
        counts = self.counts[row["filter"]].without(row.get("set_aside") or ())
        for source in repeated(board["source"] for board in row["boards"]):
            self.add_problem(f"{name}: its board of {source} is there twice")
        sealed = {board["source"]: board for board in reversed(row["boards"])}
        is_recent = row.get("columns") is not None
        for source in dict.fromkeys((*sealed, *counts.sources)):
            if source not in sealed or source not in counts.sources:
                self.add_problem(
                    f"{name}: its board of {source} {'is missing' if source not in sealed else 'has no votes'}"
                )
                continue
            board = counts.leaderboard(source, self.models)
            self._compare(f"{name}: {source}", sealed[source], board_in_seal(board, source), is_recent=is_recent)

    def _published(self) -> int:
        """The number of published boards, each compared with the one that follows."""
        boards = read_json(self.folder / "boards.json")
        published, follows = by_key(boards), by_key(self.boards.published(self.models))
        for key in repeated(map(board_key, boards)):
            self.add_problem(f"boards.json: {board_name(key)}: is there twice")
        is_recent = self.has_clusters or any(row.get("columns") is not None for row in self.chain[-1:])
        for key in dict.fromkeys((*published, *follows)):
            name = f"boards.json: {board_name(key)}"
            if key not in published or key not in follows:
                self.add_problem(f"{name}: {'is missing' if key not in published else 'has no votes'}")
                continue
            self.findings.boards += 1
            self._compare(name, published[key], follows[key], is_recent=is_recent)
        if published.keys() == follows.keys() and list(published) != list(follows):
            self.add_problem("boards.json: the boards are in another order than the one that follows")
        return len(boards)

    def _compare(self, name: str, published: Row, follows: Row, *, is_recent: bool) -> None:
        """A board of this version without its `version` is no older one where everything about it is recent."""
        self.findings.numbers += sum(len(row) - 1 for row in published["models"]) + 1
        is_older = "version" not in published and not is_recent
        self.older_boards += is_older
        compared = (older_differences if is_older else differences)(published, follows)
        self.findings.problems += [f"{name}: {text}" for text in compared]

    def _not_covered(self) -> Iterator[str]:
        """What is published and not checked, in words."""
        yield f"{MANIFEST}: made_at, made_by, screened"
        yield f"battles: {', '.join(OPEN)}, which change with texts and rules; boards are computed from categories"
        if self.older_seals:
            yield (
                f"battles: {', '.join(FIXED)} of the votes in {self.older_seals} seals from before 0.3, which hold "
                "no hash of them"
            )
        if self.findings.unsealed:
            yield f"{self.findings.unsealed} votes that are newer than the last seal, and boards.json so far as they count"
        yield "models.jsonl: created_at, and models without votes"
        yield "timestamp of votes and sealed_at of seals, which the arena's clock gave; --timestamp bounds them"
        if self.aside != ((self.chain[-1].get("set_aside") or []) if self.chain else []):
            yield f"{SET_ASIDE}, which differs from the last seal; boards.json follows from it"
        for row in self.aside:
            yield f"{_left_out(row)}, which are on no board: {row['reason']}"
        if self.older_boards:
            yield (
                f"{self.older_boards} boards from before 0.3: their intervals, ranks, method, order and models without "
                "votes, which were defined otherwise"
            )


def _left_out(row: Row) -> str:
    """The votes of a row of `set_aside.jsonl`, in words."""
    if row["kind"] in HELD:
        votes = sum(last - first + 1 for first, last in row["spans"])
        return f"{votes:,} {row['kind']} votes ({row['name']}), the first since {row['since'][:10]}"
    return f"the votes of {row['name']}, set aside since {row['since'][:10]}"
