"""Monday to Wednesday of the week after: received, inspected, part refused and redirected, everybody paid to the cent."""

from typing import Any

from backhaul_client.models import (
    InspectedLineStatedParam,
    MeasuredHowParam,
    RedirectParam,
    SignedLineParam,
    WhereaboutsParam,
)

from services.demo.stage import Stage, amount, etag, euros, tonnes
from services.demo.story.moving import PIECES, RECEIVED, pay, photo

REFUSED = "Lithium battery modules"
OSNABRUECK: WhereaboutsParam = {"latitude": 52.2799, "longitude": 8.0472}
DUISBURG: WhereaboutsParam = {"latitude": 51.4556, "longitude": 6.7339}


def tell(stage: Stage) -> None:
    _receive(stage)
    _inspect(stage)
    _redirect(stage)
    _deal_again(stage)
    _pay_everybody(stage)
    _haul_the_rest(stage)


def _receive(stage: Stage) -> None:
    stage.go_to(14, "12:20")
    receipt = stage["Rheinkreis"].client.orders.receive(stage.facts["order"])
    stage.facts["receipt"] = receipt.id
    stage.say("Rheinkreis", "receives 17.700 t of 18.000 t: inside the tolerance, the price follows", receipt.id)
    stage.settle()


def _inspect(stage: Stage) -> None:
    stage.go_to(16, "14:30")
    client = stage["Rheinkreis"].client
    order = client.orders.get(stage.facts["order"])
    read = etag(client.receipts.get.raw(stage.facts["receipt"]))
    lines = [_verdict(line) for line in order.lines]
    inspected = client.receipts.inspect(stage.facts["receipt"], lines=lines, if_match=read)
    order = client.orders.get(order.id)
    stage.say("Rheinkreis", "accepts 17.340 t, refuses 12 modules (isolation test)", order.status, inspected.id)
    stage.settle()


def _verdict(line: Any) -> InspectedLineStatedParam:
    if line.title != REFUSED:
        return {"line_id": line.id, "accepted": {"mass": tonnes(RECEIVED[line.title]), "quantity": PIECES[line.title]}}
    return {
        "line_id": line.id,
        "accepted": {"mass": tonnes("1.440"), "quantity": 48},
        "refused": {
            "mass": tonnes("0.360"),
            "quantity": 12,
            "reason": "condition_below_declared",
            "evidence": [{"sha256": photo("isolation test")["sha256"], "name": "isolation-test.pdf"}],
        },
    }


def _redirect(stage: Stage) -> None:
    stage.go_to(16, "15:40")
    client = stage["Nordwerk"].client
    read = client.orders.get.raw(stage.facts["order"])
    order = read.parsed
    (line,) = [line for line in order.lines if line.title == REFUSED]
    redirect: RedirectParam = {
        "processor_id": stage["Batteriehof"].org_id,
        "price_unit": "tonne",
        "packaging": {
            "kind": "Steel boxes, vermiculite",
            "packages": 2,
            "un_packing": "P908",
            "special_provisions": ["376"],
        },
    }
    routed = client.orders.route_remainder(
        order.id, line_id=line.id, route="redirect", redirect=redirect, if_match=etag(read)
    )
    (remainder,) = routed.remainders
    stage.facts["second_listing"] = remainder.listing_id
    stage.say("Nordwerk", "acknowledges and redirects them to Batteriehof", remainder.status, remainder.listing_id)
    stage.settle()


def _deal_again(stage: Stage) -> None:
    stage.go_to(17, "08:00")
    batteriehof, nordwerk = stage["Batteriehof"], stage["Nordwerk"].client
    bid = batteriehof.client.bids.place(
        listing_id=stage.facts["second_listing"],
        site_id=batteriehof.site_id,
        price=euros("-1450.00"),
        price_unit="tonne",
        haulage_basis="FCA",
        disposition="recycle",
        operation="R4",
    )
    stage.say("Batteriehof", "takes them for 1,450.00 EUR/t: Nordwerk pays", bid.id)
    stage.go_to(17, "11:00")
    order = nordwerk.bids.award(bid.id, if_match=etag(nordwerk.bids.get.raw(bid.id)))
    read = etag(batteriehof.client.bids.get.raw(bid.id))
    confirmed = batteriehof.client.bids.confirm(bid.id, terms_hash=order.terms_hash, if_match=read)
    stage.settle()
    stage.facts["second_order"] = order.id
    (deal,) = nordwerk.deals.list(order_id=order.id).data
    stage.facts["second_deal"] = deal.id
    stage.say("Batteriehof", "confirms", confirmed.status, f"exposure {amount(deal.exposure)}", order.id)


def _pay_everybody(stage: Stage) -> None:
    stage.go_to(18, "09:00")
    deal = stage.wait_for(
        lambda: stage.operator.deals.get(stage.facts["deal"]), lambda seen: seen.status in ("settled", "closed")
    )
    for transfer in deal.transfers:
        stage.say("Backhaul", f"has transferred the {transfer.leg} leg", f"{transfer.amount.amount} EUR", transfer.id)
    for refund in deal.refunds:
        stage.say("Backhaul", "has refunded Rheinkreis", f"{refund.amount.amount} EUR", refund.id)
    stage.go_to(18, "10:30")
    pay(stage, "Nordwerk", stage.facts["second_deal"])


def _haul_the_rest(stage: Stage) -> None:
    lorry, origin = stage["Batteriehof"].client, stage["Rheinkreis"].client
    (job,) = lorry.pickups.list(order_id=stage.facts["second_order"]).data
    stage.go_to(21, "07:00")
    lorry.pickups.plan(
        job.id,
        window_from=stage.at(21, "08:00"),
        window_until=stage.at(22, "16:00"),
        timezone="Europe/Berlin",
        contacts=[{"name": "Gate 1", "phone": "+49 203 555 0100"}],
    )
    lorry.pickups.self_haul(job.id)
    lorry.pickups.dispatch(job.id, vehicle="OS-BH 77", driver={"name": "Mia Brandt"})
    lorry.pickups.depart(job.id, place=OSNABRUECK)
    stage.go_to(21, "10:00")
    lorry.pickups.arrive(job.id, place=DUISBURG, reason="no dock booked")
    measured: MeasuredHowParam = {"method": "floor_scale", "instrument": "FS-1", "ticket": "T-0099"}
    lines: list[SignedLineParam] = [
        {"line_id": line.line_id, "quantity": 12, "mass": tonnes("0.360")} for line in job.goods
    ]
    origin.pickups.sign_handover(
        job.id, lines=lines, measurement=measured, photos=[photo("twelve modules")], signed_by="Gate 1"
    )
    (handover,) = lorry.pickups.handover(job.id).data
    lorry.pickups.sign_handover(job.id, content_hash=handover.content_hash, signed_by="Mia Brandt")
    lorry.pickups.depart(job.id, place=DUISBURG)
    stage.go_to(21, "14:00")
    lorry.pickups.arrive(job.id, place=OSNABRUECK)
    lorry.pickups.sign_delivery(
        job.id, lines=lines, measurement=measured, photos=[photo("twelve modules unloaded")], signed_by="Dock 1"
    )
    stage.settle()
    stage.say("Batteriehof", "hauls the twelve modules itself", "0.360 t", job.id)
    _accept_the_rest(stage)


def _accept_the_rest(stage: Stage) -> None:
    client, order_id = stage["Batteriehof"].client, stage.facts["second_order"]
    stage.go_to(22, "08:00")
    receipt = client.orders.receive(order_id)
    stage.settle()
    stage.go_to(23, "08:00")
    (line,) = client.orders.get(order_id).lines
    client.receipts.inspect(
        receipt.id,
        lines=[{"line_id": line.id, "accepted": {"mass": tonnes("0.360"), "quantity": 12}}],
        if_match=etag(client.receipts.get.raw(receipt.id)),
    )
    stage.settle()
    deal = stage.wait_for(
        lambda: stage.operator.deals.get(stage.facts["second_deal"]), lambda seen: seen.status in ("settled", "closed")
    )
    (transfer,) = deal.transfers
    stage.say("Batteriehof", f"accepts all and is paid {transfer.amount.amount} EUR", transfer.status, deal.status)
    stage.settle()
