"""HTTP of signing in."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import APIRouter, Request, Response

from services.kernel.actors import Actor
from services.kernel.http.routing import Anybody, Runtime, UnitOfWorkRoute, Work, holding, runtime_of
from services.parties import signing_in
from services.parties.schemas import NewSession, SessionAnswer, StartedSession
from services.parties.signing_in import Recognized


class PasswordRoute(UnitOfWorkRoute):
    """Checks the password before the unit of work begins; `request.state.recognized` is whose it was."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        in_unit_of_work = super().get_route_handler()

        async def with_password_checked(request: Request) -> Response:
            runtime_of(request).limiter.take_anonymous(request.scope)
            wanted = await _wanted(request)
            if wanted is not None:
                request.state.recognized = await _recognize(runtime_of(request), request, wanted)
            return await in_unit_of_work(request)

        return with_password_checked


async def _wanted(request: Request) -> NewSession | None:
    """None for a body that the endpoint is going to refuse."""
    try:
        return NewSession.model_validate(await request.json())
    except (ValueError, RecursionError):
        return None


async def _recognize(runtime: Runtime, request: Request, wanted: NewSession) -> Recognized:
    return await signing_in.recognize(
        runtime.sessions,
        email=wanted.email,
        password=wanted.password,
        org_id=wanted.organization_id,
        livemode=wanted.environment == "live",
        serves_live=runtime.settings.is_live,
    )


signing = APIRouter(prefix="/v1", tags=["sessions"], route_class=PasswordRoute)
sessions = APIRouter(prefix="/v1", tags=["sessions"], route_class=UnitOfWorkRoute)


@signing.post("/sessions", name="create", status_code=201, summary="Sign in")
async def create_session(body: NewSession, request: Request, work: Work, actor: Anybody) -> StartedSession:
    """A person's address and password for a bearer token of twelve hours that may do what the person's role may.

    Refused with `sign_in_refused` for an unknown address and for a wrong password alike, with `too_many_guesses` for 15 minutes
    after five wrong passwords for one address, and with `live_not_served` (401) by a server of the sandbox alone.
    """
    return StartedSession.started(await signing_in.start(work, request.state.recognized))


@sessions.post("/sessions/end", name="end", summary="Sign out")
async def end_session(work: Work, actor: Annotated[Actor, holding("organizations:read")]) -> SessionAnswer:
    """The session you call with opens nothing from now on. Refused with `not_signed_in` for a key or an access token."""
    return SessionAnswer.of(await signing_in.end(work, by=actor))
