"""A small server in the conventions of the API, and the client that is generated for it."""

import importlib
import shutil
import socket
import sys
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from email.parser import BytesParser
from email.policy import HTTP
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import backhaul_client
import uvicorn
from fastapi import APIRouter, FastAPI, Header, HTTPException, Query, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from fastapi.routing import APIRoute
from fastapi.sse import EventSourceResponse, ServerSentEvent
from pydantic import BaseModel, Field

from clients.sdkgen.document import Document
from clients.sdkgen.package import write


class Money(BaseModel):
    amount: str
    currency: str


class Item(BaseModel):
    description: str
    quantity: int = Field(ge=1)


class NewListing(BaseModel):
    title: str
    items: list[Item]
    reserve_price: Money | None = None
    note: str | None = None


class Listing(BaseModel):
    id: str
    title: str
    status: Literal["draft", "published"]
    items: list[Item]
    reserve_price: Money | None = None
    note: str | None = None


class ListingPage(BaseModel):
    data: list[Listing]
    has_more: bool
    next_cursor: str | None


class Import(BaseModel):
    id: str
    filename: str
    size: int
    kind: str


class Tick(BaseModel):
    price: Money


class SettledOrder(BaseModel):
    order_id: str
    total: Money


class Subject(BaseModel):
    id: str
    sequence: int


class OrderSettledEnvelope(BaseModel):
    id: str
    type: Literal["order.settled"]
    timestamp: str
    livemode: bool
    seq: int
    subject: Subject
    data: SettledOrder
    weather: str | None = None


UPLOAD = {
    "required": True,
    "content": {
        "multipart/form-data": {
            "schema": {
                "type": "object",
                "required": ["file", "kind"],
                "properties": {
                    "file": {"type": "string", "contentMediaType": "application/octet-stream"},
                    "kind": {"type": "string"},
                },
            }
        }
    },
}


def _operation_id(route: APIRoute) -> str:
    return route.name


def build_app() -> FastAPI:
    """Keeps what it was sent in `app.state.seen`, one entry per request."""
    app = FastAPI(generate_unique_id_function=_operation_id, webhooks=_partner_events())
    app.state.seen = []
    app.state.listings = [_listing(number) for number in range(5)]
    app.include_router(_listings(app))
    app.include_router(_others(app))
    return app


def _partner_events() -> APIRouter:
    events = APIRouter(generate_unique_id_function=_operation_id)

    @events.post("order.settled", name="order.settled")
    def order_settled(body: OrderSettledEnvelope) -> None:
        """The money of an order has reached everybody."""

    return events


def _listing(number: int) -> dict[str, Any]:
    return {"id": f"lst_{number}", "title": f"Pallet {number}", "status": "published", "items": []}


def _listings(app: FastAPI) -> APIRouter:
    router = APIRouter(prefix="/v1/listings")

    @router.get("", name="listings.list", response_model=ListingPage)
    def list_listings(limit: Annotated[int, Query(ge=1, le=200)] = 2, cursor: str | None = None) -> Response:
        start = int(cursor or 0)
        has_more = start + limit < len(app.state.listings)
        body = {
            "data": app.state.listings[start : start + limit],
            "has_more": has_more,
            "next_cursor": str(start + limit) if has_more else None,
        }
        return JSONResponse(body)

    @router.post("", name="listings.create", status_code=201, response_model=Listing)
    async def create(
        request: Request, body: NewListing, idempotency_key: Annotated[str, Header(alias="Idempotency-Key")]
    ) -> Response:
        app.state.seen.append({"key": idempotency_key, "body": await request.json()})
        return JSONResponse({"id": "lst_new", "status": "embargoed", "weather": "rain", **body.model_dump()}, 201)

    @router.get("/export", name="listings.export", response_class=PlainTextResponse)
    def export() -> str:
        return "id,title\nlst_0,Pallet 0\n"

    @router.get("/{listing_id}", name="listings.retrieve", response_model=Listing)
    def retrieve(listing_id: str) -> Response:
        return JSONResponse(_listing(0) | {"id": listing_id}, headers={"ETag": '"7"'})

    @router.post("/{listing_id}/publish", name="listings.publish", response_model=Listing)
    def publish(
        listing_id: str,
        idempotency_key: Annotated[str, Header(alias="Idempotency-Key")],
        if_match: Annotated[str | None, Header(alias="If-Match")] = None,
        dry_run: bool = False,
    ) -> Response:
        app.state.seen.append({"if_match": if_match, "dry_run": dry_run, "key": idempotency_key})
        if if_match != '"7"':
            problem = {"title": "It has changed", "status": 412, "code": "version_mismatch", "request_id": "req_1"}
            return JSONResponse(problem, 412, media_type="application/problem+json")
        return JSONResponse(_listing(0) | {"id": listing_id})

    @router.delete("/{listing_id}", name="listings.delete", status_code=204)
    def delete(listing_id: str) -> None:
        if listing_id != "lst_0":
            raise HTTPException(404)

    return router


def _parts(content_type: str, body: bytes) -> dict[str, tuple[str, bytes]]:
    """Form field to (filename, content)."""
    message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body)
    return {
        str(part.get_param("name", header="content-disposition")): (
            part.get_filename() or "",
            cast(bytes, part.get_payload(decode=True)),
        )
        for part in message.walk()
        if not part.is_multipart()
    }


def _others(app: FastAPI) -> APIRouter:
    router = APIRouter(prefix="/v1")

    @router.post("/imports", name="imports.create", status_code=202, openapi_extra={"requestBody": UPLOAD})
    async def create_import(request: Request) -> Import:
        body = await request.body()
        app.state.seen.append({"key": request.headers.get("Idempotency-Key"), "body": body})
        parts = _parts(request.headers["content-type"], body)
        filename, content = parts["file"]
        return Import(id="imp_1", filename=filename, size=len(content), kind=parts["kind"][1].decode())

    @router.get(
        "/certificates/{certificate_id}",
        name="certificates.retrieve",
        response_class=PlainTextResponse,
        responses={200: {"content": {"application/vc+jwt": {"schema": {"type": "string"}}}}},
        openapi_extra={"security": []},
    )
    def certificate(request: Request) -> Response:
        app.state.seen.append({"authorization": request.headers.get("authorization")})
        return Response("ey.ey.sig", media_type="application/vc+jwt")

    @router.get("/auctions/{listing_id}/events", name="auctions.follow", response_class=EventSourceResponse)
    async def follow(
        listing_id: str, last_event_id: Annotated[str | None, Header(alias="Last-Event-ID")] = None
    ) -> AsyncIterator[Tick]:
        for price in ("100.00", "110.00"):
            yield ServerSentEvent(data=Tick(price=Money(amount=price, currency="EUR")), id=price)  # type: ignore[misc]

    return router


def client_package(folder: Path, document: dict[str, Any], name: str) -> Any:
    """The client generated for a document, imported under a name of its own."""
    shutil.copytree(Path(backhaul_client.__file__).parent, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    write(Document(document), folder / name / "_generated")
    sys.path.insert(0, str(folder))
    try:
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(folder))


@contextmanager
def served(app: Any) -> Iterator[str]:
    """The app on a free loopback port; the address it answers at."""
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(timeout=10)
        listening.close()
