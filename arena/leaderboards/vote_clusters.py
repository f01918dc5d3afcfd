"""What belongs together on a board: votes of one voter, and verdicts on one prompt.

| votes by | clusters | also, if at least ten of them repeat |
| --- | --- | --- |
| people | voters | prompts of prompt sets, suggested and imported ones |
| one judge, or all judges | prompts | judges |
| people and judges | voters, each judge being one | prompts |

A board of judges is about these judges, whose verdicts are a sample of prompts. Verdicts on one prompt are one cluster
whichever judge gave them, so that trial runs, panels and templates of a judge do not count as further evidence.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from functools import partial

import numpy as np
from numpy.typing import NDArray

import ratings
from arena.rules.seals import pseudonym
from arena.rules.vote_clusters import SHARED, voter_code
from arena.rules.votes import HUMAN, JUDGE, JUDGES, OVERALL
from arena.store import Session
from arena.store.ledger import ledger_key
from arena.store.models import model_ids
from arena.store.packed_votes import ENTRY, Packed, packed_rows

MANY = 1 << 20  # votes; fewer are handled at once, and their clusters exactly
PART = 1 << 20  # bytes: the columns of a part share a cache
PACKED = 1 << 18  # bytes of a part that is not made into columns


Clusters = ratings.ClusteredVotes | ratings.StreamedVotes


def clusters_of(
    session: Session, source: str | None, category: str = OVERALL, without: Collection[str] = ()
) -> Clusters:
    """The votes of a source in a category by cluster, over all registered models. None is every source.

    Many votes come part by part.
    """
    rows, wanted = packed_rows(session, source, category, without), source or "all"
    names, unknown = model_ids(session), anonymous(session)
    number = sum(map(len, rows)) // ENTRY.itemsize
    read = _reader(wanted, names, unknown)
    if number <= MANY:
        return read(np.frombuffer(b"".join(rows), dtype=ENTRY))

    def parts() -> Iterator[ratings.ClusteredVotes]:
        return (read(np.frombuffer(part, dtype=ENTRY)) for part in _joined(rows))

    def codes() -> Iterator[Mapping[str, NDArray[np.int32]]]:
        return (_codes(np.frombuffer(part, dtype=ENTRY), wanted, unknown)[1] for part in _joined(rows))

    def packed() -> Iterator[ratings.PackedVotes]:
        models, place = _models(names)
        for part in _joined(rows, PACKED):
            columns = partial(read, np.frombuffer(part, dtype=ENTRY))
            yield ratings.PackedVotes(part, models, place, _codes_of(wanted), unknown[0], columns)

    return ratings.StreamedVotes(tuple(sorted(names.values())), number, parts, codes, packed)


def _joined(rows: Iterable[bytes], least: int = PART) -> Iterator[bytes]:
    """The rows in parts of at least so many bytes, and little more."""
    part: list[bytes] = []
    length = 0
    for row in rows:
        part.append(row)
        length += len(row)
        if length >= least:
            yield b"".join(part)
            part, length = [], 0
    if part:
        yield b"".join(part)


def clustered(
    votes: Packed, source: str, names: Mapping[int, str], unknown: Sequence[int] = ()
) -> ratings.ClusteredVotes:
    """Packed votes by cluster. `names` are those of the models by id; voters of the codes `unknown` are not known."""
    return _reader(source, names, unknown)(votes)


def _reader(
    source: str, names: Mapping[int, str], unknown: Sequence[int]
) -> Callable[[Packed], ratings.ClusteredVotes]:
    """What makes clustered votes of packed ones; see `clustered`."""
    models, place = _models(names)

    def read(votes: Packed) -> ratings.ClusteredVotes:
        given, codes = _codes(votes, source, unknown)
        return ratings.ClusteredVotes(
            models, place[votes["a"]], place[votes["b"]], (given & 3).astype(np.uint8), codes
        )

    return read


def _models(names: Mapping[int, str]) -> tuple[tuple[str, ...], NDArray[np.int32]]:
    """The models in order of their names, and the place of each id among them, -1 where there is none."""
    models = tuple(sorted(names.values()))
    order = {name: number for number, name in enumerate(models)}
    place = np.full(max(names, default=0) + 1, -1, dtype=np.int32)
    for number, name in names.items():
        place[number] = order[name]
    return models, place


def _codes(
    votes: Packed, source: str, unknown: Sequence[int]
) -> tuple[NDArray[np.uint32], dict[str, NDArray[np.int32]]]:
    """The column of voters and outcomes, and the clusters of packed votes by name."""
    given = np.ascontiguousarray(votes["voter"])
    voter = (given >> 2).astype(np.int32)
    for code in unknown:
        if (same := voter == code).any():
            voter[same] = ratings.ALONE
    return given, ways(source, voter, np.ascontiguousarray(votes["prompt"]))


def ways(source: str, voter: NDArray[np.int32], prompt: NDArray[np.uint32]) -> dict[str, NDArray[np.int32]]:
    """The clusters of votes of a source by name, from the codes of voters and prompts; see the module."""
    if source == HUMAN and prompt.max(initial=0) < SHARED:  # as in most parts
        return {"voters": voter, "prompts": np.full(len(prompt), ratings.ALONE, dtype=np.int32)}
    on = (prompt & np.uint32(SHARED - 1)).astype(np.int32)
    if source == HUMAN:
        return {"voters": voter, "prompts": np.where(prompt >= SHARED, on, np.int32(ratings.ALONE))}
    if source == JUDGES or source.startswith(JUDGE):
        return {"prompts": on, "judges": voter}
    return {"voters": voter, "prompts": on}


def _codes_of(source: str) -> Mapping[str, ratings.PackedCode]:
    """Which code of a packed vote each of these clusters is; see `ways`."""
    if source == HUMAN:
        return {"voters": "first", "prompts": "shared second"}
    if source == JUDGES or source.startswith(JUDGE):
        return {"prompts": "second", "judges": "first"}
    return {"voters": "first", "prompts": "second"}


def anonymous(session: Session) -> tuple[int, ...]:
    """The codes under which imports before 0.3 stored voters that they did not know."""
    return (voter_code(pseudonym(ledger_key(session), "imported"), ""),)


def of_columns(
    session: Session,
    columns: tuple[Sequence[str], Sequence[str], Sequence[str]],
    numbers: Sequence[int],
    read: Packed,
    source: str,
) -> ratings.ClusteredVotes:
    """The clusters of votes whose models and winners are given as columns, by their ids among packed votes."""
    order = np.argsort(read["vote"])
    votes = read[order[np.searchsorted(read["vote"], np.asarray(numbers), sorter=order)]]
    codes = clustered(votes, source, model_ids(session), anonymous(session)).clusters
    battles = ratings.read_battles(*columns)
    return ratings.ClusteredVotes(battles.models, battles.model_a, battles.model_b, battles.outcome, codes)


def main_cluster(votes: ratings.ClusteredVotes) -> NDArray[np.int64] | None:
    """The main cluster of each vote, of which one that is alone has its own; None where all share one."""
    codes = next(iter(votes.clusters.values())).astype(np.int64)
    alone = np.flatnonzero(codes == ratings.ALONE)
    codes[alone] = codes.max(initial=0) + 1 + np.arange(len(alone))
    return codes if len(np.unique(codes)) > 1 else None
