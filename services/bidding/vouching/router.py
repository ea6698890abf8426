"""HTTP of deposits."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from sqlmodel import col

from services.bidding.vouching import deciding
from services.bidding.vouching.schemas import DepositAnswer, DepositPage, NewDeposit
from services.kernel.actors import Actor
from services.kernel.http.routing import UnitOfWorkRoute, Work, holding, tag
from services.kernel.ids import DepositId, ListingId
from services.kernel.pagination import Paging, rows_of
from services.payments import queries as payments
from services.payments.models import Deposit

deposits = APIRouter(prefix="/v1", tags=["deposits"], route_class=UnitOfWorkRoute)

Reads = Annotated[Actor, holding("bids:read")]
Writes = Annotated[Actor, holding("bids:write")]


@deposits.post("/deposits", status_code=201, summary="Leave a deposit for a listing")
async def create(body: NewDeposit, work: Work, actor: Writes, answer: Response) -> DepositAnswer:
    """Where a listing asks for a `deposit`, bids of processors that are new here are taken once theirs is `secured`; new is who has
    bought no order yet that was settled. Read it again in a moment: it then shows the account and the reference for a bank
    transfer. Asked again, it answers the one that is under way. Of your deposit nobody hears, unless it is forfeited.

    It goes back when your bid cannot win any more, when nobody wins, and when you have won and confirmed; the seller gets it if
    you win and let the time to confirm pass.

    Refused with `deposit_not_asked` by this listing, `deposit_not_needed` from you, `bidding_has_closed` (`errors` hold both
    instants, `received_at` and `ended_at`), `own_listing`, `not_a_processor`, and while you may begin nothing new:
    `not_verified`, `organization_suspended`, `organization_closed`, `document_missing`, `document_under_review`,
    `document_expired` (409). Causes `deposit.requested`, and `deposit.secured` when the money has arrived, then
    `deposit.released` or `deposit.forfeited`; `deposit.failed` when the provider does not collect it, `deposit.called_off`
    when bidding is over before.
    """
    deposit = await deciding.ask(work, body.listing_id, by=actor)
    tag(answer, deposit.version)
    return DepositAnswer.of(deposit)


@deposits.get("/deposits", name="list", summary="List deposits")
async def list_(
    work: Work,
    actor: Reads,
    paging: Paging,
    listing_id: Annotated[ListingId | None, Query(description="Only for this listing")] = None,
    status: Annotated[str | None, Query(pattern="^[a-z_]{1,20}$", description="Only in this state")] = None,
) -> DepositPage:
    """Your own, and those that were forfeited to you; newest first."""
    query = payments.deposits_visible_to(actor)
    if listing_id is not None:
        query = query.where(col(Deposit.listing_id) == listing_id)
    if status is not None:
        query = query.where(col(Deposit.status) == status)
    rows, cursor = await rows_of(work, query, col(Deposit.id), paging)
    return DepositPage(data=[DepositAnswer.of(row) for row in rows], has_more=cursor is not None, next_cursor=cursor)


@deposits.get("/deposits/{deposit_id}", name="get", summary="Read a deposit")
async def get(deposit_id: DepositId, work: Work, actor: Reads, answer: Response) -> DepositAnswer:
    """For its bidder, and for the seller once it is forfeited."""
    deposit = await payments.visible_deposit(work, deposit_id, actor)
    tag(answer, deposit.version)
    return DepositAnswer.of(deposit)
