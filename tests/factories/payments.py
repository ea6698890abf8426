"""The money side of tests: a market of three with a simulated provider behind it, and terms as the stories have them."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

import httpx
from sqlalchemy import text

from services.kernel import timers
from services.kernel.actors import system
from services.kernel.http.routing import Runtime
from services.kernel.ids import OrderId, OrgId
from services.kernel.jobs import HANDLERS, Tools, TryAgain
from services.kernel.money import Money
from services.kernel.unit_of_work import UnitOfWork
from services.payments import collecting, connecting, ledger, queries
from services.payments.models import Deal
from services.payments.simulator import build_simulator
from services.payments.stripe_gateway import to_stripe
from services.payments.terms import DealTerms
from tests.factories.parties import Party, organization
from tests.fakes.stripe_contract import Simulated, simulated_stripe

SECRET = "whsec_simulated"


@asynccontextmanager
async def provider(runtime: Runtime, client: httpx.AsyncClient) -> AsyncIterator[Simulated]:
    """The simulated provider, which tells its events to this app; the jobs find its gateway."""
    runtime.settings.stripe_webhook_secrets = [SECRET]
    app = build_simulator(
        seed="tests",
        webhook_url_snapshots="http://testserver/stripe/platform",
        webhook_url_thin="http://testserver/stripe/accounts",
        webhook_secret=SECRET,
        webhook_client=client,
    )
    async with simulated_stripe(app) as stripe:
        runtime.resources["gateway"] = stripe.gateway
        yield stripe


@dataclass
class Till:
    """Seller, buyer and carrier with active accounts, and the hands that move money outside."""

    runtime: Runtime
    stripe: Simulated
    seller: Party
    buyer: Party
    carrier: Party

    def work(self) -> UnitOfWork:
        return UnitOfWork(self.runtime.sessions, system(False))

    @property
    def tools(self) -> Tools:
        return Tools(self.runtime.sessions, self.runtime.settings, self.runtime.resources)

    async def settle(self) -> None:
        """Jobs and timers, but no reactions: the orders of these deals are not there."""
        while await run_next_job(self.tools) or await timers.fire_next(self.runtime.sessions, livemode=False):
            pass

    async def come_to_rest(self) -> None:
        """Jobs, then the provider's events, then the jobs that follow from them."""
        await self.settle()
        await self.stripe.do("deliver")
        await self.settle()

    async def activate(self, *parties: Party) -> None:
        async with self.work() as work:
            for party in parties:
                await connecting.ensure(work, party.org.id)
        await self.settle()
        for party in parties:
            await self.stripe.do(f"accounts/{await self.account_id(party)}/complete")
        await self.come_to_rest()

    async def account_id(self, party: Party) -> str:
        async with self.work() as work:
            account = await queries.payout_account(work, party.org.id)
        assert account is not None
        return str(account.stripe_id)

    async def agree(self, terms: DealTerms) -> Deal:
        async with self.work() as work:
            deal = await collecting.agree(work, terms)
        await self.come_to_rest()
        return deal

    async def hold(self, terms: DealTerms) -> Deal:
        """Agreed, and every payment's money has arrived."""
        await self.agree(terms)
        await self.transfer_all(terms.order_id)
        return await self.deal(terms.order_id)

    async def transfer_all(self, order_id: str) -> None:
        """The payers' bank transfers, as their instructions ask."""
        async with self.work() as work:
            payments = await queries.payments_of(work, (await queries.deal_of(work, order_id)).id)
        for payment in payments:
            assert payment.instructions is not None
            minor, currency = to_stripe(payment.amount)
            reference = payment.instructions["reference"]
            await self.stripe.do("bank-transfers", reference=reference, amount=minor, currency=currency)
        await self.come_to_rest()

    async def deal(self, order_id: str) -> Deal:
        async with self.work() as work:
            return await queries.deal_of(work, order_id)

    async def balances(self) -> dict[str, Money]:
        """Every ledger account that is not zero; the owners by their part in this market."""
        known = {self.seller.org.id: "seller", self.buyer.org.id: "buyer", self.carrier.org.id: "carrier"}
        async with self.work() as work:
            rows = await ledger.trial_balance(work)
        return {
            f"{account.code}:{known[OrgId(account.owner)]}" if account.owner in known else account.code: money
            for (account, _), money in rows.items()
        }


_NEXT = text(
    "DELETE FROM pgqueuer WHERE id = (SELECT id FROM pgqueuer WHERE status = 'queued'"
    " AND (execute_after <= clock_timestamp() OR :is_impatient) ORDER BY id LIMIT 1) RETURNING entrypoint, payload"
)


async def run_next_job(tools: Tools, *, is_impatient: bool = False) -> bool:
    """Whether there was one. Impatient: one that was put off for a while counts too."""
    async with tools.sessions() as session:
        job = (await session.execute(_NEXT, {"is_impatient": is_impatient})).one_or_none()
        await session.commit()
    if job is None:
        return False
    with suppress(TryAgain):
        await HANDLERS[job.entrypoint](tools, json.loads(job.payload))
    return True


async def open_till(runtime: Runtime, stripe: Simulated) -> Till:
    seller = await organization(runtime.sessions, ["manufacturer"], name="Nordwerk GmbH")
    buyer = await organization(runtime.sessions, ["recycler"], name="Rheinkreis GmbH")
    carrier = await organization(runtime.sessions, ["carrier"], name="Fulda Fracht GmbH")
    till = Till(runtime, stripe, seller, buyer, carrier)
    await till.activate(seller, buyer, carrier)
    return till


def terms(till: Till, *, goods: Money, ceiling: Money | None = None, **given: Any) -> DealTerms:
    """Scrap under reverse charge; the buyer bears the haulage; commission 5 % and VAT 19 %."""
    details: dict[str, Any] = {
        "order_id": OrderId.new(),
        "seller_id": till.seller.org.id,
        "buyer_id": till.buyer.org.id,
        "currency": goods.currency,
        "goods": goods,
        "goods_vat_bps": 0,
        "haulage_ceiling": ceiling,
        "haulage_payer_id": till.buyer.org.id if ceiling else None,
        "haulage_vat_bps": 1900,
        "commission_bps": 500,
        "commission_vat_bps": 1900,
        "vat_country": "DE",
    }
    return DealTerms(**(details | given))
