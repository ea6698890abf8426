"""The API reference at /docs, from vendored assets alone: it works without a network, and tells no third party who reads it."""

import re
from functools import cache
from html import escape
from pathlib import Path
from string import Template
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, Response

from services.kernel.errors import NotFound
from services.kernel.http.openapi.reading import for_readers

router = APIRouter(prefix="/docs", include_in_schema=False)

ASSETS = Path(__file__).parent / "assets"
VIEWER = "redoc-2.5.4.standalone.js"
_POLICY = {
    "Content-Security-Policy": "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; worker-src blob:;"
    " base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}
_FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}
_TYPES = {".js": "text/javascript", ".css": "text/css"}


@router.get("")
async def reference() -> Response:
    return _page("reference.html", viewer=VIEWER)


@router.get("/openapi.json")
async def document(request: Request) -> Response:
    """The document in the words of a reader; the one to generate from is /openapi.json."""
    return JSONResponse(for_readers(request.app.openapi()), headers={"Cache-Control": "no-cache"})


@router.get("/problems")
async def problems(request: Request) -> Response:
    """Every code, as the document's table has it."""
    table = request.app.openapi()["x-problem-codes"]
    rows = [f"<tr><td>{_link(code)}</td><td>{_meanings(entry)}</td></tr>" for code, entry in sorted(table.items())]
    return _page("problems.html", rows="\n".join(rows))


@router.get("/problems/{code}")
async def problem(code: str, request: Request) -> Response:
    """What the `type` of a problem names."""
    document = request.app.openapi()
    entry = document["x-problem-codes"].get(code)
    if entry is None:
        raise NotFound("problem code", code)
    answering = "\n".join(_operation(method, path, told) for method, path, told in _answering(document, code))
    return _page("problem.html", code=escape(code), meanings=_meanings(entry), operations=answering)


@router.get("/{name}")
async def asset(name: str) -> Response:
    """Named by version, so kept for ever."""
    path = ASSETS / name
    if path.suffix not in _TYPES or path.name not in _assets():
        raise NotFound("file", name)
    return FileResponse(path, media_type=_TYPES[path.suffix], headers=_FOR_EVER)


@cache
def _assets() -> frozenset[str]:
    return frozenset(path.name for path in ASSETS.iterdir())


@cache
def _template(name: str) -> Template:
    return Template((ASSETS / name).read_text("utf-8"))


def _page(template: str, **values: str) -> Response:
    return HTMLResponse(_template(template).substitute(values), headers=_POLICY)


def _link(code: str) -> str:
    return f'<a href="/docs/problems/{escape(code)}"><code>{escape(code)}</code></a>'


def _meanings(entry: dict[str, Any]) -> str:
    told = [f"<p><b>{status}</b> {_prose(meaning)}</p>" for status, meaning in sorted(entry["meanings"].items())]
    return "\n".join(told)


def _prose(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text))


def _answering(document: dict[str, Any], code: str) -> list[tuple[str, str, dict[str, Any]]]:
    return [
        (method, path, told)
        for path, item in document["paths"].items()
        for method, told in item.items()
        if any(code in codes for codes in told["x-problem-codes"].values())
    ]


def _operation(method: str, path: str, told: dict[str, Any]) -> str:
    anchor = f"/docs#tag/{told['tags'][0]}/operation/{told['operationId']}"
    name = f"<code>{method.upper()} {escape(path)}</code>"
    return f'<li><a href="{escape(anchor)}">{name}</a> {escape(told["summary"])}</li>'
