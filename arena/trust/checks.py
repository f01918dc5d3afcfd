"""Checks of stored votes that name voters and groups of voters to quarantine, with the evidence for the operator.

`findings` computes and changes nothing; `hold_findings` holds what it names. Votes that were released are no evidence
any more: a voter is only held again for later votes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

import ratings
from arena.rules.vote_states import QuarantineReason, VoteState
from arena.store import Database, Session
from arena.store.quarantine import hold
from arena.store.trust_votes import Numbers, TrustVotes
from arena.store.vote_parts import in_parts

VERSION = "checks-2"
BY = "trust check"
FEWEST_VOTES, FEWEST_VOTERS = 200, 10  # below these nothing is usual yet
# Bounds of the probability that an honest voter, or any honest group, is held by a test. reproduce/rigging.py measures them.
VOTER_LEVEL, SELECTION_LEVEL, GROUP_LEVEL = 0.01, 0.001, 0.01
PRESENT = 0.8  # of an account's votes within the hours of a burst: others were there for another reason


@dataclass(frozen=True)
class Finding:
    """Votes to quarantine: `reason` is what readers see, `detail` is for operators.

    `reached` is the vote of a single voter (from 1) at which the evidence sufficed; 0 for a group.
    """

    reason: QuarantineReason
    detail: str
    voters: tuple[str, ...]
    votes: tuple[int, ...]
    reached: int = 0


def findings(votes: TrustVotes) -> list[Finding]:
    """What the tests prove of these votes, each voter in one finding; nothing while the arena has few votes."""
    evidence = _Evidence(votes, ~votes.released)
    if len(evidence.rows) < FEWEST_VOTES or len(np.unique(evidence.voter)) < FEWEST_VOTERS:
        return []
    found: list[Finding] = []
    for test in (_selections, _voters, _groups, _networks, _bursts):
        found += test(evidence)
    return found


def hold_findings(database: Database, found: Iterable[Finding]) -> int:
    """Quarantine the votes of findings, in parts so that voters need not wait; returns how many were not held before."""
    return sum(in_parts(database, finding.votes, partial(_hold, finding)) for finding in found)


def _hold(finding: Finding, session: Session, vote_ids: Sequence[int]) -> int:
    return hold(
        session, vote_ids, VoteState.QUARANTINED, finding.reason,
        detail=finding.detail, check_version=VERSION, by=BY,
    )  # fmt: skip


class _Evidence:
    """The columns that are tested, and the voters who are named already."""

    def __init__(self, votes: TrustVotes, tested: NDArray[np.bool_]) -> None:
        self.votes = votes
        self.rows: Numbers = np.flatnonzero(tested)
        self.voter: Numbers = votes.voter[self.rows]
        self.seconds = votes.seconds[self.rows]
        self.named = np.zeros(len(votes.voters), dtype=bool)

    @property
    def columns(self) -> tuple[Numbers, Numbers, NDArray[np.uint8], Numbers]:
        winner = self.votes.winner[self.rows].astype(np.uint8)
        return self.votes.model_a[self.rows], self.votes.model_b[self.rows], winner, self.voter

    @property
    def excluded(self) -> NDArray[np.bool_]:
        """(rows,): the votes of voters who are named already."""
        return np.asarray(self.named[self.voter])

    def model(self, label: str) -> str:
        return self.votes.models[int(label)]

    def finding(
        self, reason: QuarantineReason, detail: str, voters: Iterable[object], reached: int = 0
    ) -> list[Finding]:
        """A finding about the voters who are not named yet, if there are any; names them."""
        new = sorted(v for v in {int(str(voter)) for voter in voters} if not self.named[v])
        if not new:
            return []
        self.named[new] = True
        mine = self.rows[np.isin(self.voter, new)]
        names = tuple(self.votes.voters[v] for v in new)
        return [Finding(reason, detail, names, tuple(self.votes.vote[mine].tolist()), reached)]


def _selections(evidence: _Evidence) -> list[Finding]:
    found = []
    for one in ratings.check_selection(*evidence.columns, level=SELECTION_LEVEL):
        detail = (
            f"{one.with_model} of {one.votes} votes on {evidence.model(one.model)}; e-value {one.e_value:.1e} at the end, "
            f"{1 / SELECTION_LEVEL:g} reached at vote {one.flagged_after}"
        )
        found += evidence.finding(QuarantineReason.SELECTION, detail, [one.voter], one.flagged_after)
    return found


def _voters(evidence: _Evidence) -> list[Finding]:
    checked = ratings.check_voters(*evidence.columns, level=VOTER_LEVEL, excluded=evidence.excluded)
    found = []
    for v in np.flatnonzero(checked.flagged_after).tolist():
        detail = (
            f"{_named(checked.likeliest[v], evidence)}; e-value {checked.peak[v]:.1e} at its highest, "
            f"{1 / VOTER_LEVEL:g} reached at vote {checked.flagged_after[v]} of {checked.votes[v]}"
        )
        found += evidence.finding(
            QuarantineReason.VOTER_TEST, detail, [checked.voters[v]], int(checked.flagged_after[v])
        )
    return found


def _named(alternative: str, evidence: _Evidence) -> str:
    """An alternative of `ratings.check_voters`, whose models are numbers, with the model's name."""
    words = [evidence.model(word) if word.isdigit() else word for word in alternative.split(" ")]
    return " ".join(words)


def _groups(evidence: _Evidence) -> list[Finding]:
    options = {"level": GROUP_LEVEL, "excluded": evidence.excluded}
    checked = ratings.check_groups(*evidence.columns, evidence.seconds, **options)  # type: ignore[arg-type]
    found = []
    for group in checked.groups:
        model = int(group.model)
        detail = (
            f"{len(group.accounts)} accounts whose first votes are within {(group.end - group.start) / 3600:g} hours favour "
            f"{evidence.votes.models[model]}: {group.won} of {group.votes} votes, {group.expected:.1f} expected, "
            f"p-value {group.p_value:.1e}"
        )
        only_for = _never_against(evidence, model, group.accounts)
        found += evidence.finding(QuarantineReason.ACCOUNT_GROUP, detail, only_for)
    return found


def _never_against(evidence: _Evidence, model: int, accounts: Sequence[object]) -> list[object]:
    """The accounts that never voted against the model that their group favours."""
    a, b, winner, voter = evidence.columns
    against = ((a == model) & (winner == 1)) | ((b == model) & (winner == 0))
    others = set(np.unique(voter[against]).tolist())
    return [account for account in accounts if int(str(account)) not in others]


def _networks(evidence: _Evidence) -> list[Finding]:
    labels = {
        name: np.where(column == 0, "", column.astype(str))
        for name, column in (
            ("prompt", evidence.votes.prompt[evidence.rows]), ("address", evidence.votes.address[evidence.rows]),
        )
    }  # fmt: skip
    checked = ratings.check_networks(
        *evidence.columns, evidence.seconds, labels=labels, level=GROUP_LEVEL, distrusted=evidence.excluded
    )
    found = []
    for network in checked.networks:
        detail = (
            f"{len(network.accounts)} accounts ({network.shared}) favour {evidence.model(network.model)} and vote by the "
            f"ranking elsewhere; e-value {network.e_value:.1e}, a flag needs {1 / GROUP_LEVEL:g}"
        )
        found += evidence.finding(QuarantineReason.ACCOUNT_GROUP, detail, network.accounts)
    return found


def _bursts(evidence: _Evidence) -> list[Finding]:
    free = ~evidence.excluded
    a, b, winner, voter = (column[free] for column in evidence.columns)
    if len(voter) < FEWEST_VOTES:
        return []
    seconds = evidence.seconds[free]
    many = np.bincount(evidence.voter, minlength=len(evidence.named))
    found = []
    for burst in ratings.check_bursts(a, b, winner, voter, seconds, level=GROUP_LEVEL):
        inside = (evidence.seconds >= burst.start) & (evidence.seconds < burst.end)
        present = np.bincount(evidence.voter[inside], minlength=len(many)) >= PRESENT * many
        detail = (
            f"{burst.won} of {burst.accounts} accounts voted for {evidence.model(burst.model)} within "
            f"{(burst.end - burst.start) / 3600:g} hours, {burst.expected:.1f} expected, p-value {burst.p_value:.1e}"
        )
        came_for_it = [voter for voter in burst.winners if present[int(str(voter))]]
        found += evidence.finding(QuarantineReason.BURST, detail, came_for_it)
    return found
