"""HTTP of sites."""

from typing import Annotated

from fastapi import APIRouter, Response
from sqlmodel import col

from services.kernel.actors import Actor
from services.kernel.http.routing import Matching, UnitOfWorkRoute, Work, holding, tag
from services.kernel.ids import SiteId
from services.kernel.pagination import Paging, rows_of
from services.parties import queries
from services.parties import sites as places
from services.parties.models import Site
from services.parties.schemas import (
    ChangedSite,
    NewSite,
    SiteAnswer,
    SitePage,
)

sites = APIRouter(prefix="/v1", tags=["sites"], route_class=UnitOfWorkRoute)


@sites.post("/sites", status_code=201, summary="Add a site")
async def create(site: NewSite, work: Work, actor: Annotated[Actor, holding("sites:write")]) -> SiteAnswer:
    """A place of your organization. Refused when the time zone is not IANA's (`timezone_unknown`), the place closes before it
    opens (`closes_before_it_opens`), or its stretches overlap (`hours_overlap`)."""
    return SiteAnswer.of(await places.create(work, site, calendar=site.calendar, by=actor))


@sites.get("/sites", summary="List sites")
async def list_(work: Work, actor: Annotated[Actor, holding("sites:read")], paging: Paging) -> SitePage:
    """Your organization's sites, newest first."""
    rows, after = await rows_of(work, queries.sites_visible_to(actor), col(Site.id), paging)
    return SitePage(data=[SiteAnswer.of(row) for row in rows], has_more=after is not None, next_cursor=after)


@sites.get("/sites/{site_id}", name="get", summary="Read a site")
async def get_site(
    site_id: SiteId, work: Work, actor: Annotated[Actor, holding("sites:read")], answer: Response
) -> SiteAnswer:
    """One of your organization's sites."""
    found = await queries.visible_site(work, site_id, actor)
    tag(answer, found.version)
    return SiteAnswer.of(found)


@sites.patch("/sites/{site_id}", name="update", summary="Change a site")
async def update(
    site_id: SiteId,
    changes: ChangedSite,
    work: Work,
    actor: Annotated[Actor, holding("sites:write")],
    matching: Matching,
    answer: Response,
) -> SiteAnswer:
    """Hours, docks, blackouts, name and address; country and time zone stay. Slots that are booked stay booked, new ones
    outside the hours or on a blackout are refused. Refused with `closes_before_it_opens` and `hours_overlap`."""
    changed = await places.change(work, site_id, changes, by=actor, check_version=matching.matches)
    tag(answer, changed.version)
    return SiteAnswer.of(changed)
