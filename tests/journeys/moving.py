"""Tuesday to Monday: carriers are asked, the money arrives, the lorry is loaded, weighed and unloaded."""

from datetime import datetime

from tests.journeys import goods
from tests.journeys.players import Json, Market, euros, in_tonnes, january, tonnes

CREW = {"vehicle": "FD-HB 1234", "driver": {"name": "Jonas Weber"}}


async def tender(market: Market) -> None:
    rheinkreis, job = market["Rheinkreis"], f"pickups/{market.ids['pku_1']}"
    # Tuesday 19 January, 07:30: Rheinkreis asks Habicht first, then Fulda
    await market.go_to(january(19, "07:30"))
    await rheinkreis.post(f"{job}/plan", **a_plan(january(25, "05:00"), january(29, "16:00")))
    asked = [
        {"carrier_id": market[name].org_id, "price": euros(price)}
        for name, price in (("Habicht", "620.00"), ("Fulda", "650.00"))
    ]
    await rheinkreis.post(f"{job}/tender", strategy="waterfall", offers=asked, respond_within_minutes=120)
    (first,) = await market["Habicht"].all("offers")
    assert first["status"] == "offered"
    assert first["expires_at"].startswith(january(19, "09:30").strftime("%Y-%m-%dT%H:%M"))
    assert await market["Fulda"].all("offers") == []
    # 08:17: Habicht declines
    await market.go_to(january(19, "08:17"))
    await market["Habicht"].post(f"offers/{first['id']}/decline", reason="no_adr_vehicle")
    # 09:35: Fulda accepts; Habicht would like it after all
    await market.go_to(january(19, "09:35"))
    (second,) = await market["Fulda"].all("offers")
    accepted = await market["Fulda"].post(f"offers/{second['id']}/accept")
    assert (accepted["status"], accepted["price"]["amount"]) == ("accepted", "650.00")
    problem = await market["Habicht"].refused(f"offers/{first['id']}/accept")
    assert (problem["status"], problem["code"]) == (409, "offer_not_open")
    market.ids |= {"ofr_1": first["id"], "ofr_2": second["id"]}


def a_plan(window_from: datetime, window_until: datetime) -> Json:
    return {
        "window_from": window_from.isoformat(),
        "window_until": window_until.isoformat(),
        "timezone": "Europe/Berlin",
        "contacts": [{"name": "Gate 3", "phone": "+49 561 555 0100"}],
        "equipment": "Curtain sider; ADR equipment for class 9",
    }


async def book(market: Market) -> None:
    fulda, job = market["Fulda"], f"pickups/{market.ids['pku_1']}"
    # Tuesday 19 January, 09:50: dock 2 on Monday, 07:00 to 09:00 in Kassel; no money is held yet
    await market.go_to(january(19, "09:50"))
    booked = await fulda.post(f"{job}/book_slot", **a_slot(market))
    assert (booked["status"], booked["slot"]["dock"]) == ("scheduled", 2)
    problem = await fulda.refused(f"{job}/dispatch?dry_run=true", **CREW)
    assert (problem["status"], problem["code"]) == (409, "money_not_held")


def a_slot(market: Market) -> Json:
    at = {"starts_at": january(25, "06:00").isoformat(), "ends_at": january(25, "08:00").isoformat()}
    return {"site_id": market["Nordwerk"].site_id, "dock": 2} | at


async def collect(market: Market) -> None:
    rheinkreis, deal = market["Rheinkreis"], f"deals/{market.ids['dea_1']}"
    # Wednesday 20 January, 08:12: Rheinkreis's bank transfer
    await market.go_to(january(20, "08:12"))
    asked = await market.pay("Rheinkreis", market.ids["ord_1"])
    assert asked["amount_remaining"] == euros("3101.00")
    assert (await rheinkreis.get(deal))["status"] == "held"


async def dispatch(market: Market) -> None:
    # Friday 22 January, 10:00: money held, permits cover, lorry and driver are named
    await market.go_to(january(22, "10:00"))
    sent = await market["Fulda"].post(f"pickups/{market.ids['pku_1']}/dispatch", **CREW)
    assert (sent["status"], sent["is_money_held"]) == ("dispatched", True)


async def load(market: Market) -> None:
    driver, dock, job = market["Fulda"], market["Nordwerk"], f"pickups/{market.ids['pku_1']}"
    # Monday 25 January, 05:02: the lorry leaves; 06:12: it is there, inside its slot
    await market.go_to(january(25, "05:02"))
    await driver.post(f"{job}/depart", reason="leaves the yard")
    await market.go_to(january(25, "06:12"))
    await driver.post(f"{job}/arrive", place=goods.KASSEL)
    # 07:31: dock and driver sign for 17.720 t
    await market.go_to(january(25, "07:31"))
    signed = await dock.post(
        f"{job}/sign_handover",
        lines=await goods.lines(market, goods.LOADED),
        measurement={"method": "floor_scale", "instrument": "FS-2", "ticket": "T-4711", "packaging": tonnes("0.420")},
        seals=["S-0815"],
        photos=[goods.PHOTO],
        signed_by="Dock 2",
    )
    assert signed["status"] == "at_pickup"
    await confirm(market, "Fulda", job, "handover")
    await driver.post(f"{job}/depart", place=goods.KASSEL)
    await market.come_to_rest()
    assert (await dock.get(f"orders/{market.ids['ord_1']}"))["status"] == "in_fulfilment"


async def confirm(market: Market, hauler: str, job: str, place: str) -> None:
    """The driver reads what the other side has signed, and signs for the same."""
    newest = (await market[hauler].all(f"{job}/handovers"))[-1]
    await market[hauler].post(f"{job}/sign_{place}", content_hash=newest["content_hash"], signed_by="Jonas Weber")


async def deliver(market: Market) -> None:
    driver, gate, job = market["Fulda"], market["Rheinkreis"], f"pickups/{market.ids['pku_1']}"
    # Monday 25 January, 11:38: in Duisburg
    await market.go_to(january(25, "11:38"))
    await driver.post(f"{job}/arrive", place=goods.DUISBURG)
    # 12:05: weighed in and out; the haulage is due. Fulda's webhook endpoint stumbles once
    await market.go_to(january(25, "12:05"))
    market.hooks["Fulda"].answers = [500]
    weighed = {
        "method": "weighbridge",
        "instrument": "WB-1",
        "ticket": "W-2301",
        "weigh_in": tonnes("33.740"),
        "weigh_out": tonnes("15.620"),
        "packaging": tonnes("0.420"),
    }
    received = await goods.lines(market, goods.RECEIVED)
    await gate.post(
        f"{job}/sign_delivery", lines=received, measurement=weighed, photos=[goods.PHOTO], signed_by="Gate 1"
    )
    await confirm(market, "Fulda", job, "delivery")
    await market.come_to_rest()
    assert (await driver.get(job))["status"] == "closed"
    assert await _signed_for(market) == [goods.LOADED, goods.RECEIVED]
    assert [goods.total(masses) for masses in (goods.LOADED, goods.RECEIVED)] == ["17.720", "17.700"]


async def send_again(market: Market) -> None:
    """What Fulda's endpoint answered 500 to comes again under the same id."""
    stumbled = market.hooks["Fulda"]
    assert stumbled.answers == []
    await market.send_again_now()
    assert len(stumbled.ids) == len(set(stumbled.ids)) + 1


async def _signed_for(market: Market) -> list[dict[str, str]]:
    """Masses by title: at the pickup, and at the delivery."""
    job = f"pickups/{market.ids['pku_1']}"
    titles = {line["line_id"]: line["title"] for line in (await market["Fulda"].get(job))["goods"]}
    signed = await market["Fulda"].all(f"{job}/handovers")
    return [{titles[line["line_id"]]: in_tonnes(line["mass"]) for line in one["lines"]} for one in signed]
