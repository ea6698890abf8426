"""Tuesday to Monday: carriers are asked, one accepts, the money arrives, the lorry is loaded, weighed and unloaded."""

import hashlib
from typing import Any

import httpx
from backhaul_client import Conflict
from backhaul_client.models import (
    CarrierOfferParam,
    MeasuredHowParam,
    PickupDriverParam,
    SignedLineParam,
    SignedPhotoParam,
    WhereaboutsParam,
)

from services.demo.stage import Stage, euros, tonnes

PIECES = {"Electric motors": 40, "Rack servers": 120, "Lithium battery modules": 60, "Copper bars and cable": 1}
LOADED = dict(zip(PIECES, ("11.780", "2.980", "1.800", "1.160"), strict=True))
RECEIVED = dict(zip(PIECES, ("11.760", "2.980", "1.800", "1.160"), strict=True))
"""In tonnes. The weighbridge's 0.020 t less than the floor scale lies with the motors."""

KASSEL: WhereaboutsParam = {"latitude": 51.3127, "longitude": 9.4797}
DUISBURG: WhereaboutsParam = {"latitude": 51.4556, "longitude": 6.7339}


def tell(stage: Stage) -> None:
    _tender(stage)
    _book(stage)
    _collect(stage)
    _dispatch(stage)
    _load(stage)
    _deliver(stage)


def photo(what: str) -> SignedPhotoParam:
    return {"sha256": hashlib.sha256(what.encode()).hexdigest(), "name": f"{what.replace(' ', '-')}.jpg"}


def _tender(stage: Stage) -> None:
    stage.go_to(8, "07:30")
    client = stage["Rheinkreis"].client
    (job,) = client.pickups.list(order_id=stage.facts["order"]).data
    stage.facts["pickup"] = job.id
    client.pickups.plan(
        job.id,
        window_from=stage.at(14, "05:00"),
        window_until=stage.at(18, "16:00"),
        timezone="Europe/Berlin",
        contacts=[{"name": "Gate 3", "phone": "+49 561 555 0100"}],
        equipment="Curtain sider; ADR equipment for class 9",
    )
    offers: list[CarrierOfferParam] = [
        {"carrier_id": stage[name].org_id, "price": euros(price)}
        for name, price in (("Habicht", "620.00"), ("Fulda", "650.00"))
    ]
    tendered = client.pickups.tender(job.id, strategy="waterfall", offers=offers, respond_within_minutes=120)
    stage.say("Rheinkreis", "asks Habicht at 620.00 first, then Fulda at 650.00", tendered.status, job.id)
    stage.settle()
    (habicht,) = stage["Habicht"].client.offers.list().data
    stage.go_to(8, "08:17")
    stage["Habicht"].client.offers.decline(habicht.id, reason="no_adr_vehicle")
    stage.say("Habicht", "declines: no ADR vehicle", habicht.id)
    stage.settle()
    stage.go_to(8, "09:35")
    (fulda,) = stage["Fulda"].client.offers.list().data
    accepted = stage["Fulda"].client.offers.accept(fulda.id)
    stage.say("Fulda", "accepts at 650.00 EUR", accepted.status, fulda.id)
    try:
        stage["Habicht"].client.offers.accept(habicht.id)
    except Conflict as refusal:
        stage.say("Habicht", "would like it after all", refusal.status, refusal.code)


def _book(stage: Stage) -> None:
    stage.go_to(8, "09:50")
    client = stage["Fulda"].client
    booked = client.pickups.book_slot(
        stage.facts["pickup"],
        site_id=stage["Nordwerk"].site_id,
        dock=2,
        starts_at=stage.at(14, "06:00"),
        ends_at=stage.at(14, "08:00"),
    )
    stage.say("Fulda", "books dock 2 for Monday morning", booked.status)
    try:
        _send_the_lorry(stage, dry_run=True)
    except Conflict as refusal:
        stage.say("Fulda", "rehearses the dispatch", refusal.status, refusal.code)


def _send_the_lorry(stage: Stage, **options: Any) -> Any:
    driver: PickupDriverParam = {"name": "Jonas Weber"}
    return stage["Fulda"].client.pickups.dispatch(stage.facts["pickup"], vehicle="FD-HB 1234", driver=driver, **options)


def pay(stage: Stage, name: str, deal_id: str) -> None:
    """The payer's bank transfer, by the reference it was given; then the market waits for the bank."""
    client = stage[name].client
    deal = stage.wait_for(lambda: client.deals.get(deal_id), lambda seen: bool(_instructions(seen)))
    told = _instructions(deal)
    transfer = {
        "reference": told.reference,
        "amount": int(told.amount_remaining.amount.replace(".", "")),
        "currency": told.amount_remaining.currency.lower(),
    }
    httpx.post(f"{stage.simulator_url}/_simulator/bank-transfers", json=transfer).raise_for_status()
    held = stage.wait_for(lambda: client.deals.get(deal_id), lambda seen: seen.status == "held")
    stage.settle()
    stage.say(name, f"transfers {told.amount_remaining.amount} EUR to {told.iban}", held.status, deal_id)


def _instructions(deal: Any) -> Any:
    return next((payment.instructions for payment in deal.payments if payment.instructions), None)


def _collect(stage: Stage) -> None:
    stage.go_to(9, "08:12")
    pay(stage, "Rheinkreis", stage.facts["deal"])


def _dispatch(stage: Stage) -> None:
    stage.go_to(11, "10:00")
    dispatched = _send_the_lorry(stage)
    stage.say("Fulda", "dispatches: the money is held, permits and papers pass", dispatched.status)


def _lines(stage: Stage, masses: dict[str, str]) -> list[SignedLineParam]:
    job = stage["Fulda"].client.pickups.get(stage.facts["pickup"])
    return [
        {"line_id": line.line_id, "quantity": PIECES[line.title], "mass": tonnes(masses[line.title])}
        for line in job.goods
    ]


def _load(stage: Stage) -> None:
    pickup, driver, dock = stage.facts["pickup"], stage["Fulda"].client, stage["Nordwerk"].client
    stage.go_to(14, "05:02")
    driver.pickups.depart(pickup, reason="leaves the yard")
    stage.go_to(14, "06:12")
    driver.pickups.arrive(pickup, place=KASSEL)
    stage.go_to(14, "07:31")
    measured: MeasuredHowParam = {
        "method": "floor_scale",
        "instrument": "FS-2",
        "ticket": "T-4711",
        "packaging": tonnes("0.420"),
    }
    dock.pickups.sign_handover(
        pickup,
        lines=_lines(stage, LOADED),
        measurement=measured,
        seals=["S-0815"],
        photos=[photo("load sealed")],
        signed_by="Dock 2",
    )
    (handover,) = driver.pickups.handover(pickup).data
    loaded = driver.pickups.sign_handover(pickup, content_hash=handover.content_hash, signed_by="Jonas Weber")
    stage.say("Nordwerk", "and the driver sign 17.720 t, seal S-0815", loaded.status, handover.id)
    driver.pickups.depart(pickup, place=KASSEL)
    stage.settle()


def _deliver(stage: Stage) -> None:
    pickup, driver = stage.facts["pickup"], stage["Fulda"].client
    stage.go_to(14, "11:38")
    driver.pickups.arrive(pickup, place=DUISBURG)
    stage.go_to(14, "12:05")
    measured: MeasuredHowParam = {
        "method": "weighbridge",
        "instrument": "WB-1",
        "ticket": "W-2301",
        "weigh_in": tonnes("33.740"),
        "weigh_out": tonnes("15.620"),
        "packaging": tonnes("0.420"),
    }
    stage["Rheinkreis"].client.pickups.sign_delivery(
        pickup, lines=_lines(stage, RECEIVED), measurement=measured, photos=[photo("unloaded")], signed_by="Gate 1"
    )
    received = next(one for one in driver.pickups.handover(pickup).data if one.place == "delivery")
    done = driver.pickups.sign_delivery(pickup, content_hash=received.content_hash, signed_by="Jonas Weber")
    stage.say("Rheinkreis", "weighs 33.740 in, 15.620 out, 0.420 packaging: 17.700 t", done.status)
    stage.settle()
    (deal,) = stage.operator.deals.list(order_id=stage.facts["order"]).data
    haulage = [transfer for transfer in deal.transfers if transfer.leg == "haulage"]
    stage.say("Backhaul", "pays the haulage leg", *(f"{one.amount.amount} EUR {one.status}" for one in haulage))
