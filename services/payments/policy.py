"""Who may see what of a deal: pure functions of Actor and model."""

from services.kernel.actors import Actor
from services.kernel.ids import OrgId
from services.payments.models import Deal

OWN_ACCOUNTS = ("payable", "receivable", "refund_due")
"""The ledger accounts an organization may read, as far as they are its own."""


def audience(deal: Deal) -> dict[OrgId, str]:
    """The two sides and how each stands in the deal: payer or payee."""
    return {deal.seller_id: deal.side_of(deal.seller_id), deal.buyer_id: deal.side_of(deal.buyer_id)}


def leg_audience(deal: Deal, carrier_id: OrgId) -> dict[OrgId, str]:
    """Who bears the haulage and who drives hear its price; the other side hears only that the leg is released."""
    told = {org: ("bearer" if org == deal.haulage_payer_id else "observer") for org in (deal.seller_id, deal.buyer_id)}
    return {**told, carrier_id: "carrier"}


def sees_payer_figures(actor: Actor, deal: Deal) -> bool:
    return actor.is_operator or (actor.org_id is not None and deal.side_of(actor.org_id) == "payer")


def is_own(actor: Actor, org_id: str) -> bool:
    return actor.is_operator or actor.org_id == org_id
