"""What is moved in the story: pieces and masses per kind, as declared, loaded, received, accepted and refused."""

from decimal import Decimal

from tests.journeys.players import Json, Market, tonnes

PIECES = {"Electric motors": 40, "Rack servers": 120, "Lithium battery modules": 60, "Copper bars and cable": 1}
DECLARED = dict(zip(PIECES, ("12.000", "3.000", "1.800", "1.200"), strict=True))
LOADED = dict(zip(PIECES, ("11.780", "2.980", "1.800", "1.160"), strict=True))
RECEIVED = dict(zip(PIECES, ("11.760", "2.980", "1.800", "1.160"), strict=True))
ACCEPTED = dict(zip(PIECES, ("11.760", "2.980", "1.440", "1.160"), strict=True))
REFUSED = dict(zip(PIECES, ("0.000", "0.000", "0.360", "0.000"), strict=True))
MODULES = "Lithium battery modules"
EVIDENCE = {"sha256": "cd" * 32, "name": "isolation-test.pdf"}
PHOTO = {"sha256": "ef" * 32, "name": "load.jpg"}

KASSEL = {"latitude": 51.3127, "longitude": 9.4797}
DUISBURG = {"latitude": 51.4556, "longitude": 6.7339}
OSNABRUECK = {"latitude": 52.2799, "longitude": 8.0472}


def total(masses: dict[str, str]) -> str:
    return str(sum(map(Decimal, masses.values())))


async def lines(market: Market, masses: dict[str, str]) -> list[Json]:
    """Of the first order, by its lines."""
    order = await market["Rheinkreis"].get(f"orders/{market.ids['ord_1']}")
    return [
        {"line_id": line["id"], "quantity": PIECES[line["title"]], "mass": tonnes(masses[line["title"]])}
        for line in order["lines"]
    ]


async def line_of_modules(market: Market) -> str:
    order = await market["Nordwerk"].get(f"orders/{market.ids['ord_1']}")
    (line,) = [line["id"] for line in order["lines"] if line["title"] == MODULES]
    return str(line)
