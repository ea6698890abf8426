"""HTTP of OAuth: what RFC 6749 says, so no problem documents and no Idempotency-Key."""

from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse

from services.kernel.actors import doorkeeper
from services.kernel.http.routing import runtime_of
from services.kernel.unit_of_work import UnitOfWork
from services.parties import tokens
from services.parties.errors import TokenRefused
from services.parties.schemas import KeySet, TokenAnswer, TokenError, TokenForm

oauth = APIRouter(tags=["oauth"])

INVALID_CLIENT = "invalid_client"
FORM = "application/x-www-form-urlencoded"
_NOT_KEPT = {"Cache-Control": "no-store", "Pragma": "no-cache"}
_BODY: dict[str, Any] = {"required": True, "content": {FORM: {"schema": TokenForm.model_json_schema()}}}
_ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": TokenError, "description": "The request or what it asks for is refused."},
    401: {"model": TokenError, "description": "The client is not who it says."},
}


@oauth.post(
    "/oauth/token",
    name="token",
    summary="Get an access token",
    response_model=TokenAnswer,
    responses=_ERRORS,
    openapi_extra={"requestBody": _BODY},
)
async def token(request: Request) -> JSONResponse:
    """OAuth 2.1 client credentials: the id and the secret of an API key for a signed token of ten minutes, of the same
    permissions or fewer. With `account` it acts under a delegation of that organization, and says so in `act`.

    The client authenticates in the form or by HTTP Basic. What ends the key ends its tokens at once.
    """
    try:
        return await _granted(request)
    except TokenRefused as refused:
        if refused.error == INVALID_CLIENT:
            runtime_of(request).limiter.take_anonymous(request.scope)
        return _refusal(refused)


async def _granted(request: Request) -> JSONResponse:
    runtime = runtime_of(request)
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != FORM:
        raise TokenRefused("invalid_request", f"Send {FORM}.")
    asked = tokens.asked(await request.body(), request.headers.get("authorization"))
    async with UnitOfWork(runtime.sessions, doorkeeper(), cause=request.scope.get("request_id")) as work:
        issued = await tokens.exchange(
            work, tokens.issuer(runtime.settings), asked, serves_live=runtime.settings.is_live
        )
    told = TokenAnswer(
        access_token=issued.access_token, expires_in=int(tokens.LASTS.total_seconds()), scope=issued.scope
    )
    return JSONResponse(told.model_dump(), headers=_NOT_KEPT)


def _refusal(refused: TokenRefused) -> JSONResponse:
    is_client = refused.error == INVALID_CLIENT
    headers = _NOT_KEPT | ({"WWW-Authenticate": 'Basic realm="backhaul"'} if is_client else {})
    told = TokenError(error=refused.error, error_description=refused.description)
    return JSONResponse(told.model_dump(), status_code=401 if is_client else 400, headers=headers)


@oauth.get("/.well-known/jwks.json", name="jwks", summary="The keys that sign access tokens", response_model=KeySet)
async def jwks(request: Request) -> JSONResponse:
    """Public keys (RFC 7517) by which anybody checks an access token; `kid` in its header says by which."""
    found = tokens.issuer(runtime_of(request).settings).key_set
    return JSONResponse(found, headers={"Cache-Control": "public, max-age=300"})
