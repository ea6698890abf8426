"""Where an organization is paid, and through which it pays: its account at the provider."""

from sqlalchemy import CheckConstraint
from sqlmodel import Field

from services.kernel.ids import OrgId
from services.kernel.states import Machine, Transition
from services.kernel.tables import Versioned, json_field

_ANY = ("requested", "created", "link_issued", "pending_requirements", "active", "restricted")
_PROVIDER = ("provider",)

PAYOUT_ACCOUNT = Machine(
    "payout account",
    Transition("open", ("requested",), "created", _PROVIDER, is_fact=True, endpoint=False),
    Transition("link", ("created",), "link_issued", ("owner",), endpoint=False),
    Transition("link", ("link_issued", "pending_requirements", "restricted"), None, ("owner",), endpoint=False),
    Transition("ask", ("link_issued",), "pending_requirements", _PROVIDER, is_fact=True, endpoint=False),
    Transition("enable", _ANY, "active", _PROVIDER, is_fact=True, endpoint=False),
    Transition("restrict", _ANY, "restricted", _PROVIDER, is_fact=True, endpoint=False),
    Transition("close", _ANY, "closed", _PROVIDER, is_fact=True, endpoint=False),
)


class PayoutAccount(Versioned, table=True):
    """One per organization. `requirements` says in the provider's words what is still due."""

    __tablename__ = "payout_account"
    __table_args__ = (
        CheckConstraint(
            f"status IN ({', '.join(repr(status) for status in (*_ANY, 'closed'))})",
            name="status_known",
        ),
    )

    org_id: OrgId = Field(primary_key=True, foreign_key="organization.id")
    status: str = "requested"
    stripe_id: str | None = Field(default=None, unique=True)
    requirements: list[str] = json_field(default_factory=list)
