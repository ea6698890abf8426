"""One request is one unit of work: begun before the endpoint, committed once after its answer is made and before it is sent.

The answer is part of the unit: it is stored for the Idempotency-Key in the same transaction as the effect, and a failed commit
answers 500. A FastAPI `yield` dependency could not see the body, and commits after the response by default.
"""

from collections.abc import Awaitable, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar, Protocol

from fastapi import Depends, Header, Query, Request, Response, Security
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from fastapi.security import HTTPAuthorizationCredentials, HTTPBearer, SecurityScopes
from sqlalchemy.ext.asyncio import AsyncEngine

from services.kernel.actors import Actor, anonymous, doorkeeper
from services.kernel.database import Sessions
from services.kernel.errors import Unauthenticated, VersionMismatch, VersionRequired, invalid
from services.kernel.http.limits import Limiter
from services.kernel.http.schemas import is_storable
from services.kernel.http.tally import Tally
from services.kernel.idempotency import Claim, Kept
from services.kernel.settings import Settings
from services.kernel.unit_of_work import UnitOfWork

ARRIVED = "backhaul.arrived"
"""Where the ASGI scope holds when the request arrived, by `clock.ticks`."""
MUST_MATCH = "x-must-match"
"""Marks an If-Match that the document is to call required."""


class Authenticate(Protocol):
    """The actor of a bearer token, acting for `account` under a delegation where one is named; raises Unauthenticated.

    `serves_live`: whether this server takes credentials of the live environment.
    """

    def __call__(
        self, work: UnitOfWork, token: str, *, account: str | None = None, serves_live: bool = True
    ) -> Awaitable[Actor]: ...


@dataclass(frozen=True)
class Known:
    """Whom a credential stood for. `parameters` are what a statement of the lane names him by, and asks whether it still holds."""

    actor: Actor
    parameters: tuple[Any, ...]


class Lane(Protocol):
    """What `kernel/http/lane.py` needs of the market; None leaves every operation to its route."""

    def connect(self) -> AbstractAsyncContextManager[Any]:
        """A connection of asyncpg, for one statement or one transaction."""

    async def known(self, token: str) -> Known | None:
        """Of a bearer token; None for what the lane does not take."""

    def forget(self, token: str) -> None:
        """Its statement came back unknown: the door looks again."""


@dataclass
class Runtime:
    """What the app was built with; at `app.state.runtime`. `revision` is the schema it needs, "" for any."""

    settings: Settings
    sessions: Sessions
    authenticate: Authenticate
    engine: AsyncEngine | None = None
    revision: str = ""
    tally: Tally = field(default_factory=Tally)
    limiter: Limiter = field(init=False)
    lane: Lane | None = None
    resources: dict[str, Any] = field(default_factory=dict)
    closers: list[Callable[[], Awaitable[None]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.limiter = Limiter(self.settings.rate_limit, self.settings.anonymous_rate_limit)


def runtime_of(request: Request) -> Runtime:
    runtime: Runtime = request.app.state.runtime
    return runtime


def operation_id(route: APIRoute) -> str:
    """`listings.publish`: the first tag and the function's name, which is also the SDK's method."""
    return f"{route.tags[0]}.{route.name.rstrip('_')}" if route.tags else route.name


class UnitOfWorkRoute(APIRoute):
    """The route class of every router under /v1. `always` are headers of every answer, refusals included."""

    always: ClassVar[Mapping[str, str]] = {}

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        endpoint = super().get_route_handler()
        operation = operation_id(self)
        needs_credential = needs_one(self.dependant)

        async def in_unit_of_work(request: Request) -> Response:
            runtime = runtime_of(request)
            token = _token_of(request)
            if token is None:
                runtime.limiter.take_anonymous(request.scope)
                if needs_credential:
                    raise Unauthenticated()
            _refuse_unstorable(request)
            dry_run = _is_true(request.query_params.get("dry_run"))
            cause = request.scope.get("request_id")
            caller = anonymous() if token is None else doorkeeper()
            arrived = request.scope.get(ARRIVED)
            async with UnitOfWork(runtime.sessions, caller, cause=cause, dry_run=dry_run, arrived=arrived) as work:
                request.state.work = work
                work.operation = operation
                if token is not None:
                    await _authenticate(runtime, work, request, token)
                response = await _once(endpoint, work, request)
                if dry_run:
                    response.headers["Dry-Run"] = "true"
                return response

        return in_unit_of_work


def needs_one(dependant: Dependant) -> bool:
    """Whether an operation is closed to whoever presents no credential."""
    return any(inner.call is _permitted or needs_one(inner) for inner in dependant.dependencies)


def permission_of(dependant: Dependant) -> str | None:
    """What the operation's caller must hold; None for a public one."""
    for inner in dependant.dependencies:
        if inner.call is _permitted:
            return str((inner.own_oauth_scopes or [""])[0])
        found = permission_of(inner)
        if found is not None:
            return found
    return None


def _refuse_unstorable(request: Request) -> None:
    """What no database column can hold is in no path and no query that means anything here."""
    told = [*request.path_params.values(), *(text for pair in request.query_params.multi_items() for text in pair)]
    if not all(is_storable(str(text)) for text in told):
        raise invalid("", "text_unstorable", "Text may not hold NUL or lone surrogates.")


def _is_true(value: str | None) -> bool:
    """As FastAPI reads a boolean: what the endpoint takes for a dry run must never be committed."""
    return value is not None and value.strip().lower() in ("1", "true", "t", "yes", "y", "on")


def _token_of(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


async def _authenticate(runtime: Runtime, work: UnitOfWork, request: Request, token: str) -> None:
    """A token that opens nothing counts against its sender's address: guessing is slow."""
    account = request.headers.get("backhaul-account")
    try:
        actor = await runtime.authenticate(work, token, account=account, serves_live=runtime.settings.is_live)
    except Unauthenticated:
        runtime.limiter.take_anonymous(request.scope)
        raise
    await work.act_as(actor)
    runtime.limiter.take(request.scope, actor)


async def _once(
    endpoint: Callable[[Request], Coroutine[Any, Any, Response]], work: UnitOfWork, request: Request
) -> Response:
    key = request.headers.get("idempotency-key")
    claim = None
    if request.method == "POST" and key is not None:
        claim = Claim(key_scope(work.actor, key), key, await _fingerprint(request))
    if claim is None or work.dry_run:
        response = await _answered(endpoint, request)
        if work.dry_run:
            await work.check()
        return response
    await claim.take(work)
    if claim.replay is not None:
        return _replayed(claim.replay)
    response = await _answered(endpoint, request)
    headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
    await claim.keep(work, Kept(response.status_code, headers, bytes(response.body)))
    return response if claim.replay is None else _replayed(claim.replay)


KEPT_HEADERS = ("content-type", "content-disposition", "etag", "location")
"""What a replay repeats besides status and body."""


def _replayed(kept: Kept) -> Response:
    return Response(kept.body, kept.status_code, {**kept.headers, "Idempotency-Replayed": "true"})


async def _answered(endpoint: Callable[[Request], Coroutine[Any, Any, Response]], request: Request) -> Response:
    response = await endpoint(request)
    given: IfMatch | None = getattr(request.state, "if_match", None)
    assert given is None or given.is_compared, "the operation declares If-Match and has not compared it"
    return response


def key_scope(actor: Actor, key: str) -> str:
    """A key is its member's: a colleague with fewer permissions must not be answered what he could not have asked."""
    if actor.org_id is None and len(key) < 20:
        raise invalid(
            "", "idempotency_key_too_short", "Without a credential, an Idempotency-Key has at least 20 characters."
        )
    return f"{actor.org_id or 'anonymous'}:{actor.member_id}:{actor.delegation_id}:{actor.livemode}"


async def _fingerprint(request: Request) -> bytes:
    return fingerprint(request.method, request.url.path, request.url.query, await request.body())


def fingerprint(method: str, path: str, query: str, body: bytes) -> bytes:
    """What a twin must equal."""
    return b"\0".join((method.encode(), path.encode(), query.encode(), body))


def unit_of_work(request: Request) -> UnitOfWork:
    work: UnitOfWork = request.state.work
    return work


Work = Annotated[UnitOfWork, Depends(unit_of_work)]

bearer = HTTPBearer(
    auto_error=False,
    scheme_name="ApiKey",
    description="An API key (`bh_test_…`, `bh_live_…`), an access token from `/oauth/token`, or a session.",
)


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
    """The version the caller read, from `If-Match`. An operation that declares it and does not compare it fails."""

    def __init__(
        self,
        request: Request,
        if_match: Annotated[str | None, Header(alias="If-Match", description='The ETag you read, `"3"`')] = None,
    ) -> None:
        self.value = if_match
        self.is_compared = False
        request.state.if_match = self

    def matches(self, version: int) -> None:
        """VersionMismatch (412) when another version is current."""
        self.is_compared = True
        if self.value is not None and self.value.strip() not in (f'"{version}"', f'W/"{version}"', "*"):
            raise VersionMismatch(version)


class RequiredIfMatch(IfMatch):
    """Where money moves or an award is made: VersionRequired (428) without one. The document calls the header required; to
    FastAPI it is not, whose own answer would be a 422."""

    def __init__(
        self,
        request: Request,
        if_match: Annotated[
            str | None,
            Header(
                alias="If-Match",
                description='The ETag you read, `"3"`; 428 without one',
                json_schema_extra={MUST_MATCH: True},
            ),
        ] = None,
    ) -> None:
        super().__init__(request, if_match)
        if if_match is None:
            raise VersionRequired()


Matching = Annotated[IfMatch, Depends()]
"""`matching.matches` is what a verb takes as `check_version`: it compares with the row that is locked."""

MustMatch = Annotated[RequiredIfMatch, Depends()]
"""The same, on operations that move money or make an award."""


def tag(response: Response, version: int) -> None:
    """Sets the ETag."""
    response.headers["ETag"] = f'"{version}"'
