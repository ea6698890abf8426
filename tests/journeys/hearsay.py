"""Who hears what, in which order, and what nobody else may know."""

import json
from collections import Counter, defaultdict

from sqlalchemy import select
from sqlmodel import col

from services.kernel.events import EventRow
from tests.journeys.players import Json, Market

STREAMS = {
    "lst_1": "listing: created submitted published opened closed awarded fulfilled",
    "bid_1": "bid: placed admitted awarded confirmed",
    "bid_2": "bid: placed admitted lost",
    "bid_3": "bid: placed admitted lost",
    "ord_1": "order: created confirmed started received partially_accepted remainder_routed settled"
    " obligation.fulfilled closed",
    "dea_1": "deal: agreed collecting held leg_released settling adjusted settled closed",
    "pku_1": "pickup: created planned tendered accepted scheduled dispatched departed arrived loaded in_transit arrived"
    " delivered closed",
    "ofr_1": "offer: made declined",
    "ofr_2": "offer: made accepted",
    "rcp_1": "receipt: inspected",
    "crt_1": "certificate: drafted submitted verification_started issued impact.stated",
    "lst_2": "listing: created submitted published opened awarded fulfilled",
    "bid_4": "bid: placed admitted awarded confirmed",
    "ord_2": "order: created confirmed started received accepted settled obligation.fulfilled closed",
    "dea_2": "deal: agreed collecting held settling settled closed",
    "pku_2": "pickup: created planned accepted dispatched departed arrived loaded in_transit arrived delivered closed",
    "crt_2": "certificate: drafted submitted verification_started issued impact.stated",
}
"""Per thing its events, in order."""

PRICES_OF_GOODS = (b"2080.80", b"120.00", b"1956.99")

KEPT_FROM = {
    "Nordwerk": ("650.00", "773.50", "620.00", "700.00", "3101.00", "203.50"),
    "Rheinkreis": ("-910.00", "-35.00", "1956.99", "104.04", "1450.00", "590.12", "621.18"),
    "Batteriehof": ("120.00", "2052.00", "2080.80", "650.00"),
    "Habicht": ("650.00", "773.50"),
    "Prüfwerk": ("120.00", "2080.80", "650.00", "1450.00"),
}
"""Figures of others: haulage and exposure from the seller, payouts from the payer, prices from whoever is no side."""


def stream(told: str) -> list[str]:
    family, types = told.split(": ")
    return [type if "." in type else f"{family}.{type}" for type in types.split()]


async def log(market: Market) -> None:
    """Every thing has its events in order, without a gap."""
    async with market.tools.sessions() as session:
        rows = (await session.execute(select(EventRow).order_by(col(EventRow.seq)))).scalars().all()
    by_subject = defaultdict(list)
    for row in rows:
        by_subject[row.subject_id].append(row)
    assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
    for told in by_subject.values():
        assert [row.subject_seq for row in told] == list(range(1, len(told) + 1))
    for name, expected in STREAMS.items():
        assert [row.type for row in by_subject[market.ids[name]]] == stream(expected), name


async def losers(market: Market) -> None:
    """Zweitlauf hears of the listing and its own bid, and that it has lost, once."""
    zweitlauf = await market["Zweitlauf"].feed()
    about = [(event["type"], event["subject"]["id"]) for event in zweitlauf if _is_of_the_market(event)]
    listing, bid = market.ids["lst_1"], market.ids["bid_2"]
    assert about == [
        ("bid.placed", bid),
        ("bid.admitted", bid),
        ("listing.closed", listing),
        ("listing.awarded", listing),
        ("bid.lost", bid),
    ]
    strange = {market.ids["bid_1"], market.ids["bid_3"], market["Rheinkreis"].org_id, market["Batteriehof"].org_id}
    assert _mentioned(strange, zweitlauf) == set()
    batteriehof = Counter(event["type"] for event in await market["Batteriehof"].feed())
    assert batteriehof["bid.lost"] == 1


def _is_of_the_market(event: Json) -> bool:
    return event["type"].split(".")[0] not in ("organization", "api_key", "permit", "payouts")


def _mentioned(words: set[str], told: object) -> set[str]:
    text = json.dumps(told)
    return {word for word in words if word in text}


async def carrier(market: Market) -> None:
    """Fulda never learns what the goods cost, by webhook, in its feed or on asking; and it hears both the same."""
    feed = await market["Fulda"].feed()
    paths = ("pickups", "offers", "custody-events", "material-batches", "ledger/postings")
    asked = [await market["Fulda"].get(path, limit=100) for path in paths]
    told = b"".join([*market.hooks["Fulda"].bodies, json.dumps([feed, asked]).encode()])
    assert [price for price in PRICES_OF_GOODS if price in told] == []
    assert b"650.00" in told
    for name in ("ord_1", "dea_1"):
        assert await market["Fulda"].status(f"{_collection(name)}/{market.ids[name]}") == 404
    assert await market["Fulda"].all("deals") == []
    by_id = {event["id"]: event for event in feed}
    assert all(by_id[heard["id"]] == heard for heard in market.hooks["Fulda"].verified)


def _collection(name: str) -> str:
    return {"ord": "orders", "dea": "deals", "pku": "pickups", "rcp": "receipts", "crt": "certificates"}[name[:3]]


async def figures(market: Market) -> None:
    """Nobody hears a figure that is not theirs."""
    for name, figures in KEPT_FROM.items():
        assert _mentioned(set(figures), await market[name].feed()) == set(), name
    assert _mentioned({"2080.80", "1956.99"}, await market["Nordwerk"].feed()) == {"2080.80", "1956.99"}


async def next_processor(market: Market) -> None:
    """Batteriehof sees of the first order nothing but where the goods lie."""
    batteriehof = market["Batteriehof"]
    first = {market.ids[name] for name in ("ord_1", "dea_1", "pku_1", "rcp_1", "bid_1", "ofr_2")}
    paths = ("events", "orders", "deals", "pickups", "receipts", "bids", "material-batches", "custody-events")
    seen = [await batteriehof.get(path, limit=200) for path in paths]
    assert _mentioned(first, seen) == set()
    for name in ("ord_1", "dea_1", "pku_1", "rcp_1"):
        assert await batteriehof.status(f"{_collection(name)}/{market.ids[name]}") == 404
    second = await batteriehof.get(f"orders/{market.ids['ord_2']}")
    assert (second["parent_order_id"], second["origin_remainder_id"]) == (None, None)
    assert second["from_site_id"] == market["Rheinkreis"].site_id
    (job,) = (await batteriehof.get("pickups", order_id=market.ids["ord_2"]))["data"]
    assert (job["from_site"]["street"], job["from_site"]["city"]) == ("Hafenstraße 7", "Duisburg")


async def webhooks(market: Market) -> None:
    """Fulda's endpoint stumbled once: sent again under the same id. Nobody else noticed, and every signature held."""
    assert await _attempts(market, "Fulda") == {(204,): len(market.hooks["Fulda"].verified) - 1, (500, 204): 1}
    assert await _attempts(market, "Nordwerk") == {(204,): len(market.hooks["Nordwerk"].verified)}
    twice = [id for id, times in Counter(market.hooks["Fulda"].ids).items() if times > 1]
    assert len(twice) == 1
    assert twice[0] in [event["id"] for event in market.hooks["Fulda"].verified]
    assert len(set(market.hooks["Nordwerk"].ids)) == len(market.hooks["Nordwerk"].ids)
    heard = {event["id"]: event for event in market.hooks["Nordwerk"].verified}
    feed = {event["id"]: event for event in await market["Nordwerk"].feed()}
    assert heard == {id: event for id, event in feed.items() if id in heard}
    assert {event["type"] for id, event in feed.items() if id not in heard} == {
        "organization.registered",
        "organization.verified",
        "api_key.created",
        "payouts.enabled",
    }


async def _attempts(market: Market, name: str) -> dict[tuple[int, ...], int]:
    """Status codes of the attempts of a delivery → how many deliveries had them."""
    deliveries = await market[name].all("deliveries", limit=200)
    return dict(Counter(tuple(try_["status_code"] for try_ in one["attempts"]) for one in deliveries))
