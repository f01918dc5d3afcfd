"""How public data sets spell the four outcomes of a battle."""

from __future__ import annotations

SPELLINGS = {
    "model_a": ("model_a", "model a", "a", "left", "leftvote", "a_better", "model_1", "[[a]]"),
    "model_b": ("model_b", "model b", "b", "right", "rightvote", "b_better", "model_2", "[[b]]"),
    "tie": ("tie", "tievote", "both_equal", "both_good", "both good", "tie (bothgood)", "tie (inconsistent)",
            "equal", "draw", "[[c]]"),
    "both_bad": ("both_bad", "both bad", "bothbad", "bothbad_vote", "tie (bothbad)", "tie (both bad)"),
}  # fmt: skip
MEANING = {spelling: winner for winner, spellings in SPELLINGS.items() for spelling in spellings}


def winner_of(given: object) -> object:
    """The outcome that a text means, without regard to case; anything else as it is, for the reader to refuse.

    >>> winner_of("tie (bothbad)"), winner_of("Model_A"), winner_of("c")
    ('both_bad', 'model_a', 'c')
    """
    if not isinstance(given, str):
        return given
    return MEANING.get(given) or MEANING.get(given.strip().lower(), given)
