"""The problem answers of each operation, with the codes it can answer: those its docstring names, and those that follow from
what it declares (a body, a path, If-Match, a permission)."""

import json
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from services.kernel.http.openapi.framework import REQUEST_ID, STATUSES
from services.kernel.http.openapi.operations import Document, Operation, operations
from services.kernel.http.problems import DOCS, MEDIA_TYPE, ProblemDocument
from services.kernel.problem_codes import ProblemCode, register

Codes = dict[int, list[str]]

_CODE = re.compile(r"`([a-z][a-z_0-9]+)`(?: \((\d{3}))?|(\d{3}) `([a-z][a-z_0-9]+)`")
ID_PATTERN = "_[0-7][0-9a-hjkmnp-tv-z]{25}$"
_TRANSITION = re.compile(r"\}/[a-z_]+$")


def complete(document: Document) -> None:
    known = register()
    answered = {operation.id: _codes_of(document, operation, known) for operation in operations(document)}
    used = sorted({(code, status) for codes in answered.values() for status in codes for code in codes[status]})
    named = {key: _find(known, *key) for key in used}
    document["components"]["schemas"]["Problem"] = _problem_schema()
    document["components"]["examples"] = {_example_name(one): _example(one) for one in named.values()}
    document["x-problem-codes"] = _table(list(named.values()))
    for operation in operations(document):
        _answer(operation, answered[operation.id], named)
    _share(document)


def named_in(text: str, known: dict[str, list[ProblemCode]]) -> Iterator[tuple[int, str]]:
    """Codes in backticks with their statuses; where one has several, the one that stands before or after it: `code` (409, …)."""
    for after, said_after, said_before, before in _CODE.findall(text):
        code, said = after or before, said_after or said_before
        statuses = {one.status for one in known.get(code, [])}
        yield from ((status, code) for status in sorted(statuses) if said in ("", str(status)) or len(statuses) == 1)


def _codes_of(document: Document, operation: Operation, known: dict[str, list[ProblemCode]]) -> Codes:
    codes: defaultdict[int, list[str]] = defaultdict(list)
    for status, code in [*named_in(operation.description, known), *_implied(document, operation)]:
        if code in known and code not in codes[status]:
            codes[status].append(code)
    return {status: codes[status] for status in sorted(codes)}


def _implied(document: Document, operation: Operation) -> Iterator[tuple[int, str]]:
    yield from ((500, "internal"), (400, "version_unknown"))
    if "service" in operation.told["tags"]:
        return
    yield from ((401, "unauthenticated"), (422, "invalid"), (422, "text_unstorable"), (429, "rate_limited"))
    yield from _of_the_caller(operation)
    yield from _of_the_parameters(operation)
    if "requestBody" in operation.told:
        yield from ((400, "json_invalid"), (400, "bad_request"), (413, "body_too_large"))
    if "{" in operation.path or _names_things(document, operation):
        yield 404, "not_found"
    if operation.is_write:
        yield 409, "conflict"
    if _TRANSITION.search(operation.path) and operation.takes("dry_run"):
        yield from ((409, "transition_not_possible"), (409, "blocked"))


def _of_the_caller(operation: Operation) -> Iterator[tuple[int, str]]:
    """A credential that is sent is looked at on a public operation as well."""
    yield from ((401, "live_not_served"), (403, "not_delegated"), (422, "account_malformed"))
    if operation.permission is not None:
        yield 403, "permission_missing"
    if operation.permission is not None and operation.is_write:
        yield from ((403, "forbidden"), (403, "site_not_delegated"))


def _of_the_parameters(operation: Operation) -> Iterator[tuple[int, str]]:
    if operation.takes("If-Match"):
        yield 412, "version_mismatch"
    if operation.demands("If-Match"):
        yield 428, "version_required"
    if operation.takes("Idempotency-Key"):
        yield from ((422, "idempotency_key_reused"), (422, "idempotency_key_invalid"))
        yield from ((422, "idempotency_key_too_short"), (409, "idempotency_in_progress"))
    if operation.takes("cursor"):
        yield 422, "cursor_invalid"


def _names_things(document: Document, operation: Operation) -> bool:
    """Whether its body holds an id, at any depth, of something that may not be there."""
    return ID_PATTERN in json.dumps(_resolved(document, operation.told.get("requestBody", {})))


def _resolved(document: Document, node: Any, within: frozenset[str] = frozenset()) -> Any:
    if isinstance(node, list):
        return [_resolved(document, inner, within) for inner in node]
    if not isinstance(node, dict):
        return node
    name = node.get("$ref", "").rsplit("/", 1)[-1]
    if name and name not in within:
        return _resolved(document, document["components"]["schemas"][name], within | {name})
    return {key: _resolved(document, inner, within) for key, inner in node.items()}


def _find(known: dict[str, list[ProblemCode]], code: str, status: int) -> ProblemCode:
    return next((one for one in known[code] if one.status == status), known[code][0])


def _answer(operation: Operation, codes: Codes, named: dict[tuple[str, int], ProblemCode]) -> None:
    """An operation that answers a status in its own way as well (OAuth's errors) keeps that beside the problem."""
    responses = operation.told["responses"]
    responses.pop("422", None)
    for status, listed in codes.items():
        response = _response(status, [named[code, status] for code in listed])
        own = responses.get(str(status), {})
        responses[str(status)] = response | own | {"content": own.get("content", {}) | response["content"]}
    operation.told["x-problem-codes"] = {str(status): listed for status, listed in codes.items()}


def _response(status: int, codes: list[ProblemCode]) -> Document:
    examples = {one.code: {"$ref": f"#/components/examples/{_example_name(one)}"} for one in codes}
    content = {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": examples}
    listed = ", ".join(f"`{one.code}`" for one in codes)
    return {"description": f"{STATUSES[status]} {listed}", "content": {MEDIA_TYPE: content}}


def _share(document: Document) -> None:
    """The answer that most operations give with a status becomes a component: `Problem404`."""
    places: defaultdict[str, list[Document]] = defaultdict(list)
    for operation in operations(document):
        for status in operation.told["x-problem-codes"]:
            places[status].append(operation.told["responses"])
    shared = {f"Problem{status}": _commonest(status, answers) for status, answers in sorted(places.items())}
    for status, answers in places.items():
        for answer in answers:
            if answer[status] == shared[f"Problem{status}"]:
                answer[status] = {"$ref": f"#/components/responses/Problem{status}"}
    document["components"]["responses"] = shared


def _commonest(status: str, answers: list[Document]) -> Document:
    counted = Counter(answer[status]["description"] for answer in answers)
    told = max(counted, key=lambda description: (counted[description], description))
    return next(answer[status] for answer in answers if answer[status]["description"] == told)


def _example_name(one: ProblemCode) -> str:
    return f"{one.status}-{one.code}"


def _example(one: ProblemCode) -> Document:
    code = "invalid" if one.is_detail else one.code
    told = [{"pointer": "", "code": one.code, "detail": one.meaning}] if one.is_detail else []
    value = {
        "type": DOCS + code,
        "title": one.title,
        "status": one.status,
        "code": code,
        "detail": one.meaning,
        "instance": "/v1/…",
        "request_id": REQUEST_ID,
        "errors": told,
    }
    return {"summary": one.code, "value": value}


def _table(codes: list[ProblemCode]) -> Document:
    table: Document = {}
    for one in codes:
        entry = table.setdefault(one.code, {"type": DOCS + one.code, "meanings": {}})
        entry["meanings"][str(one.status)] = one.meaning
    return table


def _problem_schema() -> Document:
    schema = ProblemDocument.model_json_schema(ref_template="#/components/schemas/{model}")
    inner = schema.pop("$defs")["ProblemError"]
    schema["properties"]["errors"] = {"type": "array", "items": inner}
    return schema
