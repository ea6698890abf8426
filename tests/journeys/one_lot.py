"""A shorter story for what may end otherwise: forty motors of 12.000 t, negotiated, sold to Rheinkreis, delivered by Fulda."""

from tests.journeys import goods, moving, selling
from tests.journeys.players import Json, Market, euros, january, tonnes

MOTORS = {
    "title": "Electric motors",
    "quantity": 40,
    "mass": tonnes("12"),
    "waste_code": "160214",
    "condition_grade": "salvage",
    "return_reason": "end_of_life",
    "composition": [{"material": "steel", "ppm": 800_000}, {"material": "copper", "ppm": 200_000}],
    "is_data_bearing": False,
    "photos": [selling.PHOTO],
}


async def sell(market: Market) -> None:
    """Monday 11 January: offered, awarded, confirmed, paid."""
    nordwerk, rheinkreis = market["Nordwerk"], market["Rheinkreis"]
    await market.go_to(january(11, "08:00"))
    terms = {"mode": "negotiated", "price_unit": "tonne", "currency": "EUR", "disposition_floor": "recycle"}
    draft = await nordwerk.post("listings", title="Motors", site_id=nordwerk.site_id, items=[MOTORS], **terms)
    await nordwerk.post(f"listings/{draft['id']}/publish")
    market.ids["lst_1"] = draft["id"]
    ceiling: Json = {"haulage_basis": "FCA", "haulage_ceiling": euros("700.00")}
    bid = f"bids/{await selling.place(market, 'Rheinkreis', '120.00', **ceiling)}"
    order = await nordwerk.post_if_unchanged(f"{bid}/award", bid)
    await rheinkreis.post_if_unchanged(f"{bid}/confirm", bid, terms_hash=order["terms_hash"])
    await market.come_to_rest()
    (job,) = await rheinkreis.all("pickups", order_id=order["id"])
    (deal,) = await rheinkreis.all("deals", order_id=order["id"])
    market.ids |= {"ord_1": order["id"], "pku_1": job["id"], "dea_1": deal["id"]}
    await market.pay("Rheinkreis", order["id"])


async def deliver(market: Market) -> None:
    """Tuesday 12 to Monday 25 January: carried for 650.00, as heavy at both ends as declared."""
    job, fulda = f"pickups/{market.ids['pku_1']}", market["Fulda"]
    await market.go_to(january(12, "08:00"))
    await market["Rheinkreis"].post(f"{job}/plan", **moving.a_plan(january(25, "05:00"), january(29, "16:00")))
    offers = [{"carrier_id": fulda.org_id, "price": euros("650.00")}]
    await market["Rheinkreis"].post(f"{job}/tender", strategy="broadcast", offers=offers, respond_within_minutes=60)
    (offer,) = await fulda.all("offers")
    await fulda.post(f"offers/{offer['id']}/accept")
    await fulda.post(f"{job}/book_slot", **moving.a_slot(market))
    await market.go_to(january(25, "06:10"))
    await haul(market, job, "Fulda", giver="Nordwerk", taker="Rheinkreis")
    await moving.confirm(market, "Fulda", job, "delivery")
    await market.come_to_rest()
    assert (await market["Rheinkreis"].get(f"orders/{market.ids['ord_1']}"))["status"] == "in_fulfilment"


async def haul(market: Market, job: str, hauler: str, *, giver: str, taker: str) -> None:
    """From one to the other, everything as declared, until the taker has signed."""
    lorry, here = market[hauler], {"reason": "no place reported"}
    lines = [{name: line[name] for name in ("line_id", "quantity", "mass")} for line in (await lorry.get(job))["goods"]]
    weighed = {"method": "floor_scale", "instrument": "FS-2", "ticket": "T-1"}
    content: Json = {"lines": lines, "measurement": weighed, "photos": [goods.PHOTO], "signed_by": "Dock 1"}
    await lorry.post(f"{job}/dispatch", **moving.CREW)
    await lorry.post(f"{job}/depart", **here)
    await lorry.post(f"{job}/arrive", **here)
    await market[giver].post(f"{job}/sign_handover", **content)
    await moving.confirm(market, hauler, job, "handover")
    await lorry.post(f"{job}/depart", **here)
    await lorry.post(f"{job}/arrive", **here)
    await market[taker].post(f"{job}/sign_delivery", **content)
    await market.come_to_rest()
