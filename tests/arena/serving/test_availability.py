"""When a model is available."""

from arena.serving.availability import FAILURES_BEFORE_SUSPENSION, Availability, State


def test_only_failures_in_a_row_suspend_a_ready_model():
    model = Availability(State.READY)
    for _ in range(FAILURES_BEFORE_SUSPENSION - 1):
        model.record_outcome(False)
    model.record_outcome(True)
    model.record_outcome(False)
    assert model.available
    for _ in range(FAILURES_BEFORE_SUSPENSION - 1):
        model.record_outcome(False)
    assert not model.available


def test_after_its_suspension_one_more_failure_suspends_the_model_again():
    model = Availability(State.READY, failures=FAILURES_BEFORE_SUSPENSION)
    assert model.available
    model.record_outcome(False)
    assert not model.available
