"""What each member role may do: the one table. A key carries a subset of its member's row."""

from typing import Literal, get_args

Permission = Literal[
    "organizations:read", "organizations:write", "members:read", "members:write", "api_keys:read", "api_keys:write",
    "sites:read", "sites:write", "permits:read", "permits:write", "documents:read", "documents:write",
    "listings:read", "listings:write", "imports:read",
    "imports:write", "saved_searches:read", "saved_searches:write", "demand_orders:read", "demand_orders:write",
    "bids:read", "bids:write", "awards:write", "orders:read", "orders:write", "receipts:write",
    "pickups:read", "pickups:write", "offers:write", "handovers:write", "deals:read", "deals:write", "ledger:read",
    "webhooks:read", "webhooks:write", "events:read", "custody:read", "custody:write", "certificates:read",
    "certificates:write", "certificates:verify", "delegations:read", "delegations:write", "audit:read", "test_clock:advance",
    "recalls:read", "recalls:write",
]  # fmt: skip
MemberRole = Literal["owner", "manager", "operator", "driver", "viewer"]

ALL: frozenset[str] = frozenset(get_args(Permission))
NEVER_DELEGATED = frozenset({"organizations:write", "members:write", "api_keys:write", "delegations:write"})
"""Who an organization is and who acts for it is not for its delegates to say."""
BOUND_TO_A_SITE = frozenset(
    {
        "sites:read",
        "listings:read",
        "listings:write",
        "orders:read",
        "orders:write",
        "receipts:write",
        "pickups:read",
        "pickups:write",
        "handovers:write",
    }
)
"""All that a delegation limited to sites may carry: what these reach lies at a site, the rest knows none."""
_READING = frozenset(name for name in ALL if name.endswith(":read"))
_DAILY_WORK = frozenset(
    {
        "sites:write",
        "listings:write",
        "imports:write",
        "saved_searches:write",
        "demand_orders:write",
        "bids:write",
        "orders:write",
        "receipts:write",
        "pickups:write",
        "offers:write",
        "handovers:write",
        "custody:write",
        "certificates:write",
    }
)

ROLES: dict[str, frozenset[str]] = {
    "owner": ALL,
    "manager": ALL - {"organizations:write", "members:write", "api_keys:write", "delegations:write"},
    "operator": (_READING - {"api_keys:read", "documents:read", "ledger:read", "audit:read"}) | _DAILY_WORK,
    "driver": frozenset({"organizations:read", "sites:read", "pickups:read", "handovers:write"}),
    "viewer": _READING - {"api_keys:read", "documents:read", "audit:read"},
}
