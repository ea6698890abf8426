"""Who is there: two invented companies per role, each with sites, permits, five members and a key for each of them."""

import time
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

import httpx
from backhaul_client import Backhaul

PATIENCE = 60.0
AT_ONCE = 4
MEMBER_ROLES = ("owner", "manager", "operator", "driver", "viewer")
WASTE_CODES = ["160213", "160214", "160216", "160601", "160607", "170401", "170405"]
"""Equipment, components, lead and lithium batteries, copper, iron and steel."""

TREATMENT: dict[str, Any] = {
    "kind": "treatment",
    "scopes": [{"waste_codes": WASTE_CODES, "operations": ["R3", "R4", "R5", "R12", "R13"]}],
}
TRANSPORT: dict[str, Any] = {"kind": "transport", "scopes": [{"waste_codes": WASTE_CODES}]}
PERMITS: dict[str, tuple[dict[str, Any], ...]] = {
    "carrier": (TRANSPORT,),
    "broker": (TRANSPORT,),
    "repairer": (TREATMENT,),
    "remanufacturer": (TREATMENT,),
    "recycler": (TREATMENT, TRANSPORT),
}
UNPAID = {"verifier", "operator"}
T = TypeVar("T")


class NeverCame(RuntimeError):
    """Something that an outside party does in its own time was not done in ours."""


@dataclass(frozen=True)
class Place:
    street: str
    postal_code: str
    city: str
    latitude: float
    longitude: float


KASSEL = Place("Werkstraße 1", "34117", "Kassel", 51.3127, 9.4797)
HAMBURG = Place("Kai 3", "20457", "Hamburg", 53.5438, 9.9827)
DUISBURG = Place("Hafenstraße 7", "47119", "Duisburg", 51.4556, 6.7339)
ROSTOCK = Place("Am Strom 4", "18055", "Rostock", 54.0924, 12.0991)
LEIPZIG = Place("Messeallee 12", "04356", "Leipzig", 51.3967, 12.4026)
KOELN = Place("Prüfgasse 5", "50667", "Köln", 50.9375, 6.9603)


@dataclass(frozen=True)
class Part:
    """One company: what it is called, what it does, and where."""

    name: str
    role: str
    places: tuple[Place, ...]


PARTS = (
    Part("Nordwerk GmbH", "manufacturer", (KASSEL, HAMBURG)),
    Part("Südwerk AG", "manufacturer", (LEIPZIG,)),
    Part("Wohnbau Ostsee eG", "holder", (ROSTOCK,)),
    Part("Klinikverbund Rhein gGmbH", "holder", (KOELN, DUISBURG)),
    Part("Habicht Spedition GmbH", "carrier", (KASSEL,)),
    Part("Fulda Transporte GmbH", "carrier", (LEIPZIG,)),
    Part("Flickwerk GmbH", "repairer", (HAMBURG,)),
    Part("Heile Technik eG", "repairer", (KOELN,)),
    Part("Zweitlauf Remanufaktur AG", "remanufacturer", (ROSTOCK,)),
    Part("Wiederkehr Antriebe GmbH", "remanufacturer", (LEIPZIG,)),
    Part("Rheinkreis Recycling GmbH", "recycler", (DUISBURG, KOELN)),
    Part("Altmetall Nord KG", "recycler", (HAMBURG,)),
    Part("Mittler & Söhne OHG", "broker", (KOELN,)),
    Part("Stoffkontor GmbH", "broker", (HAMBURG,)),
    Part("Prüfwerk Zertifizierung GmbH", "verifier", (KOELN,)),
    Part("Siegel eG", "verifier", (LEIPZIG,)),
)
HOUSE = Part("Backhaul", "operator", (KOELN,))


@dataclass(frozen=True)
class Market:
    """Where everybody goes, over the same connections: a client of its own for each would cost more than its requests."""

    base_url: str
    http: httpx.Client

    def client(self, key: str | None = None) -> Backhaul:
        return Backhaul(key, base_url=self.base_url, http_client=self.http)

    def owner(self, organization: "Organization") -> Backhaul:
        return self.client(organization.keys["owner"])


@dataclass(frozen=True)
class Organization:
    """As the report shows it. `members` and `keys` are by member role; a key carries all that its role may."""

    id: str
    name: str
    roles: list[str]
    sites: list[str] = field(default_factory=list)
    members: dict[str, str] = field(default_factory=dict)
    keys: dict[str, str] = field(default_factory=dict)

    def told(self) -> dict[str, Any]:
        return asdict(self)


def assemble(market: Market, house: Organization) -> list[Organization]:
    """Everybody, in the order of PARTS and the house last, when everyone who is to be paid can be."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        settling = pool.submit(_settle_in, market, HOUSE, house)
        organizations = list(pool.map(lambda part: _enter(market, part), PARTS))
        list(pool.map(lambda one: _open_account(market, one), organizations))
        return [*organizations, settling.result()]


def _enter(market: Market, part: Part) -> Organization:
    registered = market.client().onboarding.register(
        legal_name=part.name,
        country="DE",
        roles=[part.role],
        contact_email=f"office@{_slug(part.name)}.example",
        owner={"name": "Olga Owner", "email": f"owner@{_slug(part.name)}.example"},
    )
    made = Organization(registered.organization.id, part.name, [part.role], keys={"owner": registered.api_key.secret})
    (founder,) = market.owner(made).members.list().data
    made.members["owner"] = founder.id
    return _settle_in(market, part, made)


def _settle_in(market: Market, part: Part, made: Organization) -> Organization:
    """Sites, permits, the account that money will reach, the other members and their keys."""
    owner = market.owner(made)
    if part.role not in UNPAID:
        owner.payout_account.create()
    made.sites.extend(_site(owner, place) for place in part.places)
    for number, permit in enumerate(PERMITS.get(part.role, ()), 1):
        _permit(owner, f"{_slug(part.name).upper()}-{number}", permit)
    for role in MEMBER_ROLES[1:]:
        _employ(owner, made, role, _slug(part.name))
    return made


def _site(owner: Backhaul, place: Place) -> str:
    site = owner.sites.create(
        name=f"{place.city} works", country="DE", timezone="Europe/Berlin", docks=4, **vars(place)
    )
    return site.id


def _permit(owner: Backhaul, number: str, permit: dict[str, Any]) -> None:
    issued: dict[str, Any] = {
        "authority": "Regierungspräsidium",
        "valid_from": "2024-01-01",
        "valid_until": "2035-12-31",
    }
    owner.permits.create(number=number, **issued, **permit)


def _employ(owner: Backhaul, made: Organization, role: str, slug: str) -> None:
    name = f"{role.title()} {role.title()}son"
    member = owner.members.create(name=name, email=f"{role}@{slug}.example", role=role)
    key = owner.api_keys.create(name=f"The {role}'s key", member_id=member.id)
    made.members[role], made.keys[role] = member.id, key.secret


def _open_account(market: Market, organization: Organization) -> None:
    """What the organization would do in Stripe's own pages."""
    if not UNPAID.isdisjoint(organization.roles):
        return
    owner, here = market.owner(organization), "https://example.com/"
    _wait_for(lambda: owner.payout_account.get().status, {"created"})
    market.http.get(owner.payout_account.link(return_url=here, refresh_url=here).url).raise_for_status()
    _wait_for(lambda: owner.payout_account.get().status, {"active"})


def _wait_for(look: Callable[[], T], wanted: Iterable[T]) -> None:
    deadline = time.monotonic() + PATIENCE
    while (seen := look()) not in wanted:
        if time.monotonic() > deadline:
            raise NeverCame(f"it is still {seen}")
        time.sleep(0.1)


def _slug(name: str) -> str:
    """`Südwerk AG` → suedwerk."""
    spelled = {"ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss"}
    return "".join(spelled.get(letter, letter) for letter in name.split(maxsplit=1)[0].lower())
