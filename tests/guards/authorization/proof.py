"""What was made of the goods, and certificates at every stage."""

from collections.abc import Mapping

from sqlalchemy import select
from sqlmodel import col

from services.certification import custody, issuing, queries
from services.certification.custody import MadeOutput, Report, Taken
from services.certification.files import Offered
from services.certification.issuing import Submission, Wanted
from services.certification.keys import Signer, signer
from services.certification.models import Certificate, CustodyEvent
from services.kernel.http.routing import Runtime
from services.kernel.ids import BatchId, CertificateId
from services.kernel.unit_of_work import UnitOfWork
from tests.guards.authorization.cast import Cast

TONNE = 1_000_000
TICKET = Offered("cd" * 32, "scale-ticket.pdf", "application/pdf", 48_211)
STAGES = ("draft", "submitted", "verifying", "issued", "suspended")


async def certified(cast: Cast, runtime: Runtime, things: Mapping[str, str]) -> dict[str, str]:
    async with cast.market.work(cast["buyer"]) as work:
        order = {"order_id": things["order"], "holder_id": cast["buyer"].org.id}
        (batch,) = await queries.received_under(work, [order["order_id"]], order["holder_id"])
    signing = signer(runtime.settings, livemode=False)
    found = {"batch": batch.id, "operation": (await _made(cast, batch.id)).id}
    for number, stage in enumerate(STAGES):
        found[f"{stage}_certificate"] = await _certificate(cast, batch.id, signing, number)
    await cast.market.settle()
    async with cast.market.work() as work:
        issued = await queries.certificate(work, found["issued_certificate"])
        version = await queries.version(work, issued.id, 1)
    scheme = {"scheme_name": issued.scheme_name, "scheme_version": issued.scheme_version}
    return found | scheme | {"credential": version.vc_jwt, "status_list": version.status_list_id}


async def _made(cast: Cast, batch_id: str) -> CustodyEvent:
    """A tonne becomes steel."""
    report = Report(
        type="make",
        inputs=(Taken(BatchId(batch_id), TONNE),),
        operation="R4",
        outputs=(MadeOutput("steel", 900_000, "product"), MadeOutput("residue", 90_000, "residue")),
        loss_g=10_000,
        loss_reason="dust",
        evidence=(TICKET,),
    )
    buyer = cast["buyer"]
    async with cast.market.work(buyer) as work:
        return await custody.record(work, report, by=buyer.actor)


async def _certificate(cast: Cast, batch_id: str, signing: Signer, number: int) -> CertificateId:
    """As many stages from the draft as `number` says."""
    event, buyer = await _made(cast, batch_id), cast["buyer"]
    async with cast.market.work(buyer) as work:
        wanted = Wanted(type="recycling", custody_event_ids=(event.id,), distance_m=231_000)
        drafted = await issuing.draft(work, wanted, by=buyer.actor)
    for step in (_submit, _take_up, _issue, _suspend)[:number]:
        await step(cast, drafted.id, signing)
    return drafted.id


async def _submit(cast: Cast, certificate_id: CertificateId, signing: Signer) -> None:
    submission = Submission(verifier_id=cast["verifier"].org.id, evidence=(TICKET,))
    async with cast.market.work(cast["buyer"]) as work:
        await issuing.submit(work, certificate_id, submission, by=cast["buyer"].actor)


async def _take_up(cast: Cast, certificate_id: CertificateId, signing: Signer) -> None:
    async with cast.market.work(cast["verifier"]) as work:
        await issuing.take_up(work, certificate_id, by=cast["verifier"].actor)


async def _issue(cast: Cast, certificate_id: CertificateId, signing: Signer) -> None:
    by = cast["verifier"].actor
    async with cast.market.work(cast["verifier"]) as work:
        version = await _version(work, certificate_id)
        await issuing.issue(work, certificate_id, signing, by=by, check_version=lambda seen: _same(seen, version))


async def _suspend(cast: Cast, certificate_id: CertificateId, signing: Signer) -> None:
    """By an operator: whoever suspends does not reinstate."""
    async with cast.market.work(cast["operator"]) as work:
        await issuing.suspend(work, certificate_id, reason="A complaint.", by=cast["operator"].actor)


async def _version(work: UnitOfWork, certificate_id: CertificateId) -> int:
    query = select(col(Certificate.version)).where(col(Certificate.id) == certificate_id)
    return int((await work.session.execute(query)).scalar_one())


def _same(seen: int, read: int) -> None:
    assert seen == read
