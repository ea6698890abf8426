"""Row-level security: who sees which row, whatever a query forgot to ask.

A row is seen by its environment's callers for whom the table's condition holds, and by the house. A condition names parties by
the row's own columns, or asks for the parent, whose policy then decides.
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import op

revision = "0013_policies"
down_revision = "0012_audit"
branch_labels = None
depends_on = None

ASKERS = Path(__file__).with_suffix(".sql")
ME = "(SELECT asker_org())"
HOUSE = "(SELECT asker_is_house())"
IS_HERE = "livemode = ANY (CAST((SELECT asker_livemodes()) AS boolean[]))"
HOUSE_ALONE = "false"
EVERYBODY = ("signing_key", "status_list")
"""What certificates are checked with is published, of both environments."""

WITHOUT_ENVIRONMENT = (
    "permit_scope",
    "reaction_done",
    "webhook_attempt",
    "webhook_delivery",
)
INDEXED = ("event",)
"""The condition holds for the house by itself and stands alone, so that an index answers it: among all events a quiet partner's
are few."""

PARTIES = {
    "api_key": f"org_id = {ME}",
    "member": f"org_id = {ME}",
    "organization": f"{ME} IS NOT NULL",
    "permit": f"org_id = {ME}",
    "permit_check": f"org_id = {ME}",
    "permit_scope": "EXISTS (SELECT FROM permit WHERE permit.id = permit_id)",
    "organization_document": f"org_id = {ME}",
    "stored_file": f"org_id = {ME}",
    "site": f"org_id = {ME} OR EXISTS (SELECT FROM pickup_job WHERE site.id IN (from_site_id, to_site_id))",
}
CREDENTIALS = {
    "audit_entry": f"{ME} IN (org_id, acting_org_id)",
    "delegation": f"{ME} IN (grantor_id, grantee_id)",
    "invitation": f"org_id = {ME}",
    "member_session": f"org_id = {ME}",
    "sign_in_failure": HOUSE_ALONE,
}
LISTINGS = {
    "listing": f"seller_id = {ME} OR ({ME} IS NOT NULL AND published_at IS NOT NULL"
    f" AND (visibility = 'public' OR {ME} = ANY (invited)))",
    "item": "EXISTS (SELECT FROM listing WHERE listing.id = listing_id)",
    "unit": f"seller_id = {ME}",
    "import": f"seller_id = {ME}",
}
BIDDING = {
    "bid": f"bidder_id = {ME} OR EXISTS (SELECT FROM listing WHERE listing.id = listing_id AND seller_id = {ME} AND"
    " (mode <> 'sealed' OR (listing.status IN ('closed', 'awarded', 'fulfilled', 'expired') AND bid.status <> 'withdrawn')))",
}
OF_ORDER = 'EXISTS (SELECT FROM "order" WHERE "order".id = order_id)'
ORDERS = {
    "award": f"{ME} IN (seller_id, buyer_id)",
    "order": f"{ME} IN (seller_id, buyer_id)",
    "order_line": OF_ORDER,
    "expected_delivery": OF_ORDER,
    "receipt": OF_ORDER,
    "receipt_line": "EXISTS (SELECT FROM receipt WHERE receipt.id = receipt_id)",
    "remainder": OF_ORDER,
    "obligation": OF_ORDER,
}
OF_PICKUP = "EXISTS (SELECT FROM pickup_job WHERE pickup_job.id = pickup_id)"
PICKUPS = {
    "pickup_job": f"{ME} IN (owner_id, seller_id, receiver_id, custodian_id, carrier_id) OR EXISTS (SELECT FROM carrier_offer"
    f" WHERE pickup_id = pickup_job.id AND carrier_offer.carrier_id = {ME} AND carrier_offer.status = 'offered')",
    "carrier_offer": f"owner_id = {ME} OR (carrier_id = {ME} AND offered_at IS NOT NULL)",
    "dock_slot": OF_PICKUP,
    "handover": OF_PICKUP,
    "pickup_movement": OF_PICKUP,
}
OF_DEAL = "EXISTS (SELECT FROM deal WHERE deal.id = deal_id)"
PAYMENTS = {
    "deal": f"{ME} IN (seller_id, buyer_id)",
    "payment": OF_DEAL,
    "transfer": f"payee_id = {ME} OR {OF_DEAL}",
    "refund": f"payer_id = {ME} OR {OF_DEAL}",
    "payout_account": f"org_id = {ME}",
    "ledger_account": f"owner = {ME} AND code IN ('payable', 'receivable', 'refund_due')",
    "ledger_entry": "EXISTS (SELECT FROM ledger_account WHERE ledger_account.id = account_id)",
    "ledger_posting": "EXISTS (SELECT FROM ledger_entry WHERE posting_id = ledger_posting.id)",
    "stripe_event": HOUSE_ALONE,
    "stripe_operation": HOUSE_ALONE,
}
WEBHOOKS = {
    "event": "audience_orgs @> (SELECT asker_audience())",
    "reaction_done": HOUSE_ALONE,
    "webhook_endpoint": f"org_id = {ME}",
    "webhook_delivery": "EXISTS (SELECT FROM webhook_endpoint WHERE webhook_endpoint.id = endpoint_id)",
    "webhook_attempt": "EXISTS (SELECT FROM webhook_delivery WHERE webhook_delivery.id = delivery_id)",
}
IN_CERTIFICATE = (
    f"EXISTS (SELECT FROM certificate WHERE certificate.id = certificate_id AND {ME} IN (holder_id, verifier_id))"
)
OF_CERTIFICATE = "EXISTS (SELECT FROM certificate WHERE certificate.id = certificate_id)"
OF_BATCH = "EXISTS (SELECT FROM material_batch WHERE material_batch.id = batch_id)"
CERTIFICATION = {
    "material_batch": f"{ME} IN (owner_id, custodian_id)",
    "batch_claim": OF_BATCH,
    "batch_code": OF_BATCH,
    "custody_event": f"{ME} IN (reported_by, sender_id, receiver_id)",
    "custody_line": "EXISTS (SELECT FROM custody_event WHERE custody_event.id = event_id)",
    "certificate": f"holder_id = {ME} OR (verifier_id = {ME} AND submitted_at IS NOT NULL) OR (upstream_ids @> ARRAY[{ME}]"
    " AND status IN ('issued', 'suspended', 'revoked', 'superseded', 'expired'))",
    "certificate_batch": IN_CERTIFICATE,
    "certificate_event": IN_CERTIFICATE,
    "claim_allocation": IN_CERTIFICATE,
    "certificate_version": OF_CERTIFICATE,
    "impact_statement": OF_CERTIFICATE,
    "evidence": f"org_id = {ME} OR EXISTS (SELECT FROM certificate WHERE certificate.id = subject_id AND verifier_id = {ME})"
    " OR EXISTS (SELECT FROM certificate_event held JOIN certificate ON certificate.id = held.certificate_id"
    f" WHERE held.event_id = subject_id AND verifier_id = {ME})",
}
SEEN_BY = PARTIES | CREDENTIALS | LISTINGS | BIDDING | ORDERS | PICKUPS | PAYMENTS | WEBHOOKS | CERTIFICATION


def upgrade() -> None:
    _name_who_asks_carriers()
    for statement in ASKERS.read_text().split("\n--\n"):
        op.execute(statement)
    for table, condition in SEEN_BY.items():
        _wall_in(table)
        op.execute(f'CREATE POLICY seen_by ON "{table}" USING ({_seen(table, condition)})')
    for table in EVERYBODY:
        _wall_in(table)
        op.execute(f"CREATE POLICY seen_by ON {table} FOR SELECT USING (true)")
        op.execute(f"CREATE POLICY written_by ON {table} USING ({HOUSE})")


def _name_who_asks_carriers() -> None:
    """A job is seen by whom it is offered to, and an offer by the job's owner: two policies may not ask each other."""
    op.add_column("carrier_offer", sa.Column("owner_id", sa.String))
    op.execute("UPDATE carrier_offer SET owner_id = job.owner_id FROM pickup_job job WHERE job.id = pickup_id")
    op.alter_column("carrier_offer", "owner_id", nullable=False)
    op.create_foreign_key(op.f("fk_carrier_offer_owner_id"), "carrier_offer", "organization", ["owner_id"], ["id"])
    for column in ("from_site_id", "to_site_id"):
        op.create_index(op.f(f"ix_pickup_job_{column}"), "pickup_job", [column])


def _wall_in(table: str) -> None:
    op.execute(f'ALTER TABLE "{table}" ENABLE ROW LEVEL SECURITY')
    op.execute(f'ALTER TABLE "{table}" FORCE ROW LEVEL SECURITY')


def _seen(table: str, condition: str) -> str:
    """The house sees the environment it works in; both, while it has named none."""
    if table in WITHOUT_ENVIRONMENT:
        return f"{HOUSE} OR {condition}"
    if table in INDEXED:
        return f"{IS_HERE} AND {condition}"
    return f"{IS_HERE} AND ({HOUSE} OR {condition})"


def downgrade() -> None:
    for table in EVERYBODY:
        op.execute(f"DROP POLICY written_by ON {table}")
    for table in (*SEEN_BY, *EVERYBODY):
        op.execute(f'DROP POLICY seen_by ON "{table}"')
        op.execute(f'ALTER TABLE "{table}" NO FORCE ROW LEVEL SECURITY')
        op.execute(f'ALTER TABLE "{table}" DISABLE ROW LEVEL SECURITY')
    for function in ("asker_audience", "asker_livemodes", "asker_is_house", "asker_org"):
        op.execute(f"DROP FUNCTION {function}()")
    for column in ("from_site_id", "to_site_id"):
        op.drop_index(op.f(f"ix_pickup_job_{column}"), "pickup_job")
    op.drop_column("carrier_offer", "owner_id")
