"""What an arena publishes about its votes on `/trust`: states, control battles, the filter in force, the cost of an attack.

Nothing here identifies a voter or says how a check found what it found.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from arena.leaderboards.vote_filters import FILTERS, find_filter
from arena.rules.messages import gettext_noop
from arena.rules.model_states import is_private
from arena.rules.vote_states import VoteState, sentence_of
from arena.store import Session
from arena.store.appeals import appeal_counts
from arena.store.attack_costs import attack_cost_days
from arena.store.held_votes import changes_newest_first, counts_by_state_and_reason, votes_apart
from arena.store.set_aside import log as set_aside_log
from arena.trust.attack_meter import summary_of
from arena.trust.control_estimates import ControlEstimates, Share, control_estimates

Document = dict[str, Any]
CHANGES = 500  # decisions on votes that are read for the log, newest first
DAYS = 90  # of attack costs
SET_ASIDE, TAKEN_BACK = gettext_noop("set aside"), gettext_noop("taken back")


def vote_figures(session: Session) -> Document:
    """The votes of people for boards by state and reason with their shares, those that are for no board, and the appeals
    by decision.
    """
    counts = counts_by_state_and_reason(session, boards=True)
    total = sum(counts.values())
    rows = [
        {
            "state": state.value,
            "reason": reason or None,
            "votes": votes,
            "share": votes / total if total else None,
            "says": sentence_of(state, reason) if reason else None,
        }
        for (state, reason), votes in sorted(
            counts.items(), key=lambda item: (tuple(VoteState).index(item[0][0]), -item[1])
        )
    ]
    return {"votes": total, "apart": votes_apart(session), "appeals": appeal_counts(session), "states": rows}


def control_figures(session: Session, filter_version: str) -> Document:
    """Position bias and noise from control battles, one row for each figure; shares but for `position_logits`."""
    found = control_estimates(session, filter_version)
    return {"filter": found.filter, "figures": _control_rows(found)}


def _control_rows(found: ControlEstimates) -> list[Document]:
    shares: Mapping[str, Share] = {
        "left_share": found.left,
        "decisive_share": found.decisive,
        "reversed_share": found.reversed,
        "reversed_by_the_same_voter_share": found.reversed_by_the_same_voter,
        "undecided_share": found.undecided,
    }
    rows = [
        {
            "figure": name,
            "value": share.share,
            **{key: getattr(share, key) for key in ("lower", "upper", "votes", "voters")},
        }
        for name, share in shares.items()
    ]
    return [*rows, _position_row(found)]


def _position_row(found: ControlEstimates) -> Document:
    bias = found.position
    row: Document = {
        "figure": "position_logits",
        "value": None,
        "lower": None,
        "upper": None,
        "votes": 0,
        "voters": 0,
    }
    if bias is not None:
        row |= {"value": bias.logits, "lower": bias.lower, "upper": bias.upper}
        row |= {"votes": bias.votes, "voters": bias.clusters}
    return row


def filter_figures(session: Session, version: str) -> Document:
    """The filter in force and all versions, and which votes began or ceased to count, by day, newest first."""
    days: Counter[tuple[str, str, str]] = Counter()
    for event in changes_newest_first(session, CHANGES):
        days[event.set_at.date().isoformat(), event.state, event.reason] += event.votes
    changes = [
        {"day": day, "state": state, "reason": reason, "votes": votes, "says": sentence_of(state, reason)}
        for (day, state, reason), votes in days.items()
    ]
    changes += _set_aside(session)
    changes.sort(key=lambda change: str(change["day"]), reverse=True)
    return {
        "version": version,
        "says": find_filter(version).says,
        "versions": [{"version": rule.version, "says": rule.says} for rule in FILTERS.values()],
        "changes": changes,
    }


def _set_aside(session: Session) -> list[Document]:
    """Judges and imports whose votes were set aside or taken back."""
    changes = []
    for row in set_aside_log(session):
        about = {"votes": row.votes, "says": row.reason}
        changes.append({"day": row.set_at.date().isoformat(), "state": SET_ASIDE, "reason": row.name, **about})
        if row.taken_back_at is not None:
            about["says"] = row.taken_back_reason or ""
            changes.append(
                {"day": row.taken_back_at.date().isoformat(), "state": TAKEN_BACK, "reason": row.name, **about}
            )
    return changes


def attack_figures(session: Session) -> Document:
    """The newest measurement of what an attack costs, and the summary of each day: all without private models."""
    measured = [(day, document, _public(document["models"])) for day, document in attack_cost_days(session, DAYS)]
    if not measured:
        return {"measured_at": None, "votes": None, "summary": None, "days": [], "models": []}
    days = [{"day": day, **summary_of(rows, document["votes"])} for day, document, rows in measured]
    _, newest, rows = measured[-1]
    return {
        "measured_at": newest["measured_at"],
        "votes": newest["votes"],
        "summary": summary_of(rows, newest["votes"]),
        "days": days,
        "models": rows,
    }


def _public(rows: Iterable[Document]) -> list[Document]:
    return [row for row in rows if not is_private(row["model"]) and not is_private(row["neighbour"])]
