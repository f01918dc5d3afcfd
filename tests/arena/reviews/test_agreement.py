"""Agreement of reviewers with each other, the crowd and judges, by hand-made reviews and by what a pencil gives."""

from __future__ import annotations

import pytest

from arena.reviews.agreement import ALPHA, CROWD, KAPPA, OTHERS, RAW, REVIEWERS, measure, pairwise_agreement
from arena.store.reviews import StoredReview
from arena.store.schema.battles import now
from arena.store.verdicts import StoredVote
from judges import agreement

A, B = "model_a", "model_b"


def review(battle, account, winner):
    return StoredReview(battle, f"b{battle}", account, f"p{account}", f"reviewer {account}", winner, winner, now())


def vote(battle, source, winner):
    return StoredVote(battle, f"battle {battle}", "overall", "x", "y", source, source, winner, None, (), "", now())


def figure(table, measure_, who, others):
    (found,) = [one for one in table.of(who) if (one.measure, one.others) == (measure_, others)]
    return found.figure


CHOICES = {1: [A, A, B, B, "tie", A, B, A], 2: [A, B, B, B, "tie", A, B, A], 3: [A, A, B, A, "both_bad", A, B, B]}
GIVEN = [review(battle, account, w) for account, row in CHOICES.items() for battle, w in enumerate(row, 1)]
VOTES = [vote(battle, "human", A) for battle in range(1, 9)] + [
    vote(battle, "judge:j", w) for battle, w in enumerate(CHOICES[1], 1)
]


def test_the_figures_of_all_are_those_of_the_library():
    table = measure(GIVEN, VOTES)
    rows = [["tie" if winner == "both_bad" else winner for winner in row] for row in CHOICES.values()]
    assert figure(table, ALPHA, None, REVIEWERS).value == agreement.krippendorff_alpha(rows).value
    same = [7, 6, 5]  # of 8, of the pairs 1-2, 1-3, 2-3
    assert figure(table, RAW, None, REVIEWERS).value == pytest.approx(sum(same) / 24)
    kappa = [one for one in table.of(1) if one.measure == KAPPA and one.others == "reviewer 2"]
    assert kappa[0].figure.value == agreement.cohen_kappa(rows[0], rows[1]).value


def test_every_figure_of_eight_battles_has_an_interval_that_holds_it():
    for one in measure(GIVEN, VOTES).figures:
        assert one.figure.lower <= one.figure.value <= one.figure.upper, one


def test_a_reviewer_is_compared_with_the_others_without_their_own_choice():
    given = [review(1, 1, A), review(1, 2, B), review(1, 3, B), review(2, 1, A), review(2, 2, A)]
    assert figure(measure(given, []), RAW, 1, OTHERS).value == 0.5


def test_the_crowd_is_the_choice_of_most_votes_and_judges_have_a_row_each():
    votes = [vote(1, "human", A), vote(1, "human", A), vote(1, "human", B), vote(1, "judge:j", B)]
    table = measure([review(1, 1, A)], votes)
    assert figure(table, RAW, None, CROWD).value == 1
    assert figure(table, RAW, None, "judge:j").value == 0


def test_a_choice_of_one_reviewer_alone_has_no_agreement_among_reviewers():
    assert measure([review(1, 1, A)], []).figures == ()
    assert measure([], []).figures == ()


def test_the_share_of_equal_pairs_leaves_out_items_with_one_verdict():
    rows = [[A, A, None], [A, B, B], [A, A, None]]
    found = pairwise_agreement(rows)
    assert (found.value, found.items, found.left_out) == (pytest.approx(4 / 6), 2, 1)
