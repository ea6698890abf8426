"""HTTP of batches, custody events and reference tables."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query
from sqlmodel import col

from services.certification import custody, queries
from services.certification.custody.writing import SCHEME
from services.certification.errors import CodeNotValid, ReferenceMissing
from services.certification.impact import factors
from services.certification.models import CustodyEvent, MaterialBatch
from services.certification.schemas.custody import (
    BatchAnswer,
    BatchPage,
    CustodyEventAnswer,
    CustodyEventPage,
    NewCustodyEvent,
)
from services.certification.schemas.reference import FactorSetAnswer, FactorSetPage, WasteCodeAnswer
from services.kernel.actors import Actor
from services.kernel.http.routing import DryRun, UnitOfWorkRoute, Work, holding
from services.kernel.http.schemas import AskedDate
from services.kernel.ids import BatchId, CustodyEventId, OrderId, SiteId
from services.kernel.pagination import Paging, rows_of
from services.kernel.reference import waste_codes
from services.kernel.reference.errors import CodeIsNotValid, ReferenceDataMissing
from services.kernel.unit_of_work import UnitOfWork

material_batches = APIRouter(prefix="/v1", tags=["material_batches"], route_class=UnitOfWorkRoute)
custody_events = APIRouter(prefix="/v1", tags=["custody_events"], route_class=UnitOfWorkRoute)
waste = APIRouter(prefix="/v1", tags=["waste_codes"], route_class=UnitOfWorkRoute)
factor_sets = APIRouter(prefix="/v1", tags=["factor_sets"], route_class=UnitOfWorkRoute)

Reader = Annotated[Actor, holding("custody:read")]


@material_batches.get("/material-batches", name="list", summary="List material batches")
async def list_batches(
    work: Work,
    actor: Reader,
    paging: Paging,
    site_id: Annotated[SiteId | None, Query(description="Only at this site")] = None,
    order_id: Annotated[OrderId | None, Query(description="Only what came under this order")] = None,
    status: Annotated[str | None, Query(max_length=30, description="Only in this state")] = None,
) -> BatchPage:
    """What your organization owns or keeps, newest first."""
    query = queries.batches(actor)
    given = {MaterialBatch.site_id: site_id, MaterialBatch.order_id: order_id, MaterialBatch.status: status}
    for column, value in given.items():
        query = query if value is None else query.where(col(column) == value)
    rows, cursor = await rows_of(work, query, col(MaterialBatch.id), paging)
    return BatchPage(data=await _batches(work, rows), has_more=cursor is not None, next_cursor=cursor)


@material_batches.get("/material-batches/{batch_id}", name="get", summary="Get a material batch")
async def get_batch(batch_id: BatchId, work: Work, actor: Reader) -> BatchAnswer:
    """One amount of material, with its codes as they held then and how much of it is claimed."""
    return (await _batches(work, [await queries.visible_batch(work, batch_id, actor)]))[0]


async def _batches(work: UnitOfWork, rows: Sequence[MaterialBatch]) -> list[BatchAnswer]:
    ids = [row.id for row in rows]
    codes, claims = await queries.codes_of(work, ids), await queries.claims_of(work, ids)
    return [BatchAnswer.of(row, codes.get(row.id, []), claims.get(row.id, [])) for row in rows]


@custody_events.get("/custody-events", name="list", summary="List custody events")
async def list_events(
    work: Work,
    actor: Reader,
    paging: Paging,
    site_id: Annotated[SiteId | None, Query(description="Only of this site's chain")] = None,
    type: Annotated[str | None, Query(max_length=10, description="make, move, modify or adjust")] = None,
) -> CustodyEventPage:
    """What happened at your sites, and the moves you sent or received, newest first."""
    query = queries.custody_events(actor)
    for column, value in {CustodyEvent.site_id: site_id, CustodyEvent.type: type}.items():
        query = query if value is None else query.where(col(column) == value)
    rows, cursor = await rows_of(work, query, col(CustodyEvent.id), paging)
    return CustodyEventPage(data=await _events(work, rows), has_more=cursor is not None, next_cursor=cursor)


@custody_events.get("/custody-events/{custody_event_id}", name="get", summary="Get a custody event")
async def get_event(custody_event_id: CustodyEventId, work: Work, actor: Reader) -> CustodyEventAnswer:
    """One entry of a site's chain, with its lines and hashes."""
    return (await _events(work, [await queries.visible_custody_event(work, custody_event_id, actor)]))[0]


@custody_events.post(
    "/custody-events", name="create", status_code=201, summary="Report what happened to batches", dependencies=[DryRun]
)
async def create_event(
    body: NewCustodyEvent, work: Work, actor: Annotated[Actor, holding("custody:write")]
) -> CustodyEventAnswer:
    """A make turns batches into others: what goes in comes out or is lost (`mass_balance`), under an operation that your
    permit covers on that day (`permit_scope`, `permit_expired`). A modify leaves the mass alone; an adjust says what a
    batch weighs now, and suspends or returns certificates that no longer fit it. Refused with `in_the_future`,
    `before_birth`, `mass_not_available`, `not_in_your_custody`, `not_at_one_site`, `used_up`, `one_batch`,
    `batch_twice`, `not_a_modify`, `operation_unknown`, `material_unknown`, `code_not_valid` (422). Into your books mass
    comes by delivery alone.

    Causes `custody.recorded`; a final operation that uses a batch up, `batch.processed` and `certificate.drafted`."""
    return (await _events(work, [await custody.record(work, body.report(), by=actor)]))[0]


async def _events(work: UnitOfWork, rows: Sequence[CustodyEvent]) -> list[CustodyEventAnswer]:
    lines = await queries.lines_of(work, [row.id for row in rows])
    async with work.as_house():
        batches = await queries.batches_in(work, {line.batch_id for told in lines.values() for line in told})
    named: dict[str, Any] = dict(batches)
    return [CustodyEventAnswer.of(row, lines.get(row.id, []), named) for row in rows]


@waste.get("/waste-codes/{scheme}/{code}", summary="Get a waste code")
async def get(
    scheme: Annotated[str, Path(description="The list: LoW", examples=["LoW"])],
    code: Annotated[str, Path(description="Six digits, with or without asterisk", examples=["16 06 07*"])],
    work: Work,
    actor: Reader,
    jurisdiction: Annotated[str, Query(pattern="^[A-Z]{2}$", description="EU, GB, or a country")] = "EU",
    on: Annotated[AskedDate | None, Query(description="The day it must hold; today if not given")] = None,
) -> WasteCodeAnswer:
    """An entry of a waste list as it holds in a jurisdiction on a day; the scheme is LoW. 404 `code_not_valid` with the
    reason, or `reference_data_missing` for what our tables do not have: nothing is guessed."""
    if scheme.casefold() != SCHEME.casefold():
        raise ReferenceMissing("waste code scheme", scheme)
    day = on or work.now.date()
    try:
        return WasteCodeAnswer.of(SCHEME, waste_codes.find(code, jurisdiction=_list_of(jurisdiction), on=day))
    except CodeIsNotValid as error:
        raise CodeNotValid(error.reason, f"{error}.") from error
    except ReferenceDataMissing as error:
        raise ReferenceMissing("waste code", code) from error


def _list_of(jurisdiction: str) -> str:
    if jurisdiction in waste_codes.JURISDICTIONS:
        return jurisdiction
    return waste_codes.jurisdiction_of(jurisdiction)


@factor_sets.get("/factor-sets", summary="List factor sets")
async def list_(work: Work, actor: Annotated[Actor, holding("certificates:read")]) -> FactorSetPage:
    """The published figures that impact statements are computed from, each with version, licence and hash."""
    return FactorSetPage(data=[FactorSetAnswer.of(factors.load(id)) for id in factors.shipped()], has_more=False)
