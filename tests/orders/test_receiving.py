"""Receipts and inspections: facts are flagged, verdicts must add up, and no line waits for another."""

from typing import Any

import httpx
from sqlalchemy import text

from services.kernel.money import Money
from services.listings.models import DraftItem
from services.orders.models import Order, Receipt
from services.orders.pricing import Measured
from tests.factories.listings import motors
from tests.factories.orders import EVIDENCE, Market, delivered, held, inspected, received
from tests.factories.parties import Party, organization


def lots_of(*titles: str) -> list[DraftItem]:
    """1.000 t and ten pieces each."""
    return [motors(title=title, quantity=10, mass={"value": "1", "unit": "t"}) for title in titles]


async def a_receipt(market: Market, quantity: int = 10, mass_g: int = 1_000_000) -> tuple[Order, Receipt]:
    order = await held(market, lots_of("Motors"))
    await delivered(market, order, received={"Motors": (quantity, mass_g)})
    return order, await received(market, order)


def mass(grams: int) -> dict[str, str]:
    return {"value": str(grams), "unit": "g"}


async def inspect(market: Market, receipt: Receipt, *lines: dict[str, Any], by: Party | None = None) -> httpx.Response:
    headers = (by or market.buyer).headers | {"If-Match": "*"}
    return await market.client.post(f"/v1/receipts/{receipt.id}/inspect", json={"lines": lines}, headers=headers)


def errors(answer: httpx.Response) -> list[tuple[str, str]]:
    return [(error["code"], error["pointer"]) for error in answer.json()["errors"]]


async def test_five_lines_with_five_outcomes_do_not_wait_for_each_other(market: Market) -> None:
    order = await held(market, lots_of("Whole", "Part", "None", "Missing", "Heavy"))
    figures = {"Missing": (0, 0), "Heavy": (11, 1_200_000)}
    await delivered(market, order, received=figures)
    receipt = await received(market, order)
    lines = await market.lines(order)
    refused = {lines["Part"].id: Measured(3, 300_000), lines["None"].id: Measured(10, 1_000_000)}

    await inspected(market, receipt, refused)
    await market.settle()

    found = {line.line_id: (line.accepted_g, line.refused_g) for line in await market.receipt_lines(receipt)}
    assert [found[lines[title].id] for title in ("Whole", "Part", "None", "Missing", "Heavy")] == [
        (1_000_000, 0),
        (700_000, 300_000),
        (0, 1_000_000),
        (0, 0),
        (1_200_000, 0),
    ]
    assert sorted(one.value.amount for one in await market.remainders(order)) == ["120.00", "36.00"]
    deal = await market.deal(order)
    assert (deal.accepted_minor, deal.contested_minor) == (33_000, 15_600)
    assert (await market.order(order)).status == "partially_accepted"


async def test_what_is_off_the_tolerance_is_flagged_and_never_refused(market: Market) -> None:
    order, receipt = await a_receipt(market, 11, 1_050_001)
    assert [flag["code"] for flag in receipt.flags] == ["above_tolerance", "pieces_differ"]
    assert (await market.order(order)).status == "received"


async def test_masses_at_the_edge_of_the_tolerance_are_inside(market: Market) -> None:
    _, upper = await a_receipt(market, 10, 1_050_000)
    assert upper.flags == []


async def test_too_little_is_known_with_the_last_delivery(market: Market) -> None:
    _, receipt = await a_receipt(market, 10, 949_999)
    assert [flag["code"] for flag in receipt.flags] == ["below_tolerance"]


async def test_the_receiver_may_weigh_differently_than_was_signed(market: Market) -> None:
    order = await held(market, lots_of("Motors"))
    await delivered(market, order)
    line = (await market.lines(order))["Motors"]
    body = {
        "lines": [{"line_id": line.id, "mass": mass(990_000)}],
        "measurement": {"method": "weighbridge", "instrument": "WB-1", "ticket": "W-1"},
    }
    answer = await market.client.post(f"/v1/orders/{order.id}/receive", json=body, headers=market.buyer.headers)
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert told["lines"][0]["received"] == {"quantity": 10, "mass": {"value": "990", "unit": "kg"}}
    assert (told["measurement"]["method"], told["lines"][0]["accepted"]) == ("weighbridge", None)


async def test_nothing_can_be_received_twice_or_before_it_is_delivered(market: Market) -> None:
    order = await held(market, lots_of("Motors"))
    url = f"/v1/orders/{order.id}/receive"
    early = await market.client.post(url, json={}, headers=market.buyer.headers)
    await delivered(market, order)
    await received(market, order)
    again = await market.client.post(url, json={}, headers=market.buyer.headers)
    assert [one.json()["code"] for one in (early, again)] == ["nothing_delivered"] * 2


async def test_only_the_buyer_receives_and_others_see_no_order(market: Market) -> None:
    order = await held(market, lots_of("Motors"))
    stranger = await organization(market.sessions, name="Fremd AG")
    url = f"/v1/orders/{order.id}"
    by_seller = await market.client.post(f"{url}/receive", json={}, headers=market.seller.headers)
    by_carrier = await market.client.get(url, headers=market.carrier.headers)
    by_stranger = await market.client.get(url, headers=stranger.headers)
    by_strange_receiver = await market.client.post(f"{url}/receive", json={}, headers=stranger.headers)
    codes = [one.status_code for one in (by_seller, by_carrier, by_stranger, by_strange_receiver)]
    assert codes == [403, 404, 404, 404]


async def test_a_foreign_receipt_is_not_there(market: Market) -> None:
    _, receipt = await a_receipt(market)
    url = f"/v1/receipts/{receipt.id}"
    read = await market.client.get(url, headers=market.carrier.headers)
    listed = await market.client.get("/v1/receipts", headers=market.carrier.headers)
    by_seller = await inspect(
        market, receipt, {"line_id": "lin_01kaq4m8q3e8xvw2t5n6r7s8d9", "accepted": {}}, by=market.seller
    )
    assert (read.status_code, listed.json()["data"], by_seller.status_code) == (404, [], 403)


async def test_more_cannot_be_accepted_than_was_received(market: Market) -> None:
    order, receipt = await a_receipt(market)
    line_id = (await market.lines(order))["Motors"].id
    answer = await inspect(market, receipt, {"line_id": line_id, "accepted": {"mass": mass(1_000_001), "quantity": 10}})
    assert answer.status_code == 422
    assert errors(answer) == [("acceptance_exceeds_receipt", "/lines/0/accepted/mass")]


async def test_accepted_and_refused_sum_to_what_was_received(market: Market) -> None:
    order, receipt = await a_receipt(market)
    line_id = (await market.lines(order))["Motors"].id
    answer = await inspect(market, receipt, {"line_id": line_id, "accepted": {"mass": mass(999_999), "quantity": 9}})
    assert answer.status_code == 422
    assert errors(answer) == [("sum_differs", "/lines/0/accepted/mass"), ("sum_differs", "/lines/0/accepted/quantity")]


async def test_a_refusal_has_a_reason_and_evidence(market: Market) -> None:
    order, receipt = await a_receipt(market)
    line_id = (await market.lines(order))["Motors"].id
    refused = {"mass": mass(1_000_000), "quantity": 10}
    answer = await inspect(market, receipt, {"line_id": line_id, "accepted": {}, "refused": refused})
    assert errors(answer) == [
        ("reason_required", "/lines/0/refused/reason"),
        ("evidence_required", "/lines/0/refused/evidence"),
    ]


async def test_every_line_gets_an_outcome_once(market: Market) -> None:
    order = await held(market, lots_of("One", "Two"))
    await delivered(market, order)
    receipt = await received(market, order)
    line_id = (await market.lines(order))["One"].id
    whole = {"line_id": line_id, "accepted": {"mass": mass(1_000_000), "quantity": 10}}
    answer = await inspect(market, receipt, whole, whole)
    assert errors(answer) == [("line_not_found", "/lines/1/line_id"), ("line_without_outcome", "/lines")]


async def test_what_is_refused_whole_pays_nothing_and_owes_no_certificate(market: Market) -> None:
    order, receipt = await a_receipt(market)
    line_id = (await market.lines(order))["Motors"].id
    refused = {
        "mass": mass(1_000_000),
        "quantity": 10,
        "reason": "contaminated",
        "evidence": [{**EVIDENCE[0]}],
    }
    answer = await inspect(market, receipt, {"line_id": line_id, "accepted": {}, "refused": refused})
    told = await market.client.get(f"/v1/orders/{order.id}", headers=market.seller.headers)
    assert (answer.status_code, told.json()["status"]) == (200, "refused")
    assert [owed["status"] for owed in told.json()["obligations"]] == ["waived"]
    assert (await market.deal(order)).contested_minor == 12_000


async def test_silence_at_the_end_of_the_inspection_window_accepts_everything(market: Market) -> None:
    order, receipt = await a_receipt(market)
    await market.advance(receipt.inspect_by)
    assert (await market.order(order)).status == "settled"
    assert (await market.deal(order)).accepted_minor == 12_000


async def test_a_delivery_nobody_received_is_accepted_as_it_was_signed(market: Market) -> None:
    order = await held(market, lots_of("Motors"))
    await delivered(market, order, received={"Motors": (10, 980_000)})
    ends_at = (await market.order(order)).dispute_ends_at
    assert ends_at is not None
    await market.advance(ends_at)
    assert (await market.order(order)).status == "settled"
    assert (await market.deal(order)).accepted_minor == 11_760


async def test_a_lapsed_permit_forbids_the_acceptance_and_silence_refuses_the_goods(market: Market) -> None:
    order, receipt = await a_receipt(market)
    line_id = (await market.lines(order))["Motors"].id
    async with market.sessions() as session:
        query = "UPDATE permit SET valid_until = CURRENT_DATE - 2 WHERE kind = 'treatment' AND org_id = :org"
        await session.execute(text(query), {"org": market.buyer.org.id})
        await session.commit()

    answer = await inspect(market, receipt, {"line_id": line_id, "accepted": {"mass": mass(1_000_000), "quantity": 10}})
    assert (answer.status_code, answer.json()["code"]) == (409, "permit_expired")
    await market.advance(receipt.inspect_by)

    refused, *_ = await market.receipt_lines(receipt)
    assert (refused.refused_g, refused.reason) == (1_000_000, "not_permitted")
    assert (await market.order(order)).status == "refused"


async def test_haulage_is_due_on_delivery_before_anything_is_accepted(market: Market) -> None:
    order = await held(market, lots_of("Motors"))
    await delivered(market, order)
    deal = await market.deal(order)
    assert (deal.status, deal.money(deal.haulage_released_minor)) == ("held", Money.of("650.00", "EUR"))


async def test_a_dry_run_of_an_inspection_changes_nothing(market: Market) -> None:
    order, receipt = await a_receipt(market)
    line_id = (await market.lines(order))["Motors"].id
    whole = {"line_id": line_id, "accepted": {"mass": mass(1_000_000), "quantity": 10}}
    answer = await market.client.post(
        f"/v1/receipts/{receipt.id}/inspect",
        params={"dry_run": "true"},
        json={"lines": [whole]},
        headers=market.buyer.headers | {"If-Match": "*"},
    )
    assert (answer.status_code, answer.json()["status"]) == (200, "inspected")
    assert (await market.order(order)).status == "received"
    assert (await market.deal(order)).status == "held"
