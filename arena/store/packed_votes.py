"""Votes in 16 bytes each, from which boards compute intervals that allow for clusters without reading single votes.

    vote id (4) | code of the voter's cluster, outcome in its two lowest bits (4) | code of the prompt's cluster (4)
    | left model (2) | right model (2)

little-endian, one after another, in rows by category, source and part. A part holds the clusters of a few voters (of
judges: of a few prompts), so that a vote changes one short row per category, in its own transaction.
Why it is so: docs/decisions/clustered-boards.md.
"""

from __future__ import annotations

import struct
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Integer, LargeBinary, bindparam, case, cast, delete, func, update
from sqlmodel import Session, col, select

from arena.rules.seals import published_voter
from arena.rules.vote_clusters import prompt_code, voter_code
from arena.rules.votes import HUMAN, OVERALL, WINNERS
from arena.store.ledger import ledger_key
from arena.store.query_filters import counting, counting_unless_held, in_category, of_source
from arena.store.schema.battle_features import BattleCategory
from arena.store.schema.battles import Battle, Vote
from arena.store.schema.clusters import BattlePrompt, PackedVotes
from arena.store.schema.ledger import LedgerKey
from arena.store.upserts import FEW, dialect_of, given, literal_rows, upsert_of, values_of

ENTRY = np.dtype([("vote", "<u4"), ("voter", "<u4"), ("prompt", "<u4"), ("a", "<u2"), ("b", "<u2")])
PARTS = 1 << 14  # as many as ratings has groups of clusters (`MOST_GROUPS`): each is read as one run of votes
FULL = 1 << 16  # bytes of a row after which the next begins: a vote rewrites the last one
ROWS = 500  # parts in one query: databases limit its parameters
_pack, _unpack = struct.Struct("<IIIHH").pack, struct.Struct("<IIIHH").unpack

Packed = NDArray[np.void]
Key = tuple[str, str, int]  # category, source, part


class PackedVote(NamedTuple):
    """A vote as it is stored here."""

    battle: int
    source: str
    part: int
    entry: bytes


def packed(session: Session, *conditions: Any, held_too: bool = False) -> Iterator[PackedVote]:
    """The votes that count and meet conditions on `Vote` and `Battle`, in the order of their ids.

    With `held_too` also those that only a hold keeps from counting.
    """
    key = ledger_key(session)
    query = _of_votes(held_too=held_too).where(*conditions)
    codes: dict[tuple[str, str], int] = {}
    for row in session.execute(query, execution_options={"yield_per": 10_000}):
        yield _packed(key, codes, *row)


def packed_vote(session: Session, number: int) -> PackedVote | None:
    """The vote with this id, or None if it does not count."""
    row = session.connection().execute(_OF_VOTE, {"number": number}).one_or_none()
    if row is None:
        return None
    *vote, key = row
    return _packed(ledger_key(session) if key is None else bytes.fromhex(key), {}, *vote)


def _packed(
    key: bytes, codes: dict[tuple[str, str], int], number: int, battle: int, source: str, voter: str, winner: str,
    public_id: str, a: int, b: int, prompt: str | None,
) -> PackedVote:  # fmt: skip
    """A vote of a row of `_of_votes`; `codes` keeps those of voters."""
    own = (source, voter)
    if own not in codes:
        codes[own] = voter_code(source if voter == source else published_voter(key, voter), public_id)
    on = prompt_code(prompt, public_id)
    by = voter_code(None, public_id) if voter == HUMAN else codes[own]
    entry = _pack(number, by << 2 | WINNERS.index(winner), on, a, b)
    return PackedVote(battle, source, (by if source == HUMAN else on) % PARTS, entry)


@cache
def _of_votes(*, held_too: bool) -> Any:
    """The query of `packed` without conditions, built once: every vote needs it."""
    columns: tuple[Any, ...] = (Vote.id, Vote.battle_id, Vote.source, Vote.voter, Vote.winner)
    return (
        select(*columns, Battle.public_id, Battle.model_a_id, Battle.model_b_id, BattlePrompt.cluster)  # type: ignore[call-overload]
        .select_from(Vote)
        .join(Battle, col(Battle.id) == col(Vote.battle_id))
        .join(BattlePrompt, col(BattlePrompt.battle_id) == col(Vote.battle_id), isouter=True)
        .where(counting_unless_held() if held_too else counting())
        .order_by(col(Vote.id))
    )


# one vote with the ledger's key, built once: every vote needs it
_OF_VOTE = (
    _of_votes(held_too=False)
    .where(col(Vote.id) == bindparam("number"))
    .add_columns(select(LedgerKey.key).where(LedgerKey.id == 1).scalar_subquery())
)


def add_packed(session: Session, votes: Iterable[tuple[PackedVote, Iterable[str]]]) -> None:
    """Add votes, each to its categories."""
    added: dict[Key, bytearray] = {}
    for vote, categories in votes:
        for category in categories:
            added.setdefault((category, vote.source, vote.part), bytearray()).extend(vote.entry)
    new = [
        {"category": category, "source": source, "part": part, "votes": bytes(entries)}
        for (category, source, part), entries in sorted(added.items())
    ]  # in the same order everywhere, to avoid deadlocks between concurrent votes
    if len(new) > FEW:
        chunks = _open_chunks(session, sorted(added))
        numbers = [{"chunk": chunks.get(key, 0)} for key in sorted(added)]
        session.connection().execute(
            _append(dialect_of(session), None), [row | number for row, number in zip(new, numbers, strict=True)]
        )
    elif new:
        session.connection().execute(_append(dialect_of(session), len(new)), values_of(new) | {"full": FULL})


@cache
def _append(dialect: str, number: int | None) -> Any:
    """The upsert that appends votes to so many rows, or to any list of them, built once: every vote needs it."""
    statement = upsert_of(dialect, PackedVotes)
    if number is not None:
        columns = {name: given(getattr(PackedVotes, name)) for name in ("category", "source", "part", "votes")}
        columns["chunk"] = _open_chunk
        statement = statement.from_select(list(columns), literal_rows(columns, number))
    joined: Any = col(PackedVotes.votes).op("||")(statement.excluded.votes)
    if dialect == "sqlite":
        joined = cast(joined, LargeBinary)  # SQLite's || gives text
    keys = ["category", "source", "part", "chunk"]
    return statement.on_conflict_do_update(index_elements=keys, set_={"votes": joined})


def _open_chunk(number: int) -> Any:
    """The chunk that takes further votes of one of the `literal_rows`, the first where there is none."""
    here = (
        col(getattr(PackedVotes, name)) == given(getattr(PackedVotes, name))(number)
        for name in ("category", "source", "part")
    )
    is_full = func.length(PackedVotes.votes) >= bindparam("full", type_=Integer())
    following = col(PackedVotes.chunk) + case((is_full, 1), else_=0)
    last = select(following).where(*here).order_by(col(PackedVotes.chunk).desc()).limit(1)
    return func.coalesce(last.scalar_subquery(), 0)


def remove_packed(session: Session, votes: Iterable[PackedVote], category: str) -> None:
    """Remove votes from a category. The rows are locked, so that no concurrent vote is lost with them."""
    removed: dict[str, dict[int, list[int]]] = {}
    for vote in votes:
        removed.setdefault(vote.source, {}).setdefault(vote.part, []).append(_number(vote.entry))
    for source, by_part in sorted(removed.items()):
        numbers = sorted(by_part)
        for start in range(0, len(numbers), ROWS):
            _remove(session, category, source, {part: by_part[part] for part in numbers[start : start + ROWS]})
    session.expire_all()


def _remove(session: Session, category: str, source: str, removed: Mapping[int, Sequence[int]]) -> None:
    """Remove votes by their part from the rows of these parts."""
    of_source = (col(PackedVotes.category) == category, col(PackedVotes.source) == source)
    rows = session.execute(
        select(PackedVotes.part, PackedVotes.chunk, PackedVotes.votes)
        .where(*of_source, col(PackedVotes.part).in_(removed))
        .order_by(col(PackedVotes.part), col(PackedVotes.chunk))
        .with_for_update()
    ).all()
    emptied, changed = [], []
    for part, chunk, votes in rows:
        entries = np.frombuffer(votes, dtype=ENTRY)
        left = entries[~np.isin(entries["vote"], removed[part])].tobytes()
        place = {"of_part": part, "of_chunk": chunk}
        if not left:
            emptied.append(place)
        elif left != votes:
            changed.append({**place, "left": left})
    here = (
        *of_source,
        col(PackedVotes.part) == bindparam("of_part"),
        col(PackedVotes.chunk) == bindparam("of_chunk"),
    )
    if emptied:
        session.connection().execute(delete(PackedVotes).where(*here), emptied)
    if changed:
        statement = update(PackedVotes).where(*here).values(votes=bindparam("left"))
        session.connection().execute(statement, changed)


def unpacked(vote: PackedVote) -> tuple[int, int, int]:
    """The left model, the right model and the place of the outcome in `WINNERS`."""
    _, by, _, a, b = _unpack(vote.entry)
    return a, b, by & 3


def _number(entry: bytes) -> int:
    return int.from_bytes(entry[:4], "little")


def _open_chunks(session: Session, keys: Sequence[Key]) -> dict[Key, int]:
    """The chunk that takes further votes, where it is not the first."""
    chunks: dict[Key, int] = {}
    for source in sorted({source for _, source, _ in keys}):
        own = [key for key in keys if key[1] == source]
        categories, numbers = sorted({key[0] for key in own}), sorted({key[2] for key in own})
        for start in range(0, len(numbers), ROWS):
            query = (
                select(PackedVotes.category, PackedVotes.part, PackedVotes.chunk, func.length(PackedVotes.votes))
                .where(PackedVotes.source == source, col(PackedVotes.category).in_(categories))
                .where(col(PackedVotes.part).in_(numbers[start : start + ROWS]))
                .order_by(col(PackedVotes.chunk))
            )
            for category, part, chunk, length in session.execute(query):
                chunks[category, source, part] = chunk + (length >= FULL)
    return chunks


def packed_votes(
    session: Session, source: str | None, category: str = OVERALL, without: Collection[str] = ()
) -> Packed:
    """The votes of a source (see `of_source`) in a category, part by part, as records of `ENTRY`."""
    return np.frombuffer(b"".join(packed_rows(session, source, category, without)), dtype=ENTRY)


def packed_rows(
    session: Session, source: str | None, category: str = OVERALL, without: Collection[str] = ()
) -> list[bytes]:
    """The votes of `packed_votes` in the rows that hold them."""
    query = select(PackedVotes.part, PackedVotes.source, PackedVotes.chunk, PackedVotes.votes).where(
        PackedVotes.category == category, of_source(PackedVotes.source, source, without)
    )
    rows = sorted(_driver_rows(session, query))  # SQLite would copy the votes to a file to sort them
    return [votes for *_, votes in rows]


def _driver_rows(session: Session, query: Any) -> list[tuple[int, str, int, bytes]]:
    """The rows of a query, from PostgreSQL in binary: as text, bytes are twice as long and have to be read."""
    connection = session.connection()
    if connection.dialect.name != "postgresql":
        result = connection.execute(query)
        found: list[tuple[int, str, int, bytes]] = list(result.cursor.fetchall())
        result.close()
        return found
    compiled = query.compile(dialect=connection.dialect, compile_kwargs={"render_postcompile": True})
    driver: Any = connection.connection
    with driver.cursor(binary=True) as cursor:
        cursor.execute(str(compiled), compiled.params)
        rows: list[tuple[int, str, int, bytes]] = cursor.fetchall()
    return rows


def rewrite_packed_votes(session: Session) -> None:
    """Replace the packed votes with those of the votes, one category at a time."""
    session.execute(delete(PackedVotes))
    for category in voted_categories(session):
        session.execute(PackedVotes.__table__.insert(), list(_rows(session, category)) or [])  # type: ignore[attr-defined]


def pack_once(connection: Connection) -> None:
    """Write the packed votes of a database of an older version, which has none."""
    with Session(bind=connection) as session:
        if session.exec(select(PackedVotes.part).limit(1)).first() is None:
            rewrite_packed_votes(session)
            session.flush()


def packed_differences(session: Session) -> list[tuple[str, str]]:
    """(category, source) of the packed votes that differ from the votes."""
    stored: dict[tuple[str, str], set[bytes]] = {}
    different = set()
    keys = set(session.exec(select(PackedVotes.category, PackedVotes.source).distinct()).all())
    for category in voted_categories(session):
        stored.clear()
        for vote in packed(session, in_category(category)):
            stored.setdefault((category, vote.source), set()).add(vote.entry)
        for key in {*stored, *(key for key in keys if key[0] == category)}:
            entries = packed_votes(session, key[1], category)
            given = {entry.tobytes() for entry in entries}
            if len(given) != len(entries) or given != stored.get(key, set()):
                different.add(key)
    return sorted(different | {key for key in keys if key[0] not in voted_categories(session)})


def voted_categories(session: Session) -> list[str]:
    """The categories of the battles with votes."""
    voted = select(Vote.battle_id)
    own = select(Battle.category).where(col(Battle.id).in_(voted)).distinct()
    by_rule = select(BattleCategory.category).where(col(BattleCategory.battle_id).in_(voted)).distinct()
    names = {*session.exec(own), *session.exec(by_rule)}
    return sorted(names | {OVERALL}) if names else []


def _rows(session: Session, category: str) -> Iterator[Mapping[str, Any]]:
    """The rows of a category, from the votes."""
    entries: dict[tuple[str, int], bytearray] = {}
    for vote in packed(session, in_category(category)):
        entries.setdefault((vote.source, vote.part), bytearray()).extend(vote.entry)
    for (source, part), votes in sorted(entries.items()):
        for chunk, start in enumerate(range(0, len(votes), FULL)):
            yield {"category": category, "source": source, "part": part, "chunk": chunk,
                   "votes": bytes(votes[start : start + FULL])}  # fmt: skip
