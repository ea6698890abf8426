"""The reference is grouped by who you are. A tag that has no group fails the tests: give it one here."""

from dataclasses import dataclass

from services.kernel.http.openapi.operations import Document, operations


@dataclass(frozen=True)
class Tag:
    name: str
    title: str
    description: str


GROUPS: dict[str, tuple[Tag, ...]] = {
    "Manufacturers and holders": (
        Tag("listings", "Listings", "What you part with: drafts, items, publishing. Bidders search here too."),
        Tag(
            "imports",
            "Imports",
            "A manifest of thousands of rows becomes a listing; refused rows come back with reasons.",
        ),
        Tag(
            "import_profiles", "Import profiles", "Mappings kept under a name, for the next manifest of the same make."
        ),
        Tag("recall_campaigns", "Recalls", "Goods a manufacturer wants back: what matches is stopped and counted."),
        Tag("pickups", "Pickups", "Moving the goods: planning, asking carriers, docks, departures, signatures."),
    ),
    "Bidders and processors": (
        Tag("bids", "Bids", "Promises for a whole lot, how they rank, the award and its confirmation."),
        Tag(
            "demand_orders", "Demand orders", "What you always take: matched with what is published, bidding by itself."
        ),
        Tag("deposits", "Deposits", "What who is new here leaves behind, so that its bids are taken."),
        Tag("saved_searches", "Saved searches", "Searches that are kept, and tell when something new fits."),
        Tag("orders", "Orders", "The contract from award to settlement, for seller and buyer."),
        Tag("receipts", "Receipts", "What arrived, and what was accepted and refused of it."),
    ),
    "Carriers": (Tag("offers", "Offers", "Jobs that you were offered. Accepted ones are `pickups`."),),
    "Verifiers and auditors": (
        Tag("certificates", "Certificates", "From a draft to a signed credential, and what may become of it."),
        Tag("custody_events", "Custody events", "What happened to batches at your sites: a hash-chained log."),
        Tag(
            "material_batches",
            "Material batches",
            "Amounts of material, where they are, and how much of each is claimed.",
        ),
        Tag("factor_sets", "Factor sets", "The published figures behind impact statements."),
        Tag("waste_codes", "Waste codes", "An entry of a waste list as it holds there and then."),
        Tag("public", "Public documents", "What anybody reads and checks without a key."),
    ),
    "Your organization": (
        Tag("onboarding", "Registration", "The first call: an organization and its owner's key."),
        Tag("organizations", "Organizations", "Who you are, and what is known of others."),
        Tag("sites", "Sites", "Where goods lie, are collected and received."),
        Tag("documents", "Documents", "The papers that your roles need."),
        Tag("permits", "Permits", "What you may do with which waste."),
        Tag("members", "Members", "The people who act for you."),
        Tag("invitations", "Invitations", "Bringing people in."),
        Tag("delegations", "Delegations", "Letting a consultant or a software vendor act for you."),
        Tag("audit", "Audit trail", "Who did what, by which credential, for whom."),
    ),
    "Credentials": (
        Tag("api_keys", "API keys", "Keys for machines: scoped, expiring, rotated with overlap."),
        Tag("oauth", "OAuth", "Short-lived access tokens for a key."),
        Tag("sessions", "Sessions", "Signing in as a person."),
    ),
    "Money": (
        Tag("deals", "Deals", "The money side of an order."),
        Tag("payout_account", "Payout account", "Where your money goes."),
        Tag("ledger", "Ledger", "Every posting that touched your accounts."),
    ),
    "Events": (
        Tag("events", "Event feed", "Everything you may know, in the order it was committed."),
        Tag("webhook_endpoints", "Webhook endpoints", "Where events are sent."),
        Tag("deliveries", "Deliveries", "What was sent, with every attempt."),
        Tag("partner events", "Partner events", "What is posted to your endpoint, by type."),
    ),
    "Service": (
        Tag("integrity_findings", "Integrity", "Who bids with whom: what operators look at."),
        Tag("reference", "Reference data", "Code lists, by jurisdiction and day where they depend on it."),
        Tag("test_clock", "Test clock", "The sandbox's time, to be moved forward."),
        Tag("service", "Service", "Whether the service lives and is ready."),
    ),
}


def complete(document: Document) -> None:
    """Tags and groups; those without an operation are left out."""
    used = {tag for operation in operations(document) for tag in operation.told["tags"]} | {"partner events"}
    tags = [tag for group in GROUPS.values() for tag in group if tag.name in used]
    document["tags"] = [{"name": t.name, "x-displayName": t.title, "description": t.description} for t in tags]
    grouped = {name: [tag.name for tag in group if tag.name in used] for name, group in GROUPS.items()}
    document["x-tagGroups"] = [{"name": name, "tags": names} for name, names in grouped.items() if names]


def ungrouped(document: Document) -> set[str]:
    known = {tag.name for group in GROUPS.values() for tag in group}
    return {tag for operation in operations(document) for tag in operation.told["tags"]} - known
