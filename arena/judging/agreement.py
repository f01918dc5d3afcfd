"""Agreement of the store's judges with people and with each other, and their biases."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import combinations
from typing import Any

import ratings
from arena.errors import ConfigError
from arena.rules.reviews import REVIEWED
from arena.rules.votes import HUMAN, JUDGE, mirrored
from arena.store import Session
from arena.store.judgeable_battles import conversations
from arena.store.reviews import labels
from arena.store.verdicts import StoredVote, votes_on_record
from judges import agreement, biases
from judges.errors import NotConverged, NoVerdicts

PAIR_MEASURES = {
    "accuracy": agreement.accuracy,
    "accuracy without ties": agreement.accuracy_without_ties,
    "Cohen's kappa": agreement.cohen_kappa,
}
GROUP_MEASURES = {"Fleiss' kappa": agreement.fleiss_kappa, "Krippendorff's alpha": agreement.krippendorff_alpha}


def as_judged(winner: str) -> str:
    """The winner in the terms of a judge, with `both_bad` as a tie."""
    return "tie" if winner == "both_bad" else winner


@dataclass(frozen=True)
class Figure:
    """One figure about a judge, a pair of voters, or all of them."""

    measure: str
    between: str
    figure: agreement.Agreement

    def to_dict(self) -> dict[str, Any]:
        return {"measure": self.measure, "between": self.between, **vars(self.figure), "share": self.figure.share}


@dataclass(frozen=True)
class VotesByBattle:
    """Votes by battle and source, with the texts of each battle. `reference` is the source that judges are held against."""

    votes: Mapping[int, Mapping[str, StoredVote]]
    texts: Mapping[int, tuple[str, str]]  # of the left and the right model
    reference: str = HUMAN

    @cached_property
    def sources(self) -> list[str]:
        return sorted({source for given in self.votes.values() for source in given})

    def shared(self, *sources: str) -> list[int]:
        """Battles with votes of at least two of these sources, or of the only one."""
        least = min(2, len(sources))
        return [battle for battle, given in self.votes.items() if sum(s in given for s in sources) >= least]

    def verdicts(self, source: str, battles: Iterable[int]) -> list[str | None]:
        votes = (self.votes[battle].get(source) for battle in battles)
        return [None if vote is None else as_judged(vote.winner) for vote in votes]

    def clusters(self, battles: Iterable[int]) -> list[str]:
        """The prompt of each battle: verdicts over one prompt are one cluster."""
        return [next(iter(self.votes[battle].values())).prompt for battle in battles]


def votes_by_battle(
    session: Session, sources: Sequence[str] = (), prompts: str | None = None, against: str = HUMAN
) -> VotesByBattle:
    """The votes of these sources, or of all. Raises `ConfigError` if a source has no votes.

    `against`: the people that judges are held against, `human` for voters or `reviewers` for the labels of reviewers.
    """
    votes: dict[int, dict[str, StoredVote]] = {}
    for vote in votes_on_record(session, sources, prompts):
        votes.setdefault(vote.battle, {})[vote.source] = vote
    if against == REVIEWED:
        _add_labels(session, votes)
    voted = VotesByBattle(votes, _texts(session, list(votes)), against)
    if absent := [source for source in sources if source != "judges" and source not in voted.sources]:
        voters = votes_by_battle(session, (), prompts).sources if sources else []
        advice = f"Choose some of: {', '.join(voters)}." if voters else "There are no votes yet."
        raise ConfigError(f"--between: no votes of {absent[0]!r}. {advice}")
    if not votes:
        raise ConfigError("No votes yet. Run `arena serve`, or `arena judge pairwise --help`.")
    return voted


def _add_labels(session: Session, votes: dict[int, dict[str, StoredVote]]) -> None:
    """Add the labels of reviewers, and keep the battles that have one. Raises `ConfigError` where none is among them."""
    given = labels(session)
    for battle in [battle for battle in votes if battle not in given]:
        del votes[battle]
    if not votes:
        raise ConfigError(
            "--against reviewers: reviewers have decided none of these battles. "
            "Run `arena review fill`, then let reviewers decide at /review."
        )
    for battle, of_battle in votes.items():
        winner, at = given[battle]
        any_vote = next(iter(of_battle.values()))
        of_battle[REVIEWED] = replace(
            any_vote,
            source=REVIEWED,
            voter=REVIEWED,
            winner=winner,
            preference=None,
            orders=(),
            reason="",
            created_at=at,
        )


def _texts(session: Session, battles: Sequence[int]) -> dict[int, tuple[str, str]]:
    """The completions of each side, turns joined."""
    return {
        battle: ("\n".join(a for _, a, _ in turns), "\n".join(b for _, _, b in turns))
        for battle, turns in conversations(session, battles).items()
    }


def measure(record: VotesByBattle) -> Iterator[Figure]:
    """Every figure defined by the votes: of pairs of voters, of all voters, and of each judge."""
    for first, second in combinations(record.sources, 2):
        yield from _pair(record, first, second)
    if len(record.sources) > 1:
        battles = record.shared(*record.sources)
        given = [record.verdicts(source, battles) for source in record.sources]
        for name, statistic in GROUP_MEASURES.items():
            yield from _figures(name, "all", statistic, given, cluster=record.clusters(battles))
    for source in record.sources:
        yield from _leans(record, source)
        if source not in (HUMAN, REVIEWED):
            yield from _orders(record, source)
        if source != record.reference and record.reference in record.sources:
            yield from _biases(record, source)
            yield from _discrimination(record, source)


def _pair(record: VotesByBattle, first: str, second: str) -> Iterator[Figure]:
    """Figures of two voters; the truth of accuracy is the reference, then the human vote, or of two judges the second."""
    truth = next((source for source in (record.reference, HUMAN) if source in (first, second)), second)
    judge = first if truth == second else second
    battles = record.shared(first, second)
    verdicts = record.verdicts(judge, battles), record.verdicts(truth, battles)
    for name, statistic in PAIR_MEASURES.items():
        yield from _figures(name, f"{judge} ~ {truth}", statistic, *verdicts, cluster=record.clusters(battles))


def _sides(record: VotesByBattle, source: str, battles: Sequence[int]) -> dict[str, list[str | None]]:
    """The side of each battle that is longer, has a list, or is of the judge's own model."""
    texts = [record.texts.get(battle, ("", "")) for battle in battles]
    a, b = [left for left, _ in texts], [right for _, right in texts]
    votes = [next(iter(record.votes[battle].values())) for battle in battles]
    models_a, models_b = [vote.model_a for vote in votes], [vote.model_b for vote in votes]
    family = source.removeprefix(JUDGE).split("+")
    return {
        "the longer": biases.longer_side(a, b),
        "the one with a list": biases.side_with_list(a, b),
        "its own": biases.side_of_own_model(models_a, models_b, family),
    }


def _leans(record: VotesByBattle, source: str) -> Iterator[Figure]:
    battles = record.shared(source)
    verdicts = record.verdicts(source, battles)
    for name, side in _sides(record, source, battles).items():
        clusters = record.clusters(battles)
        yield from _figures(f"lets {name} win", source, biases.lean, verdicts, side, cluster=clusters)


def _biases(record: VotesByBattle, source: str) -> Iterator[Figure]:
    """The judge's own taste for each property, on a scale of its own."""
    battles = record.shared(source, record.reference)
    judge, people = record.verdicts(source, battles), record.verdicts(record.reference, battles)
    votes = [next(iter(record.votes[battle].values())) for battle in battles]
    models = [vote.model_a for vote in votes], [vote.model_b for vote in votes]
    clusters = record.clusters(battles)
    for name, side in _sides(record, source, battles).items():
        yield from _figures(
            f"bias to {name}, logits",
            f"{source} ~ {record.reference}",
            biases.bias,
            judge,
            people,
            side,
            *models,
            cluster=clusters,
        )


def _discrimination(record: VotesByBattle, source: str) -> Iterator[Figure]:
    """The slope of the judge's ratings on people's; none for few models, or where one of both rates none."""
    votes = {name: [row for row in record.votes.items() if name in row[1]] for name in (record.reference, source)}
    try:
        found = _anchored(record, votes).discrimination().get(source)
    except ratings.RatingsError:
        return
    if found is None:
        return
    lower, upper = (found.lower, found.upper) if math.isfinite(found.upper - found.lower) else (None, None)
    judged = len(votes[source])
    figure = agreement.Agreement(found.slope, lower, upper, judged, len(record.votes) - judged)
    yield Figure("discrimination", f"{source} ~ {record.reference}", figure)


def _anchored(
    record: VotesByBattle, votes: Mapping[str, Sequence[tuple[int, Mapping[str, StoredVote]]]]
) -> ratings.HumanAnchored:
    """The joint fit of people and a judge, clustered by prompt. Raises `RatingsError`."""
    of_each = [row[name] for name, given in votes.items() for _, row in given]
    models = sorted({model for vote in of_each for model in (vote.model_a, vote.model_b)})
    counts, clusters = {}, {}
    for name, given in votes.items():
        rows = [row[name] for _, row in given]
        a, b, winner = ([getattr(row, side) for row in rows] for side in ("model_a", "model_b", "winner"))
        prompts = {"prompts": record.clusters([battle for battle, _ in given])}
        key = HUMAN if name == record.reference else name
        counts[key] = ratings.count_pairs(a, b, winner, models=models)
        clusters[key] = ratings.cluster_votes(a, b, winner, prompts, models=models)
    return ratings.human_anchored_counts(counts, prior=ratings.PRIOR, clusters=clusters)


def _orders(record: VotesByBattle, source: str) -> Iterator[Figure]:
    """Swap consistency and position bias, over the pairs that the judge saw in both orders."""
    both = [b for b in record.shared(source) if len(record.votes[b][source].orders) == 2]
    orders = [record.votes[battle][source].orders for battle in both]
    first = [as_judged(winner) for winner, _ in orders]
    second = [mirrored(as_judged(winner)) for _, winner in orders]
    clusters = record.clusters(both)
    yield from _figures("swap consistency", source, agreement.swap_consistency, first, second, cluster=clusters)
    yield from _figures(
        "position bias", source, agreement.position_bias, [*first, *second], cluster=[*clusters, *clusters]
    )
    yield from _figures("position bias, logits", source, agreement.position_logit, first, second, cluster=clusters)


def _figures(name: str, between: str, statistic: Any, *given: Any, cluster: Sequence[str]) -> Iterator[Figure]:
    """The figure; none if no battle defines it, or a fit finds none."""
    try:
        yield Figure(name, between, statistic(*given, cluster=cluster))
    except (NoVerdicts, NotConverged):
        return
