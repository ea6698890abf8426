"""Every error as `application/problem+json` (RFC 9457), framework errors included."""

from collections.abc import Sequence
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel
from sqlalchemy.exc import DBAPIError, IntegrityError
from starlette.exceptions import HTTPException

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

    pointer: str
    code: str
    detail: str


class ProblemDocument(BaseModel):
    """RFC 9457. `code` is stable; `type` is its page."""

    type: str
    title: str
    status: int
    code: str
    detail: str
    instance: str
    request_id: str | None
    errors: list[ProblemError]


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


def _answer(request: Request, **what: Any) -> JSONResponse:
    return problem_answer(request.url.path, request.scope.get("request_id"), **what)


def _on_problem(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Problem)
    return _answer(
        request,
        status=error.status,
        code=error.code,
        title=error.title,
        detail=error.detail,
        errors=error.errors,
        headers=error.headers,
    )


def _on_http_error(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)
    code, title = _CODES.get(error.status_code, ("http_error", "The request cannot be answered"))
    headers = dict(error.headers) if error.headers else None
    return _answer(request, status=error.status_code, code=code, title=title, detail=str(error.detail), headers=headers)


def _on_invalid_request(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, RequestValidationError)
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
    return _answer(request, status=500, code="internal", title="We failed", detail="Nothing was changed. Try again.")


def _on_error(request: Request, error: Exception) -> JSONResponse:
    log.error("unhandled", error=repr(error), exc_info=error)
    return _answer(request, status=500, code="internal", title="We failed", detail="Nothing was changed. Try again.")


def install(app: FastAPI) -> None:
    app.add_exception_handler(Problem, _on_problem)
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(IntegrityError, _on_integrity_error)
    app.add_exception_handler(DBAPIError, _on_database_error)
    app.add_exception_handler(Exception, _on_error)
