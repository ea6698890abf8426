"""A counter-offer: what one side would take instead, never changed once it is said."""

from datetime import datetime, timedelta
from typing import Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, StringConstraints
from pydantic import Field as Described
from sqlalchemy import BigInteger, CheckConstraint, UniqueConstraint
from sqlmodel import Field

from services.kernel.ids import BidId, CounterId
from services.kernel.money import Money
from services.kernel.tables import Instant, Row

TO_ANSWER = timedelta(days=3)
"""Where nobody says until when: whoever does not answer holds nobody up for ever."""


class NewCounter(BaseModel):
    """Figures for the same lot, site and disposition as the bid."""

    model_config = ConfigDict(extra="forbid")

    price: Money = Described(description="Signed, per unit as the listing asks, in its currency")
    haulage: Money | None = Described(
        default=None,
        description="FCA: the most the buyer will pay a carrier; DAP: what delivering costs the seller. Left out: as last said",
    )
    note: Annotated[str, StringConstraints(min_length=1, max_length=1_000, strip_whitespace=True)] | None = None
    expires_at: AwareDatetime | None = Described(
        default=None, description="Until when the other side may accept it; three days if not given"
    )


class Counter(Row, table=True):
    """`side` is who said it: seller or buyer. `number` counts the bid's counters from 1. `haulage_minor` is the ceiling of a bid
    FCA, the quote of one DAP."""

    __tablename__ = "bid_counter"
    __table_args__ = (
        CheckConstraint("side IN ('seller', 'buyer')", name="side"),
        CheckConstraint("number > 0", name="number"),
        CheckConstraint("haulage_minor >= 0", name="haulage"),
        CheckConstraint("expires_at > created_at", name="validity"),
        UniqueConstraint("bid_id", "number"),
    )

    id: CounterId = Field(default_factory=CounterId.new, primary_key=True)
    bid_id: BidId = Field(foreign_key="bid.id")
    number: int
    side: str
    made_by: str
    price_minor: int = Field(sa_type=BigInteger)
    currency: str
    haulage_minor: int | None = Field(default=None, sa_type=BigInteger)
    note: str | None = None
    expires_at: datetime | None = Field(default=None, sa_type=Instant)

    @property
    def price(self) -> Money:
        return Money(self.price_minor, self.currency)

    @property
    def haulage(self) -> Money | None:
        return None if self.haulage_minor is None else Money(self.haulage_minor, self.currency)
