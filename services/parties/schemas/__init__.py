"""Requests and answers of the parties."""

from services.parties.schemas.credentials import ApiKeyAnswer, ApiKeyPage, IssuedKeyAnswer, NewApiKey
from services.parties.schemas.organizations import OrganizationAnswer, RegisteredAnswer, Registration
from services.parties.schemas.people import MemberAnswer, MemberPage, NewMember
from services.parties.schemas.permits import NewPermit, PermitAnswer, PermitPage
from services.parties.schemas.sites import NewSite, SiteAnswer, SitePage

__all__ = [
    "ApiKeyAnswer",
    "ApiKeyPage",
    "IssuedKeyAnswer",
    "MemberAnswer",
    "MemberPage",
    "NewApiKey",
    "NewMember",
    "NewPermit",
    "NewSite",
    "OrganizationAnswer",
    "PermitAnswer",
    "PermitPage",
    "RegisteredAnswer",
    "Registration",
    "SiteAnswer",
    "SitePage",
]
