"""HTTP of sites."""

from typing import Annotated

from fastapi import APIRouter
from sqlmodel import col

from services.kernel.actors import Actor
from services.kernel.http.routing import UnitOfWorkRoute, Work, holding
from services.kernel.ids import SiteId
from services.kernel.pagination import Paging, rows_of
from services.parties import queries
from services.parties import sites as places
from services.parties.models import Site
from services.parties.schemas import (
    NewSite,
    SiteAnswer,
    SitePage,
)

sites = APIRouter(prefix="/v1", tags=["sites"], route_class=UnitOfWorkRoute)


@sites.post("/sites", status_code=201, summary="Add a site")
async def create(site: NewSite, work: Work, actor: Annotated[Actor, holding("sites:write")]) -> SiteAnswer:
    """A place of your organization. Refused when the time zone is not IANA's or the place closes before it opens."""
    return SiteAnswer.of(await places.create(work, site, by=actor))


@sites.get("/sites", summary="List sites")
async def list_(work: Work, actor: Annotated[Actor, holding("sites:read")], paging: Paging) -> SitePage:
    """Your organization's sites, newest first."""
    rows, after = await rows_of(work, queries.sites_visible_to(actor), col(Site.id), paging)
    return SitePage(data=[SiteAnswer.of(row) for row in rows], has_more=after is not None, next_cursor=after)


@sites.get("/sites/{site_id}", name="get", summary="Read a site")
async def get_site(site_id: SiteId, work: Work, actor: Annotated[Actor, holding("sites:read")]) -> SiteAnswer:
    """One of your organization's sites."""
    return SiteAnswer.of(await queries.visible_site(work, site_id, actor))
