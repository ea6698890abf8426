"""A manifest arrives: the bytes are kept first, and read by a job."""

import hashlib
from dataclasses import dataclass

from services.kernel import jobs
from services.kernel.actors import Actor
from services.kernel.ids import ListingId, OrgId
from services.kernel.unit_of_work import UnitOfWork
from services.listings import drafting, policy, queries
from services.listings.importing import landing
from services.listings.manifests import mapping as mappings
from services.listings.manifests.mapping import Mapping
from services.listings.models import DraftListing, Import


@dataclass(frozen=True)
class Manifest:
    """A file as it came. `profile` names the mapping if it has a name; a trial is judged and does not land."""

    file_name: str
    content: bytes
    mapping: Mapping
    profile: str | None = None
    is_trial: bool = False


async def receive(work: UnitOfWork, manifest: Manifest, *, into: ListingId | DraftListing, by: Actor) -> Import:
    """Into a draft of the seller's, or into a new one. Raises ListingIsNotADraft, and what `drafting.draft` raises."""
    seller_id, listing_id = await (_tried if manifest.is_trial else _target)(work, into, by)
    received = Import(
        seller_id=seller_id,
        listing_id=listing_id,
        is_trial=manifest.is_trial,
        file_name=manifest.file_name,
        size_bytes=len(manifest.content),
        sha256=hashlib.sha256(manifest.content).hexdigest(),
        content=manifest.content,
        profile=manifest.profile,
        mapping=mappings.document(manifest.mapping),
        livemode=work.livemode,
        created_at=work.now,
    )
    work.add(received)
    await jobs.enqueue(work, landing.JOB, {"import_id": received.id})
    return received


async def _target(work: UnitOfWork, into: ListingId | DraftListing, by: Actor) -> tuple[OrgId, ListingId | None]:
    if isinstance(into, DraftListing):
        made = await drafting.draft(work, into, by=by)
        return made.seller_id, made.id
    listing = await queries.visible_listing(work, into, by)
    policy.must_be_the_seller(by, listing)
    policy.must_be_a_draft(listing)
    return listing.seller_id, listing.id


async def _tried(work: UnitOfWork, into: ListingId | DraftListing, by: Actor) -> tuple[OrgId, ListingId | None]:
    """Refused as the import would be; a new draft is taken back."""
    if not isinstance(into, DraftListing):
        return await _target(work, into, by)
    async with work.session.begin_nested() as savepoint:
        seller_id, _ = await _target(work, into, by)
        await work.session.flush()
        await savepoint.rollback()
    return seller_id, None
