"""Pickup jobs for tests, in the sandbox and as far along as a test needs them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx

from services.kernel.actors import system
from services.kernel.database import Sessions
from services.kernel.ids import LineId, OrderId
from services.kernel.money import Money
from services.kernel.unit_of_work import UnitOfWork
from services.pickups import dispatching, scheduling
from services.pickups.models import Goods, PickupJob
from services.pickups.scheduling import PickupRequest
from tests.factories.parties import Party, organization, permit

MOTORS = "160214"
MODULES = "160607"
DEAL = "dea_01kaq4m8q3e8xvw2t5n6r7s8d9"
CREW = {"vehicle": "FD-HB 1234", "driver": {"name": "Jonas Weber"}}
HERE = {"place": {"latitude": 51.31, "longitude": 9.48}}
PHOTO = {"sha256": "ab" * 32, "name": "load.jpg"}


@dataclass(frozen=True)
class Haul:
    """A job and everybody in it. `order_id` is nobody's: pickups do not read orders."""

    job: PickupJob
    owner: Party
    seller: Party
    receiver: Party
    custodian: Party
    carrier: Party

    @property
    def url(self) -> str:
        return f"/v1/pickups/{self.job.id}"


async def carrier(
    sessions: Sessions, name: str = "Fulda Logistik", codes: Sequence[str] = (MOTORS, MODULES), **terms: Any
) -> Party:
    """A verified carrier with a transport permit for these codes."""
    party = await organization(sessions, roles=["carrier"], name=name)
    await permit(sessions, party, kind="transport", waste_codes=codes, **terms)
    return party


async def recycler(sessions: Sessions, name: str = "Rheinkreis Recycling") -> Party:
    party = await organization(sessions, roles=["recycler"], name=name)
    await permit(sessions, party, waste_codes=[MOTORS, MODULES])
    return party


def motors(quantity: int = 40, mass_g: int = 12_000_000) -> Goods:
    return Goods(line_id=LineId.new(), title="Electric motors", quantity=quantity, mass_g=mass_g, waste_code=MOTORS)


def modules(quantity: int = 60, mass_g: int = 1_800_000) -> Goods:
    return Goods(
        line_id=LineId.new(),
        title="Lithium modules",
        quantity=quantity,
        mass_g=mass_g,
        waste_code=MODULES,
        un_number="UN 3480",
        is_hazardous=True,
    )


async def requested(
    sessions: Sessions,
    *,
    goods: Sequence[Goods] | None = None,
    ceiling: str = "700.00",
    receiver: Party | None = None,
    seller: Party | None = None,
    custodian: Party | None = None,
    hauler: Party | None = None,
    order_id: OrderId | None = None,
) -> Haul:
    """A draft: the receiver buys FCA, so it owns the job; the seller has the goods."""
    seller = seller or await organization(sessions, name="Nordwerk GmbH")
    receiver = receiver or await recycler(sessions)
    custodian = custodian or seller
    hauler = hauler or await carrier(sessions)
    wanted = PickupRequest(
        order_id=order_id or OrderId.new(),
        owner_id=receiver.org.id,
        seller_id=seller.org.id,
        receiver_id=receiver.org.id,
        from_site_id=custodian.site.id,
        to_site_id=receiver.site.id,
        custodian_id=custodian.org.id,
        goods=list(goods) if goods is not None else [motors()],
        ceiling=Money.of(ceiling, "EUR"),
        currency="EUR",
    )
    async with UnitOfWork(sessions, system(livemode=False)) as work:
        job = await scheduling.request(work, wanted)
    return Haul(job, owner=receiver, seller=seller, receiver=receiver, custodian=custodian, carrier=hauler)


def monday() -> datetime:
    """Midnight UTC of a Monday two to three weeks ahead."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today + timedelta(days=21 - today.weekday())


def a_plan(**given: Any) -> dict[str, Any]:
    window = {
        "window_from": (monday() + timedelta(hours=6)).isoformat(),
        "window_until": (monday() + timedelta(days=4, hours=15)).isoformat(),
        "timezone": "Europe/Berlin",
        "contacts": [{"name": "Gate 3", "phone": "+49 561 555 0100"}],
    }
    return window | given


def a_tender(
    *carriers: Party, strategy: str = "waterfall", minutes: int = 120, price: str = "650.00"
) -> dict[str, Any]:
    amount = {"amount": price, "currency": "EUR"}
    return {
        "strategy": strategy,
        "offers": [{"carrier_id": carrier.org.id, "price": amount} for carrier in carriers],
        "respond_within_minutes": minutes,
    }


def a_slot(haul: Haul, *, dock: int = 2, hour: int = 8, hours: int = 2) -> dict[str, Any]:
    """On Monday, hours in UTC."""
    starts_at = monday() + timedelta(hours=hour)
    return {
        "site_id": haul.job.from_site_id,
        "dock": dock,
        "starts_at": starts_at.isoformat(),
        "ends_at": (starts_at + timedelta(hours=hours)).isoformat(),
    }


def a_signature(haul: Haul, **given: Any) -> dict[str, Any]:
    """Everything as declared, on a floor scale, signed now."""
    content = {
        "lines": [
            {
                "line_id": goods.line_id,
                "quantity": goods.quantity,
                "mass": {"value": str(goods.mass_g), "unit": "g"},
            }
            for goods in haul.job.lines
        ],
        "measurement": {"method": "floor_scale", "instrument": "FS-2", "ticket": "T-4711"},
        "signed_by": "Petra Lang",
    }
    return content | given


async def did(client: httpx.AsyncClient, by: Party, url: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """A step that a test takes for granted."""
    answer = await client.post(url, json=body, headers=by.headers)
    assert answer.is_success, answer.text
    told: dict[str, Any] = answer.json()
    return told


async def planned(client: httpx.AsyncClient, sessions: Sessions, **given: Any) -> Haul:
    haul = await requested(sessions, **given)
    await did(client, haul.owner, f"{haul.url}/plan", a_plan())
    return haul


async def tendered(
    client: httpx.AsyncClient, sessions: Sessions, carriers: Sequence[Party], *, strategy: str = "waterfall"
) -> Haul:
    haul = await planned(client, sessions, hauler=carriers[0])
    await did(client, haul.owner, f"{haul.url}/tender", a_tender(*carriers, strategy=strategy))
    return haul


async def offers_to(client: httpx.AsyncClient, party: Party) -> list[dict[str, Any]]:
    answer = await client.get("/v1/offers", headers=party.headers)
    data: list[dict[str, Any]] = answer.json()["data"]
    return data


async def accepted(client: httpx.AsyncClient, sessions: Sessions, **given: Any) -> Haul:
    haul = await planned(client, sessions, **given)
    await did(client, haul.owner, f"{haul.url}/tender", a_tender(haul.carrier))
    newest, *_ = await offers_to(client, haul.carrier)
    await did(client, haul.carrier, f"/v1/offers/{newest['id']}/accept")
    return haul


async def scheduled(client: httpx.AsyncClient, sessions: Sessions, **given: Any) -> Haul:
    haul = await accepted(client, sessions, **given)
    await did(client, haul.carrier, f"{haul.url}/book_slot", a_slot(haul))
    return haul


async def cleared(sessions: Sessions, haul: Haul) -> None:
    async with UnitOfWork(sessions, system(livemode=False)) as work:
        await dispatching.clear(work, order_id=haul.job.order_id, clearance_id=DEAL)


async def at_pickup(client: httpx.AsyncClient, sessions: Sessions, **given: Any) -> Haul:
    haul = await scheduled(client, sessions, **given)
    await cleared(sessions, haul)
    await did(client, haul.carrier, f"{haul.url}/dispatch", CREW)
    await did(client, haul.carrier, f"{haul.url}/depart", HERE)
    await did(client, haul.carrier, f"{haul.url}/arrive", {**HERE, "reason": "early"})
    return haul


async def signed_by_both(client: httpx.AsyncClient, haul: Haul, place: str, other: Party, body: dict[str, Any]) -> None:
    """`place` is handover or delivery; `other` signs first, the carrier confirms the hash."""
    await did(client, other, f"{haul.url}/sign_{place}", body)
    handovers = (await client.get(f"{haul.url}/handovers", headers=haul.carrier.headers)).json()["data"]
    confirmation = {"content_hash": handovers[-1]["content_hash"], "signed_by": "Jonas Weber"}
    await did(client, haul.carrier, f"{haul.url}/sign_{place}", confirmation)


async def at_delivery(client: httpx.AsyncClient, sessions: Sessions, **given: Any) -> Haul:
    haul = await at_pickup(client, sessions, **given)
    await signed_by_both(client, haul, "handover", haul.custodian, a_signature(haul, photos=[PHOTO]))
    await did(client, haul.carrier, f"{haul.url}/depart", HERE)
    await did(client, haul.carrier, f"{haul.url}/arrive", HERE)
    return haul
