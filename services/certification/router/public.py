"""The public face: what anybody may read and check, without a key and from any origin."""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Path, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse

from services.certification import documents, pages, queries, schemes, tracing, verifying
from services.certification.models import Certificate, CertificateVersion
from services.certification.models.certificates import PUBLIC
from services.certification.schemas.certificates import (
    CertificateVerificationAnswer,
    StepAnswer,
    VerificationAnswer,
    VerifyCredential,
)
from services.kernel.errors import NotFound
from services.kernel.http.routing import Anybody, UnitOfWorkRoute, Work, runtime_of
from services.kernel.ids import CertificateId, StatusListId
from services.kernel.unit_of_work import UnitOfWork

TOKEN = "application/vc+jwt"
SECURED = "application/vc"
FOR_EVER = {"Cache-Control": "public, max-age=31536000, immutable"}
UNLISTED = {"X-Robots-Tag": "noindex"}


class OpenRoute(UnitOfWorkRoute):
    """Answers scripts of any origin, refusals included: nothing here depends on who asks."""

    always = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "*"}


verification = APIRouter(prefix="/v1", tags=["certificates"], route_class=OpenRoute)
Version = Annotated[int, Path(ge=1, le=999_999, description="Counted from 1 with every issue of the certificate")]

SchemeName = Annotated[str, Path(description="The scheme, as a credential names it")]
SchemeVersion = Annotated[str, Path(description="Its version, as a credential names it")]

public = APIRouter(tags=["public"], route_class=OpenRoute)
Accept = Annotated[str, Header(description="What you can read")]


def _content(*media_types: str) -> dict[int | str, dict[str, Any]]:
    kinds = {
        "application/ld+json": {"type": "object"},
        "application/json": {"type": "object", "additionalProperties": True},
    }
    return {200: {"content": {name: {"schema": kinds.get(name, {"type": "string"})} for name in media_types}}}


@verification.get(
    "/certificates/{certificate_id}/verification", name="verification", summary="Verify a certificate by id"
)
async def verify_by_id(
    certificate_id: CertificateId, work: Work, actor: Anybody, request: Request
) -> CertificateVerificationAnswer:
    """Needs no key. Checks the current version as a stranger would, and tells the chain behind it down to every origin: grams,
    operation, country and parties by role, never a name upstream, a price or an order."""
    certificate, version = await _published(work, certificate_id)
    checked = await verifying.verify(work, version.vc_jwt, runtime_of(request).settings)
    return CertificateVerificationAnswer(
        **VerificationAnswer.of(checked).model_dump(),
        certificate_id=certificate.id,
        livemode=certificate.livemode,
        status=certificate.status,
        current_version=version.number,
        credential=dict(checked.credential) if checked.credential is not None else None,
        chain=[StepAnswer.of(step) for step in await tracing.steps(work, certificate)],
    )


async def _published(work: UnitOfWork, certificate_id: CertificateId) -> tuple[Certificate, CertificateVersion]:
    """With the version that counts; NotFound for what was never issued. The house reads it: who has the address may."""
    async with work.as_house(of_both=True):
        certificate = await queries.certificate(work, certificate_id)
        if certificate.status not in PUBLIC:
            raise NotFound("certificate", certificate_id)
        return certificate, await queries.version(work, certificate_id, certificate.number)


@verification.post("/certificates/verify", summary="Verify a credential")
async def verify(body: VerifyCredential, work: Work, actor: Anybody, request: Request) -> VerificationAnswer:
    """Needs no key. Answers 200 for whatever is a credential: a token (`vc+jwt`), a document with a Data Integrity
    proof, or an enveloped one; 422 `not_a_credential` for anything else. Nothing is fetched: an issuer we do not know is
    `unknown_issuer`, and what could not be asked any more is skipped."""
    return VerificationAnswer.of(await verifying.verify(work, body.credential, runtime_of(request).settings))


@verification.options("/certificates/verify", include_in_schema=False)
async def preflight(work: Work, actor: Anybody) -> Response:
    """Browsers ask first whether they may post JSON."""
    allowed = {"Access-Control-Allow-Methods": "POST", "Access-Control-Allow-Headers": "Content-Type, Idempotency-Key"}
    return Response(status_code=204, headers={**allowed, "Access-Control-Max-Age": "86400"})


@public.get("/.well-known/did.json", summary="Get the live issuer's DID document", response_class=JSONResponse)
async def did(work: Work, actor: Anybody, request: Request) -> Response:
    """Every key of the live issuer that is not compromised, retired ones too: old certificates still verify."""
    return JSONResponse(await verifying.published_did(work, runtime_of(request).settings, livemode=True))


@public.get("/sandbox/did.json", summary="Get the sandbox issuer's DID document", response_class=JSONResponse)
async def sandbox_did(work: Work, actor: Anybody, request: Request) -> Response:
    """The sandbox signs with keys of its own."""
    return JSONResponse(await verifying.published_did(work, runtime_of(request).settings, livemode=False))


@public.get(
    "/credentials/{certificate_id}/{version}",
    summary="Get a signed credential",
    response_class=Response,
    responses=_content(TOKEN, SECURED),
)
async def credential(
    certificate_id: CertificateId, version: Version, work: Work, actor: Anybody, accept: Accept = TOKEN
) -> Response:
    """The certificate itself, as a token (`application/vc+jwt`), or as a document with a Data Integrity proof for
    `Accept: application/vc`. A version never changes."""
    async with work.as_house(of_both=True):
        row = await queries.version(work, certificate_id, version)
    wanted = [part.partition(";")[0].strip() for part in accept.split(",")]
    headers = {**FOR_EVER, **UNLISTED, "Vary": "Accept"}
    if SECURED in wanted and TOKEN not in wanted:
        return Response(row.jcs, media_type=SECURED, headers=headers)
    return Response(row.vc_jwt, media_type=TOKEN, headers=headers)


@public.get(
    "/credentials/{certificate_id}/{version}/impact", summary="Get the impact statement", response_class=JSONResponse
)
async def impact(certificate_id: CertificateId, version: Version, work: Work, actor: Anybody) -> Response:
    """Incurred and avoided side by side with every factor, and everything that is missing. Decimal strings, unrounded."""
    async with work.as_house(of_both=True):
        row = await queries.version(work, certificate_id, version)
        statement = await queries.statement(work, row.statement_id)
    return JSONResponse(statement.document, headers={**FOR_EVER, **UNLISTED})


@public.get(
    "/status-lists/{status_list_id}",
    summary="Get a status list",
    response_class=Response,
    responses=_content(TOKEN) | {304: {"description": "It is still what you have."}},
)
async def status_list(
    status_list_id: StatusListId,
    work: Work,
    actor: Anybody,
    if_none_match: Annotated[str | None, Header(description="The ETag you have")] = None,
) -> Response:
    """Which versions do not stand any more: a BitstringStatusListCredential, published anew when a bit is set."""
    row = await queries.status_list(work, status_list_id)
    etag = f'"{row.published_revision}-{int(row.published_at.timestamp())}"'
    headers = {"Cache-Control": "public, max-age=2", "ETag": etag}
    if if_none_match == etag:
        return Response(status_code=304, headers=headers)
    return Response(row.token, media_type=TOKEN, headers=headers)


@public.get(
    "/c/{certificate_id}",
    summary="Read a certificate",
    response_class=HTMLResponse,
    responses=_content("text/html", "application/json"),
)
async def page(
    certificate_id: CertificateId, work: Work, actor: Anybody, request: Request, accept: Accept = "text/html"
) -> Response:
    """The page behind the QR code: what it says and whether it stands, for people, or as JSON for `Accept:
    application/json`. The token is the certificate, this is a rendition. Never listed, never indexed."""
    certificate, version = await _published(work, certificate_id)
    told = pages.content(certificate, version, runtime_of(request).settings.base_url)
    headers = {**UNLISTED, "Cache-Control": "no-store", "Vary": "Accept"}
    if "application/json" in accept and "text/html" not in accept:
        return JSONResponse(told, headers=headers)
    return HTMLResponse(pages.render(told), headers={**headers, **pages.POLICY})


@public.get(
    "/ns/v1", summary="Get our JSON-LD context", response_class=Response, responses=_content("application/ld+json")
)
async def namespace(work: Work, actor: Anybody, request: Request) -> Response:
    """What our own properties in a credential are called in full."""
    context = documents.namespace_context(runtime_of(request).settings.host)
    return JSONResponse(context, media_type="application/ld+json", headers=FOR_EVER)


@public.get("/schemes/{name}/{version}", summary="Get a scheme's rules", response_class=JSONResponse)
async def scheme(name: SchemeName, version: SchemeVersion, work: Work, actor: Anybody) -> Response:
    """The rules a certificate was issued under, in words. A version never changes."""
    found = schemes.find(name, version)
    told = {
        "name": found.name,
        "version": found.version,
        "title": found.title,
        "rules": list(found.rules),
        "factor_set": found.factor_set,
        "valid_years": schemes.VALID_YEARS,
    }
    return JSONResponse(told, headers=FOR_EVER)
