"""SELECTs of findings and of bidders' conduct. Findings are for operators alone."""

from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select, true
from sqlalchemy.dialects.postgresql import distinct_on, insert
from sqlmodel import col

from services.bidding.integrity.patterns import Part
from services.bidding.integrity.suspicions import Suspicion
from services.bidding.models import Bid
from services.bidding.models.findings import Finding
from services.bidding.policy import OPENED
from services.kernel.actors import Actor
from services.kernel.errors import NotFound
from services.kernel.ids import FindingId, ListingId, OrgId
from services.kernel.unit_of_work import UnitOfWork
from services.listings.models import Listing

WON = ("awarded", "confirmed")
WITHDRAWN = "withdrawn"
"""As a reason it is the bidder's own doing; a superseded bid was followed by another."""


def visible_to(actor: Actor) -> ColumnElement[bool]:
    return true() if actor.is_operator else false()


def findings(actor: Actor) -> Select[Finding]:
    """Unordered."""
    return select(Finding).where(col(Finding.livemode) == actor.livemode, visible_to(actor))


async def finding(work: UnitOfWork, finding_id: FindingId, actor: Actor, *, lock: bool = False) -> Finding:
    """NotFound for everybody but operators."""
    query = findings(actor).where(col(Finding.id) == finding_id)
    if lock:
        query = query.with_for_update().execution_options(populate_existing=True)
    row = (await work.session.execute(query)).scalar_one_or_none()
    if row is None:
        raise NotFound("finding", finding_id)
    return row


async def write(work: UnitOfWork, listing_id: ListingId, found: Suspicion) -> None:
    """Once: what is known already stays as it was decided."""
    row = Finding(
        kind=found.kind,
        listing_id=listing_id,
        org_ids=sorted(found.org_ids),
        evidence=dict(found.evidence),
        livemode=work.livemode,
        created_at=work.now,
        version=1,
    )
    statement = insert(Finding).values(row.model_dump())
    await work.session.execute(statement.on_conflict_do_nothing())


async def bidders(work: UnitOfWork, listing_id: ListingId) -> list[OrgId]:
    """Everybody who ever bid, whatever became of it."""
    query = select(col(Bid.bidder_id)).where(col(Bid.listing_id) == listing_id).distinct()
    return sorted(OrgId(org_id) for org_id in (await work.session.execute(query)).scalars())


async def conduct(work: UnitOfWork, bidder_ids: list[OrgId], *, since: datetime) -> list[Part]:
    """The last word of each of them for every listing since then, unless it is a secret still, and of whoever won there. Of a
    sealed bid that was withdrawn nobody reads the price."""
    has_won = col(Bid.status).in_(WON)
    theirs = (col(Bid.bidder_id).in_(bidder_ids), col(Bid.received_at) >= since, col(Bid.livemode) == work.livemode)
    where_they_bid = select(col(Bid.listing_id)).where(*theirs)
    stepped_back = (col(Bid.status) == "timed_out") | (
        (col(Bid.status) == "withdrawn") & (func.coalesce(col(Bid.ended_reason), "") == WITHDRAWN)
    )
    columns = (
        col(Bid.listing_id),
        col(Bid.bidder_id),
        col(Bid.price_minor),
        (col(Listing.mode) != "sealed") | (col(Bid.status) != WITHDRAWN),
        stepped_back,
        has_won,
    )
    query = (
        select(*columns)
        .join(Listing, col(Listing.id) == col(Bid.listing_id))
        .where(or_(and_(*theirs), and_(has_won, col(Bid.listing_id).in_(where_they_bid))))
        .where((col(Listing.mode) != "sealed") | col(Listing.status).in_(OPENED))
        .ext(distinct_on(col(Bid.listing_id), col(Bid.bidder_id)))
        .order_by(col(Bid.listing_id), col(Bid.bidder_id), col(Bid.received_at).desc(), col(Bid.id).desc())
    )
    rows = (await work.session.execute(query)).all()
    return [
        Part(ListingId(listing_id), OrgId(bidder_id), price if is_open else None, bool(gone), bool(won))
        for listing_id, bidder_id, price, is_open, gone, won in rows
    ]
