"""The version of the API, and how an operation goes: announced (RFC 9745 `Deprecation`), dated (RFC 8594 `Sunset`), then gone.

@router.get("/old", **deprecated(since=date(2027, 1, 1), sunset=date(2027, 7, 1), instead="/v1/new"))
"""

from datetime import UTC, date, datetime, time
from email.utils import format_datetime
from typing import Any

from fastapi.routing import APIRoute

from services.kernel.errors import Problem

VERSION = "2026-11-01"
KNOWN = frozenset({VERSION})
_MARK = "x-deprecation"


class VersionUnknown(Problem):
    """`Backhaul-Version` names a version of the API that there is not."""

    status = 400
    code = "version_unknown"
    title = "This version of the API does not exist"

    def __init__(self, given: str) -> None:
        super().__init__(f"Backhaul-Version {given[:40]!r} is none of: {', '.join(sorted(KNOWN))}.")


def deprecated(*, since: date, sunset: date | None = None, instead: str) -> dict[str, Any]:
    """Arguments of a route: the document says `deprecated`, and every answer carries the dates. `instead` is the path of the
    operation to change over to, or of the page that says what to do."""
    told = {"since": since.isoformat(), "sunset": sunset.isoformat() if sunset else None, "instead": instead}
    return {"deprecated": True, "openapi_extra": {_MARK: told}}


def farewell(route: APIRoute) -> list[tuple[bytes, bytes]]:
    """The headers of a deprecated operation; none for any other."""
    told = (route.openapi_extra or {}).get(_MARK)
    if told is None:
        return []
    headers = {"Deprecation": f"@{_midnight(told['since']).timestamp():.0f}"}
    headers["Link"] = f'<{told["instead"]}>; rel="deprecation"'
    if told["sunset"] is not None:
        headers["Sunset"] = format_datetime(_midnight(told["sunset"]), usegmt=True)
    return [(name.lower().encode(), value.encode()) for name, value in headers.items()]


def _midnight(day: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), time(), UTC)
