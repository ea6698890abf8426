"""The audit trail over HTTP: read it, and take it away."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from fastapi import Response as HTTPResponse
from pydantic import Field
from sqlmodel import col

from services.kernel.actors import Actor
from services.kernel.audit import exporting, queries
from services.kernel.audit.lines import content_of
from services.kernel.audit.model import AuditEntry
from services.kernel.http.routing import UnitOfWorkRoute, Work, holding
from services.kernel.http.schemas import AskedInstant, Response, UtcDatetime
from services.kernel.ids import AuditEntryId, DelegationId, KeyId, MemberId, OrgId, SessionId
from services.kernel.pagination import Page, Paging, rows_of

router = APIRouter(prefix="/v1", tags=["audit"], route_class=UnitOfWorkRoute)
Reads = Annotated[Actor, holding("audit:read")]


class AuditChange(Response):
    """One row and what became of it."""

    table: str
    id: str = Field(description="Of the row; parts of a composite key are joined by colons")
    kind: Literal["added", "changed", "removed"]
    fields: dict[str, Any] = Field(
        description="By column `[old, new]`; what is long or binary stands as its `sha256` and its size in `bytes`"
    )
    withheld: list[str] = Field(
        description="Columns that were set and whose values no trail keeps: secrets, sealed prices"
    )


class AuditEntryAnswer(Response):
    """Who did what, by which credential, for whom, and what changed by it, as far as it is yours to know."""

    id: AuditEntryId
    livemode: bool
    org_id: OrgId = Field(description="For whom it was done; the entry stands in this organization's chain")
    acting_org_id: OrgId | None = Field(description="Who did it, where that was another under a delegation")
    delegation_id: DelegationId | None
    actor_kind: str = Field(description="key, token, session or anonymous; open for more")
    member_id: MemberId | None = Field(description="Of the organization that really acted")
    key_id: KeyId | None
    session_id: SessionId | None
    operation: str | None = Field(description="The operationId; null for what was not asked for over this API")
    request_id: str | None = Field(description="The `X-Request-ID` of the answer")
    recorded_at: UtcDatetime
    changes: list[AuditChange]
    seq: int | None = Field(description="The place in the chain; null for the second before it has one")
    prev_hash: str | None = Field(description="SHA-256 of the entry before, in hex; zeros for the first")
    hash: str | None = Field(description="SHA-256 over the entry without this field, as canonical JSON (RFC 8785)")

    @classmethod
    def of(cls, entry: AuditEntry) -> "AuditEntryAnswer":
        return cls.model_validate(content_of(entry) | {"hash": entry.hash.hex() if entry.hash is not None else None})


class AuditEntryPage(Page[AuditEntryAnswer]):
    """Entries, the newest first."""


@router.get("/audit-entries", summary="List the audit trail")
async def list_(
    work: Work,
    actor: Reads,
    paging: Paging,
    subject_id: Annotated[str | None, Query(max_length=64, description="Changes of the thing with this id")] = None,
    member_id: Annotated[MemberId | None, Query(description="Done by this member")] = None,
    operation: Annotated[str | None, Query(max_length=64, description="Done by this operation")] = None,
    since: Annotated[AskedInstant | None, Query(description="Recorded then or later")] = None,
    until: Annotated[AskedInstant | None, Query(description="Recorded before")] = None,
) -> AuditEntryPage:
    """One entry for each request that changed something: done for your organization, or by it for others. Rows of others that
    moved in the same request are in nobody's entry but theirs; Backhaul's own acts (timers, settlements) are told as events."""
    query = queries.narrowed(
        queries.visible_to(actor),
        subject_id=subject_id,
        member_id=member_id,
        operation=operation,
        since=since,
        until=until,
    )
    rows, cursor = await rows_of(work, query, col(AuditEntry.id), paging)
    found = [AuditEntryAnswer.of(row) for row in rows]
    return AuditEntryPage(data=found, has_more=cursor is not None, next_cursor=cursor)


_EXPORT: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A header line, then one line for each entry",
        "content": {exporting.MEDIA_TYPE: {"schema": {"type": "string"}}},
    }
}


@router.get("/audit-entries/export", summary="Export the audit trail", response_class=HTTPResponse, responses=_EXPORT)
async def export(
    work: Work,
    actor: Reads,
    after_seq: Annotated[int, Query(ge=0, le=2**53 - 1, description="The last `seq` you have")] = 0,
    limit: Annotated[int, Query(ge=1, le=exporting.MOST_LINES, description="How many, at most")] = exporting.MOST_LINES,
) -> HTTPResponse:
    """Your organization's chain, ascending, as NDJSON in canonical JSON. The header names the run's ends and the chain's head:
    while `last_seq` is below `head_seq`, ask again with `after_seq` (`not_in_chain` beyond its end). The command
    `backhaul audit verify FILE…` checks the files offline."""
    content = await exporting.export(work, actor.org, after_seq=after_seq, limit=limit)
    return HTTPResponse(content, media_type=exporting.MEDIA_TYPE)
