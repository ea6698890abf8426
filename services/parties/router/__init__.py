"""HTTP of the parties."""

from services.parties.router.api_keys import api_keys
from services.parties.router.members import members
from services.parties.router.organizations import onboarding_, organizations
from services.parties.router.permits import permits
from services.parties.router.sites import sites

routers = [onboarding_, organizations, sites, members, api_keys, permits]
