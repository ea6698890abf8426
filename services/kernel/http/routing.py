"""One request is one unit of work: begun before the endpoint, committed once after its answer is made and before it is sent.

The answer is part of the unit: it is stored for the Idempotency-Key in the same transaction as the effect, and a failed commit
answers 500. A FastAPI `yield` dependency could not see the body, and commits after the response by default.
"""

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass, field
from typing import Annotated, Any, Protocol

from fastapi import Depends, Header, Query, Request, Response, Security
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes
from sqlalchemy.ext.asyncio import AsyncEngine

from services.kernel.actors import Actor, anonymous
from services.kernel.database import Sessions
from services.kernel.errors import Unauthenticated, VersionMismatch, VersionRequired, invalid
from services.kernel.idempotency import Claim
from services.kernel.settings import Settings
from services.kernel.unit_of_work import UnitOfWork


class Authenticate(Protocol):
    """The actor of a bearer token, acting for `account` under a delegation where one is named; raises Unauthenticated.

    `serves_live`: whether this server takes credentials of the live environment.
    """

    def __call__(
        self, work: UnitOfWork, token: str, *, account: str | None = None, serves_live: bool = True
    ) -> Awaitable[Actor]: ...


@dataclass
class Runtime:
    """What the app was built with; at `app.state.runtime`."""

    settings: Settings
    sessions: Sessions
    authenticate: Authenticate
    engine: AsyncEngine | None = None
    resources: dict[str, Any] = field(default_factory=dict)
    closers: list[Callable[[], Awaitable[None]]] = field(default_factory=list)


def runtime_of(request: Request) -> Runtime:
    runtime: Runtime = request.app.state.runtime
    return runtime


class UnitOfWorkRoute(APIRoute):
    """The route class of every router under /v1."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        endpoint = super().get_route_handler()

        async def in_unit_of_work(request: Request) -> Response:
            runtime = runtime_of(request)
            dry_run = _is_true(request.query_params.get("dry_run"))
            cause = request.scope.get("request_id")
            async with UnitOfWork(runtime.sessions, anonymous(), cause=cause, dry_run=dry_run) as work:
                request.state.work = work
                await _authenticate(runtime, work, request)
                return await _once(endpoint, work, request)

        return in_unit_of_work


def _is_true(value: str | None) -> bool:
    """As FastAPI reads a boolean: what the endpoint takes for a dry run must never be committed."""
    return value is not None and value.strip().lower() in ("1", "true", "t", "yes", "y", "on")


async def _authenticate(runtime: Runtime, work: UnitOfWork, request: Request) -> None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token:
        account = request.headers.get("backhaul-account")
        live = runtime.settings.is_live
        await work.act_as(await runtime.authenticate(work, token.strip(), account=account, serves_live=live))


async def _once(
    endpoint: Callable[[Request], Coroutine[Any, Any, Response]], work: UnitOfWork, request: Request
) -> Response:
    key = request.headers.get("idempotency-key")
    if request.method != "POST" or key is None or work.dry_run:
        response = await endpoint(request)
        await work.check()
        return response
    claim = Claim(_scope(work.actor, key), key, await _fingerprint(request))
    await claim.take(work)
    if claim.replay is not None:
        status_code, body = claim.replay
        return Response(body, status_code, {"Idempotency-Replayed": "true"}, media_type="application/json")
    response = await endpoint(request)
    await claim.keep(work, response.status_code, bytes(response.body))
    return response


def _scope(actor: Actor, key: str) -> str:
    """A key is its member's: a colleague with fewer permissions must not be answered what he could not have asked."""
    if actor.org_id is None and len(key) < 20:
        raise invalid(
            "", "idempotency_key_too_short", "Without a credential, an Idempotency-Key has at least 20 characters."
        )
    return f"{actor.org_id or 'anonymous'}:{actor.member_id}:{actor.livemode}"


async def _fingerprint(request: Request) -> bytes:
    body = await request.body()
    return b"\0".join((request.method.encode(), request.url.path.encode(), request.url.query.encode(), body))


def unit_of_work(request: Request) -> UnitOfWork:
    work: UnitOfWork = request.state.work
    return work


Work = Annotated[UnitOfWork, Depends(unit_of_work)]

bearer = HTTPBearer(auto_error=False, scheme_name="ApiKey", description="An API key: `bh_test_…` or `bh_live_…`.")


def _permitted(
    scopes: SecurityScopes,
    request: Request,
    credentials: Annotated[HTTPAuthorizationCredentials | None, Depends(bearer)],
) -> Actor:
    actor = unit_of_work(request).actor
    if actor.kind == "anonymous":
        raise Unauthenticated()
    for permission in scopes.scopes:
        actor.must_hold(permission)
    return actor


def holding(permission: str) -> Any:
    """`actor: Annotated[Actor, holding("listings:write")]`: the caller, who must hold the permission."""
    return Security(_permitted, scopes=[permission])


def _anybody(request: Request) -> Actor:
    return unit_of_work(request).actor


Anybody = Annotated[Actor, Depends(_anybody)]
"""The caller of a public operation, known or not."""


def _dry_run(
    dry_run: Annotated[bool, Query(description="Run every check, answer what would be, change nothing")] = False,
) -> bool:
    return dry_run


DryRun = Depends(_dry_run)
"""Declares `?dry_run=true` on a transition: `dependencies=[DryRun]`. The route rolls the unit of work back."""


class IfMatch:
    """The version the caller read, from `If-Match`."""

    def __init__(
        self, if_match: Annotated[str | None, Header(alias="If-Match", description='The ETag you read, `"3"`')] = None
    ) -> None:
        self.value = if_match

    def matches(self, version: int, *, required: bool = False) -> None:
        """VersionMismatch (412) when another version is current; VersionRequired (428) when none was sent but one is needed."""
        if self.value is None:
            if required:
                raise VersionRequired()
            return
        if self.value.strip() not in (f'"{version}"', f'W/"{version}"', "*"):
            raise VersionMismatch(version)


Matching = Annotated[IfMatch, Depends()]


def tag(response: Response, version: int) -> None:
    """Sets the ETag."""
    response.headers["ETag"] = f'"{version}"'
