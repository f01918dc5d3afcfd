"""Schemathesis: what the OpenAPI document allows and what it does not, and every reply is one that it describes."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings

from arena.config import Settings
from arena.web.app import create_app
from tests.support.arenas import ready
from tests.support.populated import populated_file

schemathesis = pytest.importorskip("schemathesis", reason="Schemathesis is part of the extra dev")
from schemathesis.checks import not_a_server_error  # noqa: E402
from schemathesis.specs.openapi.checks import content_type_conformance, status_code_conformance  # noqa: E402

CHECKS = [not_a_server_error, content_type_conformance, status_code_conformance]
EXAMPLES = settings(
    max_examples=20,  # of each operation
    database=None, deadline=None, phases=[Phase.explicit, Phase.generate], suppress_health_check=list(HealthCheck),
)  # fmt: skip


@pytest.fixture(scope="module")
def document(tmp_path_factory):
    """The document as it is served, over an arena with a past."""
    database, _ = populated_file(tmp_path_factory.mktemp("schemathesis") / "arena.db", 6, 60)
    app = create_app(Settings(), database, ready())
    yield schemathesis.openapi.from_asgi("/api/v1/openapi.json", app)
    database.close()


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["positive", "negative"])
def test_the_api_answers_as_its_document_says(document, mode):
    """`positive` keeps to the document, `negative` breaks it; the seed is fixed, so that a failure repeats."""
    operations = [operation.ok() for operation in document.get_all_operations()]
    assert len(operations) >= 10
    for operation in operations:
        if mode == "negative" and not len(operation.query):
            continue  # nothing to break
        cases = operation.as_strategy(generation_mode=schemathesis.GenerationMode(mode))

        @EXAMPLES
        @seed(14)
        @given(cases)
        def answered(case):
            case.call_and_validate(checks=CHECKS)

        answered()
