"""A trace follows a request into its jobs, and into what follows from its events."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from services.kernel import jobs, tracing
from services.kernel.actors import system
from services.kernel.database import Sessions
from services.kernel.unit_of_work import UnitOfWork
from tests.conftest import Settle
from tests.factories.parties import Party, organization

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARTNERS = {"traceparent": f"00-{TRACE}-b7ad6b7169203331-01"}


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    tracing.trace_to(SimpleSpanProcessor(exporter))
    yield exporter
    tracing.trace_to(None)


@pytest.fixture
async def party(sessions: Sessions, settle: Settle, spans: InMemorySpanExporter) -> Party:
    """Its own beginnings are no part of the trace."""
    made = await organization(sessions, roles=["manufacturer"])
    await settle()
    spans.clear()
    return made


def _named(spans: InMemorySpanExporter, name: str) -> list[ReadableSpan]:
    return [span for span in spans.get_finished_spans() if span.name == name]


def _trace(span: ReadableSpan) -> str:
    return f"{span.context.trace_id:032x}"


async def test_a_request_goes_on_with_its_callers_trace(
    client: httpx.AsyncClient, party: Party, spans: InMemorySpanExporter
) -> None:
    answer = await client.get("/v1/sites", headers=party.headers | PARTNERS)
    (span,) = _named(spans, "sites.list")
    attributes: Any = span.attributes
    assert (_trace(span), attributes["http.response.status_code"]) == (TRACE, 200)
    assert attributes["backhaul.request_id"] == answer.headers["x-request-id"]


async def test_what_an_event_leads_to_is_in_the_trace_of_the_request(
    client: httpx.AsyncClient, party: Party, settle: Settle, spans: InMemorySpanExporter
) -> None:
    made = {"name": "Warehouse"}
    answer = await client.post("/v1/api-keys", json=made, headers=party.headers | PARTNERS)
    await settle()
    assert answer.status_code == 201
    (span,) = _named(spans, "reaction tell the partners")
    assert (_trace(span), (span.attributes or {})["backhaul.event_type"]) == (TRACE, "api_key.created")


async def test_a_job_is_in_the_trace_of_what_enqueued_it(
    sessions: Sessions, settle: Settle, spans: InMemorySpanExporter
) -> None:
    with tracing.request_span(PARTNERS):
        async with UnitOfWork(sessions, system(False)) as work:
            await jobs.enqueue(work, "test.trace", {})
    await settle()
    (span,) = _named(spans, "job test.trace")
    assert _trace(span) == TRACE


@jobs.job("test.trace")
async def nothing(tools: jobs.Tools, payload: dict[str, Any]) -> None:
    """Only to be traced."""


async def test_without_a_collector_there_are_no_spans(client: httpx.AsyncClient) -> None:
    tracing.configure_traces("backhaul")
    assert not tracing.is_on()
    assert tracing.carrier() is None
