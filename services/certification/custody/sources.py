"""The facts of other contexts as custody needs them: what was loaded, what was accepted and refused."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from services.kernel.ids import LineId, OrderId, OrgId, PickupId, ReceiptId, SiteId
from services.kernel.unit_of_work import UnitOfWork
from services.listings import queries as listings
from services.orders import queries as orders
from services.orders.models import Order, OrderLine
from services.pickups import queries as pickups
from services.pickups.models import Handover, HandoverLine, PickupJob


@dataclass(frozen=True)
class Described:
    """A line's goods. `composition` is [{material, ppm}], empty where nobody told it."""

    line_id: LineId
    title: str
    waste_code: str | None = None
    un_number: str | None = None
    hp_codes: tuple[str, ...] = ()
    composition: tuple[dict[str, Any], ...] = ()


@dataclass(frozen=True)
class LoadedLine:
    goods: Described
    mass_g: int


@dataclass(frozen=True)
class Load:
    """What a lorry took on. `taken_from` names the inspection (its event's source) whose refused goods these are, if they are."""

    pickup_id: PickupId
    order_id: OrderId
    owner_id: OrgId
    custodian_id: OrgId
    carrier_id: OrgId
    from_site_id: SiteId
    to_site_id: SiteId
    occurred_at: datetime
    mass_method: str
    packaging_g: int
    lines: tuple[LoadedLine, ...]
    taken_from: str | None = None


@dataclass(frozen=True)
class InspectedLine:
    """received = accepted + refused, in grams."""

    goods: Described
    received_g: int
    accepted_g: int
    refused_g: int


@dataclass(frozen=True)
class Inspection:
    receipt_id: ReceiptId
    order_id: OrderId
    pickup_id: PickupId
    seller_id: OrgId
    buyer_id: OrgId
    site_id: SiteId
    occurred_at: datetime
    mass_method: str
    lines: tuple[InspectedLine, ...] = field(default=())

    def source(self, line_id: str) -> str:
        return inspection_source(self.receipt_id, line_id)


def inspection_source(receipt_id: str, line_id: str) -> str:
    return f"{receipt_id}:{line_id}"


async def load(work: UnitOfWork, pickup_id: PickupId) -> Load:
    """As both sides signed it at the pickup."""
    job = await pickups.pickup(work, pickup_id)
    handover = await pickups.handover(work, pickup_id, "pickup")
    assert handover is not None, "what is loaded was signed for"
    assert job.carrier_id is not None, "what is loaded has a carrier"
    order = await orders.order(work, job.order_id)
    measured = handover.measured()
    return Load(
        pickup_id=job.id,
        order_id=job.order_id,
        owner_id=job.seller_id,
        custodian_id=job.custodian_id,
        carrier_id=job.carrier_id,
        from_site_id=job.from_site_id,
        to_site_id=job.to_site_id,
        occurred_at=handover.occurred_at,
        mass_method=measured.method,
        packaging_g=measured.packaging_g or 0,
        lines=await _loaded_lines(work, order, job, handover),
        taken_from=await _taken_from(work, order, pickup_id),
    )


async def _loaded_lines(work: UnitOfWork, order: Order, job: PickupJob, handover: Handover) -> tuple[LoadedLine, ...]:
    described = await _described(work, order)
    return tuple(LoadedLine(_goods(line, described, job), line.mass_g) for line in handover.content_lines())


def _goods(line: HandoverLine, described: Mapping[str, Described], job: PickupJob) -> Described:
    if line.line_id in described:
        return described[line.line_id]
    announced = next(goods for goods in job.lines if goods.line_id == line.line_id)
    return Described(line.line_id, announced.title, announced.waste_code, announced.un_number)


async def _taken_from(work: UnitOfWork, order: Order, pickup_id: PickupId) -> str | None:
    """A return, or a child order, moves what was refused before."""
    remainder = await orders.returned_by(work, pickup_id)
    if remainder is None and order.origin_remainder_id is not None:
        remainder = await orders.remainder(work, order.origin_remainder_id)
    return None if remainder is None else inspection_source(remainder.receipt_id, remainder.line_id)


async def inspection(work: UnitOfWork, receipt_id: ReceiptId) -> Inspection:
    """As the receiving site weighed and judged it."""
    receipt = await orders.receipt(work, receipt_id)
    order = await orders.order(work, receipt.order_id)
    described = await _described(work, order)
    assert receipt.inspected_at is not None, "the receipt is inspected"
    return Inspection(
        receipt_id=receipt.id,
        order_id=order.id,
        pickup_id=receipt.pickup_id,
        seller_id=order.seller_id,
        buyer_id=order.buyer_id,
        site_id=receipt.site_id,
        occurred_at=receipt.inspected_at,
        mass_method=str(receipt.measurement.get("method", "declared")),
        lines=tuple(
            InspectedLine(described[line.line_id], line.received_g, line.accepted_g or 0, line.refused_g or 0)
            for line in await orders.receipt_lines(work, receipt_id)
        ),
    )


async def _described(work: UnitOfWork, order: Order) -> dict[str, Described]:
    items = {item.id: item for item in await listings.items(work, order.listing_id)}
    return {line.id: _describe(line, items.get(line.item_id)) for line in await orders.lines(work, order.id)}


def _describe(line: OrderLine, item: Any) -> Described:
    return Described(
        line_id=line.id,
        title=line.title,
        waste_code=line.waste_code,
        un_number=line.un_number,
        hp_codes=tuple(item.hp_codes) if item is not None else (),
        composition=tuple(item.composition or ()) if item is not None else (),
    )
