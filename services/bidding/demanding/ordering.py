"""Giving a standing order, and letting it rest, go on and end."""

from services.bidding import policy
from services.bidding.demanding import queries
from services.bidding.demanding.events import (
    DemandCancelled,
    DemandCreated,
    DemandExpired,
    DemandPaused,
    DemandResumed,
)
from services.bidding.errors import BidDoesNotFit
from services.bidding.models import DEMAND, DemandOrder, NewDemand
from services.bidding.models.demands import NEAR
from services.kernel import timers
from services.kernel.actors import Actor
from services.kernel.errors import Detail, NotFound
from services.kernel.ids import DemandId
from services.kernel.reference import operations
from services.kernel.states import Moved, move
from services.kernel.tables import CheckVersion, any_version
from services.kernel.timers import timer
from services.kernel.unit_of_work import UnitOfWork
from services.listings.searching.places import Place, cells_within
from services.parties import queries as parties
from services.parties.models import Site

EXPIRE = "demand_order.expire"
WIDE_KM = 200.0
Told = type[DemandCreated | DemandPaused | DemandResumed | DemandCancelled | DemandExpired]
BY_NAME: dict[str, Told] = {
    "pause": DemandPaused,
    "resume": DemandResumed,
    "cancel": DemandCancelled,
    "expire": DemandExpired,
}


async def create(work: UnitOfWork, new: NewDemand, *, by: Actor) -> DemandOrder:
    """Raises NotAProcessor, BidDoesNotFit with a pointer per thing that is wrong, and PermissionMissing where it shall bid by
    itself and the credential may not."""
    policy.must_process(by)
    if new.bids_by_itself:
        by.must_hold("bids:write")
    site = await _own_site(work, new, by)
    wrong = _wrong(work, new)
    if wrong:
        raise BidDoesNotFit(*wrong)
    order = _order(work, new, site, by)
    work.add(order)
    await work.session.flush()
    await _look_around(work, order)
    if order.valid_until is not None:
        await timers.schedule(work, EXPIRE, order.id, order.valid_until)
    _tell(work, order, DemandCreated)
    return order


async def change_state(
    work: UnitOfWork, order_id: DemandId, name: str, *, by: Actor, check_version: CheckVersion = any_version
) -> DemandOrder:
    """`pause`, `resume` or `cancel`."""
    order = await queries.order_of(work, order_id, by, for_update=True)
    check_version(order.version)
    await _move(work, order, name, by="buyer")
    return order


@timer(EXPIRE)
async def _expire(work: UnitOfWork, order_id: str) -> None:
    await _move(work, await queries.order_for_update(work, order_id), "expire", by="time")


async def _move(work: UnitOfWork, order: DemandOrder, name: str, *, by: str) -> None:
    moved = move(DEMAND, order, name, by=by)
    await work.session.flush()
    await _look_around(work, order)
    if order.status == "cancelled":
        await timers.cancel(work, EXPIRE, order.id)
    _tell(work, order, BY_NAME[name], moved)


def _tell(work: UnitOfWork, order: DemandOrder, event: Told, moved: Moved | None = None) -> None:
    told = event(demand_order_id=order.id, org_id=order.org_id, name=order.name, material=order.material)
    work.emit(told, subject=order.id, audience={order.org_id: "bidder"}, moved=moved)


async def _look_around(work: UnitOfWork, order: DemandOrder) -> None:
    """Only an active order looks; a little beyond its radius, for what it just misses."""
    reach_km = order.radius_km * NEAR
    resolution = queries.CELLS[0] if reach_km <= WIDE_KM else queries.CELLS[1]
    where = Place(order.latitude, order.longitude)
    await queries.put_cells(work, order, cells_within(where, reach_km, resolution) if order.status == "active" else [])


async def _own_site(work: UnitOfWork, new: NewDemand, by: Actor) -> Site:
    try:
        site = await parties.site(work, new.site_id)
    except NotFound:
        site = None
    if site is None or site.org_id != by.org_id:
        raise BidDoesNotFit(Detail("/site_id", "site_not_yours", "The goods go to a site of yours."))
    return site


def _wrong(work: UnitOfWork, new: NewDemand) -> list[Detail]:
    wrong = []
    for name in ("bid_price", "haulage_ceiling"):
        amount = getattr(new, name)
        if amount is not None and amount.currency != new.price_limit.currency:
            wrong.append(Detail(f"/{name}/currency", "currency_differs", "All amounts are in one currency."))
        elif name == "bid_price" and amount is not None and amount.minor > new.price_limit.minor:
            wrong.append(Detail("/bid_price", "bid_above_limit", f"The limit is {new.price_limit}."))
    if new.haulage_ceiling is not None and new.haulage_ceiling.minor < 0:
        wrong.append(Detail("/haulage_ceiling", "negative", "Haulage costs something, or nothing."))
    if new.operation is not None and not operations.is_known(new.operation):
        wrong.append(Detail("/operation", "operation_unknown", "An operation is R1 to R13 or D1 to D15."))
    if new.valid_until is not None and new.valid_until <= work.now:
        wrong.append(Detail("/valid_until", "in_the_past", "The order would have ended already."))
    return wrong


def _order(work: UnitOfWork, new: NewDemand, site: Site, by: Actor) -> DemandOrder:
    amounts = {"price_limit", "bid_price", "haulage_ceiling", "weekly", "waste_codes"}
    return DemandOrder(
        **new.model_dump(exclude=amounts),
        org_id=by.org,
        waste_codes=sorted(set(new.waste_codes)),
        weekly_g=new.weekly.grams,
        latitude=site.latitude,
        longitude=site.longitude,
        price_limit_minor=new.price_limit.minor,
        currency=new.price_limit.currency,
        bid_price_minor=None if new.bid_price is None else new.bid_price.minor,
        haulage_ceiling_minor=None if new.haulage_ceiling is None else new.haulage_ceiling.minor,
        livemode=work.livemode,
        created_at=work.now,
    )
