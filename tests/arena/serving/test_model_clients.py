"""How many calls a model of the settings gets at once."""

import pytest

from arena.config import TransformersSettings
from arena.serving import model_clients


def at_once(monkeypatch, driver, **fields):
    monkeypatch.setattr(model_clients, "DRIVERS", ("/",) if driver else ("/no/driver",))
    settings = TransformersSettings(name="m", endpoint="transformers", source="somewhere", **fields)
    return model_clients.concurrency(settings)


@pytest.mark.parametrize(
    ("driver", "fields", "expected"),
    [
        (False, {}, 8),
        (True, {}, 128),
        (True, {"device": "cpu"}, 8),
        (False, {"device": "cuda:1"}, 128),
        (True, {"concurrency": 20}, 20),
        (True, {"max_batch": 4}, 4),
    ],
)
def test_a_model_on_a_gpu_gets_as_many_calls_as_its_memory_may_take(monkeypatch, driver, fields, expected):
    assert at_once(monkeypatch, driver, **fields) == expected
