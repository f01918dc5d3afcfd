"""`arena verify`: seals and published numbers computed again from an export, and every difference."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import ratings
from arena.errors import ConfigError
from arena.exchange.export_boards import ExportBoards, Row, by_key, differences, vote_of
from arena.exchange.files import MANIFEST, BadExport, digest, opened_export, read_json, read_rows
from arena.exchange.folder import FORMAT
from arena.leaderboards.vote_counts import VoteCounts, board_in_seal
from arena.leaderboards.vote_filters import EVERY, find_filter
from arena.rules.seals import GENESIS, Seal, SealedVote, Tree

TOLERANCE = 0.001  # points: ratings are rounded at 0.0001, and machines add up in other orders
HASHED = ("number", "previous", "first_vote", "last_vote", "votes", "root", "filter", "sealed_at", "boards")


@dataclass
class Findings:
    """The counts of a verification, and its problems in words."""

    votes: int = 0
    unsealed: int = 0
    seals: int = 0
    boards: int = 0
    numbers: int = 0
    head: str | None = None
    problems: list[str] = field(default_factory=list)

    @property
    def holds(self) -> bool:
        return not self.problems

    def to_dict(self) -> dict[str, Any]:
        return {"holds": self.holds, **vars(self)}


def verify(path: Path, head: str | None = None, report: Callable[[int], None] | None = None) -> Findings:
    """The findings on an export. `head` is the hash of its last seal from another source.

    Needs no database. Raises `BadExport` for a folder that is not an export.
    """
    with opened_export(path) as folder, _described(path):
        manifest = read_json(folder / MANIFEST)
        if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
            raise BadExport(
                f"{path}: {MANIFEST} is not of format {FORMAT}. Export again with this version of Arena."
            )
        findings = Findings()
        findings.problems += _files(folder, manifest)
        battles = next((folder / name for name in manifest["files"] if name.startswith("battles.")), None)
        if battles is None:
            raise BadExport(f"{path} contains no file of battles. Export again.")
        _Check(folder, manifest, findings).run(battles, head, report)
    return findings


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
    except (LookupError, TypeError, AttributeError, ValueError, ArithmeticError) as problem:
        raise BadExport(
            f"{path}: a row has a missing or invalid field: {repr(problem)[:200]}. Export again."
        ) from problem


def _files(folder: Path, manifest: Row) -> Iterator[str]:
    for name, about in manifest["files"].items():
        if Path(name).name != name:
            raise BadExport(f"{MANIFEST}: {name[:80]!r} is not a name of a file in the folder. Export again.")
        if not (folder / name).exists():
            yield f"{name}: is in the manifest and missing from the folder"
        elif digest(folder / name) != about["sha256"]:
            yield f"{name}: is not the file that the manifest was made over (its SHA-256 differs)"


class _Check:
    """One pass over the votes; each seal is checked after its last vote."""

    def __init__(self, folder: Path, manifest: Row, findings: Findings) -> None:
        self.folder, self.manifest, self.findings = folder, manifest, findings
        self.models = [row["model"] for row in read_rows(folder / "models.jsonl")]
        self.chain = list(read_rows(folder / "seals.jsonl"))
        versions = dict.fromkeys(row["filter"] for row in self.chain)
        self.filters = {}
        for version in versions:
            try:
                self.filters[version] = find_filter(version)
            except ConfigError as problem:
                self.add_problem(f"seals.jsonl: {problem}")
        self.counts = {version: VoteCounts() for version in self.filters}
        self.is_counted = {version: rule.start() for version, rule in self.filters.items()}
        last = self.chain[-1]["filter"] if self.chain else EVERY
        self.boards = ExportBoards(self.filters.get(last, find_filter(EVERY)))

    def add_problem(self, problem: str) -> None:
        self.findings.problems.append(problem)

    def run(self, battles: Path, head: str | None, report: Callable[[int], None] | None) -> None:
        self._links(head)
        open_seals = iter(self.chain)
        current, tree, first, last = next(open_seals, None), Tree(), None, 0
        for row in read_rows(battles):
            vote = vote_of(row)
            if vote.vote <= last:
                self.add_problem(
                    f"vote {vote.vote}: comes after vote {last}; votes are in the order of their numbers"
                )
            while current is not None and vote.vote > current["last_vote"]:
                self._close(current, tree, first, last)
                current, tree, first = next(open_seals, None), Tree(), None
            last, first = vote.vote, first or vote.vote
            self._take(vote, row, tree, sealed=current is not None)
            self.findings.votes += 1
            if report is not None:
                report(self.findings.votes)
        while current is not None:
            self._close(current, tree, first, last)
            current, tree, first = next(open_seals, None), Tree(), None
        self._published()

    def _take(self, vote: SealedVote, row: Row, tree: Tree, *, sealed: bool) -> None:
        leaf = vote.leaf()
        if row.get("leaf") and row["leaf"] != leaf.hex()[: len(row["leaf"])]:
            self.add_problem(f"vote {vote.vote} ({vote.battle}): is not as it was when the export was made")
        if sealed:
            tree.add(leaf)
        else:
            self.findings.unsealed += 1
        for version, is_counted in self.is_counted.items():
            if is_counted(vote):
                self.counts[version].add((vote,))
        self.boards.add(vote, row)

    def _links(self, head: str | None) -> None:
        """Each seal has the hash of its content and names the one before."""
        before = GENESIS
        for place, row in enumerate(self.chain, 1):
            name = f"seal {row['number']}"
            if row["number"] != place:
                self.add_problem(f"{name}: stands where seal {place} should be")
            made = Seal(**{key: row[key] for key in HASHED}).sha256
            if made != row["sha256"]:
                self.add_problem(f"{name}: its content (filter, votes, boards or time) does not give its hash")
            if row["previous"] != before:
                self.add_problem(
                    f"{name}: does not follow the seal before it (previous is {row['previous'][:12]}…)"
                )
            before = row["sha256"]
        self.findings.head = before if self.chain else None
        if self.findings.head != self.manifest.get("head"):
            self.add_problem(f"{MANIFEST}: head is not the hash of the last seal")
        if head is not None and head != self.findings.head:
            self.add_problem(f"the last seal is {self.findings.head}, not {head}")

    def _close(self, row: Row, tree: Tree, first: int | None, last: int) -> None:
        name = f"seal {row['number']}"
        self.findings.seals += 1
        span = f"votes {row['first_vote']} to {row['last_vote']}"
        if tree.leaves != row["votes"]:
            self.add_problem(
                f"{name}: holds {row['votes']} votes ({span}), and the export has {tree.leaves} of them"
            )
        elif tree.root() != row["root"]:
            self.add_problem(f"{name}: {span} do not give its root; one of them was changed or exchanged")
        elif tree.leaves and (first, last) != (row["first_vote"], row["last_vote"]):
            self.add_problem(f"{name}: holds {span}, and the export has votes {first} to {last} in its place")
        if row["filter"] in self.counts:
            self._sealed_boards(name, row)

    def _sealed_boards(self, name: str, row: Row) -> None:
        counts = self.counts[row["filter"]]
        sealed = {board["source"]: board for board in row["boards"]}
        for source in dict.fromkeys((*sealed, *counts.sources)):
            if source not in sealed or source not in counts.sources:
                self.add_problem(
                    f"{name}: its board of {source} {'is missing' if source not in sealed else 'has no votes'}"
                )
                continue
            models = [line["model"] for line in sealed[source]["models"]]
            if absent := sorted(counts.models() - set(models)):
                self.add_problem(f"{name}: {source}: {absent[0]} has votes and is not on the board")
            board = ratings.leaderboard(counts.pair_counts(source, models))
            self._compare(f"{name}: {source}", sealed[source], board_in_seal(board, source))

    def _published(self) -> None:
        published = by_key(read_json(self.folder / "boards.json"))
        follows = by_key(self.boards.published(self.models))
        for name in dict.fromkeys((*published, *follows)):
            if name not in published or name not in follows:
                self.add_problem(
                    f"boards.json: {name}: {'is missing' if name not in published else 'has no votes'}"
                )
                continue
            self.findings.boards += 1
            if published[name]["filter"] != follows[name]["filter"]:
                given, sealed = published[name]["filter"], follows[name]["filter"]
                self.add_problem(f"boards.json: {name}: made with filter {given}, and the last seal has {sealed}")
            self._compare(f"boards.json: {name}", published[name], follows[name])

    def _compare(self, name: str, published: Row, follows: Row) -> None:
        self.findings.numbers += sum(len(row) - 1 for row in published["models"]) + 1
        self.findings.problems += [f"{name}: {text}" for text in differences(published, follows, TOLERANCE)]
