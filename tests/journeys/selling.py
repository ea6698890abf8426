"""Monday to Monday: a manifest becomes a listing, sealed bids come in, the best is awarded and confirmed."""

import json
from datetime import timedelta
from typing import Any

from services.demo import goods
from tests.journeys.players import Json, Market, euros, in_tonnes, january

PHOTO = {"sha256": "ab" * 32, "name": "modules-on-pallets.jpg"}


async def import_the_goods(market: Market) -> None:
    nordwerk = market["Nordwerk"]
    # Monday 11 January, 08:10: 221 rows, of which three come back as a file
    await market.go_to(january(11, "08:10"))
    terms = {
        "title": "End-of-life equipment, Kassel works",
        "site_id": nordwerk.site_id,
        "mode": "sealed",
        "price_unit": "tonne",
        "currency": "EUR",
        "disposition_floor": "recycle",
        "opens_at": january(12, "08:00").isoformat(),
        "closes_at": january(15, "14:00").isoformat(),
    }
    sent = await nordwerk.upload("imports", goods.manifest(), profile="backhaul-1", listing=json.dumps(terms))
    await market.come_to_rest()
    read = await nordwerk.get(f"imports/{sent['id']}")
    assert (read["rows"], read["imported"], read["refused"]) == (221, 218, 3)
    returned = (await nordwerk.read(f"imports/{sent['id']}/refused")).decode().splitlines()
    assert len(returned) == 1 + 3
    # 08:40: the mended rows
    await market.go_to(january(11, "08:40"))
    again = await nordwerk.upload("imports", goods.mended(), profile="backhaul-1", listing_id=read["listing_id"])
    await market.come_to_rest()
    mended = await nordwerk.get(f"imports/{again['id']}")
    assert (mended["rows"], mended["added"], mended["refused"]) == (3, 3, 0)
    market.ids["lst_1"] = read["listing_id"]


async def publish(market: Market) -> None:
    nordwerk, path = market["Nordwerk"], f"listings/{market.ids['lst_1']}"
    # 09:05: published once the batteries have what the law asks of them; a rule approves
    await market.go_to(january(11, "09:05"))
    items = {item["title"]: item for item in (await nordwerk.get(path))["items"]}
    modules = items["Lithium battery modules"]
    packing = {"kind": "Steel boxes on pallets", "packages": 6, "un_packing": "P909"}
    await nordwerk.patch(f"{path}/items/{modules['id']}", hp_codes=["HP5", "HP14"], packaging=packing, photos=[PHOTO])
    published = await nordwerk.post(f"{path}/publish")
    assert published["status"] == "scheduled"
    assert {title: in_tonnes(item["mass"]) for title, item in items.items()} == {
        "Electric motors": "12.000",
        "Rack servers": "3.000",
        "Lithium battery modules": "1.800",
        "Copper bars and cable": "1.200",
    }
    assert in_tonnes(published["total_mass"]) == "18.000"


async def bid(market: Market) -> None:
    ceiling: Json = {"haulage_basis": "FCA", "haulage_ceiling": euros("700.00")}
    # Wednesday 13 January: Rheinkreis
    await market.go_to(january(13, "10:00"))
    market.ids["bid_1"] = await place(market, "Rheinkreis", "120.00", **ceiling)
    # Thursday 14 January: Zweitlauf, delivered
    await market.go_to(january(14, "09:30"))
    delivering: Json = {"haulage_basis": "DAP", "haulage_quote": euros("910.00"), "disposition": "remanufacture"}
    market.ids["bid_2"] = await place(market, "Zweitlauf", "0.00", **delivering)
    # Friday 15 January, 13:58:40: Batteriehof; and Altmetall, whose permit lacks the batteries
    await market.go_to(january(15, "13:58") + timedelta(seconds=40))
    market.ids["bid_3"] = await place(market, "Batteriehof", "-35.00", haulage_basis="FCA")
    problem = await market["Altmetall"].refused("bids", **a_bid(market, "Altmetall", "150.00", **ceiling))
    assert (problem["status"], problem["code"]) == (409, "permit_scope")
    assert await market["Nordwerk"].status(f"bids/{market.ids['bid_1']}") == 404


async def place(market: Market, name: str, price: str, *, listing: str = "lst_1", **given: Any) -> str:
    """The bid's id."""
    placed = await market[name].post("bids", **a_bid(market, name, price, listing=listing, **given))
    return str(placed["id"])


def a_bid(market: Market, name: str, price: str, *, listing: str = "lst_1", **given: Any) -> Json:
    return {
        "listing_id": market.ids[listing],
        "site_id": market[name].site_id,
        "price": euros(price),
        "price_unit": "tonne",
        "disposition": "recycle",
        "operation": "R4",
    } | given


async def compare(market: Market) -> None:
    nordwerk = market["Nordwerk"]
    # Friday 15 January, 14:00: bidding ends to the instant, and Nordwerk can read the bids
    await market.go_to(january(15, "14:00"))
    assert (await nordwerk.get(f"listings/{market.ids['lst_1']}"))["status"] == "closed"
    ranking = (await nordwerk.get(f"listings/{market.ids['lst_1']}/ranking"))["data"]
    names = {player.org_id: player.name for player in market.players.values()}
    columns = ("total", "haulage", "commission", "landed_net_value")
    assert [(names[one["bidder_id"]], *(one[column]["amount"] for column in columns)) for one in ranking] == [
        ("Rheinkreis", "2160.00", "0.00", "108.00", "2052.00"),
        ("Batteriehof", "-630.00", "0.00", "0.00", "-630.00"),
        ("Zweitlauf", "0.00", "910.00", "0.00", "-910.00"),
    ]


async def award(market: Market) -> None:
    nordwerk, bid_path = market["Nordwerk"], f"bids/{market.ids['bid_1']}"
    # Monday 18 January, 09:30: a rehearsal that changes nothing, then for real
    await market.go_to(january(18, "09:30"))
    rehearsed = await nordwerk.post_if_unchanged(f"{bid_path}/award?dry_run=true", bid_path)
    assert rehearsed["status"] == "pending_confirmation"
    assert await nordwerk.all("orders") == []
    order = await nordwerk.post_if_unchanged(f"{bid_path}/award", bid_path)
    market.ids["ord_1"] = order["id"]
    assert order["terms_hash"] == rehearsed["terms_hash"]
    assert await reserved_and_used(market) == ("18.900", "0.000")


async def reserved_and_used(market: Market) -> tuple[str, str]:
    """Of the tonnage on Rheinkreis's permit."""
    (permit,) = await market["Rheinkreis"].all("permits")
    (scope,) = permit["scopes"]
    return in_tonnes(scope["reserved"]), in_tonnes(scope["used"])


async def confirm(market: Market) -> None:
    rheinkreis, bid_path = market["Rheinkreis"], f"bids/{market.ids['bid_1']}"
    # Monday 18 January, 14:20: Rheinkreis accepts the same terms; the others have lost
    await market.go_to(january(18, "14:20"))
    order = await rheinkreis.get(f"orders/{market.ids['ord_1']}")
    confirmed = await rheinkreis.post_if_unchanged(f"{bid_path}/confirm", bid_path, terms_hash=order["terms_hash"])
    assert confirmed["status"] == "confirmed"
    await market.come_to_rest()
    (deal,) = await rheinkreis.all("deals", order_id=order["id"])
    market.ids["dea_1"] = deal["id"]
    assert (deal["status"], deal["exposure"]["amount"]) == ("collecting", "3101.00")
    for name, own in (("Zweitlauf", "bid_2"), ("Batteriehof", "bid_3")):
        assert (await market[name].told(market.ids[own]))[-1] == "bid.lost"
    (job,) = await rheinkreis.all("pickups", order_id=order["id"])
    market.ids["pku_1"] = job["id"]
