"""The reference says what it must of every operation, and /docs shows it without asking anybody else."""

import hashlib
import re
from collections.abc import Iterator
from typing import Any

import httpx
import jsonschema_rs
import pytest

from services import hosting
from services.app import build_app, openapi_document
from services.kernel.events import CATALOGUE
from services.kernel.http import docs
from services.kernel.http.openapi import examples, groups
from services.kernel.problem_codes import register
from services.kernel.settings import Settings

Document = dict[str, Any]
_QUOTED = re.compile(r"`([a-z]+(?:_[a-z0-9]+)+)`")
_DOTTED = re.compile(r"`([a-z_]+\.[a-z_]+)`")
ELSEWHERE = {"last_seq", "head_seq", "already_published", "outside_slot", "unknown_issuer"}
"""In an export, on a refused row, as a flag, in a verification: words that no schema has."""
VIEWER_SHA256 = "dcaf76612bc4a3fbcc923a8966dee2f6146a5f32e5ce1b6f02dd60cbbf89500b"


@pytest.fixture(scope="module")
def document() -> Document:
    runtime = hosting.runtime(Settings(), "postgresql+asyncpg://nobody@localhost/none")
    return openapi_document(build_app(runtime))


def _operations(document: Document) -> list[Document]:
    return [operation for item in document["paths"].values() for operation in item.values()]


def test_every_tag_has_a_group(document: Document) -> None:
    assert groups.ungrouped(document) == set()


def test_every_parameter_is_described(document: Document) -> None:
    silent = [
        f"{operation['operationId']} {parameter['name']}"
        for operation in _operations(document)
        for parameter in operation.get("parameters", [])
        if not parameter.get("description")
    ]
    assert silent == []


def test_every_operation_has_its_problem_codes(document: Document) -> None:
    assert [o["operationId"] for o in _operations(document) if not o.get("x-problem-codes")] == []


def test_every_problem_code_has_a_meaning() -> None:
    """A class of problems says it in its docstring; `explain` says it of the rest."""
    assert [one.code for codes in register().values() for one in codes if not one.meaning] == []


def test_every_code_and_field_that_a_docstring_quotes_exists(document: Document) -> None:
    known = set(register()) | _words(document) | ELSEWHERE
    misspelt = [
        f"{operation['operationId']}: {word}"
        for operation in _operations(document)
        for word in _QUOTED.findall(operation["description"])
        if word not in known
    ]
    assert misspelt == []


def _words(document: Document) -> set[str]:
    """Names of fields and parameters, values of enums, names of operations and transitions."""
    names = {part for operation in _operations(document) for part in operation["operationId"].split(".")}
    names |= {parameter["name"] for operation in _operations(document) for parameter in operation.get("parameters", [])}
    return names | set(_names_in(document["components"]["schemas"])) | set(_names_in(document["paths"]))


def _names_in(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        yield from node.get("properties", {})
        yield from (value for value in node.get("enum", []) if isinstance(value, str))
        for inner in node.values():
            yield from _names_in(inner)
    if isinstance(node, list):
        for inner in node:
            yield from _names_in(inner)


def test_every_event_that_a_docstring_quotes_exists(document: Document) -> None:
    known = set(CATALOGUE) | {operation["operationId"] for operation in _operations(document)}
    unknown = [
        f"{operation['operationId']}: {name}"
        for operation in _operations(document)
        for name in _DOTTED.findall(operation["description"])
        if name not in known
    ]
    assert unknown == []


def test_every_json_answer_has_a_valid_example(document: Document) -> None:
    """`make examples` records those that are missing or stale."""
    stale = [told for operation in _operations(document) for told in _faults_of_answers(document, operation)]
    assert stale == []


def _faults_of_answers(document: Document, operation: Document) -> Iterator[str]:
    for status, media in _json_answers(operation):
        if "example" not in media:
            yield f"{operation['operationId']} {status} has no example"
        else:
            yield from _faults(document, media["schema"], media["example"], f"{operation['operationId']} {status}")


def _json_answers(operation: Document) -> Iterator[tuple[str, Document]]:
    for status, response in operation["responses"].items():
        media = response.get("content", {}).get("application/json")
        if status.startswith("2") and media is not None:
            yield status, media


def test_every_request_example_is_valid(document: Document) -> None:
    bodies = [
        (operation["operationId"], option)
        for operation in _operations(document)
        for option in _bodies(operation.get("requestBody", {}).get("content", {}))
    ]
    schemas = document["components"]["schemas"]
    stale = [
        told
        for operation_id, option in bodies
        for example in schemas[option["$ref"].rsplit("/", 1)[1]].get("examples", [])
        for told in _faults(document, option, example, operation_id)
    ]
    assert stale == []


def _bodies(content: Document) -> list[Document]:
    schema = content.get("application/json", {}).get("schema", {})
    return [option for option in schema.get("anyOf", [schema]) if "$ref" in option]


def test_every_recorded_event_is_valid(document: Document) -> None:
    stale = [
        told
        for event_type, example in examples.recorded()["events"].items()
        if event_type in document["webhooks"]
        for told in _faults(document, _payload(document, event_type), example, event_type)
    ]
    assert stale == []


def _payload(document: Document, event_type: str) -> Document:
    body = document["webhooks"][event_type]["post"]["requestBody"]["content"]["application/json"]["schema"]
    schema: Document = body
    return schema


def _faults(document: Document, schema: Document, example: Any, where: str) -> list[str]:
    whole = {**schema, "components": document["components"]}
    validator = jsonschema_rs.Draft202012Validator(whole)
    return [f"{where}: {error.message} at {error.instance_path}" for error in validator.iter_errors(example)]


async def test_the_reference_asks_nobody_else(client: httpx.AsyncClient) -> None:
    page = await client.get("/docs")
    assert page.status_code == 200
    assert "default-src 'self'" in page.headers["content-security-policy"]
    assert re.findall(r"(?:src|href)=\"(?!/|data:)", page.text) == []


async def test_what_the_reference_loads_is_there(client: httpx.AsyncClient) -> None:
    page = await client.get("/docs")
    answers = [await client.get(path) for path in re.findall(r"(?:src|href)=\"(/docs/[^\"]+)", page.text)]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert {answer.headers["cache-control"] for answer in answers} == {"public, max-age=31536000, immutable"}


async def test_the_reference_shows_every_operation(client: httpx.AsyncClient, document: Document) -> None:
    shown = (await client.get("/docs/openapi.json")).json()
    assert [o["operationId"] for o in _operations(shown)] == [o["operationId"] for o in _operations(document)]


async def test_every_problem_code_has_a_page(client: httpx.AsyncClient, document: Document) -> None:
    pages = {code: await client.get(f"/docs/problems/{code}") for code in document["x-problem-codes"]}
    assert [
        code for code, page in pages.items() if page.status_code != 200 or f"<code>{code}</code>" not in page.text
    ] == []
    assert (await client.get("/docs/problems/no_such_code")).status_code == 404


async def test_all_problem_codes_stand_on_one_page(client: httpx.AsyncClient, document: Document) -> None:
    page = (await client.get("/docs/problems")).text
    assert [code for code in document["x-problem-codes"] if f'/docs/problems/{code}"' not in page] == []


@pytest.mark.parametrize("name", ["reference.html", "README.md", "nothing.js", "..%2fdocs.py"])
async def test_nothing_but_assets_is_served(client: httpx.AsyncClient, name: str) -> None:
    assert (await client.get(f"/docs/{name}")).status_code == 404


def test_the_vendored_viewer_is_the_published_one() -> None:
    assert hashlib.sha256((docs.ASSETS / docs.VIEWER).read_bytes()).hexdigest() == VIEWER_SHA256
