"""Who acts: an organization through one of its keys, the system itself, or nobody in particular."""

from dataclasses import dataclass, field

from services.kernel.errors import PermissionMissing
from services.kernel.ids import KeyId, MemberId, OrgId


@dataclass(frozen=True)
class Actor:
    """`org_id` is whom the act binds. `roles` are the organization's verified roles, `permissions` those of the credential."""

    kind: str
    livemode: bool
    org_id: OrgId | None = None
    member_id: MemberId | None = None
    key_id: KeyId | None = None
    roles: frozenset[str] = field(default_factory=frozenset)
    permissions: frozenset[str] = field(default_factory=frozenset)

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
        return self.key_id or self.kind

    def must_hold(self, permission: str) -> None:
        if permission not in self.permissions:
            raise PermissionMissing(permission)


def system(livemode: bool) -> Actor:
    """Timers, reactions and jobs: Backhaul's own rules."""
    return Actor(kind="system", livemode=livemode)


def anonymous(livemode: bool = False) -> Actor:
    return Actor(kind="anonymous", livemode=livemode)
