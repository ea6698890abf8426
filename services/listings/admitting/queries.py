"""Who can do what a listing asks for: one condition, asked of all organizations for a listing, and of all listings for one."""

from collections.abc import Collection, Sequence

from sqlalchemy import ARRAY, Text, bindparam, func, literal, select, text, update
from sqlmodel import col

from services.kernel.events import EventRow
from services.kernel.ids import ListingId, OrgId
from services.kernel.unit_of_work import UnitOfWork
from services.listings.models import MOST_ADMITTED, Offer
from services.parties.models import PROCESSORS

_IN_FORCE = (
    "{permit}.kind = 'treatment' AND {permit}.livemode = o.livemode AND :today BETWEEN {permit}.valid_from AND"
    " {permit}.valid_until AND ({permit}.withdrawn_on IS NULL OR {permit}.withdrawn_on > :today)"
)
_CAPABLE = f"""
    FROM listing l
    CROSS JOIN LATERAL (
        SELECT ARRAY(SELECT jsonb_array_elements_text(l.invited_capability -> 'roles')) AS roles,
            ARRAY(SELECT jsonb_array_elements_text(l.invited_capability -> 'countries')) AS countries,
            (l.invited_capability ->> 'has_permit')::boolean AS has_permit,
            l.invited_capability ->> 'operation' AS operation,
            ARRAY(SELECT DISTINCT waste_code FROM item WHERE listing_id = l.id AND waste_code IS NOT NULL) AS codes
    ) asked
    JOIN organization o ON o.livemode = l.livemode AND o.id <> l.seller_id AND o.verification_status = 'verified'
        AND o.roles && CASE WHEN asked.roles = '{{}}' THEN :processors ELSE asked.roles END
        AND (asked.countries = '{{}}' OR o.country = ANY (asked.countries))
        AND (NOT asked.has_permit OR EXISTS (
            SELECT FROM permit place LEFT JOIN site ON site.id = place.site_id
            WHERE place.org_id = o.id AND {_IN_FORCE.format(permit="place")} AND NOT EXISTS (
                SELECT FROM unnest(asked.codes) AS needed (code) WHERE NOT EXISTS (
                    SELECT FROM permit p JOIN permit_scope scope ON scope.permit_id = p.id
                    WHERE p.org_id = o.id AND {_IN_FORCE.format(permit="p")}
                        AND (p.site_id IS NULL OR p.site_id = place.site_id)
                        AND needed.code = ANY (scope.waste_codes)
                        AND (asked.operation IS NULL OR asked.operation = ANY (scope.operations))
                        AND (scope.territories = '{{}}' OR COALESCE(site.country, o.country) = ANY (scope.territories))
                )
            )
        ))
    WHERE l.invited_capability IS NOT NULL AND l.visibility = 'invited' AND o.id <> ALL (l.invited || l.admitted)
"""
_PROCESSORS = bindparam("processors", sorted(PROCESSORS), ARRAY(Text))
_ORGANIZATIONS = text(f"SELECT o.id {_CAPABLE} AND l.id = :listing ORDER BY o.id LIMIT :most").bindparams(_PROCESSORS)
_LISTINGS = text(
    f"SELECT l.id {_CAPABLE} AND l.livemode = :livemode AND l.status IN ('scheduled', 'open')"
    f" AND cardinality(l.admitted) < {MOST_ADMITTED} AND o.id = :org ORDER BY l.id LIMIT :most"
).bindparams(_PROCESSORS)


async def organizations_that_can(work: UnitOfWork, listing_id: ListingId, most: int) -> list[OrgId]:
    """Those that the listing asks for and has not let in yet, today (UTC)."""
    asked = {"listing": listing_id, "today": work.now.date(), "most": most}
    return [OrgId(row.id) for row in (await work.session.execute(_ORGANIZATIONS, asked)).all()]


async def listings_asking_for(work: UnitOfWork, org_id: OrgId, most: int) -> list[ListingId]:
    """Published ones whose bidding is not over, that ask for what the organization can do today (UTC)."""
    asked = {"org": org_id, "livemode": work.livemode, "today": work.now.date(), "most": most}
    return [ListingId(row.id) for row in (await work.session.execute(_LISTINGS, asked)).all()]


async def show_offers(work: UnitOfWork, listing_ids: Collection[str], org_ids: Sequence[str]) -> None:
    """Lets searches find these listings for them."""
    more = func.array_cat(col(Offer.seen_by), literal(list(org_ids), ARRAY(Text)))
    await work.session.execute(update(Offer).where(col(Offer.listing_id).in_(listing_ids)).values(seen_by=more))


async def let_in_later(work: UnitOfWork, listing_id: ListingId) -> set[str]:
    """The organizations that were let in after it was published."""
    query = select(col(EventRow.data)["organization_id"].astext).where(
        col(EventRow.subject_id) == listing_id, col(EventRow.type) == "listing.admitted"
    )
    return set((await work.session.execute(query)).scalars())
