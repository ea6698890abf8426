"""HTTP of saved searches."""

from typing import Annotated

from fastapi import APIRouter, Response
from sqlmodel import col

from services.kernel.actors import Actor
from services.kernel.http.routing import Matching, UnitOfWorkRoute, Work, holding, tag
from services.kernel.ids import SavedSearchId
from services.kernel.pagination import Paging, rows_of
from services.listings.models import SavedSearch
from services.listings.saved_searches import keeping, queries
from services.listings.saved_searches.schemas import NewSavedSearch, SavedSearchAnswer, SavedSearchPage

saved_searches = APIRouter(prefix="/v1", tags=["saved_searches"], route_class=UnitOfWorkRoute)

Reads = Annotated[Actor, holding("saved_searches:read")]
Writes = Annotated[Actor, holding("saved_searches:write")]


def _told(search: SavedSearch, answer: Response) -> SavedSearchAnswer:
    tag(answer, search.version)
    return SavedSearchAnswer.of(search)


@saved_searches.post("/saved-searches", status_code=201, summary="Keep a search")
async def create(body: NewSavedSearch, work: Work, actor: Writes, answer: Response) -> SavedSearchAnswer:
    """Of every listing published from now on that it finds and you may see, you hear `saved_search.matched`; not of your own.
    Refused with 422 `place_malformed`."""
    return _told(await keeping.create(work, body, by=actor), answer)


@saved_searches.get("/saved-searches", name="list", summary="List kept searches")
async def list_(work: Work, actor: Reads, paging: Paging) -> SavedSearchPage:
    """Your organization's, newest first."""
    rows, cursor = await rows_of(work, queries.searches_of(actor), col(SavedSearch.id), paging)
    data = [SavedSearchAnswer.of(row) for row in rows]
    return SavedSearchPage(data=data, has_more=cursor is not None, next_cursor=cursor)


@saved_searches.get("/saved-searches/{saved_search_id}", summary="Read a kept search")
async def get(saved_search_id: SavedSearchId, work: Work, actor: Reads, answer: Response) -> SavedSearchAnswer:
    """Your organization's alone."""
    return _told(await queries.search_of(work, saved_search_id, actor), answer)


@saved_searches.put("/saved-searches/{saved_search_id}", summary="Change a kept search")
async def update(
    saved_search_id: SavedSearchId,
    body: NewSavedSearch,
    work: Work,
    actor: Writes,
    matching: Matching,
    answer: Response,
) -> SavedSearchAnswer:
    """Name and criteria as a whole. Refused with 422 `place_malformed`."""
    changed = await keeping.change(work, saved_search_id, body, by=actor, check_version=matching.matches)
    return _told(changed, answer)


@saved_searches.delete("/saved-searches/{saved_search_id}", summary="Forget a kept search", status_code=204)
async def remove(saved_search_id: SavedSearchId, work: Work, actor: Writes, matching: Matching) -> None:
    """Nothing more is told of it."""
    await keeping.remove(work, saved_search_id, by=actor, check_version=matching.matches)
