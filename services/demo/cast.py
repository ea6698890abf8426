"""Who plays: seven invented German companies and one that lacks a permit, each with a site, permits and a payout account."""

from dataclasses import dataclass, field
from typing import Any

import httpx
from backhaul_client import Backhaul

from services.demo.stage import Player, Stage

BATTERY_CODES = ["160214", "160216", "160607"]


@dataclass(frozen=True)
class Part:
    name: str
    legal_name: str
    roles: tuple[str, ...]
    street: str
    postal_code: str
    city: str
    latitude: float
    longitude: float
    permits: tuple[dict[str, Any], ...] = ()
    is_paid: bool = False
    docks: int = 2


def _treatment(codes: list[str], operations: list[str], tonnes: str | None = None) -> dict[str, Any]:
    limit = {"limit": {"value": tonnes, "unit": "t"}} if tonnes else {}
    return {"kind": "treatment", "scopes": [{"waste_codes": codes, "operations": operations, **limit}]}


TRANSPORT: dict[str, Any] = {"kind": "transport", "scopes": [{"waste_codes": BATTERY_CODES}]}

PARTS = (
    Part(
        "Nordwerk", "Nordwerk GmbH", ("manufacturer",), "Werkstraße 1", "34117", "Kassel", 51.3127, 9.4797, is_paid=True
    ),
    Part(
        "Rheinkreis",
        "Rheinkreis Recycling GmbH",
        ("recycler",),
        "Hafenstraße 7",
        "47119",
        "Duisburg",
        51.4556,
        6.7339,
        permits=(_treatment(BATTERY_CODES, ["R4", "R13"], "5000"),),
        is_paid=True,
    ),
    Part(
        "Zweitlauf",
        "Zweitlauf Remanufaktur AG",
        ("remanufacturer",),
        "Am Strom 4",
        "18055",
        "Rostock",
        54.0924,
        12.0991,
        permits=(_treatment(BATTERY_CODES, ["R4", "R12"]),),
        is_paid=True,
    ),
    Part(
        "Batteriehof",
        "Batteriehof Osnabrück GmbH",
        ("recycler",),
        "Zellenweg 12",
        "49074",
        "Osnabrück",
        52.2799,
        8.0472,
        permits=(_treatment(BATTERY_CODES, ["R4"]), TRANSPORT),
        is_paid=True,
    ),
    Part(
        "Altmetall",
        "Altmetall Nord KG",
        ("recycler",),
        "Kai 3",
        "20457",
        "Hamburg",
        53.5438,
        9.9827,
        permits=(_treatment(["160214", "160216"], ["R4"]),),
    ),
    Part(
        "Habicht",
        "Habicht Spedition GmbH",
        ("carrier",),
        "Ring 9",
        "34123",
        "Kassel",
        51.3,
        9.52,
        permits=(TRANSPORT,),
        is_paid=True,
    ),
    Part(
        "Fulda",
        "Fulda Transporte GmbH",
        ("carrier",),
        "Fuldatal 2",
        "34233",
        "Fuldatal",
        51.37,
        9.53,
        permits=(TRANSPORT,),
        is_paid=True,
    ),
    Part("Prüfwerk", "Prüfwerk Zertifizierung GmbH", ("verifier",), "Prüfgasse 5", "50667", "Köln", 50.9375, 6.9603),
)


@dataclass
class Cast:
    """The players' clients, to be closed at the end."""

    clients: list[Backhaul] = field(default_factory=list)

    def close(self) -> None:
        for client in self.clients:
            client.close()


def assemble(stage: Stage, cast: Cast) -> None:
    """Registers everybody, and waits until everyone who is to be paid can be."""
    for part in PARTS:
        stage.players[part.name] = _enter(stage, cast, part)
        stage.say(part.name, f"registers as {', '.join(part.roles)}", stage[part.name].org_id)
    stage.settle()
    for part in PARTS:
        if part.is_paid:
            _complete_onboarding(stage, stage[part.name])
    stage.settle()


def _enter(stage: Stage, cast: Cast, part: Part) -> Player:
    with Backhaul(base_url=stage.base_url) as stranger:
        registered = stranger.onboarding.register(
            legal_name=part.legal_name,
            country="DE",
            roles=list(part.roles),
            contact_email=f"office@{part.name.lower().replace('ü', 'ue')}.example",
            owner={"name": "Erika Muster", "email": "erika@example.com"},
        )
    client = Backhaul(registered.api_key.secret, base_url=stage.base_url)
    cast.clients.append(client)
    site = client.sites.create(
        name=f"{part.city} works",
        street=part.street,
        postal_code=part.postal_code,
        city=part.city,
        country="DE",
        latitude=part.latitude,
        longitude=part.longitude,
        timezone="Europe/Berlin",
        docks=part.docks,
    )
    for number, permit in enumerate(part.permits, 1):
        client.permits.create(
            number=f"{part.name.upper()}-{number}",
            authority="Regierungspräsidium",
            valid_from="2024-01-01",
            valid_until="2035-12-31",
            **permit,
        )
    if part.is_paid:
        client.payout_account.create()
    return Player(part.name, registered.organization.id, site.id, client)


def _complete_onboarding(stage: Stage, player: Player) -> None:
    """What the organization would do in Stripe's own pages."""
    stage.wait_for(player.client.payout_account.get, lambda seen: seen.status != "none")
    here = "https://example.com/"
    link = player.client.payout_account.link(return_url=here, refresh_url=here)
    httpx.get(link.url).raise_for_status()
    stage.wait_for(player.client.payout_account.get, lambda seen: seen.status == "active")
