"""A dry run answers what the real call answers and leaves nothing: every transition, in every state its thing can be in."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from services.app import openapi_document
from services.bidding.models.findings import FINDING
from services.bidding.models.moves import BID
from services.certification.models.moves import CERTIFICATE
from services.kernel.http.routing import Runtime
from services.kernel.states import Machine
from services.listings.models.moves import LISTING
from services.listings.models.recalls import RECALL
from services.orders.models.moves import ORDER
from services.orders.models.receipts import RECEIPT
from services.parties.models.delegations import DELEGATION
from services.parties.models.documents import DOCUMENT
from services.parties.models.members import INVITATION
from services.parties.models.organizations import ORGANIZATION
from services.parties.models.permits import PERMIT
from services.pickups.models.moves import PICKUP
from services.pickups.models.offers import OFFER
from services.webhooks.models import DELIVERY
from tests.guards.authorization.asking import Call, Caller, Operation, callers, operations, request
from tests.guards.authorization.calls import calls
from tests.guards.authorization.world import ID, World, built

RELATIONS = ("own", "counterparty", "foreign")


@dataclass(frozen=True)
class Thing:
    """Where a machine keeps the status of what the path parameter names."""

    machine: Machine
    table: str
    parameter: str
    column: str = "status"

    @property
    def states(self) -> list[str]:
        moves = self.machine.transitions
        return sorted({state for move in moves for state in move.sources} | {m.target for m in moves if m.target})


THINGS = (
    Thing(LISTING, "listing", "listing_id"),
    Thing(RECALL, "recall_campaign", "campaign_id"),
    Thing(BID, "bid", "bid_id"),
    Thing(FINDING, "integrity_finding", "finding_id"),
    Thing(ORDER, "order", "order_id"),
    Thing(RECEIPT, "receipt", "receipt_id"),
    Thing(PICKUP, "pickup_job", "pickup_id"),
    Thing(OFFER, "carrier_offer", "offer_id"),
    Thing(CERTIFICATE, "certificate", "certificate_id"),
    Thing(DELIVERY, "webhook_delivery", "delivery_id"),
    Thing(ORGANIZATION, "organization", "organization_id", "verification_status"),
    Thing(INVITATION, "invitation", "invitation_id"),
    Thing(DELEGATION, "delegation", "delegation_id"),
    Thing(DOCUMENT, "organization_document", "document_id"),
    Thing(PERMIT, "permit", "permit_id"),
)


async def test_a_dry_run_equals_the_real_call_in_every_state(runtime: Runtime, client: httpx.AsyncClient) -> None:
    async with built(runtime, client) as world:
        known = calls(world)
        transitions = [each for each in operations(_document(client)) if each.takes_dry_run]
        compared = [
            each for operation in transitions for each in await _compared(world, client, operation, known[operation.id])
        ]
    differences = [told for told, _ in compared if told]
    assert not differences, "\n".join(["", *differences])
    done = {operation for _, operation in compared if operation}
    assert done == {each.id for each in transitions}, "every transition has succeeded in some state"


def _document(client: httpx.AsyncClient) -> dict[str, Any]:
    transport = client._transport
    assert isinstance(transport, httpx.ASGITransport)
    app: Any = transport.app
    return openapi_document(app)


async def _compared(
    world: World, client: httpx.AsyncClient, operation: Operation, call: Call
) -> list[tuple[str | None, str | None]]:
    """What differed, if anything, and the operation's name where it succeeded; one for each state and caller."""
    found = []
    for state in _states(call):
        for caller in _owners(world, call):
            for if_match in ("*", '"999"', None) if caller.relation == "own" else ("*",):
                found.append(await _pair(world, client, operation, call, state, caller, if_match))
    return found


def _states(call: Call) -> list[tuple[Thing, str] | None]:
    """The state it is in, and every other."""
    return [None, *((thing, state) for thing in THINGS if thing.parameter in call.path for state in thing.states)]


def _owners(world: World, call: Call) -> list[Caller]:
    return [each for each in callers(world, call) if each.role == "owner" and each.relation in RELATIONS]


async def _pair(
    world: World,
    client: httpx.AsyncClient,
    operation: Operation,
    call: Call,
    state: tuple[Thing, str] | None,
    caller: Caller,
    if_match: str | None,
) -> tuple[str | None, str | None]:
    connection: AsyncConnection = world.sessions.kw["bind"]
    forced = await connection.begin_nested()
    try:
        if state is not None and not await _force(connection, *state, call.path):
            return None, None
        before = await _rows(connection)
        dry = await client.send(_request(client, operation, call, caller, if_match, is_dry=True))
        left = await _rows(connection)
        real = await client.send(_request(client, operation, call, caller, if_match, is_dry=False))
    finally:
        await forced.rollback()
    where = f"{operation.id} as {caller} with {if_match} in {state[1] if state else 'its state'}"
    difference = _difference(world, dry, real)
    if difference is None and left != before:
        difference = "the dry run left rows behind"
    return difference and f"{where}: {difference}", operation.id if real.is_success else None


async def _force(connection: AsyncConnection, thing: Thing, state: str, path: Mapping[str, str]) -> bool:
    """False where the database itself forbids the row to be in this state as it stands."""
    savepoint = await connection.begin_nested()
    try:
        await connection.execute(
            text("SELECT set_config('app.house', 'on', true), set_config('app.livemode', '', true)")
        )
        statement = f'UPDATE "{thing.table}" SET {thing.column} = :state WHERE id = :id'
        done = await connection.execute(text(statement), {"state": state, "id": path[thing.parameter]})
        assert done.rowcount == 1
    except DBAPIError:
        await savepoint.rollback()
        return False
    await savepoint.commit()
    return True


async def _rows(connection: AsyncConnection) -> dict[str, int]:
    """How many rows each table of the record holds."""
    await connection.execute(text("SELECT set_config('app.house', 'on', true), set_config('app.livemode', '', true)"))
    counted = text(
        "SELECT 'event', count(*) FROM event UNION ALL SELECT 'audit_entry', count(*) FROM audit_entry UNION ALL"
        " SELECT 'idempotency_record', count(*) FROM idempotency_record UNION ALL SELECT 'timer', count(*) FROM timer"
        " UNION ALL SELECT 'pgqueuer', count(*) FROM pgqueuer UNION ALL SELECT 'ledger_entry', count(*) FROM ledger_entry"
    )
    return {row[0]: row[1] for row in await connection.execute(counted)}


def _request(
    client: httpx.AsyncClient,
    operation: Operation,
    call: Call,
    caller: Caller,
    if_match: str | None,
    *,
    is_dry: bool,
) -> httpx.Request:
    sent = request(client, operation, call, caller)
    if operation.takes_version and if_match is None:
        del sent.headers["If-Match"]
    elif operation.takes_version:
        sent.headers["If-Match"] = if_match or "*"
    if is_dry:
        sent.url = sent.url.copy_merge_params({"dry_run": "true"})
    return sent


_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_SECRET = re.compile(r"(whsec_|bh_test_|bhs_)[A-Za-z0-9_+/=-]+")
_DRAWN = re.compile(r'"(request_id|instance|status_index|statusListIndex|evidence_root)":("[^"]*"|\d+|null)')
_DIGEST = re.compile(r"\b[0-9a-f]{64}\b|\beyJ[A-Za-z0-9._-]+|\bu[A-Za-z0-9_-]{40,}")
"""What is computed or signed over the ids and the instant."""


def _difference(world: World, dry: httpx.Response, real: httpx.Response) -> str | None:
    if dry.status_code != real.status_code:
        return f"{dry.status_code} {dry.text[:300]} against {real.status_code} {real.text[:300]}"
    if dry.headers.get("etag") != real.headers.get("etag"):
        return f"ETag {dry.headers.get('etag')} against {real.headers.get('etag')}"
    told, done = _plain(world, dry), _plain(world, real)
    if told == done:
        return None
    here = max(next((n for n, (a, b) in enumerate(zip(told, done, strict=False)) if a != b), 0) - 60, 0)
    return f"…{told[here : here + 200]} against …{done[here : here + 200]}"


def _plain(world: World, answer: httpx.Response) -> str:
    """Without what no two calls share: ids drawn by the call, the instant, secrets, the request's id."""
    body = _DRAWN.sub("", answer.text)
    body = _DIGEST.sub("digest", _SECRET.sub("secret", _INSTANT.sub("instant", body)))
    return ID.sub(lambda found: found[0] if found[0] in world.ids else found[0].split("_")[0], body)
