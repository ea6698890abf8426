"""GET /metrics: this process's counters in Prometheus' text format, and what waits in the database when somebody asks.

Nothing here tells one partner from another. An instrumentator would resolve the route and its labelled series on every
request; the middleware adds to plain lists instead, and they are put into form here.
"""

import asyncio
from collections.abc import Iterable

import structlog
from fastapi import APIRouter, Request, Response
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from services.kernel import jobs, second_wall, timers
from services.kernel.errors import NotFound
from services.kernel.http.health import PATIENCE
from services.kernel.http.routing import Runtime, runtime_of
from services.kernel.http.tally import BUCKETS, Tally

router = APIRouter(tags=["service"])
TEXT = "text/plain; version=0.0.4; charset=utf-8"
log = structlog.get_logger(__name__)


@router.get(
    "/metrics",
    summary="Read the process's metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}, "description": "Prometheus text"}},
)
async def metrics(request: Request) -> Response:
    """Prometheus' text format: answers by operation and status class with their latency, requests in flight, and what waits in the
    database: jobs, timers, events. 404 `not_found` where the market does not publish them."""
    runtime = runtime_of(request)
    if not runtime.settings.metrics:
        raise NotFound("page", "/metrics")
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Now([*_requests(runtime.tally), *await _waiting(runtime)]))
    return Response(generate_latest(registry), media_type=TEXT)


class _Now:
    """The registry's way to ask for metrics that were made already."""

    def __init__(self, metrics: list[Metric]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterable[Metric]:
        return self._metrics


def _requests(tally: Tally) -> list[Metric]:
    labels = ["operation", "status"]
    answers = CounterMetricFamily("backhaul_http_answers", "Answers by operation and status class", labels=labels)
    seconds = HistogramMetricFamily("backhaul_http_seconds", "Time to the last byte, by operation", labels=labels)
    for (operation, hundreds), series in sorted(tally.series.items()):
        named = [operation, f"{hundreds}xx"]
        answers.add_metric(named, series.count)
        seconds.add_metric(named, _cumulative(series.buckets), series.seconds)
    in_flight = GaugeMetricFamily("backhaul_http_in_flight", "Requests being answered", tally.in_flight)
    return [answers, seconds, in_flight]


def _cumulative(buckets: list[int]) -> list[tuple[str, float]]:
    bounds = [*(str(bound) for bound in BUCKETS), "+Inf"]
    return [(bound, sum(buckets[: number + 1])) for number, bound in enumerate(bounds)]


_UNSEQUENCED = text("SELECT count(*) FROM event WHERE seq IS NULL")
_HELD = text("SELECT count(*) FROM pgqueuer WHERE status = 'failed'")


async def _waiting(runtime: Runtime) -> list[Metric]:
    """Without the database there is `backhaul_database_up 0` and nothing else: a scrape is when one wants to know."""
    try:
        async with asyncio.timeout(PATIENCE):
            return [_gauge("database_up", "Whether the database answered this scrape", 1), *await _counted(runtime)]
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        log.warning("metrics without a database", error=repr(error))
        return [_gauge("database_up", "Whether the database answered this scrape", 0)]


async def _counted(runtime: Runtime) -> list[Metric]:
    async with second_wall.house(runtime.sessions) as session:
        unread = (await session.execute(_UNSEQUENCED)).scalar_one()
        held = (await session.execute(_HELD)).scalar_one()
        due = await timers.count_due(session, livemode=runtime.settings.is_live)
        return [
            _gauge("jobs_open", "Jobs that run or could run now", await jobs.count_open(session)),
            _gauge("jobs_held", "Jobs that failed for good and wait for an operator", held),
            _gauge("timers_due", "Timers that are due and have not fired", due),
            _gauge("events_unsequenced", "Events that nobody has read yet", unread),
        ]


def _gauge(name: str, told: str, value: float) -> Metric:
    return GaugeMetricFamily(f"backhaul_{name}", told, value)
