"""What no answer may say, whatever the committed matrix says: regenerating it does not write these away."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from services.parties.permissions import NEVER_DELEGATED, ROLES
from tests.guards.authorization.cast import names_of
from tests.guards.authorization.cells import Cell, rolled_back
from tests.guards.authorization.world import ID, World

STRANGERS = ("foreign", "live")
NOBODY = ("anonymous", "revoked")
FOR_EVERYBODY = {
    "listings.get": "what is offered to everybody is read by everybody who might bid",
    "listings.search": "the market shows what is open to everybody",
    "bids.watch": "how bidding stands is for whoever may read the listing, whose amounts it tells as the listing's mode has it",
    "organizations.get": "id, name, country and roles are an organization's public face",
    "certificates.verification": "whoever holds the address may check a certificate, without a key",
    "certificates.verify": "whoever holds a credential may check it, without a key",
    "public.credential": "whoever holds the address may read the certificate itself",
    "public.impact": "the impact statement is part of the certificate",
    "public.page": "the page behind the QR code",
    "public.status_list": "which versions do not stand any more is for whoever checks one",
}
"""Operations that answer strangers about things of others, each with its reason."""

ASKS_NOBODY = {
    "service.health": "a balancer has no key",
    "service.ready": "a balancer has no key",
    "service.metrics": "it holds no partner's data; who scrapes is the network's matter",
    "oauth.jwks": "whoever holds a token may check it",
    "oauth.token": "the credential is in the body, as RFC 6749 has it",
}
"""Operations that do not look at the credential, each with its reason."""

FACE = {"id", "livemode", "legal_name", "country", "roles"}
"""What strangers read of an organization; everything else is null or empty for them."""


def of_row(row: Sequence[Cell], world: World) -> Iterator[str]:
    for cell in row:
        yield from _failures(cell)
        yield from _callers_nobody_knows(cell)
        yield from _strangers_let_in(cell)
        yield from _said_when_refused(cell, world)
        yield from _told_to_strangers(cell, world)
        yield from _kept_from_its_owner(cell, world)
        yield from _beyond_its_role(cell)
        yield from _delegated_for_ever(cell)
    yield from _more_than_its_principal(row)


def _failures(cell: Cell) -> Iterator[str]:
    if cell.status >= 500:
        yield f"{cell}: it failed"


def _callers_nobody_knows(cell: Cell) -> Iterator[str]:
    is_open = cell.caller.relation == "anonymous" and cell.operation.permission is None
    is_asked = cell.operation.id not in ASKS_NOBODY and not is_open
    if cell.caller.relation in NOBODY and is_asked and cell.status != 401:
        yield f"{cell}: nobody is answered 401"


def _strangers_let_in(cell: Cell) -> Iterator[str]:
    is_somebodys = cell.operation.is_of_somebody and cell.operation.id not in FOR_EVERYBODY
    if cell.caller.relation in STRANGERS and is_somebodys and not cell.is_refused:
        yield f"{cell}: this belongs to others"


def _said_when_refused(cell: Cell, world: World) -> Iterator[str]:
    if not cell.is_refused or cell.caller.relation in ("own", "delegate"):
        return
    own = _own(cell, world)
    yield from (f"{cell}: the refusal tells {id}" for id in cell.ids - own)
    names = world.names - {world.party(cell.call.counterparty).org.legal_name}
    yield from (f"{cell}: the refusal tells {name}" for name in names if name in cell.text)


def _own(cell: Cell, world: World) -> set[str]:
    outsiders = world.cast.outsiders
    caller = {
        "foreign": outsiders.foreign,
        "live": outsiders.live,
        "counterparty": world.party(cell.call.counterparty),
    }.get(cell.caller.relation)
    return {caller.org.id} if caller is not None else set()


def _told_to_strangers(cell: Cell, world: World) -> Iterator[str]:
    if cell.is_refused or cell.caller.relation not in ("anonymous", *STRANGERS):
        return
    ids, names = _public(cell.operation.id, world)
    yield from (f"{cell}: the answer tells {id}" for id in (cell.ids & world.ids) - ids)
    yield from (f"{cell}: the answer tells {name}" for name in world.names - names if name in cell.text)
    yield from _more_than_a_face(cell)


def _public(operation: str, world: World) -> tuple[frozenset[str], frozenset[str]]:
    """Ids and names that an answer may tell strangers: a certificate names its holder, its verifier and its status list, never
    whose goods they were nor who carried them."""
    if operation not in FOR_EVERYBODY:
        return frozenset(), frozenset()
    if operation.startswith("listings."):
        return world.public, frozenset()
    if operation == "organizations.get":
        return frozenset(), names_of([world.party("seller")])
    named = [world.party("buyer"), world.party("verifier")]
    return frozenset({*(party.org.id for party in named), world["status_list"]}), names_of(named)


def _more_than_a_face(cell: Cell) -> Iterator[str]:
    if cell.operation.id == "organizations.get":
        told = {name for name, value in json.loads(cell.text).items() if value not in (None, [], {})}
        yield from (f"{cell}: the answer tells {name}" for name in told - FACE)


def _kept_from_its_owner(cell: Cell, world: World) -> Iterator[str]:
    """A row whose owner sees nothing proves nothing."""
    if str(cell.caller) != "own owner":
        return
    if cell.status in (401, 403, 404, 422):
        yield f"{cell}: its owner does not get there: {cell.text}"
    is_list = cell.operation.id.endswith((".list", ".search")) and cell.operation.id != "factor_sets.list"
    if is_list and not cell.ids & world.ids:
        yield f"{cell}: its owner's list is empty"


def _beyond_its_role(cell: Cell) -> Iterator[str]:
    permission = cell.operation.permission
    is_held = permission is None or cell.caller.relation in NOBODY or permission in ROLES[cell.caller.role]
    if not is_held and cell.status != 403:
        yield f"{cell}: a {cell.caller.role} does not hold {permission}"


def _delegated_for_ever(cell: Cell) -> Iterator[str]:
    if cell.caller.relation == "expired" and cell.status != 403 and cell.operation.id not in ASKS_NOBODY:
        yield f"{cell}: the delegation has ended"
    if cell.caller.relation == "delegate" and cell.operation.permission in NEVER_DELEGATED and cell.status != 403:
        yield f"{cell}: {cell.operation.permission} cannot be delegated"


def _more_than_its_principal(row: Sequence[Cell]) -> Iterator[str]:
    own = {cell.caller.role: cell for cell in row if cell.caller.relation == "own"}
    for cell in row:
        if cell.caller.relation == "delegate" and not cell.is_refused and own[cell.caller.role].is_refused:
            yield f"{cell}: whoever it acts for is answered {own[cell.caller.role].status}"


@dataclass(frozen=True)
class Secret:
    """What `caller` asks for and must not learn; `status` is what it is answered."""

    caller: str
    path: str
    status: int
    why: str
    method: str = "GET"


def secrets(world: World) -> list[Secret]:
    return [*_sealed(world), *_drafts(world), *_money_and_contracts(world), *_other_tables(world)]


def _sealed(world: World) -> list[Secret]:
    why = "a sealed bid is its bidder's alone until the close"
    bid = f"/v1/bids/{world['sealed_bid']}"
    others = ("seller", "loser", "carrier", "operator", "foreign")
    read = [Secret(caller, path, 404, why) for caller in others for path in (bid, f"{bid}/receipt")]
    taken_back = [Secret(caller, f"{bid}/withdraw", 404, why, "POST") for caller in others]
    awarded = [Secret("seller", f"{bid}/award", 404, why, "POST")]
    listed = [Secret(caller, f"/v1/bids?listing_id={world['open']}", 200, why) for caller in ("seller", "foreign")]
    recorded = f"/v1/audit-entries?subject_id={world['sealed_bid']}"
    listed += [Secret(caller, recorded, 200, why) for caller in ("seller", "loser", "operator")]
    told = [Secret(caller, f"/v1/events/{world['secret_event']}", 404, why) for caller in ("seller", "loser")]
    ranked = [Secret("seller", f"/v1/listings/{world['open']}/{thing}", 409, why) for thing in ("ranking", "receipts")]
    return read + taken_back + awarded + listed + told + ranked


def _drafts(world: World) -> list[Secret]:
    why = "a draft is its seller's alone"
    draft = f"/v1/listings/{world['draft']}"
    certificate = f"/v1/certificates/{world['draft_certificate']}"
    face = f"{certificate}/verification"
    return [
        *(Secret(caller, draft, 404, why) for caller in ("buyer", "loser", "carrier", "foreign", "live")),
        *(Secret(caller, certificate, 404, why) for caller in ("seller", "carrier", "verifier", "foreign", "live")),
        *(Secret("foreign", path, 404, why) for path in (face, f"/c/{world['draft_certificate']}")),
    ]


def _money_and_contracts(world: World) -> list[Secret]:
    why = "carriers and losing bidders see no order, no receipt and no deal"
    paths = [
        *(f"/v1/orders/{world[thing]}" for thing in ("order", "fresh_order", "proposed_order")),
        f"/v1/receipts/{world['receipt']}",
        f"/v1/deals/{world['deal']}",
    ]
    lists = [
        "/v1/orders",
        "/v1/deals",
        "/v1/receipts",
        f"/v1/orders?listing_id={world['negotiated']}",
        f"/v1/receipts?order_id={world['order']}",
        f"/v1/deals?order_id={world['order']}",
    ]
    callers = ("carrier", "rival", "loser", "verifier")
    single = [Secret(caller, path, 404, why) for caller in callers for path in paths]
    return single + [Secret(caller, path, 200, why) for caller in callers for path in lists]


def _other_tables(world: World) -> list[Secret]:
    why = "a filter does not open what is another's"
    lists = [
        f"/v1/pickups?order_id={world['order']}",
        f"/v1/offers?pickup_id={world['tendered']}",
        f"/v1/deliveries?endpoint_id={world['endpoint']}",
        f"/v1/ledger/postings?order_id={world['order']}",
        f"/v1/material-batches?order_id={world['order']}",
        "/v1/listings?mine=true",
        "/v1/events",
    ]
    lists += [f"/v1/audit-entries?subject_id={world[thing]}" for thing in ("order", "draft", "sealed_bid", "batch")]
    strangers = [Secret(caller, path, 200, why) for caller in STRANGERS for path in lists]
    queued = Secret("rival", f"/v1/offers?pickup_id={world['tendered']}", 200, "whoever is not asked yet hears nothing")
    return [*strangers, queued]


async def of_secrets(world: World, client: httpx.AsyncClient) -> list[str]:
    found = []
    for secret in secrets(world):
        headers = {"Authorization": f"Bearer {_key(world, secret.caller)}", "If-Match": "*"}
        answer = await rolled_back(world, client, client.build_request(secret.method, secret.path, headers=headers))
        found += list(_betrayed(secret, answer, world))
    return found


def _key(world: World, caller: str) -> str:
    outsiders = {"foreign": world.cast.outsiders.foreign, "live": world.cast.outsiders.live}
    return (outsiders.get(caller) or world.party(caller)).key


def _betrayed(secret: Secret, answer: httpx.Response, world: World) -> Iterator[str]:
    asked = f"{secret.caller} {secret.method} {secret.path}={answer.status_code}"
    if answer.status_code != secret.status:
        yield f"{asked}, not {secret.status}: {secret.why}"
    told: Any = set(ID.findall(answer.text)) - set(ID.findall(secret.path))
    yield from (f"{asked} tells {id}: {secret.why}" for id in told & world.ids)
