"""Versioned filters: the votes that count on a published leaderboard.

A leaderboard names its filter, and a seal stores that name, so that the leaderboard of a past day can be computed
with the filter of that day. A changed rule is a new version, and old versions stay here for good.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from arena.errors import ConfigError
from arena.rules.messages import gettext_noop
from arena.rules.seals import SealedVote
from arena.rules.votes import HUMAN

EVERY = "every-1"
SUGGESTED = 5  # at most one in so many counted votes of people is on a prompt that the page suggests
DAILY = 100  # votes of a person on one day; the public arena caps votes a day too


@dataclass(frozen=True)
class Filter:
    """A rule over votes in the order in which they were given; a vote counts fully or not at all."""

    version: str
    says: str
    rule: Callable[[], Callable[[SealedVote], bool]]

    def start(self) -> Callable[[SealedVote], bool]:
        """Whether each next vote counts. Votes on control battles never do, and no rule sees them."""
        counts = self.rule()
        return lambda vote: vote.control is None and counts(vote)

    def counted(self, votes: Iterable[SealedVote]) -> Iterator[SealedVote]:
        """The votes that count."""
        counts = self.start()
        return (vote for vote in votes if counts(vote))


def _every() -> Callable[[SealedVote], bool]:
    def counts(_vote: SealedVote) -> bool:
        return True

    return counts


def _blind() -> Callable[[SealedVote], bool]:
    return lambda vote: not vote.leaked


def _capped() -> Callable[[SealedVote], bool]:
    seen: Counter[tuple[str, str]] = Counter()

    def counts(vote: SealedVote) -> bool:
        if vote.leaked or vote.source != HUMAN or vote.voter == HUMAN:  # a voter "human" is not known
            return not vote.leaked
        key = (vote.voter, vote.created_at[:10])
        seen[key] += 1
        return seen[key] <= DAILY

    return counts


def _mixed() -> Callable[[SealedVote], bool]:
    """A few suggested prompts, which many visitors choose, must not decide a leaderboard."""
    is_within_caps = _capped()
    counted: Counter[bool] = Counter()  # votes of people, by whether the prompt was suggested

    def counts(vote: SealedVote) -> bool:
        if not is_within_caps(vote):
            return False
        if vote.source != HUMAN:
            return True
        if vote.suggested and SUGGESTED * (counted[True] + 1) > counted.total() + 1:
            return False
        counted[vote.suggested] += 1
        return True

    return counts


FILTERS = {
    rule.version: rule
    for rule in (
        Filter(EVERY, gettext_noop("every vote counts once"), _every),
        Filter("blind-1", gettext_noop("votes on battles in which a model named itself do not count"), _blind),
        Filter("capped-1", gettext_noop("blind-1, and of a person's votes the first 100 of a UTC day"), _capped),
        Filter(
            "mixed-1",
            gettext_noop(
                "capped-1, and votes of people on suggested prompts only up to one in 5 of those that count"
            ),
            _mixed,
        ),
    )
}


def find_filter(version: str) -> Filter:
    """The filter of a version. Raises `ConfigError` for an unknown one."""
    if version not in FILTERS:
        raise ConfigError(f"Filter {version!r} is unknown. Use one of: {', '.join(FILTERS)}.")
    return FILTERS[version]
