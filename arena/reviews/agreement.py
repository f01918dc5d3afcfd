"""How far reviewers agree: with each other, with the crowd and with each judge, every figure with an interval.

The battles are those of the queue, which are disputed, so every agreement is lower than on battles at large.
`both_bad` counts as a tie, as in `arena agreement`. Prompts are drawn whole for the intervals (`judges/agreement.py`).
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from typing import Any

import numpy as np

from arena.explaining.disagreements import merge_duplicates
from arena.rules.votes import HUMAN, JUDGE
from arena.store import Session
from arena.store.reviews import StoredReview, reviews
from arena.store.verdicts import StoredVote, votes_on_record
from judges import agreement
from judges.agreement import Agreement, Statistic, Verdicts
from judges.errors import NoVerdicts

RAW, KAPPA, ALPHA = "agreement", "Cohen's kappa", "Krippendorff's alpha"
REVIEWERS, OTHERS, CROWD = "reviewers", "other reviewers", "crowd"
TIE = "tie"

Choices = Mapping[int, str]  # by battle


@dataclass(frozen=True)
class ReviewFigure:
    """One figure: `who` is a reviewer's account, or None for all; `others` is whom they are compared with."""

    measure: str
    who: int | None
    others: str
    figure: Agreement

    def to_dict(self) -> dict[str, Any]:
        figure = {name: getattr(self.figure, name) for name in ("value", "lower", "upper", "items")}
        return {"measure": self.measure, "with": self.others, **figure}


@dataclass(frozen=True)
class ReviewAgreement:
    """All figures, and the names of the reviewers by account."""

    battles: int
    names: Mapping[int, str]
    figures: tuple[ReviewFigure, ...]

    def of(self, account: int | None) -> list[ReviewFigure]:
        """The figures of one reviewer, or those of all together."""
        return [figure for figure in self.figures if figure.who == account]


def review_agreement(session: Session, until: datetime | None = None) -> ReviewAgreement:
    """The agreement of the reviews that stand; of those `until` a time, or of all."""
    given = reviews(session, until=until)
    votes = merge_duplicates(session, votes_on_record(session)) if given else []
    return measure(given, votes)


def measure(given: Sequence[StoredReview], votes: Sequence[StoredVote]) -> ReviewAgreement:
    """The agreement of these reviews, with each other and with the votes on the same battles."""
    table = _Table(given, votes)
    return ReviewAgreement(len(table.battles), table.names, tuple(table.figures()))


class _Table:
    """Choices by reviewer and battle, and those of the crowd and of each judge."""

    def __init__(self, given: Sequence[StoredReview], votes: Sequence[StoredVote]) -> None:
        self.names = {review.account: review.name for review in given}
        self.battles = list(dict.fromkeys(review.battle for review in given))
        by_account: dict[int, dict[int, str]] = defaultdict(dict)
        for review in given:
            by_account[review.account][review.battle] = _as_judged(review.winner)
        self.reviewers = dict(by_account)
        known = set(self.battles)
        self.voters = _by_source([vote for vote in votes if vote.battle in known])
        prompts = {vote.battle: vote.prompt for vote in votes}
        self.clusters: list[Hashable] = [prompts.get(battle, f"battle {battle}") for battle in self.battles]

    def figures(self) -> Iterator[ReviewFigure]:
        yield from self._among()
        label = _labels(list(self.reviewers.values()))
        for other, choices in self.voters.items():
            yield from self._compared(None, other, label, choices)
        for account, own in self.reviewers.items():
            others = _labels([given for number, given in self.reviewers.items() if number != account])
            yield from self._compared(account, OTHERS, own, others)
            for other, choices in self.voters.items():
                yield from self._compared(account, other, own, choices)
        for first, second in combinations(self.reviewers, 2):
            pair = self._row(self.reviewers[first]), self._row(self.reviewers[second])
            yield from self._figure(KAPPA, first, self.names[second], agreement.cohen_kappa, *pair)

    def _among(self) -> Iterator[ReviewFigure]:
        rows = [self._row(own) for own in self.reviewers.values()]
        if len(rows) > 1:
            yield from self._figure(RAW, None, REVIEWERS, pairwise_agreement, rows)
            yield from self._figure(ALPHA, None, REVIEWERS, agreement.krippendorff_alpha, rows)

    def _compared(self, who: int | None, name: str, own: Choices, others: Choices) -> Iterator[ReviewFigure]:
        both = {battle for battle in own if battle in others}
        pair = [self._row({battle: given[battle] for battle in both}) for given in (own, others)]
        yield from self._figure(RAW, who, name, agreement.accuracy, *pair)
        yield from self._figure(KAPPA, who, name, agreement.cohen_kappa, *pair)

    def _row(self, choices: Choices) -> Verdicts:
        return [choices.get(battle) for battle in self.battles]

    def _figure(
        self, measure: str, who: int | None, others: str, statistic: Any, *given: Any
    ) -> Iterator[ReviewFigure]:
        """The figure; none if no battle defines it, or chance alone would explain it, as where all choose the same."""
        try:
            figure = statistic(*given, cluster=self.clusters)
        except NoVerdicts:
            return
        if np.isfinite(figure.value):
            yield ReviewFigure(measure, who, others, figure)


def pairwise_agreement(judges: Sequence[Verdicts], *, cluster: Sequence[Hashable] | None = None) -> Agreement:
    """The share of pairs of verdicts on one item that are the same, over items with at least two (judges, items)."""
    same, pairs = np.zeros(len(judges[0])), np.zeros(len(judges[0]))
    for first, second in combinations(judges, 2):
        for item, (a, b) in enumerate(zip(first, second, strict=True)):
            same[item] += a is not None and a == b
            pairs[item] += a is not None and b is not None
    statistic: Statistic = lambda weight: float(weight @ same / (weight @ pairs))  # noqa: E731
    return agreement.figure(statistic, (pairs > 0).tolist(), cluster)


def _by_source(votes: Sequence[StoredVote]) -> dict[str, Choices]:
    """The choice of the crowd, which is that of most votes, and of each judge."""
    people: dict[int, list[str]] = defaultdict(list)
    judges: dict[str, dict[int, str]] = defaultdict(dict)
    for vote in votes:
        if vote.source == HUMAN:
            people[vote.battle].append(_as_judged(vote.winner))
        elif vote.source.startswith(JUDGE):
            judges[vote.source][vote.battle] = _as_judged(vote.winner)
    crowd = {CROWD: {battle: _most(given) for battle, given in people.items()}} if people else {}
    return {**crowd, **dict(sorted(judges.items()))}


def _labels(given: Sequence[Choices]) -> Choices:
    """The choice of most reviewers of each battle."""
    by_battle: dict[int, list[str]] = defaultdict(list)
    for own in given:
        for battle, choice in own.items():
            by_battle[battle].append(choice)
    return {battle: _most(choices) for battle, choices in by_battle.items()}


def _most(choices: Sequence[str]) -> str:
    """The most frequent choice; a tie where two are equally frequent."""
    (first, most), *others = Counter(choices).most_common(2)
    return TIE if others and others[0][1] == most else first


def _as_judged(winner: str) -> str:
    return TIE if winner == "both_bad" else winner
