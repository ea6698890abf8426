"""The parties' tables."""

from services.parties.models.credentials import ApiKey
from services.parties.models.fields import CountryCode, Email, Name
from services.parties.models.members import Member, MemberDetails
from services.parties.models.organizations import ORGANIZATION, PROCESSORS, ROLES, Organization, OrganizationDetails
from services.parties.models.permits import Permit, PermitCheck, PermitDetails, PermitScope, ScopeDetails
from services.parties.models.sites import Site, SiteDetails

__all__ = [
    "ORGANIZATION",
    "PROCESSORS",
    "ROLES",
    "ApiKey",
    "CountryCode",
    "Email",
    "Member",
    "MemberDetails",
    "Name",
    "Organization",
    "OrganizationDetails",
    "Permit",
    "PermitCheck",
    "PermitDetails",
    "PermitScope",
    "ScopeDetails",
    "Site",
    "SiteDetails",
]
