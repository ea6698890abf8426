"""HTTP of the money: deals, the payout account, the ledger; and where the provider's messages arrive."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from services.kernel.actors import Actor, system
from services.kernel.errors import NotFound
from services.kernel.http.routing import UnitOfWorkRoute, Work, holding, runtime_of, tag
from services.kernel.ids import DealId
from services.kernel.pagination import Paging, rows_of
from services.kernel.unit_of_work import UnitOfWork
from services.payments import connecting, policy, queries, statements, stripe_inbox
from services.payments.errors import EventNotProven, NoPayoutAccount, ProviderRefused, ProviderUnavailable
from services.payments.gateway import Gateway, GatewayRefused, GatewayUnavailable
from services.payments.models import Deal, Payment, Refund, Transfer
from services.payments.operations import running
from services.payments.schemas import (
    DealAnswer,
    DealPage,
    LedgerAccountAnswer,
    LedgerAccountPage,
    LedgerPostingAnswer,
    LedgerPostingPage,
    LinkAnswer,
    LinkRequest,
    PayoutAccountAnswer,
)
from services.payments.stripe_inbox import ReceivedEvent, UnprovenStripeEvent

deals = APIRouter(prefix="/v1", tags=["deals"], route_class=UnitOfWorkRoute)
payout_account = APIRouter(prefix="/v1", tags=["payout_account"], route_class=UnitOfWorkRoute)
ledger = APIRouter(prefix="/v1", tags=["ledger"], route_class=UnitOfWorkRoute)
provider = APIRouter(prefix="/stripe", include_in_schema=False)
routers = [deals, payout_account, ledger, provider]
assert running.CALLS, "importing it registers the job that the verbs enqueue"


@deals.get("/deals", summary="List deals")
async def list_(
    work: Work,
    actor: Annotated[Actor, holding("deals:read")],
    paging: Paging,
    order_id: Annotated[str | None, Query(max_length=40, description="Only the deal of this order")] = None,
) -> DealPage:
    """The deals you are a side of, the newest first. Each shows your side: what you pay, or what you are paid."""
    query = queries.visible_to(actor)
    if order_id is not None:
        query = query.where(queries.of_order(order_id))
    rows, cursor = await rows_of(work, query, Deal.id, paging)
    shown = await _deal_answers(work, rows, actor)
    return DealPage(data=shown, has_more=cursor is not None, next_cursor=cursor)


@deals.get("/deals/{deal_id}", summary="Read a deal")
async def get(
    deal_id: DealId, work: Work, actor: Annotated[Actor, holding("deals:read")], answer: Response
) -> DealAnswer:
    """The money side of one order: what is collected, held, paid out and returned. While it is `collecting`, its payer
    finds the account and the reference for the bank transfer here. Carriers are not a side of a deal: 404."""
    deal = await queries.visible_deal(work, deal_id, actor)
    tag(answer, deal.version)
    return (await _deal_answers(work, [deal], actor))[0]


async def _deal_answers(work: UnitOfWork, rows: Sequence[Deal], actor: Actor) -> list[DealAnswer]:
    moved = await queries.movements(work, [deal.id for deal in rows])
    return [_deal_answer(deal, actor, *moved[deal.id]) for deal in rows]


def _deal_answer(
    deal: Deal, actor: Actor, payments: list[Payment], transfers: list[Transfer], refunds: list[Refund]
) -> DealAnswer:
    return DealAnswer.of(
        deal,
        side="operator" if actor.is_operator else deal.side_of(actor.org),
        sees_exposure=policy.sees_payer_figures(actor, deal),
        payments=[each for each in payments if policy.is_own(actor, each.payer_id)],
        transfers=[each for each in transfers if policy.is_own(actor, each.payee_id)],
        refunds=[each for each in refunds if policy.is_own(actor, each.payer_id)],
    )


@payout_account.post("/payout-account", status_code=201, summary="Create your payout account")
async def create(work: Work, actor: Annotated[Actor, holding("organizations:write")]) -> PayoutAccountAnswer:
    """Asks the payment provider for an account of your organization; calling it again answers the one there is. Once it
    is `created`, ask for an onboarding link. Causes `payouts.enabled` when the provider is content.
    """
    return PayoutAccountAnswer.of(await connecting.ensure(work, actor.org))


@payout_account.get("/payout-account", name="get", summary="Read your payout account")
async def get_payout_account(work: Work, actor: Annotated[Actor, holding("organizations:read")]) -> PayoutAccountAnswer:
    """Its status and what the provider still asks for; `not_found` until you have created it."""
    account = await queries.payout_account(work, actor.org)
    if account is None:
        raise NotFound("payout account of", actor.org)
    return PayoutAccountAnswer.of(account)


@payout_account.post("/payout-account/link", status_code=201, summary="Make an onboarding link")
async def link(
    request: Request, body: LinkRequest, work: Work, actor: Annotated[Actor, holding("organizations:write")]
) -> LinkAnswer:
    """A single-use link to the provider's form, made anew on every call and never stored. Refused with
    `payout_account_missing` while there is no account, with `provider_refused` or 503 `provider_unavailable` by the provider.
    """
    account = await queries.payout_account(work, actor.org)
    if account is None or account.stripe_id is None:
        raise NoPayoutAccount()
    account_id = account.stripe_id
    # No transaction stays open while the provider is asked; a repeated request gets a link of its own.
    await work.session.rollback()
    url = await _link(runtime_of(request).resources["gateway"], account_id, body)
    await work.act_as(actor)
    await connecting.link_issued(work, actor.org)
    return LinkAnswer(url=url)


async def _link(gateway: Gateway, account_id: str, body: LinkRequest) -> str:
    try:
        return await gateway.account_link(account_id, str(body.refresh_url), str(body.return_url))
    except GatewayUnavailable as error:
        raise ProviderUnavailable() from error
    except GatewayRefused as error:
        raise ProviderRefused(error.message) from error


@ledger.get("/ledger/accounts", summary="List ledger accounts")
async def accounts(work: Work, actor: Annotated[Actor, holding("ledger:read")], paging: Paging) -> LedgerAccountPage:
    """Your payable, receivable and refund-due accounts with their balances; an operator reads the whole ledger."""
    rows, cursor = await statements.accounts(work, actor, limit=paging.limit, cursor=paging.cursor)
    shown = [LedgerAccountAnswer.of(account, balance) for account, balance in rows]
    return LedgerAccountPage(data=shown, has_more=cursor is not None, next_cursor=cursor)


@ledger.get("/ledger/postings", summary="List ledger postings")
async def postings(
    work: Work,
    actor: Annotated[Actor, holding("ledger:read")],
    paging: Paging,
    order_id: Annotated[str | None, Query(max_length=40, description="Only postings of this order")] = None,
) -> LedgerPostingPage:
    """Every posting that touched your accounts, the newest first, with your lines; an operator reads every line."""
    rows, cursor = await statements.postings(work, actor, order_id=order_id, limit=paging.limit, cursor=paging.cursor)
    shown = [LedgerPostingAnswer.of(statement) for statement in rows]
    return LedgerPostingPage(data=shown, has_more=cursor is not None, next_cursor=cursor)


@provider.post("/platform")
async def on_snapshot(request: Request) -> Response:
    return await _take(request, is_thin=False)


@provider.post("/accounts")
async def on_notice(request: Request) -> Response:
    return await _take(request, is_thin=True)


async def _take(request: Request, *, is_thin: bool) -> Response:
    """Proven, stored, answered; a job does the rest."""
    runtime = runtime_of(request)
    body = await request.body()
    event = _proven(
        body, request.headers.get("stripe-signature"), runtime.settings.stripe_webhook_secrets, is_thin=is_thin
    )
    if event.livemode != runtime.settings.moves_real_money:
        raise EventNotProven("This message is of the other environment.")
    async with UnitOfWork(runtime.sessions, system(event.livemode), cause=f"stripe:{event.id}") as work:
        await stripe_inbox.store(work, event, body)
    return Response(status_code=200)


def _proven(body: bytes, signature: str | None, secrets: list[str], *, is_thin: bool) -> ReceivedEvent:
    parse = stripe_inbox.parse_thin if is_thin else stripe_inbox.parse_snapshot
    try:
        return parse(body, signature, secrets)
    except UnprovenStripeEvent as error:
        raise EventNotProven(error.detail) from error
