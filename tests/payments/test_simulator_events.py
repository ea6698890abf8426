"""What the simulator tells: signed so that Stripe's library and our intake believe it, at least once, in any order."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import UTC, datetime

import httpx
import pytest
import stripe

from services.payments.simulator import build_simulator
from services.payments.simulator.delivery import ATTEMPTS, signature
from services.payments.stripe_inbox import UnprovenStripeEvent, parse_snapshot, parse_thin

SECRET, THIN_SECRET = "whsec_snapshots", "whsec_thin"
BANK_TRANSFER = {
    "allowed_payment_method_types[0]": "customer_balance",
    "payment_method_data[type]": "customer_balance",
    "payment_method_options[customer_balance][funding_type]": "bank_transfer",
}


@dataclass
class Platform:
    """Our endpoints as Stripe sees them: what came, and the status it answers."""

    status: int = 200
    received: list[httpx.Request] = field(default_factory=list)
    heard: asyncio.Event = field(default_factory=asyncio.Event)

    def answer(self, request: httpx.Request) -> httpx.Response:
        self.received.append(request)
        self.heard.set()
        return httpx.Response(self.status)

    def bodies(self, path: str) -> list[tuple[bytes, str]]:
        return [(each.content, each.headers["stripe-signature"]) for each in self.received if each.url.path == path]

    def types(self) -> list[str]:
        return [json.loads(each.content)["type"] for each in self.received]

    def ids(self) -> list[str]:
        return [json.loads(each.content)["id"] for each in self.received]


@dataclass
class Clock:
    now: float = field(default_factory=time.time)

    def __call__(self) -> float:
        return self.now


@dataclass
class Scene:
    http: httpx.AsyncClient
    platform: Platform
    clock: Clock

    async def account(self) -> str:
        wanted: dict[str, dict[str, dict[str, str]]] = {"configuration": {"customer": {}, "recipient": {}}}
        account_id: str = (await self.http.post("/v2/core/accounts", json=wanted)).json()["id"]
        return account_id

    async def paid(self) -> None:
        asked = {"amount": "10000", "currency": "eur", "customer_account": await self.account()} | BANK_TRANSFER
        intent = (await self.http.post("/v1/payment_intents", data=asked)).json()
        confirmed = (await self.http.post(f"/v1/payment_intents/{intent['id']}/confirm")).json()
        reference = confirmed["next_action"]["display_bank_transfer_instructions"]["reference"]
        landed = {"reference": reference, "amount": 10_000, "currency": "eur"}
        await self.http.post("/_simulator/bank-transfers", json=landed)

    async def deliver(self) -> int:
        delivered: int = (await self.http.post("/_simulator/deliver")).json()["delivered"]
        return delivered

    async def events(self, **asked: str) -> list[str]:
        page = (await self.http.get("/v1/events", params={"limit": "100", **asked})).json()
        return [each["type"] for each in page["data"]]


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    platform, clock = Platform(), Clock()
    app = build_simulator(
        webhook_url_snapshots="http://app.test/stripe/platform",
        webhook_url_thin="http://app.test/stripe/accounts",
        webhook_secret=SECRET,
        webhook_secret_thin=THIN_SECRET,
        clock=clock,
        seed="tests",
        webhook_client=httpx.AsyncClient(transport=httpx.MockTransport(platform.answer)),
    )
    headers = {"authorization": "Bearer sk_test_x", "stripe-version": "2026-10-28.endive"}
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url="http://simulator.test", headers=headers) as http:
        yield Scene(http, platform, clock)


async def test_a_bank_transfer_is_told_in_snapshots_stripes_library_accepts(scene: Scene) -> None:
    await scene.paid()
    await scene.deliver()
    told = [
        stripe.Webhook.construct_event(body, header, SECRET).type
        for body, header in scene.platform.bodies("/stripe/platform")
    ]
    assert told == [
        "payment_intent.created",
        "payment_intent.requires_action",
        "customer_cash_balance_transaction.created",
        "cash_balance.funds_available",
        "customer_cash_balance_transaction.created",
        "charge.succeeded",
        "payment_intent.succeeded",
        "charge.updated",
    ]


async def test_a_fresh_charge_has_no_balance_transaction_until_it_is_updated(scene: Scene) -> None:
    await scene.paid()
    await scene.deliver()
    charges = [
        event["data"]["object"]["balance_transaction"] is None
        for event in (json.loads(each.content) for each in scene.platform.received)
        if event["type"] in ("charge.succeeded", "charge.updated")
    ]
    assert charges == [True, False]


async def test_our_intake_reads_what_a_snapshot_is_about(scene: Scene) -> None:
    await scene.paid()
    await scene.deliver()
    received = parse_snapshot(*scene.platform.bodies("/stripe/platform")[-1], ["whsec_rotated", SECRET])
    assert (received.type, received.object_kind, received.is_thin) == ("charge.updated", "charge", False)
    assert (received.object_id or "").startswith("ch_")
    assert (received.api_version, received.livemode, received.account) == ("2026-10-28.endive", False, None)
    assert received.created == datetime.fromtimestamp(int(scene.clock.now), UTC)


async def test_an_onboarded_account_is_told_in_thin_events_stripes_library_accepts(scene: Scene) -> None:
    account = await scene.account()
    await scene.http.post(f"/_simulator/accounts/{account}/complete")
    await scene.deliver()
    client = stripe.StripeClient("sk_test_x")
    bodies = scene.platform.bodies("/stripe/accounts")
    assert [client.parse_event_notification(body, header, THIN_SECRET).type for body, header in bodies] == [
        "v2.core.account.created",
        "v2.core.account[requirements].updated",
        "v2.core.account[configuration.recipient].capability_status_updated",
    ]
    received = parse_thin(*bodies[-1], [THIN_SECRET])
    assert (received.object_id, received.object_kind, received.is_thin) == (account, "v2.core.account", True)


async def test_each_intake_refuses_the_other_kind(scene: Scene) -> None:
    await scene.paid()
    await scene.deliver()
    with pytest.raises(UnprovenStripeEvent) as thin:
        parse_thin(*scene.platform.bodies("/stripe/platform")[0], [SECRET])
    with pytest.raises(UnprovenStripeEvent) as snapshot:
        parse_snapshot(*scene.platform.bodies("/stripe/accounts")[0], [THIN_SECRET])
    assert (thin.value.reason, snapshot.value.reason) == ("malformed", "malformed")


BODY = b'{"object": "event"}'


@pytest.mark.parametrize("header", [None, "", "t=1", "v1=0", "t=x,v1=0", "t=1,v1=é"])
def test_unsigned_events_are_refused(header: str | None) -> None:
    with pytest.raises(UnprovenStripeEvent) as refused:
        parse_snapshot(BODY, header, [SECRET])
    assert refused.value.reason == "signature"


@pytest.mark.parametrize(
    ("body", "secret", "age"),
    [(BODY, "whsec_other", 0), (BODY + b" ", SECRET, 0), (BODY, SECRET, 301)],
    ids=["of another secret", "tampered", "stale"],
)
def test_events_signed_wrongly_or_too_long_ago_are_refused(body: bytes, secret: str, age: int) -> None:
    with pytest.raises(UnprovenStripeEvent) as refused:
        parse_snapshot(BODY, signature(body, secret, int(time.time()) - age), [SECRET])
    assert refused.value.reason == "signature"


A_SNAPSHOT = {"id": "evt_1", "type": "x", "created": 1, "livemode": False, "data": {"object": {}}}


@pytest.mark.parametrize(
    "body",
    [b"\xff", b"{", b"[]", b'{"object": "event", "data": 1}', json.dumps({**A_SNAPSHOT, "object": "charge"}).encode()],
)
def test_a_signed_body_that_is_no_event_is_refused(body: bytes) -> None:
    with pytest.raises(UnprovenStripeEvent):
        parse_snapshot(body, signature(body, SECRET, int(time.time())), [SECRET])


async def test_a_receiver_that_is_down_hears_it_when_it_is_back(scene: Scene) -> None:
    await scene.account()
    scene.platform.status = 503
    assert await scene.deliver() == 0
    scene.platform.status = 200
    assert await scene.deliver() == 0
    scene.clock.now += 1
    assert await scene.deliver() == 1
    assert scene.platform.ids()[0] == scene.platform.ids()[1]


async def test_retries_end_after_a_bound_and_leave_the_event_in_the_list(scene: Scene) -> None:
    await scene.paid()
    scene.platform.status = 500
    for _ in range(ATTEMPTS + 5):
        await scene.deliver()
        scene.clock.now += 60
    assert scene.platform.types().count("charge.succeeded") == ATTEMPTS
    assert "charge.succeeded" in await scene.events(delivery_success="false")


async def test_delivered_events_are_no_longer_listed_as_undelivered(scene: Scene) -> None:
    await scene.paid()
    undelivered = await scene.events(delivery_success="false")
    await scene.deliver()
    assert await scene.events(delivery_success="false") == []
    assert await scene.events(delivery_success="true") == undelivered


async def test_events_are_listed_by_type_and_time(scene: Scene) -> None:
    await scene.paid()
    scene.clock.now += 100
    since = {"created[gte]": str(int(scene.clock.now))}
    await scene.paid()
    wanted = {"types[0]": "charge.updated", "types[1]": "payment_intent.created"}
    assert await scene.events(**wanted, **since) == ["charge.updated", "payment_intent.created"]


async def test_events_are_kept_for_thirty_days(scene: Scene) -> None:
    await scene.paid()
    await scene.http.post("/_simulator/clock", json={"advance_seconds": 30 * 86_400 + 1})
    assert await scene.events() == []


async def test_lost_events_never_come_but_are_in_the_list(scene: Scene) -> None:
    await scene.http.post("/_simulator/events", json={"lost": 1})
    await scene.paid()
    assert await scene.deliver() == 0
    assert "payment_intent.succeeded" in await scene.events(delivery_success="false")


async def test_duplicated_events_come_twice_under_one_id(scene: Scene) -> None:
    await scene.http.post("/_simulator/events", json={"duplicated": 1})
    await scene.paid()
    await scene.deliver()
    ids = scene.platform.ids()
    assert len(ids) == 2 * len(set(ids))


async def test_shuffled_events_come_in_another_order(scene: Scene) -> None:
    await scene.http.post("/_simulator/events", json={"shuffled": True})
    await scene.paid()
    await scene.deliver()
    in_order = (await scene.events())[::-1]
    told = [type for type in scene.platform.types() if not type.startswith("v2.")]
    assert sorted(told) == sorted(in_order)
    assert told != in_order


async def test_thin_events_are_listed_and_read_back(scene: Scene) -> None:
    account = await scene.account()
    page = (await scene.http.get("/v2/core/events", params={"object_id": account})).json()
    event = (await scene.http.get(f"/v2/core/events/{page['data'][0]['id']}")).json()
    assert (event["type"], event["related_object"]["id"]) == ("v2.core.account.created", account)


async def test_a_running_simulator_delivers_by_itself() -> None:
    platform = Platform()
    app = build_simulator(
        webhook_url_thin="http://app.test/stripe/accounts",
        webhook_client=httpx.AsyncClient(transport=httpx.MockTransport(platform.answer)),
    )
    transport = httpx.ASGITransport(app)
    async with app.router.lifespan_context(app):
        async with httpx.AsyncClient(transport=transport, base_url="http://simulator.test") as http:
            await http.post("/v2/core/accounts", json={}, headers={"authorization": "Bearer sk_test_x"})
            await asyncio.wait_for(platform.heard.wait(), 5)
    assert platform.types() == ["v2.core.account.created"]
