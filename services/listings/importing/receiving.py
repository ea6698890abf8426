"""A manifest arrives: the bytes are kept first, and read by a job."""

import hashlib
from dataclasses import dataclass
from typing import Any

from services.kernel import jobs
from services.kernel.actors import Actor
from services.kernel.errors import Detail, Invalid
from services.kernel.ids import ListingId
from services.kernel.unit_of_work import UnitOfWork
from services.listings import drafting, policy, queries
from services.listings.importing import landing
from services.listings.manifests import mapping as mappings
from services.listings.manifests.mapping import Mapping
from services.listings.manifests.profiles import PROFILES
from services.listings.models import DraftListing, Import, Listing


@dataclass(frozen=True)
class Manifest:
    """A file as it came. `profile` names the mapping if it is one that ships."""

    file_name: str
    content: bytes
    mapping: Mapping
    profile: str | None = None


async def receive(work: UnitOfWork, manifest: Manifest, *, into: ListingId | DraftListing, by: Actor) -> Import:
    """Into a draft of the seller's, or into a new one. Raises ListingIsNotADraft, and what `drafting.draft` raises."""
    listing = await _target(work, into, by)
    received = Import(
        seller_id=listing.seller_id,
        listing_id=listing.id,
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


def profile(name: str) -> Mapping:
    return PROFILES[name]


def mapping(document: Any) -> Mapping:
    """Raises Invalid with a pointer into the form's field `mapping` for each reason why it is none."""
    parsed = mappings.parse(document)
    if isinstance(parsed, list):
        raise Invalid(*(Detail(f"/mapping{problem.pointer}", problem.code, problem.detail) for problem in parsed))
    return parsed


async def _target(work: UnitOfWork, into: ListingId | DraftListing, by: Actor) -> Listing:
    if isinstance(into, DraftListing):
        return await drafting.draft(work, into, by=by)
    listing = await queries.visible_listing(work, into, by)
    policy.must_be_the_seller(by, listing)
    policy.must_be_a_draft(listing)
    return listing
