"""HTTP of findings, for operators."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import ConfigDict, Field
from sqlmodel import col

from services.bidding.integrity import looking, queries
from services.bidding.models.findings import FINDING, Finding, FindingStatus, Kind
from services.kernel.actors import Actor
from services.kernel.http.routing import DryRun, Matching, UnitOfWorkRoute, Work, holding, tag
from services.kernel.http.schemas import LongText, Request, Transitions, UtcDatetime, told
from services.kernel.ids import FindingId, ListingId, OrgId
from services.kernel.pagination import Page, Paging, rows_of
from services.kernel.states import choices

findings = APIRouter(prefix="/v1", tags=["integrity_findings"], route_class=UnitOfWorkRoute)

Reads = Annotated[Actor, holding("bids:read")]
Writes = Annotated[Actor, holding("bids:write")]


class Decision(Request):
    """What the review came to; whoever looks at it next reads it."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"note": "Two plants of one group; each bids with its own funds."}]},
    )

    note: LongText


class FindingAnswer(Transitions):
    """Something about who bids with whom. It proves nothing and forbids nothing: an operator looks at it.

    `evidence` by kind: `same_vat_root` {vat_root, with_seller}, `same_bank_account` {with_seller}, `same_people` {addresses,
    with_seller}, `withdrawn_leader` {listing_ids, next_bidder_id}, `bidding_ring` {listing_ids, wins}."""

    id: FindingId
    livemode: bool
    created_at: UtcDatetime
    version: int
    kind: str = Field(description="same_vat_root, same_bank_account, same_people, withdrawn_leader or bidding_ring")
    listing_id: ListingId
    org_ids: list[OrgId] = Field(description="Whom it is about, sorted")
    evidence: dict[str, Any]
    status: str = Field(description="open, cleared or upheld")
    decided_at: UtcDatetime | None
    decided_by: str | None = Field(description="The operator's credential")
    note: str | None

    @classmethod
    def of(cls, row: Finding) -> "FindingAnswer":
        plain = {name: getattr(row, name) for name in cls.model_fields.keys() - Transitions.model_fields.keys()}
        return cls(**plain, **told(choices(FINDING, row, by=["operator"])))


class FindingPage(Page[FindingAnswer]):
    """Findings, newest first."""


@findings.get("/integrity-findings", summary="List findings")
async def list_(
    work: Work,
    actor: Reads,
    paging: Paging,
    status: Annotated[FindingStatus | None, Query(description="Only in this state")] = None,
    kind: Annotated[Kind | None, Query(description="Only of this kind")] = None,
    listing_id: Annotated[ListingId | None, Query(description="Only of this listing")] = None,
) -> FindingPage:
    """For operators, newest first; nobody else finds one."""
    query = queries.findings(actor)
    for column, wanted in ((Finding.status, status), (Finding.kind, kind), (Finding.listing_id, listing_id)):
        query = query if wanted is None else query.where(col(column) == wanted)
    rows, cursor = await rows_of(work, query, col(Finding.id), paging)
    return FindingPage(data=[FindingAnswer.of(row) for row in rows], has_more=cursor is not None, next_cursor=cursor)


@findings.get("/integrity-findings/{finding_id}", summary="Read a finding")
async def get(finding_id: FindingId, work: Work, actor: Reads, answer: Response) -> FindingAnswer:
    """For operators; nobody else finds one."""
    row = await queries.finding(work, finding_id, actor)
    tag(answer, row.version)
    return FindingAnswer.of(row)


@findings.post("/integrity-findings/{finding_id}/clear", summary="Clear a finding", dependencies=[DryRun])
async def clear(
    finding_id: FindingId, body: Decision, work: Work, actor: Writes, matching: Matching, answer: Response
) -> FindingAnswer:
    """An operator has looked, and it is nothing. Refused with `transition_not_possible` once it is cleared."""
    return await _decided(work, finding_id, "clear", body, actor, matching, answer)


@findings.post("/integrity-findings/{finding_id}/uphold", summary="Uphold a finding", dependencies=[DryRun])
async def uphold(
    finding_id: FindingId, body: Decision, work: Work, actor: Writes, matching: Matching, answer: Response
) -> FindingAnswer:
    """An operator has looked, and it stands; what follows (a suspension, a cancelled listing) is decided there. Refused with
    `transition_not_possible` once it is upheld."""
    return await _decided(work, finding_id, "uphold", body, actor, matching, answer)


async def _decided(
    work: Work,
    finding_id: FindingId,
    transition: str,
    body: Decision,
    actor: Actor,
    matching: Matching,
    answer: Response,
) -> FindingAnswer:
    row = await looking.decide(work, finding_id, transition, note=body.note, by=actor, check_version=matching.matches)
    tag(answer, row.version)
    return FindingAnswer.of(row)
