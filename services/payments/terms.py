"""What the parties of an order agreed about money, frozen at confirmation and handed down by orders."""

from dataclasses import dataclass

from services.kernel.ids import OrgId
from services.kernel.money import Money


@dataclass(frozen=True)
class DealTerms:
    """`goods` is the signed net price at the upper tolerance: above zero the buyer pays the seller, below zero the
    seller pays the buyer. Rates are basis points, `haulage_ceiling` is net of VAT, the commission is borne by whoever
    is paid.
    """

    order_id: str
    seller_id: OrgId
    buyer_id: OrgId
    currency: str
    goods: Money
    goods_vat_bps: int
    haulage_ceiling: Money | None
    haulage_payer_id: OrgId | None
    haulage_vat_bps: int
    commission_bps: int
    commission_vat_bps: int
    vat_country: str

    @property
    def goods_payer_id(self) -> OrgId:
        """Of a nil price, whoever bears the haulage; the buyer if nobody does."""
        if self.goods.minor == 0:
            return self.haulage_payer_id or self.buyer_id
        return self.buyer_id if self.goods.minor > 0 else self.seller_id
