"""Mappings that an organization keeps under names of its own, beside those that ship."""

from typing import Any

from services.kernel.actors import Actor
from services.kernel.errors import Detail, Invalid, invalid
from services.kernel.ids import ImportProfileId, OrgId
from services.kernel.tables import CheckVersion
from services.kernel.unit_of_work import UnitOfWork
from services.listings import policy
from services.listings.errors import ProfileNameTaken
from services.listings.importing import queries
from services.listings.manifests import mapping as mappings
from services.listings.manifests.mapping import Mapping
from services.listings.manifests.profiles import PROFILES
from services.listings.models import ImportProfile


async def keep(work: UnitOfWork, name: str, document: Any, *, by: Actor) -> ImportProfile:
    """Raises MayNotList, ProfileNameTaken, and Invalid for each fault of the mapping."""
    policy.must_be_able_to_list(by, is_remainder=False)
    mapping = parsed(document)
    await _must_be_free(work, name, by.org)
    kept = ImportProfile(
        org_id=by.org, name=name, mapping=mappings.document(mapping), livemode=work.livemode, created_at=work.now
    )
    work.add(kept)
    return kept


async def change(
    work: UnitOfWork,
    profile_id: ImportProfileId,
    *,
    name: str | None,
    document: Any,
    by: Actor,
    check_version: CheckVersion,
) -> ImportProfile:
    """None stays as it is. Raises as `keep` does."""
    kept = await queries.profile_for_update(work, profile_id, by)
    check_version(kept.version)
    if document is not None:
        kept.mapping = mappings.document(parsed(document))
    if name is not None and name != kept.name:
        await _must_be_free(work, name, kept.org_id)
        kept.name = name
    kept.version += 1
    return kept


async def remove(work: UnitOfWork, profile_id: ImportProfileId, *, by: Actor) -> None:
    await work.session.delete(await queries.profile_for_update(work, profile_id, by))


async def named(work: UnitOfWork, name: str, by: Actor) -> Mapping:
    """A shipped mapping or one of the caller's own. Raises Invalid (`profile_unknown`)."""
    if name in PROFILES:
        return PROFILES[name]
    kept = await queries.profile_named(work, name, by)
    mapping = None if kept is None else mappings.parse(kept.mapping)
    if not isinstance(mapping, Mapping):
        raise invalid("/profile", "profile_unknown", f"No mapping is called {name[:80]!r}.")
    return mapping


def parsed(document: Any) -> Mapping:
    """Raises Invalid with a pointer into the field `mapping` for each reason why it is none."""
    mapping = mappings.parse(document)
    if isinstance(mapping, list):
        raise Invalid(*(Detail(f"/mapping{problem.pointer}", problem.code, problem.detail) for problem in mapping))
    return mapping


async def _must_be_free(work: UnitOfWork, name: str, org_id: OrgId) -> None:
    if name in PROFILES or await queries.is_profile_name_taken(work, name, org_id):
        raise ProfileNameTaken(name)
