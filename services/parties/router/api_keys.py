"""HTTP of API keys."""

from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter
from sqlmodel import col

from services.kernel.actors import Actor
from services.kernel.http.routing import DryRun, UnitOfWorkRoute, Work, holding
from services.kernel.ids import KeyId
from services.kernel.pagination import Paging, rows_of
from services.parties import api_keys as keys
from services.parties import queries
from services.parties.models import ApiKey
from services.parties.schemas import (
    ApiKeyAnswer,
    ApiKeyPage,
    IssuedKeyAnswer,
    NewApiKey,
    Rotation,
)

api_keys = APIRouter(prefix="/v1", tags=["api_keys"], route_class=UnitOfWorkRoute)


@api_keys.post("/api-keys", name="create", status_code=201, summary="Create an API key")
async def create_key(key: NewApiKey, work: Work, actor: Annotated[Actor, holding("api_keys:write")]) -> IssuedKeyAnswer:
    """The secret is shown this once. Refused with `scopes_not_held` for a scope that you or the member do not hold, and with
    `outlives_its_maker` for a key that lasts longer than the one you call with, or would have expired already (`in_the_past`).
    Causes `api_key.created`.
    """
    issued = await keys.create(
        work, by=actor, name=key.name, scopes=key.scopes, expires_at=key.expires_at, member_id=key.member_id
    )
    return IssuedKeyAnswer.issued(issued)


@api_keys.get("/api-keys", name="list", summary="List API keys")
async def list_keys(work: Work, actor: Annotated[Actor, holding("api_keys:read")], paging: Paging) -> ApiKeyPage:
    """Your organization's keys, newest first, revoked and expired ones included, secrets never."""
    rows, after = await rows_of(work, queries.api_keys_visible_to(actor), col(ApiKey.id), paging)
    return ApiKeyPage(data=[ApiKeyAnswer.of(row) for row in rows], has_more=after is not None, next_cursor=after)


@api_keys.get("/api-keys/{api_key_id}", name="get", summary="Read an API key")
async def get_key(api_key_id: KeyId, work: Work, actor: Annotated[Actor, holding("api_keys:read")]) -> ApiKeyAnswer:
    """One of your organization's keys, without its secret."""
    return ApiKeyAnswer.of(await queries.api_key(work, api_key_id, actor))


@api_keys.post("/api-keys/{api_key_id}/rotate", status_code=201, summary="Rotate an API key", dependencies=[DryRun])
async def rotate(
    api_key_id: KeyId, rotation: Rotation, work: Work, actor: Annotated[Actor, holding("api_keys:write")]
) -> IssuedKeyAnswer:
    """A successor of the same member, name, permissions and expiry; its secret is shown this once. The old key goes on for the
    overlap and opens nothing after it.

    Refused with `key_already_revoked` or `key_is_spent` for a key that has ended or was rotated before, with `scopes_not_held`
    for a key that may do more than yours, and with `outlives_its_maker` for one that lasts longer.
    Causes `api_key.created` and `api_key.rotated`.
    """
    overlap = timedelta(seconds=rotation.overlap_seconds)
    return IssuedKeyAnswer.issued(await keys.rotate(work, api_key_id, overlap=overlap, by=actor))


@api_keys.post("/api-keys/{api_key_id}/revoke", summary="Revoke an API key", dependencies=[DryRun])
async def revoke(api_key_id: KeyId, work: Work, actor: Annotated[Actor, holding("api_keys:write")]) -> ApiKeyAnswer:
    """The key opens nothing from now on, the one you call with included. Refused with `key_already_revoked`.

    Causes `api_key.revoked`.
    """
    return ApiKeyAnswer.of(await keys.revoke(work, api_key_id, by=actor))
