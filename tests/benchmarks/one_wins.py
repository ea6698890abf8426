"""Two races in which exactly one wins: fifty carriers accept one job, thirty lorries book one dock."""

import asyncio
from collections import Counter
from collections.abc import Sequence

from tests.benchmarks.market_of_races import Answer, Market, Round
from tests.factories import pickups as make
from tests.factories.parties import Party, organization
from tests.factories.pickups import Haul

CARRIERS = 50
LORRIES = 30


async def hire(market: Market) -> list[Party]:
    return [await make.carrier(market.sessions, f"Carrier {number}") for number in range(CARRIERS)]


async def accept_offers(market: Market, carriers: Sequence[Party], number: int) -> Round:
    """One broadcast job, every carrier accepts at the same moment."""
    haul = await make.planned(market.calm, market.sessions, hauler=carriers[0])
    await make.did(market.calm, haul.owner, f"{haul.url}/tender", make.a_tender(*carriers, strategy="broadcast"))
    sql = "SELECT carrier_id, id FROM carrier_offer WHERE pickup_id = :job AND status = 'offered'"
    offers = {row.carrier_id: row.id for row in await market.rows(sql, job=haul.job.id)}

    paths = [f"/v1/offers/{offers[carrier.org.id]}/accept" for carrier in carriers]
    answers = await asyncio.gather(
        *(market.post(i, path, carrier) for i, (path, carrier) in enumerate(zip(paths, carriers, strict=True)))
    )

    result = _judged(answers, refusal="409 offer_not_open", winners="1 holds it")
    winners = [carrier.org.id for carrier, answer in zip(carriers, answers, strict=True) if answer.is_success]
    sql = "SELECT carrier_id FROM carrier_offer WHERE pickup_id = :job AND status = 'accepted'"
    result.expect("accepted offers", [row.carrier_id for row in await market.rows(sql, job=haul.job.id)], winners)
    sql = "SELECT status, count(*) AS offers FROM carrier_offer WHERE pickup_id = :job GROUP BY status"
    found = {row.status: row.offers for row in await market.rows(sql, job=haul.job.id)}
    result.expect("offers by status", found, {"accepted": 1, "superseded": CARRIERS - 1})
    sql = "SELECT carrier_id FROM pickup_job WHERE id = :job AND status = 'accepted'"
    result.expect("carrier of the job", [row.carrier_id for row in await market.rows(sql, job=haul.job.id)], winners)
    result.expect("pickup.accepted", await _told(market, "pickup.accepted", [haul.job.id]), 1)
    result.expect("offer.accepted", await _told(market, "offer.accepted", list(offers.values())), 1)
    return result


async def load(market: Market, carriers: Sequence[Party]) -> list[Haul]:
    """Jobs that lie at one site, each with a carrier that has accepted it and no dock yet."""
    seller = await organization(market.sessions, name="Nordwerk GmbH")
    receiver = await make.recycler(market.sessions)
    return [
        await make.accepted(market.calm, market.sessions, seller=seller, receiver=receiver, hauler=carrier)
        for carrier in carriers[:LORRIES]
    ]


async def book_slots(market: Market, hauls: Sequence[Haul], number: int) -> Round:
    """One dock and window, booked by every carrier at the same moment; the winner gives it back afterwards."""
    slot = make.a_slot(hauls[0], dock=1 + number % 2)
    jobs = [haul.job.id for haul in hauls]
    told_before = await _told(market, "pickup.scheduled", jobs)

    answers = await asyncio.gather(
        *(market.post(i, f"{haul.url}/book_slot", haul.carrier, slot) for i, haul in enumerate(hauls))
    )

    result = _judged(answers, refusal="409 slot_taken", winners="1 has the dock")
    winners = [haul for haul, answer in zip(hauls, answers, strict=True) if answer.is_success]
    sql = "SELECT pickup_id FROM dock_slot WHERE site_id = :site AND cancelled_at IS NULL"
    found = [row.pickup_id for row in await market.rows(sql, site=slot["site_id"])]
    result.expect("slots", found, [haul.job.id for haul in winners])
    result.expect("overlapping slots", await market.value(_OVERLAPS), 0)
    sql = "SELECT id FROM pickup_job WHERE id = ANY(:jobs) AND status = 'scheduled'"
    result.expect("scheduled jobs", [row.id for row in await market.rows(sql, jobs=jobs)], found)
    result.expect("pickup.scheduled", await _told(market, "pickup.scheduled", jobs) - told_before, 1)
    for haul in winners:
        await make.did(market.calm, haul.carrier, f"{haul.url}/cancel_slot", {"reason": "The next round."})
    return result


_OVERLAPS = """
    SELECT count(*) FROM dock_slot one JOIN dock_slot other
      ON one.id < other.id AND one.site_id = other.site_id AND one.dock = other.dock
     AND one.starts_at < other.ends_at AND other.starts_at < one.ends_at
     AND one.cancelled_at IS NULL AND other.cancelled_at IS NULL
"""


def _judged(answers: Sequence[Answer], *, refusal: str, winners: str) -> Round:
    """One success, and everybody else refused with this status and code."""
    found = Counter("2xx" if answer.is_success else answer.told for answer in answers)
    result = Round(f"{winners}, {found[refusal]} x {refusal}", [answer.ms for answer in answers])
    result.expect("answers", dict(found), {"2xx": 1, refusal: len(answers) - 1})
    return result


async def _told(market: Market, event: str, subjects: Sequence[str]) -> int:
    sql = "SELECT count(*) FROM event WHERE type = :type AND subject_id = ANY(:subjects)"
    return int(await market.value(sql, type=event, subjects=list(subjects)))
