"""The web service held to its own description: what OpenAPI allows is answered as it says, what it forbids is refused."""

from __future__ import annotations

import copy
from typing import Any

import pytest

pytest.importorskip("fastapi")
schemathesis = pytest.importorskip("schemathesis")

from hypothesis import HealthCheck, Phase, settings  # noqa: E402
from schemathesis.config import SchemathesisConfig  # noqa: E402

from labinterp.service import app  # noqa: E402

# JSON of a right form can still name a unit or an analyte that nobody knows: 422 for a body that is read as such.
USABLE = {"positive_data_acceptance": {"expected-statuses": ["2xx", "422"]}}
CONFIG = SchemathesisConfig.from_dict({"operations": [{"include-path": path, "checks": USABLE} for path in ("/interpret", "/convert")]})
SERVED = app()
# The same forms under a second content type would be the same thousand requests again.
ONCE = copy.deepcopy(SERVED.openapi())
del ONCE["paths"]["/interpret"]["post"]["requestBody"]["content"]["application/fhir+json"]
DESCRIBED = schemathesis.openapi.from_dict(ONCE, config=CONFIG)
DESCRIBED.app = SERVED
SHORT = settings(
    derandomize=True, max_examples=20, deadline=None, database=None, phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)  # fmt: skip


@DESCRIBED.parametrize()
@SHORT
def test_the_service_keeps_to_its_description(case: Any) -> None:
    """Statuses, content types, headers and bodies are those described, for requests that keep to the description and for those that do not."""
    case.call_and_validate()


def test_every_path_is_described() -> None:
    """All that the service answers, but for the page to try it and the description itself."""
    assert {operation.ok().label for operation in DESCRIBED.get_all_operations()} == {
        "GET /analytes", "GET /convert", "GET /health", "GET /limits/{analyte}", "GET /version", "POST /convert", "POST /interpret",
    }  # fmt: skip
