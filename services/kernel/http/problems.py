"""Every error as `application/problem+json` (RFC 9457), framework errors included."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy.exc import DBAPIError, IntegrityError
from starlette.exceptions import HTTPException
from starlette.routing import Route
from starlette.types import Scope

from services.kernel.errors import Conflict, Detail, Problem

log = structlog.get_logger(__name__)
DOCS = "https://docs.backhaul.dev/problems/"
MEDIA_TYPE = "application/problem+json"
_CODES = {
    400: ("bad_request", "The request cannot be read"),
    404: ("not_found", "There is nothing here"),
    405: ("method_not_allowed", "This method is not offered here"),
    413: ("body_too_large", "The body is larger than this operation takes"),
    415: ("media_type_not_supported", "This media type is not taken here"),
}


class ProblemError(BaseModel):
    """One thing that is wrong; `pointer` is a JSON pointer into what was sent."""

    pointer: str = Field(description="JSON pointer into what was sent; empty for the whole")
    code: str = Field(description="Stable; open for more")
    detail: str = Field(description="A sentence for people")


class ProblemDocument(BaseModel):
    """RFC 9457. `code` is stable; `type` is its page."""

    type: str = Field(description="The page of the code")
    title: str = Field(description="What kind of problem it is; the same for every occurrence")
    status: int = Field(description="The HTTP status")
    code: str = Field(description="Stable; the operation lists those it can answer")
    detail: str = Field(description="What went wrong this time, for people")
    instance: str = Field(description="The path that was asked for")
    request_id: str | None = Field(description="The answer's `X-Request-ID`; name it when you ask us")
    errors: list[ProblemError] = Field(description="Every place that is wrong, or every reason against it")


def problem_answer(
    request_path: str,
    request_id: str | None,
    *,
    status: int,
    code: str,
    title: str,
    detail: str,
    errors: Sequence[Detail] = (),
    headers: dict[str, str] | None = None,
) -> JSONResponse:
    document = {
        "type": DOCS + code,
        "title": title,
        "status": status,
        "code": code,
        "detail": detail,
        "instance": request_path,
        "request_id": request_id,
        "errors": [{"pointer": e.pointer, "code": e.code, "detail": e.detail} for e in errors],
    }
    return JSONResponse(document, status_code=status, headers=headers, media_type=MEDIA_TYPE)


def refusal(scope: Scope, problem: Problem) -> JSONResponse:
    return problem_answer(
        scope["path"],
        scope.get("request_id"),
        status=problem.status,
        code=problem.code,
        title=problem.title,
        detail=problem.detail,
        errors=problem.errors,
        headers=problem.headers,
    )


class Unexpected(Problem):
    """The failure is ours. Nothing was changed; send it again with the same Idempotency-Key."""

    status = 500
    code = "internal"
    title = "We failed"

    def __init__(self) -> None:
        super().__init__("Nothing was changed. Try again.")


def _answer(request: Request, **what: Any) -> JSONResponse:
    return problem_answer(request.url.path, request.scope.get("request_id"), **what)


def _on_problem(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Problem)
    return refusal(request.scope, error)


def _on_http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code, title = _CODES.get(error.status_code, ("http_error", "The request cannot be answered"))
    headers = {**(error.headers or {}), **({"Allow": _offered(request)} if error.status_code == 405 else {})}
    return _answer(request, status=error.status_code, code=code, title=title, detail=str(error.detail), headers=headers)


def _offered(request: Request) -> str:
    """The methods of this path; each has a route of its own, and the framework names those of the first alone."""
    here = [route for route in _routes(request.app.router.routes) if route.path_regex.match(request.url.path)]
    exact = [route for route in here if not route.param_convertors]
    return ", ".join(sorted({method for route in exact or here for method in route.methods or ()}))


def _routes(found: Iterable[Any]) -> Iterator[Route]:
    """The framework keeps included routers as a tree."""
    for route in found:
        if isinstance(route, Route):
            yield route
        else:
            yield from _routes(route.original_router.routes)


def _on_invalid_request(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
    if any(one["loc"][0] == "path" for one in error.errors()) and request.method not in _offered(request).split(", "):
        return _on_http_error(request, HTTPException(405))
    errors = [_detail(e) for e in error.errors()]
    if errors and errors[0].code == "json_invalid":
        return _answer(request, status=400, code="json_invalid", title=_CODES[400][1], detail=errors[0].detail)
    told = " ".join(f"{e.pointer or 'The request'}: {e.detail}." for e in errors[:3])
    return _answer(request, status=422, code="invalid", title="What was sent is not valid", detail=told, errors=errors)


def _detail(error: dict[str, Any]) -> Detail:
    where = (
        error["loc"][1:] if error["loc"] and error["loc"][0] in ("body", "query", "path", "header") else error["loc"]
    )
    pointer = "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in where)
    message = error["msg"].removeprefix("Value error, ")
    return Detail(pointer, _CODE_NAMES.get(error["type"], error["type"]), message)


_CODE_NAMES = {"extra_forbidden": "unknown_field", "missing": "required", "timezone_aware": "time_without_zone"}


def _on_integrity_error(request: Request, error: Exception) -> JSONResponse:
    """A constraint spoke where no verb did: somebody else was faster."""
    assert isinstance(error, IntegrityError)
    log.warning("constraint", error=str(error.orig))
    conflict = Conflict("This contradicts what somebody else has just done; read it again.")
    return _on_problem(request, conflict)


def _on_database_error(request: Request, error: Exception) -> JSONResponse:
    log.error("database", error=str(error))
    return refusal(request.scope, Unexpected())


def install(app: FastAPI) -> None:
    """Answers what is raised on the way to an endpoint and in it; what nobody thought of, the middleware answers."""
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(IntegrityError, _on_integrity_error)
    app.add_exception_handler(DBAPIError, _on_database_error)
