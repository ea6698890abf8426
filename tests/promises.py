"""Holds every answer of the app against its OpenAPI document: the status, the problem codes, and the events that were written.

Installed into the client that tests get, so that an operation that answers what its docstring does not name fails the test that
made it do so.
"""

import re
from collections import defaultdict
from functools import cache
from typing import Any, get_args

import httpx
from fastapi import FastAPI
from pydantic_core import core_schema
from sqlalchemy import Connection, event
from sqlalchemy.orm import Mapper

from services.app import openapi_document
from services.kernel.events import EventRow
from services.kernel.http.problems import MEDIA_TYPE

Document = dict[str, Any]

_OF_ANY_BODY = {*get_args(core_schema.ErrorType), "unknown_field", "required", "time_without_zone"}
_written: defaultdict[str, list[str]] = defaultdict(list)
_documents: list[Document] = []


@event.listens_for(EventRow, "after_insert")
def _note(mapper: Mapper[EventRow], connection: Connection, row: EventRow) -> None:
    if row.cause is not None:
        _written[row.cause].append(row.type)


def keeps_promises(app: FastAPI) -> dict[str, Any]:
    """The event hooks of an httpx client for the app."""

    async def compare(response: httpx.Response) -> None:
        caused = _written.pop(response.headers.get("x-request-id", ""), [])
        if response.is_success and not caused:
            return
        told = _operation(app, response.request)
        if told is not None:
            await response.aread()
            broken = [*unnamed_codes(told, response), *unnamed_events(told, response, caused)]
            assert not broken, "\n".join(broken)

    return {"response": [compare]}


def _operation(app: FastAPI, request: httpx.Request) -> Document | None:
    """None for what the document does not have: another method, a route of one test."""
    for pattern, item in _paths(app):
        if pattern.fullmatch(request.url.path):
            found: Document | None = item.get(request.method.lower())
            return found
    return None


def _paths(app: FastAPI) -> list[tuple[re.Pattern[str], Document]]:
    """What is spelled out goes before what is a parameter. Made of the first app: all are built alike."""
    if not _documents:
        _documents.append(openapi_document(app))
    return _patterns()


@cache
def _patterns() -> list[tuple[re.Pattern[str], Document]]:
    paths: dict[str, Document] = _documents[0]["paths"]
    ordered = sorted(paths, key=lambda path: (path.count("{"), path))
    return [(re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path))), paths[path]) for path in ordered]


def unnamed_codes(told: Document, response: httpx.Response) -> list[str]:
    status = str(response.status_code)
    if status not in told["responses"]:
        return [f"{told['operationId']} answered {status}, which its document does not have: {response.text[:300]}"]
    if not response.headers.get("content-type", "").startswith(MEDIA_TYPE):
        return []
    named = told.get("x-problem-codes", {}).get(status, [])
    return [
        f"{told['operationId']} answered {status} {code}, which its docstring does not name"
        for code in _codes(response)
        if code not in named
    ]


def _codes(response: httpx.Response) -> list[str]:
    """The problem's, and with 409 and 422 those of its errors that are not pydantic's."""
    problem = response.json()
    inner = [error["code"] for error in problem["errors"]] if response.status_code in (409, 422) else []
    return [problem["code"], *(code for code in dict.fromkeys(inner) if code not in _OF_ANY_BODY)]


def unnamed_events(told: Document, response: httpx.Response, caused: list[str]) -> list[str]:
    """Of what was rolled back nobody hears."""
    named = told.get("x-events", [])
    return [
        f"{told['operationId']} caused {name}, which its docstring does not name"
        for name in dict.fromkeys(caused)
        if response.is_success and name not in named
    ]
