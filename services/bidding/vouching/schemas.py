"""Requests and answers of deposits."""

from typing import Self

from pydantic import ConfigDict, Field

from services.kernel.http.schemas import Request, Response, UtcDatetime
from services.kernel.ids import BidId, DepositId, ListingId, OrgId
from services.kernel.money import Money
from services.kernel.pagination import Page
from services.payments.models import Deposit


class NewDeposit(Request):
    """For which listing you mean to bid; the listing says how much."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"listing_id": "lst_01kaq4m8q3e8xvw2t5n6r7s8d9"}]}
    )

    listing_id: ListingId


class DepositInstructions(Response):
    """Where the bidder sends the money, and the reference that must be on it."""

    iban: str
    bic: str
    account_holder: str
    reference: str
    amount_remaining: Money


class DepositAnswer(Response):
    """What a bidder leaves with us for one listing. The seller sees it once it is forfeited."""

    id: DepositId
    livemode: bool
    created_at: UtcDatetime
    version: int
    listing_id: ListingId
    bidder_id: OrgId
    status: str = Field(
        description="pending, secured, released, forfeited, calling_off, called_off or failed; secured lets you bid"
    )
    amount: Money
    instructions: DepositInstructions | None = Field(description="Given while the money has not arrived")
    secured_at: UtcDatetime | None
    decided_at: UtcDatetime | None = Field(description="Since when it is no longer needed, or the seller's")
    broken_bid_id: BidId | None = Field(description="The bid that was not confirmed in time, of a forfeited one")
    paid_at: UtcDatetime | None = Field(description="When the refund or the transfer to the seller was done")
    problem: str | None = Field(description="Why it was not collected, or is not paid yet")

    @classmethod
    def of(cls, deposit: Deposit) -> Self:
        told = cls.model_validate(deposit.model_dump() | {"amount": deposit.amount})
        if deposit.status not in ("pending", "calling_off"):
            told.instructions = None
        return told


class DepositPage(Page[DepositAnswer]):
    """Deposits, newest first."""
