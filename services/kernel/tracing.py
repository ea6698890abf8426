"""Traces (OpenTelemetry): a span per request, per job and per reaction; one trace from a request to the last thing that follows.

Off unless OTEL_EXPORTER_OTLP_ENDPOINT is set: then no span is made and nothing of the SDK is loaded. The context travels in a
job's headers as W3C `traceparent`; through an event it travels in `cause`: with traces on, a request without an X-Request-ID of
its caller is called after its span. A caller's own id breaks the trace there, and is an attribute on both halves.
"""

import os
import re
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

from opentelemetry.context import Context
from opentelemetry.trace import (
    NonRecordingSpan,
    Span,
    SpanContext,
    SpanKind,
    TraceFlags,
    Tracer,
    get_current_span,
    set_span_in_context,
)
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import SpanProcessor

Carrier = dict[str, str]
"""`traceparent` and `tracestate`."""

_tracer: Tracer | None = None
_propagator = TraceContextTextMapPropagator()
_NAMED_AFTER_SPAN = re.compile(r"req_([0-9a-f]{32})([0-9a-f]{16})")


def configure_traces(service: str) -> None:
    """Sends to the collector of OTEL_EXPORTER_OTLP_ENDPOINT (OTLP over HTTP), from a thread of its own."""
    if os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT"):
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        trace_to(BatchSpanProcessor(OTLPSpanExporter()), service)


def trace_to(processor: "SpanProcessor | None", service: str = "backhaul") -> None:
    """Every span from now on goes to the processor; None switches traces off."""
    global _tracer
    if processor is None:
        _tracer = None
        return
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider

    named = os.environ.get("OTEL_SERVICE_NAME", service)
    provider = TracerProvider(resource=Resource.create({"service.name": named}))
    provider.add_span_processor(processor)
    _tracer = provider.get_tracer("backhaul")


def is_on() -> bool:
    return _tracer is not None


def request_span(carrier: Carrier) -> AbstractContextManager[Span | None]:
    """The server's span of one request, under the caller's if it sent a traceparent."""
    return _span("request", SpanKind.SERVER, _propagator.extract(carrier), {})


def job_span(name: str, headers: Mapping[str, object] | None) -> AbstractContextManager[Span | None]:
    """A job's span, under what enqueued it."""
    carrier = {key: value for key, value in (headers or {}).items() if isinstance(value, str)}
    return _span(f"job {name}", SpanKind.CONSUMER, _propagator.extract(carrier), {})


def reaction_span(name: str, event_type: str, cause: str | None) -> AbstractContextManager[Span | None]:
    """A reaction's span, under the request in which its event's chain began; `cause` is that request's id."""
    attributes = {"backhaul.event_type": event_type, "backhaul.request_id": cause or ""}
    return _span(f"reaction {name}", SpanKind.CONSUMER, _context_of(cause), attributes)


def _span(
    name: str, kind: SpanKind, parent: Context | None, attributes: Mapping[str, Any]
) -> AbstractContextManager[Span | None]:
    if _tracer is None:
        return nullcontext()
    return _tracer.start_as_current_span(name, context=parent, kind=kind, attributes=attributes)


def _context_of(cause: str | None) -> Context | None:
    named = _NAMED_AFTER_SPAN.fullmatch(cause or "")
    if named is None:
        return None
    trace_id, span_id = (int(number, 16) for number in named.groups())
    context = SpanContext(trace_id, span_id, is_remote=True, trace_flags=TraceFlags(TraceFlags.SAMPLED))
    return set_span_in_context(NonRecordingSpan(context))


def request_id_of(span: Span) -> str:
    """The id of a request whose caller gave it none."""
    context = span.get_span_context()
    return f"req_{context.trace_id:032x}{context.span_id:016x}"


def carrier() -> Carrier | None:
    """What a job is given to carry the trace on; None where there is none."""
    if _tracer is None or not get_current_span().get_span_context().is_valid:
        return None
    carried: Carrier = {}
    _propagator.inject(carried)
    return carried
