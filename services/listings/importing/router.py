"""HTTP of imports and of the mappings kept for them."""

import asyncio
import json
from typing import Annotated, Any

from fastapi import APIRouter, File, Form, Response, UploadFile
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from services.kernel.actors import Actor
from services.kernel.errors import invalid
from services.kernel.http.routing import Matching, UnitOfWorkRoute, Work, holding, tag
from services.kernel.http.schemas import is_storable
from services.kernel.ids import ImportId, ImportProfileId, ListingId
from services.kernel.pagination import Paging, rows_of
from services.kernel.unit_of_work import UnitOfWork
from services.listings import queries
from services.listings.errors import NoRefusedRows
from services.listings.importing import profiles, receiving
from services.listings.importing import queries as stored
from services.listings.importing.receiving import Manifest
from services.listings.importing.schemas import (
    ChangedProfile,
    ImportAnswer,
    ImportPage,
    NewProfile,
    ProfileAnswer,
    ProfilePage,
    ProposalAnswer,
)
from services.listings.manifests import proposing
from services.listings.manifests.files import MEDIA_TYPES
from services.listings.manifests.mapping import Mapping
from services.listings.manifests.raw import ManifestIsUnreadable
from services.listings.models import DraftListing, Import, ImportProfile
from services.listings.schemas import NewDraft

imports = APIRouter(prefix="/v1", tags=["imports"], route_class=UnitOfWorkRoute)
kept = APIRouter(prefix="/v1", tags=["import_profiles"], route_class=UnitOfWorkRoute)
routers = [imports, kept]

Reads = Annotated[Actor, holding("imports:read")]
Writes = Annotated[Actor, holding("imports:write")]
AT_ONCE = asyncio.Semaphore(2)
"""Files that a process opens to propose a mapping, so that its memory is bounded by these."""
Manifested = Annotated[
    UploadFile,
    File(description="CSV, XLSX or JSONL, told by its content; up to 100,000 rows, the whole request up to 48 MiB"),
]


@imports.post("/imports", name="create", status_code=201, summary="Import a manifest")
async def create_import(
    work: Work,
    actor: Writes,
    file: Manifested,
    profile: Annotated[
        str | None,
        Form(description="A mapping by name: backhaul-1, ords-0.3, or one you have kept; else `mapping`"),
    ] = None,
    mapping: Annotated[
        str | None, Form(description='JSON: {"decimal": ",", "fields": {"external_id": "Nr", …}}')
    ] = None,
    listing_id: Annotated[ListingId | None, Form(description="A draft of yours to add to")] = None,
    listing: Annotated[str | None, Form(description="JSON: the fields of a new draft, as for listings.create")] = None,
    trial: Annotated[bool, Form(description="Judge every row as an import would, and let nothing land")] = False,
) -> ImportAnswer:
    """Keeps the file and answers `received`; it is read right after, and `imports.get` tells how far it is.

    Rows that stand land together as units of items, the others go back as a file of the same format with reasons. A unit is
    known by its external id: sent again unchanged it changes nothing, changed it changes its draft, and once its listing is
    published it is refused with `already_published`. With `trial` the same is decided and told, but no row lands and no draft
    is made: where `?dry_run` of other operations tries what happens before the answer, a trial also tries what comes after.

    Refused with `may_not_list`, with `listing_not_draft`, as invalid when `profile` or `mapping`, `listing_id` or `listing` is
    not given once (`one_of`), when text is `text_unstorable`, for a `profile_unknown`, when the mapping has faults
    (`source_malformed`, `target_required`, `decimal_unknown`, `object_required`, `unknown`), and for what a new draft is
    refused for: `site_not_found`, `organization_not_found`, `item_key_taken` (422). Causes `import.completed` (also for a file
    that cannot be read: its status is failed), and `listing.created` for a new draft.
    """
    chosen = await _mapping(work, profile, mapping, actor)
    into = _into(listing_id, listing)
    manifest = Manifest(_file_name(file), await file.read(), chosen, profile, is_trial=trial)
    return ImportAnswer.of(await receiving.receive(work, manifest, into=into, by=actor))


async def _mapping(work: UnitOfWork, profile: str | None, document: str | None, actor: Actor) -> Mapping:
    if profile is not None and not is_storable(profile):
        raise invalid("/profile", "text_unstorable", "Text may not hold NUL or lone surrogates.")
    if profile is not None and document is None:
        return await profiles.named(work, profile, actor)
    if profile is None and document is not None:
        return profiles.parsed(_json(document))
    raise invalid("/profile", "one_of", "Give either `profile` or `mapping`.")


def _json(document: str) -> Any:
    try:
        parsed = json.loads(document)
    except (ValueError, RecursionError):
        raise invalid("/mapping", "json_invalid", "The mapping is not JSON.") from None
    if not is_storable(json.dumps(parsed, ensure_ascii=False)) or "\\u0000" in json.dumps(parsed):
        raise invalid("/mapping", "text_unstorable", "Text may not hold NUL or lone surrogates.")
    return parsed


def _into(listing_id: ListingId | None, fields: str | None) -> ListingId | DraftListing:
    if listing_id is not None and fields is None:
        return listing_id
    if listing_id is None and fields is not None:
        try:
            return NewDraft.model_validate_json(fields).draft()
        except ValidationError as error:
            found = [{**one, "loc": ("body", "listing", *one["loc"])} for one in error.errors(include_context=False)]
            raise RequestValidationError(found) from None
    raise invalid("/listing_id", "one_of", "Give either `listing_id` or `listing`.")


def _file_name(file: UploadFile) -> str:
    name = (file.filename or "manifest.csv")[-200:]
    if not is_storable(name):
        raise invalid("/file", "text_unstorable", "The file's name may not hold NUL or lone surrogates.")
    return name


@imports.post("/imports/propose", summary="Propose a mapping")
async def propose(actor: Writes, file: Manifested) -> ProposalAnswer:
    """Reads the header and the first rows, in English and German, and answers a mapping to be corrected: sent with the file
    as `mapping` of imports.create, or kept under a name by import_profiles.create. Nothing is kept of the file. Refused with
    `manifest_unreadable` (422).
    """
    try:
        async with AT_ONCE:
            return ProposalAnswer.of(await asyncio.to_thread(proposing.propose, await file.read()))
    except ManifestIsUnreadable as unreadable:
        raise invalid("/file", "manifest_unreadable", f"{unreadable.detail} ({unreadable.code})") from None


@imports.get("/imports", name="list", summary="List imports")
async def list_imports(work: Work, actor: Reads, paging: Paging) -> ImportPage:
    """Newest first."""
    rows, after = await rows_of(work, queries.imports_visible_to(actor), Import.id, paging)
    return ImportPage(data=[ImportAnswer.of(row) for row in rows], has_more=after is not None, next_cursor=after)


@imports.get("/imports/{import_id}", name="get", summary="Read an import")
async def get_import(import_id: ImportId, work: Work, actor: Reads, answer: Response) -> ImportAnswer:
    """How far it is, and what became of its rows."""
    row = await queries.visible_import(work, import_id, actor)
    tag(answer, row.version)
    return ImportAnswer.of(row)


@imports.get(
    "/imports/{import_id}/refused",
    summary="Download the refused rows",
    response_class=Response,
    responses={
        200: {
            "content": {kind: {"schema": {"type": "string", "format": "binary"}} for kind in MEDIA_TYPES.values()},
            "description": "The refused rows",
        }
    },
)
async def refused(import_id: ImportId, work: Work, actor: Reads) -> Response:
    """As they were sent and in the format they came in, with a first column `reason` (JSONL: a first key); mended, the file is
    imported into the same draft. What a spreadsheet would run as a formula is marked as text. 404 until the manifest has been
    read.
    """
    row = await queries.visible_import(work, import_id, actor)
    content = await queries.refused_file(work, row.id)
    if content is None:
        raise NoRefusedRows(import_id)
    file_format = row.file_format or "csv"
    headers = {
        "Content-Disposition": f'attachment; filename="{row.id}-refused.{file_format}"',
        "X-Content-Type-Options": "nosniff",
    }
    return Response(content, headers=headers | {"Content-Type": MEDIA_TYPES[file_format]})


@kept.post("/import-profiles", name="create", status_code=201, summary="Keep a mapping")
async def create_profile(body: NewProfile, work: Work, actor: Writes, answer: Response) -> ProfileAnswer:
    """Keeps a mapping of your organization under a name that imports.create takes as `profile`.

    Refused with `may_not_list`, with 409 `profile_name_taken` (shipped names too), and when the mapping has faults (422
    `source_malformed`, `target_required`, `decimal_unknown`, `object_required`, `unknown`).
    """
    profile = await profiles.keep(work, body.name, body.mapping, by=actor)
    tag(answer, profile.version)
    return ProfileAnswer.model_validate(profile)


@kept.get("/import-profiles", name="list", summary="List kept mappings")
async def list_profiles(work: Work, actor: Reads, paging: Paging) -> ProfilePage:
    """Your organization's own, newest first; backhaul-1 and ords-0.3 ship and are not listed."""
    rows, after = await rows_of(work, stored.profiles_visible_to(actor), ImportProfile.id, paging)
    data = [ProfileAnswer.model_validate(row) for row in rows]
    return ProfilePage(data=data, has_more=after is not None, next_cursor=after)


@kept.get("/import-profiles/{profile_id}", name="get", summary="Read a kept mapping")
async def get_profile(profile_id: ImportProfileId, work: Work, actor: Reads, answer: Response) -> ProfileAnswer:
    """As imports.create reads it by its name."""
    profile = await stored.visible_profile(work, profile_id, actor)
    tag(answer, profile.version)
    return ProfileAnswer.model_validate(profile)


@kept.patch("/import-profiles/{profile_id}", name="update", summary="Change a kept mapping")
async def update_profile(
    profile_id: ImportProfileId, body: ChangedProfile, work: Work, actor: Writes, matching: Matching, answer: Response
) -> ProfileAnswer:
    """Its name, its mapping or both; what was imported before stays as it is. Refused with `profile_name_taken`, and when the
    mapping has faults (422 `source_malformed`, `target_required`, `decimal_unknown`, `object_required`, `unknown`).
    """
    profile = await profiles.change(
        work, profile_id, name=body.name, document=body.mapping, by=actor, check_version=matching.matches
    )
    tag(answer, profile.version)
    return ProfileAnswer.model_validate(profile)


@kept.delete("/import-profiles/{profile_id}", name="delete", status_code=204, summary="Remove a kept mapping")
async def delete_profile(profile_id: ImportProfileId, work: Work, actor: Writes) -> None:
    """Its name is free again; imports that have used it keep their mapping."""
    await profiles.remove(work, profile_id, by=actor)
