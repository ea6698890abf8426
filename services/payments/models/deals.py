"""A deal: the money side of one order in one currency, and how it moves."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from sqlalchemy import BigInteger, CheckConstraint, Index
from sqlmodel import Field

from services.kernel.errors import Reason
from services.kernel.ids import DealId, OrgId
from services.kernel.money import Money
from services.kernel.states import Machine, Transition
from services.kernel.tables import Versioned

STATUSES = (
    "agreed",
    "collecting",
    "collect_failed",
    "held",
    "settling",
    "settled",
    "closed",
    "cancelling",
    "cancelled",
)


class Deal(Versioned, table=True):
    """The frozen terms and the running figures. `goods_minor` is signed as the price is: above zero the buyer pays.

    `goods_part_minor` and `haulage_part_minor` are what is collected up front from `goods_payer_id` and
    `haulage_payer_id`. The haulage part is nil where the payee of the goods bears the haulage and the goods cover it:
    it is then withheld from its payout.
    """

    __tablename__ = "deal"
    __audit_hidden__: ClassVar[frozenset[str]] = frozenset(
        {
            "haulage_ceiling_minor",
            "commission_bps",
            "goods_part_minor",
            "haulage_part_minor",
            "haulage_released_minor",
            "haulage_gross_minor",
            "withheld_minor",
        }
    )
    __table_args__ = (
        CheckConstraint(f"status IN ({', '.join(repr(s) for s in STATUSES)})", name="status_known"),
        CheckConstraint("goods_part_minor >= 0 AND haulage_part_minor >= 0", name="exposure_not_negative"),
        CheckConstraint(
            "haulage_released_minor BETWEEN 0 AND COALESCE(haulage_ceiling_minor, 0)", name="haulage_within_ceiling"
        ),
        CheckConstraint("contested_minor >= 0 AND withheld_minor >= 0", name="amounts_not_negative"),
        CheckConstraint("seller_id <> buyer_id", name="two_parties"),
        Index("uq_deal_order_id_currency", "order_id", "currency", unique=True),
        Index("ix_deal_seller_id", "seller_id"),
        Index("ix_deal_buyer_id", "buyer_id"),
    )

    id: DealId = Field(default_factory=DealId.new, primary_key=True)
    order_id: str
    status: str = "agreed"
    seller_id: OrgId = Field(foreign_key="organization.id")
    buyer_id: OrgId = Field(foreign_key="organization.id")
    goods_payer_id: OrgId = Field(foreign_key="organization.id")
    haulage_payer_id: OrgId | None = Field(default=None, foreign_key="organization.id")
    currency: str
    goods_minor: int = Field(sa_type=BigInteger)
    goods_vat_bps: int
    haulage_ceiling_minor: int | None = Field(default=None, sa_type=BigInteger)
    haulage_vat_bps: int
    commission_bps: int
    commission_vat_bps: int
    vat_country: str
    goods_part_minor: int = Field(sa_type=BigInteger)
    haulage_part_minor: int = Field(sa_type=BigInteger)
    haulage_released_minor: int = Field(default=0, sa_type=BigInteger)
    """Net of VAT, so that it compares with the ceiling."""
    haulage_gross_minor: int = Field(default=0, sa_type=BigInteger)
    """The same with VAT, as it left the hold."""
    withheld_minor: int = Field(default=0, sa_type=BigInteger)
    """Haulage with VAT that was paid out of the goods' part and is still to be taken from the payee's payout."""
    contested_minor: int = Field(default=0, sa_type=BigInteger)
    """Net and positive: what of the goods is neither owed nor returned yet."""
    accepted_minor: int = Field(default=0, sa_type=BigInteger)
    """Net and signed as the price: what has been settled for the payee so far."""
    settlements: int = 0
    """How many postings have split the hold so far; numbers their keys."""

    def money(self, minor: int) -> Money:
        return Money(minor, self.currency)

    @property
    def exposure(self) -> Money:
        return self.money(self.goods_part_minor + self.haulage_part_minor)

    @property
    def payee_id(self) -> OrgId:
        """Who is paid for the goods, or for taking them."""
        return self.seller_id if self.goods_payer_id == self.buyer_id else self.buyer_id

    @property
    def parts(self) -> list[tuple[OrgId, Money]]:
        """Who pays how much into the hold; one payer once."""
        shares: dict[OrgId, int] = {}
        for payer, minor in (
            (self.goods_payer_id, self.goods_part_minor),
            (self.haulage_payer_id, self.haulage_part_minor),
        ):
            if payer is not None and minor:
                shares[payer] = shares.get(payer, 0) + minor
        return [(payer, self.money(minor)) for payer, minor in shares.items()]

    def side_of(self, org_id: str) -> str:
        """`payer` or `payee`, as the two sides appear in audiences. Who bears nothing but the haulage of a nil price is
        the payer.
        """
        payers = [payer for payer, _ in self.parts[:1]] or [self.goods_payer_id]
        return "payer" if org_id in payers else "payee"


@dataclass(frozen=True)
class DealFacts:
    """What a move of a deal depends on. Money in minor units of its currency."""

    collected: int = 0
    hold: int = 0
    open_operations: int = 0
    unfinished_refunds: int = 0
    refund_due: int = 0
    receivable: int = 0


def _covers_exposure(deal: Deal, facts: DealFacts) -> Iterable[Reason]:
    if facts.collected < deal.exposure.minor:
        yield Reason("money_not_held", f"{deal.money(facts.collected)} of {deal.exposure} have arrived.")


def _holds_nothing(deal: Deal, facts: DealFacts) -> Iterable[Reason]:
    if facts.hold:
        yield Reason("hold_not_empty", f"{deal.money(facts.hold)} are still held.")


def _is_paid_out(deal: Deal, facts: DealFacts) -> Iterable[Reason]:
    if facts.open_operations:
        yield Reason("operations_open", f"{facts.open_operations} payments to the provider are not done.")
    if facts.unfinished_refunds:
        yield Reason("refunds_open", f"{facts.unfinished_refunds} refunds have not arrived.")


def _owes_nothing(deal: Deal, facts: DealFacts) -> Iterable[Reason]:
    if facts.receivable:
        yield Reason("receivable_open", f"{deal.money(facts.receivable)} are owed to the platform.")


_TIME = ("time",)

DEAL = Machine(
    "deal",
    Transition("collect", ("agreed", "collect_failed"), "collecting", ("time", "payer"), endpoint=False),
    Transition(
        "receive", ("agreed", "collecting"), "held", ("provider", "time"), guards=(_covers_exposure,), endpoint=False
    ),
    Transition("fail", ("collecting",), "collect_failed", ("provider",), is_fact=True, endpoint=False),
    Transition("release", ("held",), None, _TIME, endpoint=False),
    Transition("settle", ("held", "settling", "settled"), "settling", _TIME, endpoint=False),
    Transition("adjust", ("settling",), None, _TIME, endpoint=False),
    Transition("finish", ("settling",), "settled", _TIME, guards=(_holds_nothing, _is_paid_out), endpoint=False),
    Transition("close", ("settled",), "closed", _TIME, guards=(_owes_nothing,), endpoint=False),
    Transition("cancel", ("agreed", "collecting", "collect_failed", "held"), "cancelling", _TIME, endpoint=False),
    Transition("finish", ("cancelling",), "cancelled", _TIME, guards=(_holds_nothing, _is_paid_out), endpoint=False),
)
