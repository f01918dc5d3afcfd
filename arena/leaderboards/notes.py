"""What a reader has to know of a board: votes that one scale does not explain, styles that name models, missing judges."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

import ratings
from arena.leaderboards.query import BOTH, BoardChoice, ChosenModel
from arena.rules.messages import Phrase, gettext_noop
from arena.rules.set_aside import JUDGE_KIND, sentence
from arena.rules.vote_states import VoteState
from arena.rules.votes import HUMAN, JUDGES
from arena.store import Session
from arena.store.held_votes import held_counts
from arena.store.set_aside import current

WIDER = 2.0  # times the standard errors without style control: the styles then all but name the models
CONFOUNDED = gettext_noop(
    "Style and models can hardly be told apart here: style control makes the intervals {factor} times as wide. "
    "Compare models of more varied style, or turn it off."
)
DOUBT, CYCLIC = 0.01, 0.05  # a note takes a p-value below the one and a cyclic share from the other on
CONTRADICTED = gettext_noop(
    "One number a model does not explain these votes: {share}% of the differences between models go in circles, "
    "most clearly {cycle}. Compare such models directly."
)
CHOSEN = gettext_noop(
    "{model} was chosen among {variants} variants: {stale} votes before {day} are left out. They change its rating by "
    "{excess} points; a choice among equal variants would by +{expected}."
)
SET_ASIDE = gettext_noop("The votes of {name} are set aside and do not count here: {reason}")
HELD_BACK = gettext_noop(
    "Votes that do not count: {votes}. Quarantined: {quarantined}, waiting for a check: {pending}."
)
REPEATED = gettext_noop("Not counted a second time as other runs or panels of {counted}: {judges}.")
LEFT_OUT = gettext_noop("The verdicts of {judge} are left out: {reason}")


def left_out_notes(joint: ratings.HumanAnchored) -> tuple[str, ...]:
    """A note for each judge whose verdicts set no fit."""
    return tuple(Phrase(LEFT_OUT, judge=name, reason=reason) for name, reason in joint.left_out.items())


def fresh_notes(found: ratings.FreshRatings, chosen: Mapping[str, ChosenModel]) -> tuple[str, ...]:
    """A note for each model that was chosen among variants: what is left out, and what the choice was worth."""
    return tuple(
        Phrase(
            CHOSEN,
            model=row.model,
            variants=row.variants,
            stale=row.stale,
            day=f"{chosen[row.model].listed:%Y-%m-%d}",
            excess=f"{row.excess:+.0f}",
            expected=f"{row.expected:.0f}",
        )
        for row in found.chosen
    )


def aside_notes(session: Session, choice: BoardChoice) -> tuple[str, ...]:
    """A note for each judge and import that is set aside and whose votes this board would have."""
    return tuple(
        Phrase(SET_ASIDE, name=row.name, reason=sentence(row.reason))
        for row in current(session)
        if row.kind != JUDGE_KIND or choice.source in (JUDGES, BOTH, "all")
    )


def held_notes(session: Session, choice: BoardChoice) -> tuple[str, ...]:
    """A note on the votes that are held, on the boards of people's votes."""
    if choice.source not in (HUMAN, BOTH, "all") or not (held := held_counts(session)):
        return ()
    pending, quarantined = held.get(VoteState.PENDING, 0), held.get(VoteState.QUARANTINED, 0)
    numbers = {"votes": pending + quarantined, "quarantined": quarantined, "pending": pending}
    return (Phrase(HELD_BACK, **{name: f"{number:,}" for name, number in numbers.items()}),)


def repeated_notes(repeated: Mapping[str, str]) -> tuple[str, ...]:
    """A note on the names of judges that do not count because another name of the same judge does."""
    if not repeated:
        return ()
    return (Phrase(REPEATED, judges=", ".join(repeated), counted=", ".join(dict.fromkeys(repeated.values()))),)


def style_notes(fit: ratings.Fit, without: ratings.Fit) -> tuple[str, ...]:
    """A note where style and models cannot be told apart. `without` is the fit of the same votes without style control."""
    errors = without.of(fit.models).standard_errors
    wider = float(np.median(fit.standard_errors / np.where(errors > 0, errors, 1)))
    return (Phrase(CONFOUNDED, factor=f"{wider:.1f}"),) if wider > WIDER else ()


def lack_of_fit(
    choice: BoardChoice, board: ratings.Leaderboard, counts: ratings.PairCounts
) -> ratings.LackOfFit | None:
    """The test of a Bradley–Terry board; None for other methods, and without votes."""
    if choice.method != "bt" or choice.style or choice.source == BOTH or not counts.battles:
        return None
    effects = [row.design_effect for row in board.rows if row.design_effect is not None]
    return ratings.lack_of_fit(counts, design_effect=max(1.0, float(np.median(effects))) if effects else 1.0)


def cycle_notes(check: ratings.LackOfFit | None) -> tuple[str, ...]:
    """A note where the votes contradict one scale, with the clearest cycle."""
    if check is None or check.p_value >= DOUBT or check.cyclic_share < CYCLIC or not check.cycles:
        return ()
    return (Phrase(CONTRADICTED, share=f"{100 * check.cyclic_share:.0f}", cycle=str(check.cycles[0])),)
