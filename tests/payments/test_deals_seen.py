"""Who sees what of a deal and of the ledger."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest_asyncio

from services.kernel.http.routing import Runtime
from services.kernel.money import Money
from services.payments import paying_out
from tests.factories.parties import organization
from tests.factories.payments import Till, open_till, provider, terms


def eur(amount: str) -> Money:
    return Money.of(amount, "EUR")


@pytest_asyncio.fixture
async def till(runtime: Runtime, client: httpx.AsyncClient) -> AsyncIterator[Till]:
    async with provider(runtime, client) as stripe:
        yield await open_till(runtime, stripe)


async def release(till: Till, order_id: str, price: Money) -> None:
    async with till.work() as work:
        await paying_out.release_haulage(work, order_id=order_id, carrier_id=till.carrier.org.id, price=price)
    await till.come_to_rest()


async def read(till: Till, client: httpx.AsyncClient, path: str, who: str) -> Any:
    answer = await client.get(path, headers=getattr(till, who).headers)
    answer.raise_for_status()
    return answer.json()


async def test_the_payer_reads_where_to_send_the_money_and_the_payee_does_not(
    till: Till, client: httpx.AsyncClient
) -> None:
    deal = await till.agree(terms(till, goods=eur("2268.00"), ceiling=eur("700.00")))
    payer = await read(till, client, f"/v1/deals/{deal.id}", "buyer")
    payee = await read(till, client, f"/v1/deals/{deal.id}", "seller")
    assert (payer["side"], payer["exposure"]) == ("payer", {"amount": "3101.00", "currency": "EUR"})
    assert payer["payments"][0]["instructions"]["amount_remaining"] == {"amount": "3101.00", "currency": "EUR"}
    assert (payee["side"], payee["exposure"], payee["payments"]) == ("payee", None, [])


async def test_a_carrier_does_not_see_the_deal(till: Till, client: httpx.AsyncClient) -> None:
    deal = await till.agree(terms(till, goods=eur("2268.00"), ceiling=eur("700.00")))
    answer = await client.get(f"/v1/deals/{deal.id}", headers=till.carrier.headers)
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
    assert (await read(till, client, "/v1/deals", "carrier"))["data"] == []


async def test_deals_are_listed_by_order(till: Till, client: httpx.AsyncClient) -> None:
    deal = await till.agree(terms(till, goods=eur("10.00")))
    await till.agree(terms(till, goods=eur("20.00")))
    page = await read(till, client, f"/v1/deals?order_id={deal.order_id}", "seller")
    assert [each["id"] for each in page["data"]] == [deal.id]


async def test_an_organization_reads_its_own_accounts_alone(till: Till, client: httpx.AsyncClient) -> None:
    deal = terms(till, goods=eur("1000.00"), ceiling=eur("700.00"))
    await till.hold(deal)
    await release(till, deal.order_id, eur("300.00"))
    accounts = await read(till, client, "/v1/ledger/accounts", "carrier")
    postings = await read(till, client, "/v1/ledger/postings", "carrier")
    assert [(each["code"], each["owner"]) for each in accounts["data"]] == [("payable", till.carrier.org.id)]
    assert [each["kind"] for each in postings["data"]] == ["transferred", "settled"]
    assert {entry["owner"] for each in postings["data"] for entry in each["entries"]} == {till.carrier.org.id}


async def test_an_operator_reads_the_whole_ledger_page_by_page(till: Till, client: httpx.AsyncClient) -> None:
    operator = await organization(till.runtime.sessions, ["operator"], name="Backhaul")
    await till.hold(terms(till, goods=eur("1000.00")))
    first = (await client.get("/v1/ledger/accounts?limit=2", headers=operator.headers)).json()
    path = f"/v1/ledger/accounts?limit=2&cursor={first['next_cursor']}"
    second = (await client.get(path, headers=operator.headers)).json()
    balances = {each["code"]: each["balance"]["amount"] for each in first["data"] + second["data"]}
    assert balances == {"stripe_balance": "995.00", "stripe_fee": "5.00", "deal_hold": "-1000.00"}
