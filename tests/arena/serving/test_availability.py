"""When a model is available: no visitor, and no address, can suspend it alone; a dead server is suspended quickly."""

import pytest

from arena.endpoints.endpoint import Blame
from arena.serving.availability import Availability, State, Visitor

ANN = Visitor("ann", "198.51.100.1")


@pytest.fixture
def model():
    return Availability(State.READY)


def suspended_by(model: Availability, blame: Blame, *visitors: Visitor) -> bool:
    outcomes = [model.record_outcome(blame, visitor) for visitor in visitors]
    return any(outcomes)


def test_only_failures_in_a_row_suspend_a_ready_model(model):
    assert not suspended_by(model, Blame.ENDPOINT, ANN, ANN)
    model.record_outcome(None, ANN)
    assert not suspended_by(model, Blame.ENDPOINT, ANN, ANN)
    assert model.available
    assert suspended_by(model, Blame.ENDPOINT, ANN)
    assert not model.available


@pytest.mark.parametrize(
    ("visitors", "suspended"),
    [
        ([ANN] * 40, False),
        ([Visitor(f"cookie {number}", ANN.address) for number in range(40)], False),
        ([Visitor("ann", f"198.51.100.{number}") for number in range(40)], False),
        ([Visitor(f"voter {number}", f"198.51.100.{number}") for number in range(3)], True),
        ([Visitor(f"voter {number}") for number in range(3)], True),
    ],
)
def test_what_a_prompt_may_cause_counts_once_for_each_visitor_and_address(model, visitors, suspended):
    assert suspended_by(model, Blame.UNCLEAR, *visitors) is suspended


def test_what_the_prompt_alone_can_cause_never_counts(model):
    assert not suspended_by(model, Blame.PROMPT, *(Visitor(f"voter {number}") for number in range(40)))


def test_after_a_suspension_a_dead_server_has_one_trial(model):
    suspended_by(model, Blame.ENDPOINT, ANN, ANN, ANN)
    model.suspended_until = 0
    assert not suspended_by(model, Blame.UNCLEAR, *[ANN] * 9)
    assert suspended_by(model, Blame.ENDPOINT, ANN)
    model.suspended_until = 0
    model.record_outcome(None, ANN)
    assert not suspended_by(model, Blame.ENDPOINT, ANN)


def test_after_a_suspension_unclear_failures_are_counted_from_the_beginning(model):
    crowd = [Visitor(f"voter {number}") for number in range(3)]
    assert suspended_by(model, Blame.UNCLEAR, *crowd)
    model.suspended_until = 0
    assert not suspended_by(model, Blame.UNCLEAR, *crowd[:2], *crowd[:2])
    assert suspended_by(model, Blame.UNCLEAR, crowd[2])


def test_failures_of_turns_that_began_before_a_suspension_do_not_prolong_it(model):
    suspended_by(model, Blame.ENDPOINT, ANN, ANN, ANN)
    until = model.suspended_until
    assert not suspended_by(model, Blame.ENDPOINT, ANN, ANN, ANN)
    assert model.suspended_until == until
