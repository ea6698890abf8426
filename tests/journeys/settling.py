"""Monday to Wednesday of the week after: received, inspected, part refused and redirected, everybody paid to the cent."""

from tests.journeys import goods, moving
from tests.journeys.players import Json, Market, euros, february, in_tonnes, january, tonnes
from tests.journeys.selling import place, reserved_and_used


async def receive(market: Market) -> None:
    rheinkreis = market["Rheinkreis"]
    # Monday 25 January, 12:20: inside the tolerance, so the price follows the weight
    await market.go_to(january(25, "12:20"))
    receipt = await rheinkreis.post(f"orders/{market.ids['ord_1']}/receive")
    market.ids["rcp_1"] = receipt["id"]
    assert receipt["flags"] == []
    assert (await rheinkreis.get(f"orders/{market.ids['ord_1']}"))["status"] == "received"


async def inspect(market: Market) -> None:
    rheinkreis, order = market["Rheinkreis"], f"orders/{market.ids['ord_1']}"
    # Wednesday 27 January, 14:30: twelve modules fail the isolation test
    await market.go_to(january(27, "14:30"))
    lines = (await rheinkreis.get(order))["lines"]
    receipt = f"receipts/{market.ids['rcp_1']}"
    await rheinkreis.post_if_unchanged(f"{receipt}/inspect", receipt, lines=[_verdict(line) for line in lines])
    await market.come_to_rest()
    seen = await market["Nordwerk"].get(order)
    assert seen["status"] == "partially_accepted"
    masses = {line["title"]: line for line in seen["lines"]}
    for column, story in (("received", goods.RECEIVED), ("accepted", goods.ACCEPTED), ("refused", goods.REFUSED)):
        assert {title: in_tonnes(line[column]["mass"]) for title, line in masses.items()} == story
    assert {title: in_tonnes(line["mass"]) for title, line in masses.items()} == goods.DECLARED
    assert [goods.total(masses) for masses in (goods.ACCEPTED, goods.REFUSED)] == ["17.340", "0.360"]
    assert await reserved_and_used(market) == ("0.000", "17.340")


def _verdict(line: Json) -> Json:
    title = line["title"]
    refused = {"quantity": 12, "reason": "condition_below_declared", "evidence": [goods.EVIDENCE]}
    verdicts = {
        goods.MODULES: {
            "accepted": {"mass": tonnes("1.440"), "quantity": 48},
            "refused": {"mass": tonnes("0.360"), **refused},
        }
    }
    whole = {"accepted": {"mass": tonnes(goods.RECEIVED[title]), "quantity": goods.PIECES[title]}}
    return {"line_id": line["id"], **verdicts.get(title, whole)}


async def redirect(market: Market) -> None:
    nordwerk, order = market["Nordwerk"], f"orders/{market.ids['ord_1']}"
    # Wednesday 27 January, 15:40: Nordwerk acknowledges, and asks Batteriehof alone
    await market.go_to(january(27, "15:40"))
    packing = {"kind": "Steel boxes", "packages": 2, "un_packing": "P908", "special_provisions": ["376"]}
    wish = {"processor_id": market["Batteriehof"].org_id, "price_unit": "tonne", "packaging": packing}
    line_id = await goods.line_of_modules(market)
    route = {"line_id": line_id, "route": "redirect", "redirect": wish}
    routed = await nordwerk.post_if_unchanged(f"{order}/route_remainder", order, **route)
    (remainder,) = routed["remainders"]
    assert (in_tonnes(remainder["mass"]), remainder["quantity"]) == ("0.360", 12)
    assert remainder["value"] == euros("43.20")
    market.ids["lst_2"] = remainder["listing_id"]
    await market.come_to_rest()
    offered = await nordwerk.get(f"listings/{market.ids['lst_2']}")
    assert (offered["mode"], offered["visibility"], offered["status"]) == ("negotiated", "invited", "open")
    (item,) = offered["items"]
    assert (item["condition_grade"], item["un_number"]) == ("damaged", "UN3480")
    assert item["packaging"]["un_packing"] == "P908"
    assert await market["Zweitlauf"].status(f"listings/{market.ids['lst_2']}") == 404


async def deal_again(market: Market) -> None:
    batteriehof, nordwerk = market["Batteriehof"], market["Nordwerk"]
    # Thursday 28 January, 08:00: Batteriehof takes them, and is paid for it
    await market.go_to(january(28, "08:00"))
    bid = f"bids/{await place(market, 'Batteriehof', '-1450.00', listing='lst_2', haulage_basis='FCA')}"
    # 10:00 and 12:00: awarded, confirmed
    await market.go_to(january(28, "10:00"))
    order = await nordwerk.post_if_unchanged(f"{bid}/award", bid)
    await market.go_to(january(28, "12:00"))
    await batteriehof.post_if_unchanged(f"{bid}/confirm", bid, terms_hash=order["terms_hash"])
    await market.come_to_rest()
    (deal,) = await nordwerk.all("deals", order_id=order["id"])
    assert (deal["side"], deal["exposure"]["amount"], deal["goods"]["amount"]) == ("payer", "621.18", "-522.00")
    market.ids |= {"bid_4": bid.removeprefix("bids/"), "ord_2": order["id"], "dea_2": deal["id"]}


async def pay_everybody(market: Market) -> None:
    # Friday 29 January, 09:00: the first order is paid out
    await market.go_to(january(29, "09:00"))
    deal = await market.operator.get(f"deals/{market.ids['dea_1']}")
    assert {(one["leg"], one["amount"]["amount"], one["status"]) for one in deal["transfers"]} == {
        ("haulage", "773.50", "paid"),
        ("goods", "1956.99", "paid"),
    }
    assert [(one["amount"]["amount"], one["status"]) for one in deal["refunds"]] == [
        ("203.50", "succeeded"),
        ("43.20", "succeeded"),
    ]
    assert deal["status"] == "closed"
    # 10:30: Nordwerk's bank transfer for the second
    await market.go_to(january(29, "10:30"))
    asked = await market.pay("Nordwerk", market.ids["ord_2"])
    assert asked["amount_remaining"] == euros("621.18")


async def haul_the_rest(market: Market) -> None:
    lorry, origin = market["Batteriehof"], market["Rheinkreis"]
    (job,) = await lorry.all("pickups", order_id=market.ids["ord_2"])
    path, market.ids["pku_2"] = f"pickups/{job['id']}", job["id"]
    # Monday 1 February: Batteriehof comes itself; Rheinkreis, who has the goods, signs them out
    await market.go_to(february(1, "07:00"))
    await lorry.post(f"{path}/plan", **moving.a_plan(february(1, "08:00"), february(2, "16:00")))
    await lorry.post(f"{path}/self_haul")
    await lorry.post(f"{path}/dispatch", vehicle="OS-BH 77", driver={"name": "Jonas Weber"})
    await lorry.post(f"{path}/depart", place=goods.OSNABRUECK)
    await market.go_to(february(1, "10:00"))
    await lorry.post(f"{path}/arrive", place=goods.DUISBURG, reason="no dock booked")
    load = {
        "lines": [{"line_id": line["line_id"], "quantity": 12, "mass": tonnes("0.360")} for line in job["goods"]],
        "measurement": {"method": "floor_scale", "instrument": "FS-1", "ticket": "T-0099"},
        "photos": [goods.PHOTO],
    }
    await origin.post(f"{path}/sign_handover", signed_by="Gate 1", **load)
    await moving.confirm(market, "Batteriehof", path, "handover")
    await lorry.post(f"{path}/depart", place=goods.DUISBURG)
    await market.go_to(february(1, "14:00"))
    await lorry.post(f"{path}/arrive", place=goods.OSNABRUECK)
    await lorry.post(f"{path}/sign_delivery", signed_by="Dock 1", **load)
    await market.come_to_rest()
    assert (await lorry.get(path))["status"] == "closed"


async def accept_the_rest(market: Market) -> None:
    batteriehof, order = market["Batteriehof"], f"orders/{market.ids['ord_2']}"
    # Tuesday 2 and Wednesday 3 February: received, accepted whole, paid
    await market.go_to(february(2, "08:00"))
    receipt = f"receipts/{(await batteriehof.post(f'{order}/receive'))['id']}"
    await market.go_to(february(3, "08:00"))
    (line,) = (await batteriehof.get(order))["lines"]
    verdict = {"line_id": line["id"], "accepted": {"mass": tonnes("0.360"), "quantity": 12}}
    await batteriehof.post_if_unchanged(f"{receipt}/inspect", receipt, lines=[verdict])
    await market.come_to_rest()
    deal = await batteriehof.get(f"deals/{market.ids['dea_2']}")
    assert [(one["amount"]["amount"], one["status"]) for one in deal["transfers"]] == [("590.12", "paid")]
    assert (await batteriehof.get(order))["status"] == "settled"
