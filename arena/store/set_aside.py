"""Votes of a judge or an import set aside and taken back: they stay in the store and in seals, and do not count.

The pair counts and packed votes change in the transaction of the caller, so that every board changes with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

from sqlalchemy import ColumnElement, delete, func
from sqlmodel import Session, col, select

from arena.errors import ConfigError
from arena.rules.set_aside import IMPORT, JUDGE_KIND, Aside
from arena.rules.votes import JUDGE, OVERALL
from arena.store.held_votes import held_asides, last_board_event
from arena.store.ledger import as_sealed, block_new_votes
from arena.store.packed_votes import PackedVote, add_packed, packed, remove_packed, voted_categories
from arena.store.query_filters import counting, in_category
from arena.store.schema.battles import PairCount, Vote, now
from arena.store.schema.set_aside import SetAside, VoteImport
from arena.store.votes import COLUMNS, count_many, counts_from_votes

AT_ONCE = 100_000  # packed votes in memory


@dataclass(frozen=True)
class Selection:
    """The votes of a judge, by its source, or of all imports of a name."""

    kind: str
    name: str

    def conditions(self) -> ColumnElement[bool]:
        """The condition on `Vote`."""
        if self.kind == JUDGE_KIND:
            return col(Vote.source) == self.name
        return col(Vote.import_id).in_(select(VoteImport.id).where(VoteImport.name == self.name))


@dataclass(frozen=True)
class VotesOfSource:
    """`changed` votes of a source in a category begin or cease to count; `counted` is what counts before."""

    source: str
    category: str
    changed: int
    counted: int


@dataclass(frozen=True)
class Listed:
    """A judge or an import with its votes, and whether they are set aside."""

    kind: str
    name: str
    votes: int
    set_aside: bool


def listed(session: Session) -> list[Listed]:
    """The judges and imports with votes, by name."""
    aside = {(row.kind, row.name) for row in current(session)}
    judges = select(Vote.source, func.count()).where(col(Vote.source).startswith(JUDGE)).group_by(col(Vote.source))
    imports = (
        select(VoteImport.name, func.count())
        .join(Vote, col(Vote.import_id) == col(VoteImport.id))
        .group_by(col(VoteImport.name))
    )
    found = [(JUDGE_KIND, *row) for row in session.exec(judges)] + [
        (IMPORT, *row) for row in session.exec(imports)
    ]
    return [Listed(kind, name, votes, (kind, name) in aside) for kind, name, votes in sorted(found)]


def current(session: Session) -> list[SetAside]:
    """What is set aside now, in the order in which it was."""
    query = select(SetAside).where(col(SetAside.taken_back_at).is_(None)).order_by(col(SetAside.id))
    return list(session.exec(query))


def log(session: Session) -> list[SetAside]:
    """Everything that was ever set aside, in order, with what was taken back."""
    return list(session.exec(select(SetAside).order_by(col(SetAside.id))))


def aside_version(session: Session) -> tuple[int, int, int]:
    """Three numbers of which one changes whenever votes are set aside or taken back, held or released."""
    times = func.count(), func.count(col(SetAside.taken_back_at))
    row = session.execute(select(*times)).one()
    return int(row[0]), int(row[1]), last_board_event(session)


def asides(session: Session) -> list[Aside]:
    """The votes that do not count now, as they are published: of judges and imports, then held ones, without who did it."""
    named = [
        Aside(row.kind, row.name, row.reason, as_sealed(row.set_at), _spans(session, row))
        for row in current(session)
    ]
    return [*named, *held_asides(session)]


def _spans(session: Session, row: SetAside) -> tuple[tuple[int, int], ...]:
    """The ids of an import's votes as spans from first to last; a judge's votes have their source."""
    if row.kind == JUDGE_KIND:
        return ()
    island = (col(Vote.id) - func.row_number().over(order_by=col(Vote.id))).label("island")
    votes = select(col(Vote.id).label("id"), island).where(Selection(row.kind, row.name).conditions()).subquery()
    ends = select(func.min(votes.c.id), func.max(votes.c.id)).group_by(votes.c.island)
    return tuple(sorted((int(first), int(last)) for first, last in session.execute(ends)))


def affected(session: Session, chosen: Selection, *, taking_back: bool) -> list[VotesOfSource]:
    """The votes that a change of the selection affects, by source and category, those of all categories first.

    Raises `ConfigError` for a selection without votes, or in this state already.
    """
    aside = _row_before(session, chosen, taking_back)
    changed: Counter[tuple[str, str]] = Counter()
    cells = counts_from_votes(session, chosen.conditions(), counted=counting(aside.id or 0 if aside else 0))
    for (_, _, category, source), counts in cells.items():
        changed[source, category] += sum(counts)
    before = counted_by_source(session)
    rows = [VotesOfSource(*key, number, before.get(key, 0)) for key, number in changed.items()]
    return sorted(rows, key=lambda row: (row.category != OVERALL, -row.changed, row.source, row.category))


def counted_by_source(session: Session) -> Mapping[tuple[str, str], int]:
    """The votes that count now, by source and category."""
    keys = col(PairCount.source), col(PairCount.category)
    votes = PairCount.wins + PairCount.losses + PairCount.ties + PairCount.both_bad
    rows = session.execute(select(*keys, func.sum(votes)).group_by(*keys))
    return {(source, category): int(number) for source, category, number in rows}


def _row_before(session: Session, chosen: Selection, taking_back: bool) -> SetAside | None:
    """The row of a selection to take back, or None for one to set aside. Raises `ConfigError` as `affected` does."""
    named = [row.name for row in listed(session) if row.kind == chosen.kind]
    if chosen.name not in named:
        names = ", ".join(named) or "none"
        raise ConfigError(f"No {chosen.kind} {chosen.name!r} has votes here. Use one of: {names}.")
    row = next((row for row in current(session) if (row.kind, row.name) == (chosen.kind, chosen.name)), None)
    if (row is not None) != taking_back:
        state = "not set aside" if taking_back else "set aside already"
        raise ConfigError(f"{chosen.name} is {state}. Run `arena votes log` to see what was, when and by whom.")
    return row


def set_aside(session: Session, chosen: Selection, reason: str, by: str) -> int:
    """Let the votes of a selection no longer count; returns their number. Raises `ConfigError` as `affected` does.

    Later votes of a judge that is set aside do not count either.
    """
    block_new_votes(session)
    _row_before(session, chosen, taking_back=False)
    cells = counts_from_votes(session, chosen.conditions())
    _count(session, cells, -1)
    for category in voted_categories(session):
        for part in _batched(packed(session, in_category(category), chosen.conditions())):
            remove_packed(session, part, category)
    votes = _votes(cells)
    session.add(SetAside(kind=chosen.kind, name=chosen.name, votes=votes, reason=reason, set_by=by))
    session.flush()
    return votes


def take_back(session: Session, chosen: Selection, reason: str, by: str) -> int:
    """Let the votes of a selection count again; returns their number. Raises `ConfigError` as `affected` does."""
    block_new_votes(session)
    if (row := _row_before(session, chosen, taking_back=True)) is not None:
        row.taken_back_at, row.taken_back_by, row.taken_back_reason = now(), by, reason
        session.flush()
    cells = counts_from_votes(session, chosen.conditions())
    _count(session, cells, 1)
    for category in voted_categories(session):
        for part in _batched(packed(session, in_category(category), chosen.conditions())):
            add_packed(session, ((vote, (category,)) for vote in part))
    return _votes(cells)


def _votes(cells: Mapping[tuple[int, int, str, str], Sequence[int]]) -> int:
    return sum(sum(counts) for (_, _, category, _), counts in cells.items() if category == OVERALL)


def _count(session: Session, cells: Mapping[tuple[int, int, str, str], Sequence[int]], sign: int) -> None:
    """Add pair counts, or subtract them and remove those that are nothing."""
    columns = COLUMNS.values()
    rows = {
        (*key, column): sign * number
        for key, counts in cells.items()
        for column, number in zip(columns, counts, strict=True)
    }
    count_many(session, rows)
    session.execute(delete(PairCount).where(*(getattr(PairCount, column) == 0 for column in columns)))


def _batched(votes: Iterator[PackedVote]) -> Iterator[list[PackedVote]]:
    while batch := list(islice(votes, AT_ONCE)):
        yield batch
