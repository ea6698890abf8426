"""The document partners read: valid, current, complete."""

import json
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate

from services import hosting
from services.app import build_app, openapi_document
from services.kernel.events import CATALOGUE
from services.kernel.http.openapi import endpoint_lines
from services.kernel.settings import Settings
from services.parties.permissions import ROLES

OPENAPI = Path(__file__).resolve().parents[2] / "openapi"


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    runtime = hosting.runtime(Settings(), "postgresql+asyncpg://nobody@localhost/none")
    return openapi_document(build_app(runtime))


def _operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [operation for item in document["paths"].values() for operation in item.values()]


def test_the_committed_document_is_what_the_app_says(document: dict[str, Any]) -> None:
    committed = json.loads((OPENAPI / "backhaul.v1.json").read_text())
    assert committed == json.loads(json.dumps(document))


def test_the_committed_list_of_endpoints_is_current(document: dict[str, Any]) -> None:
    assert (OPENAPI / "endpoints.txt").read_text() == endpoint_lines(document)


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    validate(document)


def test_every_operation_names_its_actor(document: dict[str, Any]) -> None:
    """Either it needs a permission that some role carries, or it is public on purpose."""
    known = {permission for role in ROLES.values() for permission in role}
    unnamed = [
        operation["operationId"]
        for operation in _operations(document)
        if operation.get("security") != [] and operation.get("x-permission") not in known
    ]
    assert unnamed == []


def test_every_operation_has_a_name_of_its_own(document: dict[str, Any]) -> None:
    names = [operation["operationId"] for operation in _operations(document)]
    assert len(names) == len(set(names))


def test_every_operation_says_what_it_does(document: dict[str, Any]) -> None:
    silent = [o["operationId"] for o in _operations(document) if not o.get("summary") or not o.get("description")]
    assert silent == []


def test_every_request_body_has_an_example(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    bodies = [
        _names(operation["requestBody"]["content"]["application/json"]["schema"])
        for operation in _operations(document)
        if "application/json" in operation.get("requestBody", {}).get("content", {})
    ]
    assert [name for names in bodies for name in names if not schemas[name].get("examples")] == []


def _names(schema: dict[str, Any]) -> list[str]:
    """The components a body may be: one, or one of several where it may be left out."""
    options = schema.get("anyOf", [schema])
    return [option["$ref"].rsplit("/", 1)[1] for option in options if "$ref" in option]


def test_every_event_is_a_webhook_with_a_schema(document: dict[str, Any]) -> None:
    assert set(document["webhooks"]) == set(CATALOGUE)
    assert [event.type for event in CATALOGUE.values() if not event.__doc__] == []
