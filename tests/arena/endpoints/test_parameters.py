"""The parameters of a model's settings add to a request, override it, or remove from it."""

from __future__ import annotations

import pytest

from arena.battles.control_draw import _is_greedy
from arena.config.endpoints import ScriptedSettings
from arena.endpoints.parameters import with_parameters
from arena.endpoints.scripted import Scripted
from arena.exchange.openai_batch import _body
from arena.serving.models import ServedModel

BODY = {"messages": [], "max_tokens": 9, "temperature": 0, "logprobs": True, "top_logprobs": 5}


@pytest.mark.parametrize(
    ("parameters", "changed"),
    [
        ({"temperature": 1}, {"temperature": 1}),
        ({"temperature": False}, {"temperature": None}),
        ({"temperature": None}, {"temperature": None}),
        ({"logprobs": False}, {"logprobs": None, "top_logprobs": None}),
        ({"max_completion_tokens": 99}, {"max_tokens": None, "max_completion_tokens": 99}),
        ({"max_tokens": False}, {"max_tokens": None}),
        ({"max_tokens": False, "max_completion_tokens": 99}, {"max_tokens": None, "max_completion_tokens": 99}),
        ({"enable_thinking": False}, {"enable_thinking": False}),  # a parameter that has this value
        ({"enable_thinking": None}, {}),
    ],
)
@pytest.mark.parametrize("body_wins", [False, True])
def test_parameters_override_and_false_removes(parameters, changed, body_wins):
    expected = {name: value for name, value in {**BODY, **changed}.items() if value is not None}
    if body_wins and parameters == {"temperature": 1}:
        expected = BODY
    assert with_parameters(BODY, parameters, body_wins=body_wins) == expected


def settings(**parameters: object) -> ScriptedSettings:
    return ScriptedSettings(name="m", endpoint="scripted", parameters=parameters)


def test_battles_and_exported_batches_send_the_same_parameters():
    model = settings(max_completion_tokens=99, seed=False)
    sent = {"messages": [], "max_completion_tokens": 99}
    assert ServedModel(model, Scripted()).request([]) == sent
    assert _body("m", model)([]) == {"model": "m", **sent}


def test_a_removed_temperature_or_seed_is_not_greedy():
    assert not _is_greedy(ServedModel(settings(temperature=False, seed=False), Scripted()))
    assert _is_greedy(ServedModel(settings(temperature=0), Scripted()))
