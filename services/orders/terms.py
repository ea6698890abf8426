"""What both sides accept: frozen at the award, hashed, and never read again from listing or bid. Pure."""

import hashlib
from collections.abc import Sequence

import rfc8785
from pydantic import BaseModel, ConfigDict, Field

from services.bidding.models import Bid
from services.kernel.ids import BidId, ItemId, ListingId, OrgId, SiteId
from services.kernel.money import Money
from services.listings.models import Item, Listing

COMMISSION_BPS = 500
COMMISSION_VAT_BPS = 1900
DEFAULT_ROUTE = "return"
LOSS_POLICY = "payee_until_acceptance"
"""Who bears what the provider takes back: the payee until the inspection window ends, the payer afterwards."""

CERTIFICATES = {
    "reuse": "reuse",
    "repair": "repair",
    "remanufacture": "remanufacture",
    "harvest": "recycling",
    "recycle": "recycling",
    "recover": "destruction",
    "dispose": "destruction",
}
"""The kind of certificate that a disposition ends in."""


class TermsLine(BaseModel):
    """One item as it was offered."""

    model_config = ConfigDict(frozen=True)

    item_id: ItemId
    title: str
    quantity: int
    mass_g: int | None = Field(description="Declared mass of the whole line in grams")
    waste_code: str | None


class Terms(BaseModel):
    """The frozen terms. Rates are basis points; `price` is signed: below zero the seller pays. `tolerance_bps` is
    the agreed ± on each line's mass, over all its receipts. `goods_vat_bps` is the rate of goods or gate fee, as the
    sign demands."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    listing_id: ListingId
    bid_id: BidId
    seller_id: OrgId
    buyer_id: OrgId
    from_site_id: SiteId
    to_site_id: SiteId
    lines: list[TermsLine]
    price: Money
    price_unit: str
    tolerance_bps: int
    goods_vat_bps: int
    haulage_basis: str
    haulage_ceiling: Money | None
    haulage_vat_bps: int
    commission_bps: int
    commission_vat_bps: int
    commission_bearer: str = "payee"
    vat_country: str
    disposition: str
    operation: str | None
    inspection_days: int
    dispute_days: int
    default_route: str = DEFAULT_ROUTE
    loss_policy: str = LOSS_POLICY
    certificate: str

    @property
    def haulage_payer_id(self) -> OrgId:
        """FCA: the buyer collects; DAP: the seller delivers."""
        return self.buyer_id if self.haulage_basis == "FCA" else self.seller_id


def freeze(listing: Listing, items: Sequence[Item], bid: Bid) -> Terms:
    return Terms(
        listing_id=listing.id,
        bid_id=bid.id,
        seller_id=listing.seller_id,
        buyer_id=bid.bidder_id,
        from_site_id=listing.site_id,
        to_site_id=bid.site_id,
        lines=[_line(item) for item in items],
        price=bid.price_now,
        price_unit=listing.price_unit,
        tolerance_bps=0 if listing.origin_remainder_id else listing.tolerance_bps,
        goods_vat_bps=listing.gate_fee_vat_bps if bid.price_now.minor < 0 else listing.goods_vat_bps,
        haulage_basis=bid.haulage_basis,
        haulage_ceiling=bid.haulage_ceiling if bid.haulage_basis == "FCA" else bid.haulage_quote,
        haulage_vat_bps=listing.haulage_vat_bps,
        commission_bps=COMMISSION_BPS,
        commission_vat_bps=COMMISSION_VAT_BPS,
        vat_country=listing.country,
        disposition=bid.disposition,
        operation=bid.operation,
        inspection_days=listing.inspection_days,
        dispute_days=listing.dispute_days,
        certificate=CERTIFICATES[bid.disposition],
    )


def _line(item: Item) -> TermsLine:
    return TermsLine(
        item_id=item.id, title=item.title, quantity=item.quantity, mass_g=item.mass_g, waste_code=item.waste_code
    )


def hash_of(terms: Terms) -> str:
    """SHA-256 over the canonical JSON (RFC 8785) of the terms, in hexadecimal."""
    return hashlib.sha256(rfc8785.dumps(terms.model_dump(mode="json"))).hexdigest()
