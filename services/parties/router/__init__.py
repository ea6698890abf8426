"""HTTP of the parties."""

from services.parties.router.api_keys import api_keys
from services.parties.router.delegations import delegations
from services.parties.router.documents import documents, reference
from services.parties.router.invitations import invitations
from services.parties.router.members import members
from services.parties.router.oauth import oauth
from services.parties.router.organizations import onboarding_, organizations
from services.parties.router.permits import permits
from services.parties.router.sessions import sessions, signing
from services.parties.router.sites import sites

routers = [
    onboarding_,
    organizations,
    sites,
    members,
    invitations,
    api_keys,
    signing,
    sessions,
    oauth,
    delegations,
    permits,
    documents,
    reference,
]
