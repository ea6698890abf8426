"""Material for tests: loaded, accepted and processed as in the story, through the real verbs, without orders or pickups."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import col

from services.certification import custody, issuing, queries
from services.certification.custody import MadeOutput, Report, Taken, inspecting, loading
from services.certification.custody.sources import Described, InspectedLine, Inspection, Load, LoadedLine
from services.certification.files import Offered
from services.certification.issuing import Submission
from services.certification.keys import signer
from services.certification.models import Certificate, CustodyEvent, MaterialBatch
from services.kernel.actors import Actor, system
from services.kernel.database import Sessions
from services.kernel.ids import CertificateId, LineId, OrderId, PickupId, ReceiptId
from services.kernel.settings import Settings
from services.kernel.unit_of_work import UnitOfWork
from tests.factories.parties import Party, organization, permit

TICKET = Offered("ab" * 32, "scale-ticket-4711.pdf", "application/pdf", 48_211)
MOTORS, SERVERS, MODULES, COPPER = (
    ("40 electric motors", "160214", 11_780_000, 11_760_000, 0),
    ("120 rack servers", "160214", 2_980_000, 2_980_000, 0),
    ("60 lithium modules", "160607", 1_800_000, 1_440_000, 360_000),
    ("copper bars and cable", "160216", 1_160_000, 1_160_000, 0),
)
STORY = (MOTORS, SERVERS, MODULES, COPPER)
"""Title, waste code, grams loaded, accepted, refused."""

STORY_OUTPUTS = (
    MadeOutput("steel", 9_620_000, "product"),
    MadeOutput("aluminium", 1_850_000, "product"),
    MadeOutput("copper", 2_310_000, "product"),
    MadeOutput("plastics", 1_130_000, "product"),
    MadeOutput("printed_circuit_boards", 310_000, "downstream"),
    MadeOutput("black_mass", 620_000, "downstream"),
    MadeOutput("residue", 1_350_000, "residue"),
)

Line = tuple[str, str | None, int, int, int]


@dataclass
class Plant:
    """Nordwerk gives, Fulda carries, Rheinkreis treats, Prüfwerk verifies."""

    sessions: Sessions
    seller: Party
    carrier: Party
    recycler: Party
    verifier: Party
    order_id: OrderId = field(default_factory=OrderId.new)
    pickup_id: PickupId = field(default_factory=PickupId.new)
    receipt_id: ReceiptId = field(default_factory=ReceiptId.new)

    def work(self, by: Party | Actor | None = None) -> UnitOfWork:
        actor = by.actor if isinstance(by, Party) else by
        return UnitOfWork(self.sessions, actor or system(False))

    async def batches(self) -> list[MaterialBatch]:
        """Those the recycler accepted, in the order of the lines."""
        async with self.work() as work:
            return list(await queries.received_under(work, [self.order_id], self.recycler.org.id))

    async def certificate(self, certificate_id: str) -> Certificate:
        async with self.work() as work:
            return await queries.certificate(work, certificate_id)


async def plant(sessions: Sessions) -> Plant:
    recycler = await organization(sessions, roles=["recycler"], name="Rheinkreis Recycling")
    await permit(sessions, recycler, waste_codes=["160214", "160216", "160607"], operations=["R4", "R12", "R13", "D10"])
    return Plant(
        sessions=sessions,
        seller=await organization(sessions, roles=["manufacturer"], name="Nordwerk <GmbH>"),
        carrier=await organization(sessions, roles=["carrier"], name="Fulda Logistik"),
        recycler=recycler,
        verifier=await organization(sessions, roles=["verifier"], name="Prüfwerk"),
    )


def load(at: Plant, lines: Sequence[Line], occurred_at: datetime, **given: Any) -> Load:
    told: dict[str, Any] = {
        "pickup_id": at.pickup_id,
        "order_id": at.order_id,
        "owner_id": at.seller.org.id,
        "custodian_id": at.seller.org.id,
        "carrier_id": at.carrier.org.id,
        "from_site_id": at.seller.site.id,
        "to_site_id": at.recycler.site.id,
        "occurred_at": occurred_at,
        "mass_method": "floor_scale",
        "packaging_g": 420_000,
        "lines": tuple(LoadedLine(_goods(line), line[2]) for line in lines),
    }
    return Load(**{**told, **given})


def inspection(at: Plant, lines: Sequence[Line], occurred_at: datetime, **given: Any) -> Inspection:
    told: dict[str, Any] = {
        "receipt_id": at.receipt_id,
        "order_id": at.order_id,
        "pickup_id": at.pickup_id,
        "seller_id": at.seller.org.id,
        "buyer_id": at.recycler.org.id,
        "site_id": at.recycler.site.id,
        "occurred_at": occurred_at,
        "mass_method": "weighbridge",
        "lines": tuple(InspectedLine(_goods(line), line[3] + line[4], line[3], line[4]) for line in lines),
    }
    return Inspection(**{**told, **given})


_LINE_IDS: dict[str, LineId] = {}


def _goods(line: Line) -> Described:
    return Described(_LINE_IDS.setdefault(line[0], LineId.new()), line[0], line[1])


async def received(at: Plant, lines: Sequence[Line] = STORY, **given: Any) -> list[MaterialBatch]:
    """Loaded and inspected; the recycler's batches."""
    async with at.work() as work:
        await loading.book(work, load(at, lines, work.now))
    async with at.work() as work:
        await inspecting.book(work, inspection(at, lines, work.now, **given))
    return await at.batches()


def make(batches: Sequence[MaterialBatch], outputs: Sequence[MadeOutput], loss_g: int = 0, **given: Any) -> Report:
    """All of the batches under R4."""
    told: dict[str, Any] = {
        "type": "make",
        "operation": "R4",
        "inputs": tuple(Taken(batch.id) for batch in batches),
        "outputs": tuple(outputs),
        "loss_g": loss_g,
        "loss_reason": "dust" if loss_g else None,
    }
    return Report(**{**told, **given})


async def record(at: Plant, report: Report) -> CustodyEvent:
    async with at.work(at.recycler) as work:
        return await custody.record(work, report, by=at.recycler.actor)


async def processed(at: Plant) -> Certificate:
    """The story up to the draft: data erased, 17.340 t made into products, downstream, residue and loss."""
    batches = await received(at)
    servers = next(batch for batch in batches if batch.title == SERVERS[0])
    await record(at, Report(type="modify", inputs=(Taken(servers.id),), activity="data_erasure"))
    await record(at, make(batches, STORY_OUTPUTS, loss_g=150_000))
    return await draft_of(at)


async def draft_of(at: Plant) -> Certificate:
    """The newest draft of the recycler."""
    query = select(Certificate).where(
        col(Certificate.holder_id) == at.recycler.org.id, col(Certificate.status) == "draft"
    )
    async with at.work() as work:
        return (await work.session.execute(query.order_by(col(Certificate.id).desc()).limit(1))).scalar_one()


def submission(at: Plant, **given: Any) -> Submission:
    told: dict[str, Any] = {
        "verifier_id": at.verifier.org.id,
        "evidence": (TICKET,),
        "goods": "end-of-life equipment",
        "distance_m": 231_000,
    }
    return Submission(**{**told, **given})


async def submitted(at: Plant, certificate_id: CertificateId, **given: Any) -> Certificate:
    async with at.work(at.recycler) as work:
        return await issuing.submit(work, certificate_id, submission(at, **given), by=at.recycler.actor)


async def issued(at: Plant, settings: Settings) -> Certificate:
    """The story's certificate."""
    draft = await processed(at)
    await submitted(at, draft.id)
    return await verified(at, draft.id, settings)


async def verified(at: Plant, certificate_id: CertificateId, settings: Settings) -> Certificate:
    async with at.work(at.verifier) as work:
        await issuing.take_up(work, certificate_id, by=at.verifier.actor)
    async with at.work(at.verifier) as work:
        signing = signer(settings, livemode=False)
        return await issuing.issue(work, certificate_id, signing, by=at.verifier.actor, check_version=lambda _: None)
