"""A client is generated from a document and used against the server the document describes."""

import json
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from mypy import api as mypy

from clients.sdkgen.__main__ import main
from clients.sdkgen.document import Document, DocumentError
from clients.sdkgen.package import files
from tests.clients.sample import build_app, client_package, served

ODD = {
    "openapi": "3.1.0",
    "paths": {
        "/v1/things/{thing-id}/import": {
            "put": {
                "operationId": "things.import",
                "summary": 'Says "hello" \\ and """more"""',
                "parameters": [
                    {"name": "thing-id", "in": "path", "required": True, "schema": {"type": "string"}},
                    {"name": "from", "in": "query", "schema": {"type": ["string", "null"], "format": "date-time"}},
                    {"name": "timeout", "in": "query", "schema": {"type": "integer", "enum": [1, 2]}},
                ],
                "requestBody": {
                    "required": True,
                    "content": {"application/json": {"schema": {"type": "array", "items": {"$ref": "#/x/Keyed"}}}},
                },
                "responses": {
                    "200": {"content": {"application/json": {"schema": {"$ref": "#/x/Shape"}}}},
                    "202": {},
                },
            }
        },
        "/v1/things/{thing-id}/hold": {
            "post": {
                "operationId": "things.hold",
                "requestBody": {
                    "content": {"application/json": {"schema": {"anyOf": [{"$ref": "#/x/Base"}, {"type": "null"}]}}}
                },
                "responses": {"204": {}},
            }
        },
        "/v1/things": {
            "get": {
                "operationId": "things.list",
                "responses": {
                    "200": {"content": {"application/json": {"schema": {"type": "array", "items": {"type": "string"}}}}}
                },
            },
        },
    },
    "x": {
        "Keyed": {"type": "object", "properties": {"class": {"type": "string"}, "@context": {"type": "string"}}},
        "Base": {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}},
        "Round": {
            "allOf": [
                {"$ref": "#/x/Base"},
                {"type": "object", "properties": {"kind": {"const": "round"}, "size": {"$ref": "#/x/Shape"}}},
            ]
        },
        "Square": {"type": "object", "properties": {"kind": {"const": "square"}, "size": {"type": "number"}}},
        "Shape": {"oneOf": [{"$ref": "#/x/Square"}, {"$ref": "#/x/Round"}]},
    },
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("generated")


@pytest.fixture(scope="module")
def sample(folder: Path) -> Any:
    return client_package(folder, build_app().openapi(), "sample_client")


@pytest.fixture
def app() -> FastAPI:
    return build_app()


@pytest.fixture
def client(sample: Any, app: FastAPI) -> Iterator[Any]:
    with served(app) as url, sample.Backhaul("bh_test_k_s", base_url=url) as client:
        yield client


@pytest.fixture
def async_client(sample: Any, app: FastAPI) -> Any:
    http = httpx.AsyncClient(transport=httpx.ASGITransport(app))
    return sample.AsyncBackhaul("bh_test_k_s", base_url="http://sample.test", http_client=http)


def test_an_answer_is_an_object_and_what_is_unknown_survives(client: Any, app: FastAPI, sample: Any) -> None:
    price = sample.models.Money({"amount": "129.50", "currency": "EUR"})
    listing = client.listings.create(title="Steel", items=[{"description": "coil", "quantity": 2}], reserve_price=price)
    assert (listing.id, listing.items[0].quantity, listing.reserve_price.amount) == ("lst_new", 2, "129.50")
    assert (listing.status, listing.weather, listing["weather"]) == ("embargoed", "rain", "rain")
    assert listing.to_dict()["weather"] == "rain"
    assert "note" not in app.state.seen[0]["body"]
    assert app.state.seen[0]["key"]


def test_a_misspelled_argument_is_refused_before_anything_is_sent(client: Any, app: FastAPI) -> None:
    with pytest.raises(TypeError, match="dryrun"):
        client.listings.publish("lst_0", dryrun=True)
    assert app.state.seen == []


def test_the_raw_answer_has_the_etag_the_next_call_needs(client: Any, app: FastAPI) -> None:
    answer = client.listings.retrieve.raw("lst_3")
    assert (answer.status, answer.etag, answer.parsed.id) == (200, '"7"', "lst_3")
    assert client.listings.publish("lst_3", if_match=answer.etag).id == "lst_3"
    assert client.listings.publish("lst_3", if_match=7, dry_run=True).id == "lst_3"
    assert [(one["if_match"], one["dry_run"]) for one in app.state.seen] == [('"7"', False), ('"7"', True)]


def test_a_refusal_is_the_error_of_its_status(client: Any, sample: Any) -> None:
    with pytest.raises(sample.PreconditionFailed) as raised:
        client.listings.publish("lst_3", if_match=6)
    assert (raised.value.code, raised.value.request_id) == ("version_mismatch", "req_1")


def test_a_list_is_followed_to_its_end(client: Any) -> None:
    page = client.listings.list(limit=2)
    assert ([item.id for item in page.data], page.has_more) == (["lst_0", "lst_1"], True)
    assert [item.id for item in page] == [f"lst_{number}" for number in range(5)]
    assert [item.id for item in page.next_page().data] == ["lst_2", "lst_3"]


async def test_an_async_list_is_awaited_or_followed(async_client: Any) -> None:
    assert [item.id async for item in async_client.listings.list()] == [f"lst_{number}" for number in range(5)]
    page = await async_client.listings.list(limit=4)
    assert ([item.id for item in page.data], page.next_cursor) == (["lst_0", "lst_1", "lst_2", "lst_3"], "4")
    assert [item.id async for item in page][-1] == "lst_4"
    assert (await async_client.listings.list.raw()).status == 200


async def test_the_async_twin_answers_the_same(async_client: Any, sample: Any) -> None:
    assert (await async_client.listings.retrieve("lst_3")).id == "lst_3"
    assert (await async_client.listings.publish.raw("lst_3", if_match=7)).parsed.id == "lst_3"
    assert await async_client.listings.delete("lst_0") is None
    with pytest.raises(sample.NotFound):
        await async_client.listings.delete("lst_1")


def test_what_is_not_json_is_text(client: Any, app: FastAPI) -> None:
    assert client.listings.export().startswith("id,title\n")
    assert client.certificates.retrieve("crt_1") == "ey.ey.sig"


def test_a_public_operation_is_sent_without_the_key(client: Any, app: FastAPI) -> None:
    client.certificates.retrieve("crt_1")
    assert app.state.seen == [{"authorization": None}]


def test_a_file_is_sent_from_bytes_path_or_pair(client: Any, tmp_path: Path) -> None:
    path = tmp_path / "returns.csv"
    path.write_bytes(b"a,b\n")
    assert client.imports.create(file=path, kind="x").filename == "returns.csv"
    assert client.imports.create(file=("named.csv", b"abc"), kind="x").size == 3
    created = client.imports.create(file=b"ab", kind="ords")
    assert (created.filename, created.size, created.kind) == ("file", 2, "ords")


def test_an_upload_under_the_same_key_is_the_same_body(client: Any, app: FastAPI) -> None:
    for _ in range(2):
        client.imports.create(file=("named.csv", b"abc"), kind="x", idempotency_key="mine")
    first, second = app.state.seen
    assert first == second


def test_an_id_that_would_change_the_path_is_refused(client: Any) -> None:
    with pytest.raises(ValueError, match="not an id"):
        client.listings.retrieve("")
    assert client.listings.retrieve("a b?c#d").id == "a b?c#d"


def test_a_stream_is_read_as_events_with_ids(client: Any) -> None:
    with client.auctions.follow("lst_0") as events:
        seen = [(event.id, event.data.price.amount) for event in events]
    assert seen == [("100.00", "100.00"), ("110.00", "110.00")]
    assert events.last_event_id == "110.00"


def test_a_cut_stream_goes_on_after_the_last_id(sample: Any) -> None:
    asked: list[str | None] = []

    class Cut(httpx.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            yield 'id: 1\ndata: "li\u2028ne"\n\ndata: half'.encode()
            raise httpx.ReadError("cut")

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers.get("last-event-id"))
        return (
            httpx.Response(200, stream=Cut())
            if len(asked) == 1
            else httpx.Response(200, text="id: 2\r\ndata: 5\r\n\r\n")
        )

    http = httpx.Client(transport=httpx.MockTransport(answer))
    client = sample.Backhaul("bh_test_k_s", http_client=http, sleep=lambda seconds: None)
    assert [(event.id, event.data) for event in client.auctions.follow("lst_0")] == [("1", "li\u2028ne"), ("2", 5)]
    assert asked == [None, "1"]


async def test_an_async_stream_is_read_too(async_client: Any) -> None:
    async with async_client.auctions.follow("lst_0", last_event_id="90.00") as events:
        assert [event.data.price.amount async for event in events] == ["100.00", "110.00"]


async def test_a_cut_async_stream_goes_on_after_the_last_id(sample: Any) -> None:
    asked: list[str | None] = []

    class Cut(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b"id: 1\ndata: 4\n\ndata: half"
            raise httpx.ReadError("cut")

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.headers.get("last-event-id"))
        return httpx.Response(200, stream=Cut()) if len(asked) == 1 else httpx.Response(200, text="id: 2\ndata: 5\n\n")

    async def sleep(seconds: float) -> None:
        """No time passes."""

    http = httpx.AsyncClient(transport=httpx.MockTransport(answer))
    client = sample.AsyncBackhaul("bh_test_k_s", http_client=http, sleep=sleep)
    assert [(event.id, event.data) async for event in client.auctions.follow("lst_0")] == [("1", 4), ("2", 5)]
    assert asked == [None, "1"]


def test_a_partner_event_has_a_class(sample: Any) -> None:
    data = {"order_id": "ord_1", "total": {"amount": "1.00", "currency": "EUR"}, "later": True}
    subject = {"id": "ord_1", "sequence": 4}
    envelope = {"id": "evt_1", "type": "order.settled", "seq": 3, "subject": subject, "data": data, "weather": "rain"}
    event = sample.read_event(envelope)
    assert isinstance(event, sample.events.OrderSettled)
    assert (event.seq, event.subject.id, event.subject.sequence, event.weather) == (3, "ord_1", 4, "rain")
    assert (event.data.order_id, event.data.total.currency, event.data["later"]) == ("ord_1", "EUR", True)
    assert isinstance(sample.read_event({"type": "order.unheard_of", "data": data}), sample.UnknownEvent)


def test_awkward_names_and_shapes_are_carried(folder: Path) -> None:
    odd = client_package(folder, ODD, "odd_client")
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(200, json={"kind": "round", "id": "1", "size": {"kind": "square", "size": 2}})

    client = odd.Backhaul("bh_test_k_s", http_client=httpx.Client(transport=httpx.MockTransport(answer)))
    shape = client.things.import_("t 1", body=[{"class": "a", "@context": "b"}], timeout_=2, from_=None)
    assert (type(shape).__name__, type(shape.size).__name__, shape.size.size) == ("Round", "Square", 2)
    assert str(sent[0].url).endswith("/v1/things/t%201/import?timeout=2")
    assert json.loads(sent[0].content) == [{"class": "a", "@context": "b"}]
    assert "idempotency-key" not in sent[0].headers


def test_a_body_that_may_be_absent_is_absent_until_a_field_is_given(folder: Path) -> None:
    package = client_package(folder, ODD, "absent_client")
    sent: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        return httpx.Response(204)

    client = package.Backhaul("bh_test_k_s", http_client=httpx.Client(transport=httpx.MockTransport(answer)))
    client.things.hold("1")
    client.things.hold("1", id="x")
    assert [request.content for request in sent] == [b"", b'{"id":"x"}']
    assert "content-type" not in sent[0].headers


def test_the_same_document_gives_the_same_files() -> None:
    assert files(Document(ODD)) == files(Document(json.loads(json.dumps(ODD, sort_keys=True))))


def test_check_tells_of_files_that_differ(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = tmp_path / "document.json"
    document.write_text(json.dumps(ODD), "utf-8")
    arguments = ["--document", str(document), "--target", str(tmp_path / "out")]
    assert main([*arguments, "--check"]) == 1
    assert main(arguments) == 0
    assert main([*arguments, "--check"]) == 0
    (tmp_path / "out" / "events.py").write_text("edited", "utf-8")
    assert main([*arguments, "--check"]) == 1
    assert capsys.readouterr().err.endswith("events.py is not what the document says; run python -m clients.sdkgen\n")


def test_without_a_document_an_empty_package_is_written(tmp_path: Path) -> None:
    assert main(["--document", str(tmp_path / "none.json"), "--target", str(tmp_path / "out")]) == 0
    assert "class Resources:" in (tmp_path / "out" / "resources.py").read_text("utf-8")


@pytest.mark.parametrize("operation_id", ["publish", "", "listings."])
def test_an_operation_without_resource_and_method_is_refused(operation_id: str) -> None:
    with pytest.raises(DocumentError, match=r"resource\.method"):
        files(Document({"paths": {"/v1/x": {"get": {"operationId": operation_id}}}}))


def test_a_partners_program_is_clean_under_strict_mypy(
    folder: Path, sample: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = folder / "program.py"
    program.write_text(PROGRAM, "utf-8")
    monkeypatch.setenv("MYPYPATH", str(folder))
    options = ["--strict", "--config-file=", f"--cache-dir={folder / 'mypy'}"]
    told, errors, status = mypy.run([*options, str(program)])
    assert (errors, status) == ("", 1), told
    wrong = [number for number, line in enumerate(PROGRAM.splitlines(), 1) if line.endswith("# wrong")]
    assert [int(line.split(":")[1]) for line in told.splitlines() if ": error:" in line] == wrong


def test_the_client_needs_nothing_but_httpx() -> None:
    program = (
        "import sys, importlib.abc\n"
        "class Refuse(importlib.abc.MetaPathFinder):\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        "        if name.split('.')[0] in {'pydantic', 'fastapi', 'typing_extensions', 'services', 'starlette'}:\n"
        "            raise ImportError(name)\n"
        "sys.meta_path.insert(0, Refuse())\n"
        "import backhaul_client\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")


PROGRAM = """
import sample_client
from sample_client import NOT_GIVEN, AsyncBackhaul, Backhaul
from sample_client.events import OrderSettled


def sell(client: Backhaul) -> str:
    price: sample_client.models.MoneyParam = {"amount": "1.00", "currency": "EUR"}
    made = client.listings.create(title="a", items=[{"description": "b", "quantity": 1}], reserve_price=price)
    again = client.listings.create(title="a", items=made.items, reserve_price=made.reserve_price, note=NOT_GIVEN)
    etag = client.listings.retrieve.raw(again.id, timeout=3.0).etag
    client.listings.publish(made.id, if_match=etag or 1, idempotency_key="mine")
    client.listings.publish(made.id, dryrun=True)  # wrong
    client.listings.create(title="a", items=[{"description": "b"}])  # wrong
    client.listings.list(idempotency_key="a")  # wrong
    made.titel  # wrong
    for listing in client.listings.list():
        listing.items[0].quantity + 1
    client.listings.list().data[0].title.upper()
    for tick in client.auctions.follow(made.id):
        tick.data.price.amount.upper()
    return made.status


async def follow(client: AsyncBackhaul) -> None:
    async for listing in client.listings.list(limit=3):
        listing.title.upper()
    page = await client.listings.list()
    page.data[0].title.upper()
    (await client.imports.create(file=b"", kind="a")).size + 1


def hear(payload: bytes, headers: dict[str, str]) -> str:
    event = sample_client.verify_webhook(payload, headers, "whsec_AAAA")
    return event.data.total.amount if isinstance(event, OrderSettled) else event.type
"""
