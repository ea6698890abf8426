"""A partner's program goes on working: what it relies on goes only when the changelog says so."""

import json
from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from clients.sdkgen.breaking import CHANGELOG, DOCUMENT, RELEASED, Break, Comparison, main, unannounced
from clients.sdkgen.document import Document, load

Edit = Callable[[dict[str, Any]], Any]

LISTING = {
    "type": "object",
    "required": ["id", "status"],
    "properties": {
        "id": {"type": "string"},
        "status": {"type": "string", "enum": ["draft", "open"]},
        "closes_at": {"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]},
        "price": {"anyOf": [{"$ref": "#/components/schemas/Money"}, {"type": "null"}]},
    },
}
DRAFT = {
    "type": "object",
    "required": ["title"],
    "properties": {
        "title": {"type": "string", "maxLength": 200},
        "mode": {"type": "string", "enum": ["sealed", "timed"]},
        "price": {"$ref": "#/components/schemas/Money"},
    },
}
SMALL: dict[str, Any] = {
    "paths": {
        "/v1/listings/{id}": {
            "get": {
                "operationId": "listings.get",
                "parameters": [
                    {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}},
                    {"name": "expand", "in": "query", "schema": {"type": "string"}},
                ],
                "responses": {
                    "200": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Listing"}}}}
                },
            }
        },
        "/v1/listings": {
            "post": {
                "operationId": "listings.create",
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Draft"}}}},
                "responses": {
                    "201": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Listing"}}}}
                },
            }
        },
    },
    "webhooks": {
        "listing.published": {
            "post": {
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Listing"}}}}
            }
        }
    },
    "components": {
        "schemas": {
            "Listing": LISTING,
            "Draft": DRAFT,
            "Money": {
                "type": "object",
                "required": ["amount"],
                "properties": {"amount": {"type": "string"}, "currency": {"type": "string"}},
            },
        }
    },
}


def compared(edit: Edit) -> list[str]:
    """The names of what breaks when the small document is edited, each once."""
    later = deepcopy(SMALL)
    edit(later)
    return list(dict.fromkeys(one.name for one in Comparison(Document(SMALL), Document(later)).breaks()))


def component(document: dict[str, Any], name: str) -> dict[str, Any]:
    schema: dict[str, Any] = document["components"]["schemas"][name]
    return schema


def rename(fields: dict[str, Any], old: str, new: str) -> None:
    fields[new] = fields.pop(old)


def test_the_committed_document_breaks_nothing_that_the_changelog_does_not_name() -> None:
    found = unannounced(Comparison(load(RELEASED), load(DOCUMENT)).breaks(), CHANGELOG.read_text("utf-8"))
    assert not found, "\n".join(["", *(f"`{one.name}`: {one.what}" for one in found)])


def test_a_renamed_field_of_the_real_document_fails() -> None:
    older = json.loads(RELEASED.read_text("utf-8"))
    newer = deepcopy(older)
    rename(component(newer, "BidAnswer")["properties"], "haulage_basis", "incoterm")
    assert [one.name for one in Comparison(Document(older), Document(newer)).breaks()] == ["BidAnswer.haulage_basis"]


def test_a_document_does_not_break_itself() -> None:
    assert compared(lambda later: None) == []


BREAKS: dict[str, tuple[Edit, list[str]]] = {
    "a renamed field of an answer": (
        lambda later: rename(component(later, "Listing")["properties"], "closes_at", "ends_at"),
        ["Listing.closes_at"],
    ),
    "a renamed field within": (
        lambda later: rename(component(later, "Money")["properties"], "currency", "unit"),
        ["Money.currency"],
    ),
    "a field that may be missing": (lambda later: component(later, "Listing")["required"].remove("id"), ["Listing.id"]),
    "a field that may be null": (
        lambda later: component(later, "Listing")["properties"].update(
            id={"anyOf": [{"type": "string"}, {"type": "null"}]}
        ),
        ["Listing.id"],
    ),
    "a field of another type": (
        lambda later: component(later, "Listing")["properties"].update(id={"type": "integer"}),
        ["Listing.id"],
    ),
    "a field of another format": (
        lambda later: component(later, "Listing")["properties"]["closes_at"]["anyOf"][0].update(format="date"),
        ["Listing.closes_at"],
    ),
    "a value that goes": (
        lambda later: component(later, "Listing")["properties"]["status"]["enum"].remove("open"),
        ["Listing.status"],
    ),
    "a field that is newly required": (
        lambda later: component(later, "Draft")["required"].append("mode"),
        ["Draft.mode"],
    ),
    "a new field that is required": (
        lambda later: component(later, "Draft").update(
            properties={**DRAFT["properties"], "site": {"type": "string"}},  # type: ignore[dict-item]
            required=["title", "site"],
        ),
        ["Draft.site"],
    ),
    "a choice that is not taken any more": (
        lambda later: component(later, "Draft")["properties"]["mode"]["enum"].remove("timed"),
        ["Draft.mode"],
    ),
    "a tighter limit": (
        lambda later: component(later, "Draft")["properties"]["title"].update(maxLength=50),
        ["Draft.title"],
    ),
    "a new pattern": (
        lambda later: component(later, "Draft")["properties"]["title"].update(pattern="^A"),
        ["Draft.title"],
    ),
    "a removed operation": (lambda later: later["paths"].pop("/v1/listings"), ["listings.create"]),
    "a moved operation": (lambda later: rename(later["paths"], "/v1/listings", "/v1/lots"), ["listings.create"]),
    "another operationId": (
        lambda later: later["paths"]["/v1/listings"]["post"].update(operationId="listings.draft"),
        ["listings.create"],
    ),
    "a removed parameter": (
        lambda later: later["paths"]["/v1/listings/{id}"]["get"]["parameters"].pop(),
        ["listings.get.expand"],
    ),
    "a parameter that is newly required": (
        lambda later: later["paths"]["/v1/listings/{id}"]["get"]["parameters"][1].update(required=True),
        ["listings.get.expand"],
    ),
    "a new parameter that is required": (
        lambda later: later["paths"]["/v1/listings"]["post"].update(
            parameters=[{"name": "X-Site", "in": "header", "required": True, "schema": {"type": "string"}}]
        ),
        ["listings.create.X-Site"],
    ),
    "a body that is newly required": (
        lambda later: later["paths"]["/v1/listings"]["post"]["requestBody"].update(required=True),
        ["listings.create"],
    ),
    "another status": (
        lambda later: rename(later["paths"]["/v1/listings"]["post"]["responses"], "201", "202"),
        ["listings.create"],
    ),
    "a removed event": (lambda later: later["webhooks"].clear(), ["listing.published"]),
}


@pytest.mark.parametrize("what", BREAKS)
def test_it_breaks(what: str) -> None:
    edit, names = BREAKS[what]
    assert compared(edit) == names


ADDITIONS: dict[str, Edit] = {
    "an optional field to send": lambda later: component(later, "Draft")["properties"].update(note={"type": "string"}),
    "a field that is answered": lambda later: component(later, "Listing")["properties"].update(note={"type": "string"}),
    "a value that is answered": lambda later: component(later, "Listing")["properties"]["status"]["enum"].append(
        "closed"
    ),
    "a value that is taken": lambda later: component(later, "Draft")["properties"]["mode"]["enum"].append("negotiated"),
    "null that is taken": lambda later: component(later, "Draft")["properties"].update(
        mode={"anyOf": [DRAFT["properties"]["mode"], {"type": "null"}]}  # type: ignore[index]
    ),
    "a wider limit": lambda later: component(later, "Draft")["properties"]["title"].update(maxLength=500),
    "a field that is always answered": lambda later: component(later, "Listing")["required"].append("price"),
    "an optional parameter": lambda later: later["paths"]["/v1/listings"]["post"].update(
        parameters=[{"name": "dry_run", "in": "query", "schema": {"type": "boolean"}}]
    ),
    "a path parameter of another name": lambda later: _rename_path_parameter(later),
    "an operation": lambda later: later["paths"].update({"/v1/x": {"get": {"operationId": "x.list", "responses": {}}}}),
    "an event": lambda later: later["webhooks"].update({"listing.closed": later["webhooks"]["listing.published"]}),
    "a component of another name": lambda later: _rename_money(later),
}


def _rename_path_parameter(later: dict[str, Any]) -> None:
    rename(later["paths"], "/v1/listings/{id}", "/v1/listings/{listing_id}")
    later["paths"]["/v1/listings/{listing_id}"]["get"]["parameters"][0]["name"] = "listing_id"


def _rename_money(later: dict[str, Any]) -> None:
    rename(later["components"]["schemas"], "Money", "Amount")
    component(later, "Draft")["properties"]["price"]["$ref"] = "#/components/schemas/Amount"
    component(later, "Listing")["properties"]["price"]["anyOf"][0]["$ref"] = "#/components/schemas/Amount"


@pytest.mark.parametrize("what", ADDITIONS)
def test_it_breaks_nothing(what: str) -> None:
    assert compared(ADDITIONS[what]) == []


CHANGES = """# Changelog

## Unreleased

- A note about `Listing.status`.

### Breaking: what to change

- `Listing.closes_at` is called `ends_at`.

### Fixed

- `Listing.id`

## 2026-11-01

### Breaking

- `Listing.price` is gone.
"""


def test_only_what_the_newest_section_names_as_breaking_may_break() -> None:
    names = ["Listing.closes_at", "Listing.status", "Listing.id", "Listing.price"]
    left = unannounced([Break(name, "the field is gone") for name in names], CHANGES)
    assert [one.name for one in left] == names[1:]


def test_the_command_tells_what_breaks(capsys: pytest.CaptureFixture[str]) -> None:
    assert (main([]), capsys.readouterr().err) == (0, "")
