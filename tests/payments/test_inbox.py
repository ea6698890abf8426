"""The provider's messages: proven, stored once, applied once, in any order."""

import json
import time
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import text
from stripe import WebhookSignature

from services.kernel.http.routing import Runtime
from services.kernel.money import Money
from services.payments import queries
from services.payments.models import Deal
from tests.factories.parties import organization
from tests.factories.payments import SECRET, Till, open_till, provider, terms


def eur(amount: str) -> Money:
    return Money.of(amount, "EUR")


@pytest_asyncio.fixture
async def till(runtime: Runtime, client: httpx.AsyncClient) -> AsyncIterator[Till]:
    async with provider(runtime, client) as stripe:
        yield await open_till(runtime, stripe)


def snapshot(id: str, type: str, about: dict[str, Any], **given: Any) -> bytes:
    body = {
        "id": id,
        "object": "event",
        "type": type,
        "created": int(time.time()),
        "api_version": "2026-10-28.endive",
        "livemode": False,
        "data": {"object": about},
    }
    return json.dumps(body | given).encode()


def signed(body: bytes, secret: str = SECRET, at: int | None = None) -> dict[str, str]:
    moment = at or int(time.time())
    return {"stripe-signature": f"t={moment},v1={signature(moment, body, secret)}"}


def signature(moment: int, body: bytes, secret: str) -> str:
    made: str = WebhookSignature._compute_signature(f"{moment}.{body.decode()}", secret)
    return made


async def send(client: httpx.AsyncClient, body: bytes, headers: dict[str, str]) -> httpx.Response:
    return await client.post("/stripe/platform", content=body, headers=headers)


async def count(till: Till, sql: str) -> int:
    async with till.work() as work:
        return int((await work.session.execute(text(sql))).scalar_one())


async def funded(till: Till) -> tuple[Deal, str]:
    """The payer has paid, and the provider has told nobody yet; the deal and its intent."""
    deal = await till.agree(terms(till, goods=eur("1000.00")))
    async with till.work() as work:
        payment = (await queries.payments_of(work, deal.id))[0]
    assert payment.instructions is not None
    await till.stripe.do("bank-transfers", reference=payment.instructions["reference"], amount=100_000, currency="eur")
    return deal, str(payment.intent_id)


async def test_a_message_told_twenty_times_has_one_effect(till: Till, client: httpx.AsyncClient) -> None:
    deal, intent_id = await funded(till)
    body = snapshot("evt_1", "payment_intent.succeeded", {"id": intent_id, "object": "payment_intent"})
    answers = [(await send(client, body, signed(body))).status_code for _ in range(20)]
    await till.settle()
    assert answers == [200] * 20
    assert await count(till, "SELECT count(*) FROM stripe_event WHERE id = 'evt_1'") == 1
    assert (await till.deal(deal.order_id)).status == "held"


async def test_one_fact_told_by_two_kinds_of_message_is_posted_once(till: Till, client: httpx.AsyncClient) -> None:
    _, intent_id = await funded(till)
    first = snapshot("evt_1", "payment_intent.succeeded", {"id": intent_id, "object": "payment_intent"})
    second = snapshot("evt_2", "charge.updated", {"id": "ch_1", "object": "charge", "payment_intent": intent_id})
    for body in (second, first):
        await send(client, body, signed(body))
    await till.settle()
    assert await count(till, "SELECT count(*) FROM ledger_posting WHERE kind = 'collected'") == 1
    assert await count(till, "SELECT count(*) FROM event WHERE type = 'payment.collected'") == 1


async def test_a_message_is_a_hint_and_its_content_is_not_believed(till: Till, client: httpx.AsyncClient) -> None:
    deal = await till.agree(terms(till, goods=eur("1000.00")))
    async with till.work() as work:
        intent_id = (await queries.payments_of(work, deal.id))[0].intent_id
    about = {"id": intent_id, "object": "payment_intent", "status": "succeeded", "amount_received": 100_000}
    body = snapshot("evt_1", "payment_intent.succeeded", about)
    await send(client, body, signed(body))
    await till.settle()
    assert (await till.deal(deal.order_id)).status == "collecting"
    assert await till.balances() == {}


async def test_late_news_moves_nothing_back(till: Till, client: httpx.AsyncClient) -> None:
    deal, intent_id = await funded(till)
    await till.come_to_rest()
    body = snapshot("evt_late", "payment_intent.processing", {"id": intent_id, "object": "payment_intent"})
    await send(client, body, signed(body))
    await till.settle()
    assert (await till.deal(deal.order_id)).status == "held"


async def test_an_unknown_type_is_kept_and_ignored(till: Till, client: httpx.AsyncClient) -> None:
    body = snapshot("evt_1", "capital.financing_offer.created", {"id": "x_1", "object": "capital.financing_offer"})
    assert (await send(client, body, signed(body))).status_code == 200
    await till.settle()
    assert await count(till, "SELECT count(*) FROM stripe_event WHERE id = 'evt_1' AND status = 'ignored'") == 1


@pytest.mark.parametrize(
    ("headers_of", "detail"),
    [
        (lambda body: {}, "no secret"),
        (lambda body: signed(body, "whsec_other"), "no secret"),
        (lambda body: signed(body, at=int(time.time()) - 301), "no secret"),
        (lambda body: signed(body + b" "), "no secret"),
    ],
)
async def test_what_nobody_we_know_has_signed_is_refused_and_not_stored(
    till: Till, client: httpx.AsyncClient, headers_of: Any, detail: str
) -> None:
    body = snapshot("evt_bad", "payment_intent.succeeded", {"id": "pi_1", "object": "payment_intent"})
    answer = await send(client, body, headers_of(body))
    assert (answer.status_code, answer.json()["code"]) == (400, "event_not_proven")
    assert detail in answer.json()["detail"]
    assert await count(till, "SELECT count(*) FROM stripe_event WHERE id = 'evt_bad'") == 0


async def test_a_live_message_does_not_enter_the_sandbox(till: Till, client: httpx.AsyncClient) -> None:
    body = snapshot("evt_live", "payment_intent.succeeded", {"id": "pi_1", "object": "payment_intent"}, livemode=True)
    assert (await send(client, body, signed(body))).status_code == 400


async def test_the_new_and_the_old_secret_both_work_while_one_is_rotated(till: Till, client: httpx.AsyncClient) -> None:
    till.runtime.settings.stripe_webhook_secrets = ["whsec_new", SECRET]
    for number, secret in enumerate(till.runtime.settings.stripe_webhook_secrets):
        body = snapshot(f"evt_{number}", "ping", {"id": "x", "object": "ping"})
        assert (await send(client, body, signed(body, secret))).status_code == 200


async def test_the_payout_account_becomes_active_when_the_provider_says_so(
    runtime: Runtime, till: Till, client: httpx.AsyncClient
) -> None:
    newcomer = await organization(runtime.sessions, name="Neuling GmbH")
    asked = await client.post("/v1/payout-account", headers=newcomer.headers)
    assert (asked.status_code, asked.json()["status"]) == (201, "requested")
    await till.settle()
    urls = {"return_url": "https://example.com/done", "refresh_url": "https://example.com/again"}
    link = await client.post("/v1/payout-account/link", headers=newcomer.headers, json=urls)
    assert link.status_code == 201
    assert link.json()["url"].startswith("http")
    status = (await client.get("/v1/payout-account", headers=newcomer.headers)).json()["status"]
    assert status == "link_issued"

    await till.stripe.do(f"accounts/{await till.account_id(newcomer)}/complete")
    await till.come_to_rest()
    async with till.work() as work:
        assert await queries.payout_status(work, newcomer.org.id) == "active"


async def test_a_link_before_the_account_is_opened_is_refused(
    runtime: Runtime, till: Till, client: httpx.AsyncClient
) -> None:
    newcomer = await organization(runtime.sessions, name="Neuling GmbH")
    urls = {"return_url": "https://example.com/done", "refresh_url": "https://example.com/again"}
    link = await client.post("/v1/payout-account/link", headers=newcomer.headers, json=urls)
    assert (link.status_code, link.json()["code"]) == (409, "payout_account_missing")
