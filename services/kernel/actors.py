"""Who acts: an organization through one of its members, another organization under a delegation, the system, or nobody."""

from dataclasses import dataclass, field

from services.kernel.errors import PermissionMissing
from services.kernel.ids import DelegationId, KeyId, MemberId, OrgId, SessionId, SiteId


@dataclass(frozen=True)
class Actor:
    """`kind` is `key` (API key), `token` (OAuth), `session` (a person signed in), `system`, `anonymous`, `door`, or `demand_order`
    (an order that bids by itself, for the organization that gave it).

    `org_id` is whom the act binds, `roles` its verified roles, `permissions` what the credential may do. Under a delegation
    `member_id` and `key_id` are those of the organization that really acts, `acting_org_id`; `site_ids` None means every site.
    """

    kind: str
    livemode: bool
    org_id: OrgId | None = None
    member_id: MemberId | None = None
    key_id: KeyId | None = None
    roles: frozenset[str] = field(default_factory=frozenset)
    permissions: frozenset[str] = field(default_factory=frozenset)
    delegation_id: DelegationId | None = None
    acting_org_id: OrgId | None = None
    site_ids: frozenset[SiteId] | None = None
    session_id: SessionId | None = None

    @property
    def org(self) -> OrgId:
        """The organization of an actor that must have one."""
        assert self.org_id is not None, "an anonymous or system actor has no organization"
        return self.org_id

    @property
    def is_operator(self) -> bool:
        return self.kind == "system" or "operator" in self.roles

    @property
    def label(self) -> str:
        """The credential, and the grant it was used under: `key_… under dlg_…`."""
        credential = self.key_id or self.session_id or self.kind
        return credential if self.delegation_id is None else f"{credential} under {self.delegation_id}"

    def must_hold(self, permission: str) -> None:
        if permission not in self.permissions:
            raise PermissionMissing(permission)


def system(livemode: bool) -> Actor:
    """Timers, reactions and jobs: Backhaul's own rules."""
    return Actor(kind="system", livemode=livemode)


def doorkeeper() -> Actor:
    """Who finds out who calls, and does nothing else."""
    return Actor(kind="door", livemode=False)


def anonymous(livemode: bool = False) -> Actor:
    return Actor(kind="anonymous", livemode=livemode)
